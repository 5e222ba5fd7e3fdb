//! Paths of a glob that can't be read: the others are, and the log says so once.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::path::{Path, PathBuf};

/// What was passed over in this look and the one before, and what the log hasn't told yet.
#[derive(Debug, Default)]
pub(super) struct PassedOver {
    now: BTreeMap<PathBuf, Kind>,
    before: BTreeMap<PathBuf, Kind>,
    untold: Vec<(PathBuf, String)>,
}

/// Why a path was passed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Nobody knows what is there, or below it.
    Hidden,
    /// Nothing that has lines.
    NoFile,
}

impl PassedOver {
    /// A look begins.
    pub(super) fn begin(&mut self) {
        self.before = std::mem::take(&mut self.now);
    }

    /// Nobody can say what is at a path, or in a folder.
    pub(super) fn hidden(&mut self, path: &Path, why: &impl Display) {
        self.add(path, Kind::Hidden, why);
    }

    /// There is something that has no lines: a folder, or a pipe, which would be waited for.
    pub(super) fn no_file(&mut self, path: &Path) {
        self.add(path, Kind::NoFile, &"it is no regular file");
    }

    fn add(&mut self, path: &Path, kind: Kind, why: &impl Display) {
        let same = self.before.get(path) == Some(&kind);
        if self.now.insert(path.to_owned(), kind).is_none() && !same {
            self.untold(path, why);
        }
    }

    /// A file was found and can't be read; said once by whoever knows the file.
    pub(super) fn untold(&mut self, path: &Path, why: &impl Display) {
        self.untold.push((path.to_owned(), why.to_string()));
    }

    /// Whether a file may still be where it was found last, and isn't seen; `None` is one whose path
    /// isn't known.
    pub(super) fn may_hide(&self, path: Option<&Path>) -> bool {
        let mut hidden = self.now.iter().filter(|(_, kind)| **kind == Kind::Hidden);
        hidden.any(|(hidden, _)| path.is_none_or(|path| path.starts_with(hidden)))
    }

    /// Tells the log what is new: one warning, however many there are.
    pub(super) fn tell(&mut self) {
        let untold = std::mem::take(&mut self.untold);
        if let Some(text) = summary(&untold) {
            log::warn!("{text}");
        }
        if untold.len() > 1 {
            for (path, why) in untold {
                log::debug!("`{}` is passed over: {why}", path.display());
            }
        }
    }
}

fn summary(untold: &[(PathBuf, String)]) -> Option<String> {
    let (path, why) = untold.first()?;
    let path = path.display();
    Some(match untold.len() {
        1 => format!("`{path}` is passed over until it can be read: {why}"),
        all => format!(
            "{all} paths are passed over until they can be read, the first is `{path}`: {why}"
        ),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_path_is_told_once_until_it_was_readable_again() {
        let mut passed = PassedOver::default();
        let (one, two) = (Path::new("logs/a"), Path::new("logs/b"));
        for (paths, told) in [
            (&[one][..], Some("`logs/a` is passed over")),
            (&[one], None),
            (&[], None),
            (&[one, two], Some("2 paths are passed over")),
        ] {
            passed.begin();
            for path in paths {
                passed.hidden(path, &"why");
                passed.hidden(path, &"why");
            }
            let text = summary(&passed.untold);
            assert_eq!(text.is_some(), told.is_some(), "{text:?}");
            assert!(text.unwrap_or_default().starts_with(told.unwrap_or("")));
            passed.tell();
        }
    }

    #[test]
    fn what_lies_below_a_folder_that_cannot_be_read_may_still_be_there() {
        let mut passed = PassedOver::default();
        passed.begin();
        passed.no_file(Path::new("logs/pipe"));
        assert!(!passed.may_hide(None) && !passed.may_hide(Some(Path::new("logs/pipe"))));
        passed.hidden(Path::new("logs/deep"), &"why");
        for (path, may) in [
            (None, true),
            (Some("logs/deep/a.log"), true),
            (Some("logs/deep"), true),
            (Some("logs/deeper/a.log"), false),
        ] {
            assert_eq!(passed.may_hide(path.map(Path::new)), may, "{path:?}");
        }
    }
}
