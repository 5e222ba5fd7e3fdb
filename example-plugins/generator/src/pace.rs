//! The pace of records: so many a second, without drift.

use std::time::Duration;

/// Longest time whose records are made up for after a stall, so that none comes as a flood.
const CATCH_UP: Duration = Duration::from_secs(1);

/// Says how many records are due.
#[derive(Debug)]
pub(crate) struct Pace {
    rate: f64,
    made: u64,
}

impl Pace {
    /// A pace of `rate` records per second; `None` for 0, which is no limit.
    pub(crate) fn new(rate: f64) -> Option<Self> {
        (rate > 0.0 && rate.is_finite()).then_some(Self { rate, made: 0 })
    }

    /// Number of records that should have been made in the time since the beginning and were not.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a count from a positive product; the fraction is what is not due yet"
    )]
    pub(crate) fn due(&mut self, elapsed: Duration) -> u64 {
        let due = ((elapsed.as_secs_f64() * self.rate) as u64).saturating_sub(self.made);
        let most = (CATCH_UP.as_secs_f64() * self.rate) as u64 + 1;
        // What is older is given up; a cap for this call alone would let it come with the next ones.
        self.made += due.saturating_sub(most);
        due.min(most)
    }

    /// Time until the next record is due.
    pub(crate) fn until_next(&self, elapsed: Duration) -> Duration {
        let next = (self.made as f64 + 1.0) / self.rate;
        let left = (next - elapsed.as_secs_f64()).max(0.0);
        Duration::try_from_secs_f64(left).unwrap_or(CATCH_UP)
    }

    /// So many records were made.
    pub(crate) fn made(&mut self, records: u64) {
        self.made += records;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_come_due_at_their_rate_without_drift() {
        let mut pace = Pace::new(3.0).unwrap();
        let mut made = 0;
        for millis in (0..=10_000).step_by(7) {
            let due = pace.due(Duration::from_millis(millis));
            pace.made(due);
            made += due;
        }
        assert_eq!(made, 29, "10 seconds less a fraction at 3 a second");
    }

    #[test]
    fn the_wait_ends_when_the_next_is_due() {
        let mut pace = Pace::new(100.0).unwrap();
        pace.made(5);
        let wait = pace.until_next(Duration::from_millis(52));
        assert_eq!(
            wait.as_millis(),
            8 - 1 + u128::from(wait.subsec_nanos().is_multiple_of(1_000_000))
        );
        assert_eq!(
            pace.due(Duration::from_millis(52) + wait + Duration::from_micros(1)),
            1
        );
    }

    #[test]
    fn a_stall_is_made_up_for_only_so_far() {
        let mut pace = Pace::new(1000.0).unwrap();
        let now = Duration::from_secs(10);
        let mut at_once = 0;
        loop {
            let due = pace.due(now);
            if due == 0 {
                break;
            }
            pace.made(due);
            at_once += due;
        }
        assert_eq!(at_once, 1001);
    }

    #[test]
    fn no_rate_is_no_limit() {
        for rate in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert!(Pace::new(rate).is_none());
        }
    }
}
