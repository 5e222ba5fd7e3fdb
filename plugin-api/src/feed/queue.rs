//! The queue between a feed and what fills it.
//!
//! Owns the records under way and how far the feed is: open, closed, ended. It never runs an author's
//! code, and wakes nobody while it holds its lock.

use std::collections::VecDeque;
use std::fmt;
use std::mem;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::task;
use std::time::Duration;

use super::feeder::FeedClosed;
use super::size;
use crate::context::{Context, Waker};
use crate::error::Result;
use crate::record::Record;

/// How much may wait in a [`Feed`](super::Feed) before [`Feeder::push`](super::Feeder::push) waits (I5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Capacity {
    /// Number of records, at least 1.
    pub records: usize,
    /// Bytes of memory of the records, about. A record that is larger has the feed to itself.
    pub bytes: usize,
}

/// 4,096 records and 8 MiB.
impl Default for Capacity {
    fn default() -> Self {
        Self {
            records: 4_096,
            bytes: 8 << 20,
        }
    }
}

/// A record, and what it counts.
pub(super) struct Entry {
    pub(super) record: Record,
    pub(super) bytes: usize,
}

/// So many records of so many bytes.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Amount {
    records: usize,
    bytes: usize,
}

impl Amount {
    pub(super) fn add(&mut self, bytes: usize) {
        self.records += 1;
        self.bytes += bytes;
    }
}

/// What the source finds.
pub(super) enum Found {
    Records,
    /// Nothing yet; what comes wakes the source.
    Nothing,
    /// There will never be more.
    End(Result<()>),
}

#[derive(Debug)]
pub(crate) struct Queue {
    pub(super) capacity: Capacity,
    state: Mutex<State>,
    /// There is room, or the feed is closed or over, or its source has read for the first time.
    changed: Condvar,
}

#[derive(Default)]
pub(super) struct State {
    records: VecDeque<Entry>,
    /// All records that are in no batch yet: those above, and those that the feed has taken.
    held: Amount,
    pub(super) is_closed: bool,
    /// What the source is told behind the last record.
    end: Option<Result<()>>,
    /// Whether the closure has returned, and is no more.
    is_over: bool,
    /// Whether nothing more is there at present, in the closure's words.
    is_idle: bool,
    /// Known from the first read on.
    run: Option<Run>,
    /// Whether the source has found nothing since something came.
    is_hungry: bool,
    /// Tasks that wait for room, or for the first read.
    pub(super) waiting: Vec<task::Waker>,
    /// The task that is to end when the feed is closed.
    pub(super) feeding: Option<task::Waker>,
}

pub(super) struct Run {
    waker: Waker,
    pub(super) until_end: bool,
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("State")
            .field("held", &self.held)
            .field("is_closed", &self.is_closed)
            .finish_non_exhaustive()
    }
}

impl State {
    /// Whoever is to be woken for something that has come, once the lock is free.
    fn fed(&mut self) -> Option<Waker> {
        let is_hungry = mem::take(&mut self.is_hungry);
        let run = self.run.as_ref().filter(|_| is_hungry);
        run.map(|run| run.waker.clone())
    }

    /// How the source runs, where that is known.
    pub(super) fn open_run(&self) -> Result<Option<&Run>, FeedClosed> {
        if self.is_closed {
            return Err(FeedClosed);
        }
        Ok(self.run.as_ref())
    }

    /// Whether the run is known to end where nothing more is there.
    fn ends_when_idle(&self) -> bool {
        self.run.as_ref().is_some_and(|run| run.until_end)
    }

    /// Whether a record of so many bytes has no room.
    pub(super) fn is_full(&self, capacity: Capacity, bytes: usize) -> bool {
        self.held.records > 0
            && (self.held.records >= capacity.records
                || self.held.bytes.saturating_add(bytes) > capacity.bytes)
    }
}

/// What feeds.
impl Queue {
    pub(crate) fn new(capacity: Capacity) -> Self {
        Self {
            capacity,
            state: Mutex::default(),
            changed: Condvar::new(),
        }
    }

    pub(super) fn push(&self, record: Record) -> Result<(), FeedClosed> {
        let bytes = size::of(&record);
        let state = self
            .changed
            .wait_while(self.lock(), |state| {
                !state.is_closed && state.is_full(self.capacity, bytes)
            })
            .unwrap_or_else(PoisonError::into_inner);
        Self::add(state, Entry { record, bytes })
    }

    pub(super) fn add(mut state: MutexGuard<'_, State>, entry: Entry) -> Result<(), FeedClosed> {
        if state.is_closed {
            return Err(FeedClosed);
        }
        state.is_idle = false;
        state.held.add(entry.bytes);
        state.records.push_back(entry);
        let waker = state.fed();
        drop(state);
        waker.inspect(Waker::wake);
        Ok(())
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.lock().is_closed
    }

    pub(crate) fn idle(&self) -> Result<(), FeedClosed> {
        let mut state = self.lock();
        if state.is_closed {
            return Err(FeedClosed);
        }
        if !state.ends_when_idle() {
            // The first read may find that the run ends here.
            state.is_idle = true;
            return Ok(());
        }
        self.end_here(state, Ok(()));
        Err(FeedClosed)
    }

    pub(super) fn until_end(&self) -> Result<bool, FeedClosed> {
        let state = self
            .changed
            .wait_while(self.lock(), |state| !state.is_closed && state.run.is_none())
            .unwrap_or_else(PoisonError::into_inner);
        Ok(state.open_run()?.is_some_and(|run| run.until_end))
    }

    /// The closure has returned, and what it held is dropped.
    pub(crate) fn end(&self, result: Result<()>) {
        let mut state = self.lock();
        state.is_over = true;
        let is_told = state.end.is_none();
        self.end_here(state, if is_told { result.clone() } else { Ok(()) });
        // Not under the lock: the log is the host's.
        if let (false, Err(error)) = (is_told, &result) {
            log::debug!("a feed was closed before its closure ended: {error:#}");
        }
    }

    /// Nothing comes behind what is there.
    fn end_here(&self, mut state: MutexGuard<'_, State>, result: Result<()>) {
        state.end.get_or_insert(result);
        state.is_closed = true;
        let waker = state.fed();
        self.tell_change(state);
        waker.inspect(Waker::wake);
    }
}

/// The source.
impl Queue {
    /// The source's first read.
    pub(super) fn introduce(&self, context: &Context) {
        let mut state = self.lock();
        state.run = Some(Run {
            waker: context.waker(),
            until_end: context.until_end(),
        });
        self.tell_change(state);
    }

    /// Gives back the room of what was moved, and takes all that is there in the place of what was
    /// empty; `false` when there is nothing.
    pub(super) fn exchange(&self, taken: &mut VecDeque<Entry>, moved: Amount) -> bool {
        let mut state = self.lock();
        mem::swap(&mut state.records, taken);
        self.free_in(state, moved);
        !taken.is_empty()
    }

    /// Gives back the room of what was moved.
    pub(super) fn free(&self, moved: Amount) {
        self.free_in(self.lock(), moved);
    }

    fn free_in(&self, mut state: MutexGuard<'_, State>, moved: Amount) {
        state.held.records = state.held.records.saturating_sub(moved.records);
        state.held.bytes = state.held.bytes.saturating_sub(moved.bytes);
        if moved.records > 0 {
            self.tell_change(state);
        }
    }

    /// What is there now that the queue seemed empty.
    pub(super) fn find(&self) -> Found {
        let mut state = self.lock();
        if !state.records.is_empty() {
            return Found::Records;
        }
        if let Some(end) = &mut state.end {
            return Found::End(mem::replace(end, Ok(())));
        }
        if state.is_idle && state.ends_when_idle() {
            self.end_here(state, Ok(()));
            return Found::End(Ok(()));
        }
        state.is_hungry = true;
        Found::Nothing
    }

    /// Takes no more, and forgets what is there.
    pub(super) fn close(&self) {
        let mut state = self.lock();
        let records = mem::take(&mut state.records);
        state.held = Amount::default();
        state.end = Some(Ok(()));
        state.is_closed = true;
        state.run = None;
        self.tell_change(state);
        drop(records);
    }

    /// Waits until the closure is no more, at most so long.
    pub(super) fn wait_for_end(&self, patience: Duration) {
        let state = self.lock();
        let waited = self
            .changed
            .wait_timeout_while(state, patience, |state| !state.is_over);
        drop(waited);
    }

    /// Whether a push of so many bytes would wait.
    #[cfg(test)]
    pub(super) fn is_full_for(&self, bytes: usize) -> bool {
        self.lock().is_full(self.capacity, bytes)
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Wakes whoever waits for a change that was made.
    fn tell_change(&self, mut state: MutexGuard<'_, State>) {
        let mut tasks = mem::take(&mut state.waiting);
        if state.is_closed {
            tasks.extend(state.feeding.take());
        }
        drop(state);
        self.changed.notify_all();
        tasks.into_iter().for_each(task::Waker::wake);
    }
}
