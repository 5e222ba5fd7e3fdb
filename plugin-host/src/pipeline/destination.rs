//! One destination of a pipeline: what it is given, and what it has answered.

use std::sync::Arc;
use std::time::Duration;

use abi_stable::std_types::RSlice;
use plugin_api::ffi::BatchRef;

use super::answers::Answers;
use super::error::PipelineError;
use super::halt::{Halt, halt_on};
use crate::session::{Call, CallError, DestinationSession};

/// A destination that was started.
pub(super) struct Destination {
    session: Arc<DestinationSession>,
    answers: Answers,
    /// Most records of one write.
    batch: usize,
}

impl Destination {
    pub(super) fn new(session: Arc<DestinationSession>, batch: usize) -> Self {
        Self {
            session,
            answers: Answers::default(),
            batch,
        }
    }

    /// Identity of the connector, as `pipeline:connector`.
    pub(super) fn connector(&self) -> &'static str {
        self.session.connector()
    }

    /// Longest time that a call may take, and that answers may be waited for after a stop.
    pub(super) fn budget(&self) -> Duration {
        self.session.budget()
    }

    /// Every record below is acknowledged.
    pub(super) fn confirmed(&self) -> u64 {
        self.answers.confirmed()
    }

    /// Number of records that have no answer.
    pub(super) fn missing(&self) -> u64 {
        self.answers.missing()
    }

    /// Gives it the records of a batch, no more at once than its settings say.
    pub(super) fn write(&mut self, batch: BatchRef<'_>) -> Result<(), Halt> {
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

    /// Lets it answer what it has deferred.
    pub(super) fn flush(&mut self) -> Result<(), Halt> {
        self.session.context().set_max_wait(Duration::ZERO);
        let flushed = self.session.flush(&mut self.answers);
        self.judge(Call::Flush, flushed)
    }

    /// Tells it that the record with this position was the last.
    pub(super) fn stop(&self, last: Option<&[u8]>) -> Result<(), Halt> {
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
