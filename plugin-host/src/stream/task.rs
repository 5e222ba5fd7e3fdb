//! A call that a host's thread asks the connector's thread for.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Instant;

use crossbeam_channel::{Receiver, bounded};

use super::budget::{Amount, Budget};
use super::context::Context;
use super::error::StreamError;
use super::wait::Interrupted;

/// The connector's thread's half.
pub(super) struct Task<P> {
    claim: Held,
    _place: Option<Place>,
    deadline: Option<Instant>,
    run: Box<dyn FnOnce(&mut P) + Send>,
}

/// A place among the tasks that wait, until it is dropped. A task that was withdrawn keeps its own.
pub(super) struct Place(Arc<Budget>);

/// The half of whoever asks.
pub(super) struct Asked<R> {
    pub(super) claim: Arc<Claim>,
    pub(super) answer: Receiver<Result<R, StreamError>>,
}

/// Who has a task: whoever asks for it, until the thread begins with it.
#[derive(Debug, Default)]
pub(super) struct Claim(AtomicU8);

/// The thread's share of a claim; the task is done when it is dropped, whatever the reason.
struct Held(Arc<Claim>);

const ONE: Amount = Amount {
    records: 1,
    bytes: 0,
};

const ASKED: u8 = 0;
const RUNNING: u8 = 1;
const DONE: u8 = 2;
const WITHDRAWN: u8 = 3;

impl<P> Task<P> {
    pub(super) fn new<R: Send + 'static>(
        place: Option<Place>,
        deadline: Option<Instant>,
        call: impl FnOnce(&mut P) -> Result<R, StreamError> + Send + 'static,
    ) -> (Self, Asked<R>) {
        let (reply, answer) = bounded(1);
        let claim = Arc::new(Claim::default());
        let task = Self {
            claim: Held(Arc::clone(&claim)),
            _place: place,
            deadline,
            run: Box::new(move |pump| {
                // Fails when nobody waits for the answer any more.
                reply.send(call(pump)).ok();
            }),
        };
        (task, Asked { claim, answer })
    }

    /// Until when somebody waits for it.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.deadline
    }

    /// Makes the call, unless it was withdrawn.
    pub(super) fn run(self, pump: &mut P) {
        if self.claim.0.pass(RUNNING) {
            (self.run)(pump);
        }
    }
}

impl Place {
    /// Waits for a place until one of the contexts ends.
    pub(super) fn take(room: &Arc<Budget>, contexts: &[&Context]) -> Result<Self, Interrupted> {
        room.take(contexts, ONE)?;
        Ok(Self(Arc::clone(room)))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.give(ONE);
    }
}

impl Claim {
    /// Keeps the thread from beginning; `false` when it has begun.
    pub(super) fn withdraw(&self) -> bool {
        self.pass(WITHDRAWN)
    }

    pub(super) fn is_running(&self) -> bool {
        self.0.load(Ordering::Acquire) == RUNNING
    }

    pub(super) fn is_done(&self) -> bool {
        self.0.load(Ordering::Acquire) == DONE
    }

    fn pass(&self, to: u8) -> bool {
        let passed = self
            .0
            .compare_exchange(ASKED, to, Ordering::AcqRel, Ordering::Acquire);
        passed.is_ok()
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.0.0.store(DONE, Ordering::Release);
    }
}
