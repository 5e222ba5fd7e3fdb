//! One field, checked: everything that the specification says about its parameter.

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::{Error, Field, Ident, Result, Type};

use crate::attribute::Attributes;
use crate::builtin::{Builtin, in_option};
use crate::literal::Literal;
use crate::validation::{self, Validation};
use crate::{description, name};

/// A parameter as the specification has it, and the field that it comes from.
pub(crate) struct Parameter {
    pub(crate) field: Ident,
    pub(crate) name: String,
    /// Type of the value; what is in the `Option`, if the field is one.
    pub(crate) ty: Type,
    pub(crate) optional: bool,
    /// Empty if there is none.
    pub(crate) default: String,
    pub(crate) description: String,
    pub(crate) validations: Vec<Validation>,
    pub(crate) secret: bool,
    /// Bounds of a type that only the compiler knows.
    pub(crate) unchecked_bounds: Vec<Literal>,
    name_tokens: TokenStream,
}

impl Parameter {
    pub(crate) fn read(ident: &Ident, field: &Field) -> Result<Self> {
        let attributes = Attributes::read(field)?;
        let description = description::of(&field.attrs).ok_or_else(|| {
            Error::new_spanned(
                ident,
                "write a doc comment: it is the parameter's description",
            )
        })?;
        let in_option = in_option(&field.ty);
        let ty = in_option.unwrap_or(&field.ty);
        if let (Some(_), Some(default)) = (in_option, &attributes.default) {
            return Err(Error::new_spanned(
                default,
                "a field with a default is never `None`: remove the `Option` or the default",
            ));
        }
        let builtin = Builtin::of(ty);
        let required = in_option.is_none() && attributes.default.is_none();
        let bounds = [&attributes.greater_than, &attributes.less_than];
        let unchecked = bounds.into_iter().flatten().filter(|_| builtin.is_none());
        Ok(Self {
            field: ident.clone(),
            name: name_of(ident, &attributes)?,
            optional: in_option.is_some(),
            description,
            validations: validation::read(&attributes, builtin.as_ref(), required)?,
            secret: attributes.secret.is_some(),
            unchecked_bounds: unchecked.cloned().collect(),
            default: attributes
                .default
                .as_ref()
                .map(Literal::text)
                .unwrap_or_default(),
            name_tokens: attributes
                .name
                .map_or_else(|| ident.to_token_stream(), |name| name.to_token_stream()),
            ty: ty.clone(),
        })
    }

    /// An error that points at what gave the parameter its name.
    pub(crate) fn name_error(&self, message: &str) -> Error {
        Error::new_spanned(&self.name_tokens, message)
    }
}

fn name_of(field: &Ident, attributes: &Attributes) -> Result<String> {
    if let Some(given) = &attributes.name {
        let name = given.value();
        return match name::check(&name) {
            Ok(()) => Ok(name),
            Err(wrong) => Err(Error::new_spanned(given, wrong)),
        };
    }
    let name = name::of_field(field);
    match name::check(&name) {
        Ok(()) => Ok(name),
        Err(wrong) => Err(Error::new_spanned(
            field,
            format!("{wrong}: give it one by `#[parameter(name = \"...\")]`"),
        )),
    }
}
