//! Write connectors that Forebay loads as shared libraries.
mod batch;
mod context;
mod destination;
pub mod duration;
mod error;
pub mod ffi;
pub mod format;
mod parameters;
pub mod record;
mod source;
mod specification;
pub mod structured;

pub use batch::{
    Batch, BatchWriter, Field, FieldWriter, MetadataView, RecordView, RecordWriter, Records, Shared,
};
pub use context::{Context, Waker, Wakeup};
pub use destination::{Acks, Destination};
pub use error::{
    Error, ErrorKind, ParameterError, PluginNotFound, Result, StreamNotOpen, Unimplemented,
    ValidationError,
};
pub use ffi::Plugin;
pub use forebay_plugin_api_derive::Parameters;
pub use format::Format;
pub use parameters::{InvalidValue, ParameterValue, Parameters, Settings};
pub use record::{Change, Data, DataRef, Metadata, Operation, Position, Record};
pub use source::{Progress, Source};
pub use specification::{
    AckMode, Parameter, ParameterType, Specification, Validation, ValidationType,
};
