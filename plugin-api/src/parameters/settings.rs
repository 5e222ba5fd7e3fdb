//! The settings of a connector as the host passes them: names and texts.
//!
//! Owns what counts as given, how defaults come in and what the errors say. What a text means is
//! [`ParameterValue`](super::ParameterValue)'s.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::InvalidValue;
use crate::{Error, Parameter, ParameterError, ValidationType};

/// The texts of a configuration by the name of their parameter.
///
/// White space around a name or text doesn't count, and a blank text is the same as none.
///
/// Authors make one in tests, for [`Parameters::from_settings`](super::Parameters::from_settings). The
/// functions that read values are for the code of `#[derive(Parameters)]`.
///
/// # Examples
///
/// ```
/// use plugin_api::Settings;
///
/// let settings = Settings::new([("path", " /tmp/in "), ("follow", "")]);
/// assert_eq!(settings.get("path"), Some("/tmp/in"));
/// assert_eq!(settings.get("follow"), None);
/// ```
#[derive(Clone, Default)]
pub struct Settings<'a> {
    /// What the names of a nested struct begin with.
    prefix: String,
    /// Names without the prefix, and texts.
    pairs: Vec<(&'a str, &'a str)>,
}

impl<'a> Settings<'a> {
    /// Makes settings from names and texts. Of texts with one name the last counts.
    pub fn new(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let pairs = pairs.into_iter();
        Self {
            prefix: String::new(),
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
            return Err(self.error(name, "config.required", message));
        }
        parse(text).map_err(|invalid| self.wrong_type(name, parameter, text, &invalid))
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
                Err(invalid) => Err(self.wrong_type(name, parameter, text, &invalid)),
            },
        }
    }

    /// The values of a parameter whose name ends in `.*`, by what stands for the `*`.
    ///
    /// A name that is one of `others` is that parameter's, and a blank text is none.
    ///
    /// # Errors
    ///
    /// Tells of all that `parse` refuses.
    pub fn map<T>(
        &self,
        (name, parameter): &(&str, Parameter),
        others: &[(&str, Parameter)],
        parse: impl Fn(&str) -> Result<T, InvalidValue>,
    ) -> Result<BTreeMap<String, T>, Vec<ParameterError>> {
        let prefix = name.strip_suffix('*').unwrap_or(name);
        let mut values = BTreeMap::new();
        let mut errors = Vec::new();
        for (name, _) in &self.pairs {
            let Some(key) = name.strip_prefix(prefix).filter(|key| !key.is_empty()) else {
                continue;
            };
            let text = self.get(name).unwrap_or(&parameter.default);
            if text.is_empty() || others.iter().any(|(other, _)| other == name) {
                continue;
            }
            match parse(text) {
                Ok(value) => drop(values.insert(key.to_owned(), value)),
                Err(invalid) => errors.push(self.wrong_type(name, parameter, text, &invalid)),
            }
        }
        if errors.is_empty() {
            Ok(values)
        } else {
            Err(errors)
        }
    }

    /// The struct that is made of the settings whose names begin with `prefix`.
    ///
    /// # Errors
    ///
    /// Tells what `make` refuses, by the full names.
    pub fn nested<T>(
        &self,
        prefix: &str,
        make: impl FnOnce(&Settings<'a>) -> Result<T, Error>,
    ) -> Result<T, Vec<ParameterError>> {
        let under = self.under(prefix);
        make(&under).map_err(|error| match error.parameters() {
            [] => vec![self.error(prefix, error.code(), error.message().to_owned())],
            parameters => parameters.to_vec(),
        })
    }

    /// The structs that are made of the settings named `prefix`, a key, a dot and the rest, by key.
    ///
    /// # Errors
    ///
    /// Tells of all that `make` refuses, by the full names.
    pub fn nested_map<T>(
        &self,
        prefix: &str,
        make: impl Fn(&Settings<'a>) -> Result<T, Error>,
    ) -> Result<BTreeMap<String, T>, Vec<ParameterError>> {
        let names = self.pairs.iter().map(|(name, _)| name);
        let keys: BTreeSet<&str> = names
            .filter_map(|name| name.strip_prefix(prefix)?.split_once('.'))
            .filter_map(|(key, rest)| (!key.is_empty() && !rest.is_empty()).then_some(key))
            .collect();
        let mut values = BTreeMap::new();
        let mut errors = Vec::new();
        for key in keys {
            match self.nested(&format!("{prefix}{key}."), &make) {
                Ok(value) => drop(values.insert(key.to_owned(), value)),
                Err(wrong) => errors.extend(wrong),
            }
        }
        if errors.is_empty() {
            Ok(values)
        } else {
            Err(errors)
        }
    }

    fn under(&self, prefix: &str) -> Self {
        let pairs = self.pairs.iter();
        Self {
            prefix: format!("{}{prefix}", self.prefix),
            pairs: pairs
                .filter_map(|(name, text)| Some((name.strip_prefix(prefix)?, *text)))
                .collect(),
        }
    }

    fn wrong_type(
        &self,
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
        self.error(name, "config.type", message)
    }

    fn error(&self, name: &str, code: &str, message: String) -> ParameterError {
        ParameterError {
            name: format!("{}{name}", self.prefix),
            code: code.to_owned(),
            message,
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
