//! The source: one record a line, of one file or of all that a glob names.
//!
//! [`Files`] knows which files there are, by device and inode and by what they begin with, and which has to
//! be read next; [`Lines`] reads one at a time and makes records of its lines. What is read lies in the
//! batch already ([`Lines::read_block`]); only the beginning of a line that isn't whole yet is kept.
//!
//! A position is that of a record's own file, then where other files stand that have changed lately, then
//! the name of a journal that has the rest: see [`stands`]. So it is bounded however many files there are,
//! each is complete, and the order in which files are read is free:
//!
//! - **I1**: positions of a file only move on while its lines are handed out, and what a position says of
//!   the other files was handed out before it. A journal is on the disk before a position names it.
//! - **Rotation**: a file keeps its inode when it is renamed, so its place stays right; it is looked for
//!   beside its old path. Its successors are found by their names and times. It stays in the positions
//!   until one of them has something in it, so a run that begins later finds all that came in between.
//! - **Truncation**: a file with less, or another beginning, than was read has lost its place. A copy with
//!   the same beginning takes it over, and the file itself is read from its beginning.
//! - **Restart**: what the position doesn't say of a file is that it was never begun.
//!
//! Files are read in rounds, each up to the length that it had when the round began, those first that were
//! written to longest ago. Nothing is read twice but what a window holds.

mod config;
mod files;
mod gzip;
mod head;
mod input;
mod journal;
mod pattern;
mod position;
mod stands;
#[cfg(test)]
mod tests;
mod unread;
mod visit;
mod watch;

use std::io;
use std::time::SystemTime;

use plugin_api::{
    BatchWriter, Context, Error, ErrorKind, Position, Progress, Result, Shared, Source,
};

pub use config::LinesConfig;
use files::{Ending, Files, Visit};
use input::Input;
use pattern::Pattern;
use position::Place;
use stands::Stands;
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

/// Most bytes of the positions of one block's lines.
const POSITIONS: usize = 4 << 20;

/// Reads the lines of files.
///
/// A record has the line without its newline as payload, the line's number as key and the file's path as
/// metadata. A line is whole when its newline is there; the last one may also end with the file, once
/// nothing more is waited for. Of a glob's files each has its lines in order; between the files there is
/// no order, but for those that one rotation has made.
///
/// A file is known by its device, inode and first KiB, so it is never taken for another one: it may be
/// renamed, and what has another beginning, or less than was read of it, is read anew, and the log says
/// so. A file that was rotated is looked for in its folder, under a name that is longer by `.`, `-` or
/// `_` and more: by its inode, else a copy by its beginning. Those with a digit there and a later time of
/// writing are its successors, and are read before the file that has the path now. What a glob names itself
/// isn't taken for a copy: with copying and truncating, name the file, or by a glob that its copies don't
/// match.
///
/// What is in none of these places isn't read: what was written behind the position into a file that was
/// moved to another folder or removed, unless it was open, as the last 256 files of a glob are.
#[derive(Debug)]
pub struct Lines {
    config: LinesConfig,
    files: Files,
    /// The file that is being read; none while there is nothing to read.
    input: Option<Input>,
    visit: Visit,
    /// Whether the file had anything since the visit began.
    has_read: bool,
    /// Path of the file that is or was being read.
    path: String,
    /// Where that file stands.
    at: Option<Place>,
    /// What was read of it behind that.
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

    fn validate(config: &LinesConfig) -> Result<()> {
        Pattern::new(&config.path).map(drop)
    }

    fn open(config: LinesConfig, position: Option<&Position>) -> Result<Self> {
        let folder = config.places_folder.clone();
        let (stands, goes_on) = match position {
            Some(position) => (Stands::read(position, folder)?, true),
            None => (Stands::new(folder), false),
        };
        let start_at_end = !goes_on && config.start_at == "end";
        let pattern = Pattern::new(&config.path)?;
        let mut lines = Self {
            files: Files::new(pattern, stands, start_at_end),
            path: config.path.display().to_string(),
            config,
            input: None,
            visit: Visit::default(),
            has_read: false,
            at: None,
            unread: Unread::default(),
            ends: Vec::new(),
            line_length: 100,
            said_waiting: false,
        };
        lines.check_kind()?;
        let ending = if lines.config.follow {
            Ending::Never
        } else {
            Ending::AtOnce
        };
        let looked = lines.files.look(ending, SystemTime::now());
        looked.map_err(|error| lines.error("can't be looked for", &error))?;
        if lines.files.is_empty() && !lines.config.follow && lines.files.one_path().is_some() {
            return Err(lines.not_there());
        }
        Ok(lines)
    }

    fn read(&mut self, batch: &mut BatchWriter, context: &Context) -> Result<Progress> {
        let room = batch.room();
        // A read for a small rest of the batch would be as dear as one for all of it.
        while batch.room() > room / 2 {
            if self.input.is_none() {
                if self.files.others_wait() {
                    self.begin_next(batch)?;
                } else if !batch.is_empty() {
                    return Ok(Progress::More);
                } else if let Some(progress) = self.look(context)? {
                    return Ok(progress);
                }
                continue;
            }
            let longest = self.config.max_line_bytes;
            self.unread
                .find_lines(batch.room(), longest, &mut self.ends);
            if let Some(&end) = self.ends.last() {
                let block = batch.share(&self.unread.bytes()[..end]);
                self.unread.skip(end);
                self.hand_out(batch, block, NEWLINE);
            } else if self.unread.is_too_long(longest) {
                return Err(self.too_long());
            } else if self.is_due() {
                self.put_aside();
            } else if self.read_block(batch)? == 0 {
                self.at_end(batch);
            }
        }
        Ok(Progress::More)
    }

    fn ack(&mut self, position: &Position) -> Result<()> {
        self.files.is_durable(position);
        Ok(())
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
        let longest = self.config.max_line_bytes;
        let room = batch.room().min(1 + POSITIONS / at.suffix_length());
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
            if at.is_unfinished() && read > 0 {
                at.set_unfinished(false);
                if behind.starts_with(b"\n") {
                    at.pass_newline();
                    behind.copy_within(1..read, 0);
                    length -= 1;
                }
            }
            let filled = &to[..begun + length];
            find_lines(filled, begun, room, longest, ends);
            let end = ends.last().copied().unwrap_or(0);
            let scanned = if end == 0 { filled.len() } else { 0 };
            unread.replace(&filled[end..], scanned);
            Ok(skipped + end)
        });
        let block = block.map_err(|error| self.error("can't be read", &error))?;
        let block = block.slice(skipped..usize::MAX);
        self.has_read |= read > 0;
        self.note_head(read)?;
        if let Some(&end) = self.ends.last() {
            self.line_length = end / self.ends.len() + 1;
            self.hand_out(batch, block, NEWLINE);
        }
        Ok(read)
    }

    /// Learns more of the file's head once more of it was read.
    #[inline]
    fn note_head(&mut self, read: usize) -> Result<()> {
        let (Some(input), Some(at)) = (&mut self.input, &mut self.at) else {
            return Ok(());
        };
        if read > 0 && at.head().length() < head::MOST {
            let head = input.head();
            let head = head.map_err(|error| self.error("can't be read", &error))?;
            if let Some(at) = &mut self.at {
                at.set_head(head);
            }
        }
        Ok(())
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
            at.set_unfinished(true);
            let block = batch.share(self.unread.bytes());
            self.unread.skip(length);
            self.ends.clear();
            self.ends.push(length);
            self.hand_out(batch, block, 0);
        }
    }

    /// Opening a pipe would wait for whoever writes to it, and there is no place to go on from.
    fn check_kind(&self) -> Result<()> {
        let one = self.files.one_path();
        if one.is_some_and(|path| path.metadata().is_ok_and(|found| !found.is_file())) {
            let text = format!("`{}` is no regular file, name one", self.path);
            return Err(Error::new(ErrorKind::Fatal, text).with_code("file.not_regular"));
        }
        Ok(())
    }

    fn not_there(&self) -> Error {
        let text = format!("`{}` isn't there; make it, or mend `path`", self.path);
        Error::new(ErrorKind::Fatal, text).with_code("file.not_found")
    }

    /// Refuses a line. Once there are dead letters, this is where it becomes one.
    fn too_long(&self) -> Error {
        let (line, offset) = match &self.at {
            Some(at) => (at.stand().line + 1, at.offset()),
            None => (1, 0),
        };
        let text = format!(
            "line {line} of `{}`, at byte {offset}, is longer than the {} bytes of `maxLineBytes`{}",
            self.path,
            self.config.max_line_bytes,
            if self.config.max_line_bytes < LONGEST {
                "; allow more, or take the line out"
            } else {
                ", the most there can be"
            }
        );
        Error::new(ErrorKind::Fatal, text).with_code("file.line_too_long")
    }

    fn error(&self, what: &str, error: &io::Error) -> Error {
        failed(&self.path, what, error)
    }
}

fn failed(path: &str, what: &str, error: &io::Error) -> Error {
    Error::new(ErrorKind::Retry, format!("`{path}` {what}: {error}")).with_code("file.io")
}
