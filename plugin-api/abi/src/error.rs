//! What a plugin says went wrong.

use abi_stable::StableAbi;
use abi_stable::std_types::{RString, RVec};

/// An error that a plugin returns. The host copies it, bounded, before it does anything else.
#[repr(C)]
#[derive(Debug, Clone, StableAbi)]
pub struct PluginError {
    /// What the host should do about it.
    pub kind: ErrorKind,
    /// Stable identifier for tests and tools; may be empty.
    pub code: RString,
    /// What went wrong, without the causes.
    pub message: RString,
    /// The causes, outermost first.
    pub causes: RVec<RString>,
    /// What is wrong with which parameter.
    pub parameters: RVec<ParameterError>,
    /// Milliseconds to wait before the next try; 0 where the plugin doesn't know.
    pub retry_after_ms: u64,
}

/// What is wrong with one parameter.
#[repr(C)]
#[derive(Debug, Clone, StableAbi)]
pub struct ParameterError {
    /// Name of the parameter.
    pub name: RString,
    /// Stable identifier of the rule that was broken.
    pub code: RString,
    /// What is wrong and what would be right.
    pub message: RString,
}

/// What the host should do about an error; a number that is not named here is taken as a retry.
#[repr(transparent)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, StableAbi)]
pub struct ErrorKind(pub u32);

impl ErrorKind {
    /// Trying again can't help.
    pub const FATAL: Self = Self(1);
    /// Trying again may help.
    pub const RETRY: Self = Self(2);
    /// A setting is wrong.
    pub const INVALID_CONFIG: Self = Self(3);
    /// The plugin doesn't have this call.
    pub const UNIMPLEMENTED: Self = Self(4);
    /// The stream is not open.
    pub const CLOSED: Self = Self(5);
    /// The plugin panicked; this instance is lost.
    pub const PANIC: Self = Self(6);
    /// The call ended because its context was cancelled.
    pub const CANCELLED: Self = Self(7);
}
