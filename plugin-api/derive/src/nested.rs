//! A field that is a struct of parameters, or a map of such structs.

use syn::{Error, Field, Ident, Result, Type};

use crate::attribute::Attributes;
use crate::builtin::in_map;
use crate::{field, name};

/// A struct of parameters within another.
pub(crate) struct Nested {
    pub(crate) field: Ident,
    /// What its names begin with: nothing, or a name and a dot.
    pub(crate) prefix: String,
    /// Type of the struct.
    pub(crate) ty: Type,
    /// Whether there is one for each key that the configuration has.
    pub(crate) map: bool,
}

impl Nested {
    /// Takes a field that is marked as `nested` or `flatten`.
    pub(crate) fn read(ident: &Ident, field: &Field, attributes: &Attributes) -> Result<Self> {
        let Attributes {
            name: given,
            default,
            default_list,
            greater_than,
            less_than,
            inclusion,
            exclusion,
            regex,
            secret,
            nested,
            flatten,
        } = attributes;
        let of_a_value = default.is_some()
            || default_list.is_some()
            || greater_than.is_some()
            || less_than.is_some()
            || inclusion.is_some()
            || exclusion.is_some()
            || regex.is_some()
            || secret.is_some();
        let value = in_map(&field.ty);
        let wrong = match (nested, flatten) {
            (Some(_), Some(_)) => "`nested` puts a name before the parameters and `flatten` none",
            _ if of_a_value => "a struct of parameters has no value: write this at its fields",
            (_, Some(_)) if given.is_some() => "`flatten` puts no name before the parameters",
            (_, Some(_)) if value.is_some() => {
                "the keys of a map need a name before them: `nested`"
            }
            _ => "",
        };
        if !wrong.is_empty() {
            return Err(Error::new_spanned(
                flatten.as_ref().or(nested.as_ref()),
                wrong,
            ));
        }
        let prefix = match flatten {
            Some(_) => String::new(),
            None => format!("{}.", field::name_of(ident, attributes)?),
        };
        // Another name under it would be no better.
        if prefix.starts_with("sdk.") {
            name::check(&prefix).map_err(|wrong| Error::new_spanned(ident, wrong))?;
        }
        Ok(Self {
            field: ident.clone(),
            prefix,
            ty: value.unwrap_or(&field.ty).clone(),
            map: value.is_some(),
        })
    }
}
