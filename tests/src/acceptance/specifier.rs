//! The specifier's cases.

use std::collections::BTreeMap;

use plugin_api::{AckMode, Parameter, ParameterType, Specification, Validation, ValidationType};

use super::Case;

/// The specification arrives whole, with an empty list of validations where there is none.
pub fn specify_success(case: &Case) {
    let mut specifier = case.dispenser.dispense_specifier().unwrap();
    let parameter = |default: &'static str, name: &str, required: bool| {
        let required = required.then(|| Validation {
            kind: ValidationType::Required,
            value: "".into(),
        });
        let parameter = Parameter {
            default: default.into(),
            kind: ParameterType::String,
            description: format!("Param {name} description").into(),
            validations: required.into_iter().collect(),
            secret: false,
        };
        (format!("param{name}"), parameter)
    };
    let expected = Specification {
        name: "test-name".to_owned(),
        summary: "A short summary".to_owned(),
        description: "A long description".to_owned(),
        version: "v1.2.3".to_owned(),
        author: "Donald Duck".to_owned(),
        acks: AckMode::Each,
        source_params: Some(BTreeMap::from([
            parameter("foo", "1.1", false),
            parameter("bar", "1.2", true),
        ])),
        destination_params: Some(BTreeMap::from([
            parameter("baz", "2.1", false),
            parameter("qux", "2.2", true),
        ])),
    };
    assert_eq!(specifier.specify().unwrap(), expected);
    assert_eq!(case.dispenser.blueprint().specification(), &expected);
}

/// An error of the specifier comes through.
pub fn specify_fail(case: &Case) {
    let mut specifier = case.failing_dispenser().dispense_specifier().unwrap();
    let error = specifier.specify().unwrap_err();
    assert_eq!(error.to_string(), "specify error");
}
