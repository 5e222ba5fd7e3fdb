//! The destinations of a pipeline: what they are given, and what they have answered.

use std::sync::Arc;
use std::time::{Duration, Instant};

use abi_stable::std_types::RSlice;
use plugin_api::ffi::BatchRef;

use super::answers::Answers;
use super::error::PipelineError;
use super::halt::{Halt, halt_on};
use super::rate::Rate;
use super::run::Run;
use crate::session::{Call, CallError, DestinationSession};

/// The destinations of one pipeline; all get the same records in the same order (I2).
pub(super) struct Destinations {
    all: Vec<Destination>,
    /// Whether one of them has a rate.
    limited: bool,
}

impl Destinations {
    pub(super) fn new(destinations: impl Iterator<Item = Destination>) -> Self {
        let all: Vec<_> = destinations.collect();
        let limited = all.iter().any(|it| it.rate.is_some());
        Self { all, limited }
    }

    /// Whether one of them has a rate.
    #[inline]
    pub(super) fn are_limited(&self) -> bool {
        self.limited
    }

    /// How many of so many records may be written together, and the time until then. They count as
    /// written when there is none.
    pub(super) fn turn(&mut self, records: usize, begun: Instant) -> (usize, Duration) {
        let now = begun.elapsed();
        let rates = || self.all.iter().filter_map(|it| it.rate.as_ref());
        let burst = rates().map(Rate::burst).min().unwrap_or(u64::MAX);
        let together = burst.min(records as u64);
        let rates = self.all.iter_mut().filter_map(|it| it.rate.as_mut());
        let wait = rates.map(|rate| rate.wait(together, now)).max();
        let wait = wait.unwrap_or_default();
        if wait.is_zero() {
            let rates = self.all.iter_mut().filter_map(|it| it.rate.as_mut());
            rates.for_each(|rate| rate.take(together));
        }
        (usize::try_from(together).unwrap_or(records), wait)
    }

    /// Records below are confirmed by every destination (I3).
    pub(super) fn confirmed(&self) -> u64 {
        let confirmed = self.all.iter().map(|it| it.answers.confirmed());
        confirmed.min().unwrap_or(0)
    }

    /// Most records that one of them has not answered.
    pub(super) fn missing(&self) -> u64 {
        let missing = self.all.iter().map(|it| it.answers.missing());
        missing.max().unwrap_or(0)
    }

    /// Gives each the records of a batch, up to the first failure.
    pub(super) fn write(&mut self, batch: BatchRef<'_>) -> Result<(), Halt> {
        self.all.iter_mut().try_for_each(|it| it.write(batch))
    }

    /// Lets those answer that have deferred it, up to the first failure.
    pub(super) fn flush(&mut self) -> Result<(), Halt> {
        let mut deferring = self.all.iter_mut().filter(|it| it.answers.missing() > 0);
        deferring.try_for_each(Destination::flush)
    }

    /// Tells each that the record with this position was the last.
    pub(super) fn stop(&self, last: Option<&[u8]>) -> Result<(), Halt> {
        self.all.iter().try_for_each(|it| it.stop(last))
    }

    /// From this tick on each is expected to answer what it owes.
    pub(super) fn hear(&mut self, tick: u32) {
        for destination in &mut self.all {
            destination.heard = (tick, destination.answers.missing());
        }
    }

    /// Fails when one of them owes answers and has given none for as long as a call of it may take:
    /// the limit is for silence, not for one that answers slowly.
    pub(super) fn check_silence(&mut self, run: &Run) -> Result<(), PipelineError> {
        for destination in &mut self.all {
            let missing = destination.answers.missing();
            let (tick, before) = destination.heard;
            if missing != before {
                destination.heard = (run.ticks(), missing);
            } else if missing > 0 && run.since(tick) >= destination.session.budget() {
                return Err(PipelineError::Unanswered {
                    connector: destination.connector().to_owned(),
                    missing,
                    after: destination.session.budget(),
                });
            }
        }
        Ok(())
    }
}

/// A destination that was started.
pub(super) struct Destination {
    session: Arc<DestinationSession>,
    answers: Answers,
    /// Most records of one write.
    batch: usize,
    rate: Option<Rate>,
    /// The tick at which it has answered last, and how many answers it owed then.
    heard: (u32, u64),
}

impl Destination {
    pub(super) fn new(session: Arc<DestinationSession>, batch: usize, rate: Option<Rate>) -> Self {
        Self {
            session,
            answers: Answers::default(),
            batch,
            rate,
            heard: (0, 0),
        }
    }

    fn connector(&self) -> &'static str {
        self.session.connector()
    }

    /// Gives it the records, no more at once than its settings say.
    fn write(&mut self, batch: BatchRef<'_>) -> Result<(), Halt> {
        let mut first_sequence = batch.first_sequence;
        for index in batch.index.as_slice().chunks(self.batch) {
            let part = BatchRef {
                first_sequence,
                arena: batch.arena,
                index: RSlice::from_slice(index),
            };
            first_sequence += index.len() as u64;
            self.answers.give(first_sequence);
            let written = self.session.write(part, &mut self.answers);
            self.judge(Call::Write, written)?;
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<(), Halt> {
        self.session.context().set_max_wait(Duration::ZERO);
        let flushed = self.session.flush(&mut self.answers);
        self.judge(Call::Flush, flushed)
    }

    fn stop(&self, last: Option<&[u8]>) -> Result<(), Halt> {
        halt_on(self.connector(), Call::Stop, self.session.stop(last))
    }

    /// Judges a call by its result and its answers.
    fn judge(&self, call: Call, result: Result<bool, CallError>) -> Result<(), Halt> {
        let goes_on = halt_on(self.connector(), call, result)?;
        let connector = || self.connector().to_owned();
        let error = if let Some(fault) = self.answers.fault() {
            PipelineError::Contract {
                connector: connector(),
                call: call.to_string(),
                fault: fault.to_owned(),
            }
        } else if let Some((sequence, error)) = self.answers.first_nack() {
            PipelineError::Nack {
                connector: connector(),
                sequence,
                position: None,
                error: error.clone(),
            }
        } else if !goes_on {
            PipelineError::Closed {
                connector: connector(),
            }
        } else {
            return Ok(());
        };
        Err(error.into())
    }
}
