//! The settings that the host obeys, and those of Conduit that it doesn't.
//!
//! Names that start with `sdk.` belong to the host. In Conduit the library in each plugin adds and
//! obeys them; here they mean the same for every plugin, whatever it was built with. A plugin that
//! declares one itself keeps it: then its own parameter counts, and nothing is added or set aside.

use std::collections::BTreeMap;
use std::fmt;

use plugin_api::{Parameter, ParameterType, Validation, ValidationType};

use super::names::find;

/// What the host's names begin with.
const RESERVED: &str = "sdk.";

/// Records in a batch.
pub const BATCH_SIZE: &str = "sdk.batch.size";
/// How long records are held back so that a batch gets larger.
pub const BATCH_DELAY: &str = "sdk.batch.delay";
/// Records that a destination is given in a second.
pub const RATE_PER_SECOND: &str = "sdk.rate.perSecond";
/// Records that a destination is given at once, where the rate has let them add up.
pub const RATE_BURST: &str = "sdk.rate.burst";
/// How long a call that is at work may take.
pub const CALL_TIMEOUT: &str = "sdk.call.timeout";
/// What a destination writes of a record, where that is the host's to say.
pub const RECORD_FORMAT: &str = "sdk.record.format";

/// Which end of a pipeline a connector is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Side {
    /// Records come from it.
    Source,
    /// Records go to it.
    Destination,
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Source => "source",
            Self::Destination => "destination",
        })
    }
}

/// A setting that Conduit knows and this host doesn't heed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IgnoredSetting {
    /// Its name.
    pub name: String,
    /// What isn't there for it to set.
    pub reason: &'static str,
}

impl fmt::Display for IgnoredSetting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "setting {:?} has no effect: {}", self.name, self.reason)
    }
}

/// Adds the host's own parameters to those of a specification.
#[must_use]
pub fn with_reserved(
    params: &BTreeMap<String, Parameter>,
    side: Side,
) -> BTreeMap<String, Parameter> {
    let mut all = params.clone();
    for (name, parameter) in reserved(side) {
        all.entry(name.into()).or_insert(parameter);
    }
    all
}

/// Takes out the settings that have no effect here, so that the others can be validated.
///
/// `params` are those of [`with_reserved`]. Each that comes back is for the user to know: a pipeline
/// from Conduit runs, but nobody is left to think that it has, say, schemas. One without a value
/// would do nothing there either and is dropped without a word.
#[must_use]
pub fn set_aside(
    settings: &BTreeMap<String, String>,
    params: &BTreeMap<String, Parameter>,
    side: Side,
) -> (BTreeMap<String, String>, Vec<IgnoredSetting>) {
    let mut kept = BTreeMap::new();
    let mut ignored = Vec::new();
    for (name, value) in settings {
        let trimmed = name.trim();
        let is_declared = find(trimmed, params).is_some_and(|(name, _)| name.starts_with(RESERVED));
        match reason(trimmed, side) {
            Some(reason) if !is_declared => {
                if !value.trim().is_empty() {
                    let name = trimmed.to_owned();
                    ignored.push(IgnoredSetting { name, reason });
                }
            }
            _ => {
                kept.insert(name.clone(), value.clone());
            }
        }
    }
    (kept, ignored)
}

/// Whether a name is one that the host adds to destinations, and not to sources.
pub(super) fn is_only_of_destinations(name: &str) -> bool {
    let has = |side| reserved(side).iter().any(|(known, _)| *known == name);
    has(Side::Destination) && !has(Side::Source)
}

fn reserved(side: Side) -> Vec<(&'static str, Parameter)> {
    use ValidationType::{GreaterThan, Inclusion, LessThan};

    let batch_size = parameter(
        ParameterType::Int,
        "0",
        "Most records in one batch; 0 leaves it to the host.",
        &[check(GreaterThan, "-1"), check(LessThan, "65537")],
    );
    let batch_delay = parameter(
        ParameterType::Duration,
        "0s",
        "How long records may be held back until a batch has its size; 0 holds none back.",
        &[check(GreaterThan, "-1")],
    );
    let call_timeout = parameter(
        ParameterType::Duration,
        "30s",
        "How long one call of the connector may take before it is given up as stuck.",
        &[check(GreaterThan, "0s")],
    );
    let mut reserved = vec![
        (BATCH_SIZE, batch_size),
        (BATCH_DELAY, batch_delay),
        (CALL_TIMEOUT, call_timeout),
    ];
    if side == Side::Destination {
        let format = parameter(
            ParameterType::String,
            "opencdc/json",
            "What is written of a record: all of it as JSON, or `raw`, the payload's after as it is.",
            &[check(Inclusion, "opencdc/json,raw")],
        );
        reserved.push((RECORD_FORMAT, format));
        let per_second = parameter(
            ParameterType::Float,
            "0",
            "Most records in a second; 0 is no limit.",
            &[check(GreaterThan, "-1")],
        );
        reserved.push((RATE_PER_SECOND, per_second));
        let burst = parameter(
            ParameterType::Int,
            "0",
            "Most records at once, where the rate has let them add up; 0 is the rate, rounded up.",
            &[check(GreaterThan, "-1")],
        );
        reserved.push((RATE_BURST, burst));
    }
    reserved
}

fn parameter(
    kind: ParameterType,
    default: &'static str,
    description: &'static str,
    validations: &[Validation],
) -> Parameter {
    Parameter {
        default: default.into(),
        kind,
        description: description.into(),
        validations: validations.to_vec().into(),
        secret: false,
    }
}

fn check(kind: ValidationType, value: &'static str) -> Validation {
    Validation {
        kind,
        value: value.into(),
    }
}

/// Why a setting of Conduit has no effect here; `None` for one that isn't known to have none.
fn reason(name: &str, side: Side) -> Option<&'static str> {
    match name {
        // Which there are depends on the side and on Conduit's version, and none of them matters here.
        _ if name.starts_with("sdk.schema.") => {
            Some("there is no schema registry, records keep the form they have")
        }
        "sdk.record.format.options" if side == Side::Destination => {
            Some("the record formats have no options")
        }
        _ => None,
    }
}
