//! What a pipeline's events tell of its tries: how many there were, and the wait before the next one.

use std::sync::Arc;
use std::time::{Duration, Instant};

use plugin_host::{Outcome, PipelineError, Status};

use crate::progress::Retry;

/// The tries of one pipeline.
#[derive(Debug, Default)]
pub(super) struct Tries {
    /// Errors so far, those that another try has mended among them.
    pub(super) errors: u64,
    /// Tries after the first one.
    pub(super) retries: u64,
    /// From a failure on until the next try begins.
    wait: Option<Wait>,
}

#[derive(Debug)]
struct Wait {
    error: Arc<PipelineError>,
    attempt: u32,
    begun: Instant,
    delay: Duration,
}

impl Tries {
    /// The pipeline does something else now.
    pub(super) fn note(&mut self, status: Status, now: Instant) {
        match status {
            Status::Recovering {
                error,
                attempt,
                delay,
            } => {
                self.errors += 1;
                self.wait = Some(Wait {
                    error,
                    attempt,
                    begun: now,
                    delay,
                });
            }
            Status::Starting if self.wait.take().is_some() => self.retries += 1,
            Status::Over(outcome) => {
                // Where a stop has ended the wait it is the error that was counted before it.
                let is_counted = self.wait.take().is_some();
                if matches!(outcome, Outcome::Failed(_)) && !is_counted {
                    self.errors += 1;
                }
            }
            _ => {}
        }
    }

    /// The try to come, while it is waited for.
    pub(super) fn coming(&self, now: Instant) -> Option<Retry> {
        self.wait.as_ref().map(|wait| Retry {
            attempt: wait.attempt,
            left: wait
                .delay
                .saturating_sub(now.saturating_duration_since(wait.begun)),
            error: wait.error.to_string(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failed(attempt: u32) -> Status {
        Status::Recovering {
            error: Arc::new(PipelineError::StoreClosed),
            attempt,
            delay: Duration::from_secs(10),
        }
    }

    fn over() -> Status {
        Status::Over(Outcome::Failed(Arc::new(PipelineError::StoreClosed)))
    }

    #[test]
    fn errors_and_tries_are_counted() {
        for (story, errors, retries) in [
            (vec![Status::Starting, Status::Running], 0, 0),
            (vec![Status::Starting, Status::Running, over()], 1, 0),
            (vec![Status::Starting, failed(1)], 1, 0),
            (vec![Status::Starting, failed(1), Status::Starting], 1, 1),
            (
                vec![
                    Status::Starting,
                    failed(1),
                    Status::Starting,
                    failed(2),
                    Status::Starting,
                    Status::Running,
                    over(),
                ],
                3,
                2,
            ),
            // Stopped in the wait: it is over by the error that it has waited for.
            (
                vec![Status::Starting, failed(1), Status::Stopping, over()],
                1,
                0,
            ),
        ] {
            let mut tries = Tries::default();
            let told = format!("{story:?}");
            for status in story {
                tries.note(status, Instant::now());
            }
            assert_eq!((tries.errors, tries.retries), (errors, retries), "{told}");
        }
    }

    #[test]
    fn the_wait_is_told_until_the_try_begins() {
        let begun = Instant::now();
        let mut tries = Tries::default();
        tries.note(failed(3), begun);
        let left = |tries: &Tries, later| {
            let coming = tries.coming(begun + Duration::from_secs(later));
            coming.map(|retry| (retry.attempt, retry.left.as_secs()))
        };
        assert_eq!(left(&tries, 4), Some((3, 6)));
        assert_eq!(left(&tries, 11), Some((3, 0)));
        tries.note(Status::Starting, begun);
        assert_eq!(left(&tries, 4), None);
        tries.note(failed(4), begun);
        tries.note(over(), begun);
        assert_eq!(left(&tries, 4), None);
    }
}
