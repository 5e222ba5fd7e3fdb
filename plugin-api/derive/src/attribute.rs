//! `#[parameter(...)]` on a field, as it is written.
//!
//! Owns the syntax: which attributes there are, and that none is given twice. Whether they fit
//! the field's type is decided in `field`.

use quote::ToTokens;
use syn::meta::ParseNestedMeta;
use syn::punctuated::Punctuated;
use syn::{Error, Field, LitStr, Result, Token, bracketed};

use crate::literal::Literal;

/// The attributes of one field.
#[derive(Default)]
pub(crate) struct Attributes {
    pub(crate) name: Option<LitStr>,
    pub(crate) default: Option<Literal>,
    pub(crate) greater_than: Option<Literal>,
    pub(crate) less_than: Option<Literal>,
    pub(crate) inclusion: Option<Vec<Literal>>,
    pub(crate) exclusion: Option<Vec<Literal>>,
    pub(crate) regex: Option<LitStr>,
    pub(crate) secret: Option<()>,
}

impl Attributes {
    /// Reads every `#[parameter(...)]` of a field.
    pub(crate) fn read(field: &Field) -> Result<Self> {
        let mut attributes = Self::default();
        for attribute in &field.attrs {
            if attribute.path().is_ident("parameter") {
                attribute.parse_nested_meta(|meta| attributes.add(&meta))?;
            }
        }
        Ok(attributes)
    }

    fn add(&mut self, meta: &ParseNestedMeta<'_>) -> Result<()> {
        match meta.path.to_token_stream().to_string().as_str() {
            "name" => set(&mut self.name, meta, |meta| meta.value()?.parse()),
            "default" => set(&mut self.default, meta, |meta| meta.value()?.parse()),
            "greater_than" => set(&mut self.greater_than, meta, |meta| meta.value()?.parse()),
            "less_than" => set(&mut self.less_than, meta, |meta| meta.value()?.parse()),
            "inclusion" => set(&mut self.inclusion, meta, list),
            "exclusion" => set(&mut self.exclusion, meta, list),
            "regex" => set(&mut self.regex, meta, |meta| meta.value()?.parse()),
            "secret" => set(&mut self.secret, meta, |_| Ok(())),
            "required" => Err(meta.error(
                "a value is required anyway unless the field is an `Option` or has a `default`",
            )),
            unknown => Err(meta.error(format!(
                "unknown attribute `{unknown}`: there are `name`, `default`, `greater_than`, \
                 `less_than`, `inclusion`, `exclusion`, `regex` and `secret`"
            ))),
        }
    }
}

fn set<T>(
    slot: &mut Option<T>,
    meta: &ParseNestedMeta<'_>,
    parse: impl FnOnce(&ParseNestedMeta<'_>) -> Result<T>,
) -> Result<()> {
    if slot.is_some() {
        return Err(meta.error("given twice"));
    }
    *slot = Some(parse(meta)?);
    Ok(())
}

fn list(meta: &ParseNestedMeta<'_>) -> Result<Vec<Literal>> {
    let value = meta.value()?;
    let content;
    let brackets = bracketed!(content in value);
    let entries = Punctuated::<Literal, Token![,]>::parse_terminated(&content)?;
    if entries.is_empty() {
        return Err(Error::new(brackets.span.join(), "the list is empty"));
    }
    Ok(entries.into_iter().collect())
}
