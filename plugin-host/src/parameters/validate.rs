//! From the texts of a configuration to those that a connector is given.

use std::collections::BTreeMap;

use plugin_api::{Parameter, ParameterError, ValidationType};

use super::error::{ConfigError, parameter_error};
use super::names::{find, is_pattern, occurring};
use super::rules::violations;
use super::suggest::suggestion;

/// Checks settings against parameters and fills in the defaults.
///
/// White space around names and values doesn't count, and a blank value is the same as none. The
/// answer has every parameter that has a value, given or default, and no other. A parameter with `*`
/// in its name is one for each key that the settings have in its place.
///
/// # Errors
/// All that is wrong: names that are no parameter (`config.unknown`) or are given twice
/// (`config.duplicate`), values that are missing (`config.required`), of another type
/// (`config.type`) or against a validation (`config.greater_than`, `config.less_than`,
/// `config.inclusion`, `config.exclusion`, `config.regex`, or `config.value` where a bound meets
/// what is no number). A validation that can't be applied is `config.specification`, never passed
/// over.
pub fn validate(
    params: &BTreeMap<String, Parameter>,
    settings: &BTreeMap<String, String>,
) -> Result<BTreeMap<String, String>, ConfigError> {
    let (given, mut errors) = sanitize(params, settings);
    let names = given.keys().copied().collect();
    let mut values = BTreeMap::new();
    for (pattern, parameter) in params {
        for name in occurring(pattern, &names) {
            // What stands for several settings doesn't stand for one that has a parameter of its own.
            if is_pattern(pattern) && find(&name, params).is_none_or(|(found, _)| found != pattern)
            {
                continue;
            }
            let text = match given.get(name.as_str()) {
                Some(text) if !text.is_empty() => text,
                _ => parameter.default.as_ref(),
            };
            if !text.is_empty() {
                errors.extend(violations(&name, parameter, text));
                values.insert(name, text.to_owned());
            } else if is_required(parameter) {
                let message = "required parameter is not provided".into();
                errors.push(parameter_error(&name, "required", message));
            }
        }
    }
    ConfigError::unless_empty(errors).map(|()| values)
}

/// Trims, and sorts out the names that can't be settings.
fn sanitize<'a>(
    params: &BTreeMap<String, Parameter>,
    settings: &'a BTreeMap<String, String>,
) -> (BTreeMap<&'a str, &'a str>, Vec<ParameterError>) {
    let mut given = BTreeMap::new();
    let mut errors = Vec::new();
    for (name, value) in settings {
        let (name, value) = (name.trim(), value.trim());
        // The value isn't told: under the right name it might be a secret.
        if find(name, params).is_none() {
            let message = format!("unrecognized parameter, {}", suggestion(name, params));
            errors.push(parameter_error(name, "unknown", message));
        } else if given.insert(name, value).is_some() {
            let message = "given twice, with white space around the name".into();
            errors.push(parameter_error(name, "duplicate", message));
        }
    }
    (given, errors)
}

fn is_required(parameter: &Parameter) -> bool {
    let mut validations = parameter.validations.iter();
    validations.any(|validation| validation.kind == ValidationType::Required)
}
