//! A source as a host reads it: the seed's blocking calls over a thread of its own.

mod pump;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crossbeam_channel::{Receiver, Sender, bounded, unbounded};
use plugin_api::ffi::{SourceObject, Wakeups};
use plugin_api::{AckMode, Error, Position, Record, StreamNotOpen};

use super::batch::RecordBatch;
use super::budget::{Amount, Budget};
use super::context::Context;
use super::error::StreamError;
use super::life::{Life, State};
use super::turn::{Taken, Turn};
use super::wait::receive;
use super::worker::Worker;
use crate::ffi::{BATCH_RECORDS, Buffer, RECORD_BYTES};
use crate::session::{Lifecycle, SourceSession};
use pump::SourcePump;

/// Batches of a stream: one is read while another is handed out (I5).
const BATCHES: usize = 2;
/// Acks that may wait for the plugin (I5).
const ACKS: Amount = Amount {
    records: 1024,
    bytes: 1 << 20,
};

/// A source that is read by blocking calls.
///
/// **Order.** [`configure`](Self::configure) and one of the lifecycle calls where it applies,
/// [`start`](Self::start), [`read`](Self::read) and [`ack`](Self::ack), [`stop`](Self::stop),
/// further reads until [`StreamError::NotOpen`] and further acks, [`teardown`](Self::teardown). A
/// call in another order is an error that each call names, and harms nothing.
///
/// **Threads.** Calls may come from any thread, also at the same time: each record goes to one of
/// those who read. The plugin is called by a thread of the stream, one call at a time, which reads
/// ahead: at most two batches.
///
/// **Blocking and cancellation.** A call returns when its [`Context`] ends, whatever the plugin
/// does. A `read` or `ack` that ends so has had no effect, and neither has another call that the
/// plugin was not making yet. One that it was making costs the instance: it is given up, and every
/// later call is [`StreamError::Detached`]. The context of `start` is that of the whole stream: when
/// it ends, so do all waits, as with a context of their own, and every later call but `teardown` says
/// why.
///
/// **Errors.** An error of the plugin ends the stream. It comes from `read`, once and for all,
/// behind the records that were read before it; `ack` then is [`StreamError::NotOpen`].
///
/// **Last call.** `teardown`. Dropping the stream without it tears the instance down all the same,
/// without waiting, and an error is only logged.
#[derive(Debug)]
pub struct SourceStream {
    worker: Worker<SourcePump>,
    life: Arc<Life>,
    counts: Arc<Counts>,
    unread: Turn<Unread>,
    acks: Sender<Position>,
    room: Arc<Budget>,
}

/// How many records have changed sides.
#[derive(Debug, Default)]
struct Counts {
    /// The host has got.
    delivered: AtomicU64,
    /// The host has acknowledged.
    acknowledged: AtomicU64,
}

/// What was read ahead, and how far it was handed out.
#[derive(Debug)]
struct Unread {
    filled: Receiver<RecordBatch>,
    current: Option<RecordBatch>,
    /// Of the current batch.
    next: usize,
}

impl SourceStream {
    /// Starts the connector's thread and makes the object on it.
    pub(crate) fn new(
        session: &Arc<SourceSession>,
        acks: AckMode,
        context: &Context,
        make: impl FnOnce() -> Result<SourceObject, Error> + Send + 'static,
    ) -> Result<Self, StreamError> {
        let life = Arc::new(Life::new(|| {}));
        let room = Arc::new(Budget::new(ACKS));
        let (home, free) = bounded(BATCHES);
        for _ in 0..BATCHES {
            home.send(Buffer::new(BATCH_RECORDS, RECORD_BYTES)).ok();
        }
        let (fill, filled) = bounded(BATCHES);
        // Bounded by the room that each ack takes.
        let (ack, incoming) = unbounded();
        let pump = SourcePump::new(
            Arc::clone(session),
            Arc::clone(&life),
            fill,
            (home, free),
            (incoming, Arc::clone(&room), acks),
        );
        let worker = Worker::start(session, &life, pump, context, make)?;
        Ok(Self {
            worker,
            life,
            counts: Arc::default(),
            unread: Turn::new(Unread {
                filled,
                current: None,
                next: 0,
            }),
            acks: ack,
            room,
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

    /// Opens the source behind a position, or at its beginning, and begins to read.
    ///
    /// The context is that of the whole stream. After a start that has failed another one may be
    /// tried.
    ///
    /// # Errors
    ///
    /// [`StreamError::AlreadyRunning`] if it was started before, after the end why the stream is
    /// over, what the plugin says, or the end of the context.
    pub fn start(&self, context: &Context, position: Option<&Position>) -> Result<(), StreamError> {
        let (stream, position) = (context.clone(), position.cloned());
        self.worker
            .call(context, move |pump| pump.start(stream, position.as_ref()))
    }

    /// Waits for the next record.
    ///
    /// # Errors
    ///
    /// [`StreamError::NotOpen`] before the start and behind the last record; what the plugin says,
    /// behind the records before it; the end of the context, or of the stream's. A record whose
    /// content is no valid text or data is skipped with [`StreamError::Plugin`], and the stream goes
    /// on; [`read_batch`](Self::read_batch) gives it as it is.
    pub fn read(&self, context: &Context) -> Result<Record, StreamError> {
        let (stream, mut unread) = self.unread(context)?;
        loop {
            if let Some(record) = unread.next_record() {
                self.counts.delivered.fetch_add(1, Ordering::SeqCst);
                return record.map_err(StreamError::Plugin);
            }
            unread.current = Some(self.next_batch(context, &stream, &unread.filled)?);
            unread.next = 0;
        }
    }

    /// Waits for the next records, as many as there are; what single reads have left of a batch
    /// comes first.
    ///
    /// # Errors
    ///
    /// As [`read`](Self::read).
    pub fn read_batch(&self, context: &Context) -> Result<RecordBatch, StreamError> {
        let (stream, mut unread) = self.unread(context)?;
        let batch = match unread.current.take() {
            Some(mut batch) => {
                batch.skip(unread.next);
                batch
            }
            None => self.next_batch(context, &stream, &unread.filled)?,
        };
        let records = batch.len() as u64;
        self.counts.delivered.fetch_add(records, Ordering::SeqCst);
        Ok(batch)
    }

    /// What is to be handed out next, once it is this call's turn.
    fn unread(&self, context: &Context) -> Result<(Context, Taken<'_, Unread>), StreamError> {
        let stream = match self.life.state() {
            State::Initial => return Err(StreamNotOpen.into()),
            State::Open(stream) | State::Closing(stream) => stream,
            // What was read before the end comes first.
            State::Over(_) => Context::background(),
            State::Gone(why) => return Err(why),
        };
        let contexts = [context, &stream, self.life.gone()];
        let unread = self.unread.take(&contexts);
        let unread = unread.map_err(|interrupted| self.life.not_given(interrupted))?;
        Ok((stream, unread))
    }

    fn next_batch(
        &self,
        context: &Context,
        stream: &Context,
        filled: &Receiver<RecordBatch>,
    ) -> Result<RecordBatch, StreamError> {
        receive(&[context, stream, self.life.gone()], filled)
            .map_err(|interrupted| self.life.not_given(interrupted))
    }

    /// Says that the record with this position is done with. Returns when the ack is on its way: at
    /// most 1,024 acks, or 1 MiB of positions, wait for the plugin.
    ///
    /// A source that wants the newest position only is told that of the acks that it gets together.
    ///
    /// # Errors
    ///
    /// [`StreamError::NotOpen`] before the start, after a failure, and after the end if as many acks
    /// as records have been; the end of the context, or of the stream's.
    pub fn ack(&self, context: &Context, position: &Position) -> Result<(), StreamError> {
        let stream = match self.life.state() {
            State::Open(stream) => stream,
            State::Closing(stream) if self.counts.owes_acks() => stream,
            State::Gone(why) => return Err(why),
            State::Initial | State::Closing(_) | State::Over(_) => {
                return Err(StreamNotOpen.into());
            }
        };
        let amount = Amount {
            records: 1,
            bytes: position.as_bytes().len(),
        };
        self.room
            .take(&[context, &stream, self.life.shut()], amount)
            .map_err(|interrupted| self.life.not_taken(interrupted))?;
        if self.acks.send(position.clone()).is_err() {
            return Err(StreamError::Detached);
        }
        self.counts.acknowledged.fetch_add(1, Ordering::SeqCst);
        self.worker.signal(Wakeups::WOKEN);
        Ok(())
    }

    /// Asks the source to end, and returns the position of the last record that it has returned or
    /// still will return. Records are to be read until [`StreamError::NotOpen`].
    ///
    /// A second stop returns the same, and the plugin isn't asked again; so does one after the source
    /// has ended by itself.
    ///
    /// # Errors
    ///
    /// [`StreamError::NotOpen`] before the start, after the end why the stream is over, what the
    /// plugin says, or the end of the context.
    pub fn stop(&self, context: &Context) -> Result<Option<Position>, StreamError> {
        if let State::Open(_) = self.life.state() {
            // Ends a wait for data.
            self.worker.signal(Wakeups::STOP);
        }
        self.worker.call(context, SourcePump::stop)
    }

    /// Closes the stream and tears the instance down, the last call. What was acknowledged before is
    /// still told to the plugin; records that were not read are gone. A second teardown does nothing.
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

impl Counts {
    fn owes_acks(&self) -> bool {
        self.acknowledged.load(Ordering::SeqCst) < self.delivered.load(Ordering::SeqCst)
    }
}

impl Unread {
    fn next_record(&mut self) -> Option<plugin_api::Result<Record>> {
        let batch = self.current.as_ref()?;
        let record = batch.records().get(self.next)?.to_owned();
        self.next += 1;
        if self.next == batch.len() {
            self.current = None;
        }
        Some(record)
    }
}
