//! The content of a gzip file. Offsets are those of the text in it.

use std::fs::File;
use std::io::{self, Read, Seek};
use std::sync::Arc;

use flate2::read::MultiGzDecoder;

use super::head;

/// What such a file begins with: two bytes that tell it, and the only method there is.
const MAGIC: [u8; 3] = [0x1f, 0x8b, 8];

/// A gzip file that is being read.
#[derive(Debug)]
pub(super) struct Gzip {
    /// The decoder's, too.
    file: Arc<File>,
    decoder: MultiGzDecoder<Arc<File>>,
    /// Bytes of the text that were read, and the last of them.
    at: u64,
    last: Option<u8>,
    /// Whether the file ended inside the compressed data: it isn't whole yet.
    is_cut: bool,
    /// The first bytes of the text.
    begin: Vec<u8>,
}

impl Gzip {
    /// Begins to read, if the file is one.
    pub(super) fn detect(mut file: Arc<File>) -> io::Result<Option<Self>> {
        let mut begin = Vec::new();
        file.by_ref()
            .take(MAGIC.len() as u64)
            .read_to_end(&mut begin)?;
        file.rewind()?;
        if begin != MAGIC {
            return Ok(None);
        }
        let mut gzip = Self {
            decoder: MultiGzDecoder::new(Arc::clone(&file)),
            file,
            at: 0,
            last: None,
            is_cut: false,
            begin: Vec::new(),
        };
        gzip.restart()?;
        Ok(Some(gzip))
    }

    fn rewind(&mut self) -> io::Result<()> {
        self.file.rewind()?;
        self.decoder = MultiGzDecoder::new(Arc::clone(&self.file));
        (self.at, self.last, self.is_cut) = (0, None, false);
        Ok(())
    }

    /// Goes to the beginning, and looks at it anew: it may have been written meanwhile.
    fn restart(&mut self) -> io::Result<()> {
        self.rewind()?;
        let mut begin = vec![0; head::MOST];
        let mut length = 0;
        while let read @ 1.. = self.read(&mut begin[length..])? {
            length += read;
        }
        begin.truncate(length);
        self.begin = begin;
        self.rewind()
    }

    /// The first bytes of the text.
    pub(super) fn begin(&self) -> &[u8] {
        &self.begin
    }

    /// Reads once; 0 is the end, also of a file that isn't whole yet.
    pub(super) fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        if self.is_cut {
            return Ok(0);
        }
        match self.decoder.read(to) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                self.is_cut = true;
                Ok(0)
            }
            Ok(read) => {
                self.at += read as u64;
                self.last = read.checked_sub(1).map_or(self.last, |last| Some(to[last]));
                Ok(read)
            }
            Err(error) => Err(error),
        }
    }

    /// The byte before the place where it is.
    pub(super) fn last(&self) -> Option<u8> {
        self.last
    }

    /// Reads from the beginning up to here and returns how far it got.
    pub(super) fn skip_to(&mut self, offset: u64) -> io::Result<u64> {
        self.restart()?;
        let mut block = [0; 16 << 10];
        while self.at < offset {
            let wanted = usize::try_from(offset - self.at).unwrap_or(usize::MAX);
            let wanted = wanted.min(block.len());
            if self.read(&mut block[..wanted])? == 0 {
                break;
            }
        }
        Ok(self.at)
    }

    /// Reads all of it, and returns where its last line ends.
    pub(super) fn last_line(&mut self) -> io::Result<u64> {
        self.rewind()?;
        let mut block = [0; 16 << 10];
        let mut end = 0;
        loop {
            let begin = self.at;
            match self.read(&mut block)? {
                0 => return Ok(end),
                read => {
                    if let Some(newline) = memchr::memrchr(b'\n', &block[..read]) {
                        end = begin + newline as u64 + 1;
                    }
                }
            }
        }
    }
}
