//! What to say of a setting that is no parameter.

use std::collections::BTreeMap;

use plugin_api::Parameter;

use super::names::meant;
use crate::nearest::nearest;

/// Names that an error lists when none is near.
const LISTED: usize = 8;

/// What to say after "unrecognized parameter": the nearest name, or which there are.
pub(super) fn suggestion(name: &str, params: &BTreeMap<String, Parameter>) -> String {
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
