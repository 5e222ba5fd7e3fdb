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

mod block;
mod config;
mod errors;
mod files;
mod found;
mod gzip;
mod head;
mod input;
mod journal;
mod passed_over;
mod pattern;
mod position;
mod stands;
#[cfg(test)]
mod tests;
mod too_long;
mod unread;
mod visit;
mod watch;

use std::time::SystemTime;

use plugin_api::{BatchWriter, Context, Position, Progress, Result, Source};

pub use config::LinesConfig;
use files::{Ending, Files, Visit};
use input::Input;
use pattern::Pattern;
use position::Place;
use stands::Stands;
use unread::Unread;

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
        let owner = journal::owner(&config.path);
        let (stands, goes_on) = match position {
            Some(position) => (Stands::read(position, folder, owner)?, true),
            None => (Stands::begin(folder, owner), false),
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
                self.hand_out_unread(batch, end);
            } else if self.is_due() {
                self.put_aside();
            } else {
                let read = if self.unread.is_too_long(longest) {
                    self.pass_long(batch)
                } else {
                    self.read_block(batch)
                };
                match read {
                    Ok(0) => self.at_end(batch),
                    Ok(_) => {}
                    Err(error) => self.pass_over(&error)?,
                }
            }
        }
        Ok(Progress::More)
    }

    fn ack(&mut self, position: &Position) -> Result<()> {
        self.files.is_durable(position);
        Ok(())
    }
}
