//! How many of the last records were refused, and whether that is too many.

use std::collections::VecDeque;

/// The outcomes of a pipeline's last records, as a dead-letter queue counts them.
#[derive(Debug)]
pub(super) struct Tally {
    /// Number of records that are looked back on; 0 is no limit.
    window: u64,
    /// Most refusals among these.
    threshold: u64,
    /// Records that have an outcome.
    outcomes: u64,
    /// Which of the last ones were refused, by their number. At most one more than the threshold.
    nacks: VecDeque<u64>,
}

impl Tally {
    pub(super) fn new(window: u64, threshold: u64) -> Self {
        Self {
            window,
            threshold,
            outcomes: 0,
            nacks: VecDeque::new(),
        }
    }

    /// So many records were confirmed.
    pub(super) fn ack(&mut self, records: u64) {
        self.outcomes += records;
    }

    /// A record was refused: whether that isn't one too many.
    pub(super) fn nack(&mut self) -> bool {
        if self.window == 0 {
            return true;
        }
        self.outcomes += 1;
        self.nacks.push_back(self.outcomes);
        while let Some(first) = self.nacks.front()
            && self.outcomes - first >= self.window
        {
            self.nacks.pop_front();
        }
        self.nacks.len() as u64 <= self.threshold
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `.` is an ack and `x` a nack; the place of the first nack that is one too many.
    fn refused(window: u64, threshold: u64, outcomes: &str) -> Option<usize> {
        let mut tally = Tally::new(window, threshold);
        outcomes.bytes().position(|outcome| match outcome {
            b'.' => {
                tally.ack(1);
                false
            }
            _ => !tally.nack(),
        })
    }

    #[test]
    fn the_first_one_is_too_many_without_a_threshold() {
        assert_eq!(refused(1, 0, "...x"), Some(3));
        assert_eq!(refused(100, 0, "x"), Some(0));
    }

    #[test]
    fn so_many_of_the_last_ones_may_be_refused() {
        assert_eq!(refused(5, 2, "xx"), None);
        assert_eq!(refused(5, 2, "xxx"), Some(2));
        assert_eq!(refused(5, 2, "xx..x"), Some(4));
        assert_eq!(refused(5, 2, "xx...x...x"), None);
        assert_eq!(refused(2, 1, "x.x.x.x"), None);
        assert_eq!(refused(2, 1, "x.x.xx"), Some(5));
    }

    #[test]
    fn a_window_of_nothing_is_no_limit() {
        assert_eq!(refused(0, 0, &"x".repeat(1000)), None);
    }

    #[test]
    fn no_more_is_kept_than_the_threshold_needs() {
        let mut tally = Tally::new(u64::MAX, 3);
        for _ in 0..3 {
            assert!(tally.nack());
        }
        tally.ack(1 << 40);
        assert!(!tally.nack());
        assert_eq!(tally.nacks.len(), 4);
    }
}
