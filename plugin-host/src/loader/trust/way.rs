//! The way from `/` to a file, through handles.
//!
//! Every folder is opened from the one before it, links are read and followed here, and what is
//! judged is what was opened. So nothing that is renamed meanwhile leads to a file past the checks.

use std::ffi::OsString;
use std::fs::{File, Metadata};
use std::io;
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Component, Path, PathBuf};

use rustix::fs::{AtFlags, FileType, Mode, OFlags, openat, readlinkat, statat};
use rustix::io::Errno;

use super::{LoadError, Trust, Waypoint};

/// Links that are followed, as the kernel counts them.
const MAX_LINKS: usize = 40;

/// What opens a folder only to pass through it, which needs no right to list it.
#[cfg(any(target_os = "linux", target_os = "android"))]
const PASS: OFlags = OFlags::PATH;
#[cfg(not(any(target_os = "linux", target_os = "android")))]
const PASS: OFlags = OFlags::RDONLY;

/// What a way is for.
#[derive(Debug, Clone, Copy)]
pub(super) enum Goal<'a> {
    /// To open a file.
    File,
    /// To see who can put libraries into a folder.
    RunPath(&'a Path),
}

/// A folder that was opened.
struct Folder {
    handle: File,
    metadata: Metadata,
    path: PathBuf,
}

/// Follows a path. Returns the file, or nothing if the path leads to a folder or, for a run path,
/// to nothing.
pub(super) fn follow(
    path: &Path,
    goal: Goal<'_>,
    trust: &Trust,
) -> Result<Option<File>, LoadError> {
    let path = std::path::absolute(path).map_err(|error| LoadError::unreadable(&error))?;
    let mut folders = vec![Folder::root().map_err(unreadable)?];
    let mut rest = parts_reversed(&path);
    let mut links = 0;
    // How many of the rest are the path's own; those above them are of a link.
    let mut own = rest.len();
    while let Some(part) = rest.pop() {
        let is_of_link = rest.len() >= own;
        own = own.min(rest.len());
        if part == ".." {
            // Links were followed, so the folder before is the parent. That of `/` is `/`.
            if folders.len() > 1 {
                folders.pop();
            }
            continue;
        }
        let Some(folder) = folders.last() else {
            return Err(not_a_file());
        };
        let is_last = rest.is_empty();
        match goal {
            // What holds the file itself is judged in full, ...
            Goal::File if is_last => folder.judge(trust, goal)?,
            // ... and whose files lie there is asked of each file.
            Goal::File => folder.judge_passed(trust, goal)?,
            // Libraries aren't asked, so whoever could put other ones in their place is.
            Goal::RunPath(_) => folder.judge_run_path(trust, goal)?,
        }
        let at = |what| goal.at(what, folder.path.join(&part));
        let found = match statat(&folder.handle, &part, AtFlags::SYMLINK_NOFOLLOW) {
            Err(Errno::NOENT) if matches!(goal, Goal::RunPath(_)) => {
                folder.judge(trust, goal)?;
                return Ok(None);
            }
            Err(Errno::NOENT) if is_of_link => {
                let mut target = folder.path.join(&part);
                target.extend(rest.iter().rev());
                return Err(LoadError::DanglingLink { target });
            }
            found => found.map_err(unreadable)?,
        };
        match FileType::from_raw_mode(found.st_mode) {
            FileType::Symlink => {
                links += 1;
                if links > MAX_LINKS {
                    return Err(unreadable(Errno::LOOP));
                }
                // Its mode means nothing; who owns it may make it lead elsewhere.
                trust.judge_owner(&|| at("link"), found.st_uid)?;
                let target = readlinkat(&folder.handle, &part, Vec::new()).map_err(unreadable)?;
                let target = PathBuf::from(OsString::from_vec(target.into_bytes()));
                if target.is_absolute() {
                    folders.truncate(1);
                }
                rest.extend(parts_reversed(&target));
            }
            FileType::Directory => {
                let next = folder.enter(&part).map_err(unreadable)?;
                folders.push(next);
            }
            FileType::RegularFile if is_last && matches!(goal, Goal::File) => {
                // Should it be a pipe by now, nothing waits for its other end.
                let flags = OFlags::RDONLY | OFlags::NONBLOCK;
                let file = folder.open(&part, flags).map_err(unreadable)?;
                let metadata = metadata(&file)?;
                if !metadata.is_file() {
                    return Err(other_kind());
                }
                trust.judge(&|| at("file"), &metadata)?;
                return Ok(Some(file));
            }
            _ if is_last && matches!(goal, Goal::File) => return Err(other_kind()),
            // No library lies behind it, and nobody else can put a folder in its place.
            _ if matches!(goal, Goal::RunPath(_)) => {
                return folder.judge(trust, goal).map(|()| None);
            }
            _ => return Err(unreadable(Errno::NOTDIR)),
        }
    }
    if let (Goal::RunPath(_), Some(folder)) = (goal, folders.last()) {
        folder.judge(trust, goal)?;
    }
    Ok(None)
}

impl Goal<'_> {
    fn at(self, what: &'static str, path: PathBuf) -> Waypoint {
        let run_path = match self {
            Self::File => None,
            Self::RunPath(folder) => Some(folder.to_owned()),
        };
        Waypoint {
            what,
            path,
            run_path,
        }
    }
}

impl Folder {
    fn root() -> rustix::io::Result<Self> {
        Self::new(rustix::fs::CWD, Path::new("/"), PathBuf::from("/"))
    }

    fn enter(&self, part: &OsString) -> rustix::io::Result<Self> {
        Self::new(&self.handle, Path::new(part), self.path.join(part))
    }

    fn new(from: impl std::os::fd::AsFd, part: &Path, path: PathBuf) -> rustix::io::Result<Self> {
        let flags = PASS | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let handle = File::from(openat(from, part, flags, Mode::empty())?);
        let metadata = handle
            .metadata()
            .map_err(|error| Errno::from_io_error(&error).unwrap_or(Errno::IO))?;
        Ok(Self {
            handle,
            metadata,
            path,
        })
    }

    fn open(&self, part: &OsString, flags: OFlags) -> rustix::io::Result<File> {
        let flags = flags | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        openat(&self.handle, part, flags, Mode::empty()).map(File::from)
    }

    fn judge(&self, trust: &Trust, goal: Goal<'_>) -> Result<(), LoadError> {
        trust.judge(&|| goal.at("folder", self.path.clone()), &self.metadata)
    }

    fn judge_passed(&self, trust: &Trust, goal: Goal<'_>) -> Result<(), LoadError> {
        trust.judge_passed(&|| goal.at("folder", self.path.clone()), &self.metadata)
    }

    fn judge_run_path(&self, trust: &Trust, goal: Goal<'_>) -> Result<(), LoadError> {
        let at = || goal.at("folder", self.path.clone());
        trust.judge_owner(&at, self.metadata.uid())?;
        trust.judge_passed(&at, &self.metadata)
    }
}

/// The names that a path leads through, the last one first.
fn parts_reversed(path: &Path) -> Vec<OsString> {
    let parts = path.components().rev().filter_map(|part| match part {
        Component::Normal(name) => Some(name.to_owned()),
        Component::ParentDir => Some("..".into()),
        Component::RootDir | Component::CurDir | Component::Prefix(_) => None,
    });
    parts.collect()
}

fn metadata(file: &File) -> Result<Metadata, LoadError> {
    file.metadata()
        .map_err(|error| LoadError::unreadable(&error))
}

fn unreadable(error: Errno) -> LoadError {
    LoadError::unreadable(&io::Error::from(error))
}

fn other_kind() -> LoadError {
    LoadError::NotRegularFile {
        kind: "a device, pipe or socket".to_owned(),
    }
}

/// The error for a path that leads to a folder.
pub(super) fn not_a_file() -> LoadError {
    LoadError::NotRegularFile {
        kind: "a directory".to_owned(),
    }
}
