//! Bytes that were read and not handed out yet.

use memchr::{memchr, memchr_iter};

/// Longest that a line may be set to be, in bytes.
pub(super) const LONGEST: usize = 32 << 20;

/// What was read behind the last line that was handed out: as a rule the beginning of the next.
#[derive(Debug, Default)]
pub(super) struct Unread {
    bytes: Vec<u8>,
    start: usize,
    /// Bytes, from the first on, that have no newline.
    scanned: usize,
    /// Bytes behind these, of a line that is too long, of which only the beginning is kept.
    cut: u64,
}

impl Unread {
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes[self.start..]
    }

    /// How much was read.
    pub(super) fn length(&self) -> u64 {
        self.bytes().len() as u64 + self.cut
    }

    /// Finds the lines in it, as [`find_lines`] does.
    pub(super) fn find_lines(&mut self, most: usize, longest: usize, ends: &mut Vec<usize>) {
        find_lines(&self.bytes[self.start..], self.scanned, most, longest, ends);
        self.scanned = if ends.is_empty() {
            self.bytes().len()
        } else {
            0
        };
    }

    /// Forgets so many bytes, which were handed out.
    pub(super) fn skip(&mut self, length: usize) {
        self.start += length;
        (self.scanned, self.cut) = (0, 0);
    }

    /// Has these bytes in place of the old ones; `scanned` of them have no newline.
    pub(super) fn replace(&mut self, bytes: &[u8], scanned: usize) {
        self.bytes.clear();
        self.bytes.extend_from_slice(bytes);
        (self.start, self.scanned, self.cut) = (0, scanned, 0);
    }

    /// Forgets all of it: it is read again.
    pub(super) fn clear(&mut self) {
        self.replace(&[], 0);
    }

    /// Whether the first line is longer than one may be; asked when none was found.
    pub(super) fn is_too_long(&self, longest: usize) -> bool {
        self.length() > longest as u64
    }

    /// Where the line that is too long ends, if that was read: the number of bytes before its newline.
    /// What of it was read behind the longest is forgotten otherwise.
    pub(super) fn end_of_long(&mut self, longest: usize) -> Option<usize> {
        if self.cut > 0 {
            return None;
        }
        let end = memchr(b'\n', self.bytes());
        if end.is_none() {
            self.cut = (self.bytes().len() - longest) as u64;
            self.bytes.truncate(self.start + longest);
            self.scanned = longest;
        }
        end
    }

    /// More of the line that is too long was read, and none of it is kept.
    pub(super) fn cut_more(&mut self, length: usize) {
        self.cut += length as u64;
    }
}

/// Finds at most so many lines, up to the first that is longer than the longest may be, together no
/// longer than [`LONGEST`] so that a batch takes them; `ends` gets where each ends, counted from the
/// first. The first `scanned` bytes have no newline.
pub(super) fn find_lines(
    bytes: &[u8],
    scanned: usize,
    most: usize,
    longest: usize,
    ends: &mut Vec<usize>,
) {
    ends.clear();
    ends.extend(
        memchr_iter(b'\n', &bytes[scanned..])
            .take(most)
            .map(|newline| scanned + newline + 1)
            .take_while(|&end| end <= LONGEST + 1),
    );
    // All of them together are seldom longer than one may be.
    if ends.last().is_some_and(|&all| all > longest) {
        let mut begin = 0;
        let too_long = ends.iter().position(|&end| {
            let length = end - begin - 1;
            begin = end;
            length > longest
        });
        ends.truncate(too_long.unwrap_or(ends.len()));
    }
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
            unread.find_lines(1, LONGEST, &mut ends);
            assert_eq!(!ends.is_empty(), taken, "{length}");
            assert!(taken || unread.is_too_long(LONGEST));
        }
    }

    #[test]
    fn of_a_line_that_is_too_long_only_the_beginning_is_kept() {
        let mut unread = Unread::default();
        unread.replace(b"abcdefgh", 8);
        assert_eq!(unread.end_of_long(4), None);
        unread.cut_more(100);
        let mut ends = Vec::new();
        unread.find_lines(10, 4, &mut ends);
        assert!(ends.is_empty() && unread.is_too_long(4));
        assert_eq!((unread.bytes(), unread.length()), (&b"abcd"[..], 108));
        unread.replace(b"abcdefgh\nab", 0);
        assert_eq!(unread.end_of_long(4), Some(8));
    }

    #[test]
    fn a_run_of_lines_is_no_longer_than_a_line_may_be() {
        let mut line = vec![b'x'; (1 << 20) - 1];
        line.push(b'\n');
        let text = line.repeat((2 * LONGEST) >> 20);
        let mut ends = Vec::new();
        find_lines(&text, 0, 1000, LONGEST, &mut ends);
        assert_eq!(ends.last(), Some(&LONGEST));
    }

    #[test]
    fn lines_up_to_the_first_that_is_too_long_are_found() {
        for (text, expected) in [
            ("abc\nabcd\nabc\n", &[4, 9, 13][..]),
            ("abc\nabcde\nabc\n", &[4]),
            ("abcde\nabc\n", &[]),
        ] {
            let mut unread = Unread::default();
            unread.replace(text.as_bytes(), 0);
            let mut ends = Vec::new();
            unread.find_lines(1000, 4, &mut ends);
            assert_eq!(ends, expected, "{text}");
            unread.skip(ends.last().copied().unwrap_or(0));
            unread.find_lines(1000, 4, &mut ends);
            assert_eq!(unread.is_too_long(4), expected.len() < 3, "{text}");
        }
    }
}
