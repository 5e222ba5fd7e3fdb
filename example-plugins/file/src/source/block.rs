//! From bytes to records: what is read of a file lies in the batch already, and each of its lines is one.

use std::io;

use plugin_api::{BatchWriter, Shared};

use super::unread::find_lines;
use super::{Lines, head};

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

impl Lines {
    /// Reads more of the file, straight into the batch, and hands out the lines that are whole now.
    /// Returns how much was read.
    pub(super) fn read_block(&mut self, batch: &mut BatchWriter) -> io::Result<usize> {
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
        let block: io::Result<Shared> = batch.share_with(ALIGNED + begun + wanted, |to| {
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
        let block = block?.slice(skipped..usize::MAX);
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
    pub(super) fn note_head(&mut self, read: usize) -> io::Result<()> {
        let (Some(input), Some(at)) = (&mut self.input, &mut self.at) else {
            return Ok(());
        };
        if read > 0 && at.head().length() < head::MOST {
            at.set_head(input.head()?);
        }
        Ok(())
    }

    /// Hands out the lines that were found in what was read before.
    pub(super) fn hand_out_unread(&mut self, batch: &mut BatchWriter, end: usize) {
        let block = batch.share(&self.unread.bytes()[..end]);
        self.unread.skip(end);
        self.hand_out(batch, block, NEWLINE);
    }

    /// Makes a record of each line of a block: up to each of the ends, less its newline.
    fn hand_out(&mut self, batch: &mut BatchWriter, block: Shared, newline: usize) {
        let Some(at) = &mut self.at else { return };
        let metadata = batch.share_metadata([("file.path", &*self.path)]);
        let mut begin = 0;
        for &end in &self.ends {
            at.pass((end - begin) as u64);
            let record = batch.create(&*at);
            let key = record.position().slice(0..at.key_length());
            record.shared(key, block.slice(begin..end - newline), metadata);
            begin = end;
        }
    }

    /// The last line ends without its newline, for which nobody waits any more.
    pub(super) fn hand_out_unfinished(&mut self, batch: &mut BatchWriter) {
        let length = self.unread.bytes().len();
        if let Some(at) = &mut self.at
            && length > 0
        {
            at.set_unfinished(true);
            if self.unread.is_too_long(self.config.max_line_bytes) {
                self.nack_long(batch, self.unread.length(), false);
                self.unread.clear();
                return;
            }
            let block = batch.share(self.unread.bytes());
            self.unread.skip(length);
            self.ends.clear();
            self.ends.push(length);
            self.hand_out(batch, block, 0);
        }
    }
}
