//! glibc's versions: the one that a file needs against the one that this process runs on.
//!
//! What counts is the newest symbol version that the running libc defines: a release that adds no
//! symbol adds no version, and then no file can need it.

use std::fmt;
use std::sync::OnceLock;

use super::LoadError;
use super::dynamic::defined_versions;
use super::elf::Elf;

/// A version of glibc, such as 2.36.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct GlibcVersion {
    major: u32,
    minor: u32,
    patch: u32,
}

impl GlibcVersion {
    /// Reads a symbol version such as `GLIBC_2.36`; others, such as `GLIBC_PRIVATE`, are none.
    pub(super) fn parse(symbol_version: &str) -> Option<Self> {
        let mut numbers = symbol_version
            .strip_prefix("GLIBC_")?
            .split('.')
            .map(str::parse);
        let mut number = || numbers.next().transpose().ok();
        let (major, minor, patch) = (number()??, number()??, number()?.unwrap_or(0));
        numbers.next().is_none().then_some(Self {
            major,
            minor,
            patch,
        })
    }

    /// The newest version that this process's glibc offers. `None` where there is no glibc or it
    /// can't be found; then the dynamic loader has the last word.
    pub(super) fn running() -> Option<Self> {
        static RUNNING: OnceLock<Option<GlibcVersion>> = OnceLock::new();
        *RUNNING.get_or_init(|| {
            let path = mapped_libc()?;
            let bytes = std::fs::read(path).ok()?;
            let elf = Elf::parse(&bytes).ok()?;
            defined_versions(&elf)
                .ok()?
                .into_iter()
                .filter_map(|version| Self::parse(version.name))
                .max()
        })
    }
}

impl fmt::Display for GlibcVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)?;
        match self.patch {
            0 => Ok(()),
            patch => write!(f, ".{patch}"),
        }
    }
}

/// Refuses a need of libc that the running one can't meet.
pub(super) fn accept(needed: Option<GlibcVersion>) -> Result<(), LoadError> {
    match (needed, GlibcVersion::running()) {
        (Some(needed), Some(running)) if needed > running => Err(LoadError::NewerGlibc {
            needed: needed.to_string(),
            running: running.to_string(),
        }),
        _ => Ok(()),
    }
}

/// The path of the libc that is mapped into this process.
///
/// `gnu_get_libc_version` would be shorter, but it takes unsafe code, which is kept out of here.
#[cfg(target_os = "linux")]
fn mapped_libc() -> Option<String> {
    let maps = std::fs::read_to_string("/proc/self/maps").ok()?;
    let mut paths = maps
        .lines()
        .filter_map(|line| line.find('/').map(|at| &line[at..]));
    // A libc that was replaced under this process has " (deleted)" behind its name: no match.
    paths
        .find(|path| path.ends_with("/libc.so.6") || is_old_name(path))
        .map(str::to_owned)
}

/// Whether this is a libc of glibc before 2.34, which had its version in its file's name.
#[cfg(target_os = "linux")]
fn is_old_name(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or_default();
    name.strip_prefix("libc-2.")
        .is_some_and(|rest| rest.ends_with(".so"))
}

#[cfg(not(target_os = "linux"))]
fn mapped_libc() -> Option<String> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_and_ordered_as_numbers() {
        let parse = |text| GlibcVersion::parse(text);
        assert_eq!(parse("GLIBC_2.36").unwrap().to_string(), "2.36");
        assert_eq!(parse("GLIBC_2.2.5").unwrap().to_string(), "2.2.5");
        for text in [
            "GLIBC_PRIVATE",
            "GLIBC_ABI_DT_RELR",
            "GLIBC_2",
            "GLIBC_2.",
            "GLIBC_2.x",
            "GLIBC_2.1.1.1",
            "GCC_3.0",
            "2.36",
            "",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
        assert!(parse("GLIBC_2.9") < parse("GLIBC_2.10"));
        assert!(parse("GLIBC_2.2") < parse("GLIBC_2.2.5"));
        assert!(parse("GLIBC_2.2.5") < parse("GLIBC_2.3"));
    }

    #[test]
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    fn the_running_version_is_found_and_bounds_what_is_accepted() {
        let running = GlibcVersion::running().expect("tests run on a dynamic glibc");
        assert!(
            running
                > GlibcVersion {
                    major: 2,
                    minor: 17,
                    patch: 0
                },
            "{running}"
        );
        accept(None).unwrap();
        accept(Some(running)).unwrap();
        let newer = GlibcVersion {
            minor: running.minor + 1,
            ..running
        };
        let error = accept(Some(newer)).unwrap_err();
        assert_eq!(error.code(), "load.newer_glibc");
        assert_eq!(
            error.to_string(),
            format!("needs glibc {newer}, this machine has {running}")
        );
    }
}
