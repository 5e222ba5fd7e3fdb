//! Which files are meant: those that a path or a glob names, and what the rotation has made of them.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use glob::{MatchOptions, Pattern as Glob};
use plugin_api::{Error, ErrorKind, Result};

use super::found::{Found, look_at};
use super::passed_over::PassedOver;

/// As a shell has it: `*` stays in its folder, and files whose name begins with a dot are asked for.
const OPTIONS: MatchOptions = MatchOptions {
    case_sensitive: true,
    require_literal_separator: true,
    require_literal_leading_dot: true,
};

/// What ends the name that a file had before it was rotated.
const SEPARATORS: [char; 3] = ['.', '-', '_'];

/// A path or a glob.
#[derive(Debug)]
pub(super) enum Pattern {
    One(PathBuf),
    Many(Glob),
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

    /// The regular files that it names now. What of a glob can't be looked at is passed over.
    pub(super) fn find(&self, passed: &mut PassedOver) -> io::Result<Vec<Found>> {
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
                    let (path, looked) = match path {
                        Ok(path) => {
                            let looked = look_at(&path);
                            (path, looked)
                        }
                        Err(error) => (error.path().to_owned(), Err(error.into())),
                    };
                    match looked {
                        Ok(Some(found)) if found.metadata.is_file() => all.push(found),
                        Ok(Some(_)) => passed.no_file(&path),
                        Ok(None) => {}
                        // A folder that was removed meanwhile.
                        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                        Err(error) => passed.hidden(&path, &error),
                    }
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

    /// Files beside these that have been rotated away from a path which the pattern names. What can't be
    /// looked at is passed over, unless it is one path.
    pub(super) fn rotated(
        &self,
        folders: &[PathBuf],
        passed: &mut PassedOver,
    ) -> io::Result<Vec<(Found, PathBuf)>> {
        let mut all = Vec::new();
        for folder in folders {
            if let Err(error) = self.rotated_in(folder, passed, &mut all) {
                match self {
                    Self::One(_) => return Err(error),
                    Self::Many(_) => passed.hidden(folder, &error),
                }
            }
        }
        Ok(all)
    }

    fn rotated_in(
        &self,
        folder: &Path,
        passed: &mut PassedOver,
        all: &mut Vec<(Found, PathBuf)>,
    ) -> io::Result<()> {
        let read = match fs::read_dir(folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
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
            match (look_at(&path), self) {
                (Err(error), Self::Many(_)) => passed.hidden(&path, &error),
                (looked, _) => {
                    let found = looked?.filter(|found| found.metadata.is_file());
                    all.extend(found.map(|found| (found, series)));
                }
            }
        }
        Ok(())
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

/// The folder of a path.
pub(super) fn folder_of(path: &Path) -> PathBuf {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
        _ => PathBuf::from("."),
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
    }

    #[test]
    fn a_glob_finds_regular_files_only() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["a.log", "b.log", "c.txt", ".hidden.log"] {
            fs::write(folder.path().join(name), "x\n").unwrap();
        }
        fs::create_dir(folder.path().join("d.log")).unwrap();
        let pattern = Pattern::new(&folder.path().join("*.log")).unwrap();
        let found = pattern.find(&mut PassedOver::default()).unwrap();
        let names: Vec<_> = found
            .iter()
            .filter_map(|found| found.path.file_name())
            .collect();
        assert_eq!(names, ["a.log", "b.log"]);
        assert_eq!(pattern.folder(), folder.path());
    }

    #[test]
    fn a_glob_that_is_none_is_refused() {
        let refused = Pattern::new(Path::new("logs/[a")).unwrap_err();
        assert_eq!(refused.code(), "file.glob");
    }
}
