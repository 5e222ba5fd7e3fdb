//! A run of positions, in one allocation that is used again.

use abi_stable::std_types::RSlice;
use plugin_api::ffi::{AckBatch, Span};

/// Positions of records that follow each other.
#[derive(Debug, Default)]
pub(crate) struct Positions {
    first: u64,
    count: u64,
    arena: Vec<u8>,
    spans: Vec<Span>,
}

impl Positions {
    /// Sequence of the first record.
    pub(crate) fn first(&self) -> u64 {
        self.first
    }

    pub(crate) fn count(&self) -> u64 {
        self.count
    }

    pub(crate) fn bytes(&self) -> usize {
        self.arena.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The newest position.
    pub(crate) fn last(&self) -> Option<&[u8]> {
        let last = self.spans.len().checked_sub(1)?;
        Some(self.get(last))
    }

    /// The position that was kept at this place.
    pub(crate) fn get(&self, place: usize) -> &[u8] {
        let Span { offset, length } = self.spans[place];
        &self.arena[offset as usize..][..length as usize]
    }

    /// Adds the record with this sequence, keeping its position.
    pub(crate) fn push(&mut self, sequence: u64, position: &[u8]) {
        if self.count == 0 {
            self.first = sequence;
        }
        let (Ok(offset), Ok(length)) = (
            u32::try_from(self.arena.len()),
            u32::try_from(position.len()),
        ) else {
            // A batch's arena is below 4 GiB and a window's far below; nothing longer gets here.
            return;
        };
        self.arena.extend_from_slice(position);
        self.spans.push(Span { offset, length });
        self.count += 1;
    }

    /// Adds `count` records, of which only the newest position is kept.
    pub(crate) fn replace(&mut self, sequence: u64, count: u64, position: &[u8]) {
        let (first, before) = if self.count == 0 {
            (sequence, 0)
        } else {
            (self.first, self.count)
        };
        self.clear();
        self.push(sequence, position);
        (self.first, self.count) = (first, before + count);
    }

    pub(crate) fn clear(&mut self) {
        (self.first, self.count) = (0, 0);
        self.arena.clear();
        self.spans.clear();
    }

    /// The positions as a source is told them.
    pub(crate) fn as_acks(&self) -> AckBatch<'_> {
        AckBatch {
            first_sequence: self.first,
            count: self.count,
            arena: RSlice::from_slice(&self.arena),
            positions: RSlice::from_slice(&self.spans),
        }
    }
}
