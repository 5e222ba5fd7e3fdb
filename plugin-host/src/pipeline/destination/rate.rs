//! How many records a destination may be given: `sdk.rate.perSecond` and `sdk.rate.burst`.
//!
//! A token bucket, which is full at first. It reads no clock; times are those since the run began.

use std::time::Duration;

/// The limit of one destination.
#[derive(Debug)]
pub(crate) struct Rate {
    per_second: f64,
    burst: u64,
    tokens: f64,
    /// When the tokens were counted.
    counted: Duration,
}

impl Rate {
    /// `None` where there is no limit. Without a burst it is what comes in a second.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a positive number; one beyond 64 bits is no limit"
    )]
    pub(crate) fn new(per_second: f64, burst: u64) -> Option<Self> {
        if per_second <= 0.0 || !per_second.is_finite() {
            return None;
        }
        let burst = match burst {
            0 => per_second.ceil() as u64,
            burst => burst,
        };
        Some(Self {
            per_second,
            burst,
            tokens: burst as f64,
            counted: Duration::ZERO,
        })
    }

    /// Most records at once.
    pub(crate) fn burst(&self) -> u64 {
        self.burst
    }

    /// Time until so many records, at most a burst, may be given.
    pub(crate) fn wait(&mut self, records: u64, now: Duration) -> Duration {
        let passed = now.saturating_sub(self.counted).as_secs_f64();
        self.counted = now;
        self.tokens = (self.tokens + passed * self.per_second).min(self.burst as f64);
        let missing = records as f64 - self.tokens;
        // What is missing by rounding alone is nothing to wait for.
        if missing < 1e-6 {
            return Duration::ZERO;
        }
        Duration::try_from_secs_f64(missing / self.per_second).unwrap_or(Duration::MAX)
    }

    /// So many records are given.
    pub(crate) fn take(&mut self, records: u64) {
        self.tokens = (self.tokens - records as f64).max(0.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secs(seconds: f64) -> Duration {
        Duration::from_secs_f64(seconds)
    }

    #[test]
    fn after_a_burst_records_come_at_the_rate() {
        let mut rate = Rate::new(10.0, 20).unwrap();
        assert_eq!(rate.wait(20, secs(0.0)), Duration::ZERO);
        rate.take(20);
        assert_eq!(rate.wait(5, secs(0.0)), secs(0.5));
        assert_eq!(rate.wait(5, secs(0.25)), secs(0.25));
        assert_eq!(rate.wait(5, secs(0.5)), Duration::ZERO);
        rate.take(5);
        assert_eq!(rate.wait(1, secs(0.5)), secs(0.1));
        // No more than a burst is saved up.
        assert_eq!(rate.wait(20, secs(100.0)), Duration::ZERO);
        rate.take(20);
        assert_eq!(rate.wait(20, secs(100.0)), secs(2.0));
    }

    #[test]
    fn what_was_waited_for_is_due_however_the_numbers_round() {
        for per_second in [0.3, 3.0, 7.7, 1e6, 3e9] {
            let mut rate = Rate::new(per_second, 3).unwrap();
            let mut now = Duration::ZERO;
            for _record in 0..1000 {
                let wait = rate.wait(1, now);
                now += wait;
                assert_eq!(rate.wait(1, now), Duration::ZERO, "{per_second}");
                rate.take(1);
            }
            let least = 996.0 / per_second;
            assert!(now.as_secs_f64() >= least - 1e-5, "{per_second}: {now:?}");
        }
    }

    #[test]
    fn without_a_burst_it_is_that_of_a_second() {
        let burst = |per_second| Rate::new(per_second, 0).unwrap().burst();
        assert_eq!((burst(0.1), burst(2.0), burst(2.5)), (1, 2, 3));
    }

    #[test]
    fn no_rate_is_no_limit() {
        for per_second in [0.0, -0.5, f64::INFINITY, f64::NAN] {
            assert!(Rate::new(per_second, 5).is_none());
        }
    }
}
