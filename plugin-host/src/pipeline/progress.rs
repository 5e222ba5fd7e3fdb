//! What a pipeline has done, counted while it runs.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A snapshot of what a pipeline has done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Progress {
    /// Records that are done with: every destination has confirmed them, or the dead-letter queue has.
    pub records: u64,
    /// Bytes of the batches that were read.
    pub bytes: u64,
    /// Records that were read and not yet confirmed.
    pub unacknowledged: u64,
    /// Records whose positions are durable.
    pub committed: u64,
    /// Records that were refused and are in the dead-letter queue; they count among the others, too.
    pub dead_letters: u64,
}

/// What a pipeline's lines count, those of the present try, and what the ones before have done.
#[derive(Debug, Default)]
pub(crate) struct Counters(Mutex<Lines>);

#[derive(Debug, Default)]
struct Lines {
    present: Vec<Arc<LineCounters>>,
    earlier: Progress,
}

/// Counters that only one line writes.
#[derive(Debug, Default)]
pub(super) struct LineCounters {
    pub(super) read: AtomicU64,
    pub(super) confirmed: AtomicU64,
    pub(super) committed: AtomicU64,
    pub(super) dead_letters: AtomicU64,
    bytes: AtomicU64,
}

impl LineCounters {
    /// So many bytes were read.
    #[inline]
    pub(super) fn add_bytes(&self, bytes: u64) {
        // Nobody else writes it.
        let before = self.bytes.load(Ordering::Relaxed);
        self.bytes.store(before + bytes, Ordering::Relaxed);
    }

    fn progress(&self) -> Progress {
        let records = self.confirmed.load(Ordering::Relaxed);
        let read = self.read.load(Ordering::Relaxed);
        Progress {
            records,
            bytes: self.bytes.load(Ordering::Relaxed),
            unacknowledged: read.saturating_sub(records),
            committed: self.committed.load(Ordering::Relaxed),
            dead_letters: self.dead_letters.load(Ordering::Relaxed),
        }
    }
}

impl Counters {
    /// The counters of one more line.
    pub(super) fn line(&self) -> Arc<LineCounters> {
        let line = Arc::default();
        self.lock().present.push(Arc::clone(&line));
        line
    }

    /// Another try follows. What had no answer is read again, so it counts no more.
    pub(super) fn begin_again(&self) {
        let mut lines = self.lock();
        let so_far = lines.sum();
        lines.present.clear();
        lines.earlier = Progress {
            unacknowledged: 0,
            ..so_far
        };
    }

    /// All of it so far.
    pub(super) fn progress(&self) -> Progress {
        self.lock().sum()
    }

    fn lock(&self) -> MutexGuard<'_, Lines> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Lines {
    fn sum(&self) -> Progress {
        let present = self.present.iter().map(|line| line.progress());
        present.fold(self.earlier, |sum, line| Progress {
            records: sum.records + line.records,
            bytes: sum.bytes + line.bytes,
            unacknowledged: sum.unacknowledged + line.unacknowledged,
            committed: sum.committed + line.committed,
            dead_letters: sum.dead_letters + line.dead_letters,
        })
    }
}
