//! From the destinations' answers to the source's acks, by way of the store.

use std::sync::atomic::Ordering;
use std::time::Instant;

use plugin_api::Position;

use super::super::destination::FLUSH_WAIT;
use super::super::error::PipelineError;
use super::super::halt::{Halt, and_also, halt_on};
use super::super::outlet::Outlet;
use super::super::windows::CommitError;
use super::super::windows::positions::Positions;
use super::Line;
use crate::session::Call;
use crate::supervisor::{FORCED_GRACE, TICK};

impl<O: Outlet> Line<O> {
    /// Lets destinations answer what they have deferred; `false` when none had anything to say.
    pub(super) fn flush(&mut self) -> Result<bool, Halt> {
        let before = self.outlet.missing();
        let flushed = self.outlet.flush();
        if let Err(Halt::Abandoned) = flushed {
            return Err(Halt::Abandoned);
        }
        // Answers that were given before an error stand.
        self.confirm();
        flushed.map_err(|halt| self.failed(halt))?;
        self.settle_refused()?;
        Ok(self.outlet.missing() < before)
    }

    /// Goes by what the destinations have answered.
    pub(super) fn confirm(&mut self) {
        let confirmed = self.confirmed(self.outlet.answered());
        self.windows.confirm(confirmed, self.run.ticks());
        self.counters.confirmed.store(confirmed, Ordering::Relaxed);
    }

    /// A destination has failed. Of a record that it has refused, the source's position is told.
    pub(super) fn failed(&mut self, mut halt: Halt) -> Halt {
        self.destination_failed = true;
        if let Halt::Failed(error) = &mut halt
            && let PipelineError::Nack {
                sequence, position, ..
            } = &mut **error
        {
            let known = self.windows.unanswered(*sequence);
            *position = position.take().or_else(|| known.map(Position::from));
        }
        halt
    }

    /// As [`Line::flush`], waiting for a wake-up where there was no answer yet.
    pub(super) fn await_answers(&mut self) -> Result<(), Halt> {
        if !self.flush()? {
            self.outlet.pause(self.source.context(), FLUSH_WAIT);
        }
        Ok(())
    }

    /// Tells the source what has become durable, and commits the open window when its time is over.
    pub(super) fn tend_windows(&mut self) -> Result<(), Halt> {
        let durable = self.windows.take_durable();
        self.acknowledge(durable)?;
        if self.windows.is_due(self.run.ticks()) {
            self.windows.commit();
        }
        Ok(())
    }

    /// Waits until the open window takes another batch.
    pub(super) fn make_room(&mut self) -> Result<(), Halt> {
        if self.outlet.missing() > 0 {
            self.await_answers()?;
        } else {
            // Another thread may have answered since the last look.
            self.flush()?;
        }
        if self.windows.is_open() {
            self.await_commit()?;
            self.windows.commit();
        }
        Ok(())
    }

    /// Waits until no window is under way, however long the disk takes; a forced stop ends it.
    fn await_commit(&mut self) -> Result<(), Halt> {
        while self.windows.is_committing() {
            if self.run.is_forced() {
                return Err(Halt::Forced);
            }
            let durable = self.windows.wait_durable(TICK);
            self.acknowledge(durable)?;
        }
        Ok(())
    }

    /// A window is durable: the source is told (I1).
    fn acknowledge(&mut self, durable: Result<Option<Positions>, CommitError>) -> Result<(), Halt> {
        let Some(window) = durable.map_err(PipelineError::from)? else {
            return Ok(());
        };
        self.note_committed(&window);
        let acked = match self.ack_failed {
            true => Ok(()),
            false => self.source.ack(window.as_acks()),
        };
        self.ack_failed |= acked.is_err();
        self.windows.recycle(window);
        halt_on(self.source.connector(), Call::Ack, acked)
    }

    /// Nothing more is read: gets every answer.
    pub(super) fn drain(&mut self) -> Result<(), Halt> {
        let last = self.windows.last().map(<[u8]>::to_vec);
        self.outlet.stop(last.as_deref())?;
        let mut tended = Ok(());
        while self.outlet.missing() > 0 {
            if self.run.is_forced() {
                return Err(Halt::Forced);
            }
            if let Err(halt) = self.tend_windows() {
                // An ack that the source refuses keeps nothing from being answered and stored.
                match halt {
                    Halt::Failed(_) if !self.windows.has_failed() => tended = Err(halt),
                    halt => return Err(halt),
                }
            }
            self.await_answers()?;
            self.outlet.check_silence()?;
        }
        // Another thread may have answered since the last look.
        self.confirm();
        and_also(tended, || self.settle_refused())
    }

    /// Makes what is confirmed durable and tells the source.
    pub(super) fn settle(&mut self) -> Result<(), Halt> {
        let before = self.await_commit();
        and_also(before, || {
            self.windows.commit();
            self.await_commit()
        })
    }

    /// After a forced stop: what is confirmed becomes durable if that takes no longer than a call
    /// may take then; the source isn't told any more.
    pub(super) fn leave(&mut self) {
        let deadline = Instant::now() + FORCED_GRACE;
        for _window in 0..2 {
            let left = deadline.saturating_duration_since(Instant::now());
            if let Ok(Some(window)) = self.windows.wait_durable(left) {
                self.note_committed(&window);
            }
            if self.windows.is_committing() {
                return;
            }
            self.windows.commit();
        }
    }

    fn note_committed(&self, window: &Positions) {
        let committed = &self.counters.committed;
        committed.fetch_add(window.count(), Ordering::Relaxed);
    }
}
