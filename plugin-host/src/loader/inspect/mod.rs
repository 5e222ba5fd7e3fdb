//! Stage 2: looks at the bytes of a file without executing any of them.
//!
//! Owns every judgement that can be made from the bytes alone, because the dynamic loader makes it
//! badly: a truncated file kills the process inside dlopen, a foreign processor reads "No such
//! file", and by the time a type layout is compared, code of the file has run. I7: nothing past
//! this stage sees a file that hasn't passed it. It never touches the file system, except for the C
//! library that this process itself runs on.
//!
//! Any byte string gives an answer: no panic, no loop without a bound, no memory beyond a small
//! multiple of the file.

mod dynamic;
mod elf;
mod glibc;
mod kind;
mod open_failure;
mod portable;
#[cfg(test)]
mod sample;
#[cfg(test)]
mod tests;

use std::env::consts::{ARCH, OS};
use std::path::PathBuf;

use plugin_api::ffi::{ABI_STABLE_VERSION, ABI_VERSION};
use semver::Version;

pub use glibc::GlibcVersion;
pub use open_failure::explain_open_failure;

use self::elf::Elf;
use self::kind::{Kind, check_elf_identity};
use super::error::LoadError;
use super::marker::Marker;

/// What was learned about a file that may be opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inspection {
    /// What the plugin says about itself.
    pub marker: Marker,
    /// Names of the libraries that it needs; empty where the format isn't ELF.
    pub needed: Vec<String>,
    /// Absolute folders that it has the dynamic loader search. Who may write to them may run code
    /// here, so stage 1 judges them.
    pub run_paths: Vec<PathBuf>,
    /// The newest glibc version that it asks for.
    pub glibc: Option<GlibcVersion>,
}

/// Looks at the bytes of a plugin file. The stem is its name without folder and extension; it
/// decides when the file holds the markers of several plugins.
///
/// # Errors
///
/// Returns the first thing that keeps this host from loading the file, cheapest check first: what
/// kind of file it is and for which machine, whether it is whole, its marker, whether
/// the dynamic loader can follow it, what it needs.
pub fn inspect(bytes: &[u8], file_stem: &str) -> Result<Inspection, LoadError> {
    judge_head(bytes)?;
    match Kind::of(bytes)? {
        Kind::Elf => {
            let elf = Elf::parse(bytes)?;
            let marker = Marker::read(&elf.marker_sections()?, file_stem)?;
            accept(&marker)?;
            elf.check_for_opening()?;
            let facts = dynamic::facts(&elf)?;
            let run_paths = facts.accept()?;
            glibc::accept(facts.libc)?;
            Ok(Inspection {
                marker,
                needed: facts.needed,
                run_paths,
                glibc: facts.glibc,
            })
        }
        Kind::MachO | Kind::Pe => {
            let marker = Marker::read(&portable::marker_sections(bytes)?, file_stem)?;
            accept(&marker)?;
            Ok(Inspection {
                marker,
                needed: Vec::new(),
                run_paths: Vec::new(),
                glibc: None,
            })
        }
    }
}

/// What could be read of a file, and why it may not be opened.
#[derive(Debug, Default)]
pub(super) struct Seen {
    pub(super) marker: Option<Marker>,
    pub(super) needed: Vec<String>,
    /// As the file names them, whatever they are.
    pub(super) run_paths: Vec<String>,
    pub(super) glibc: Option<GlibcVersion>,
    pub(super) refusal: Option<LoadError>,
}

/// Reads of a file what can be read, also of one that [`inspect()`] refuses.
pub(super) fn see(bytes: &[u8], file_stem: &str) -> Seen {
    let mut seen = Seen {
        refusal: inspect(bytes, file_stem).err(),
        ..Seen::default()
    };
    let elf = Elf::parse(bytes).ok().filter(|_| judge_head(bytes).is_ok());
    let sections = match &elf {
        Some(elf) => elf.marker_sections(),
        // For another machine, or damaged where a marker doesn't depend on it.
        None => portable::any_marker_sections(bytes),
    };
    seen.marker = sections
        .and_then(|sections| Marker::read(&sections, file_stem))
        .ok();
    if let Some(facts) = elf.and_then(|elf| dynamic::facts(&elf).ok()) {
        seen.run_paths = facts
            .run_paths
            .into_iter()
            .map(|(_, entry)| entry)
            .collect();
        seen.needed = facts.needed;
        seen.glibc = facts.glibc;
    }
    seen
}

/// Judges the first bytes of a file: whether it is a library, for whatever machine.
pub(super) fn judge_kind(bytes: &[u8]) -> Result<(), LoadError> {
    Kind::of(bytes).map(|_| ())
}

/// Judges the first bytes of a file: whether it is a library, and for this machine. Twenty of them
/// are enough for that; more of them tell better what else it is.
pub(super) fn judge_head(bytes: &[u8]) -> Result<(), LoadError> {
    let kind = Kind::of(bytes)?;
    if kind != Kind::of_host() {
        return Err(LoadError::ForeignPlatform {
            found: kind.platform().to_owned(),
            expected: OS.to_owned(),
        });
    }
    if kind == Kind::Elf {
        check_elf_identity(bytes)?;
    }
    Ok(())
}

/// Judges what the marker says: target, ABI, panic strategy.
fn accept(marker: &Marker) -> Result<(), LoadError> {
    if !is_our_target(&marker.target) {
        return Err(LoadError::ForeignTarget {
            found: marker.target.clone(),
            expected: our_target(),
        });
    }
    if !compatible(&marker.abi, ABI_VERSION) {
        return Err(LoadError::AbiMajor {
            found: marker.abi.to_string(),
            expected: ABI_VERSION.to_owned(),
        });
    }
    if !compatible(&marker.abi_stable, ABI_STABLE_VERSION) {
        return Err(LoadError::AbiStable {
            found: marker.abi_stable.to_string(),
            expected: ABI_STABLE_VERSION.to_owned(),
        });
    }
    // A panic can only be contained where it unwinds. A worker process could run such a plugin.
    if marker.panic != "unwind" {
        return Err(LoadError::PanicAbort {
            found: marker.panic.clone(),
        });
    }
    Ok(())
}

/// Whether a version is of the same line as ours: the same major, before 1.0 also the same minor.
fn compatible(found: &Version, ours: &str) -> bool {
    Version::parse(ours).is_ok_and(|ours| {
        found.major == ours.major && (ours.major > 0 || found.minor == ours.minor)
    })
}

/// The C library that this host was built for, as a triple writes it; empty where there is one only.
const LIBC: &str = if cfg!(target_env = "gnu") {
    "gnu"
} else if cfg!(target_env = "musl") {
    "musl"
} else if cfg!(target_env = "msvc") {
    "msvc"
} else {
    ""
};

/// Whether a triple such as `x86_64-unknown-linux-gnu` stands for this machine. The vendor doesn't
/// count, nor does the exact processor: that was read from the file's header.
fn is_our_target(triple: &str) -> bool {
    let os = if OS == "macos" { "darwin" } else { OS };
    let mut parts = triple.split('-').skip(1);
    parts.any(|part| part.starts_with(os))
        && triple
            .rsplit('-')
            .next()
            .is_some_and(|last| last.starts_with(LIBC))
}

fn our_target() -> String {
    let dash = if LIBC.is_empty() { "" } else { "-" };
    format!("{ARCH}-{OS}{dash}{LIBC}")
}
