//! What a plugin tells about itself.

use std::collections::BTreeMap;

use abi_stable::std_types::RResult;

use crate::ffi::testing::TestHost;
use crate::{Error, Parameter, Plugin, Specification, ValidationType};

/// Asks the plugin for its specification and checks all that isn't about one connector.
pub(super) fn of(plugin: &Plugin, host: TestHost) -> Specification {
    let made = host.construct(|host, info| plugin.new_specifier(host, info));
    let mut specifier = made.unwrap_or_else(|error| panic!("no specifier was made: {error:#}"));
    let specification: Specification = match specifier.specify() {
        RResult::ROk(told) => told.try_into(),
        RResult::RErr(error) => Err(Error::from_plugin(&error)),
    }
    .unwrap_or_else(|error| panic!("`specify` has failed: {error:#}"));
    check(&specification);
    specification
}

fn check(specification: &Specification) {
    let Specification {
        name,
        summary,
        description,
        version,
        author,
        ..
    } = specification;
    for (field, text) in [("name", name), ("summary", summary), ("version", version)] {
        assert!(
            !text.is_empty(),
            "the specification's {field} is empty: set it in Cargo.toml or in `export_plugin!`"
        );
    }
    for (field, text) in [
        ("name", name),
        ("summary", summary),
        ("description", description),
        ("version", version),
        ("author", author),
    ] {
        let trimmed = text.trim();
        assert_eq!(
            text, trimmed,
            "the specification's {field} has white space around it"
        );
    }
    assert!(
        !name.contains(|c: char| matches!(c, ':' | '@') || c.is_whitespace()),
        "the name {name:?} can't be asked for: it must not contain `:`, `@` or white space"
    );
    assert!(
        is_version(version),
        "expected `v` and a semantic version, such as v1.2.3, found {version:?}"
    );
}

fn is_version(version: &str) -> bool {
    let Some(version) = version.strip_prefix('v') else {
        return false;
    };
    let numbers = version.split(['-', '+']).next().unwrap_or_default();
    let mut parts = numbers.split('.');
    let is_number = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    parts.clone().count() == 3 && parts.all(|part| !part.is_empty() && is_number(part))
}

/// Checks the parameters of one connector, and returns those that are required.
pub(super) fn required(params: &BTreeMap<String, Parameter>) -> Vec<&str> {
    for (name, parameter) in params {
        let is_legal = |part: &str| {
            let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
            part == "*" || !part.is_empty() && part.chars().all(plain)
        };
        assert!(
            name.split('.').all(is_legal),
            "the parameter {name:?} needs a name of ASCII letters, digits, `-` and `_` between dots"
        );
        assert!(
            !parameter.description.trim().is_empty(),
            "the parameter {name:?} needs a description"
        );
    }
    let required = params.iter().filter(|(name, parameter)| {
        let mut validations = parameter.validations.iter();
        let is_required = validations.any(|it| it.kind == ValidationType::Required);
        is_required && parameter.default.is_empty() && !name.contains('*')
    });
    required.map(|(name, _)| name.as_str()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::AckMode;

    #[test]
    fn a_package_need_not_say_who_made_it() {
        check(&Specification {
            name: "counter".to_owned(),
            summary: "Counts".to_owned(),
            description: String::new(),
            version: "v0.1.0".to_owned(),
            author: String::new(),
            acks: AckMode::Last,
            source_params: None,
            destination_params: None,
        });
    }

    #[test]
    fn versions_are_semantic_ones() {
        for version in ["v1.2.3", "v0.10.0-rc.1", "v1.0.0+build"] {
            assert!(is_version(version), "{version}");
        }
        for version in ["", "v", "1.2.3", "v1.2", "v1.2.x", "v1.2.3.4", "latest"] {
            assert!(!is_version(version), "{version}");
        }
    }
}
