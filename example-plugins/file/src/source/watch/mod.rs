//! Whether anything in some folders has changed since the last question: by inotify, where it can be had.
//!
//! It spares looking at thousands of files that are the same; it isn't relied on. A file system of another
//! machine tells nothing, so the source looks anyway from time to time.

#[cfg(target_os = "linux")]
mod inotify;
// Tested everywhere.
#[cfg(any(test, not(target_os = "linux")))]
mod polling;

use std::collections::BTreeSet;
use std::path::PathBuf;

#[cfg(target_os = "linux")]
use inotify::System;
#[cfg(not(target_os = "linux"))]
use polling::System;

/// Watches folders.
#[derive(Debug)]
pub(super) struct Watch {
    folders: BTreeSet<PathBuf>,
    /// None where it can't be had: then anything may have changed at any time.
    system: Option<System>,
}

impl Watch {
    /// One that can tell, if it is wanted.
    pub(super) fn new(wanted: bool) -> Self {
        Self {
            folders: BTreeSet::new(),
            system: if wanted { System::new() } else { None },
        }
    }

    /// Watches these folders, too. Returns whether one of them wasn't watched before.
    pub(super) fn cover(&mut self, folders: &[PathBuf]) -> bool {
        let mut is_new = false;
        for folder in folders {
            if self.folders.contains(folder) {
                continue;
            }
            is_new = true;
            if self
                .system
                .as_mut()
                .is_some_and(|system| !system.add(folder))
            {
                log::info!(
                    "`{}` can't be watched; looking at its files instead",
                    folder.display()
                );
                self.system = None;
            }
            self.folders.insert(folder.clone());
        }
        is_new
    }

    /// Whether anything may have changed since this was asked last.
    pub(super) fn has_changed(&mut self) -> bool {
        match self.system.as_mut().map(System::changes) {
            Some(Changes::None) => false,
            Some(Changes::Some) | None => true,
            Some(Changes::Folders) => {
                // One was removed: should it come again, it isn't watched.
                self.folders.clear();
                true
            }
        }
    }
}

/// What the system tells.
#[derive(Debug, PartialEq, Eq)]
enum Changes {
    None,
    Some,
    /// A folder isn't watched any more.
    #[cfg_attr(
        not(target_os = "linux"),
        expect(dead_code, reason = "nothing is told")
    )]
    Folders,
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_change_is_told_once_and_nothing_is_told_without_one() {
        let folder = tempfile::tempdir().unwrap();
        let watched = folder.path().join("logs");
        fs::create_dir(&watched).unwrap();
        let file = watched.join("a.log");
        let folders = [watched.clone()];
        let mut watch = Watch::new(true);
        assert!(watch.cover(&folders) && !watch.cover(&folders));
        assert!(!watch.has_changed());
        for change in [
            &|| fs::write(&file, "one\n"),
            &|| fs::write(&file, "two\n"),
            &|| fs::rename(&file, watched.join("a.log.1")),
        ] as [&dyn Fn() -> std::io::Result<()>; 3]
        {
            change().unwrap();
            assert!(watch.has_changed());
            assert!(!watch.has_changed());
        }
        // A folder that is made again is watched again.
        fs::remove_dir_all(&watched).unwrap();
        assert!(watch.has_changed());
        fs::create_dir(&watched).unwrap();
        assert!(watch.cover(&folders));
        fs::write(&file, "three\n").unwrap();
        assert!(watch.has_changed());
    }

    #[test]
    fn what_is_not_watched_may_have_changed() {
        let mut watch = Watch::new(false);
        watch.cover(&[PathBuf::from(".")]);
        assert!(watch.has_changed());
        let mut watch = Watch::new(true);
        watch.cover(&[PathBuf::from("no/such/folder")]);
        assert!(watch.has_changed() && watch.has_changed());
    }
}
