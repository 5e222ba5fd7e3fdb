//! Which of the sources' records a destination's own numbers stand for.
//!
//! A destination is given records under numbers from 0 on, without gaps (`docs/abi.md`), whichever
//! source they are from and whatever was left out. Sources number theirs by themselves.

use std::collections::VecDeque;

/// What a destination was given and has not answered in full.
#[derive(Debug)]
pub(super) struct Runs {
    /// In the order of their numbers.
    open: VecDeque<Run>,
    /// Of each source: its records below need nothing more of this destination.
    reached: Vec<u64>,
    /// Number of the next record.
    next: u64,
}

/// Records of one source that follow each other.
#[derive(Debug)]
struct Run {
    /// Number of the first one.
    first: u64,
    /// None in a run of records that were left out.
    count: u64,
    source: usize,
    /// The source's sequence behind the last one.
    end: u64,
}

impl Runs {
    pub(super) fn new(sources: usize) -> Self {
        Self {
            open: VecDeque::new(),
            reached: vec![0; sources],
            next: 0,
        }
    }

    /// So many records of a source are given, from this sequence on; returns the number of the first.
    #[inline]
    pub(super) fn give(&mut self, source: usize, sequence: u64, count: u64) -> u64 {
        let first = self.next;
        self.next += count;
        let end = sequence + count;
        match self.open.back_mut() {
            Some(last) if last.source == source && last.end == sequence && last.count > 0 => {
                last.count += count;
                last.end = end;
            }
            _ => self.open.push_back(Run {
                first,
                count,
                source,
                end,
            }),
        }
        first
    }

    /// The source's record with this sequence isn't given: it needs no answer.
    pub(super) fn leave_out(&mut self, source: usize, sequence: u64) {
        self.open.push_back(Run {
            first: self.next,
            count: 0,
            source,
            end: sequence + 1,
        });
    }

    /// The source and the sequence of a record that has no answer yet.
    pub(super) fn record(&self, number: u64) -> Option<(usize, u64)> {
        let behind = self.open.partition_point(|run| run.first <= number);
        // Runs of nothing have the number of the one behind them.
        let mut before = self.open.iter().take(behind).rev();
        let run = before.find(|run| run.count > 0)?;
        let place = number - run.first;
        (place < run.count).then(|| (run.source, run.end - run.count + place))
    }

    /// The records below this number are answered.
    #[inline]
    pub(super) fn settle(&mut self, answered: u64) {
        while let Some(run) = self.open.front() {
            let done = answered.saturating_sub(run.first);
            if done < run.count {
                if done > 0 {
                    self.reached[run.source] = run.end - run.count + done;
                }
                return;
            }
            self.reached[run.source] = run.end;
            self.open.pop_front();
        }
    }

    /// The source's records below need nothing more.
    #[inline]
    pub(super) fn reached(&self, source: usize) -> u64 {
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
        assert_eq!((runs.reached(0), runs.open.len()), (5, 0));
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
    }
}
