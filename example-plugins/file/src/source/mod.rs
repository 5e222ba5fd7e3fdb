//! The source: one record a line.

mod ending;
mod input;
mod position;
#[cfg(test)]
mod tests;
mod unread;

use std::fs;
use std::io;
use std::path::PathBuf;

use plugin_api::{
    BatchWriter, Context, Error, ErrorKind, Parameters, Position, Progress, Result, Shared, Source,
};

use input::Input;
use position::Place;
use unread::{LONGEST, Unread, find_lines};

/// Fewest and most bytes that are read at once, but for lines that are longer.
const BLOCK: std::ops::RangeInclusive<usize> = 16 << 10..=256 << 10;
/// Most bytes that are read at once of a long line: with what was read of it, a batch takes it.
const LONGEST_BLOCK: usize = 16 << 20;

/// Reads end where a page of the file does, and go where a cache line of the batch begins: the system
/// copies those faster.
const PAGE: u64 = 4096;
const ALIGNED: usize = 64;

/// Length of what ends a line.
const NEWLINE: usize = 1;

/// Settings of the source.
#[derive(Debug, Parameters)]
pub struct LinesConfig {
    /// File that is read, one record a line.
    path: PathBuf,
    /// Whether to wait for further lines, and for the file itself, instead of ending where the file
    /// ends. A last line without a newline waits for it; a run that ends where the data ends at
    /// present takes it as it is once the file was not written to for a second. A file that is
    /// renamed is read to its end, and then the one that has its name now.
    #[parameter(default = true)]
    follow: bool,
}

/// Reads the lines of a file.
///
/// A record has the line without its newline as payload, the line's number as key and the path as
/// metadata. A line is whole when its newline is there; the last one may also end with the file,
/// once nothing more is waited for.
///
/// The file is never taken for another one: where the position was taken in another file, or what
/// was read of it has changed, it is read from its beginning, and the log says so. What the file that
/// had the name before got meanwhile, while the source didn't run, isn't read; nor are files that had
/// the name for less than a second. That a file was truncated isn't noticed once it is longer again
/// than what was read of it, unless no line ends there when the source is opened.
#[derive(Debug)]
pub struct Lines {
    config: LinesConfig,
    path: String,
    /// None until the file is there.
    input: Option<Input>,
    /// None until something was opened, where there was no position.
    at: Option<Place>,
    unread: Unread,
    /// Ends of the lines that are being handed out.
    ends: Vec<usize>,
    /// Length of a line, by those of the last block.
    line_length: usize,
    /// Whether the log has said that the file isn't there.
    said_waiting: bool,
}

impl Source for Lines {
    type Config = LinesConfig;

    fn open(config: LinesConfig, position: Option<&Position>) -> Result<Self> {
        let mut lines = Self {
            path: config.path.display().to_string(),
            config,
            input: None,
            at: position.map(Place::from_position).transpose()?,
            unread: Unread::default(),
            ends: Vec::new(),
            line_length: 100,
            said_waiting: false,
        };
        lines.open_input()?;
        if lines.input.is_none() && !lines.config.follow {
            return Err(lines.not_there());
        }
        Ok(lines)
    }

    fn read(&mut self, batch: &mut BatchWriter, context: &Context) -> Result<Progress> {
        if self.input.is_none() {
            self.open_input()?;
        }
        if self.input.is_none() {
            return self.await_file(context);
        }
        let room = batch.room();
        // A read for a small rest of the batch would be as dear as one for all of it.
        while batch.room() > room / 2 {
            self.unread.find_lines(batch.room(), &mut self.ends);
            if let Some(&end) = self.ends.last() {
                let block = batch.share(&self.unread.bytes()[..end]);
                self.unread.skip(end);
                self.hand_out(batch, block, NEWLINE);
            } else if self.unread.is_too_long() {
                return Err(self.too_long());
            } else if self.read_block(batch)? == 0 {
                return self.at_end(batch, context);
            }
        }
        Ok(Progress::More)
    }
}

impl Lines {
    /// Reads more of the file, straight into the batch, and hands out the lines that are whole now.
    /// Returns how much was read.
    fn read_block(&mut self, batch: &mut BatchWriter) -> Result<usize> {
        let (Some(input), Some(at)) = (&mut self.input, &mut self.at) else {
            return Ok(0);
        };
        let (unread, ends) = (&mut self.unread, &mut self.ends);
        let room = batch.room();
        let begun = unread.bytes().len();
        let wanted = room
            .saturating_mul(self.line_length)
            .clamp(*BLOCK.start(), *BLOCK.end())
            // A long line takes few steps, not many of the same size.
            .max(begun.min(LONGEST_BLOCK));
        let past_page = ((at.offset() + (begun + wanted) as u64) % PAGE) as usize;
        let wanted = wanted - past_page;
        ends.clear();
        let mut read = 0;
        let mut skipped = 0;
        let block = batch.share_with(ALIGNED + begun + wanted, |to| {
            skipped = to[begun..].as_ptr().align_offset(ALIGNED).min(ALIGNED);
            let to = &mut to[skipped..][..begun + wanted];
            let (before, behind) = to.split_at_mut(begun);
            before.copy_from_slice(unread.bytes());
            read = input.read(behind)?;
            let mut length = read;
            if at.unfinished && read > 0 {
                at.unfinished = false;
                if behind.starts_with(b"\n") {
                    at.pass_newline();
                    behind.copy_within(1..read, 0);
                    length -= 1;
                }
            }
            let filled = &to[..begun + length];
            find_lines(filled, begun, room, ends);
            let end = ends.last().copied().unwrap_or(0);
            let scanned = if end == 0 { filled.len() } else { 0 };
            unread.replace(&filled[end..], scanned);
            Ok(skipped + end)
        });
        let block = block.map_err(|error| self.error("can't be read", &error))?;
        let block = block.slice(skipped..usize::MAX);
        if let Some(&end) = self.ends.last() {
            self.line_length = end / self.ends.len() + 1;
            self.hand_out(batch, block, NEWLINE);
        }
        Ok(read)
    }

    /// Makes a record of each line of a block: up to each of the ends, less its newline.
    fn hand_out(&mut self, batch: &mut BatchWriter, block: Shared, newline: usize) {
        let Some(at) = &mut self.at else { return };
        let metadata = batch.share_metadata([("file.path", &*self.path)]);
        let mut begin = 0;
        for &end in &self.ends {
            at.pass(end - begin);
            let record = batch.create(&*at);
            let key = record.position().slice(0..at.key_length());
            record.shared(key, block.slice(begin..end - newline), metadata);
            begin = end;
        }
    }

    /// The last line ends without its newline, for which nobody waits any more.
    fn hand_out_unfinished(&mut self, batch: &mut BatchWriter) {
        let length = self.unread.bytes().len();
        if let Some(at) = &mut self.at
            && length > 0
        {
            at.unfinished = true;
            let block = batch.share(self.unread.bytes());
            self.unread.skip(length);
            self.ends.clear();
            self.ends.push(length);
            self.hand_out(batch, block, 0);
        }
    }

    /// Opens the file behind the position, if it is there.
    fn open_input(&mut self) -> Result<()> {
        // Opening a pipe would wait for whoever writes to it, and there is no place to go on from.
        if fs::metadata(&self.config.path).is_ok_and(|found| !found.is_file()) {
            let text = format!("`{}` is no regular file, name one", self.path);
            return Err(Error::new(ErrorKind::Fatal, text).with_code("file.not_regular"));
        }
        let opened = Input::open(&self.config.path);
        let Some(mut input) = opened.map_err(|error| self.error("can't be opened", &error))? else {
            return Ok(());
        };
        let gone = match &self.at {
            Some(place) => input.go_to(place),
            None => Ok(Ok(())),
        };
        let gone = gone.map_err(|error| self.error("can't be read", &error))?;
        let file = input.identity;
        self.input = Some(input);
        match gone {
            Err(mismatch) => {
                log::warn!(
                    "`{}` {mismatch}; reading it from its beginning, so that nothing is skipped",
                    self.path
                );
                self.start_over()?;
            }
            Ok(()) => {
                self.at.get_or_insert_with(|| Place::start_of(file));
            }
        }
        Ok(())
    }

    fn not_there(&self) -> Error {
        let text = format!("`{}` isn't there; make it, or mend `path`", self.path);
        Error::new(ErrorKind::Fatal, text).with_code("file.not_found")
    }

    fn too_long(&self) -> Error {
        let (line, offset) = match &self.at {
            Some(at) => (at.line() + 1, at.offset()),
            None => (1, 0),
        };
        let text = format!(
            "line {line} of `{}`, at byte {offset}, is longer than {} MiB",
            self.path,
            LONGEST >> 20
        );
        Error::new(ErrorKind::Fatal, text).with_code("file.line_too_long")
    }

    fn error(&self, what: &str, error: &io::Error) -> Error {
        Error::new(ErrorKind::Retry, format!("`{}` {what}: {error}", self.path))
            .with_code("file.io")
    }
}
