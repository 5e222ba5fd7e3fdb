//! Bytes that were read and not handed out yet.

use memchr::memchr_iter;

/// Longest line, in bytes.
pub(super) const LONGEST: usize = 32 << 20;

/// What was read behind the last line that was handed out: as a rule the beginning of the next.
#[derive(Debug, Default)]
pub(super) struct Unread {
    bytes: Vec<u8>,
    start: usize,
    /// Bytes, from the first on, that have no newline.
    scanned: usize,
}

impl Unread {
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes[self.start..]
    }

    /// Finds the lines in it, as [`find_lines`] does.
    pub(super) fn find_lines(&mut self, most: usize, ends: &mut Vec<usize>) {
        find_lines(&self.bytes[self.start..], self.scanned, most, ends);
        self.scanned = if ends.is_empty() {
            self.bytes().len()
        } else {
            0
        };
    }

    /// Forgets so many bytes, which were handed out.
    pub(super) fn skip(&mut self, length: usize) {
        self.start += length;
        self.scanned = 0;
    }

    /// Has these bytes in place of the old ones; `scanned` of them have no newline.
    pub(super) fn replace(&mut self, bytes: &[u8], scanned: usize) {
        self.bytes.clear();
        self.bytes.extend_from_slice(bytes);
        (self.start, self.scanned) = (0, scanned);
    }

    /// Forgets all of it: it is read again.
    pub(super) fn clear(&mut self) {
        self.replace(&[], 0);
    }

    /// Whether the first line is longer than one may be; asked when none was found.
    pub(super) fn is_too_long(&self) -> bool {
        self.bytes().len() > LONGEST
    }
}

/// Finds at most so many lines, together no longer than one may be so that a batch takes them; `ends`
/// gets where each ends, counted from the first. The first `scanned` bytes have no newline.
pub(super) fn find_lines(bytes: &[u8], scanned: usize, most: usize, ends: &mut Vec<usize>) {
    ends.clear();
    ends.extend(
        memchr_iter(b'\n', &bytes[scanned..])
            .take(most)
            .map(|newline| scanned + newline + 1)
            .take_while(|&end| end <= LONGEST + 1),
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_line_is_taken_and_a_longer_one_is_not() {
        for (length, taken) in [(LONGEST, true), (LONGEST + 1, false)] {
            let mut text = vec![b'x'; length];
            text.push(b'\n');
            let mut unread = Unread::default();
            unread.replace(&text, 0);
            let mut ends = Vec::new();
            unread.find_lines(1, &mut ends);
            assert_eq!(!ends.is_empty(), taken, "{length}");
            assert!(taken || unread.is_too_long());
        }
    }

    #[test]
    fn a_run_of_lines_is_no_longer_than_a_line_may_be() {
        let mut line = vec![b'x'; (1 << 20) - 1];
        line.push(b'\n');
        let text = line.repeat((2 * LONGEST) >> 20);
        let mut ends = Vec::new();
        find_lines(&text, 0, 1000, &mut ends);
        assert_eq!(ends.last(), Some(&LONGEST));
    }
}
