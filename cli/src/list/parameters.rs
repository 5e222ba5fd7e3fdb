//! The parameters of plugins, for people who write a pipeline file.

use std::collections::BTreeMap;

use plugin_api::{Parameter, ParameterType, Specification, ValidationType};
use plugin_host::parameters::{Side, with_reserved};

/// What a plugin does, and the parameters of each of its sides.
pub(super) fn of_plugin(specification: &Specification) -> String {
    let mut text = String::new();
    if !specification.summary.is_empty() {
        text += &format!("    {}\n", specification.summary);
    }
    for (side, parameters) in [
        ("source", &specification.source_params),
        ("destination", &specification.destination_params),
    ] {
        if let Some(parameters) = parameters {
            let none = if parameters.is_empty() {
                ": no parameters"
            } else {
                ""
            };
            text += &format!("    {side}{none}\n");
            text += &list(parameters);
        }
    }
    text
}

/// The parameters that the host adds to those of every plugin.
pub(super) fn of_host() -> String {
    let none = BTreeMap::new();
    let mut text = String::new();
    for (side, name) in [(Side::Source, "source"), (Side::Destination, "destination")] {
        text += &format!("every {name} also has\n");
        text += &list(&with_reserved(&none, side));
    }
    text
}

fn list(parameters: &BTreeMap<String, Parameter>) -> String {
    let width = parameters.keys().map(|name| name.chars().count()).max();
    let width = width.unwrap_or(0);
    let mut text = String::new();
    for (name, parameter) in parameters {
        text += &format!("      {name:width$}  {}\n", traits(parameter).join(", "));
        if !parameter.description.is_empty() {
            text += &format!("          {}\n", parameter.description);
        }
    }
    text
}

/// Type, default and checks.
fn traits(parameter: &Parameter) -> Vec<String> {
    let mut traits = vec![parameter.kind.as_str().to_owned()];
    if !parameter.default.is_empty() {
        traits.push(format!("default {}", parameter.default));
    }
    traits.extend(checks(parameter));
    traits
}

/// What a value has to be, and whether it is secret.
pub(crate) fn checks(parameter: &Parameter) -> Vec<String> {
    let validations = parameter.validations.iter().map(|validation| {
        let value = &validation.value;
        match validation.kind {
            ValidationType::Required => "required".to_owned(),
            ValidationType::GreaterThan => match next(parameter, value, 1) {
                Some(least) => format!("{least} or more"),
                None => format!("greater than {value}"),
            },
            ValidationType::LessThan => match next(parameter, value, -1) {
                Some(most) => format!("{most} or less"),
                None => format!("less than {value}"),
            },
            ValidationType::Inclusion => format!("one of {value}"),
            ValidationType::Exclusion => format!("none of {value}"),
            ValidationType::Regex => format!("matching {value}"),
        }
    });
    let secret = parameter.secret.then(|| "secret".to_owned());
    validations.chain(secret).collect()
}

/// The integer beside a bound, for a parameter that is one: the bound itself is no value of it.
fn next(parameter: &Parameter, bound: &str, step: i128) -> Option<i128> {
    let bound: Option<i128> = bound.parse().ok();
    bound
        .filter(|_| parameter.kind == ParameterType::Int)?
        .checked_add(step)
}
