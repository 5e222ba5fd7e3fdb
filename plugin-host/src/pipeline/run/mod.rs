//! What the driver, the supervisor and the owner of a running pipeline share.

mod takeover;

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, bounded};
use plugin_api::ffi::Wakeups;

use super::error::PipelineError;
use super::halt::Halt;
use super::progress::Counters;
use super::status::{Listeners, Outcome, Status};
use crate::session::Watched;
use crate::store::PositionStore;
use crate::supervisor::TICK;

/// Longest single wait; it is begun again.
const LONGEST_WAIT: Duration = Duration::from_secs(3600);

/// What a forced stop tells a connector.
const FORCED: Wakeups = Wakeups(Wakeups::STOP.0 | Wakeups::CANCEL.0);

/// A pipeline from its start on.
pub(crate) struct Run {
    pub(crate) pipeline: String,
    pub(crate) counters: Counters,
    sessions: Mutex<Vec<Arc<dyn Watched>>>,
    ticks: AtomicU32,
    stopping: AtomicBool,
    forced: AtomicBool,
    /// Closed when the driver's threads are not waited for any more.
    abandonment: Receiver<Never>,
    /// Nothing is ever sent.
    abandoning: Mutex<Option<Sender<Never>>>,
    /// Keeps the store open until the run is over.
    store: Mutex<Option<Arc<dyn PositionStore>>>,
    stage: Mutex<Stage>,
    /// The stage has changed, or a stop was asked for.
    changed: Condvar,
    /// Until the run is over: a thread that hangs keeps the run for ever, and nobody is to listen as long.
    listeners: Mutex<Option<Arc<Listeners>>>,
}

/// There is no such value.
pub(in crate::pipeline) enum Never {}

/// Who has a run.
enum Stage {
    /// The driver's thread, and what it does unless it was asked to stop.
    Driven(Status),
    /// An instance was detached and the driver's thread is lost with it: another one tears down the
    /// sessions that are left.
    Abandoned {
        error: Arc<PipelineError>,
        leftover: Vec<Arc<dyn Watched>>,
        /// Those that are being torn down.
        discarding: Vec<Arc<dyn Watched>>,
        /// What the driver did.
        status: Status,
    },
    /// Nobody.
    Over(Outcome),
}

impl Run {
    pub(super) fn new(
        pipeline: String,
        store: Arc<dyn PositionStore>,
        listeners: Arc<Listeners>,
    ) -> Arc<Self> {
        let (abandoning, abandonment) = bounded(0);
        Arc::new(Self {
            pipeline,
            abandonment,
            abandoning: Mutex::new(Some(abandoning)),
            counters: Counters::default(),
            sessions: Mutex::new(Vec::new()),
            ticks: AtomicU32::new(0),
            stopping: AtomicBool::new(false),
            forced: AtomicBool::new(false),
            store: Mutex::new(Some(store)),
            stage: Mutex::new(Stage::Driven(Status::Starting)),
            changed: Condvar::new(),
            listeners: Mutex::new(Some(listeners)),
        })
    }

    /// Puts a session under watch.
    pub(crate) fn add_session(&self, session: Arc<dyn Watched>) {
        let context = Arc::clone(&session);
        self.lock_sessions().push(session);
        // Whoever asks from here on finds the session; who has asked before is seen here.
        if self.is_forced() {
            context.context().signal(FORCED);
        } else if self.is_stopping() {
            context.context().signal(Wakeups::STOP);
        }
    }

    /// The sessions at present.
    pub(crate) fn sessions(&self) -> Vec<Arc<dyn Watched>> {
        self.lock_sessions().clone()
    }

    fn lock_sessions(&self) -> MutexGuard<'_, Vec<Arc<dyn Watched>>> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One tick of the supervisor has passed.
    pub(crate) fn tick(&self) {
        self.ticks.fetch_add(1, Ordering::Relaxed);
    }

    /// Number of ticks so far: the driver's clock, which stands still while the process is stopped.
    #[inline]
    pub(crate) fn ticks(&self) -> u32 {
        self.ticks.load(Ordering::Relaxed)
    }

    /// Time since a tick.
    pub(crate) fn since(&self, tick: u32) -> Duration {
        TICK * self.ticks().wrapping_sub(tick)
    }

    /// A failure after a forced stop is most likely its consequence, and one behind a takeover surely.
    pub(super) fn judge(&self, halt: Halt) -> Halt {
        match halt {
            Halt::Failed(_) | Halt::Elsewhere if self.is_abandoned() => Halt::Abandoned,
            Halt::Failed(error) if self.is_forced() => {
                log::info!(target: "plugin_host::pipeline", "after the forced stop: {error}");
                Halt::Forced
            }
            halt => halt,
        }
    }

    /// Asks for a graceful stop.
    pub(crate) fn stop(&self) {
        if self.ask(false) {
            self.signal(Wakeups::STOP);
        }
    }

    /// Asks for a stop without waiting for anything.
    pub(crate) fn force(&self) {
        if self.ask(true) {
            self.signal(FORCED);
        }
    }

    /// Whether this stop was not asked for before. Under the lock: no end that comes of it is told before
    /// the stop is, and one that is about to wait doesn't miss it.
    fn ask(&self, forced: bool) -> bool {
        let stage = self.lock_stage();
        let was_stopping = self.stopping.swap(true, Ordering::SeqCst);
        let is_new = match forced {
            true => !self.forced.swap(true, Ordering::SeqCst),
            false => !was_stopping,
        };
        if !was_stopping && !matches!(*stage, Stage::Over(_)) {
            self.tell(&Status::Stopping);
        }
        self.changed.notify_all();
        is_new
    }

    /// The driver does something else now. Once a stop is asked for that is what is told.
    pub(super) fn enter(&self, status: Status) {
        let mut stage = self.lock_stage();
        if let Stage::Driven(present) = &mut *stage {
            if !self.is_stopping() {
                self.tell(&status);
            }
            *present = status;
        }
    }

    /// What the pipeline does.
    pub(crate) fn status(&self) -> Status {
        match &*self.lock_stage() {
            Stage::Over(outcome) => Status::Over(outcome.clone()),
            Stage::Driven(_) | Stage::Abandoned { .. } if self.is_stopping() => Status::Stopping,
            Stage::Driven(status) | Stage::Abandoned { status, .. } => status.clone(),
        }
    }

    fn tell(&self, status: &Status) {
        let listeners = self.listeners.lock();
        if let Some(listeners) = &*listeners.unwrap_or_else(PoisonError::into_inner) {
            listeners.tell(&self.pipeline, status);
        }
    }

    /// Waits until the time is over; `false` when a stop was asked for.
    pub(super) fn rest(&self, time: Duration) -> bool {
        let end = Instant::now().checked_add(time);
        let mut stage = self.lock_stage();
        while !self.is_stopping() {
            let left = end.map(|end| end.saturating_duration_since(Instant::now()));
            if left.is_some_and(|left| left.is_zero()) {
                return true;
            }
            // Nobody waits for a year, nor can every clock count so far.
            let left = left.unwrap_or(LONGEST_WAIT).min(LONGEST_WAIT);
            stage = self
                .changed
                .wait_timeout(stage, left)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
        false
    }

    /// A try has failed and another one follows: its sessions are over, and what it has done counts
    /// with what was done before.
    pub(super) fn begin_again(&self) {
        self.lock_sessions().clear();
        self.counters.begin_again();
    }

    /// The store; `None` once the run is over.
    pub(super) fn store(&self) -> Option<Arc<dyn PositionStore>> {
        let store = self.store.lock().unwrap_or_else(PoisonError::into_inner);
        store.as_ref().map(Arc::clone)
    }

    fn signal(&self, bits: Wakeups) {
        for session in self.sessions() {
            session.context().signal(bits);
        }
    }

    #[inline]
    pub(crate) fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::SeqCst)
    }

    pub(crate) fn is_forced(&self) -> bool {
        self.forced.load(Ordering::SeqCst)
    }

    /// The run is over; only the first outcome counts.
    pub(crate) fn finish(&self, outcome: Outcome) {
        // Whoever learns that the run is over can open the store again. Closing it may take its
        // time, and the supervisor looks at the stage.
        let store = self
            .store
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        drop(store);
        let mut stage = self.lock_stage();
        if !matches!(*stage, Stage::Over(_)) {
            let status = Status::Over(outcome.clone());
            self.tell(&status);
            self.listeners
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .take();
            *stage = Stage::Over(outcome);
            self.changed.notify_all();
        }
    }

    pub(crate) fn is_over(&self) -> bool {
        matches!(*self.lock_stage(), Stage::Over(_))
    }

    /// Waits until the run is over, at most until the deadline.
    pub(crate) fn wait(&self, deadline: Option<Instant>) -> Option<Outcome> {
        let mut stage = self.lock_stage();
        loop {
            if let Stage::Over(outcome) = &*stage {
                return Some(outcome.clone());
            }
            stage = match deadline {
                None => self
                    .changed
                    .wait(stage)
                    .unwrap_or_else(PoisonError::into_inner),
                Some(deadline) => {
                    let left = deadline.saturating_duration_since(Instant::now());
                    if left.is_zero() {
                        return None;
                    }
                    self.changed
                        .wait_timeout(stage, left)
                        .unwrap_or_else(PoisonError::into_inner)
                        .0
                }
            };
        }
    }

    fn lock_stage(&self) -> MutexGuard<'_, Stage> {
        self.stage.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
