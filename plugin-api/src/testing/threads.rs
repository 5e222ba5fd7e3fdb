//! Threads that a connector leaves behind.

use std::thread;
use std::time::{Duration, Instant};

use super::limit::Steps;
use crate::ffi::testing::Mark;

/// How long threads may take to begin or to end.
const PATIENCE: Duration = Duration::from_secs(2);

/// The threads that were started on the suite's own thread, and from there.
///
/// What a process keeps for good, such as the threads of a pool, is there after the first run of a
/// connector. What an instance leaves behind is there once more after each further one.
pub(super) struct Threads {
    mark: Mark,
    after_first: usize,
    further: usize,
}

impl Threads {
    /// Begins before the plugin is called.
    pub(super) fn new() -> Self {
        Self {
            mark: Mark::this_thread(),
            after_first: 0,
            further: 0,
        }
    }

    /// A connector was torn down and dropped for the first time after a run.
    pub(super) fn note_first(&mut self) {
        self.after_first = self.left(|_| true).len();
    }

    /// Another one was.
    pub(super) fn note_further(&mut self) {
        self.further += 1;
    }

    /// None is there any more.
    pub(super) fn test(&self, steps: &Steps) {
        steps.begin("the end of the connector's threads");
        let is_fine = |left: usize| left < self.after_first + self.further;
        let left = self.left(is_fine);
        assert!(
            is_fine(left.len()),
            "threads of the plugin are left after all were torn down and dropped: {left:?}"
        );
    }

    /// The threads, once there are as few as wanted, or after a while.
    fn left(&self, is_wanted: impl Fn(usize) -> bool) -> Vec<String> {
        let begun = Instant::now();
        let mut left = Vec::new();
        while begun.elapsed() < PATIENCE {
            if let Some(found) = self.mark.others() {
                left = found;
                if is_wanted(left.len()) {
                    break;
                }
            }
            thread::sleep(Duration::from_millis(1));
        }
        left
    }
}
