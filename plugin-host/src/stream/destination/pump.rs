//! What a destination's thread does: writes what waits, and fetches answers.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender};
use plugin_api::ffi::{BatchRef, DestinationObject};
use plugin_api::{BatchWriter, Position, Record, StreamNotOpen};

use super::{Answer, Item, Shared};
use crate::ffi::{BATCH_RECORDS, Buffer, MAX_WAIT, RECORD_BYTES};
use crate::pipeline::{Answers, FLUSH_WAIT};
use crate::session::{CallError, DestinationSession};
use crate::stream::budget::Amount;
use crate::stream::context::Context;
use crate::stream::error::StreamError;
use crate::stream::life::State;
use crate::stream::worker::{Pump, Step};

/// What a destination's thread has.
pub(super) struct DestinationPump {
    session: Arc<DestinationSession>,
    shared: Arc<Shared>,
    queue: Receiver<Item>,
    /// Taken from the queue, for the next batch.
    next: Option<Item>,
    buffer: Buffer,
    /// Records that were written.
    given: u64,
    /// Records whose answers the host was told.
    told: u64,
    answers: Answers,
    /// Positions of the others.
    positions: VecDeque<Position>,
    /// Closed when no further answer comes.
    answer: Option<Sender<Answer>>,
}

impl DestinationPump {
    pub(super) fn new(
        session: Arc<DestinationSession>,
        shared: Arc<Shared>,
        queue: Receiver<Item>,
        answer: Sender<Answer>,
    ) -> Self {
        Self {
            session,
            shared,
            queue,
            next: None,
            buffer: Buffer::new(BATCH_RECORDS, RECORD_BYTES),
            given: 0,
            told: 0,
            answers: Answers::default(),
            positions: VecDeque::new(),
            answer: Some(answer),
        }
    }

    pub(super) fn start(&mut self, stream: Context) -> Result<(), StreamError> {
        self.shared.life.is_initial()?;
        self.session.start()?;
        stream.tell(self.session.context());
        self.shared.life.open(stream);
        Ok(())
    }

    pub(super) fn stop(&mut self, last: Option<&Position>) -> Result<(), StreamError> {
        match self.shared.life.state() {
            State::Over(why) | State::Gone(why) => return Err(why),
            State::Initial | State::Open(_) | State::Closing(_) => self.shared.life.stopping()?,
        }
        let stopped = self.write_all().and_then(|()| {
            let stopped = self.session.stop(last.map(Position::as_bytes));
            stopped.map_err(StreamError::from)
        });
        stopped.map_err(|why| self.fail(why))
    }

    /// What the host has written before a stop comes before it.
    fn write_all(&mut self) -> Result<(), StreamError> {
        while self.write()? {}
        Ok(())
    }

    /// Nothing more is written or answered.
    fn fail(&mut self, why: StreamError) -> StreamError {
        match why {
            StreamError::Context(_) | StreamError::Detached => self.shared.life.end(why.clone()),
            _ => self.shared.life.over(why.clone()),
        }
        self.next = None;
        self.answer = None;
        why
    }

    /// Writes one batch of what waits; `false` when nothing did. What has failed gives no room back:
    /// a write that waits for it must learn of the end instead.
    fn write(&mut self) -> Result<bool, StreamError> {
        match self.next.take().or_else(|| self.queue.try_recv().ok()) {
            None => Ok(false),
            Some(Item::Batch(batch)) => {
                let records = batch.records();
                self.positions
                    .extend(records.iter().map(|it| Position::from(it.position())));
                self.give(batch.numbered_from(self.given))?;
                self.shared.queued.give(batch.amount());
                Ok(true)
            }
            Some(Item::Record(first, bytes)) => {
                let amount = self.gather(*first, bytes)?;
                let mut buffer = std::mem::replace(&mut self.buffer, Buffer::new(0, 0));
                let written = self.give(buffer.as_batch(self.given));
                buffer.clear();
                self.buffer = buffer;
                written?;
                self.shared.queued.give(amount);
                Ok(true)
            }
        }
    }

    /// Puts single records into the buffer, as many as wait and find room.
    fn gather(&mut self, first: Record, bytes: usize) -> Result<Amount, StreamError> {
        let mut amount = Amount::default();
        let mut next = Some((first, bytes));
        let positions = &mut self.positions;
        let (queue, rest) = (&self.queue, &mut self.next);
        let (fault, filled) = self.buffer.lend(usize::MAX, |lent| {
            let mut batch = BatchWriter::new(lent);
            while let Some((record, bytes)) = next.take() {
                batch.push(&record);
                amount.records += 1;
                amount.bytes += bytes;
                positions.push_back(record.position);
                if !batch.has_room() {
                    break;
                }
                match queue.try_recv() {
                    Ok(Item::Record(record, bytes)) => next = Some((*record, bytes)),
                    Ok(batch) => *rest = Some(batch),
                    Err(_) => {}
                }
            }
            batch.into_fault()
        });
        if let Some(error) = fault {
            return Err(StreamError::InvalidRecord(error));
        }
        let accepted = self.buffer.accept(filled);
        accepted.map_err(|fault| StreamError::Contract(fault.to_string()))?;
        Ok(amount)
    }

    fn give(&mut self, batch: BatchRef<'_>) -> Result<(), StreamError> {
        self.given += batch.index.len() as u64;
        self.answers.give(self.given);
        let written = self.session.write(batch, &mut self.answers);
        self.judge(written)
    }

    fn flush(&mut self) -> Result<bool, StreamError> {
        let before = self.answers.missing();
        self.session.context().set_max_wait(Duration::ZERO);
        let flushed = self.session.flush(&mut self.answers);
        self.session.context().set_max_wait(MAX_WAIT);
        self.judge(flushed)?;
        Ok(self.answers.missing() < before)
    }

    /// Tells the host of the answers, and then of what the call has come to.
    fn judge(&mut self, result: Result<bool, CallError>) -> Result<(), StreamError> {
        for sequence in self.told..self.answers.answered() {
            let (Some(position), Some(answer)) = (self.positions.pop_front(), &self.answer) else {
                break;
            };
            let result = self.answers.take_nack(sequence).map_or(Ok(()), Err);
            // Fails when the host has dropped the stream.
            answer.send(self.shared.give(position, result)).ok();
        }
        self.told = self.answers.answered();
        let goes_on = result?;
        if let Some(fault) = self.answers.fault() {
            return Err(StreamError::Contract(fault.to_owned()));
        }
        match goes_on {
            true => Ok(()),
            false => Err(StreamNotOpen.into()),
        }
    }

    fn advance(&mut self, stopping: bool) -> Result<Step, StreamError> {
        if self.write()? {
            return Ok(Step::Again);
        }
        if self.answers.missing() == 0 {
            // Behind the last answer of a stopped stream comes nothing.
            return match stopping {
                true => Err(StreamNotOpen.into()),
                false => Ok(Step::Pause(MAX_WAIT)),
            };
        }
        Ok(match self.flush()? {
            true => Step::Again,
            false => Step::Pause(FLUSH_WAIT),
        })
    }
}

impl Pump for DestinationPump {
    type Object = DestinationObject;

    fn step(&mut self) -> Step {
        let advanced = match self.shared.life.state() {
            State::Open(_) => self.advance(false),
            State::Closing(_) => self.advance(true),
            State::Gone(why @ StreamError::Context(_)) => Err(why),
            State::Initial | State::Over(_) | State::Gone(_) => {
                self.next = None;
                Ok(Step::Wait)
            }
        };
        advanced.unwrap_or_else(|why| {
            self.fail(why);
            Step::Wait
        })
    }

    fn finish(&mut self) {
        self.next = None;
        self.answer = None;
    }
}
