//! Placeholder.
mod error;
mod specification;

pub use error::{
    Error, ErrorKind, ParameterError, PluginNotFound, Result, StreamNotOpen, Unimplemented,
    ValidationError,
};
pub use specification::{
    Acks, Parameter, ParameterType, Specification, Validation, ValidationType,
};
