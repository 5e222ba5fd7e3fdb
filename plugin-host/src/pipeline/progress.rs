//! What a pipeline has done, counted while it runs.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// A snapshot of what a pipeline has done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Progress {
    /// Records that every destination has confirmed.
    pub records: u64,
    /// Bytes of the batches that were read.
    pub bytes: u64,
    /// Records that were read and not yet confirmed.
    pub unacknowledged: u64,
    /// Records whose positions are durable.
    pub committed: u64,
}

/// Counters that only the driver writes: those of the present try, and what the ones before have done.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) read: AtomicU64,
    pub(crate) confirmed: AtomicU64,
    pub(crate) committed: AtomicU64,
    pub(crate) bytes: AtomicU64,
    earlier: Mutex<Progress>,
}

impl Counters {
    /// Another try follows. What had no answer is read again, so it counts no more.
    pub(super) fn begin_again(&self) {
        let mut earlier = self.lock_earlier();
        earlier.records += self.confirmed.swap(0, Ordering::Relaxed);
        earlier.bytes += self.bytes.swap(0, Ordering::Relaxed);
        earlier.committed += self.committed.swap(0, Ordering::Relaxed);
        self.read.store(0, Ordering::Relaxed);
    }

    /// All of it so far.
    pub(super) fn progress(&self) -> Progress {
        // Under the lock, or what moves from the present try to the earlier ones could count twice.
        let earlier = self.lock_earlier();
        let read = self.read.load(Ordering::Relaxed);
        let records = self.confirmed.load(Ordering::Relaxed);
        Progress {
            records: earlier.records + records,
            bytes: earlier.bytes + self.bytes.load(Ordering::Relaxed),
            unacknowledged: read.saturating_sub(records),
            committed: earlier.committed + self.committed.load(Ordering::Relaxed),
        }
    }

    fn lock_earlier(&self) -> MutexGuard<'_, Progress> {
        self.earlier.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
