//! What the threads of a split pipeline tell each other.
//!
//! Destinations' threads say how far they are and what was refused, the lines look at that when they
//! need to. Who waits says so first and then looks once more, who tells something looks whether
//! somebody waits after that: so nobody is woken for nothing, and nobody waits for what is there.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering, fence};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use plugin_api::ffi::Wakeups;

use crate::ffi::ContextState;
use crate::pipeline::destination::refusals::Nack;
use crate::pipeline::error::PipelineError;
use crate::pipeline::halt::Halt;

/// No record: none was refused, and nothing is left.
const NONE: u64 = u64::MAX;

/// The state that all threads of a run share.
pub(super) struct Board {
    lines: Vec<LineSide>,
    writers: Vec<WriterSide>,
    /// Sources are to come to their ends.
    ending: AtomicBool,
    /// A destination has failed: nothing more is written.
    failed: AtomicBool,
    /// What has failed first.
    failure: Mutex<Option<Box<PipelineError>>>,
}

/// What a line is told.
struct LineSide {
    context: Arc<ContextState>,
    /// By destination: the records below are answered.
    answered: Vec<AtomicU64>,
    nacks: Mutex<BTreeMap<u64, Nack>>,
    /// The first one.
    first_nack: AtomicU64,
    /// Bytes of their errors and records.
    nack_bytes: AtomicUsize,
    /// How often it was told something.
    changes: AtomicU64,
    waits: AtomicBool,
}

/// What a destination's thread is told.
struct WriterSide {
    context: Arc<ContextState>,
    waits: AtomicBool,
    /// By line: it writes nothing from this record on, which is read again.
    left_at: Vec<AtomicU64>,
}

impl Board {
    pub(super) fn new(
        lines: impl Iterator<Item = Arc<ContextState>>,
        writers: impl Iterator<Item = Arc<ContextState>>,
    ) -> Self {
        let lines: Vec<_> = lines.collect();
        let writers = writers.map(|context| WriterSide {
            context,
            waits: AtomicBool::new(false),
            left_at: lines.iter().map(|_| AtomicU64::new(NONE)).collect(),
        });
        let writers: Vec<_> = writers.collect();
        let lines = lines.into_iter();
        let lines = lines.map(|context| LineSide {
            context,
            answered: writers.iter().map(|_| AtomicU64::new(0)).collect(),
            nacks: Mutex::default(),
            first_nack: AtomicU64::new(NONE),
            nack_bytes: AtomicUsize::new(0),
            changes: AtomicU64::new(0),
            waits: AtomicBool::new(false),
        });
        Self {
            lines: lines.collect(),
            writers,
            ending: AtomicBool::new(false),
            failed: AtomicBool::new(false),
            failure: Mutex::default(),
        }
    }

    pub(super) fn lines(&self) -> usize {
        self.lines.len()
    }

    /// The destination has answered the source's records below.
    pub(super) fn answer(&self, source: usize, destination: usize, answered: u64) {
        let known = &self.lines[source].answered[destination];
        // Only this destination writes it.
        if known.load(Ordering::Relaxed) != answered {
            known.store(answered, Ordering::Release);
            self.tell_line(source);
        }
    }

    /// A destination has refused a record; that comes before its answer. Of several the first counts.
    pub(super) fn refuse(&self, source: usize, sequence: u64, nack: Nack) {
        let line = &self.lines[source];
        let mut nacks = line.lock_nacks();
        if let std::collections::btree_map::Entry::Vacant(entry) = nacks.entry(sequence) {
            line.nack_bytes.fetch_add(nack.bytes(), Ordering::Relaxed);
            entry.insert(nack);
        }
        line.note_first(&nacks);
    }

    /// The source's records below are answered by every destination.
    pub(super) fn answered(&self, source: usize) -> u64 {
        let answered = self.lines[source].answered.iter();
        let answered = answered.map(|it| it.load(Ordering::Acquire));
        answered.min().unwrap_or(0)
    }

    /// Most of the records below `given` that one destination has not answered, and was given or will be.
    pub(super) fn missing(&self, source: usize, given: u64) -> u64 {
        let answered = self.lines[source].answered.iter().zip(&self.writers);
        let missing = answered.map(|(answered, writer)| {
            let given = writer.left_at[source].load(Ordering::Acquire).min(given);
            given.saturating_sub(answered.load(Ordering::Acquire))
        });
        missing.max().unwrap_or(0)
    }

    pub(super) fn first_nack(&self, source: usize) -> Option<u64> {
        let first = self.lines[source].first_nack.load(Ordering::Acquire);
        (first != NONE).then_some(first)
    }

    pub(super) fn take_nack(&self, source: usize, sequence: u64) -> Option<Nack> {
        let line = &self.lines[source];
        let mut nacks = line.lock_nacks();
        let nack = nacks.remove(&sequence)?;
        line.note_first(&nacks);
        line.nack_bytes.fetch_sub(nack.bytes(), Ordering::Relaxed);
        Some(nack)
    }

    /// Bytes of what was refused and not taken.
    pub(super) fn nack_bytes(&self, source: usize) -> usize {
        self.lines[source].nack_bytes.load(Ordering::Relaxed)
    }

    /// The destination was given the records of each source below these, and is given nothing more.
    pub(super) fn leave(&self, destination: usize, given: &[u64]) {
        let left_at = self.writers[destination].left_at.iter();
        for (left_at, given) in left_at.zip(given) {
            left_at.store(*given, Ordering::Release);
        }
        self.tell_lines();
    }

    /// A number that changes with everything that the line is told.
    pub(super) fn changes(&self, source: usize) -> u64 {
        self.lines[source].changes.load(Ordering::SeqCst)
    }

    /// Something has changed for the line.
    pub(super) fn tell_line(&self, source: usize) {
        let line = &self.lines[source];
        line.changes.fetch_add(1, Ordering::SeqCst);
        if line.waits.load(Ordering::SeqCst) {
            line.context.signal(Wakeups::WOKEN);
        }
    }

    fn tell_lines(&self) {
        (0..self.lines.len()).for_each(|source| self.tell_line(source));
    }

    /// Waits until the line is told something that it has not seen yet, or its context is woken.
    pub(super) fn line_waits(&self, source: usize, seen: u64, longest: Duration) {
        let line = &self.lines[source];
        line.waits.store(true, Ordering::SeqCst);
        if self.changes(source) == seen {
            line.context.pause(longest);
        }
        line.waits.store(false, Ordering::SeqCst);
    }

    /// Something was put into a destination's queue.
    pub(super) fn tell_writer(&self, destination: usize) {
        let writer = &self.writers[destination];
        fence(Ordering::SeqCst);
        if writer.waits.load(Ordering::SeqCst) {
            writer.context.signal(Wakeups::WOKEN);
        }
    }

    /// Wakes every destination's thread, whatever it waits for.
    pub(super) fn wake_writers(&self) {
        for writer in &self.writers {
            writer.context.signal(Wakeups::WOKEN);
        }
    }

    /// Waits until something is put into the destination's queue, or its context is woken.
    pub(super) fn writer_waits(
        &self,
        destination: usize,
        is_empty: impl FnOnce() -> bool,
        longest: Duration,
    ) {
        let writer = &self.writers[destination];
        writer.waits.store(true, Ordering::SeqCst);
        fence(Ordering::SeqCst);
        if is_empty() {
            writer.context.pause(longest);
        }
        writer.waits.store(false, Ordering::SeqCst);
    }

    /// Lets every source come to its end.
    pub(super) fn end(&self) {
        self.ending.store(true, Ordering::SeqCst);
        for line in &self.lines {
            line.changes.fetch_add(1, Ordering::SeqCst);
            line.context.signal(Wakeups::WOKEN);
        }
    }

    pub(super) fn is_ending(&self) -> bool {
        self.ending.load(Ordering::SeqCst)
    }

    /// A destination has failed, and with it the run.
    pub(super) fn fail(&self, halt: Halt) {
        self.note_failure(halt);
        self.failed.store(true, Ordering::SeqCst);
        self.end();
        self.wake_writers();
    }

    pub(super) fn has_failed(&self) -> bool {
        self.failed.load(Ordering::SeqCst)
    }

    /// Keeps the error of what has failed first; others are logged.
    pub(super) fn note_failure(&self, halt: Halt) {
        if let Halt::Failed(error) = halt {
            let mut failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
            match &*failure {
                None => *failure = Some(error),
                Some(_) => log::error!(target: "plugin_host::pipeline", "after that: {error}"),
            }
        }
    }

    pub(super) fn take_failure(&self) -> Option<Box<PipelineError>> {
        let mut failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
        failure.take()
    }
}

impl LineSide {
    fn lock_nacks(&self) -> MutexGuard<'_, BTreeMap<u64, Nack>> {
        self.nacks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note_first(&self, nacks: &BTreeMap<u64, Nack>) {
        let first = nacks
            .first_key_value()
            .map_or(NONE, |(sequence, _)| *sequence);
        self.first_nack.store(first, Ordering::Release);
    }
}
