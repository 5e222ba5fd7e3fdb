//! Which files are meant: those that a path or a glob names, and what the rotation has made of them.

use std::fs::{self, Metadata};
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use glob::{MatchOptions, Pattern as Glob};
use plugin_api::{Error, ErrorKind, Result};

use super::position::Identity;

/// As a shell has it: `*` stays in its folder, and files whose name begins with a dot are asked for.
const OPTIONS: MatchOptions = MatchOptions {
    case_sensitive: true,
    require_literal_separator: true,
    require_literal_leading_dot: true,
};

/// Digits from which on a number in a name is a date.
const DATE: usize = 6;

/// What ends the name that a file had before it was rotated.
const SEPARATORS: [char; 3] = ['.', '-', '_'];

/// A path or a glob.
#[derive(Debug)]
pub(super) enum Pattern {
    One(PathBuf),
    Many(Glob),
}

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

impl Pattern {
    /// A path with one of `*`, `?` and `[` is a glob.
    pub(super) fn new(path: &Path) -> Result<Self> {
        let Some(text) = path.to_str().filter(|text| text.contains(['*', '?', '['])) else {
            return Ok(Self::One(path.to_owned()));
        };
        // The paths that a glob finds lack it, too.
        let text = text.strip_prefix("./").unwrap_or(text);
        let glob = Glob::new(text).map_err(|error| {
            let text = format!("`{text}` is no glob: {} at byte {}", error.msg, error.pos);
            Error::new(ErrorKind::InvalidConfig, text).with_code("file.glob")
        })?;
        Ok(Self::Many(glob))
    }

    /// The one path, if it is one.
    pub(super) fn one(&self) -> Option<&Path> {
        match self {
            Self::One(path) => Some(path),
            Self::Many(_) => None,
        }
    }

    /// The regular files that it names now.
    pub(super) fn find(&self) -> io::Result<Vec<Found>> {
        match self {
            Self::One(path) => {
                let found = look_at(path)?.filter(|found| found.metadata.is_file());
                Ok(found.into_iter().collect())
            }
            Self::Many(glob) => {
                let paths = glob::glob_with(glob.as_str(), OPTIONS);
                let paths = paths.map_err(io::Error::other)?;
                let mut all = Vec::new();
                for path in paths {
                    let found = look_at(&path.map_err(io::Error::from)?)?;
                    all.extend(found.filter(|found| found.metadata.is_file()));
                }
                Ok(all)
            }
        }
    }

    fn names(&self, path: &Path) -> bool {
        match self {
            Self::One(one) => one == path,
            Self::Many(glob) => glob.matches_path_with(path, OPTIONS),
        }
    }

    /// The path that a file had before it was rotated away: the pattern names it, and the present one
    /// is longer by a separator and more, as `app.log.1` and `app.log-20240131` are.
    pub(super) fn rotated_from(&self, path: &Path) -> Option<PathBuf> {
        let name = path.file_name()?.to_str()?;
        let cuts = name.rmatch_indices(SEPARATORS).map(|(cut, _)| cut);
        let names = cuts.map(|cut| path.with_file_name(&name[..cut]));
        names
            .filter(|_| !self.names(path))
            .find(|shorter| self.names(shorter))
    }

    /// Files beside these that have been rotated away from a path which the pattern names.
    pub(super) fn rotated(&self, folders: &[PathBuf]) -> io::Result<Vec<(Found, PathBuf)>> {
        let mut all = Vec::new();
        for folder in folders {
            let read = match fs::read_dir(folder) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                read => read?,
            };
            for entry in read {
                let name = entry?.file_name();
                // A path is compared with the pattern as it is written there.
                let path = if folder.as_os_str() == "." && !self.begins_with_dot() {
                    PathBuf::from(name)
                } else {
                    folder.join(name)
                };
                let Some(series) = self.rotated_from(&path) else {
                    continue;
                };
                let found = look_at(&path)?.filter(|found| found.metadata.is_file());
                all.extend(found.map(|found| (found, series)));
            }
        }
        Ok(all)
    }

    fn begins_with_dot(&self) -> bool {
        matches!(self, Self::One(path) if path.starts_with("."))
    }

    /// The folder in which all that it names lies, as far as no glob begins.
    pub(super) fn folder(&self) -> PathBuf {
        match self {
            Self::One(path) => folder_of(path),
            Self::Many(glob) => {
                let text = glob.as_str();
                let fixed = text.find(['*', '?', '[']).unwrap_or(text.len());
                match text[..fixed].rfind('/') {
                    Some(0) => PathBuf::from("/"),
                    Some(end) => PathBuf::from(&text[..end]),
                    None => PathBuf::from("."),
                }
            }
        }
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

/// The folder of a path.
pub(super) fn folder_of(path: &Path) -> PathBuf {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
        _ => PathBuf::from("."),
    }
}

/// What is at the path, if there is anything.
fn look_at(path: &Path) -> io::Result<Option<Found>> {
    match fs::metadata(path) {
        Ok(metadata) => Ok(Some(Found {
            path: path.to_owned(),
            metadata,
        })),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rotated_names_lead_back_to_what_the_pattern_names() {
        for (pattern, path, from) in [
            ("in.txt", "in.txt.1", Some("in.txt")),
            ("in.txt", "in.txt-20240131.gz", Some("in.txt")),
            ("in.txt", "in.txt", None),
            ("in.txt", "other.txt", None),
            ("in.txt", "in.txts", None),
            ("logs/*.log", "logs/a.log.1.gz", Some("logs/a.log")),
            ("logs/*.log", "logs/a.1.log", None),
            ("logs/*.log", "logs/deeper/a.log.1", None),
            ("logs/a*", "logs/a.log.1", None),
        ] {
            let found = Pattern::new(Path::new(pattern)).unwrap();
            let expected = from.map(PathBuf::from);
            assert_eq!(
                found.rotated_from(Path::new(path)),
                expected,
                "{pattern} {path}"
            );
        }
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

    #[test]
    fn a_glob_finds_regular_files_only() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["a.log", "b.log", "c.txt", ".hidden.log"] {
            fs::write(folder.path().join(name), "x\n").unwrap();
        }
        fs::create_dir(folder.path().join("d.log")).unwrap();
        let pattern = Pattern::new(&folder.path().join("*.log")).unwrap();
        let found = pattern.find().unwrap();
        let names: Vec<_> = found
            .iter()
            .filter_map(|found| found.path.file_name())
            .collect();
        assert_eq!(names, ["a.log", "b.log"]);
        assert_eq!(pattern.folder(), folder.path());
    }

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
    fn a_glob_that_is_none_is_refused() {
        let refused = Pattern::new(Path::new("logs/[a")).unwrap_err();
        assert_eq!(refused.code(), "file.glob");
    }
}
