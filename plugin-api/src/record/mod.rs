//! Records as owned values: what simple connectors, tests and tools handle.
//!
//! Owns [`Record`] and its parts. Nothing here is on the hot path: connectors that must be fast
//! append slices to a batch and read slices from one, and never make a `Record`. Nothing here
//! knows a text form either; see `format`.

pub mod metadata;
mod operation;
mod position;
#[cfg(test)]
mod tests;

pub use metadata::Metadata;
pub use operation::{Operation, UnknownOperation};
pub use position::Position;

use crate::structured::Map;

/// One change of the data in a source, as an owned value: what
/// [`BatchWriter::push`](crate::BatchWriter::push) takes and
/// [`RecordView::to_owned`](crate::RecordView::to_owned) makes. It costs some allocations.
///
/// ```
/// use plugin_api::Record;
///
/// let record = Record::create("7")
///     .with_metadata("opencdc.collection", "users")
///     .with_key("alice")
///     .with_payload("number 7");
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// Where the source continues after this record.
    pub position: Position,
    /// What happened to the data.
    pub operation: Operation,
    /// Facts about the record.
    pub metadata: Metadata,
    /// What identifies the changed data within its collection.
    pub key: Option<Data>,
    /// The data before and after the change.
    pub payload: Change,
}

impl Record {
    /// Makes a record without metadata, key and payload.
    pub fn new(operation: Operation, position: impl Into<Position>) -> Self {
        Self {
            position: position.into(),
            operation,
            metadata: Metadata::new(),
            key: None,
            payload: Change::default(),
        }
    }

    /// Makes a record of new data.
    pub fn create(position: impl Into<Position>) -> Self {
        Self::new(Operation::Create, position)
    }

    /// Makes a record of changed data.
    pub fn update(position: impl Into<Position>) -> Self {
        Self::new(Operation::Update, position)
    }

    /// Makes a record of deleted data.
    pub fn delete(position: impl Into<Position>) -> Self {
        Self::new(Operation::Delete, position)
    }

    /// Makes a record of data that was there before the source started to watch for changes.
    pub fn snapshot(position: impl Into<Position>) -> Self {
        Self::new(Operation::Snapshot, position)
    }

    /// Sets the key.
    #[must_use]
    pub fn with_key(mut self, key: impl Into<Data>) -> Self {
        self.key = Some(key.into());
        self
    }

    /// Sets the data after the change, which for most records is the payload.
    #[must_use]
    pub fn with_payload(mut self, after: impl Into<Data>) -> Self {
        self.payload.after = Some(after.into());
        self
    }

    /// Sets the data before the change.
    #[must_use]
    pub fn with_before(mut self, before: impl Into<Data>) -> Self {
        self.payload.before = Some(before.into());
        self
    }

    /// Sets one metadata entry.
    #[must_use]
    pub fn with_metadata(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.metadata.insert(key, value);
        self
    }
}

/// The data before and after a change.
///
/// `None` is absent, which is not the same as empty: new data has no `before`, and deleted data
/// mostly no `after`.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Change {
    /// The data as it was.
    pub before: Option<Data>,
    /// The data as it is now.
    pub after: Option<Data>,
}

/// Bytes, or a tree of named values.
#[derive(Debug, Clone, PartialEq)]
pub enum Data {
    /// Bytes whose form only the two connectors know.
    Raw(Vec<u8>),
    /// Named values, with their types.
    Structured(Map),
}

impl Data {
    /// The bytes, if the data is raw.
    #[must_use]
    pub fn as_raw(&self) -> Option<&[u8]> {
        match self {
            Self::Raw(bytes) => Some(bytes),
            Self::Structured(_) => None,
        }
    }

    /// The named values, if the data is structured.
    #[must_use]
    pub fn as_structured(&self) -> Option<&Map> {
        match self {
            Self::Raw(_) => None,
            Self::Structured(map) => Some(map),
        }
    }
}

/// Data as it lies in a batch: borrowed, and not yet checked if structured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DataRef<'a> {
    /// Bytes whose form only the two connectors know.
    Raw(&'a [u8]),
    /// `MessagePack` of named values, read by [`structured::decode`](crate::structured::decode). It is what
    /// the source has written, and may break the rules of [`structured`](crate::structured).
    Structured(&'a [u8]),
}

impl From<Vec<u8>> for Data {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Raw(bytes)
    }
}

impl From<&[u8]> for Data {
    fn from(bytes: &[u8]) -> Self {
        Self::Raw(bytes.to_vec())
    }
}

impl<const N: usize> From<&[u8; N]> for Data {
    fn from(bytes: &[u8; N]) -> Self {
        Self::Raw(bytes.to_vec())
    }
}

impl From<String> for Data {
    fn from(text: String) -> Self {
        Self::Raw(text.into_bytes())
    }
}

impl From<&str> for Data {
    fn from(text: &str) -> Self {
        Self::Raw(text.as_bytes().to_vec())
    }
}

impl From<Map> for Data {
    fn from(map: Map) -> Self {
        Self::Structured(map)
    }
}
