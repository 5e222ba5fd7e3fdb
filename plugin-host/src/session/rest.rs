//! Keeps a connector that has nothing and doesn't wait for it from spinning.

use std::time::{Duration, Instant};

/// When a source had nothing last.
#[derive(Debug, Default)]
pub(crate) struct Rest(Option<Instant>);

impl Rest {
    /// Whether a source that has nothing has said so a moment ago already, without waiting for data.
    pub(crate) fn is_due(&self) -> bool {
        const HASTY: Duration = Duration::from_millis(1);
        self.0.is_some_and(|before| before.elapsed() < HASTY)
    }

    /// The source has nothing.
    pub(crate) fn note(&mut self) {
        self.0 = Some(Instant::now());
    }

    /// The source has something again.
    pub(crate) fn over(&mut self) {
        self.0 = None;
    }
}
