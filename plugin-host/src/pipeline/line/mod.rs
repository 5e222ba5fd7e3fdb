//! A line: the records of one source, from being read to being acknowledged.
//!
//! A line reads into one recycled batch and gives that to its outlet, which leads to the pipeline's
//! destinations: on the same thread (`fused.rs`) or on others (`split/`). The loop keeps the invariants:
//! a position is handed to the committer once every destination has confirmed it, or the dead-letter
//! queue has, and the source is told only when it is durable (I1, I3); records go to each destination
//! in order and acks to the source in order (I2); at most one window is open and one is being
//! committed, then the source waits.

mod confirm;
pub(super) mod hold;
mod refused;
mod write;

use std::sync::Arc;
use std::time::Instant;

use super::dead_letters::DeadLetters;
use super::destination::FLUSH_WAIT;
use super::error::PipelineError;
use super::halt::{Halt, and_also, halt_on};
use super::outlet::{Outlet, Room};
use super::progress::LineCounters;
use super::run::Run;
use super::status::Outcome;
use super::windows::Windows;
use crate::ffi::Buffer;
use crate::session::{Call, ReadStatus, Rest, SourceSession};
use hold::Hold;
use refused::Refused;

/// Least room of an open window that is still filled: a window is left short rather than filled up
/// by ever smaller batches.
const LEAST_ROOM: usize = 1024;

/// What a line is made of.
pub(super) struct LineParts {
    pub(super) run: Arc<Run>,
    pub(super) source: Arc<SourceSession>,
    pub(super) buffer: Buffer,
    /// What was read and is held back, where a connector wants that.
    pub(super) hold: Option<Hold>,
    pub(super) windows: Windows,
    /// Where records go that can't be delivered.
    pub(super) dead_letters: Option<Arc<DeadLetters>>,
    pub(super) until_end: bool,
}

/// One source's way through a pipeline.
pub(super) struct Line<O> {
    run: Arc<Run>,
    source: Arc<SourceSession>,
    outlet: O,
    buffer: Buffer,
    hold: Option<Hold>,
    windows: Windows,
    refused: Refused,
    counters: Arc<LineCounters>,
    begun: Instant,
    /// Sequence of the next record.
    next: u64,
    until_end: bool,
    rest: Rest,
    /// A destination has failed: none is called again but to be torn down.
    destination_failed: bool,
    /// The source has refused an ack. Acks have no gaps, so none comes behind it; what is confirmed
    /// is stored all the same.
    ack_failed: bool,
    /// The tick at which the source was asked to stop, until somebody is told that it goes on.
    stopped: Option<u32>,
    /// Something has failed, and is told when what was read before is written: no rate is waited for.
    is_hurried: bool,
    /// A stop or failure has come while records waited to be written: they are left, and so is all
    /// behind them.
    has_left: bool,
}

impl<O: Outlet> Line<O> {
    pub(super) fn new(parts: LineParts, outlet: O) -> Self {
        let LineParts {
            run,
            source,
            buffer,
            hold,
            windows,
            dead_letters,
            until_end,
        } = parts;
        let counters = run.counters.line();
        Self {
            run,
            source,
            outlet,
            buffer,
            hold,
            windows,
            refused: Refused::new(dead_letters),
            counters,
            begun: Instant::now(),
            next: 0,
            until_end,
            rest: Rest::default(),
            destination_failed: false,
            ack_failed: false,
            stopped: None,
            is_hurried: false,
            has_left: false,
        }
    }

    /// Runs until the source has ended or the pipeline is stopped.
    pub(super) fn drive(&mut self) -> Result<Outcome, Halt> {
        let streamed = self.stream().map_err(|halt| self.run.judge(halt));
        if streamed.is_err() {
            self.is_hurried = true;
            self.outlet.fail();
        }
        // What has been read before a failure still gets its answers, unless it is a destination
        // that has failed, and what is confirmed becomes durable. What can't be stored any more
        // needn't be written.
        let ended = and_also(streamed, || {
            let answered = if self.destination_failed {
                Ok(())
            } else if self.windows.has_failed() {
                self.drain()
            } else {
                self.release().and_then(|()| self.drain())
            };
            and_also(answered, || self.settle())
        });
        if ended.is_err() {
            self.outlet.fail();
        }
        if self.run.is_forced() && !matches!(ended, Err(Halt::Abandoned)) {
            self.leave();
        }
        match ended {
            // A stop has ended a destination's wait for its rate: the rest is read again.
            Ok(Outcome::Ended) if self.outlet.answered() < self.next => Ok(Outcome::Stopped),
            ended => ended,
        }
    }

    fn stream(&mut self) -> Result<Outcome, Halt> {
        // Since which tick nothing has come of a source that was asked to stop.
        let mut stopping: Option<u32> = None;
        loop {
            if self.run.is_forced() {
                return Err(Halt::Forced);
            }
            if stopping.is_none() && self.is_to_stop() {
                stopping = Some(self.stop_source()?);
            }
            self.tend_windows()?;
            let answering = self.outlet.missing() > 0;
            match self.room()? {
                Room::Free => {}
                Room::Full if self.is_to_stop() => {
                    // As when the window is full: what the source still has is read again.
                    return self.leave_held();
                }
                Room::Busy | Room::Full => {
                    // I5: whatever has the records goes on first.
                    if !self.flush()? && self.room()? != Room::Free {
                        self.outlet.pause(self.source.context(), FLUSH_WAIT);
                    }
                    continue;
                }
            }
            let held = self.held();
            let room = self.windows.room().saturating_sub(held);
            if room < self.buffer.capacity().min(LEAST_ROOM) {
                if held > 0 {
                    self.release()?;
                    if self.has_left {
                        return self.leave_rest(stopping.is_some());
                    }
                    continue;
                }
                if self.is_to_stop() && answering {
                    // What the source still has is read again; the answers have a time limit.
                    return Ok(Outcome::Stopped);
                }
                // I5: nothing is read until a destination answers or a commit is done.
                self.make_room()?;
                continue;
            }
            self.source.context().set_max_wait(self.patience(answering));
            let wanted = self
                .hold
                .as_ref()
                .map_or(room, |hold| hold.room().min(room));
            let read = self.source.read(&mut self.buffer, wanted);
            let (status, records) = halt_on(self.source.connector(), Call::Read, read)?;
            let due = self.due(records);
            if due > 0 {
                self.write(due)?;
                if self.has_left {
                    let asked = stopping.is_some() || status == ReadStatus::End;
                    return self.leave_rest(asked);
                }
            }
            if records > 0 {
                self.rest.over();
            } else {
                // Also where none is missing: another thread may have answered since the last look.
                self.flush()?;
            }
            if status == ReadStatus::End {
                self.release()?;
                // A source that is asked to stop may say so before this loop has asked it.
                return Ok(match self.is_to_stop() {
                    true => Outcome::Stopped,
                    false => Outcome::Ended,
                });
            }
            if records > 0 {
                stopping = stopping.map(|_| self.run.ticks());
                self.tell_of_late_records();
                continue;
            }
            if self.until_end && stopping.is_none() && status == ReadStatus::Idle {
                // The present end of the data: the rest is as after a stop.
                stopping = Some(self.stop_source()?);
            }
            if stopping.is_some_and(|tick| self.run.since(tick) >= self.source.budget()) {
                return Err(Halt::from(PipelineError::NotStopped {
                    connector: self.source.connector().to_owned(),
                    after: self.source.budget(),
                }));
            }
            // A source that has nothing has waited for data; one that hasn't waited must not spin.
            if self.rest.is_due() {
                self.source.context().pause(self.patience(answering));
            }
            self.rest.note();
        }
    }

    /// Whether there is room for another batch.
    #[inline]
    fn room(&mut self) -> Result<Room, Halt> {
        if self.refused.is_full() {
            return Ok(Room::Full);
        }
        let room = self.outlet.room();
        room.map_err(|halt| self.failed(halt))
    }

    /// Whether this source is to come to its end.
    #[inline]
    fn is_to_stop(&self) -> bool {
        self.run.is_stopping() || self.outlet.is_ending()
    }

    fn stop_source(&mut self) -> Result<u32, Halt> {
        halt_on(self.source.connector(), Call::Stop, self.source.stop())?;
        let tick = self.run.ticks();
        self.stopped = Some(tick);
        Ok(tick)
    }

    /// A source may have much to bring yet after its stop; whoever waits for it is told that it is
    /// the source that goes on.
    fn tell_of_late_records(&mut self) {
        if let Some(tick) = self.stopped
            && self.run.since(tick) >= self.source.budget()
        {
            self.stopped = None;
            log::warn!(
                target: "plugin_host::pipeline",
                "{} still has records {:?} after it was asked to stop; only a forced stop ends it sooner",
                self.source.connector(),
                self.source.budget()
            );
        }
    }
}
