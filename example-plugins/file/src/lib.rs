//! The `file` connectors: lines of a file as records, and records as lines of a file.
//!
//! The source reads one file from where it stands to its end and, unless told otherwise, waits for
//! more. The destination appends; it never changes what it finds.
#![forbid(unsafe_code)]

mod destination;
mod source;

pub use destination::{Append, AppendConfig};
pub use source::{Lines, LinesConfig};

plugin_api::export_plugin! { source: Lines, destination: Append }
