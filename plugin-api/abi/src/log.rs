//! Log records that go from a plugin to the host's log.

use abi_stable::StableAbi;
use abi_stable::std_types::{RSlice, RStr};

/// One log record, lent for one call; at most 64 KiB of it are kept.
#[repr(C)]
#[derive(Debug, Clone, Copy, StableAbi)]
pub struct LogRecord<'a> {
    /// How important it is.
    pub level: LogLevel,
    /// Line in `file`; 0 where it isn't known.
    pub line: u32,
    /// What the record is about, by default the Rust path it was written in.
    pub target: RStr<'a>,
    /// The text.
    pub message: RStr<'a>,
    /// Rust path of the code; may be empty.
    pub module_path: RStr<'a>,
    /// File of the code; may be empty.
    pub file: RStr<'a>,
    /// Structured values.
    pub key_values: RSlice<'a, KeyValue<'a>>,
}

/// One structured value of a log record.
#[repr(C)]
#[derive(Debug, Clone, Copy, StableAbi)]
pub struct KeyValue<'a> {
    /// Its name.
    pub key: RStr<'a>,
    /// Its value as text.
    pub value: RStr<'a>,
}

/// Importance of a log record; a number that is not named here counts as the nearest one.
#[repr(transparent)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, StableAbi)]
pub struct LogLevel(pub u32);

impl LogLevel {
    /// Nothing is logged.
    pub const OFF: Self = Self(0);
    /// Something failed.
    pub const ERROR: Self = Self(1);
    /// Something is suspicious.
    pub const WARN: Self = Self(2);
    /// What an operator wants to know.
    pub const INFO: Self = Self(3);
    /// What a developer wants to know.
    pub const DEBUG: Self = Self(4);
    /// Everything.
    pub const TRACE: Self = Self(5);
}
