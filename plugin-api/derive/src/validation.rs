//! The checks of a parameter's value, and whether its default passes them.
//!
//! A host refuses a plugin whose defaults break their own validations, so what can be known
//! here is refused here. Only whether a default matches a regular expression is left to the host.

use quote::ToTokens;
use regex_syntax::ast::parse::Parser;
use syn::{Error, LitStr, Result};

use crate::attribute::Attributes;
use crate::builtin::{Builtin, Number};
use crate::go_duration;
use crate::literal::{Form, Literal};

/// A check, by the name of its `ValidationType`.
#[derive(Debug, PartialEq)]
pub(crate) struct Validation {
    pub(crate) kind: &'static str,
    pub(crate) value: String,
}

/// Makes the validations that the attributes ask for.
pub(crate) fn read(
    attributes: &Attributes,
    builtin: Option<&Builtin>,
    required: bool,
) -> Result<Vec<Validation>> {
    check_bounds(attributes, builtin)?;
    check_lists(attributes, builtin)?;
    attributes.regex.as_ref().map_or(Ok(()), check_regex)?;

    let required = required.then(String::new);
    // The values of a list are in range already.
    let (least, most) = match builtin {
        Some(builtin) if attributes.inclusion.is_none() => builtin.bounds(),
        _ => (None, None),
    };
    let lower = stricter(attributes.greater_than.as_ref(), least, i128::max);
    let upper = stricter(attributes.less_than.as_ref(), most, i128::min);
    let validations = [
        ("Required", required),
        ("GreaterThan", lower),
        ("LessThan", upper),
        ("Inclusion", attributes.inclusion.as_deref().map(join)),
        ("Exclusion", attributes.exclusion.as_deref().map(join)),
        ("Regex", attributes.regex.as_ref().map(LitStr::value)),
    ];
    let given = |(kind, value): (_, Option<String>)| {
        Some(Validation {
            kind,
            value: value?,
        })
    };
    Ok(validations.into_iter().filter_map(given).collect())
}

/// The bound that was asked for, or the type's where that lets less pass.
fn stricter(
    given: Option<&Literal>,
    of_type: Option<i128>,
    choose: fn(i128, i128) -> i128,
) -> Option<String> {
    let Some(given) = given else {
        return of_type.map(|bound| bound.to_string());
    };
    // An integer, where the type has a bound: that was checked.
    let number = given.text().parse().ok();
    match of_type.zip(number) {
        Some((of_type, number)) => Some(choose(of_type, number).to_string()),
        None => Some(given.text()),
    }
}

/// Checks the default's type, the bounds, and the one against the others.
fn check_bounds(attributes: &Attributes, builtin: Option<&Builtin>) -> Result<()> {
    let number = |literal: &Option<Literal>| match literal {
        Some(literal) => number_of_bound(literal, builtin),
        None => Ok(None),
    };
    let lower = number(&attributes.greater_than)?;
    let upper = number(&attributes.less_than)?;
    let value = match (&attributes.default, builtin) {
        (Some(default), Some(builtin)) => builtin.value(default)?,
        _ => None,
    };
    match (lower, upper) {
        (Some(lower), Some(upper)) if lower >= upper => {
            refuse(&attributes.less_than, "no value can be within both bounds")
        }
        (Some(lower), _) if value.is_some_and(|value| value <= lower) => refuse(
            &attributes.default,
            "the default must be greater than its lower bound",
        ),
        (_, Some(upper)) if value.is_some_and(|value| value >= upper) => refuse(
            &attributes.default,
            "the default must be less than its upper bound",
        ),
        _ => Ok(()),
    }
}

fn number_of_bound(literal: &Literal, builtin: Option<&Builtin>) -> Result<Option<Number>> {
    match (builtin, literal.form()) {
        (Some(builtin), _) if builtin.has_order() => builtin.number(literal),
        (Some(_), _) => refuse(literal, "only numbers and durations have bounds"),
        (None, Form::Int | Form::Float) => Ok(None),
        (None, Form::Text) if go_duration::nanos(&literal.text()).is_some() => Ok(None),
        (None, _) => refuse(literal, "expected a number, or a duration such as \"1s\""),
    }
}

/// Checks the entries of the lists, and the default against them.
fn check_lists(attributes: &Attributes, builtin: Option<&Builtin>) -> Result<()> {
    let Attributes {
        default,
        inclusion,
        exclusion,
        ..
    } = attributes;
    for entry in [inclusion, exclusion].into_iter().flatten().flatten() {
        if let Some(builtin) = builtin {
            builtin.value(entry)?;
        }
        if entry.text().is_empty() {
            return refuse(entry, "an empty value is never checked: remove the entry");
        }
    }
    let default_text = default.as_ref().map(Literal::text).unwrap_or_default();
    if default_text.is_empty() {
        // An empty default is no value, and so not checked.
        return Ok(());
    }
    let has_default = |list: &Vec<Literal>| list.iter().any(|entry| entry.text() == default_text);
    if inclusion.as_ref().is_some_and(|list| !has_default(list)) {
        return refuse(default, "the default isn't in its list of inclusion");
    }
    if exclusion.as_ref().is_some_and(has_default) {
        return refuse(default, "the default is in its list of exclusion");
    }
    Ok(())
}

/// Checks the syntax; classes by name, such as `\p{Greek}`, are looked up by the host.
fn check_regex(regex: &LitStr) -> Result<()> {
    match Parser::new().parse(&regex.value()) {
        Ok(_) => Ok(()),
        Err(error) => refuse(
            regex,
            &format!("not a regular expression: {}", error.kind()),
        ),
    }
}

fn refuse<T>(what: &impl ToTokens, why: &str) -> Result<T> {
    Err(Error::new_spanned(what, why))
}

/// Joins the entries of a list with commas; a comma and a backslash in an entry get a backslash.
pub(crate) fn join(entries: &[Literal]) -> String {
    let escaped = |entry: &Literal| entry.text().replace('\\', "\\\\").replace(',', "\\,");
    entries.iter().map(escaped).collect::<Vec<_>>().join(",")
}
