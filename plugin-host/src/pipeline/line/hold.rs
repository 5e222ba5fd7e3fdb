//! Records that are held back so that batches get larger: `sdk.batch.delay`.
//!
//! What a source reads meanwhile is copied together. Each connector with a delay wants its batch
//! filled up to its size, for as long as its delay lasts; all of them get the same records, so they
//! wait for the one that waits longest.

use std::time::{Duration, Instant};

use abi_stable::std_types::RSlice;
use plugin_api::ffi::{BatchRef, RecordIndex};

use crate::ffi::Buffer;

/// Bytes from which on nothing is held back (I5).
const MOST_BYTES: usize = 1 << 20;

/// What a connector with a delay wants.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wanted {
    /// Records of a full batch.
    pub(crate) records: usize,
    /// Longest time that the first record is held back.
    pub(crate) delay: Duration,
}

/// The records that are held back.
#[derive(Debug)]
pub(crate) struct Hold {
    wanted: Vec<Wanted>,
    arena: Vec<u8>,
    index: Vec<RecordIndex>,
    /// Whether the source has nacked any of them.
    has_nacked: bool,
    /// When the first record came.
    since: Option<Instant>,
}

impl Hold {
    /// `None` where nobody wants anything held back.
    pub(crate) fn new(wanted: impl Iterator<Item = Wanted>) -> Option<Self> {
        let wanted: Vec<_> = wanted.filter(|it| !it.delay.is_zero()).collect();
        (!wanted.is_empty()).then_some(Self {
            wanted,
            arena: Vec::new(),
            index: Vec::new(),
            has_nacked: false,
            since: None,
        })
    }

    /// Number of records.
    pub(crate) fn len(&self) -> usize {
        self.index.len()
    }

    /// Records until the largest batch is full; at least one.
    pub(crate) fn room(&self) -> usize {
        let largest = self.wanted.iter().map(|it| it.records).max();
        largest.unwrap_or(1).saturating_sub(self.len()).max(1)
    }

    /// Whether the source has nacked any of them.
    pub(crate) fn has_nacked(&self) -> bool {
        self.has_nacked
    }

    /// Adds what was read.
    pub(crate) fn add(&mut self, read: &Buffer, now: Instant) {
        self.has_nacked |= read.has_nacked();
        self.append(read.as_batch(0), now);
    }

    fn append(&mut self, batch: BatchRef<'_>, now: Instant) {
        #[expect(
            clippy::cast_possible_truncation,
            reason = "what is held back is written before it is that large"
        )]
        let base = self.arena.len() as u32;
        self.arena.extend_from_slice(batch.arena.as_slice());
        self.index.extend(batch.index.iter().map(|entry| {
            let mut entry = *entry;
            for span in [
                &mut entry.position,
                &mut entry.key,
                &mut entry.before,
                &mut entry.after,
                &mut entry.metadata,
            ] {
                span.offset += base;
            }
            entry
        }));
        self.since.get_or_insert(now);
    }

    /// Time for which the records are held back yet: none where they are to be written, and where
    /// there are none.
    pub(crate) fn wait(&self, now: Instant) -> Duration {
        let Some(since) = self.since else {
            return Duration::ZERO;
        };
        if self.arena.len() >= MOST_BYTES {
            return Duration::ZERO;
        }
        let age = now.saturating_duration_since(since);
        let waiting = self.wanted.iter().filter(|it| self.len() < it.records);
        let longest = waiting.map(|it| it.delay.saturating_sub(age)).max();
        longest.unwrap_or_default()
    }

    /// The records as destinations get them.
    pub(crate) fn as_batch(&self, first_sequence: u64) -> BatchRef<'_> {
        BatchRef {
            first_sequence,
            arena: RSlice::from_slice(&self.arena),
            index: RSlice::from_slice(&self.index),
        }
    }

    /// The records, in memory of their own; none are left.
    pub(crate) fn take(&mut self) -> Buffer {
        let has_nacked = std::mem::take(&mut self.has_nacked);
        self.since = None;
        Buffer::of(
            std::mem::take(&mut self.arena),
            std::mem::take(&mut self.index),
            has_nacked,
        )
    }

    /// Lets go of the records.
    pub(crate) fn clear(&mut self) {
        self.arena.clear();
        self.index.clear();
        self.has_nacked = false;
        self.since = None;
    }
}

#[cfg(test)]
mod tests {
    use plugin_api::ffi::Span;

    use super::*;

    fn hold(wanted: &[(usize, u64)]) -> Option<Hold> {
        let wanted = wanted.iter().map(|&(records, seconds)| Wanted {
            records,
            delay: Duration::from_secs(seconds),
        });
        Hold::new(wanted)
    }

    /// Adds records whose positions are these texts.
    fn add(hold: &mut Hold, positions: &[&str], now: Instant) {
        let mut arena = b"..".to_vec();
        let index: Vec<_> = positions
            .iter()
            .map(|text| {
                let offset = u32::try_from(arena.len()).unwrap();
                arena.extend_from_slice(text.as_bytes());
                RecordIndex {
                    position: Span {
                        offset,
                        length: u32::try_from(text.len()).unwrap(),
                    },
                    ..RecordIndex::default()
                }
            })
            .collect();
        let batch = BatchRef {
            first_sequence: 0,
            arena: RSlice::from_slice(&arena),
            index: RSlice::from_slice(&index),
        };
        hold.append(batch, now);
    }

    #[test]
    fn records_of_several_reads_make_one_batch() {
        let mut hold = hold(&[(10, 1)]).unwrap();
        let now = Instant::now();
        add(&mut hold, &["a", "bc"], now);
        add(&mut hold, &["def"], now);
        let batch = hold.as_batch(7);
        let positions: Vec<_> = batch
            .index
            .iter()
            .map(|entry| {
                let Span { offset, length } = entry.position;
                &batch.arena.as_slice()[offset as usize..][..length as usize]
            })
            .collect();
        assert_eq!(positions, [&b"a"[..], b"bc", b"def"]);
        assert_eq!((hold.len(), hold.room()), (3, 7));
        hold.clear();
        assert_eq!((hold.len(), hold.room()), (0, 10));
    }

    #[test]
    fn the_first_record_is_held_back_for_the_delay() {
        let mut hold = hold(&[(10, 4)]).unwrap();
        let now = Instant::now();
        let after = |seconds| now + Duration::from_secs(seconds);
        assert_eq!(hold.wait(now), Duration::ZERO, "there is nothing");
        add(&mut hold, &["a"], now);
        add(&mut hold, &["b"], after(3));
        assert_eq!(hold.wait(after(3)), Duration::from_secs(1));
        assert_eq!(hold.wait(after(4)), Duration::ZERO);
        hold.clear();
        add(&mut hold, &["c"], after(5));
        assert_eq!(hold.wait(after(5)), Duration::from_secs(4));
    }

    #[test]
    fn a_full_batch_waits_for_nothing_but_others() {
        let mut hold = hold(&[(2, 9), (3, 5), (1000, 0)]).unwrap();
        let now = Instant::now();
        add(&mut hold, &["a"], now);
        assert_eq!(hold.wait(now), Duration::from_secs(9));
        add(&mut hold, &["b"], now);
        assert_eq!(hold.wait(now), Duration::from_secs(5));
        add(&mut hold, &["c"], now);
        assert_eq!((hold.wait(now), hold.room()), (Duration::ZERO, 1));
    }

    #[test]
    fn many_bytes_are_not_held_back() {
        let mut hold = hold(&[(1000, 9)]).unwrap();
        let now = Instant::now();
        add(&mut hold, &[&"x".repeat(MOST_BYTES)], now);
        assert_eq!(hold.wait(now), Duration::ZERO);
    }

    #[test]
    fn without_a_delay_nothing_is_held_back() {
        assert!(hold(&[(10, 0), (0, 0)]).is_none());
    }
}
