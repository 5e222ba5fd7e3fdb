//! The settings of a connector as the host passes them: names and texts.
//!
//! Owns what counts as given, how defaults come in and what the errors say. What a text means is
//! [`ParameterValue`](super::ParameterValue)'s.

use std::fmt;

use super::InvalidValue;
use crate::{Parameter, ParameterError, ValidationType};

/// The texts of a configuration by the name of their parameter.
///
/// White space around a name or text doesn't count, and a blank text is the same as none.
#[derive(Clone, Default)]
pub struct Settings<'a> {
    pairs: Vec<(&'a str, &'a str)>,
}

impl<'a> Settings<'a> {
    /// Makes settings from names and texts. Of texts with one name the last counts.
    pub fn new(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let pairs = pairs.into_iter();
        Self {
            pairs: pairs
                .map(|(name, text)| (name.trim(), text.trim()))
                .collect(),
        }
    }

    /// The text that is set for a parameter; `None` if it is missing or blank.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&'a str> {
        let (_, text) = self.pairs.iter().rfind(|(key, _)| *key == name)?;
        (!text.is_empty()).then_some(*text)
    }

    /// Every name and its text, as they were given: also blank texts, and names that are no
    /// parameter.
    pub fn iter(&self) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.pairs.iter().copied()
    }

    /// The value of a parameter, or its default, as `parse` understands it.
    ///
    /// # Errors
    ///
    /// Tells that a required parameter without default isn't set, or that `parse` refuses it.
    pub fn value<T>(
        &self,
        (name, parameter): &(&str, Parameter),
        parse: impl FnOnce(&str) -> Result<T, InvalidValue>,
    ) -> Result<T, ParameterError> {
        let text = self.get(name).unwrap_or(&parameter.default);
        let mut checks = parameter.validations.iter();
        if text.is_empty() && checks.any(|check| check.kind == ValidationType::Required) {
            let message = "a value is required".to_owned();
            return Err(error(name, "config.required", message));
        }
        parse(text).map_err(|invalid| wrong_type(name, parameter, text, &invalid))
    }

    /// The value of a parameter that may be absent.
    ///
    /// # Errors
    ///
    /// Tells that `parse` refuses it.
    pub fn optional<T>(
        &self,
        (name, parameter): &(&str, Parameter),
        parse: impl FnOnce(&str) -> Result<T, InvalidValue>,
    ) -> Result<Option<T>, ParameterError> {
        match self.get(name).unwrap_or(&parameter.default) {
            "" => Ok(None),
            text => match parse(text) {
                Ok(value) => Ok(Some(value)),
                Err(invalid) => Err(wrong_type(name, parameter, text, &invalid)),
            },
        }
    }
}

/// The names only: texts may be secret.
impl fmt::Debug for Settings<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self
            .pairs
            .iter()
            .map(|(name, _)| (name, format_args!("..")));
        f.debug_map().entries(names).finish()
    }
}

fn wrong_type(
    name: &str,
    parameter: &Parameter,
    text: &str,
    invalid: &InvalidValue,
) -> ParameterError {
    // What an author's type says might quote the text, so of a secret only the type is told.
    let message = if parameter.secret {
        format!("`***` is not a valid {}", parameter.kind.as_str())
    } else {
        format!("{invalid}, found `{}`", text.escape_debug())
    };
    error(name, "config.type", message)
}

fn error(name: &str, code: &str, message: String) -> ParameterError {
    ParameterError {
        name: name.to_owned(),
        code: code.to_owned(),
        message,
    }
}
