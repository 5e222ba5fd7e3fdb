//! The struct that the derive is on.
//!
//! Owns what holds for the struct as a whole; each field is `field`'s.

use std::collections::HashMap;

use syn::{Data, DeriveInput, Error, Fields, Ident, Result};

use crate::attribute::Attributes;
use crate::field::Parameter;
use crate::nested::Nested;

/// A struct whose fields are parameters, or structs of them.
pub(crate) struct Struct {
    pub(crate) ident: Ident,
    pub(crate) parameters: Vec<Parameter>,
    pub(crate) nested: Vec<Nested>,
}

/// Takes the struct apart and tells of everything that is wrong with it.
pub(crate) fn read(input: &DeriveInput) -> Result<Struct> {
    let Data::Struct(data) = &input.data else {
        return Err(Error::new_spanned(&input.ident, NOT_A_STRUCT));
    };
    let Fields::Named(fields) = &data.fields else {
        return Err(Error::new_spanned(&input.ident, NOT_A_STRUCT));
    };
    let mut errors = Vec::new();
    if !input.generics.params.is_empty() {
        errors.push(Error::new_spanned(
            &input.generics,
            "a struct of parameters can't be generic: its specification is one constant",
        ));
    }
    let on_struct = input
        .attrs
        .iter()
        .filter(|attribute| attribute.path().is_ident("parameter"));
    errors.extend(on_struct.map(|attribute| {
        Error::new_spanned(
            attribute,
            "`#[parameter]` goes on a field, not on the struct",
        )
    }));

    let mut parameters: Vec<Parameter> = Vec::new();
    let mut nested: Vec<Nested> = Vec::new();
    let mut fields_by_name = HashMap::new();
    let named = fields.named.iter();
    for (ident, field) in named.filter_map(|field| field.ident.as_ref().zip(Some(field))) {
        let attributes = match Attributes::read(field) {
            Ok(attributes) => attributes,
            Err(error) => {
                errors.push(error);
                continue;
            }
        };
        if attributes.nested.is_some() || attributes.flatten.is_some() {
            match Nested::read(ident, field, &attributes) {
                Ok(read) => nested.push(read),
                Err(error) => errors.push(error),
            }
            continue;
        }
        match Parameter::read(ident, field, attributes) {
            Ok(parameter) => {
                if let Some(first) = fields_by_name.insert(parameter.name.clone(), ident) {
                    errors.push(parameter.name_error(&format!(
                        "there is already a parameter `{}`, from the field `{first}`",
                        parameter.name
                    )));
                }
                parameters.push(parameter);
            }
            Err(error) => errors.push(error),
        }
    }
    let joined = errors.into_iter().reduce(|mut errors, error| {
        errors.combine(error);
        errors
    });
    joined.map_or_else(
        || {
            Ok(Struct {
                ident: input.ident.clone(),
                parameters,
                nested,
            })
        },
        Err,
    )
}

const NOT_A_STRUCT: &str = "`Parameters` is derived for a struct with named fields; \
     a connector without parameters takes `()`";
