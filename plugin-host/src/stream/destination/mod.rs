//! A destination as a host writes to it: the seed's blocking calls over a thread of its own.

mod length;
mod pump;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crossbeam_channel::{Receiver, Sender, unbounded};
use plugin_api::ffi::{DestinationObject, Wakeups};
use plugin_api::{Error, Position, Record, StreamNotOpen};

use super::batch::RecordBatch;
use super::budget::{Amount, Budget};
use super::context::Context;
use super::error::StreamError;
use super::life::{KeptOpen, Life, State};
use super::wait::receive;
use super::worker::Worker;
use super::write_error::WriteError;
use crate::pipeline::{shortened, text_length};
use crate::session::{DestinationSession, Lifecycle};
use length::length;
use pump::DestinationPump;

/// Records that may wait to be written (I5).
const QUEUE: Amount = Amount {
    records: 4096,
    bytes: 8 << 20,
};
/// Records whose answer the host has not taken (I5); of these only the positions are kept.
const UNANSWERED: Amount = Amount {
    records: 65_536,
    bytes: 1 << 20,
};
/// Bytes of errors that wait for the host, from which on further ones are cut (I5).
const REFUSALS: usize = 4 << 20;

/// A destination that is written by blocking calls.
///
/// **Order.** [`configure`](Self::configure) and one of the lifecycle calls where it applies,
/// [`start`](Self::start), [`write`](Self::write) and [`ack`](Self::ack), [`stop`](Self::stop),
/// further `ack`s until [`StreamError::NotOpen`], [`teardown`](Self::teardown). A call in another
/// order is an error that each call names, and harms nothing.
///
/// **Answers.** Each record is answered once, by `ack`, in the order of the writes. A host that
/// doesn't take its answers waits in `write` once 65,536, or those of 1 MiB of positions, are open.
///
/// **Threads.** Calls may come from any thread, also at the same time: each answer goes to one of
/// those who wait for it. The plugin is called by a thread of the stream, one call at a time; 4,096
/// records or 8 MiB may wait for it.
///
/// **Blocking and cancellation** are those of a [`SourceStream`](crate::SourceStream). A `write`
/// returns when the record is on its way, and an error of it gives the record back.
///
/// **Errors.** An error of the plugin ends the stream. It comes from `ack`, behind the answers that
/// were given before it; `write` then is [`StreamError::NotOpen`]. Records without an answer count
/// as not written. That one record can't be written is no error of the stream: it is its answer.
///
/// **Last call.** `teardown`. Dropping the stream without it tears the instance down all the same,
/// without waiting, and an error is only logged.
#[derive(Debug)]
pub struct DestinationStream {
    worker: Worker<DestinationPump>,
    shared: Arc<Shared>,
    queue: Sender<Item>,
    answers: Receiver<Answer>,
}

/// What the host's side and the connector's thread share.
#[derive(Debug)]
struct Shared {
    life: Arc<Life>,
    queued: Budget,
    unanswered: Budget,
    /// Bytes of the errors that wait for the host.
    refusals: AtomicUsize,
}

/// What waits to be written.
#[derive(Debug)]
enum Item {
    /// With about as many bytes as it takes.
    Record(Box<Record>, usize),
    Batch(RecordBatch),
}

/// What has become of a record.
#[derive(Debug)]
struct Answer {
    position: Position,
    result: Result<(), Error>,
}

impl DestinationStream {
    /// Starts the connector's thread and makes the object on it.
    pub(crate) fn new(
        session: &Arc<DestinationSession>,
        context: &Context,
        make: impl FnOnce() -> Result<DestinationObject, Error> + Send + 'static,
    ) -> Result<Self, StreamError> {
        // Both are bounded by what is taken of the budgets.
        let (queue, incoming) = unbounded::<Item>();
        let (answer, answers) = unbounded();
        // Batches in the queue are memory of a source that goes on, also when the plugin hangs.
        let queued = incoming.clone();
        let life = Arc::new(Life::new(move || queued.try_iter().for_each(drop)));
        let shared = Arc::new(Shared {
            life: Arc::clone(&life),
            queued: Budget::new(QUEUE),
            unanswered: Budget::new(UNANSWERED),
            refusals: AtomicUsize::new(0),
        });
        let pump = DestinationPump::new(Arc::clone(session), Arc::clone(&shared), incoming, answer);
        let worker = Worker::start(session, &life, pump, context, make)?;
        Ok(Self {
            worker,
            shared,
            queue,
            answers,
        })
    }

    /// Hands the settings over; the plugin checks them. May be called again, until the start.
    ///
    /// They reach it as they are. [`PluginService`](crate::PluginService) checks settings against
    /// the specification.
    ///
    /// # Errors
    ///
    /// What the plugin says, or the end of the context. [`StreamError::AlreadyRunning`] after the
    /// start, and after the end why the stream is over.
    pub fn configure(
        &self,
        context: &Context,
        settings: &BTreeMap<String, String>,
    ) -> Result<(), StreamError> {
        self.worker.configure(context, settings)
    }

    /// Opens the destination. The context is that of the whole stream. After a start that has failed
    /// another one may be tried.
    ///
    /// # Errors
    ///
    /// [`StreamError::AlreadyRunning`] if it was started before, after the end why the stream is
    /// over, what the plugin says, or the end of the context.
    pub fn start(&self, context: &Context) -> Result<(), StreamError> {
        let stream = context.clone();
        self.worker.call(context, move |pump| pump.start(stream))
    }

    /// Gives the plugin a record; returns when it is on its way.
    ///
    /// # Errors
    ///
    /// [`StreamError::NotOpen`] before the start, after a stop and after the end; the end of the
    /// context, or of the stream's. [`StreamError::TooLarge`] and [`StreamError::InvalidRecord`] are
    /// about the record: the stream goes on. Each of them gives the record back.
    pub fn write(&self, context: &Context, record: Record) -> Result<(), WriteError<Record>> {
        let value = Box::new(record);
        let bytes = match self.open().and_then(|_| length(&value)) {
            Ok(bytes) => bytes,
            Err(error) => return Err(WriteError { error, value }),
        };
        let amount = Amount { records: 1, bytes };
        let positions = value.position.as_bytes().len();
        self.enqueue(context, amount, positions, value, |record| {
            Item::Record(record, bytes)
        })
    }

    /// As [`write`](Self::write), of records that a source has read together. They aren't copied.
    ///
    /// # Errors
    ///
    /// As [`write`](Self::write).
    pub fn write_batch(
        &self,
        context: &Context,
        batch: RecordBatch,
    ) -> Result<(), WriteError<RecordBatch>> {
        let amount = batch.amount();
        let positions = batch.records().iter().map(|it| it.position().len()).sum();
        let value = Box::new(batch);
        self.enqueue(context, amount, positions, value, |batch| {
            Item::Batch(*batch)
        })
    }

    /// The context of the stream, if something may be written.
    fn open(&self) -> Result<Context, StreamError> {
        match self.shared.life.state() {
            State::Open(stream) => Ok(stream),
            State::Gone(why) => Err(why),
            State::Initial | State::Closing(_) | State::Over(_) => Err(StreamNotOpen.into()),
        }
    }

    fn enqueue<T>(
        &self,
        context: &Context,
        amount: Amount,
        positions: usize,
        value: Box<T>,
        item: impl FnOnce(Box<T>) -> Item,
    ) -> Result<(), WriteError<T>> {
        let unanswered = Amount {
            records: amount.records,
            bytes: positions,
        };
        let open = match self.room(context, unanswered, amount) {
            Ok(open) => open,
            Err(error) => return Err(WriteError { error, value }),
        };
        // Never fails: the stream's life has a receiver, too.
        self.queue.send(item(value)).ok();
        drop(open);
        self.worker.signal(Wakeups::WOKEN);
        Ok(())
    }

    /// Waits for room in both queues, and keeps the stream open: what is sent is never behind a stop,
    /// as the plugin was told that no record follows.
    fn room(
        &self,
        context: &Context,
        unanswered: Amount,
        queued: Amount,
    ) -> Result<KeptOpen<'_>, StreamError> {
        let stream = self.open()?;
        let shared = &self.shared;
        let life = &shared.life;
        let contexts = [context, &stream, life.shut()];
        let not_taken = |interrupted| life.not_taken(interrupted);
        let taken = shared.unanswered.take(&contexts, unanswered);
        taken.map_err(not_taken)?;
        let taken = shared.queued.take(&contexts, queued).map_err(not_taken);
        let open = taken.and_then(|()| {
            let open = life.keep_open();
            open.inspect_err(|_| shared.queued.give(queued))
        });
        open.inspect_err(|_| shared.unanswered.give(unanswered))
    }

    /// Waits for the next answer: the position of a record, and why it could not be written, if so.
    ///
    /// # Errors
    ///
    /// [`StreamError::NotOpen`] before the start and behind the last answer of a stream that was
    /// stopped, or that the plugin has closed; what the plugin says, behind the answers before it;
    /// the end of the context, or of the stream's.
    pub fn ack(&self, context: &Context) -> Result<(Position, Result<(), Error>), StreamError> {
        let life = &self.shared.life;
        let stream = match life.state() {
            State::Initial => return Err(StreamNotOpen.into()),
            State::Open(stream) | State::Closing(stream) => stream,
            // Answers that were given before the end come first.
            State::Over(_) => Context::background(),
            State::Gone(why) => return Err(why),
        };
        let answer = receive(&[context, &stream, life.gone()], &self.answers);
        let answer = answer.map_err(|interrupted| life.not_given(interrupted))?;
        self.shared.took(&answer);
        Ok((answer.position, answer.result))
    }

    /// Says that the record with this position was the last; what the plugin has cached is written.
    /// What the host has written before comes before. Answers are to be taken until
    /// [`StreamError::NotOpen`].
    ///
    /// # Errors
    ///
    /// [`StreamError::NotOpen`] before the start and after another stop, after the end why the
    /// stream is over, what the plugin says, or the end of the context.
    pub fn stop(&self, context: &Context, last: Option<&Position>) -> Result<(), StreamError> {
        if let State::Open(_) = self.shared.life.state() {
            // Ends a wait of the plugin.
            self.worker.signal(Wakeups::STOP);
        }
        let last = last.cloned();
        self.worker
            .call(context, move |pump| pump.stop(last.as_ref()))
    }

    /// Closes the stream and tears the instance down, the last call. Records that wait to be written
    /// are dropped, and answers that were not taken are gone. A second teardown does nothing.
    ///
    /// When the context ends first the instance is given up in whatever call it is, and torn down as
    /// soon as that returns.
    ///
    /// # Errors
    ///
    /// What the plugin says, or the end of the context.
    pub fn teardown(&self, context: &Context) -> Result<(), StreamError> {
        self.worker.teardown(context)
    }

    /// Tells the plugin that the connector runs for the first time.
    ///
    /// # Errors
    ///
    /// As [`configure`](Self::configure).
    pub fn lifecycle_on_created(
        &self,
        context: &Context,
        settings: &BTreeMap<String, String>,
    ) -> Result<(), StreamError> {
        self.lifecycle(context, Lifecycle::Created(settings.clone()))
    }

    /// Tells the plugin that the settings have changed since the last run.
    ///
    /// # Errors
    ///
    /// As [`configure`](Self::configure).
    pub fn lifecycle_on_updated(
        &self,
        context: &Context,
        before: &BTreeMap<String, String>,
        after: &BTreeMap<String, String>,
    ) -> Result<(), StreamError> {
        self.lifecycle(context, Lifecycle::Updated(before.clone(), after.clone()))
    }

    /// Tells the plugin that the connector was removed.
    ///
    /// # Errors
    ///
    /// As [`configure`](Self::configure).
    pub fn lifecycle_on_deleted(
        &self,
        context: &Context,
        settings: &BTreeMap<String, String>,
    ) -> Result<(), StreamError> {
        self.lifecycle(context, Lifecycle::Deleted(settings.clone()))
    }

    fn lifecycle(&self, context: &Context, event: Lifecycle) -> Result<(), StreamError> {
        self.worker.lifecycle(context, event)
    }
}

impl Shared {
    /// An answer is to wait for the host.
    fn give(&self, position: Position, result: Result<(), Error>) -> Answer {
        let result = result.map_err(|mut error| {
            if self.refusals.load(Ordering::SeqCst) > REFUSALS {
                error = shortened(&error);
            }
            self.refusals
                .fetch_add(text_length(&error), Ordering::SeqCst);
            error
        });
        Answer { position, result }
    }

    /// The host has taken an answer.
    fn took(&self, answer: &Answer) {
        if let Err(error) = &answer.result {
            self.refusals
                .fetch_sub(text_length(error), Ordering::SeqCst);
        }
        self.unanswered.give(Amount {
            records: 1,
            bytes: answer.position.as_bytes().len(),
        });
    }
}
