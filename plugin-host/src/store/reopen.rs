//! The database while it is used: opened again after a failure.
//!
//! redb refuses everything after the first error of the system, a full disk for one, until the file
//! is opened again. Here that is done at the next use, so that a process goes on once there is
//! space. What is damaged stays an error, as at the first opening.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{PoisonError, RwLock};

use redb::Database;

use super::StoreError;
use super::database::{self, FILE};
use super::folder::StateFolder;

/// A database that heals, and the folder that it is in.
pub(super) struct Reopening {
    /// Uses share it, and go on at the same time; who opens it again waits until none is left.
    /// `None` while the last try to open it has failed.
    current: RwLock<Option<Current>>,
    pub(super) path: PathBuf,
    // Behind the database: fields drop in this order, and the lock must outlive it.
    folder: StateFolder,
}

struct Current {
    database: Database,
    /// A use has failed. It is told of this database, not of the one that comes after it.
    failed: AtomicBool,
}

/// One use, which has failed unless it is said that it hasn't: it may have ended by a panic.
struct Use<'a> {
    failed: &'a AtomicBool,
    done: bool,
}

impl Reopening {
    pub(super) fn open(folder: StateFolder) -> Result<Self, StoreError> {
        Ok(Self {
            current: RwLock::new(Some(Current::open(&folder)?)),
            path: folder.join(FILE),
            folder,
        })
    }

    /// Has the database do something. What is seen of it is verified and durable.
    pub(super) fn with<T>(
        &self,
        doing: &'static str,
        body: impl FnOnce(&Database) -> Result<T, redb::Error>,
    ) -> Result<T, StoreError> {
        let body = |current: &Current| {
            current
                .with(body)
                .map_err(|e| StoreError::from_redb(&self.path, doing, e))
        };
        loop {
            let shared = self.current.read().unwrap_or_else(PoisonError::into_inner);
            if let Some(current) = shared.as_ref().filter(|it| it.is_good()) {
                return body(current);
            }
            drop(shared);
            let mut alone = self.current.write().unwrap_or_else(PoisonError::into_inner);
            if alone.as_ref().is_some_and(Current::is_good) {
                // Somebody else was here first.
                continue;
            }
            // Closed before it is opened again: redb locks its file.
            *alone = None;
            database::rewrite(&self.folder)?;
            let current = Current::open(&self.folder)?;
            log::info!("opened `{}` again after a failure", self.path.display());
            return body(alone.insert(current));
        }
    }

    pub(super) fn close(self) -> Result<(), StoreError> {
        let current = self.current.into_inner();
        match current.unwrap_or_else(PoisonError::into_inner) {
            Some(current) if current.is_good() => current
                .database
                .close()
                .map_err(|e| StoreError::from_redb(&self.path, "close", e)),
            // After a failure there is nothing to be put in order, and the failure was told.
            _ => Ok(()),
        }
    }
}

impl Current {
    fn open(folder: &StateFolder) -> Result<Self, StoreError> {
        Ok(Self {
            database: database::open(folder)?,
            failed: AtomicBool::new(false),
        })
    }

    fn is_good(&self) -> bool {
        !self.failed.load(Ordering::Acquire)
    }

    fn with<T>(
        &self,
        body: impl FnOnce(&Database) -> Result<T, redb::Error>,
    ) -> Result<T, redb::Error> {
        let mut this = Use {
            failed: &self.failed,
            done: false,
        };
        let answer = body(&self.database);
        this.done = answer.is_ok();
        answer
    }
}

impl Drop for Use<'_> {
    fn drop(&mut self) {
        if !self.done {
            self.failed.store(true, Ordering::Release);
        }
    }
}
