//! Records that can't be delivered, on their way to the dead-letter queue.
//!
//! A destination refuses records, and a source nacks those that it could not read whole. Each is judged
//! in its turn, once every destination has answered it: then the queue takes it, and it counts as
//! confirmed when the queue has confirmed that (I3); or nothing from it on is confirmed in this run.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use plugin_api::ffi::{BatchRef, RecordIndex};
use plugin_api::record::metadata::DLQ_NACK_ERROR;
use plugin_api::{Error, ErrorKind};

use super::super::dead_letters::{Accepted, DeadLetters};
use super::super::destination::KEPT_BYTES;
use super::super::destination::refusals::Nack;
use super::super::destination::retained::owned;
use super::super::error::PipelineError;
use super::super::halt::Halt;
use super::super::outlet::Outlet;
use super::Line;
use crate::session::SourceSession;

/// What a line has that can't be delivered.
pub(super) struct Refused {
    dead_letters: Option<Arc<DeadLetters>>,
    /// Records that the source has nacked, with their sequences.
    nacked: VecDeque<(u64, Nack)>,
    /// Bytes of these.
    nacked_bytes: usize,
    /// The queue knows the outcomes of the records below.
    judged: u64,
    /// A record that was refused and that the queue has not confirmed.
    barrier: Option<u64>,
}

impl Refused {
    pub(super) fn new(dead_letters: Option<Arc<DeadLetters>>) -> Self {
        Self {
            dead_letters,
            nacked: VecDeque::new(),
            nacked_bytes: 0,
            judged: 0,
            barrier: None,
        }
    }

    /// Of records below `answered`, which every destination has answered, those that are confirmed; a
    /// destination has refused the record `first_nack`.
    #[inline]
    pub(super) fn confirmed(&self, answered: u64, first_nack: Option<u64>) -> u64 {
        let own = self.nacked.front().map(|(sequence, _)| *sequence);
        let refused = own.into_iter().chain(first_nack).chain(self.barrier);
        refused.fold(answered, u64::min)
    }

    /// Whether nothing is to be read before some of it is judged (I5).
    #[inline]
    pub(super) fn is_full(&self) -> bool {
        self.nacked_bytes >= KEPT_BYTES
    }

    fn take_nacked(&mut self) -> Option<(u64, Nack)> {
        let (sequence, nack) = self.nacked.pop_front()?;
        self.nacked_bytes -= nack.bytes();
        Some((sequence, nack))
    }

    /// Copies the records of this part of a batch that their source has nacked.
    #[cold]
    pub(super) fn note_nacked(
        &mut self,
        source: &SourceSession,
        batch: BatchRef<'_>,
        part: Range<usize>,
    ) {
        for place in part {
            if batch.index[place].reserved & RecordIndex::NACKED == 0 {
                continue;
            }
            let mut record = owned(batch, place);
            let reason = record.metadata.get(DLQ_NACK_ERROR);
            let reason = reason.unwrap_or("its source could not read it whole");
            // A plugin's text like any other: bounded, and without its secrets.
            let reason = source.redact(reason);
            record.metadata.insert(DLQ_NACK_ERROR, reason.clone());
            let nack = Nack {
                connector: source.connector(),
                error: Error::new(ErrorKind::Fatal, reason),
                record,
            };
            let sequence = batch.first_sequence + place as u64;
            self.nacked_bytes += nack.bytes();
            self.nacked.push_back((sequence, nack));
        }
    }
}

impl<O: Outlet> Line<O> {
    fn first_nack(&self) -> Option<u64> {
        let own = self.refused.nacked.front().map(|(sequence, _)| *sequence);
        own.into_iter().chain(self.outlet.first_nack()).min()
    }

    /// Of records below `answered`, which every destination has answered, those that are confirmed.
    pub(super) fn confirmed(&self, answered: u64) -> u64 {
        self.refused.confirmed(answered, self.outlet.first_nack())
    }

    /// Has the dead-letter queue take what was refused.
    #[inline]
    pub(super) fn settle_refused(&mut self) -> Result<(), Halt> {
        if self.refused.dead_letters.is_none() && self.refused.nacked.is_empty() {
            return Ok(());
        }
        self.judge_refused()
    }

    fn judge_refused(&mut self) -> Result<(), Halt> {
        if self.refused.barrier.is_some() {
            return Ok(());
        }
        match self.refused.dead_letters.clone() {
            Some(queue) => self.bury(&queue),
            None => match self.refused.take_nacked() {
                None => Ok(()),
                Some((sequence, nack)) => Err(self.refuse(sequence, nack)),
            },
        }
    }

    /// Nothing takes this record: no record from it on is confirmed.
    #[cold]
    fn refuse(&mut self, sequence: u64, nack: Nack) -> Halt {
        self.refused.barrier = Some(sequence);
        let limit = self.refused.dead_letters.as_ref();
        Halt::from(PipelineError::Nack {
            connector: nack.connector.to_owned(),
            sequence,
            position: Some(nack.record.position),
            error: nack.error,
            limit: limit.map(|queue| queue.limit()),
        })
    }

    fn bury(&mut self, queue: &DeadLetters) -> Result<(), Halt> {
        let answered = self.outlet.answered();
        while self.first_nack().is_some_and(|first| first < answered) {
            let buried = self.bury_some(queue, answered);
            // Those before one that is too much are done with all the same.
            self.confirm();
            buried.map_err(|halt| self.failed(halt))?;
        }
        let confirmed = self.confirmed(answered);
        queue.note_acks(confirmed.saturating_sub(self.refused.judged));
        self.refused.judged = self.refused.judged.max(confirmed);
        Ok(())
    }

    /// Has the queue take refusals of records below `answered`, as many as are written together.
    #[cold]
    fn bury_some(&mut self, queue: &DeadLetters, answered: u64) -> Result<(), Halt> {
        let mut accepted = Accepted::default();
        let mut too_many = None;
        // Until the queue has confirmed them, however that ends.
        self.refused.barrier = self.first_nack();
        while !accepted.are_many()
            && let Some(sequence) = self.first_nack()
            && sequence < answered
        {
            queue.note_acks(sequence - self.refused.judged);
            self.refused.judged = sequence + 1;
            let takes = queue.accept()?;
            let Some(nack) = self.take_nack(sequence) else {
                break;
            };
            if !takes {
                too_many = Some((sequence, nack));
                break;
            }
            accepted.add(nack);
        }
        let letters = accepted.len();
        let outlet = &self.outlet;
        queue.write(self.source.connector(), accepted, || outlet.is_ending())?;
        self.refused.barrier = None;
        self.counters
            .dead_letters
            .fetch_add(letters, Ordering::Relaxed);
        match too_many {
            Some((sequence, nack)) => Err(self.refuse(sequence, nack)),
            None => Ok(()),
        }
    }

    fn take_nack(&mut self, sequence: u64) -> Option<Nack> {
        let own = self.refused.nacked.front();
        if own.is_some_and(|(own, _)| *own == sequence) {
            return self.refused.take_nacked().map(|(_, nack)| nack);
        }
        self.outlet.take_nack(sequence)
    }
}
