//! The settings.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use plugin_api::{InvalidValue, Operation, ParameterType, ParameterValue, Parameters};

use crate::fields::Kind;

/// Settings of the source.
#[derive(Debug, Parameters)]
pub struct Config {
    /// Number of the last record; 0 goes on for ever.
    #[parameter(default = 0)]
    pub(crate) record_count: u64,
    /// Records per second; 0 makes them as fast as they are taken.
    #[parameter(default = 0, greater_than = -1)]
    pub(crate) rate: f64,
    /// Deprecated, use `rate`: time from one record to the next; 0 is no delay.
    #[parameter(default = "0s", greater_than = "-1ns")]
    pub(crate) read_time: Duration,
    #[parameter(nested)]
    pub(crate) burst: BurstConfig,
    /// What the records say that happened, in turn: create, update, delete, snapshot.
    #[parameter(
        default = ["create"],
        regex = r"^\s*(create|update|delete|snapshot)\s*(,\s*(create|update|delete|snapshot)\s*)*$"
    )]
    pub(crate) operations: Vec<Made>,
    /// Form of the payload: `raw` bytes, `structured` data, or the content of a `file`.
    #[parameter(
        name = "format.type",
        default = "raw",
        inclusion = ["raw", "structured", "file"]
    )]
    pub(crate) format: String,
    /// Bytes of a raw payload, at most 32 MiB.
    #[parameter(name = "format.size", default = 100, less_than = 33_554_433)]
    pub(crate) size: usize,
    /// Fields of structured data with their types, as in `id:int,name:string`, where no
    /// `format.options.*` names one; the types are those.
    #[parameter(
        name = "format.options",
        default = "id:int,name:string,active:bool,at:time"
    )]
    pub(crate) fields: String,
    /// Type of the field of structured data with this name.
    #[parameter(
        name = "format.options",
        inclusion = ["int", "float", "string", "bool", "time", "duration"]
    )]
    pub(crate) options: BTreeMap<String, Kind>,
    /// File whose content is the payload of every record; it is read once.
    #[parameter(name = "format.options.path")]
    pub(crate) path: Option<PathBuf>,
    #[parameter(nested)]
    pub(crate) collections: BTreeMap<String, Collection>,
}

/// Times with records and times without.
#[derive(Debug, Parameters)]
pub(crate) struct BurstConfig {
    /// How long no record is made after each burst; 0 makes records all the time.
    #[parameter(default = "0s", greater_than = "-1ns")]
    pub(crate) sleep_time: Duration,
    /// How long a burst is.
    #[parameter(default = "1s", greater_than = "0s")]
    pub(crate) generate_time: Duration,
}

/// What one of several collections has of its own; the rest is as without collections.
#[derive(Debug, Parameters)]
pub(crate) struct Collection {
    /// What the collection's records say that happened, in turn.
    #[parameter(
        regex = r"^\s*(create|update|delete|snapshot)\s*(,\s*(create|update|delete|snapshot)\s*)*$"
    )]
    pub(crate) operations: Option<Vec<Made>>,
    /// Form of the collection's payloads.
    #[parameter(name = "format.type", inclusion = ["raw", "structured", "file"])]
    pub(crate) format: Option<String>,
    /// Bytes of a raw payload, at most 32 MiB.
    #[parameter(name = "format.size", less_than = 33_554_433)]
    pub(crate) size: Option<usize>,
    /// Type of the field of structured data with this name.
    #[parameter(
        name = "format.options",
        inclusion = ["int", "float", "string", "bool", "time", "duration"]
    )]
    pub(crate) options: BTreeMap<String, Kind>,
    /// File whose content is the payload.
    #[parameter(name = "format.options.path")]
    pub(crate) path: Option<PathBuf>,
}

/// The operation of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Made(pub(crate) Operation);

impl ParameterValue for Made {
    const KIND: ParameterType = ParameterType::String;

    fn parse(text: &str) -> Result<Self, InvalidValue> {
        let operation = text.parse().map(Self);
        operation.map_err(|_| InvalidValue::expected("create, update, delete or snapshot"))
    }
}
