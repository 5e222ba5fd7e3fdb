//! Why structured data can't be read or written.

use std::error::Error as StdError;
use std::fmt;

use super::MAX_DEPTH;

/// Structured data that breaks a rule of its form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StructuredError {
    fault: Fault,
    /// The key, where the fault is about one.
    key: String,
}

/// What is wrong, without texts.
///
/// `at` is a byte in or at the end of the value that is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// A value needs more bytes than there are.
    Truncated { at: usize },
    /// The outermost value is no map.
    NotAMap,
    /// Bytes follow the outermost map.
    TrailingBytes { at: usize },
    /// A key of a map is no text.
    KeyNotText { at: usize },
    /// A key occurs twice in one map.
    DuplicateKey { at: usize },
    /// A text is no UTF-8.
    InvalidText { at: usize },
    /// The byte that `MessagePack` never uses.
    InvalidByte { at: usize },
    /// An extension that is no timestamp.
    UnknownExtension { at: usize, number: i8 },
    /// A timestamp of another length than 4, 8 or 12, or with a second or more of nanoseconds.
    InvalidTimestamp { at: usize },
    /// Maps and arrays lie in each other more than [`MAX_DEPTH`] deep.
    TooDeep,
    /// A text, bytes, an array or a map of more than `u32::MAX` bytes or entries.
    TooLong,
}

impl StructuredError {
    /// Stable identifier for tests and tools, such as `structured.truncated`.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self.fault {
            Fault::Truncated { .. } => "structured.truncated",
            Fault::NotAMap => "structured.not_a_map",
            Fault::TrailingBytes { .. } => "structured.trailing_bytes",
            Fault::KeyNotText { .. } => "structured.key_not_text",
            Fault::DuplicateKey { .. } => "structured.duplicate_key",
            Fault::InvalidText { .. } => "structured.invalid_text",
            Fault::InvalidByte { .. } => "structured.invalid_byte",
            Fault::UnknownExtension { .. } => "structured.unknown_extension",
            Fault::InvalidTimestamp { .. } => "structured.invalid_timestamp",
            Fault::TooDeep => "structured.too_deep",
            Fault::TooLong => "structured.too_long",
        }
    }

    /// Names the key that the fault is about.
    pub(super) fn with_key(mut self, key: &[u8]) -> Self {
        /// In bytes; enough to find the key, for keys are short.
        const SHOWN: usize = 64;
        self.key = String::from_utf8_lossy(&key[..key.len().min(SHOWN)]).into_owned();
        self
    }
}

impl From<Fault> for StructuredError {
    fn from(fault: Fault) -> Self {
        Self {
            fault,
            key: String::new(),
        }
    }
}

impl fmt::Display for StructuredError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("structured data ")?;
        match self.fault {
            Fault::Truncated { at } => write!(f, "is cut short after byte {at}"),
            Fault::NotAMap => f.write_str("is no map: give its value a name"),
            Fault::TrailingBytes { at } => write!(f, "goes on after its end at byte {at}"),
            Fault::KeyNotText { at } => write!(f, "has a key that is no text at byte {at}"),
            Fault::DuplicateKey { at } => {
                let key = self.key.escape_debug();
                write!(
                    f,
                    "has the key `{key}` twice in one map, again at byte {at}"
                )
            }
            Fault::InvalidText { at } => {
                write!(
                    f,
                    "has text that is no UTF-8 at byte {at}: write it as bytes"
                )
            }
            Fault::InvalidByte { at } => write!(f, "has the invalid byte 0xc1 at byte {at}"),
            Fault::UnknownExtension { at, number } => {
                let expected = "expected -1, the timestamp";
                write!(f, "has the extension {number} at byte {at}, {expected}")
            }
            Fault::InvalidTimestamp { at } => write!(f, "has an invalid timestamp at byte {at}"),
            Fault::TooDeep => write!(f, "nests more than {MAX_DEPTH} levels deep"),
            Fault::TooLong => write!(f, "has a value of more than {} bytes or entries", u32::MAX),
        }
    }
}

impl StdError for StructuredError {}
