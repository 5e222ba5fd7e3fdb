//! When records are made: at a rate, and in bursts.

use std::time::{Duration, Instant};

use plugin_api::Context;

use crate::pace::Pace;

/// Says how many records are due. It begins with a burst.
#[derive(Debug)]
pub(crate) struct Timing {
    begun: Instant,
    pace: Option<Pace>,
    burst: Option<Burst>,
}

impl Timing {
    /// `None` where records are made all the time, as fast as they are taken.
    pub(crate) fn new(pace: Option<Pace>, burst: Option<Burst>, now: Instant) -> Option<Self> {
        (pace.is_some() || burst.is_some()).then_some(Self {
            begun: now,
            pace,
            burst,
        })
    }

    /// Number of records that are due, waiting for the first.
    pub(crate) fn due(&mut self, context: &Context) -> u64 {
        let wait = self.until_next(self.begun.elapsed());
        if !wait.is_zero() {
            let _why = context.wait(wait);
        }
        self.due_at(self.begun.elapsed())
    }

    /// So many records were made.
    pub(crate) fn made(&mut self, records: u64) {
        if let Some(pace) = &mut self.pace {
            pace.made(records);
        }
    }

    fn due_at(&mut self, elapsed: Duration) -> u64 {
        let (within, rest) = self.within_bursts(elapsed);
        match &mut self.pace {
            _ if !rest.is_zero() => 0,
            Some(pace) => pace.due(within),
            None => u64::MAX,
        }
    }

    fn until_next(&mut self, elapsed: Duration) -> Duration {
        let (within, rest) = self.within_bursts(elapsed);
        match &mut self.pace {
            Some(pace) if rest.is_zero() => match pace.due(within) {
                0 => pace.until_next(within),
                _ => Duration::ZERO,
            },
            _ => rest,
        }
    }

    /// How much of the time was within bursts, and how long it is until the next one.
    fn within_bursts(&self, elapsed: Duration) -> (Duration, Duration) {
        let burst = self.burst.as_ref();
        burst.map_or((elapsed, Duration::ZERO), |burst| burst.within(elapsed))
    }
}

/// A time with records and one without, again and again.
#[derive(Debug)]
pub(crate) struct Burst {
    generate: Duration,
    sleep: Duration,
}

impl Burst {
    /// `None` where records are made all the time.
    pub(crate) fn new(generate: Duration, sleep: Duration) -> Option<Self> {
        let never_ends = sleep.is_zero() || generate.is_zero();
        (!never_ends).then_some(Self { generate, sleep })
    }

    fn within(&self, elapsed: Duration) -> (Duration, Duration) {
        let round = self.generate.saturating_add(self.sleep).as_nanos();
        let (rounds, now) = (elapsed.as_nanos() / round, elapsed.as_nanos() % round);
        let generate = self.generate.as_nanos();
        let nanos = |nanos| Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX));
        let rest = if now < generate { 0 } else { round - now };
        (nanos(rounds * generate + now.min(generate)), nanos(rest))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secs(seconds: f64) -> Duration {
        Duration::from_secs_f64(seconds)
    }

    #[test]
    fn bursts_come_again_and_again() {
        let burst = Burst::new(secs(1.0), secs(2.0)).unwrap();
        for (elapsed, within, rest) in [
            (0.0, 0.0, 0.0),
            (0.5, 0.5, 0.0),
            (1.0, 1.0, 2.0),
            (2.5, 1.0, 0.5),
            (3.0, 1.0, 0.0),
            (3.5, 1.5, 0.0),
            (301.0, 101.0, 2.0),
        ] {
            assert_eq!(
                burst.within(secs(elapsed)),
                (secs(within), secs(rest)),
                "{elapsed}"
            );
        }
        assert!(Burst::new(secs(1.0), Duration::ZERO).is_none());
        let longest = Burst::new(Duration::MAX, Duration::MAX).unwrap();
        assert_eq!(longest.within(secs(9.0)), (secs(9.0), Duration::ZERO));
    }

    #[test]
    fn without_a_rate_all_that_is_taken_is_due_within_a_burst() {
        let burst = Burst::new(secs(1.0), secs(2.0));
        let mut timing = Timing::new(None, burst, Instant::now()).unwrap();
        assert_eq!(timing.due_at(secs(0.9)), u64::MAX);
        assert_eq!(timing.due_at(secs(1.1)), 0);
        assert_eq!(timing.until_next(secs(0.9)), Duration::ZERO);
        assert_eq!(timing.until_next(secs(1.5)), secs(1.5));
        assert!(Timing::new(None, None, Instant::now()).is_none());
    }

    #[test]
    fn a_rate_counts_the_time_within_bursts() {
        let burst = Burst::new(secs(1.0), secs(9.0));
        let mut timing = Timing::new(Pace::new(10.0), burst, Instant::now()).unwrap();
        let mut made = 0;
        for tenth in 0..=250 {
            let due = timing.due_at(secs(f64::from(tenth) / 10.0 + 0.05));
            timing.made(due);
            made += due;
        }
        // The last of a burst is due as it ends, so it comes with the next one.
        assert_eq!(made, 29, "3 bursts of a second, 10 a second");
        assert_eq!(timing.until_next(secs(25.5)), secs(4.5));
    }
}
