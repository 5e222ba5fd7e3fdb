//! `#[parameter(...)]` on a field, as it is written.
//!
//! Owns the syntax: which attributes there are, and that none is given twice. Whether they fit
//! the field's type is decided in `field`.

use quote::ToTokens;
use syn::meta::ParseNestedMeta;
use syn::parse::ParseStream;
use syn::punctuated::Punctuated;
use syn::{Error, Field, LitStr, Path, Result, Token, bracketed, token};

use crate::literal::Literal;

/// The attributes of one field.
#[derive(Default)]
pub(crate) struct Attributes {
    pub(crate) name: Option<LitStr>,
    pub(crate) default: Option<Literal>,
    /// A default that is a list, which may be empty.
    pub(crate) default_list: Option<DefaultList>,
    pub(crate) greater_than: Option<Literal>,
    pub(crate) less_than: Option<Literal>,
    pub(crate) inclusion: Option<Vec<Literal>>,
    pub(crate) exclusion: Option<Vec<Literal>>,
    pub(crate) regex: Option<LitStr>,
    pub(crate) secret: Option<()>,
    pub(crate) nested: Option<Path>,
    pub(crate) flatten: Option<Path>,
}

/// The entries of a default, and where it stands.
pub(crate) struct DefaultList {
    pub(crate) entries: Vec<Literal>,
    pub(crate) place: Path,
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
            "default" => self.add_default(meta),
            "greater_than" => set(&mut self.greater_than, meta, |meta| meta.value()?.parse()),
            "less_than" => set(&mut self.less_than, meta, |meta| meta.value()?.parse()),
            "inclusion" => set(&mut self.inclusion, meta, list),
            "exclusion" => set(&mut self.exclusion, meta, list),
            "regex" => set(&mut self.regex, meta, |meta| meta.value()?.parse()),
            "secret" => set(&mut self.secret, meta, |_| Ok(())),
            "nested" => set(&mut self.nested, meta, |meta| Ok(meta.path.clone())),
            "flatten" => set(&mut self.flatten, meta, |meta| Ok(meta.path.clone())),
            "required" => Err(meta.error(
                "a value is required anyway unless the field is an `Option` or has a `default`",
            )),
            unknown => Err(meta.error(format!(
                "unknown attribute `{unknown}`: there are `name`, `default`, `greater_than`, \
                 `less_than`, `inclusion`, `exclusion`, `regex`, `secret`, `nested` and `flatten`"
            ))),
        }
    }

    fn add_default(&mut self, meta: &ParseNestedMeta<'_>) -> Result<()> {
        if self.default.is_some() || self.default_list.is_some() {
            return Err(meta.error("given twice"));
        }
        let value = meta.value()?;
        if value.peek(token::Bracket) {
            let (entries, _) = bracketed_list(value)?;
            let place = meta.path.clone();
            self.default_list = Some(DefaultList { entries, place });
        } else {
            self.default = Some(value.parse()?);
        }
        Ok(())
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
    let (entries, brackets) = bracketed_list(meta.value()?)?;
    if entries.is_empty() {
        return Err(Error::new(brackets.span.join(), "the list is empty"));
    }
    Ok(entries)
}

fn bracketed_list(value: ParseStream<'_>) -> Result<(Vec<Literal>, token::Bracket)> {
    let content;
    let brackets = bracketed!(content in value);
    let entries = Punctuated::<Literal, Token![,]>::parse_terminated(&content)?;
    Ok((entries.into_iter().collect(), brackets))
}
