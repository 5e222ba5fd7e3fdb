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

    /// Sequence behind the last of them; 0 where there is none.
    pub(super) fn end(&self) -> u64 {
        self.ranges.last().map_or(0, |range| range.end)
    }

    /// Acknowledges those before a sequence.
    pub(super) fn acknowledge_below(&mut self, end: u64, acks: &mut Acks<'_>) {
        for sequences in self.take_below(end) {
            acks.ok_range(sequences.start, sequences.end);
        }
    }

    fn take_below(&mut self, end: u64) -> Vec<Range<u64>> {
        let whole = self.ranges.partition_point(|range| range.end <= end);
        let mut taken: Vec<_> = self.ranges.drain(..whole).collect();
        if let Some(first) = self.ranges.first_mut()
            && first.start < end
        {
            taken.push(first.start..end);
            first.start = end;
        }
        self.since = (!self.ranges.is_empty()).then(Instant::now);
        taken
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

    #[test]
    fn only_those_before_a_sequence_are_taken() {
        let mut unanswered = Unanswered::default();
        unanswered.push_all_but(0..10, &[5, 8]);
        assert_eq!(unanswered.take_below(0), []);
        assert_eq!(unanswered.take_below(7), [0..5, 6..7]);
        assert_eq!((unanswered.len(), unanswered.end()), (2, 10));
        assert!(unanswered.since.is_some());
        assert_eq!(unanswered.take_below(10), [7..8, 9..10]);
        assert!(unanswered.is_empty() && unanswered.since.is_none());
    }
}
