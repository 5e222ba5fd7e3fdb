//! `${VARIABLE}` in the texts of a pipeline file.
//!
//! `${NAME}` is the variable's value, `${NAME:-text}` the text where the variable is unset or
//! empty, `$$` a dollar; every other dollar stands for itself. Happens after the YAML is parsed, so
//! that a value can't change the structure of the file.

use std::env::VarError;

/// Reads a variable: `std::env::var`, or a test's own.
pub(crate) type Environment<'a> = &'a dyn Fn(&str) -> Result<String, VarError>;

/// Why a `${…}` has no value.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Fault {
    Unset(String),
    NotText(String),
    Unclosed,
    Malformed(String),
}

impl Fault {
    pub(super) fn code(&self) -> &'static str {
        match self {
            Self::Unset(_) => "pipeline.unset_variable",
            Self::NotText(_) => "pipeline.variable_not_text",
            Self::Unclosed | Self::Malformed(_) => "pipeline.substitution",
        }
    }

    pub(super) fn message(&self) -> String {
        match self {
            Self::Unset(name) => format!("the environment variable `{name}` is not set"),
            Self::NotText(name) => format!("the environment variable `{name}` is not UTF-8 text"),
            Self::Unclosed => "`${` without a closing `}`".into(),
            Self::Malformed(inner) => format!("`${{{inner}}}` names no environment variable"),
        }
    }

    pub(super) fn help(&self) -> String {
        match self {
            Self::Unset(name) => {
                format!("set `{name}`, or give a default: `${{{name}:-default}}`")
            }
            Self::NotText(name) => format!("set `{name}` to UTF-8 text"),
            Self::Unclosed | Self::Malformed(_) => {
                "write `${NAME}` or `${NAME:-default}`, and `$$` for a dollar".into()
            }
        }
    }
}

/// Resolves every `${…}` and `$$` of a text.
///
/// # Errors
///
/// Returns everything that can't be resolved, in the order of the text.
pub(super) fn expand(text: &str, environment: Environment<'_>) -> Result<String, Vec<Fault>> {
    let mut expanded = String::with_capacity(text.len());
    let mut faults = Vec::new();
    let mut rest = text;
    while let Some(dollar) = rest.find('$') {
        expanded.push_str(&rest[..dollar]);
        rest = &rest[dollar + 1..];
        if let Some(after) = rest.strip_prefix('{') {
            let Some((inner, after)) = after.split_once('}') else {
                faults.push(Fault::Unclosed);
                break;
            };
            match resolve(inner, environment) {
                Ok(value) => expanded.push_str(&value),
                Err(fault) => faults.push(fault),
            }
            rest = after;
        } else {
            expanded.push('$');
            rest = rest.strip_prefix('$').unwrap_or(rest);
        }
    }
    expanded.push_str(rest);
    if faults.is_empty() {
        Ok(expanded)
    } else {
        Err(faults)
    }
}

fn resolve(inner: &str, environment: Environment<'_>) -> Result<String, Fault> {
    let (name, default) = match inner.split_once(":-") {
        Some((name, default)) => (name, Some(default)),
        None => (inner, None),
    };
    // A default that opens another `${` was cut at the wrong brace.
    if !is_name(name) || default.is_some_and(|text| text.contains("${")) {
        return Err(Fault::Malformed(inner.into()));
    }
    match (environment(name), default) {
        (Ok(value), None) => Ok(value),
        (Ok(value), Some(_)) if !value.is_empty() => Ok(value),
        (Ok(_) | Err(VarError::NotPresent), Some(default)) => Ok(default.replace("$$", "$")),
        (Err(VarError::NotPresent), None) => Err(Fault::Unset(name.into())),
        (Err(VarError::NotUnicode(_)), _) => Err(Fault::NotText(name.into())),
    }
}

fn is_name(text: &str) -> bool {
    let mut bytes = text.bytes();
    bytes
        .next()
        .is_some_and(|first| first == b'_' || first.is_ascii_alphabetic())
        && bytes.all(|byte| byte == b'_' || byte.is_ascii_alphanumeric())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variables(name: &str) -> Result<String, VarError> {
        match name {
            "HOST" => Ok("db.example".into()),
            "EMPTY" => Ok(String::new()),
            "NESTED" => Ok("${HOST} $$".into()),
            "BROKEN" => Err(VarError::NotUnicode("x".into())),
            _ => Err(VarError::NotPresent),
        }
    }

    #[test]
    fn variables_defaults_and_dollars_are_resolved() {
        for (text, expected) in [
            ("plain", "plain"),
            ("${HOST}", "db.example"),
            ("a-${HOST}:${HOST}-z", "a-db.example:db.example-z"),
            ("${EMPTY}", ""),
            ("${EMPTY:-5s}", "5s"),
            ("${NONE:-a b, {c}", "a b, {c"),
            ("${NONE:-}", ""),
            ("${NONE:-$$5}", "$5"),
            ("${HOST:-other}", "db.example"),
            ("$$", "$"),
            ("$${HOST}", "${HOST}"),
            ("$$$$", "$$"),
            ("$HOST costs $5 $", "$HOST costs $5 $"),
            ("é${HOST}é", "édb.exampleé"),
            // A value is never looked at again: it may be a password.
            ("${NESTED}", "${HOST} $$"),
        ] {
            assert_eq!(expand(text, &variables).as_deref(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn every_fault_of_a_text_is_told() {
        let faults = expand("${A} ${a b} ${BROKEN:-x} ${B:-${C}} ${", &variables).unwrap_err();
        assert_eq!(
            faults,
            [
                Fault::Unset("A".into()),
                Fault::Malformed("a b".into()),
                Fault::NotText("BROKEN".into()),
                Fault::Malformed("B:-${C".into()),
                Fault::Unclosed,
            ]
        );
        for inner in ["", ":-x", "1A", "A-B", "A:?x", "A}"] {
            let text = format!("${{{inner}}}");
            assert!(expand(&text, &variables).is_err(), "{text}");
        }
    }
}
