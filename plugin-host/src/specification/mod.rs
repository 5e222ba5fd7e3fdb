//! The specification of a plugin as a host handles it: its JSON form, its rules, its differences.
//!
//! The JSON is that of the marker in a plugin file and of `--json` output. It is read before any
//! code of the plugin runs, so whatever is in it may be wrong; nothing here trusts it, and nothing
//! here knows settings (checking values against parameters is the configuration's part).

mod check;
mod json;
#[cfg(test)]
mod tests;

pub use check::check;
pub use json::{from_json, to_json};

use plugin_api::Specification;
use serde_json::Value;

/// What is wrong with a specification.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("specification field `{field}`: {why}")]
pub struct SpecificationError {
    /// Path of the field, such as `sourceParams.path.validations[0].value`.
    pub field: String,
    /// What is wrong with it.
    pub why: String,
}

impl SpecificationError {
    fn new(field: impl Into<String>, why: impl Into<String>) -> Self {
        Self {
            field: field.into(),
            why: why.into(),
        }
    }
}

/// The first field in which two specifications differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Path of the field, such as `sourceParams.path.default`.
    pub field: String,
    /// The value on the left, as short JSON, or `absent`.
    pub left: String,
    /// The value on the right, likewise.
    pub right: String,
}

/// Finds the first field in which two specifications differ.
#[must_use]
pub fn difference(left: &Specification, right: &Specification) -> Option<Difference> {
    // The JSON form has every field, so one walk over it can't forget one that is added later.
    value_difference("", Some(&to_json(left)), Some(&to_json(right)))
}

fn value_difference(
    field: &str,
    left: Option<&Value>,
    right: Option<&Value>,
) -> Option<Difference> {
    match (left, right) {
        (Some(Value::Object(l)), Some(Value::Object(r))) => {
            let only_right = r.keys().filter(|key| !l.contains_key(*key));
            l.keys().chain(only_right).find_map(|key| {
                let dot = if field.is_empty() { "" } else { "." };
                value_difference(&format!("{field}{dot}{key}"), l.get(key), r.get(key))
            })
        }
        (Some(Value::Array(l)), Some(Value::Array(r))) => (0..l.len().max(r.len()))
            .find_map(|i| value_difference(&format!("{field}[{i}]"), l.get(i), r.get(i))),
        _ if left == right => None,
        _ => Some(Difference {
            field: field.to_owned(),
            left: short(left),
            right: short(right),
        }),
    }
}

/// Prints a value so that two of them fit on a line.
fn short(value: Option<&Value>) -> String {
    const LIMIT: usize = 60;
    let text = match value {
        None | Some(Value::Null) => return "absent".to_owned(),
        Some(value) => value.to_string(),
    };
    match text.char_indices().nth(LIMIT) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}
