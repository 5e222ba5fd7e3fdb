//! Looking at one file, to tell all that can be told about it without executing any of it.
//!
//! Makes the judgements of stages 1 and 2, as loading does, but goes on behind a refusal: what the
//! file says is told whether or not it may be loaded. What only shows when a file is opened, of the
//! stages 3 to 5, stays unknown.

use std::fs::{File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use super::inspect::{self, GlibcVersion, Seen};
use super::{LoadError, Marker, Trust, check_specification, image, read, stem};
use crate::registry::ScanOptions;

/// What can be told of a file that was not executed.
#[derive(Debug)]
#[non_exhaustive]
pub struct Examined {
    /// The file.
    pub path: PathBuf,
    /// What the plugin says about itself; `None` where no marker could be read.
    pub marker: Option<Marker>,
    /// Names of the libraries that it needs; empty where the format isn't ELF.
    pub needed: Vec<String>,
    /// The folders that it has the dynamic loader search, as it names them.
    pub run_paths: Vec<String>,
    /// The newest glibc version that it asks for.
    pub glibc: Option<GlibcVersion>,
    /// Why it would not be loaded: at most one reason of stage 1 for the way to it and one for its
    /// run paths, one of stage 2, and one of what its marker says of stage 5.
    pub refusals: Vec<LoadError>,
    /// SHA-256 of the file in hexadecimal; `None` where it wasn't read, because it can't be or
    /// because it is no library.
    pub hash: Option<String>,
}

/// Looks at a file, and judges it by the options that it would be loaded with.
#[must_use]
pub fn examine(path: &Path, options: &ScanOptions) -> Examined {
    let mut refusals = Vec::new();
    let trust = Trust::new(
        folder(path),
        options.folders_are_named,
        &options.trust_owners,
    );
    let file = trust.open(path).or_else(|error| {
        refusals.push(error);
        open_untrusted(path).map_err(|_| None)
    });
    let bytes = file.and_then(|file| read(file, inspect::judge_kind).map_err(Some));
    let bytes = bytes.unwrap_or_else(|error| {
        refusals.extend(error);
        Vec::new()
    });
    let mut seen = Seen::default();
    if !bytes.is_empty() {
        seen = inspect::see(&bytes, &stem(path));
        refusals.extend(seen.refusal.take());
    }
    let folders: Vec<_> = seen.run_paths.iter().map(PathBuf::from).collect();
    // The others are refused as what they are.
    let absolute: Vec<_> = folders.into_iter().filter(|it| it.is_absolute()).collect();
    refusals.extend(trust.check_run_paths(&absolute).err());
    trust.warn();
    let marker = seen.marker;
    refusals.extend(
        marker
            .as_ref()
            .and_then(|marker| check_specification(&marker.specification).err()),
    );
    Examined {
        path: path.to_owned(),
        marker,
        needed: seen.needed,
        run_paths: seen.run_paths,
        glibc: seen.glibc,
        refusals,
        hash: (!bytes.is_empty()).then(|| image::hash_of(&bytes)),
    }
}

fn folder(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    }
}

/// Opens a regular file whoever it belongs to, to look at it; without waiting, should it be a pipe.
pub(super) fn open_untrusted(path: &Path) -> io::Result<File> {
    // Opening a device can have effects.
    if !std::fs::metadata(path)?.is_file() {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    let mut options = OpenOptions::new();
    options.read(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.custom_flags(rustix::fs::OFlags::NONBLOCK.bits().cast_signed());
    }
    options.open(path)
}
