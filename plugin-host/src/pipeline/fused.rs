//! The fused driver: one thread drives a source and its destinations with one recycled batch.
//!
//! No channel and no copy lies between a read and the writes, so this is as fast as the connectors
//! are; a slow destination slows them all. The loop keeps the invariants: a position is handed to
//! the committer once every destination has confirmed it, and the source is told only when it is
//! durable (I1, I3); records go to each destination in order and acks to the source in order (I2);
//! at most one window is open and one is being committed, then the source waits.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::answers::Answers;
use super::committer::CommitError;
use super::error::PipelineError;
use super::positions::Positions;
use super::run::{Outcome, Run};
use super::window::Windows;
use crate::ffi::{Buffer, MAX_WAIT};
use crate::session::{Call, CallError, DestinationSession, ReadStatus, SourceSession};
use crate::supervisor::TICK;

/// Longest wait for data while answers are missing: destinations are flushed at least this often.
const FLUSH_WAIT: Duration = Duration::from_millis(10);

/// Why the loop ends early.
pub(super) enum Halt {
    /// Something has failed.
    Failed(PipelineError),
    /// The pipeline was stopped by force.
    Forced,
    /// The supervisor has taken the run over: this thread must touch nothing any more.
    Abandoned,
}

impl From<PipelineError> for Halt {
    fn from(error: PipelineError) -> Self {
        Self::Failed(error)
    }
}

/// A destination and what it has answered.
pub(super) struct Outlet {
    pub(super) session: Arc<DestinationSession>,
    pub(super) answers: Answers,
    pub(super) budget: Duration,
}

/// One pipeline's driver.
pub(super) struct Fused {
    run: Arc<Run>,
    source: Arc<SourceSession>,
    outlets: Vec<Outlet>,
    buffer: Buffer,
    windows: Windows,
    /// Sequence of the next record.
    next: u64,
    until_end: bool,
    /// When the source was idle last, until it has something again.
    idle: Option<Instant>,
    /// A destination has failed: it is not called again but to be torn down.
    outlet_failed: bool,
}

impl Fused {
    pub(super) fn new(
        run: Arc<Run>,
        source: Arc<SourceSession>,
        outlets: Vec<Outlet>,
        buffer: Buffer,
        windows: Windows,
        until_end: bool,
    ) -> Self {
        Self {
            run,
            source,
            outlets,
            buffer,
            windows,
            next: 0,
            until_end,
            idle: None,
            outlet_failed: false,
        }
    }

    /// Runs until the source has ended or the pipeline is stopped.
    pub(super) fn drive(&mut self) -> Result<Outcome, Halt> {
        match self.stream() {
            Ok(outcome) => self.drain().map(|()| outcome),
            Err(Halt::Failed(error)) => {
                // What has been read before the failure still gets its answers, unless it is a
                // destination that has failed; what is confirmed becomes durable. Only an
                // abandoned thread must not go on.
                let ended = if self.outlet_failed {
                    self.settle()
                } else {
                    self.drain()
                };
                match ended {
                    Err(Halt::Abandoned) => Err(Halt::Abandoned),
                    Ok(()) | Err(_) => Err(Halt::Failed(error)),
                }
            }
            Err(Halt::Forced) => match self.settle() {
                Err(Halt::Abandoned) => Err(Halt::Abandoned),
                Ok(()) | Err(_) => Err(Halt::Forced),
            },
            Err(Halt::Abandoned) => Err(Halt::Abandoned),
        }
    }

    fn stream(&mut self) -> Result<Outcome, Halt> {
        let mut outcome = Outcome::Ended;
        // Since when nothing has come of a source that was asked to stop.
        let mut stopping: Option<Instant> = None;
        loop {
            if self.run.is_stopping() {
                if self.run.is_forced() {
                    return Err(Halt::Forced);
                }
                outcome = Outcome::Stopped;
                if stopping.is_none() {
                    stopping = Some(self.stop_source()?);
                }
            }
            self.tend_windows()?;
            let answering = self.missing() > 0;
            if self.windows.is_full(self.buffer.capacity()) {
                if self.run.is_stopping() && answering {
                    // What the source still has is read again; the answers have a time limit.
                    return Ok(outcome);
                }
                // I5: nothing is read until a destination answers or a commit is done.
                self.make_room()?;
                continue;
            }
            self.source.context().set_max_wait(self.patience(answering));
            let read = self.source.read(&mut self.buffer);
            let (status, records) = halt_on(self.source.connector(), Call::Read, read)?;
            if records > 0 {
                self.write(records as u64)?;
                self.idle = None;
            } else if answering {
                self.flush()?;
            }
            if status == ReadStatus::End {
                return Ok(outcome);
            }
            if records > 0 {
                stopping = stopping.map(|_| Instant::now());
                continue;
            }
            if self.until_end && stopping.is_none() && status == ReadStatus::Idle {
                // The present end of the data: the rest is as after a stop.
                stopping = Some(self.stop_source()?);
            }
            if stopping.is_some_and(|since| since.elapsed() >= self.source.budget()) {
                return Err(Halt::Failed(PipelineError::NotStopped {
                    connector: self.source.connector().to_owned(),
                    after: self.source.budget(),
                }));
            }
            self.rest(answering);
        }
    }

    fn stop_source(&self) -> Result<Instant, Halt> {
        halt_on(self.source.connector(), Call::Stop, self.source.stop())?;
        Ok(Instant::now())
    }

    /// A source that has nothing has waited for data; one that hasn't waited must not spin.
    fn rest(&mut self, answering: bool) {
        const HASTY: Duration = Duration::from_millis(1);
        if self.idle.is_some_and(|before| before.elapsed() < HASTY) {
            self.source.context().pause(self.patience(answering));
        }
        self.idle = Some(Instant::now());
    }

    /// Longest time that the next read may wait for data.
    fn patience(&self, answering: bool) -> Duration {
        if answering {
            FLUSH_WAIT
        } else if self.windows.is_open() {
            TICK
        } else {
            MAX_WAIT
        }
    }

    fn write(&mut self, records: u64) -> Result<(), Halt> {
        let first = self.next;
        self.next += records;
        let counters = &self.run.counters;
        counters.read.store(self.next, Ordering::Relaxed);
        counters
            .bytes
            .fetch_add(self.buffer.bytes() as u64, Ordering::Relaxed);
        let batch = self.buffer.as_batch(first);
        let mut failed = None;
        for outlet in &mut self.outlets {
            outlet.answers.give(self.next);
            let written = outlet.session.write(batch, &mut outlet.answers);
            if let Err(halt) = check(outlet, Call::Write, written) {
                failed = Some(halt);
                break;
            }
        }
        if let Some(Halt::Abandoned) = failed {
            return Err(Halt::Abandoned);
        }
        self.outlet_failed = failed.is_some();
        let confirmed = self.confirmed();
        let buffer = &self.buffer;
        let tick = self.run.ticks();
        self.windows
            .add(first, records, confirmed, tick, |i| buffer.position(i));
        counters.confirmed.store(confirmed, Ordering::Relaxed);
        failed.map_or(Ok(()), Err)
    }

    /// Lets destinations answer what they have deferred; `false` when none had anything to say.
    fn flush(&mut self) -> Result<bool, Halt> {
        let before = self.missing();
        for outlet in &mut self.outlets {
            if outlet.answers.missing() == 0 {
                continue;
            }
            outlet.session.context().set_max_wait(Duration::ZERO);
            let flushed = outlet.session.flush(&mut outlet.answers);
            if let Err(halt) = check(outlet, Call::Flush, flushed) {
                self.outlet_failed = true;
                return Err(halt);
            }
        }
        let confirmed = self.confirmed();
        self.windows.confirm(confirmed, self.run.ticks());
        self.run
            .counters
            .confirmed
            .store(confirmed, Ordering::Relaxed);
        Ok(self.missing() < before)
    }

    /// As [`Fused::flush`], waiting for a wake-up where there was no answer yet.
    fn await_answers(&mut self) -> Result<(), Halt> {
        if !self.flush()? {
            self.source.context().pause(FLUSH_WAIT);
        }
        Ok(())
    }

    /// Records below are confirmed by every destination.
    fn confirmed(&self) -> u64 {
        self.outlets
            .iter()
            .map(|outlet| outlet.answers.confirmed())
            .min()
            .unwrap_or(0)
    }

    fn missing(&self) -> u64 {
        self.outlets
            .iter()
            .map(|outlet| outlet.answers.missing())
            .max()
            .unwrap_or(0)
    }

    /// Tells the source what has become durable, and commits the open window when its time is over.
    fn tend_windows(&mut self) -> Result<(), Halt> {
        let durable = self.windows.take_durable();
        self.acknowledge(durable)?;
        if self.windows.is_due(self.run.ticks()) {
            self.windows.commit();
        }
        Ok(())
    }

    /// Waits until the open window takes another batch.
    fn make_room(&mut self) -> Result<(), Halt> {
        if self.missing() > 0 {
            self.await_answers()?;
        }
        if self.windows.is_open() {
            self.await_commit()?;
            self.windows.commit();
        }
        Ok(())
    }

    fn await_commit(&mut self) -> Result<(), Halt> {
        let durable = self.windows.wait_durable();
        self.acknowledge(durable)
    }

    /// A window is durable: the source is told (I1).
    fn acknowledge(&mut self, durable: Result<Option<Positions>, CommitError>) -> Result<(), Halt> {
        let Some(window) = durable.map_err(PipelineError::from)? else {
            return Ok(());
        };
        self.run
            .counters
            .committed
            .fetch_add(window.count(), Ordering::Relaxed);
        let acked = self.source.ack(window.as_acks());
        self.windows.recycle(window);
        halt_on(self.source.connector(), Call::Ack, acked)
    }

    /// The source has ended: gets every answer, and makes every position durable.
    fn drain(&mut self) -> Result<(), Halt> {
        let stopped = self.stop_outlets();
        if matches!(stopped, Err(Halt::Abandoned)) {
            return stopped;
        }
        self.settle().and(stopped)
    }

    fn stop_outlets(&mut self) -> Result<(), Halt> {
        let last = self.windows.last().map(<[u8]>::to_vec);
        for outlet in &mut self.outlets {
            let stopped = outlet.session.stop(last.as_deref());
            halt_on(outlet.session.connector(), Call::Stop, stopped)?;
        }
        // The time limit is for silence, not for a destination that answers slowly.
        let mut heard = (Instant::now(), self.missing());
        while self.missing() > 0 {
            if self.run.is_forced() {
                return Err(Halt::Forced);
            }
            self.tend_windows()?;
            self.await_answers()?;
            if self.missing() != heard.1 {
                heard = (Instant::now(), self.missing());
            }
            let overdue = self
                .outlets
                .iter()
                .find(|outlet| outlet.answers.missing() > 0 && heard.0.elapsed() >= outlet.budget);
            if let Some(outlet) = overdue {
                return Err(Halt::Failed(PipelineError::Unanswered {
                    connector: outlet.session.connector().to_owned(),
                    missing: outlet.answers.missing(),
                    after: outlet.budget,
                }));
            }
        }
        Ok(())
    }

    /// Makes what is confirmed durable and tells the source.
    fn settle(&mut self) -> Result<(), Halt> {
        self.await_commit()?;
        self.windows.commit();
        self.await_commit()
    }
}

pub(super) fn halt_on<T>(
    connector: &str,
    call: Call,
    result: Result<T, CallError>,
) -> Result<T, Halt> {
    result.map_err(|error| {
        PipelineError::call(connector, call, error).map_or(Halt::Abandoned, Halt::Failed)
    })
}

/// Judges a destination's call by its result and its answers.
fn check(outlet: &Outlet, call: Call, result: Result<bool, CallError>) -> Result<(), Halt> {
    let connector = outlet.session.connector();
    let goes_on = halt_on(connector, call, result)?;
    if let Some(fault) = outlet.answers.fault() {
        return Err(Halt::Failed(PipelineError::Contract {
            connector: connector.to_owned(),
            call: call.to_string(),
            fault: fault.to_owned(),
        }));
    }
    if let Some((sequence, error)) = outlet.answers.first_nack() {
        return Err(Halt::Failed(PipelineError::Nack {
            connector: connector.to_owned(),
            sequence,
            error: error.clone(),
        }));
    }
    if !goes_on {
        return Err(Halt::Failed(PipelineError::Closed {
            connector: connector.to_owned(),
        }));
    }
    Ok(())
}
