//! Which of the sources' records a destination's own numbers stand for.
//!
//! A destination is given records under numbers from 0 on, without gaps (`docs/abi.md`), whichever
//! source they are from and whatever was left out. Sources number theirs by themselves.

use std::collections::VecDeque;

/// What a destination was given, from the first record on that it has not answered.
#[derive(Debug)]
pub(crate) struct Runs {
    /// Runs before the last one, in the order of their numbers.
    before: VecDeque<Run>,
    /// Most pipelines have no other: it grows with every batch of the same source.
    last: Run,
    /// Of each source: its records below need nothing more of this destination.
    reached: Vec<u64>,
    /// Number of the next record.
    next: u64,
}

/// Records of one source that follow each other.
#[derive(Debug, Default)]
struct Run {
    /// Number of the first one.
    first: u64,
    /// None in a run of records that were left out.
    count: u64,
    source: usize,
    /// The source's sequence behind the last one.
    end: u64,
}

impl Run {
    /// Of its source's records those below need nothing more, when those below this number are
    /// answered; and whether that is all of the run.
    #[inline]
    fn reached(&self, answered: u64) -> (u64, bool) {
        let done = answered.saturating_sub(self.first).min(self.count);
        (self.end - self.count + done, done == self.count)
    }
}

impl Runs {
    pub(crate) fn new(sources: usize) -> Self {
        Self {
            before: VecDeque::new(),
            last: Run::default(),
            reached: vec![0; sources],
            next: 0,
        }
    }

    /// So many records of a source are given, from this sequence on; returns the number of the first.
    #[inline]
    pub(crate) fn give(&mut self, source: usize, sequence: u64, count: u64) -> u64 {
        let first = self.next;
        self.next += count;
        if self.last.source != source || self.last.end != sequence {
            self.begin(source, sequence);
        }
        self.last.count += count;
        self.last.end += count;
        first
    }

    /// The source's record with this sequence isn't given: it needs no answer.
    pub(crate) fn leave_out(&mut self, source: usize, sequence: u64) {
        // Behind records that were given it is a run of its own, as it has no number.
        if self.last.source != source || self.last.end != sequence || self.last.count > 0 {
            self.begin(source, sequence);
        }
        self.last.end += 1;
    }

    fn begin(&mut self, source: usize, sequence: u64) {
        let begun = Run {
            first: self.next_of_last(),
            count: 0,
            source,
            end: sequence,
        };
        self.before
            .push_back(std::mem::replace(&mut self.last, begun));
    }

    fn next_of_last(&self) -> u64 {
        self.last.first + self.last.count
    }

    /// The source and the sequence of a record that has no answer yet.
    pub(crate) fn record(&self, number: u64) -> Option<(usize, u64)> {
        let mut runs = self.before.iter().chain([&self.last]);
        let run = runs.find(|run| number < run.first + run.count)?;
        let place = number.checked_sub(run.first)?;
        Some((run.source, run.end - run.count + place))
    }

    /// The records below this number are answered.
    #[inline]
    pub(crate) fn settle(&mut self, answered: u64) {
        while let Some(run) = self.before.front() {
            let (reached, is_all) = run.reached(answered);
            self.reached[run.source] = reached;
            if !is_all {
                return;
            }
            self.before.pop_front();
        }
        self.reached[self.last.source] = self.last.reached(answered).0;
    }

    /// The source's records below need nothing more.
    #[inline]
    pub(crate) fn reached(&self, source: usize) -> u64 {
        self.reached[source]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_source_keeps_its_numbers() {
        let mut runs = Runs::new(1);
        assert_eq!(runs.give(0, 0, 3), 0);
        assert_eq!(runs.give(0, 3, 2), 3);
        assert_eq!(runs.record(4), Some((0, 4)));
        assert_eq!(runs.record(5), None);
        runs.settle(4);
        assert_eq!(runs.reached(0), 4);
        runs.settle(5);
        assert_eq!((runs.reached(0), runs.before.len()), (5, 0));
    }

    #[test]
    fn what_is_left_out_leaves_no_gap_and_is_reached_in_its_turn() {
        let mut runs = Runs::new(1);
        runs.leave_out(0, 0);
        runs.settle(0);
        assert_eq!(runs.reached(0), 1);
        assert_eq!(runs.give(0, 1, 2), 0);
        runs.leave_out(0, 3);
        runs.leave_out(0, 4);
        assert_eq!(runs.give(0, 5, 1), 2);
        assert_eq!(
            (runs.record(1), runs.record(2)),
            (Some((0, 2)), Some((0, 5)))
        );
        runs.settle(1);
        assert_eq!(runs.reached(0), 2);
        runs.settle(2);
        assert_eq!(runs.reached(0), 5);
        runs.settle(3);
        assert_eq!(runs.reached(0), 6);
    }

    #[test]
    fn sources_take_turns() {
        let mut runs = Runs::new(2);
        runs.give(0, 0, 2);
        runs.give(1, 0, 3);
        runs.give(0, 2, 2);
        assert_eq!(runs.record(3), Some((1, 1)));
        assert_eq!(runs.record(6), Some((0, 3)));
        runs.settle(4);
        assert_eq!((runs.reached(0), runs.reached(1)), (2, 2));
        runs.settle(7);
        assert_eq!((runs.reached(0), runs.reached(1)), (4, 3));
        assert!(runs.before.is_empty());
    }
}
