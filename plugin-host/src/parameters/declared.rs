//! Whether what a plugin declares makes sense: a check of the specification, not of settings.

use std::collections::BTreeMap;

use plugin_api::Parameter;

use super::error::{ConfigError, parameter_error};
use super::rules::{check_validation, violations};

/// Checks that every default is of its parameter's type and passes its validations.
///
/// An empty default is none; whether a value is required is for settings to answer.
///
/// # Errors
/// All defaults that would be refused as settings, with the codes of [`validate`](fn@super::validate).
pub fn check_defaults(params: &BTreeMap<String, Parameter>) -> Result<(), ConfigError> {
    let with_default = params.iter().filter(|(_, p)| !p.default.is_empty());
    let errors = with_default.flat_map(|(name, parameter)| {
        let mut errors = violations(name, parameter, &parameter.default);
        for error in &mut errors {
            error.message.insert_str(0, "default ");
        }
        errors
    });
    ConfigError::unless_empty(errors.collect())
}

/// Checks that every name can be given and every validation can be applied.
///
/// # Errors
/// All that can't, as `config.specification`: a name that is empty or has white space around it, a
/// bound that is no number (or no duration, for one), a regular expression that doesn't compile.
pub fn check_parameters(params: &BTreeMap<String, Parameter>) -> Result<(), ConfigError> {
    let mut errors = Vec::new();
    for (name, parameter) in params {
        if name.is_empty() || name.trim() != name {
            let message = "a parameter's name can't be empty or have white space around it";
            errors.push(parameter_error(name, "specification", message.into()));
        }
        let validations = parameter.validations.iter();
        errors
            .extend(validations.filter_map(|check| check_validation(name, parameter, check).err()));
    }
    ConfigError::unless_empty(errors)
}
