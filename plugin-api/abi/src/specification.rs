//! The specification as it crosses.

use abi_stable::StableAbi;
use abi_stable::std_types::{ROption, RString, RVec};

/// Describes a plugin and the parameters of the connectors in it.
#[repr(C)]
#[derive(Debug, Clone, StableAbi)]
pub struct Specification {
    /// Name of the plugin.
    pub name: RString,
    /// One line that says what the plugin does.
    pub summary: RString,
    /// Longer text.
    pub description: RString,
    /// Semantic version with a leading `v`.
    pub version: RString,
    /// Who made or keeps the plugin.
    pub author: RString,
    /// Which positions the source wants to see acknowledged.
    pub acks: AckMode,
    /// Parameters of the source; none where the plugin has no source.
    pub source_params: ROption<RVec<NamedParameter>>,
    /// Parameters of the destination; none where the plugin has no destination.
    pub destination_params: ROption<RVec<NamedParameter>>,
}

/// A parameter with its name.
#[repr(C)]
#[derive(Debug, Clone, StableAbi)]
pub struct NamedParameter {
    /// Its name.
    pub name: RString,
    /// The rest.
    pub parameter: Parameter,
}

/// One setting that a connector understands.
#[repr(C)]
#[derive(Debug, Clone, StableAbi)]
pub struct Parameter {
    /// Value used when none is given; empty when there is no default.
    pub default: RString,
    /// What it does and how to set it.
    pub description: RString,
    /// Checks that a value must pass.
    pub validations: RVec<Validation>,
    /// Type of the value.
    pub kind: ParameterType,
    /// Whether the value must not be shown.
    pub secret: bool,
}

/// One check of a value.
#[repr(C)]
#[derive(Debug, Clone, StableAbi)]
pub struct Validation {
    /// What to check against.
    pub value: RString,
    /// The kind of check.
    pub kind: ValidationType,
}

/// Number of a parameter's type, 1 to 6 as in Conduit's protocol; another one is refused.
#[repr(transparent)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, StableAbi)]
pub struct ParameterType(pub u32);

/// Number of a check's kind, 1 to 6 as in Conduit's protocol; another one is refused.
#[repr(transparent)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, StableAbi)]
pub struct ValidationType(pub u32);

/// Which acknowledged positions a source is told; a number not named here counts as `EACH`.
#[repr(transparent)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, StableAbi)]
pub struct AckMode(pub u32);

impl AckMode {
    /// Only the newest position.
    pub const LAST: Self = Self(1);
    /// Every position.
    pub const EACH: Self = Self(2);
}
