//! The time that a call may take.

use std::panic::resume_unwind;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;

/// Longest time of a call.
pub(super) const LIMIT: Duration = Duration::from_secs(10);

/// Tells which call is under way.
pub(super) struct Steps(Sender<&'static str>);

impl Steps {
    /// For calls whose time is that of a step that has begun.
    pub(super) fn unheard() -> Self {
        Self(channel().0)
    }

    /// The call begins.
    pub(super) fn begin(&self, call: &'static str) {
        // Nobody listens any more once a call has taken too long.
        self.0.send(call).ok();
    }
}

/// Does the work on a thread of its own, and panics when it does or when a call takes too long.
#[track_caller]
pub(super) fn watched(work: impl FnOnce(&Steps) + Send + 'static) {
    watched_for(LIMIT, work);
}

#[track_caller]
fn watched_for(limit: Duration, work: impl FnOnce(&Steps) + Send + 'static) {
    let (sender, receiver) = channel();
    let worker = thread::spawn(move || work(&Steps(sender)));
    let mut call = "the test";
    loop {
        match receiver.recv_timeout(limit) {
            Ok(next) => call = next,
            Err(RecvTimeoutError::Timeout) => panic!("{call} has not returned within {limit:?}"),
            Err(RecvTimeoutError::Disconnected) => break,
        }
    }
    if let Err(panic) = worker.join() {
        resume_unwind(panic);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[should_panic(expected = "`read` has not returned within 1s")]
    fn a_call_that_hangs_is_named() {
        watched_for(Duration::from_secs(1), |steps| {
            steps.begin("`read`");
            loop {
                thread::park();
            }
        });
    }

    #[test]
    #[should_panic(expected = "what was wrong")]
    fn a_failure_is_that_of_the_test() {
        watched(|_| panic!("what was wrong"));
    }
}
