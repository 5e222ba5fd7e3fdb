//! The checks of a parameter's value, and whether its default passes them.
//!
//! A host refuses a plugin whose defaults break their own validations, so what can be known
//! here is refused here. Only whether a default matches a regular expression is left to the host.

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
    let validations = [
        ("Required", required),
        (
            "GreaterThan",
            attributes.greater_than.as_ref().map(Literal::text),
        ),
        ("LessThan", attributes.less_than.as_ref().map(Literal::text)),
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

/// Checks the default's type, the bounds, and the one against the others.
fn check_bounds(attributes: &Attributes, builtin: Option<&Builtin>) -> Result<()> {
    let Attributes {
        default,
        greater_than,
        less_than,
        ..
    } = attributes;
    let number = |literal: &Option<Literal>| match literal {
        Some(literal) => number_of_bound(literal, builtin),
        None => Ok(None),
    };
    let lower = number(greater_than)?;
    let upper = number(less_than)?;
    let value = match (default, builtin) {
        (Some(default), Some(builtin)) => builtin.value(default)?,
        _ => None,
    };
    if let (Some(bound), Some(lower), Some(upper)) = (less_than, lower, upper)
        && lower >= upper
    {
        return Err(Error::new_spanned(
            bound,
            "no value can be within both bounds",
        ));
    }
    if let (Some(default), Some(value)) = (default, value) {
        let wrong = if lower.is_some_and(|lower| value <= lower) {
            "greater than its lower bound"
        } else if upper.is_some_and(|upper| value >= upper) {
            "less than its upper bound"
        } else {
            return Ok(());
        };
        return Err(Error::new_spanned(
            default,
            format!("the default must be {wrong}"),
        ));
    }
    Ok(())
}

fn number_of_bound(literal: &Literal, builtin: Option<&Builtin>) -> Result<Option<Number>> {
    let text = literal.text();
    let wrong = match (builtin, literal.form()) {
        (Some(builtin), _) if builtin.has_order() => return builtin.number(literal),
        (Some(_), _) => "only numbers and durations have bounds",
        (None, Form::Int | Form::Float) => return Ok(None),
        (None, Form::Text) if go_duration::nanos(&text).is_some() => return Ok(None),
        (None, _) => "expected a number, or a duration such as \"1s\"",
    };
    Err(Error::new_spanned(literal, wrong))
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
        builtin.map_or(Ok(None), |builtin| builtin.value(entry))?;
        if entry.text().is_empty() {
            return Err(Error::new_spanned(
                entry,
                "an empty value is never checked: remove the entry",
            ));
        }
    }
    // An empty default is no value, and so not checked.
    let Some(default) = default
        .as_ref()
        .filter(|default| !default.text().is_empty())
    else {
        return Ok(());
    };
    let is_default = |entry: &Literal| entry.text() == default.text();
    if inclusion
        .as_ref()
        .is_some_and(|list| !list.iter().any(is_default))
    {
        return Err(Error::new_spanned(
            default,
            "the default isn't in its list of inclusion",
        ));
    }
    if exclusion
        .as_ref()
        .is_some_and(|list| list.iter().any(is_default))
    {
        return Err(Error::new_spanned(
            default,
            "the default is in its list of exclusion",
        ));
    }
    Ok(())
}

/// Checks the syntax; classes by name, such as `\p{Greek}`, are looked up by the host.
fn check_regex(regex: &LitStr) -> Result<()> {
    match Parser::new().parse(&regex.value()) {
        Ok(_) => Ok(()),
        Err(error) => Err(Error::new_spanned(
            regex,
            format!("not a regular expression: {}", error.kind()),
        )),
    }
}

/// Joins the entries of a list with commas; a comma and a backslash in an entry get a backslash.
fn join(entries: &[Literal]) -> String {
    let escaped = |entry: &Literal| entry.text().replace('\\', "\\\\").replace(',', "\\,");
    entries.iter().map(escaped).collect::<Vec<_>>().join(",")
}
