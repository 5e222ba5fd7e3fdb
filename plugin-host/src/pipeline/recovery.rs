//! When a pipeline that has failed is tried again.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::Duration;

/// How often and how soon a pipeline that has failed is tried again.
///
/// Only errors that another try may mend count: those that a connector gives as of kind
/// [`Retry`](plugin_api::ErrorKind::Retry), [`Closed`](plugin_api::ErrorKind::Closed) or
/// [`Cancelled`](plugin_api::ErrorKind::Cancelled), its panics, and what the system refuses to the position
/// store, such as a full disk. A try opens every connector anew and goes
/// on behind the last stored position, so what was not confirmed is read again. A stop ends the wait,
/// and the pipeline is over as one that has failed. A call that hangs ends it too: its thread is lost.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Recovery {
    /// Longest wait before the first try; that before each further one is `factor` times as long. Each
    /// is shortened by up to a half, by chance, so that pipelines which have failed together don't all
    /// come back together. A connector's error may ask for a longer one.
    pub min_delay: Duration,
    /// Longest wait.
    pub max_delay: Duration,
    /// Growth of the wait from try to try.
    pub factor: f64,
    /// Tries in a row before the pipeline has failed for good; `None` is no limit.
    pub max_retries: Option<u32>,
    /// A run that was as long as this before it failed begins the count anew.
    pub healthy_after: Duration,
}

/// As in Conduit: from 1 s to 10 min, doubled each time, without end; healthy after 5 min.
impl Default for Recovery {
    fn default() -> Self {
        Self {
            min_delay: Duration::from_secs(1),
            max_delay: Duration::from_secs(600),
            factor: 2.0,
            max_retries: None,
            healthy_after: Duration::from_secs(300),
        }
    }
}

/// A pipeline's tries in a row.
#[derive(Debug)]
pub(super) struct Tries {
    recovery: Recovery,
    made: u32,
}

impl Tries {
    pub(super) fn new(recovery: Recovery) -> Self {
        Self { recovery, made: 0 }
    }

    /// The number of the next try and the wait before it, after a run that has lasted so long.
    /// `None` when there were enough of them. A plugin may ask for a longer wait.
    pub(super) fn next(
        &mut self,
        lasted: Duration,
        asked: Option<Duration>,
    ) -> Option<(u32, Duration)> {
        let Recovery {
            min_delay,
            max_delay,
            factor,
            max_retries,
            healthy_after,
        } = self.recovery;
        if lasted >= healthy_after {
            self.made = 0;
        }
        if max_retries.is_some_and(|most| self.made >= most) {
            return None;
        }
        let grown = min_delay.as_secs_f64() * factor.max(1.0).powf(f64::from(self.made));
        let delay = Duration::try_from_secs_f64(grown).unwrap_or(max_delay);
        self.made = self.made.saturating_add(1);
        let delay = delay.min(max_delay).mul_f64(jitter());
        Some((self.made, delay.max(asked.unwrap_or_default())))
    }
}

/// Between a half and 1.
fn jitter() -> f64 {
    // The standard library's only source of chance: a hasher with random keys.
    let chance = RandomState::new().build_hasher().finish();
    0.5 + f64::from((chance >> 32) as u32) / f64::from(u32::MAX) / 2.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn delays(recovery: Recovery, count: usize) -> Vec<f64> {
        let mut tries = Tries::new(recovery);
        let next = || Some(tries.next(Duration::ZERO, None)?.1.as_secs_f64());
        std::iter::from_fn(next).take(count).collect()
    }

    #[test]
    fn the_wait_grows_up_to_its_limit_and_varies() {
        let recovery = Recovery {
            max_delay: Duration::from_secs(5),
            ..Recovery::default()
        };
        let delays = delays(recovery, 100);
        for (delay, most) in delays.iter().zip([1.0, 2.0, 4.0, 5.0, 5.0]) {
            assert!((most / 2.0..=most).contains(delay), "{delay} of {most}");
        }
        let last = &delays[3..];
        assert!(last.iter().any(|it| *it != last[0]), "{last:?}");
    }

    #[test]
    fn there_are_so_many_tries_and_no_more_until_a_run_was_healthy() {
        let mut tries = Tries::new(Recovery {
            max_retries: Some(2),
            ..Recovery::default()
        });
        let mut number = |lasted| tries.next(Duration::from_secs(lasted), None).map(|it| it.0);
        assert_eq!(
            [number(0), number(299), number(0)],
            [Some(1), Some(2), None]
        );
        assert_eq!(
            [number(300), number(1), number(1)],
            [Some(1), Some(2), None]
        );
    }

    #[test]
    fn a_plugin_may_ask_for_a_longer_wait() {
        let mut tries = Tries::new(Recovery::default());
        let hour = Duration::from_secs(3600);
        assert_eq!(tries.next(Duration::ZERO, Some(hour)), Some((1, hour)));
    }

    #[test]
    fn no_number_of_tries_overflows() {
        let mut tries = Tries::new(Recovery {
            factor: f64::MAX,
            ..Recovery::default()
        });
        tries.made = u32::MAX;
        let (_, delay) = tries.next(Duration::ZERO, None).unwrap();
        assert!(delay <= Duration::from_secs(600));
    }
}
