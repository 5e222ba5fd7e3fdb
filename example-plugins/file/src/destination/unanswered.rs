//! The records that were given to the destination and have no answer yet.
//!
//! Owns their sequences and since when the first of them waits. It never decides that they are safe.

use std::ops::Range;
use std::time::{Duration, Instant};

use plugin_api::Acks;

/// Sequences without an answer, in order.
#[derive(Debug, Default)]
pub(super) struct Unanswered {
    ranges: Vec<Range<u64>>,
    since: Option<Instant>,
}

impl Unanswered {
    pub(super) fn is_empty(&self) -> bool {
        self.ranges.is_empty()
    }

    /// Number of records.
    pub(super) fn len(&self) -> u64 {
        self.ranges
            .iter()
            .map(|range| range.end - range.start)
            .sum()
    }

    /// How long the first of them has waited.
    pub(super) fn age(&self) -> Duration {
        self.since.map_or(Duration::ZERO, |since| since.elapsed())
    }

    /// Adds sequences behind those that are there.
    pub(super) fn push(&mut self, sequences: Range<u64>) {
        if sequences.is_empty() {
            return;
        }
        match self.ranges.last_mut() {
            Some(last) if last.end == sequences.start => last.end = sequences.end,
            _ => self.ranges.push(sequences),
        }
        self.since.get_or_insert_with(Instant::now);
    }

    /// Adds the sequences of a batch but for those that have been refused, which ascend.
    pub(super) fn push_all_but(&mut self, sequences: Range<u64>, refused: &[u64]) {
        let mut next = sequences.start;
        for &sequence in refused {
            self.push(next..sequence);
            next = sequence + 1;
        }
        self.push(next..sequences.end);
    }

    /// Acknowledges all of them.
    pub(super) fn acknowledge(&mut self, acks: &mut Acks<'_>) {
        for sequences in self.ranges.drain(..) {
            acks.ok_range(sequences.start, sequences.end);
        }
        self.since = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refused_records_are_left_out() {
        let mut unanswered = Unanswered::default();
        unanswered.push_all_but(0..4, &[]);
        unanswered.push_all_but(4..10, &[4, 7, 8]);
        unanswered.push_all_but(10..12, &[10, 11]);
        assert_eq!(unanswered.ranges, [0..4, 5..7, 9..10]);
        assert_eq!(unanswered.len(), 7);
    }
}
