//! A file that was found by its path, and what its name and its times say of a rotation.

use std::fs::{self, Metadata};
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::position::Identity;

/// Digits from which on a number in a name is a date.
const DATE: usize = 6;

/// A file that was found, and what the system says of it.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) path: PathBuf,
    pub(super) metadata: Metadata,
}

impl Found {
    pub(super) fn identity(&self) -> Identity {
        Identity::of(&self.metadata)
    }

    pub(super) fn age(&self) -> Age {
        Age {
            written: self.metadata.modified().ok(),
            born: self.metadata.created().ok(),
            turn: turn(&self.path),
        }
    }
}

/// Orders the files of one rotation: older ones first.
///
/// What comes behind the first is for those that were written to in the same tick of the clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Age {
    written: Option<SystemTime>,
    born: Option<SystemTime>,
    turn: i64,
}

/// What a name says of when its file was rotated: a date, or another long number, counts up; the number
/// of rotations since then counts down.
fn turn(path: &Path) -> i64 {
    let name = path
        .file_name()
        .and_then(|name| name.to_str())
        .unwrap_or("");
    let number = name
        .split(|char: char| !char.is_ascii_digit())
        .rfind(|part| !part.is_empty());
    let number = number.and_then(|number| Some((number.len(), number.parse::<i64>().ok()?)));
    number.map_or(
        i64::MAX,
        |(digits, number)| {
            if digits < DATE { -number } else { number }
        },
    )
}

/// What is at the path, if there is anything.
pub(super) fn look_at(path: &Path) -> io::Result<Option<Found>> {
    match fs::metadata(path) {
        Ok(metadata) => Ok(Some(Found {
            path: path.to_owned(),
            metadata,
        })),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Whether a name that was `series` once says how often or when it was rotated.
pub(super) fn is_numbered(path: &Path, series: &Path) -> bool {
    let names = path.file_name().zip(series.file_name());
    let names = names.and_then(|(name, series)| Some((name.to_str()?, series.to_str()?)));
    names
        .and_then(|(name, series)| name.strip_prefix(series)?.get(1..))
        .is_some_and(|behind| behind.starts_with(|first: char| first.is_ascii_digit()))
}

/// Whether a file was compressed into this one, by their names, or in a way that isn't read.
pub(super) fn is_made_of(path: &Path, original: &Path) -> bool {
    let extension = path.extension().and_then(|extension| extension.to_str());
    let is_read = !matches!(extension, Some("xz" | "bz2" | "zst" | "lz4" | "zip" | "Z"));
    !is_read || (extension.is_some() && path.with_extension("") == original)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_which_file_was_rotated_first() {
        for (older, later) in [
            ("a.log.10", "a.log.9"),
            ("a.log.2.gz", "a.log.1"),
            ("a.log-20240131", "a.log-20240201"),
            ("a.log-20240131.gz", "a.log"),
        ] {
            assert!(
                turn(Path::new(older)) < turn(Path::new(later)),
                "{older} {later}"
            );
        }
    }

    #[test]
    fn names_tell_what_was_made_of_a_file() {
        for (path, original, made) in [
            ("a.log.1.gz", "a.log.1", true),
            ("a.log.1.gz", "a.log.2", false),
            ("a.log.1.xz", "a.log.2", true),
            ("a.log.1", "a.log.2", false),
        ] {
            assert_eq!(
                is_made_of(Path::new(path), Path::new(original)),
                made,
                "{path}"
            );
        }
        for (path, numbered) in [
            ("a.log.1", true),
            ("a.log-2024", true),
            ("a.log.old", false),
        ] {
            assert_eq!(
                is_numbered(Path::new(path), Path::new("a.log")),
                numbered,
                "{path}"
            );
        }
    }
}
