//! Structured data: named values, lossless, as `MessagePack`.
//!
//! Owns the form in which structured data travels, its owned tree ([`Value`], [`Map`]), the way
//! to write it without a tree ([`MapEncoder`]) and its JSON ([`write_json`]). The form is
//! `MessagePack` with these bounds, which whoever reads it checks and nobody takes on trust:
//!
//! - the outermost value is a map; the keys of every map are text, and none occurs twice;
//! - text is UTF-8; the only extension is the timestamp, type -1;
//! - maps and arrays nest at most [`MAX_DEPTH`] levels deep, the outermost map included;
//! - nothing follows the outermost map.
//!
//! Any encoding of a number, a length or a timestamp that `MessagePack` allows is read; the
//! shortest is written, but for the size of a map or an array that is written piece by piece.
//!
//! A source writes it straight into a batch, by [`payload_map`](crate::RecordWriter::payload_map); a
//! destination reads it by [`decode()`] from what [`after_data`](crate::RecordView::after_data) gives:
//!
//! ```
//! use plugin_api::structured::{self, MapEncoder, Value};
//!
//! let mut bytes = Vec::new();
//! let mut map = MapEncoder::new(&mut bytes);
//! map.entry("id", 5).entry("name", "x").entry("note", None::<&str>);
//! map.finish()?;
//!
//! let map = structured::decode(&bytes)?;
//! assert_eq!(map.get("id"), Some(&Value::Int(5)));
//! assert_eq!(map.get("note"), Some(&Value::Null));
//!
//! let mut json = Vec::new();
//! structured::write_json(&bytes, &mut json)?;
//! assert_eq!(json, br#"{"id":5,"name":"x","note":null}"#);
//! # Ok::<(), structured::StructuredError>(())
//! ```

mod decode;
mod encode;
mod error;
pub(crate) mod json;
pub(crate) mod keys;
mod put;
#[cfg(test)]
mod tests;
mod timestamp;
mod token;
mod value;
mod value_ref;

pub use decode::decode;
pub use encode::{ArrayEncoder, MapEncoder, Output, encode};
pub use error::StructuredError;
pub use json::{write_json, write_map_json};
pub use timestamp::Timestamp;
pub use value::{Map, Value};
pub use value_ref::ValueRef;

/// How many maps and arrays may lie in each other.
pub const MAX_DEPTH: usize = 64;
