//! Owners and modes.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fs::{self, File, Metadata};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::way::{self, Goal};
use super::{LoadError, Waypoint, groups, quoted};

const ROOT: u32 = 0;
const STICKY: u32 = 0o1000;
const GROUP_WRITES: u32 = 0o020;
const OTHERS_WRITE: u32 = 0o002;

/// Whom to trust with the files of one folder.
#[derive(Debug)]
pub(crate) struct Trust {
    /// The host's own user first.
    owners: Vec<u32>,
    /// What a private group may write to, for one warning.
    lax: RefCell<BTreeSet<PathBuf>>,
}

impl Trust {
    /// For the files of a folder: one that the user has named, or another one.
    pub(crate) fn new(folder: &Path, is_named: bool, trusted: &[u32]) -> Self {
        let user = rustix::process::geteuid().as_raw();
        let mut owners = vec![user, ROOT];
        if user == ROOT
            && is_named
            && let Ok(metadata) = fs::metadata(folder)
        {
            owners.push(metadata.uid());
        }
        owners.extend_from_slice(trusted);
        Self::of_owners(owners)
    }

    pub(super) fn of_owners(mut owners: Vec<u32>) -> Self {
        let mut known = BTreeSet::new();
        owners.retain(|owner| known.insert(*owner));
        Self {
            owners,
            lax: RefCell::default(),
        }
    }

    /// Opens a file for reading, if nobody but who is trusted can have put it there.
    ///
    /// # Errors
    ///
    /// Returns the first thing on the way, from `/` on, that can't be trusted, or that the path
    /// doesn't lead to a regular file.
    pub(crate) fn open(&self, path: &Path) -> Result<File, LoadError> {
        way::follow(path, Goal::File, self)?.ok_or_else(way::not_a_file)
    }

    /// Judges the folders that a file has the dynamic loader search: who can write there can run
    /// code here. One that isn't there is judged by who could make it.
    ///
    /// # Errors
    ///
    /// Returns the first thing on the way to one of them that can't be trusted.
    pub(crate) fn check_run_paths(&self, folders: &[PathBuf]) -> Result<(), LoadError> {
        for folder in folders {
            way::follow(folder, Goal::RunPath(folder), self)?;
        }
        Ok(())
    }

    /// Judges the owner of what was opened, and who else may write to it.
    pub(super) fn judge(
        &self,
        at: &dyn Fn() -> Waypoint,
        metadata: &Metadata,
    ) -> Result<(), LoadError> {
        self.judge_owner(at, metadata.uid())?;
        self.judge_mode(at, metadata)
    }

    /// Judges a folder that is passed through; where it has the sticky bit, nobody can replace
    /// another's entry in it.
    pub(super) fn judge_passed(
        &self,
        at: &dyn Fn() -> Waypoint,
        metadata: &Metadata,
    ) -> Result<(), LoadError> {
        if metadata.mode() & STICKY != 0 {
            return Ok(());
        }
        self.judge_mode(at, metadata)
    }

    fn judge_mode(&self, at: &dyn Fn() -> Waypoint, metadata: &Metadata) -> Result<(), LoadError> {
        let mode = metadata.mode() & 0o7777;
        if mode & OTHERS_WRITE != 0 {
            return Err(LoadError::WorldWritable { at: at(), mode });
        }
        if mode & GROUP_WRITES != 0 {
            let group = metadata.gid();
            if !groups::is_private(group, metadata.uid()) {
                let at = at();
                return Err(LoadError::GroupWritable { at, mode, group });
            }
            self.lax.borrow_mut().insert(at().path);
        }
        Ok(())
    }

    pub(super) fn judge_owner(
        &self,
        at: &dyn Fn() -> Waypoint,
        owner: u32,
    ) -> Result<(), LoadError> {
        if self.owners.contains(&owner) {
            return Ok(());
        }
        Err(LoadError::ForeignOwner {
            at: at(),
            owner,
            trusted: self.owners.clone(),
        })
    }

    #[cfg(test)]
    pub(super) fn lax_contains(&self, path: &Path) -> bool {
        self.lax.borrow().contains(path)
    }

    /// Logs what the private group of its owner may write to.
    pub(crate) fn warn(&self) {
        let lax = std::mem::take(&mut *self.lax.borrow_mut());
        let paths: Vec<_> = lax.iter().map(|path| path.to_string_lossy()).collect();
        let paths: Vec<_> = paths.iter().map(|path| quoted(path)).collect();
        if !paths.is_empty() {
            log::warn!(
                target: "plugin_host::loader::trust",
                "the private group of its owner may write to what plugins are loaded from; \
                 `chmod g-w {}` ends that",
                paths.join(" ")
            );
        }
    }
}
