//! The file that records are written to, and those that were full before it.
//!
//! Owns which file that is and where its whole records end: a write that fails leaves no part of a
//! record, and a file that is full gets its number. It knows no records and no answers, only pieces that
//! belong together.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use plugin_api::{Error, ErrorKind, Result};

use super::opening::{find_end, open_to_append, refuse_what_cant_hold, take_back};
use super::{AppendConfig, Sync, names};

/// An open file.
#[derive(Debug)]
pub(super) struct Output {
    /// The user's name of the file, with links followed where it may be renamed.
    path: PathBuf,
    /// What it is called while it is written.
    current: PathBuf,
    file: File,
    is_regular: bool,
    /// Where the whole records end, by what this destination has found and written.
    length: u64,
    is_synced: bool,
    /// A sync has failed. The system says so once, and forgets what it couldn't write.
    is_doubtful: bool,
    sync: Sync,
    /// Longest file; `None` for any length.
    most: Option<u64>,
    /// Number of the next full file.
    number: u64,
}

impl Output {
    /// Opens the file to go on behind its last whole record.
    pub(super) fn open(config: &AppendConfig) -> Result<Self> {
        refuse_what_cant_hold(config)?;
        let most = (config.max_bytes > 0).then_some(config.max_bytes);
        let given = &config.path;
        let cant_open = |error: io::Error| failed(given, "can't be opened to append", &error);
        let path = match most.is_some() || config.atomic {
            true => names::resolve(given).map_err(cant_open)?,
            false => given.clone(),
        };
        let current = match config.atomic {
            true => take_back(&path)?,
            false => path.clone(),
        };
        let file = open_to_append(&current).map_err(cant_open)?;
        let is_regular = file.metadata().map_err(cant_open)?.is_file();
        let mut this = Self {
            number: match most {
                Some(_) => names::next_number(&path).map_err(cant_open)?,
                None => 0,
            },
            path,
            current,
            file,
            is_regular,
            length: 0,
            is_synced: false,
            is_doubtful: false,
            sync: config.sync,
            most,
        };
        if is_regular {
            this.length = find_end(&mut this.file, &this.current, config.compression)?;
        }
        this.sync_new()?;
        Ok(this)
    }

    /// Where the next piece begins.
    pub(super) fn length(&self) -> u64 {
        self.length
    }

    /// Bytes that fit into the file, so that more of them need a new one.
    pub(super) fn room(&self) -> u64 {
        self.most
            .map_or(u64::MAX, |most| most.saturating_sub(self.length))
    }

    /// Begins a new file where so many bytes would make this one too long. What is too long for any file
    /// has one for itself.
    pub(super) fn make_room(&mut self, bytes: u64) -> Result<()> {
        if bytes > self.room() && self.length > 0 {
            self.rotate()?;
        }
        Ok(())
    }

    /// Writes records: all that `write` hands over, or nothing.
    pub(super) fn write(
        &mut self,
        write: impl FnOnce(&mut Counted<'_>) -> io::Result<()>,
    ) -> Result<()> {
        let mut counted = Counted {
            file: &mut self.file,
            bytes: 0,
        };
        let written = write(&mut counted);
        let bytes = counted.bytes;
        self.is_synced = false;
        match written {
            Ok(()) => {
                self.length += bytes;
                Ok(())
            }
            Err(error) => {
                self.cut_off(bytes);
                Err(failed(&self.current, "can't be written", &error))
            }
        }
    }

    /// Makes what was written survive a power cut, if the user wants that.
    pub(super) fn sync(&mut self) -> Result<()> {
        if self.sync == Sync::None || self.is_synced {
            return Ok(());
        }
        let synced = match self.is_doubtful {
            true => Err(io::Error::other("an earlier sync has failed")),
            false => self.file.sync_data(),
        };
        self.is_synced = synced.is_ok();
        self.is_doubtful = !self.is_synced;
        synced.map_err(|error| failed(&self.current, "can't be synced", &error))
    }

    /// Gives the file its own name, now that it is whole.
    pub(super) fn finish(mut self) -> Result<()> {
        if self.current == self.path {
            return Ok(());
        }
        self.sync()?;
        names::rename_new(&self.current, &self.path).map_err(|error| {
            let what = format!("can't be renamed to `{}`", self.path.display());
            failed(&self.current, &what, &error)
        })?;
        self.sync_names()
    }

    /// Takes back what a failed write has left behind the whole records. Where somebody else has
    /// written behind it, nothing is taken: the next run ends the line.
    fn cut_off(&mut self, bytes: u64) {
        if !self.is_regular || bytes == 0 {
            return;
        }
        let is_last = |metadata: fs::Metadata| metadata.len() == self.length + bytes;
        if self.file.metadata().is_ok_and(is_last)
            && let Err(error) = self.file.set_len(self.length)
        {
            log::warn!(
                "`{}` ends with a part of a record, which can't be cut off: {error}",
                self.current.display()
            );
        }
    }

    /// Gives the full file its number, and begins a new one.
    fn rotate(&mut self) -> Result<()> {
        self.sync()?;
        match names::number(&self.current, &self.path, self.number) {
            Ok(number) => self.number = number + 1,
            // Somebody else has taken the file away, which is as good.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(failed(&self.current, "can't be given a number", &error)),
        }
        let cant_begin = |error: io::Error| failed(&self.current, "can't be begun anew", &error);
        self.file = open_to_append(&self.current).map_err(cant_begin)?;
        self.length = self.file.metadata().map_err(cant_begin)?.len();
        self.sync_new()
    }

    /// Syncs a file that was just opened, and its name.
    fn sync_new(&mut self) -> Result<()> {
        self.is_synced = false;
        self.sync()?;
        self.sync_names()
    }

    fn sync_names(&self) -> Result<()> {
        if self.sync == Sync::None {
            return Ok(());
        }
        names::sync_folder(&self.current)
            .map_err(|error| failed(&self.current, "has a name that can't be synced", &error))
    }
}

/// The file for one piece, and how much of it has arrived.
pub(super) struct Counted<'a> {
    file: &'a mut File,
    bytes: u64,
}

impl Write for Counted<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes)?;
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// An error of the system. Another try may help, also where it needs somebody to make room, to give back a
/// right or to mount what is missing first: a pipeline that nobody attends is to go on by itself then.
/// Where the path can't be that of a file, nothing but another path helps.
pub(super) fn failed(path: &Path, what: &str, error: &io::Error) -> Error {
    let (code, help) = match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => (
            "file.full",
            "; nothing that was acknowledged is lost: make room, and the next try goes on",
        ),
        _ => ("file.io", ""),
    };
    let message = format!("`{}` {what}: {error}{help}", path.display());
    let kind = match error.kind() {
        io::ErrorKind::IsADirectory
        | io::ErrorKind::NotADirectory
        | io::ErrorKind::InvalidFilename => ErrorKind::Fatal,
        _ => ErrorKind::Retry,
    };
    Error::new(kind, message).with_code(code)
}
