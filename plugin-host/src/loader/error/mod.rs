//! Why a plugin file was not loaded.
//!
//! One variant for each way to fail, of all stages, with what a person or a program needs to act
//! on it. `Display` is the first of the two lines that are shown (what was found, what was
//! expected), [`LoadError::help`] the second (how to mend it). The path of the file is not in here:
//! who reports the error knows it. Texts of the operating system are kept as text, so an error can
//! be cloned, compared and stored with the quarantined file.
//!
//! Text that comes from a plugin may hold anything; it is printed on one line and without control
//! characters.

mod facts;
mod help;
#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::time::Duration;
use std::{fmt, io};

use super::trust::Waypoint;
use crate::specification::SpecificationError;

/// The stage of loading in which a file failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Stage {
    /// May this file be loaded at all: its kind, its owner, who can write to it.
    Trust,
    /// Its bytes, without executing any of them.
    Look,
    /// The dynamic loader's part.
    Open,
    /// The ABI's version and the layout of its types.
    Abi,
    /// The constructor, and what the plugin tells about itself.
    Specification,
}

/// Why a plugin file was not loaded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// The path leads to something else than a regular file.
    #[error("expected a regular file, found {kind}")]
    NotRegularFile {
        /// What it is, with its article: `a directory`.
        kind: String,
    },
    /// The path is a link, or leads through one, to something that isn't there.
    #[error("the link leads to `{}`, which is not there", one_line(&.target.to_string_lossy()))]
    DanglingLink {
        /// Where it leads.
        target: PathBuf,
    },
    /// The file, or something on the way to it, belongs to somebody who isn't trusted.
    #[error("{at} belongs to user {owner}, expected {}", users(.trusted))]
    ForeignOwner {
        /// What belongs to them.
        at: Waypoint,
        /// Number of the owner.
        owner: u32,
        /// Numbers of the users who are trusted; the host's own is the first.
        trusted: Vec<u32>,
    },
    /// Everybody may write to the file, or to something on the way to it.
    #[error("every user may write to {at}: mode {mode:04o}, expected no more than {:04o}", .mode & !0o022)]
    WorldWritable {
        /// What they may write to.
        at: Waypoint,
        /// Its mode.
        mode: u32,
    },
    /// A group may write to the file, or to something on the way to it.
    #[error("group {group} may write to {at}: mode {mode:04o}, expected no more than {:04o} or the private group of its owner", .mode & !0o020)]
    GroupWritable {
        /// What it may write to.
        at: Waypoint,
        /// Its mode.
        mode: u32,
        /// Number of the group.
        group: u32,
    },
    /// The file can't be read.
    #[error("the file can't be read: {}", one_line(.error))]
    Unreadable {
        /// What the operating system says.
        error: String,
    },
    /// The file is larger than any plugin.
    #[error("the file has {length} bytes, the limit is {limit}")]
    TooLarge {
        /// Length of the file.
        length: u64,
        /// The greatest length that is read.
        limit: u64,
    },
    /// The file has no content.
    #[error("expected a shared library, found an empty file")]
    Empty,
    /// The file is something else than a shared library.
    #[error("expected a shared library, found {looks_like}")]
    NotLibrary {
        /// What it looks like, with its article: `a text file`.
        looks_like: String,
    },
    /// The file ends before what its own headers promise.
    #[error("the file is truncated: {part} ends at byte {end}, the file has {length}")]
    Truncated {
        /// The first part that isn't whole.
        part: String,
        /// Where that part ends by the file's headers.
        end: u64,
        /// Length of the file.
        length: u64,
    },
    /// The file has its length, but its headers contradict each other.
    #[error("the file is damaged: {what}")]
    Damaged {
        /// What is wrong with it.
        what: String,
    },
    /// The file is for processors of another word size.
    #[error(
        "a {found}-bit library for {cpu}, this host is {expected}-bit {}",
        std::env::consts::ARCH
    )]
    WrongBitness {
        /// The file's word size in bits.
        found: u32,
        /// The processor that the file is for.
        cpu: String,
        /// The host's word size in bits.
        expected: u32,
    },
    /// The file is for another processor.
    #[error("a library for {found}, this host runs on {expected}")]
    ForeignCpu {
        /// The processor that the file is for.
        found: String,
        /// The processor of this host.
        expected: String,
    },
    /// The file is for another operating system.
    #[error("a library for {found}, this host runs on {expected}")]
    ForeignPlatform {
        /// The file's format and operating system.
        found: String,
        /// The operating system of this host.
        expected: String,
    },
    /// A shared library without a marker: no plugin.
    #[error(
        "the library has no plugin marker (section `{}`)",
        plugin_api::ffi::marker::SECTION
    )]
    NoMarker,
    /// The marker's header or checksum is wrong, or its content is no JSON object.
    #[error("the plugin marker is damaged: {why}")]
    MarkerDamaged {
        /// What is wrong with it.
        why: String,
    },
    /// The marker is whole, but a field in it is missing or has a value that isn't known.
    #[error("field `{field}` of the plugin marker: {why}")]
    MarkerField {
        /// Path of the field, such as `specification.name`.
        field: String,
        /// What is wrong with it.
        why: String,
    },
    /// The plugin was built before ABI 1 was final.
    #[error(
        "plugin marker of format {found} from before ABI 1 was final, this host reads {expected}"
    )]
    PrereleaseAbi {
        /// The marker's format.
        found: u32,
        /// The format that this host reads.
        expected: u32,
    },
    /// The plugin was built for a newer host.
    #[error("plugin marker of format {found}, this host reads {expected}")]
    NewerFormat {
        /// The marker's format.
        found: u32,
        /// The format that this host reads.
        expected: u32,
    },
    /// The file holds several plugins and its name doesn't say which one counts.
    #[error("expected one plugin in the file, found {}", list(.packages))]
    TwoPlugins {
        /// Packages of the plugins in the file.
        packages: Vec<String>,
        /// The file's name without `lib` and extension.
        file_stem: String,
    },
    /// The plugin was built for another target.
    #[error("built for {found}, this host needs {expected}")]
    ForeignTarget {
        /// The marker's target triple.
        found: String,
        /// Processor, operating system and C library of this host.
        expected: String,
    },
    /// The plugin speaks another ABI.
    #[error("built for plugin ABI {found}, this host speaks {expected}")]
    AbiMajor {
        /// The plugin's ABI version.
        found: String,
        /// The host's ABI version.
        expected: String,
    },
    /// The plugin was built with an `abi_stable` that lays types out in another way.
    #[error("built with abi_stable {found}, this host uses {expected}")]
    AbiStable {
        /// The plugin's version of `abi_stable`.
        found: String,
        /// The host's version of `abi_stable`.
        expected: String,
    },
    /// A panic in the plugin would end the host.
    #[error("built with panic={found}, a plugin in this process needs panic=unwind")]
    PanicAbort {
        /// The plugin's panic strategy.
        found: String,
    },
    /// The plugin needs a newer C library.
    #[error("needs glibc {needed}, this machine has {running}")]
    NewerGlibc {
        /// The newest glibc version that the file asks for.
        needed: String,
        /// The newest version that this process's glibc offers.
        running: String,
    },
    /// The file tells the dynamic loader to search a folder that can't be trusted.
    #[error("the {tag} entry `{entry}` is not an absolute folder")]
    RunPath {
        /// `RPATH` or `RUNPATH`.
        tag: &'static str,
        /// The entry; empty is the current folder.
        entry: String,
    },
    /// The file names a library that it needs by its path.
    #[error("needs the library `{entry}` by path, expected a bare name")]
    NeededPath {
        /// The entry.
        entry: String,
    },
    /// A library that the plugin needs is not on this machine.
    #[error("needs the library `{}`, which is not on this machine", one_line(.library))]
    LibraryMissing {
        /// Name of the library.
        library: String,
    },
    /// The dynamic loader refused the file.
    #[error("the dynamic loader refused it: {}", one_line(.text))]
    OpenFailed {
        /// What the dynamic loader says.
        text: String,
    },
    /// Opening the file took too long. The thread that opens it may hang for ever.
    #[error("`{}` was not loaded within {after:?}", .path.display())]
    TimedOut {
        /// The file that hangs.
        path: PathBuf,
        /// How long the watchdog waited.
        after: Duration,
    },
    /// The copy of the file that is given to the dynamic loader could not be made.
    #[error("{what}: {}", one_line(.error))]
    Image {
        /// What failed.
        what: String,
        /// Why.
        error: String,
    },
    /// The header that the marker names isn't exported.
    #[error("the library doesn't export `{symbol}`, which its marker names")]
    SymbolMissing {
        /// Name of the symbol.
        symbol: String,
    },
    /// The exported header isn't one of `abi_stable`, or one of another version.
    #[error("the plugin's ABI header is invalid: {}", one_line(.why))]
    HeaderInvalid {
        /// What is wrong with it.
        why: String,
    },
    /// The header speaks another ABI than this host, whatever the marker says.
    #[error("its header says plugin ABI {found}, this host speaks {expected}")]
    AbiVersion {
        /// The header's ABI version.
        found: String,
        /// The host's ABI version.
        expected: String,
    },
    /// A type that crosses the boundary is laid out differently on the two sides.
    #[error("type layouts differ: {}", one_line(.summary))]
    Layout {
        /// The first difference.
        summary: String,
        /// The whole report of `abi_stable`; see [`LoadError::details`].
        dump: String,
    },
    /// The plugin's root module says something else than the marker about how it was built.
    #[error("`{field}` is {marker} in the marker, {module} in the root module")]
    ModuleDiffers {
        /// The field of the marker.
        field: &'static str,
        /// Its value in the marker.
        marker: String,
        /// Its value in the root module.
        module: String,
    },
    /// The plugin panicked while it was set up.
    #[error("the plugin panicked while it was set up: {}", one_line(.message))]
    ConstructorPanicked {
        /// The panic's message.
        message: String,
    },
    /// The plugin could not be set up.
    #[error("the plugin could not be set up: {}", one_line(.message))]
    ConstructorFailed {
        /// What the plugin says.
        message: String,
    },
    /// The plugin says something else about itself than its marker.
    #[error("`{field}` is {marker} in the marker, {specified} in the running plugin")]
    SpecificationDiffers {
        /// Path of the first field that differs.
        field: String,
        /// Its value in the marker.
        marker: String,
        /// Its value in the specification that the plugin returned.
        specified: String,
    },
    /// The plugin's specification breaks a rule.
    #[error("specification field `{field}`: {}", one_line(.why))]
    SpecificationInvalid {
        /// Path of the field.
        field: String,
        /// What is wrong with it.
        why: String,
    },
    /// Another file of the folder has the same plugin in the same version, with other content; or
    /// another builtin has.
    #[error("plugin `{name}` is also in `{}`, with other content", .other.display())]
    Duplicate {
        /// Name and version of the plugin.
        name: String,
        /// The other file, or the package of the other builtin.
        other: PathBuf,
    },
    /// Nothing is wrong with the file, but another one with the same plugin goes before it.
    #[error("not used: {} `{}`", if *.is_copy { "it is a copy of" } else { "an earlier folder has" }, .by.display())]
    Shadowed {
        /// The file that is used.
        by: PathBuf,
        /// Whether that is a file of the same folder with the same content.
        is_copy: bool,
    },
}

impl LoadError {
    /// Makes the error for a file that can't be opened or read.
    #[must_use]
    pub fn unreadable(error: &io::Error) -> Self {
        Self::Unreadable {
            error: error.to_string(),
        }
    }

    /// Makes the error for a failed step of the copy that is given to the dynamic loader.
    pub(crate) fn image(what: impl Into<String>, error: impl fmt::Display) -> Self {
        Self::Image {
            what: what.into(),
            error: error.to_string(),
        }
    }

    /// Makes the error for headers that contradict each other.
    pub(crate) fn damaged(what: impl Into<String>) -> Self {
        Self::Damaged { what: what.into() }
    }

    /// A long report for the verbose form: the types that differ, as `abi_stable` prints them.
    #[must_use]
    pub fn details(&self) -> Option<&str> {
        match self {
            Self::Layout { dump, .. } => Some(dump),
            _ => None,
        }
    }
}

impl From<SpecificationError> for LoadError {
    fn from(error: SpecificationError) -> Self {
        Self::SpecificationInvalid {
            field: error.field,
            why: error.why,
        }
    }
}

/// Prints foreign text without line breaks and other control characters.
fn one_line(text: &str) -> impl fmt::Display + '_ {
    fmt::from_fn(move |f| {
        let words = text.split(char::is_control).map(str::trim);
        for (i, word) in words.filter(|word| !word.is_empty()).enumerate() {
            let space = if i == 0 { "" } else { " " };
            write!(f, "{space}{word}")?;
        }
        Ok(())
    })
}

/// Prints numbers of users as `1000 or 0`.
fn users(numbers: &[u32]) -> impl fmt::Display + '_ {
    fmt::from_fn(move |f| {
        for (i, number) in numbers.iter().enumerate() {
            let or = if i == 0 { "" } else { " or " };
            write!(f, "{or}{number}")?;
        }
        Ok(())
    })
}

/// Prints names as `` `a`, `b` ``.
fn list(names: &[String]) -> impl fmt::Display + '_ {
    fmt::from_fn(move |f| {
        for (i, name) in names.iter().enumerate() {
            let comma = if i == 0 { "" } else { ", " };
            write!(f, "{comma}`{name}`")?;
        }
        Ok(())
    })
}
