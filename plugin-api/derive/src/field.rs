//! One field that is a parameter, checked: everything that the specification says about it.

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::{Error, Field, Ident, Result, Type};

use crate::attribute::Attributes;
use crate::builtin::{Builtin, in_list, in_map, in_option};
use crate::literal::Literal;
use crate::validation::{self, Validation};
use crate::{description, name};

/// A parameter as the specification has it, and the field that it comes from.
pub(crate) struct Parameter {
    pub(crate) field: Ident,
    pub(crate) name: String,
    /// Type of the value; what is in the `Option` or the map, if the field is one.
    pub(crate) ty: Type,
    pub(crate) shape: Shape,
    /// Empty if there is none.
    pub(crate) default: String,
    pub(crate) description: String,
    pub(crate) validations: Vec<Validation>,
    pub(crate) secret: bool,
    /// Bounds of a type that only the compiler knows.
    pub(crate) unchecked_bounds: Vec<Literal>,
    name_tokens: TokenStream,
}

/// How many values a field has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// One; of a list it is the text of all entries.
    One,
    /// One or none.
    Optional,
    /// One for each key that the configuration has.
    Map,
}

impl Parameter {
    pub(crate) fn read(ident: &Ident, field: &Field, attributes: Attributes) -> Result<Self> {
        let description = description::of(&field.attrs).ok_or_else(|| {
            Error::new_spanned(
                ident,
                "write a doc comment: it is the parameter's description",
            )
        })?;
        let (shape, ty) = match (in_option(&field.ty), in_map(&field.ty)) {
            (Some(inner), _) => (Shape::Optional, inner),
            (_, Some(value)) => (Shape::Map, value),
            _ => (Shape::One, &field.ty),
        };
        let builtin = Builtin::of(ty);
        let default = default_of(&attributes, shape, ty)?;
        let required = shape == Shape::One && default.is_none();
        let bounds = [&attributes.greater_than, &attributes.less_than];
        let unchecked = bounds.into_iter().flatten().filter(|_| builtin.is_none());
        Ok(Self {
            field: ident.clone(),
            name: match shape {
                Shape::Map => format!("{}.*", name_of(ident, &attributes)?),
                _ => name_of(ident, &attributes)?,
            },
            shape,
            description,
            validations: validation::read(&attributes, builtin.as_ref(), required)?,
            secret: attributes.secret.is_some(),
            unchecked_bounds: unchecked.cloned().collect(),
            default: default.unwrap_or_default(),
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

/// The text of the default, if it fits the field.
fn default_of(attributes: &Attributes, shape: Shape, ty: &Type) -> Result<Option<String>> {
    let refuse = |why: &str| match (&attributes.default, &attributes.default_list) {
        (_, Some(list)) => Err(Error::new_spanned(&list.place, why)),
        (Some(default), None) => Err(Error::new_spanned(default, why)),
        (None, None) => Ok(None),
    };
    let entry = in_list(ty);
    if let Some(entry) = entry {
        check_list(attributes, entry)?;
    }
    match (shape, entry, &attributes.default, &attributes.default_list) {
        (_, _, None, None) => Ok(None),
        (Shape::Optional, ..) => {
            refuse("a field with a default is never `None`: remove the `Option` or the default")
        }
        (Shape::Map, ..) => refuse("a map has no default: it is empty where nothing is given"),
        (_, None, Some(default), _) => Ok(Some(default.text())),
        (_, None, ..) => refuse("expected one value: only a `Vec` has a list of them"),
        (_, Some(_), _, Some(list)) => Ok(Some(validation::join(&list.entries))),
        (_, Some(_), ..) => refuse("expected a list, such as `[\"a\", \"b\"]`"),
    }
}

/// Checks what stands at a list: its entries are values of their type, which has to check them.
fn check_list(attributes: &Attributes, entry: &Type) -> Result<()> {
    let Attributes {
        greater_than,
        less_than,
        inclusion,
        exclusion,
        default_list,
        ..
    } = attributes;
    let bounds = [greater_than, less_than].into_iter().flatten();
    let lists = [inclusion, exclusion].into_iter().flatten().flatten();
    if let Some(check) = bounds.chain(lists).next() {
        let why =
            "a host would compare the list as a whole: let the type of its entries check them";
        return Err(Error::new_spanned(check, why));
    }
    let entries = default_list.iter().flat_map(|list| &list.entries);
    for literal in entries {
        if literal.text().trim() != literal.text() || literal.text().is_empty() {
            let why = "white space around an entry would be lost, and an empty one can't be told";
            return Err(Error::new_spanned(literal, why));
        }
        if let Some(builtin) = Builtin::of(entry) {
            builtin.value(literal)?;
        }
    }
    Ok(())
}

pub(crate) fn name_of(field: &Ident, attributes: &Attributes) -> Result<String> {
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
