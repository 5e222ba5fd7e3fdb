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
