//! The rules that a specification must keep.
//!
//! What a validation or a default means is asked of the code that checks settings, so that the two
//! can't disagree.

use std::collections::BTreeMap;

use plugin_api::{Parameter, Specification};
use semver::Version;

use super::SpecificationError;
use crate::parameters::check_validation;

type Result<T> = std::result::Result<T, SpecificationError>;

/// Checks that a plugin can be registered under its name and that its validations mean something.
///
/// # Errors
///
/// Names the first field that breaks a rule.
pub fn check(specification: &Specification) -> Result<()> {
    let fail = |field: &str, why: String| Err(SpecificationError::new(field, why));
    let name = &specification.name;
    if name.is_empty() {
        return fail("name", "expected a name, found an empty text".into());
    }
    // A full name is `kind:name@version`; a name with these could never be asked for.
    let forbidden = |c: char| matches!(c, ':' | '@') || c.is_whitespace() || c.is_control();
    if let Some(found) = name.chars().find(|&c| forbidden(c)) {
        return fail("name", format!("{name:?} must not contain {found:?}"));
    }
    if let Err(why) = check_version(&specification.version) {
        return fail("version", why);
    }
    check_parameters("sourceParams", specification.source_params.as_ref())?;
    check_parameters(
        "destinationParams",
        specification.destination_params.as_ref(),
    )
}

fn check_version(version: &str) -> std::result::Result<(), String> {
    let expected = "expected `v` and a semantic version, such as v1.2.3";
    match version.strip_prefix('v').map(Version::parse) {
        Some(Ok(_)) => Ok(()),
        Some(Err(error)) => Err(format!("{expected}, found {version:?} ({error})")),
        None => Err(format!("{expected}, found {version:?}")),
    }
}

fn check_parameters(side: &str, parameters: Option<&BTreeMap<String, Parameter>>) -> Result<()> {
    for (name, parameter) in parameters.into_iter().flatten() {
        if name.is_empty() {
            return Err(SpecificationError::new(side, "a parameter has no name"));
        }
        // Keys of settings are trimmed before they are looked up.
        if name.trim() != name || name.contains(char::is_control) {
            let why = format!("the parameter name {name:?} can't be written in a configuration");
            return Err(SpecificationError::new(side, why));
        }
        let mut parts = name.split('.');
        if let Some(part) =
            parts.find(|part| part.is_empty() || part.len() > 1 && part.contains('*'))
        {
            let why = format!(
                "the parameter name {name:?} has the part {part:?}; between dots there is a word, or a \
                 `*` alone"
            );
            return Err(SpecificationError::new(side, why));
        }
        for (i, validation) in parameter.validations.iter().enumerate() {
            check_validation(parameter, validation).map_err(|why| {
                SpecificationError::new(format!("{side}.{name}.validations[{i}].value"), why)
            })?;
        }
    }
    Ok(())
}
