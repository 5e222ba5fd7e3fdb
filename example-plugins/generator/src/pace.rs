//! The pace of records: so many a second, without drift.

use std::time::{Duration, Instant};

/// Longest time whose records are made up for after a stall, so that none comes as a flood.
const CATCH_UP: Duration = Duration::from_secs(1);

/// Says how many records are due.
#[derive(Debug)]
pub(crate) struct Pace {
    rate: f64,
    begun: Instant,
    made: u64,
}

impl Pace {
    /// A pace of `rate` records per second; `None` for 0, which is no limit.
    pub(crate) fn new(rate: f64, now: Instant) -> Option<Self> {
        (rate > 0.0 && rate.is_finite()).then_some(Self {
            rate,
            begun: now,
            made: 0,
        })
    }

    /// Number of records that should have been made by now and were not.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a count from a positive product; the fraction is what is not due yet"
    )]
    pub(crate) fn due(&mut self, now: Instant) -> u64 {
        let elapsed = now.saturating_duration_since(self.begun).as_secs_f64();
        let due = ((elapsed * self.rate) as u64).saturating_sub(self.made);
        let most = (CATCH_UP.as_secs_f64() * self.rate) as u64 + 1;
        // What is older is given up; a cap for this call alone would let it come with the next ones.
        self.made += due.saturating_sub(most);
        due.min(most)
    }

    /// Time until the next record is due.
    pub(crate) fn until_next(&self, now: Instant) -> Duration {
        let next = (self.made as f64 + 1.0) / self.rate;
        let elapsed = now.saturating_duration_since(self.begun).as_secs_f64();
        Duration::try_from_secs_f64((next - elapsed).max(0.0)).unwrap_or(CATCH_UP)
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
        let begun = Instant::now();
        let mut pace = Pace::new(3.0, begun).unwrap();
        let mut made = 0;
        for millis in (0..=10_000).step_by(7) {
            let due = pace.due(begun + Duration::from_millis(millis));
            pace.made(due);
            made += due;
        }
        assert_eq!(made, 29, "10 seconds less a fraction at 3 a second");
    }

    #[test]
    fn the_wait_ends_when_the_next_is_due() {
        let begun = Instant::now();
        let mut pace = Pace::new(100.0, begun).unwrap();
        pace.made(5);
        let wait = pace.until_next(begun + Duration::from_millis(52));
        assert_eq!(
            wait.as_millis(),
            8 - 1 + u128::from(wait.subsec_nanos().is_multiple_of(1_000_000))
        );
        assert_eq!(
            pace.due(begun + Duration::from_millis(52) + wait + Duration::from_micros(1)),
            1
        );
    }

    #[test]
    fn a_stall_is_made_up_for_only_so_far() {
        let begun = Instant::now();
        let mut pace = Pace::new(1000.0, begun).unwrap();
        let now = begun + Duration::from_secs(10);
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
            assert!(Pace::new(rate, Instant::now()).is_none());
        }
    }
}
