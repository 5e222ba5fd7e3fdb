//! One destination of a running pipeline: what it is given, and what it answers.

pub(super) mod answers;
pub(super) mod rate;
pub(super) mod refusals;
pub(super) mod retained;
pub(super) mod runs;

use std::sync::Arc;
use std::time::Duration;

use abi_stable::std_types::RSlice;
use plugin_api::ffi::{BatchRef, RecordIndex};

use super::error::PipelineError;
use super::halt::{Halt, halt_on};
use super::run::Run;
pub(crate) use answers::{Answers, shortened, text_length};
use rate::Rate;
use refusals::{Nack, Refusals};
use runs::Runs;

use crate::session::{Call, CallError, DestinationSession};

/// Longest time between two flushes while answers are missing, and so the longest wait for data then.
pub(crate) const FLUSH_WAIT: Duration = Duration::from_millis(10);

/// From so many bytes of records on that are kept for the dead-letter queue the destination is given no
/// further ones (I5).
pub(super) const KEPT_BYTES: usize = 64 << 20;

/// A destination that was started.
pub(super) struct Destination {
    pub(super) session: Arc<DestinationSession>,
    answers: Answers,
    runs: Runs,
    /// Most records of one write.
    batch: usize,
    pub(super) rate: Option<Rate>,
    /// The tick at which it has answered last, and how many answers it owed then.
    heard: (u32, u64),
    /// Where a dead-letter queue takes what is refused.
    refusals: Option<Refusals>,
    /// It keeps as much as it may.
    is_full: bool,
}

impl Destination {
    pub(super) fn new(
        session: Arc<DestinationSession>,
        sources: usize,
        batch: usize,
        rate: Option<Rate>,
        keeps_refused: bool,
    ) -> Self {
        Self {
            session,
            answers: Answers::default(),
            runs: Runs::new(sources),
            batch,
            rate,
            heard: (0, 0),
            refusals: keeps_refused.then(Refusals::default),
            is_full: false,
        }
    }

    pub(super) fn connector(&self) -> &'static str {
        self.session.connector()
    }

    /// Whether a dead-letter queue takes what it refuses.
    pub(super) fn keeps_refused(&self) -> bool {
        self.refusals.is_some()
    }

    /// Whether it may be given another batch. While it may not it is expected to answer what it owes.
    pub(super) fn find_room(&mut self, run: &Run) -> Result<bool, PipelineError> {
        let kept = self.refusals.as_ref().map_or(0, Refusals::bytes);
        if kept < KEPT_BYTES {
            self.is_full = false;
            return Ok(true);
        }
        if !self.is_full {
            self.is_full = true;
            self.hear(run.ticks());
        }
        self.check_silence(run)?;
        Ok(false)
    }

    /// The source's records below are answered.
    #[inline]
    pub(super) fn answered(&self, source: usize) -> u64 {
        self.runs.reached(source)
    }

    /// Number of records that it was given and has not answered.
    #[inline]
    pub(super) fn missing(&self) -> u64 {
        self.answers.missing()
    }

    /// The source and the sequence of the record whose refusal has failed it.
    pub(super) fn refused(&self) -> Option<(usize, u64)> {
        let (number, _) = self.answers.first_nack()?;
        self.runs.record(number)
    }

    /// The first record of a source that it has refused.
    #[inline]
    pub(super) fn first_nack(&self, source: usize) -> Option<u64> {
        self.refusals.as_ref()?.first(source)
    }

    /// Takes the refusal of a record.
    pub(super) fn take_nack(&mut self, source: usize, sequence: u64) -> Option<Nack> {
        self.refusals.as_mut()?.take((source, sequence))
    }

    /// Takes any refusal, with the record's source and sequence.
    pub(super) fn next_nack(&mut self) -> Option<(usize, u64, Nack)> {
        self.refusals.as_mut()?.next()
    }

    /// Gives it the records of a source, no more at once than its settings say, without those that the
    /// source has nacked.
    pub(super) fn write(
        &mut self,
        source: usize,
        batch: BatchRef<'_>,
        has_nacked: bool,
    ) -> Result<(), Halt> {
        let written = if has_nacked {
            self.write_around_nacked(source, batch)
        } else {
            self.write_all(source, batch)
        };
        self.settle();
        written
    }

    #[inline]
    fn write_all(&mut self, source: usize, batch: BatchRef<'_>) -> Result<(), Halt> {
        let mut sequence = batch.first_sequence;
        for index in batch.index.as_slice().chunks(self.batch) {
            let count = index.len() as u64;
            let first_sequence = self.runs.give(source, sequence, count);
            sequence += count;
            self.answers.give(first_sequence + count);
            let part = BatchRef {
                first_sequence,
                arena: batch.arena,
                index: RSlice::from_slice(index),
            };
            let written = self.session.write(part, &mut self.answers);
            self.keep(part);
            self.judge(Call::Write, written)?;
        }
        Ok(())
    }

    #[cold]
    fn write_around_nacked(&mut self, source: usize, batch: BatchRef<'_>) -> Result<(), Halt> {
        let is_nacked = |entry: &RecordIndex| entry.reserved & RecordIndex::NACKED != 0;
        let mut first_sequence = batch.first_sequence;
        for index in batch
            .index
            .as_slice()
            .chunk_by(|one, two| is_nacked(one) == is_nacked(two))
        {
            let count = index.len() as u64;
            if is_nacked(&index[0]) {
                for sequence in first_sequence..first_sequence + count {
                    self.runs.leave_out(source, sequence);
                }
            } else {
                let part = BatchRef {
                    first_sequence,
                    arena: batch.arena,
                    index: RSlice::from_slice(index),
                };
                self.write_all(source, part)?;
            }
            first_sequence += count;
        }
        Ok(())
    }

    /// Fetches answers.
    pub(super) fn flush(&mut self) -> Result<(), Halt> {
        self.session.context().set_max_wait(Duration::ZERO);
        let flushed = self.session.flush(&mut self.answers);
        let judged = self.judge(Call::Flush, flushed);
        self.settle();
        judged
    }

    pub(super) fn stop(&self, last: Option<&[u8]>) -> Result<(), Halt> {
        halt_on(self.connector(), Call::Stop, self.session.stop(last))
    }

    /// From this tick on it is expected to answer what it owes.
    pub(super) fn hear(&mut self, tick: u32) {
        self.heard = (tick, self.missing());
    }

    /// Fails when it owes answers and has given none for as long as a call of it may take: the limit
    /// is for silence, not for one that answers slowly.
    pub(super) fn check_silence(&mut self, run: &Run) -> Result<(), PipelineError> {
        let missing = self.missing();
        let (tick, before) = self.heard;
        if missing != before {
            self.hear(run.ticks());
        } else if missing > 0 && run.since(tick) >= self.session.budget() {
            return Err(PipelineError::Unanswered {
                connector: self.connector().to_owned(),
                missing,
                after: self.session.budget(),
            });
        }
        Ok(())
    }

    /// Keeps records that were refused just now, or may be later.
    #[inline]
    fn keep(&mut self, part: BatchRef<'_>) {
        if let Some(refusals) = &mut self.refusals
            && (self.answers.missing() > 0 || self.answers.first_nack().is_some())
        {
            refusals.keep(part);
        }
    }

    /// Goes by what was answered, also before an error.
    #[inline]
    fn settle(&mut self) {
        if let Some(refusals) = &mut self.refusals {
            refusals.collect(&self.runs, &mut self.answers, self.session.connector());
        }
        self.runs.settle(self.answers.confirmed());
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
        } else if let Some((number, error)) = self.answers.first_nack()
            && self.refusals.is_none()
        {
            let (_, sequence) = self.runs.record(number).unwrap_or_default();
            PipelineError::Nack {
                connector: connector(),
                sequence,
                position: None,
                error: error.clone(),
                limit: None,
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
