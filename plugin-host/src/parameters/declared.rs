//! Whether what a plugin declares makes sense: a check of the specification, not of settings.

use std::collections::BTreeMap;

use plugin_api::Parameter;

use super::error::ConfigError;
use super::rules::violations;

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
