//! An open file: where in it reading goes on, and how it tells that it isn't the one it was.

use std::fmt;
use std::fs::{File, Metadata};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;
use std::sync::Arc;

use super::gzip::Gzip;
use super::head::{self, Head};
use super::position::{Identity, Stand};

/// An open file.
#[derive(Debug)]
pub(super) struct Input {
    file: Arc<File>,
    gzip: Option<Gzip>,
    pub(super) identity: Identity,
}

/// Why a file can't be gone on with where it stood.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Mismatch {
    OtherFile { now: Identity, then: Identity },
    Shorter { length: u64, offset: u64 },
    OtherBeginning { length: usize },
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
                "was truncated: it has {length} bytes, fewer than the {offset} read before"
            ),
            Self::OtherBeginning { length } => write!(
                f,
                "has other content than what was read before: its first {length} bytes differ"
            ),
            Self::OtherContent { offset } => write!(
                f,
                "has other content than what was read before: no line ends at byte {offset}"
            ),
        }
    }
}

impl Input {
    /// Opens the file; `None` if there is none. What has lines is a regular file, and nothing else is
    /// waited for that has come to its path.
    pub(super) fn open(path: &Path) -> io::Result<Option<Self>> {
        let mut options = File::options();
        #[cfg(target_os = "linux")]
        {
            use std::os::unix::fs::OpenOptionsExt;
            options.custom_flags(rustix::fs::OFlags::NONBLOCK.bits().cast_signed());
        }
        let opened = options.read(true).open(path);
        let file = match opened {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            opened => Arc::new(opened?),
        };
        let metadata = file.metadata()?;
        if !metadata.is_file() {
            return Err(io::Error::other("it is no regular file"));
        }
        Ok(Some(Self {
            identity: Identity::of(&metadata),
            gzip: Gzip::detect(Arc::clone(&file))?,
            file,
        }))
    }

    /// Whether its offsets are those of the text that is compressed in it.
    pub(super) fn is_gzip(&self) -> bool {
        self.gzip.is_some()
    }

    pub(super) fn metadata(&self) -> io::Result<Metadata> {
        self.file.metadata()
    }

    /// Whether it has no path any more.
    pub(super) fn is_removed(&self) -> bool {
        #[cfg(unix)]
        {
            use std::os::unix::fs::MetadataExt;
            self.file.metadata().is_ok_and(|file| file.nlink() == 0)
        }
        #[cfg(not(unix))]
        false
    }

    /// Goes to where a file stood, unless this isn't it, or no longer has what was read then.
    ///
    /// Of the content its beginning is looked at, and the byte before the place: it ends a line, or is
    /// inside one.
    pub(super) fn go_to(&mut self, stand: &Stand) -> io::Result<Result<(), Mismatch>> {
        let (now, then) = (self.identity, stand.file);
        if now != then {
            return Ok(Err(Mismatch::OtherFile { now, then }));
        }
        let still_has = self.still_has(stand.offset, stand.head)?;
        if still_has.is_err() {
            return Ok(still_has);
        }
        let offset = stand.offset;
        let last = match (&mut self.gzip, offset.checked_sub(1)) {
            (Some(gzip), _) => gzip.last(),
            (None, Some(before)) => {
                self.file.seek(SeekFrom::Start(before))?;
                let mut last = [0];
                self.file.read_exact(&mut last)?;
                Some(last[0])
            }
            (None, None) => {
                self.file.rewind()?;
                None
            }
        };
        if last.is_some_and(|last| (last == b'\n') == stand.unfinished) {
            return Ok(Err(Mismatch::OtherContent { offset }));
        }
        Ok(Ok(()))
    }

    /// The first bytes, as many as there are up to the length of `to`. Doesn't move.
    fn begin<'b>(&mut self, to: &'b mut [u8]) -> io::Result<&'b [u8]> {
        if let Some(gzip) = &self.gzip {
            let begin = gzip.begin();
            let length = begin.len().min(to.len());
            to[..length].copy_from_slice(&begin[..length]);
            return Ok(&to[..length]);
        }
        let at = self.file.stream_position()?;
        self.file.rewind()?;
        let mut length = 0;
        while length < to.len() {
            match self.read(&mut to[length..])? {
                0 => break,
                read => length += read,
            }
        }
        self.file.seek(SeekFrom::Start(at))?;
        Ok(&to[..length])
    }

    /// What it begins with now.
    pub(super) fn head(&mut self) -> io::Result<Head> {
        Ok(Head::of(self.begin(&mut [0; head::MOST])?))
    }

    /// Whether it still has what was read of it: so many bytes, and the same beginning. Stands behind them
    /// if it did before.
    pub(super) fn still_has(&mut self, read: u64, head: Head) -> io::Result<Result<(), Mismatch>> {
        let length = match &mut self.gzip {
            Some(gzip) => gzip.skip_to(read)?,
            None => self.file.metadata()?.len(),
        };
        if length < read {
            let offset = read;
            return Ok(Err(Mismatch::Shorter { length, offset }));
        }
        if !head.fits(self.begin(&mut [0; head::MOST])?) {
            let length = head.length();
            return Ok(Err(Mismatch::OtherBeginning { length }));
        }
        Ok(Ok(()))
    }

    /// Reads once; 0 is the present end.
    pub(super) fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        loop {
            let read = match &mut self.gzip {
                Some(gzip) => gzip.read(to),
                None => self.file.read(to),
            };
            match read {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                read => return read,
            }
        }
    }

    /// Behind the last whole line that it has now; the lines before aren't counted.
    pub(super) fn end(&mut self) -> io::Result<Stand> {
        let mut block = [0; 8192];
        let (mut offset, mut end) = match &mut self.gzip {
            Some(gzip) => (gzip.last_line()?, 0),
            None => (0, self.file.metadata()?.len()),
        };
        while end > 0 {
            let begin = end.saturating_sub(block.len() as u64);
            // At most the length of the block.
            let block = &mut block[..usize::try_from(end - begin).unwrap_or(0)];
            self.file.seek(SeekFrom::Start(begin))?;
            self.file.read_exact(block)?;
            if let Some(newline) = memchr::memrchr(b'\n', block) {
                offset = begin + newline as u64 + 1;
                break;
            }
            end = begin;
        }
        Ok(Stand {
            offset,
            head: self.head()?,
            ..Stand::start_of(self.identity)
        })
    }
}
