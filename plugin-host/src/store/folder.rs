//! The state folder: made durably, owned by one process at a time.
//!
//! The lock is a file of its own rather than the one that the database takes on its file, because
//! it must also cover the moment in which that file doesn't exist yet, and because it can tell who
//! holds it. It is released by the operating system when the process ends, however it ends, and is
//! never removed: a process that waits at a removed file would lock nothing.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::StoreError;

/// Name of the lock in the folder; it holds the number of the process that has it.
const LOCK: &str = "lock";

/// A state folder that is ours until this is dropped.
#[derive(Debug)]
pub(super) struct StateFolder {
    path: PathBuf,
    lock: File,
}

impl StateFolder {
    /// Makes the folder where it is missing, then locks it.
    pub(super) fn open(path: &Path) -> Result<Self, StoreError> {
        create(path).map_err(|source| StoreError::Io {
            path: path.to_path_buf(),
            doing: "create the state folder",
            source,
        })?;
        let lock = lock(&path.join(LOCK), path)?;
        Ok(Self {
            path: path.to_path_buf(),
            lock,
        })
    }

    /// Path of the file of this name in the folder.
    pub(super) fn join(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Makes durable which names the folder holds.
    pub(super) fn sync(&self) -> io::Result<()> {
        sync(&self.path)
    }
}

impl Drop for StateFolder {
    fn drop(&mut self) {
        // Closing isn't enough: a child that some other thread has just forked still has the file,
        // until it runs its program, and would keep the lock for as long.
        self.lock.unlock().ok();
    }
}

fn lock(file: &Path, folder: &Path) -> Result<File, StoreError> {
    let io_error = |source| StoreError::Io {
        path: file.to_path_buf(),
        doing: "lock",
        source,
    };
    let mut lock = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(file)
        .map_err(io_error)?;
    match lock.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let holder = fs::read_to_string(file).ok();
            return Err(StoreError::Locked {
                path: folder.to_path_buf(),
                holder: holder.and_then(|text| text.trim().parse().ok()),
            });
        }
        Err(TryLockError::Error(source)) => return Err(io_error(source)),
    }
    lock.set_len(0)
        .and_then(|()| writeln!(lock, "{}", std::process::id()))
        .map_err(io_error)?;
    Ok(lock)
}

/// Makes the folder and those above it, for this user only: positions and plugins are its business.
fn create(folder: &Path) -> io::Result<()> {
    let missing: Vec<&Path> = folder
        .ancestors()
        .take_while(|above| !above.as_os_str().is_empty() && !above.exists())
        .collect();
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)?;
    // A folder whose name isn't durable takes everything in it along when the power goes.
    missing
        .into_iter()
        .try_for_each(|made| match made.parent() {
            Some(above) if !above.as_os_str().is_empty() => sync(above),
            _ => sync(Path::new(".")),
        })
}

#[cfg(unix)]
fn sync(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// Elsewhere a folder can't be opened as a file, and its names are durable by themselves.
#[cfg(not(unix))]
#[expect(clippy::unnecessary_wraps, reason = "the same signature everywhere")]
fn sync(_: &Path) -> io::Result<()> {
    Ok(())
}
