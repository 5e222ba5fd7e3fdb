//! When an instance was detached: the run goes on to its end without the thread that hangs.

use std::sync::{Arc, PoisonError};
use std::thread;
use std::time::Duration;

use crossbeam_channel::Receiver;

use super::super::error::PipelineError;
use super::super::status::Outcome;
use super::{FORCED, Never, Run, Stage};
use crate::session::{Call, Watched};

impl Run {
    /// An instance was detached: its thread may never return, so the pipeline ends without it. The
    /// other instances are torn down on a thread of their own; one that hangs there is detached in
    /// its turn, and the next thread goes on with those that are left.
    pub(crate) fn detached(self: &Arc<Self>, connector: &str, call: Call, after: Duration) {
        let after = Duration::from_millis(u64::try_from(after.as_millis()).unwrap_or(u64::MAX));
        let error = PipelineError::call_timeout(connector, call, after);
        log::error!(target: "plugin_host::pipeline", "{error}");
        self.abandon(Arc::new(error), self.sessions());
        let run = Arc::clone(self);
        let rescue = thread::Builder::new()
            .name("forebay-teardown".to_owned())
            .spawn(move || {
                while let Some(session) = run.next_leftover() {
                    session.discard();
                    if session.watch().is_detached() {
                        // It hung and another thread has taken over; nobody waits for this one.
                        return;
                    }
                    run.discarded(&session);
                }
                run.finish_abandoned();
            });
        if rescue.is_err() {
            self.finish_abandoned();
        }
    }

    /// The first detached instance decides how the run ends.
    fn abandon(&self, error: Arc<PipelineError>, leftover: Vec<Arc<dyn Watched>>) {
        let mut stage = self.lock_stage();
        if let Stage::Driven(status) = &*stage {
            let status = status.clone();
            *stage = Stage::Abandoned {
                error,
                leftover,
                discarding: Vec::new(),
                status,
            };
            let mut abandoning = self
                .abandoning
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            abandoning.take();
        }
    }

    fn next_leftover(&self) -> Option<Arc<dyn Watched>> {
        let mut stage = self.lock_stage();
        let Stage::Abandoned {
            leftover,
            discarding,
            ..
        } = &mut *stage
        else {
            return None;
        };
        while let Some(session) = leftover.pop() {
            if !session.watch().is_detached() {
                discarding.push(Arc::clone(&session));
                return Some(session);
            }
        }
        None
    }

    fn discarded(&self, session: &Arc<dyn Watched>) {
        if let Stage::Abandoned { discarding, .. } = &mut *self.lock_stage() {
            discarding.retain(|it| it.watch().id() != session.watch().id());
        }
    }

    fn finish_abandoned(&self) {
        let outcome = match &*self.lock_stage() {
            // Another thread is at it, and comes here in its turn.
            Stage::Abandoned { discarding, .. }
                if discarding.iter().any(|it| !it.watch().is_detached()) =>
            {
                return;
            }
            Stage::Abandoned { .. } if self.is_forced() => Outcome::Forced,
            Stage::Abandoned { error, .. } => Outcome::Failed(Arc::clone(error)),
            Stage::Driven(_) | Stage::Over(_) => return,
        };
        self.finish(outcome);
    }

    /// Ends whatever calls wait for: another thread tears the sessions down.
    pub(in crate::pipeline) fn cancel_all(&self) {
        self.signal(FORCED);
    }

    /// Whether the run was taken over, or is over: no thread of the driver does anything more for it.
    pub(in crate::pipeline) fn is_abandoned(&self) -> bool {
        !matches!(*self.lock_stage(), Stage::Driven(_))
    }

    /// Closed when the run is taken over.
    pub(in crate::pipeline) fn abandonment(&self) -> &Receiver<Never> {
        &self.abandonment
    }

    /// Does something unless the run was taken over. Who takes it over waits for that, and nothing of
    /// the kind follows: the next run may have begun.
    pub(in crate::pipeline) fn unless_abandoned<T>(&self, act: impl FnOnce() -> T) -> Option<T> {
        let stage = self.lock_stage();
        matches!(*stage, Stage::Driven(_)).then(act)
    }
}
