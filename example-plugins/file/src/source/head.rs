//! What a file begins with: tells it from another one that has its inode, and knows it again as a copy.

use std::fmt;

/// Most bytes that are looked at.
pub(super) const MOST: usize = 1024;

/// Length and hash of a file's first bytes; of none while they aren't known.
///
/// A file's beginning stays the same while lines are appended, so a head once taken holds for ever. As text
/// it is `LENGTH.HASH`, or `HASH` where it is as long as it gets: every record carries it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Head {
    length: usize,
    hash: u32,
}

impl Head {
    /// That of these bytes, [`MOST`] of them at most.
    pub(super) fn of(bytes: &[u8]) -> Self {
        let bytes = &bytes[..bytes.len().min(MOST)];
        // FNV-1a: stored in positions, so it has to be the same for ever and everywhere.
        let hash = bytes.iter().fold(0x811c_9dc5, |hash: u32, byte| {
            (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193)
        });
        Self {
            length: bytes.len(),
            hash,
        }
    }

    /// How many bytes it is of.
    pub(super) fn length(self) -> usize {
        self.length
    }

    /// Whether a file that begins with these bytes may be the one.
    pub(super) fn fits(self, bytes: &[u8]) -> bool {
        bytes
            .get(..self.length)
            .is_some_and(|begin| Self::of(begin) == self || self.length == 0)
    }

    pub(super) fn parse(text: &str) -> Option<Self> {
        let (length, hash) = match text.split_once('.') {
            Some((length, hash)) => (length.parse().ok()?, hash),
            None => (MOST, text),
        };
        let hash = u32::from_str_radix(hash, 16).ok()?;
        if length > MOST {
            return None;
        }
        Some(Self { length, hash })
    }
}

impl fmt::Display for Head {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.length < MOST {
            write!(f, "{}.", self.length)?;
        }
        write!(f, "{:08x}", self.hash)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_fits_what_begins_like_it_and_nothing_else() {
        let head = Head::of(b"one\ntwo\n");
        assert!(head.fits(b"one\ntwo\n") && head.fits(b"one\ntwo\nthree\n"));
        assert!(!head.fits(b"one\ntwo") && !head.fits(b"ONE\ntwo\nthree\n"));
        assert!(Head::default().fits(b"") && Head::default().fits(b"x"));
        let long = [b'x'; MOST + 1];
        assert_eq!(Head::of(&long), Head::of(&long[..MOST]));
        for head in [head, Head::of(&long)] {
            assert_eq!(Head::parse(&head.to_string()), Some(head));
        }
        // Stored in positions: the same for ever.
        assert_eq!(Head::of(b"foobar").to_string(), "6.bf9cf968");
    }
}
