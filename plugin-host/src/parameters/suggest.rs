//! What to say of a setting that is no parameter.

use std::collections::BTreeMap;

use plugin_api::Parameter;

use super::names::{meant, rest_of};
use super::reserved::is_only_of_destinations;
use crate::nearest::nearest;

/// Names that an error lists when none is near.
const LISTED: usize = 8;

/// What to say after "unrecognized parameter": what it is instead, the nearest name, or which there
/// are.
pub(super) fn suggestion(name: &str, params: &BTreeMap<String, Parameter>) -> String {
    if is_only_of_destinations(name) {
        return "it is a setting of destinations".into();
    }
    if let Some(rest) = params.keys().find_map(|pattern| rest_of(pattern, name)) {
        return format!("it is a map: give `{name}: {}`", map_of(rest));
    }
    let known: Vec<String> = meant(name, params.keys()).collect();
    if let Some(nearest) = nearest(name, known.iter().map(String::as_str)) {
        return format!("did you mean {nearest:?}?");
    }
    if params.is_empty() {
        return "there are no parameters".into();
    }
    let listed: Vec<_> = params
        .keys()
        .take(LISTED)
        .map(|n| format!("{n:?}"))
        .collect();
    let more = match params.len() - listed.len() {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!("known are {}{more}", listed.join(", "))
}

/// The map that a parameter with these last parts is in: `{KEY: {type: VALUE}}`.
fn map_of(rest: &str) -> String {
    rest.rsplit('.').fold("VALUE".to_owned(), |inner, part| {
        let key = if part == "*" { "KEY" } else { part };
        format!("{{{key}: {inner}}}")
    })
}
