//! The dead-letter queue: a destination that is told of each record that can't be delivered.
//!
//! A record that was refused counts as done once the queue has confirmed its letter (I3). The lines of
//! a pipeline share one queue; they write to it one at a time, and wait for the answer.

mod letter;
mod tally;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};
use std::time::{Duration, Instant, SystemTime};

use plugin_api::{BatchWriter, Position};

use super::destination::rate::Rate;
use super::destination::refusals::Nack;
use super::destination::{Destination, FLUSH_WAIT};
use super::error::PipelineError;
use super::halt::Halt;
use super::run::Run;
use crate::ffi::{BATCH_RECORDS, Buffer, RECORD_BYTES, position};
use crate::session::Call;
use crate::supervisor::TICK;

/// The queue's only source, as its destination numbers them.
const SOURCE: usize = 0;

/// The dead-letter queue of a running pipeline.
pub(super) struct DeadLetters {
    run: Arc<Run>,
    /// Confirmed records that are not in the tally yet.
    acks: AtomicU64,
    limit: NackLimit,
    queue: Mutex<Queue>,
}

/// How many refusals the queue takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NackLimit {
    /// Number of records that are looked back on; 0 is no limit.
    pub window: u64,
    /// Most refusals among these.
    pub threshold: u64,
}

struct Queue {
    destination: Destination,
    tally: tally::Tally,
    buffer: Buffer,
    /// It has failed: it is called no more but to be torn down.
    failed: bool,
    /// Sequence of the next letter.
    next: u64,
    /// Position of the last one.
    last: Option<Vec<u8>>,
    begun: Instant,
}

/// Letters that were accepted, in the order of their records.
#[derive(Default)]
pub(super) struct Accepted {
    nacks: Vec<Nack>,
    bytes: usize,
}

impl Accepted {
    /// Bytes of letters that are written together, as a rule.
    const BYTES: usize = 1 << 20;

    pub(super) fn add(&mut self, nack: Nack) {
        self.bytes += nack.bytes();
        self.nacks.push(nack);
    }

    /// Whether they are to be written before there are more.
    pub(super) fn are_many(&self) -> bool {
        self.nacks.len() >= BATCH_RECORDS as usize || self.bytes >= Self::BYTES
    }

    pub(super) fn len(&self) -> u64 {
        self.nacks.len() as u64
    }
}

impl DeadLetters {
    pub(super) fn new(run: Arc<Run>, destination: Destination, limit: NackLimit) -> Self {
        Self {
            run,
            acks: AtomicU64::new(0),
            limit,
            queue: Mutex::new(Queue {
                destination,
                tally: tally::Tally::new(limit.window, limit.threshold),
                buffer: Buffer::new(BATCH_RECORDS, RECORD_BYTES),
                failed: false,
                next: 0,
                last: None,
                begun: Instant::now(),
            }),
        }
    }

    pub(super) fn limit(&self) -> NackLimit {
        self.limit
    }

    /// So many records were confirmed, and not refused.
    #[inline]
    pub(super) fn note_acks(&self, records: u64) {
        self.acks.fetch_add(records, Ordering::Relaxed);
    }

    /// Whether the queue takes one more refusal.
    pub(super) fn accept(&self) -> Result<bool, Halt> {
        let mut queue = self.lock()?;
        queue.tally.ack(self.acks.swap(0, Ordering::Relaxed));
        Ok(queue.tally.nack())
    }

    /// Writes the letters and waits until the queue has confirmed them.
    ///
    /// A rate is not waited for once the pipeline ends.
    pub(super) fn write(
        &self,
        source: &str,
        accepted: Accepted,
        is_ending: impl Fn() -> bool,
    ) -> Result<(), Halt> {
        let mut queue = self.lock()?;
        if queue.failed {
            // By a letter of another line, which tells why.
            return Err(Halt::Elsewhere);
        }
        let written = queue.write(source, accepted, &self.run, &is_ending);
        queue.failed = written.is_err();
        written
    }

    /// Tells the queue that no letter follows.
    pub(super) fn stop(&self) -> Result<(), Halt> {
        let queue = self.lock()?;
        if queue.failed {
            return Ok(());
        }
        queue.destination.stop(queue.last.as_deref())
    }

    /// Another line may have it, whose call may hang: then the run is taken over.
    fn lock(&self) -> Result<MutexGuard<'_, Queue>, Halt> {
        loop {
            match self.queue.try_lock() {
                Ok(queue) => return Ok(queue),
                Err(TryLockError::Poisoned(poisoned)) => {
                    return Ok(PoisonError::into_inner(poisoned));
                }
                Err(TryLockError::WouldBlock) if self.run.is_abandoned() => {
                    return Err(Halt::Abandoned);
                }
                Err(TryLockError::WouldBlock) => std::thread::sleep(Duration::from_millis(1)),
            }
        }
    }
}

impl Queue {
    fn write(
        &mut self,
        source: &str,
        accepted: Accepted,
        run: &Run,
        is_ending: &impl Fn() -> bool,
    ) -> Result<(), Halt> {
        let mut nacks = accepted.nacks.into_iter().peekable();
        while nacks.peek().is_some() {
            self.fill(source, &mut nacks)?;
            let first = self.next;
            let given = self.give(run, is_ending);
            let answered = given.and_then(|()| self.await_answers(run));
            answered.map_err(|halt| self.tell_letter(halt, first))?;
        }
        Ok(())
    }

    /// Of a letter that the queue refuses, its position tells which record it is of.
    fn tell_letter(&self, halt: Halt, first: u64) -> Halt {
        match halt {
            Halt::Failed(error) => match *error {
                PipelineError::Nack {
                    connector,
                    sequence,
                    error,
                    ..
                } => {
                    let letters = self.buffer.as_batch(first);
                    let place = sequence.checked_sub(first);
                    let place = place.and_then(|place| usize::try_from(place).ok());
                    let place = place.filter(|place| *place < letters.index.len());
                    Halt::from(PipelineError::LetterRefused {
                        connector,
                        letter: place.map(|place| Position::from(position(&letters, place))),
                        error,
                    })
                }
                other => Halt::from(other),
            },
            halt => halt,
        }
    }

    /// Puts letters into the buffer, as many as find room.
    fn fill(
        &mut self,
        source: &str,
        nacks: &mut std::iter::Peekable<impl Iterator<Item = Nack>>,
    ) -> Result<(), Halt> {
        let now = SystemTime::now();
        let burst = self.destination.rate.as_ref().map(Rate::burst);
        let most = burst.and_then(|burst| usize::try_from(burst).ok());
        let (fault, filled) = self.buffer.lend(most.unwrap_or(usize::MAX), |lent| {
            let mut batch = BatchWriter::new(lent);
            while batch.has_room()
                && let Some(nack) = nacks.next()
            {
                batch.push(&letter::letter(source, &nack, now));
            }
            batch.into_fault()
        });
        let connector = || self.destination.connector().to_owned();
        if let Some(error) = fault {
            return Err(Halt::from(PipelineError::Connector {
                connector: connector(),
                call: Call::Write.to_string(),
                error: error.context("a letter can't be written"),
            }));
        }
        let accepted = self.buffer.accept(filled);
        accepted.map_err(|fault| PipelineError::Internal(fault.to_string()))?;
        Ok(())
    }

    fn give(&mut self, run: &Run, is_ending: &impl Fn() -> bool) -> Result<(), Halt> {
        let batch = self.buffer.as_batch(self.next);
        let records = batch.index.len() as u64;
        while let Some(rate) = &mut self.destination.rate {
            let wait = rate.wait(records, self.begun.elapsed());
            if wait.is_zero() {
                rate.take(records);
                break;
            }
            if run.is_abandoned() {
                return Err(Halt::Abandoned);
            }
            if run.is_stopping() || is_ending() {
                break;
            }
            self.destination.session.context().pause(wait.min(TICK));
        }
        self.next += records;
        if let Some(newest) = batch.index.len().checked_sub(1) {
            self.last = Some(position(&batch, newest).to_vec());
        }
        self.destination.write(SOURCE, batch, false)
    }

    fn await_answers(&mut self, run: &Run) -> Result<(), Halt> {
        self.destination.hear(run.ticks());
        while self.destination.missing() > 0 {
            if run.is_forced() {
                return Err(Halt::Forced);
            }
            let before = self.destination.missing();
            self.destination.flush()?;
            if self.destination.missing() == before {
                self.destination.session.context().pause(FLUSH_WAIT);
            }
            self.destination.check_silence(run)?;
        }
        Ok(())
    }
}
