//! The type check and the validations of one value.
//!
//! The rules and the words are Conduit's, with its traps mended: the bounds of a duration compare
//! as durations, integers compare exactly however large, and an entry of a list may hold a comma.

use std::cmp::Ordering;
use std::fmt;

use plugin_api::{
    Parameter, ParameterError, ParameterType, Validation, ValidationType, duration, list_entries,
};
use regex::Regex;

use super::error::parameter_error;

/// Characters of a value that an error shows.
const SHOWN: usize = 80;

/// Everything that is wrong with a value that isn't empty.
///
/// A value of the wrong type isn't measured against the validations.
pub(super) fn violations(name: &str, parameter: &Parameter, text: &str) -> Vec<ParameterError> {
    if let Err(violation) = check_type(parameter, text) {
        return vec![violation.of(name)];
    }
    let validations = parameter.validations.iter();
    validations
        .filter_map(|validation| apply(validation, parameter, text).err())
        .map(|violation| violation.of(name))
        .collect()
}

/// Why a validation can be applied to no value at all, if so.
pub(crate) fn check_validation(
    parameter: &Parameter,
    validation: &Validation,
) -> Result<(), String> {
    match validation.kind {
        ValidationType::GreaterThan | ValidationType::LessThan => {
            bound(parameter, validation).map(drop)
        }
        ValidationType::Regex => regex(validation).map(drop),
        ValidationType::Required | ValidationType::Inclusion | ValidationType::Exclusion => Ok(()),
    }
}

/// A rule that was broken: the end of its code, and what is wrong.
struct Violation(&'static str, String);

impl Violation {
    fn of(self, name: &str) -> ParameterError {
        parameter_error(name, self.0, self.1)
    }
}

fn check_type(parameter: &Parameter, text: &str) -> Result<(), Violation> {
    let (article, hint) = match parameter.kind {
        ParameterType::String | ParameterType::File => return Ok(()),
        ParameterType::Int if is_int(text) => return Ok(()),
        ParameterType::Float if parse_float(text).is_some() => return Ok(()),
        ParameterType::Bool if is_bool(text) => return Ok(()),
        ParameterType::Int if is_long(text) && !parameter.secret => {
            ("an integer", ", it has more than 64 bits".into())
        }
        ParameterType::Int => ("an integer", String::new()),
        ParameterType::Float => ("a float", String::new()),
        ParameterType::Bool => ("a boolean", ", use true or false".into()),
        ParameterType::Duration => match duration::parse_nanos(text) {
            Ok(_) => return Ok(()),
            // The reason quotes the value.
            Err(_) if parameter.secret => ("a duration", String::new()),
            Err(reason) => ("a duration", format!(", {reason}")),
        },
    };
    let shown = Shown(parameter, text);
    let message = format!("{shown} value is not {article}: invalid parameter type{hint}");
    Err(Violation("type", message))
}

/// 64 bits, with or without a sign: a connector's own type may be either.
fn is_int(text: &str) -> bool {
    text.parse::<i64>().is_ok() || text.parse::<u64>().is_ok()
}

/// An integer all the same, but one that no parameter takes.
fn is_long(text: &str) -> bool {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
}

/// A 64-bit float; infinity only where it is asked for by name.
fn parse_float(text: &str) -> Option<f64> {
    let digits = text.contains(|c: char| c.is_ascii_digit());
    text.parse::<f64>()
        .ok()
        .filter(|value| value.is_finite() || !digits)
}

fn is_bool(text: &str) -> bool {
    matches!(
        text,
        "1" | "t" | "T" | "true" | "TRUE" | "True" | "0" | "f" | "F" | "false" | "FALSE" | "False"
    )
}

fn apply(validation: &Validation, parameter: &Parameter, text: &str) -> Result<(), Violation> {
    let shown = Shown(parameter, text);
    let value = &validation.value;
    let (holds, code, message) = match validation.kind {
        // A value that is there is all it asks for.
        ValidationType::Required => return Ok(()),
        ValidationType::GreaterThan => (
            compare(parameter, text, validation)? == Some(Ordering::Greater),
            "greater_than",
            format!("{shown} should be greater than {value}: greater-than validation failed"),
        ),
        ValidationType::LessThan => (
            compare(parameter, text, validation)? == Some(Ordering::Less),
            "less_than",
            format!("{shown} should be less than {value}: less-than validation failed"),
        ),
        ValidationType::Inclusion => (
            list_entries(value).any(|entry| entry == text),
            "inclusion",
            format!(
                "{shown} value must be included in the list [{value}]: inclusion validation failed"
            ),
        ),
        ValidationType::Exclusion => (
            !list_entries(value).any(|entry| entry == text),
            "exclusion",
            format!(
                "{shown} value must be excluded from the list [{value}]: exclusion validation failed"
            ),
        ),
        ValidationType::Regex => (
            regex(validation)
                .map_err(|why| unusable(validation, &why))?
                .is_match(text),
            "regex",
            format!("{shown} should match the regex {value:?}: regex validation failed"),
        ),
    };
    if holds {
        Ok(())
    } else {
        Err(Violation(code, message))
    }
}

/// How a value lies to the bound; `None` for what has no order, such as NaN.
fn compare(
    parameter: &Parameter,
    text: &str,
    validation: &Validation,
) -> Result<Option<Ordering>, Violation> {
    let bound = bound(parameter, validation).map_err(|why| unusable(validation, &why))?;
    let number = match parameter.kind {
        ParameterType::Duration => duration::parse_nanos(text).ok().map(Number::Whole),
        _ => Number::parse(text),
    };
    let Some(number) = number else {
        let shown = Shown(parameter, text);
        let message = format!("{shown} value should be a number: invalid parameter value");
        return Err(Violation("value", message));
    };
    Ok(number.compare(bound))
}

fn bound(parameter: &Parameter, validation: &Validation) -> Result<Number, String> {
    let text = &*validation.value;
    if parameter.kind != ParameterType::Duration {
        // Nothing lies on one side of NaN.
        let number = Number::parse(text).filter(|n| n.compare(*n).is_some());
        return number.ok_or_else(|| format!("expected a number, found {text:?}"));
    }
    duration::parse_nanos(text)
        .map(Number::Whole)
        .or_else(|error| {
            // `greater-than -1` is what older specifications say of a duration. From zero down it
            // can only mean one thing, whatever the unit.
            Number::parse(text)
                .filter(|n| n.compare(Number::Whole(0)).is_some_and(Ordering::is_le))
                .ok_or_else(|| format!("expected a duration, found {text:?} ({error})"))
        })
}

fn regex(validation: &Validation) -> Result<Regex, String> {
    Regex::new(&validation.value).map_err(|error| {
        // The last of its lines says what is wrong, the others draw where.
        let text = error.to_string();
        let reason = text.lines().last().unwrap_or_default();
        let reason = reason.strip_prefix("error: ").unwrap_or(reason);
        format!("{:?} is no regular expression: {reason}", validation.value)
    })
}

/// The plugin is to blame: its validation says nothing about any value.
fn unusable(validation: &Validation, reason: &str) -> Violation {
    let kind = validation.kind.as_str();
    let message = format!("its validation {kind} can't be applied: {reason}");
    Violation("specification", message)
}

/// A number that is exact where it can be.
#[derive(Debug, Clone, Copy)]
enum Number {
    Whole(i128),
    Float(f64),
}

impl Number {
    fn parse(text: &str) -> Option<Self> {
        let whole = text.parse().map(Self::Whole).ok();
        whole.or_else(|| parse_float(text).map(Self::Float))
    }

    fn compare(self, other: Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Whole(left), Self::Whole(right)) => Some(left.cmp(&right)),
            (left, right) => left.as_float().partial_cmp(&right.as_float()),
        }
    }

    fn as_float(self) -> f64 {
        match self {
            Self::Whole(value) => value as f64,
            Self::Float(value) => value,
        }
    }
}

/// A value as errors show it: on one line, not too long, and not at all if it is secret.
struct Shown<'a>(&'a Parameter, &'a str);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(parameter, text) = *self;
        if parameter.secret {
            return f.write_str("\"***\"");
        }
        match text.char_indices().nth(SHOWN) {
            None => write!(f, "{text:?}"),
            Some((cut, _)) => write!(f, "{:?}…", &text[..cut]),
        }
    }
}
