//! What happened to the data that a record tells about.

use std::error::Error as StdError;
use std::fmt;
use std::str::FromStr;

/// What happened to the data. The numbers are those of the ABI and of `OpenCDC`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Operation {
    /// The data is new.
    Create = 1,
    /// The data was changed.
    Update = 2,
    /// The data was deleted.
    Delete = 3,
    /// The data was there before the source started to watch for changes.
    Snapshot = 4,
}

impl Operation {
    /// Every operation, in the order of its number.
    pub const ALL: [Self; 4] = [Self::Create, Self::Update, Self::Delete, Self::Snapshot];

    /// The operation with this number.
    #[must_use]
    pub const fn from_u8(number: u8) -> Option<Self> {
        match number {
            1 => Some(Self::Create),
            2 => Some(Self::Update),
            3 => Some(Self::Delete),
            4 => Some(Self::Snapshot),
            _ => None,
        }
    }

    /// The word that stands for it in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::Delete => "delete",
            Self::Snapshot => "snapshot",
        }
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Operation {
    type Err = UnknownOperation;

    fn from_str(word: &str) -> Result<Self, UnknownOperation> {
        Self::ALL
            .into_iter()
            .find(|operation| operation.as_str() == word)
            .ok_or_else(|| UnknownOperation(word.to_owned()))
    }
}

/// A text is no operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownOperation(String);

impl fmt::Display for UnknownOperation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "unknown operation `{}`, expected create, update, delete or snapshot",
            self.0.escape_debug()
        )
    }
}

impl StdError for UnknownOperation {}
