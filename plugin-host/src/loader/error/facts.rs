//! What programs ask of a [`LoadError`]: its stable code and its stage.

use std::fmt;

use super::{LoadError, Stage};

impl Stage {
    /// The word that stands for it in `--json` output.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Trust => "trust",
            Self::Look => "look",
            Self::Open => "open",
            Self::Abi => "abi",
            Self::Specification => "specification",
        }
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl LoadError {
    /// Stable identifier for tests and tools. Texts may change, this never does.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotRegularFile { .. } => "load.not_regular_file",
            Self::DanglingLink { .. } => "load.dangling_link",
            Self::ForeignOwner { .. } => "load.foreign_owner",
            Self::WorldWritable { .. } => "load.world_writable",
            Self::GroupWritable { .. } => "load.group_writable",
            Self::Unreadable { .. } => "load.unreadable",
            Self::TooLarge { .. } => "load.too_large",
            Self::Empty => "load.empty",
            Self::NotLibrary { .. } => "load.not_library",
            Self::Truncated { .. } => "load.truncated",
            Self::Damaged { .. } => "load.damaged",
            Self::WrongBitness { .. } => "load.wrong_bitness",
            Self::ForeignCpu { .. } => "load.foreign_cpu",
            Self::ForeignPlatform { .. } => "load.foreign_platform",
            Self::NoMarker => "load.no_marker",
            Self::MarkerDamaged { .. } => "load.marker_damaged",
            Self::MarkerField { .. } => "load.marker_field",
            Self::PrereleaseAbi { .. } => "load.prerelease_abi",
            Self::NewerFormat { .. } => "load.newer_format",
            Self::TwoPlugins { .. } => "load.two_plugins",
            Self::ForeignTarget { .. } => "load.foreign_target",
            Self::AbiMajor { .. } => "load.abi_major",
            Self::AbiStable { .. } => "load.abi_stable",
            Self::PanicAbort { .. } => "load.panic_abort",
            Self::NewerGlibc { .. } => "load.newer_glibc",
            Self::RunPath { .. } => "load.run_path",
            Self::NeededPath { .. } => "load.needed_path",
            Self::LibraryMissing { .. } => "load.library_missing",
            Self::OpenFailed { .. } => "load.open_failed",
            Self::TimedOut { .. } => "load.timed_out",
            Self::Image { .. } => "load.image",
            Self::SymbolMissing { .. } => "load.symbol_missing",
            Self::HeaderInvalid { .. } => "load.header_invalid",
            Self::AbiVersion { .. } => "load.abi_version",
            Self::Layout { .. } => "load.layout",
            Self::ModuleDiffers { .. } => "load.module_differs",
            Self::ConstructorPanicked { .. } => "load.constructor_panicked",
            Self::ConstructorFailed { .. } => "load.constructor_failed",
            Self::SpecificationDiffers { .. } => "load.specification_differs",
            Self::SpecificationInvalid { .. } => "load.specification_invalid",
            Self::Duplicate { .. } => "load.duplicate",
            Self::Shadowed { .. } => "load.shadowed",
        }
    }

    /// The stage in which the file failed.
    #[must_use]
    pub const fn stage(&self) -> Stage {
        match self {
            Self::NotRegularFile { .. }
            | Self::DanglingLink { .. }
            | Self::ForeignOwner { .. }
            | Self::WorldWritable { .. }
            | Self::GroupWritable { .. } => Stage::Trust,
            Self::Unreadable { .. }
            | Self::TooLarge { .. }
            | Self::Empty
            | Self::NotLibrary { .. }
            | Self::Truncated { .. }
            | Self::Damaged { .. }
            | Self::WrongBitness { .. }
            | Self::ForeignCpu { .. }
            | Self::ForeignPlatform { .. }
            | Self::NoMarker
            | Self::MarkerDamaged { .. }
            | Self::MarkerField { .. }
            | Self::PrereleaseAbi { .. }
            | Self::NewerFormat { .. }
            | Self::TwoPlugins { .. }
            | Self::ForeignTarget { .. }
            | Self::AbiMajor { .. }
            | Self::AbiStable { .. }
            | Self::PanicAbort { .. }
            | Self::NewerGlibc { .. }
            | Self::RunPath { .. }
            | Self::NeededPath { .. }
            | Self::Duplicate { .. }
            | Self::Shadowed { .. } => Stage::Look,
            Self::LibraryMissing { .. }
            | Self::OpenFailed { .. }
            | Self::TimedOut { .. }
            | Self::Image { .. } => Stage::Open,
            Self::SymbolMissing { .. }
            | Self::HeaderInvalid { .. }
            | Self::AbiVersion { .. }
            | Self::Layout { .. }
            | Self::ModuleDiffers { .. } => Stage::Abi,
            Self::ConstructorPanicked { .. }
            | Self::ConstructorFailed { .. }
            | Self::SpecificationDiffers { .. }
            | Self::SpecificationInvalid { .. } => Stage::Specification,
        }
    }
}
