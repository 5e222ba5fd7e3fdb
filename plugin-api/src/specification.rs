//! What a plugin tells about itself: its name, version and the parameters of its connectors.
//!
//! These are the types of both sides. An author hardly ever writes one: `#[derive(Parameters)]`
//! makes the parameters from a struct and `export_plugin!` the rest from `Cargo.toml`. Texts are
//! `Cow<'static, str>` so that one type serves constants (a specification is built at compile
//! time) and what a host reads from a file.

use std::borrow::Cow;
use std::collections::BTreeMap;

/// Describes a plugin and the parameters of the connectors in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Specification {
    /// Name of the plugin, such as `file`: not empty, without `:` and `@`.
    pub name: String,
    /// One line that says what the plugin does.
    pub summary: String,
    /// Longer text, as one would write in a README.
    pub description: String,
    /// Semantic version with a leading `v`, such as `v1.54.3`.
    pub version: String,
    /// Who made or keeps the plugin.
    pub author: String,
    /// Which positions the source wants to see acknowledged.
    pub acks: AckMode,
    /// Parameters of the source by name; `None` where the plugin has no source. A part `*` of a name
    /// stands for whatever a configuration has there, see [`Parameters`](crate::Parameters).
    pub source_params: Option<BTreeMap<String, Parameter>>,
    /// Parameters of the destination by name; `None` where the plugin has no destination.
    pub destination_params: Option<BTreeMap<String, Parameter>>,
}

/// Which acknowledged positions a source is told; chosen by [`Source::ACKS`](crate::Source::ACKS).
///
/// Acks always arrive in order, so the newest position stands for all before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[repr(u32)]
pub enum AckMode {
    /// Only the newest position of those that became durable together; the cheap form.
    #[default]
    Last = 1,
    /// Every position, for a source that releases something for each record.
    Each = 2,
}

impl AckMode {
    /// The word that stands for it in a marker: `last` or `each`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Last => "last",
            Self::Each => "each",
        }
    }
}

/// One setting that a connector understands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parameter {
    /// Value used when none is given; empty when there is no default.
    pub default: Cow<'static, str>,
    /// Type of the value.
    pub kind: ParameterType,
    /// What the parameter does and how to set it.
    pub description: Cow<'static, str>,
    /// Checks that a value must pass.
    pub validations: Cow<'static, [Validation]>,
    /// Whether the value must not appear in logs, errors and output.
    pub secret: bool,
}

/// Type of a parameter's value. The numbers are those of Conduit's protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u32)]
pub enum ParameterType {
    /// Any text.
    String = 1,
    /// A 64-bit integer in base 10.
    Int = 2,
    /// A 64-bit float; exponent, `Inf` and `NaN` are accepted.
    Float = 3,
    /// `true` or `false`, also `1`, `t`, `T`, `TRUE`, `True` and their opposites.
    Bool = 4,
    /// A path.
    File = 5,
    /// A duration as Go writes it, such as `1h30m` or `250ms`.
    Duration = 6,
}

impl ParameterType {
    /// Every type, in the order of its number.
    pub const ALL: [Self; 6] = [
        Self::String,
        Self::Int,
        Self::Float,
        Self::Bool,
        Self::File,
        Self::Duration,
    ];

    /// The word that stands for it in a marker and in `--json` output.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::String => "string",
            Self::Int => "int",
            Self::Float => "float",
            Self::Bool => "bool",
            Self::File => "file",
            Self::Duration => "duration",
        }
    }
}

/// One check of a parameter's value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Validation {
    /// The kind of check.
    pub kind: ValidationType,
    /// What to check against; empty for [`ValidationType::Required`].
    pub value: Cow<'static, str>,
}

/// Kind of a check. The numbers are those of Conduit's protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u32)]
pub enum ValidationType {
    /// The value must not be empty.
    Required = 1,
    /// The value must be greater than the bound.
    GreaterThan = 2,
    /// The value must be less than the bound.
    LessThan = 3,
    /// The value must be one of a list.
    Inclusion = 4,
    /// The value must be none of a list.
    Exclusion = 5,
    /// The value must contain a match of the regular expression.
    Regex = 6,
}

impl ValidationType {
    /// Every kind, in the order of its number.
    pub const ALL: [Self; 6] = [
        Self::Required,
        Self::GreaterThan,
        Self::LessThan,
        Self::Inclusion,
        Self::Exclusion,
        Self::Regex,
    ];

    /// The word that stands for it in a marker and in `--json` output.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Required => "required",
            Self::GreaterThan => "greater-than",
            Self::LessThan => "less-than",
            Self::Inclusion => "inclusion",
            Self::Exclusion => "exclusion",
            Self::Regex => "regex",
        }
    }
}

/// The text of a `Cow`, which a constant can't get by `Deref`.
#[expect(clippy::ptr_arg, reason = "it is the `Cow` that is taken apart")]
pub(crate) const fn constant_text<'a>(text: &'a Cow<'static, str>) -> &'a str {
    match text {
        Cow::Borrowed(text) => text,
        Cow::Owned(text) => text.as_str(),
    }
}
