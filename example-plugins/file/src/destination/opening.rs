//! How a destination finds its file: whether the settings can hold there, under which name it goes on,
//! and where the whole records end.
//!
//! Owns what is changed of a file that is there before anything is appended: a torn line gets its newline,
//! a torn gzip member is cut off. It writes no records.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use plugin_api::{Error, Result};

use super::gzip::{self, Tail};
use super::output::failed;
use super::{AppendConfig, Compression, Sync, names};

/// How any gzip file begins.
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// Refuses settings that need a file which can be renamed and synced, where there is something else.
pub(super) fn refuse_what_cant_hold(config: &AppendConfig) -> Result<()> {
    // What is wrong with a path that can't be looked at is said when it is opened.
    if fs::metadata(&config.path).map_or(true, |metadata| metadata.is_file() || metadata.is_dir()) {
        return Ok(());
    }
    let settings = [
        ("sync", config.sync == Sync::Data, "none", "synced"),
        ("maxBytes", config.max_bytes > 0, "0", "rotated"),
        ("atomic", config.atomic, "false", "renamed"),
    ];
    match settings.iter().find(|(_, is_set, ..)| *is_set) {
        None => Ok(()),
        Some((name, _, instead, done)) => Err(Error::invalid_config(
            *name,
            format!(
                "expected `{instead}`: `{}` is no regular file, and only such a file can be {done}",
                config.path.display()
            ),
        )),
    }
}

/// The name under which an atomic file is written. A finished file that is there goes on under it.
pub(super) fn take_back(path: &Path) -> Result<PathBuf> {
    let part = names::part_of(path);
    let cant = |error: io::Error| {
        let what = format!("can't be renamed to `{}` to go on", part.display());
        failed(path, &what, &error)
    };
    match fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(part),
        Err(error) => return Err(cant(error)),
        Ok(metadata) if !metadata.is_file() => {
            return Err(cant(io::ErrorKind::IsADirectory.into()));
        }
        Ok(metadata) if metadata.len() == 0 && part.exists() => {
            // A name that a killed run had claimed, see `names::rename_new`.
            fs::remove_file(path).map_err(cant)?;
            return Ok(part);
        }
        Ok(_) => {}
    }
    match names::rename_new(path, &part) {
        Ok(()) => Ok(part),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(Error::fatal(format!(
            "both `{}` and `{}` are there, and a run can't go on with both: the first is what a finished \
             run has left, the second is of one that wasn't finished; move one of them away",
            path.display(),
            part.display()
        ))
        .with_code("file.both")),
        Err(error) => Err(cant(error)),
    }
}

pub(super) fn open_to_append(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .read(true)
        .append(true)
        .create(true)
        .open(path)
}

/// Finds where the whole records of a regular file end, and sees to it that it ends there.
pub(super) fn find_end(file: &mut File, path: &Path, compression: Compression) -> Result<u64> {
    let mut find = || {
        let length = file.metadata()?.len();
        let whole = match compression {
            Compression::None => end_line(file, length)?,
            Compression::Gzip => gzip::tail(file, length)?,
        };
        if let Tail::Whole(end) = whole
            && end < length
        {
            file.set_len(end)?;
        }
        Ok(whole)
    };
    let found = find().map_err(|error| failed(path, "can't be opened to append", &error))?;
    let (is, wanted) = match (found, compression) {
        (Tail::Whole(end), _) => return Ok(end),
        (Tail::Foreign, Compression::None) => ("is a gzip file", "lines would be"),
        (Tail::Foreign, Compression::Gzip) => (
            "begins or ends with something else than the gzip of this destination",
            "gzip would be",
        ),
    };
    Err(Error::fatal(format!(
        "`{}` {is}, and {wanted} appended: move it away, write to another path, or set `compression` \
         to what it is",
        path.display()
    ))
    .with_code("file.foreign"))
}

/// Makes sure that what is appended begins a line: a run that was killed may have left a part of one.
fn end_line(file: &mut File, length: u64) -> io::Result<Tail> {
    let mut first = [0; GZIP.len()];
    if length >= first.len() as u64 {
        file.seek(SeekFrom::Start(0))?;
        file.read_exact(&mut first)?;
        if first == GZIP {
            return Ok(Tail::Foreign);
        }
    }
    if length > 0 {
        file.seek(SeekFrom::End(-1))?;
        let mut last = [0];
        file.read_exact(&mut last)?;
        if last != *b"\n" {
            file.write_all(b"\n")?;
            return Ok(Tail::Whole(length + 1));
        }
    }
    Ok(Tail::Whole(length))
}
