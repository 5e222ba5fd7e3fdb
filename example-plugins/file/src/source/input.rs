//! The file that is being read, and what has become of it meanwhile.

use std::fmt;
use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;
use std::time::{Duration, SystemTime};

use super::position::{Identity, Place};

/// A file that was not written to for so long is taken to be finished by whoever wrote it.
const SETTLED: Duration = Duration::from_secs(1);

/// An open file.
#[derive(Debug)]
pub(super) struct Input {
    file: File,
    pub(super) identity: Identity,
}

/// What has become of a file while it was read.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// It may get longer.
    Same,
    /// It has so many bytes, fewer than were read.
    Truncated(u64),
    /// Another file has its name.
    Rotated,
}

/// Why a position can't be gone on from.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Mismatch {
    OtherFile { now: Identity, then: Identity },
    Shorter { length: u64, offset: u64 },
    OtherContent { offset: u64 },
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OtherFile { now, then } => {
                write!(
                    f,
                    "is another file ({now}) than the one read before ({then})"
                )
            }
            Self::Shorter { length, offset } => write!(
                f,
                "has {length} bytes, fewer than the {offset} read before: it was truncated"
            ),
            Self::OtherContent { offset } => write!(
                f,
                "has other content than what was read before: no line ends at byte {offset}"
            ),
        }
    }
}

impl Input {
    /// Opens the file; `None` if there is none.
    pub(super) fn open(path: &Path) -> io::Result<Option<Self>> {
        let opened = File::open(path).and_then(|file| Ok((file.metadata()?, file)));
        match opened {
            Ok((metadata, file)) => Ok(Some(Self {
                identity: Identity::of(&metadata),
                file,
            })),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Goes to a place, unless this isn't the file, or not the content, that it was taken in.
    ///
    /// Of the content only the byte before the place is looked at: it ends a line, or is inside one.
    pub(super) fn go_to(&mut self, place: &Place) -> io::Result<Result<(), Mismatch>> {
        let (now, then) = (self.identity, place.file);
        if now != then {
            return Ok(Err(Mismatch::OtherFile { now, then }));
        }
        let offset = place.offset();
        let length = self.file.metadata()?.len();
        if length < offset {
            return Ok(Err(Mismatch::Shorter { length, offset }));
        }
        if let Some(before) = offset.checked_sub(1) {
            self.file.seek(SeekFrom::Start(before))?;
            let mut last = [0];
            self.file.read_exact(&mut last)?;
            if (last == *b"\n") == place.unfinished {
                return Ok(Err(Mismatch::OtherContent { offset }));
            }
        }
        Ok(Ok(()))
    }

    /// Goes to the beginning.
    pub(super) fn rewind(&mut self) -> io::Result<()> {
        self.file.rewind()
    }

    /// Reads once; 0 is the present end.
    pub(super) fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.file.read(to) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                read => return read,
            }
        }
    }

    /// What has become of the file, of which so many bytes were read.
    pub(super) fn fate(&self, path: &Path, read: u64) -> io::Result<Fate> {
        let length = self.file.metadata()?.len();
        if length < read {
            return Ok(Fate::Truncated(length));
        }
        // While nothing has its name, it is the one to wait for.
        let other = fs::metadata(path)
            .is_ok_and(|found| found.is_file() && Identity::of(&found) != self.identity);
        Ok(if other { Fate::Rotated } else { Fate::Same })
    }

    /// Whether nothing was written to it for a while before `now`. A clock that was set back says so, too.
    pub(super) fn is_settled(&self, now: SystemTime) -> io::Result<bool> {
        let written = self.file.metadata()?.modified().ok();
        let age = written.and_then(|written| now.duration_since(written).ok());
        Ok(age.is_none_or(|age| age >= SETTLED))
    }
}
