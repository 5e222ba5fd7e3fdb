//! Lines that are longer than `maxLineBytes`: what becomes of them, without holding them in memory.

use std::io;

use plugin_api::BatchWriter;

use super::Lines;

/// Bytes that are read at once of what isn't kept.
const BLOCK: usize = 64 << 10;

impl Lines {
    /// Reads on in the line that is too long, of which the beginning was read, and nacks it once its end
    /// is known. Returns how much was read, or had been read already; 0 is the present end of the file.
    pub(super) fn pass_long(&mut self, batch: &mut BatchWriter) -> io::Result<usize> {
        if let Some(end) = self.unread.end_of_long(self.config.max_line_bytes) {
            self.nack_long(batch, end as u64, true);
            self.unread.skip(end + 1);
            return Ok(end);
        }
        let Some(input) = &mut self.input else {
            return Ok(0);
        };
        let mut block = vec![0; BLOCK];
        let read = input.read(&mut block)?;
        self.has_read |= read > 0;
        match memchr::memchr(b'\n', &block[..read]) {
            Some(end) => {
                self.nack_long(batch, self.unread.length() + end as u64, true);
                self.unread.replace(&block[end + 1..read], 0);
            }
            None => self.unread.cut_more(read),
        }
        self.note_head(read)?;
        Ok(read)
    }

    /// Nacks the line that is too long: a record with its beginning as payload, behind which the source
    /// goes on.
    pub(super) fn nack_long(&mut self, batch: &mut BatchWriter, length: u64, is_whole: bool) {
        let longest = self.config.max_line_bytes;
        let Some(at) = &mut self.at else { return };
        let (line, offset) = (at.stand().line + 1, at.offset());
        at.pass(length + u64::from(is_whole));
        let metadata = batch.share_metadata([("file.path", &*self.path)]);
        let begin = self.unread.bytes();
        let begin = batch.share(&begin[..begin.len().min(longest)]);
        let record = batch.create(&*at);
        let key = record.position().slice(0..at.key_length());
        let end = if is_whole { "" } else { " and no end yet" };
        record.shared(key, begin, metadata).nack(format_args!(
            "line {line} of `{}`, at byte {offset}, has {length} bytes{end}, more than the {longest} of \
             `maxLineBytes`",
            self.path
        ));
    }
}
