//! Connectors made from channels.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, SendTimeoutError, Sender, TryRecvError};
use plugin_api::{
    AckMode, Acks, Batch, BatchWriter, Context, Destination, Error, ErrorKind, Plugin, Position,
    Progress, Record, Result, Source,
};

use super::closure::opened_elsewhere;

/// Most bytes of records that were handed out and are not confirmed (I5).
const UNCONFIRMED_BYTES: usize = 64 << 20;

/// Longest wait between two looks at a call's context.
const LOOK: Duration = Duration::from_millis(10);

/// Time before the end of a call's budget at which a wait for the channel is given up.
const MARGIN: Duration = Duration::from_secs(1);

/// A plugin with a source whose records come from a channel.
///
/// The source ends when every sender is dropped and the channel is empty; a run until the end of the
/// data ends when the channel is empty. Records that were taken from the channel are kept until their
/// positions are durable, so that a run that fails loses none: the next run of the same plugin begins
/// with them. They are at most those of two windows and 64 MiB; what is in the channel when the
/// program ends is lost. A channel's records have one order, so one pipeline at a time has them;
/// another one fails to start with an error of kind [`ErrorKind::Retry`].
///
/// The channel's capacity bounds what waits in it. A record larger than a batch may be (64 MiB) fails
/// the run.
#[must_use]
pub fn channel_source(name: &str, records: Receiver<Record>) -> Plugin {
    let kept = Arc::new(Mutex::new(Kept {
        records,
        unconfirmed: VecDeque::new(),
        bytes: 0,
        is_open: false,
    }));
    Plugin::from_source(name, move |(), position| Taking::begin(&kept, position))
}

/// What outlives a run.
struct Kept {
    records: Receiver<Record>,
    /// Records that were taken and whose positions aren't known to be durable, with their sizes.
    unconfirmed: VecDeque<(Record, usize)>,
    bytes: usize,
    is_open: bool,
}

impl Kept {
    fn keep(&mut self, record: Record, size: usize) {
        self.unconfirmed.push_back((record, size));
        self.bytes += size;
    }

    /// The oldest is durable.
    fn confirm(&mut self) {
        if let Some((_, size)) = self.unconfirmed.pop_front() {
            self.bytes -= size;
        }
    }

    /// All up to the record with this position is durable, though nobody has said so in the run
    /// before.
    fn confirm_up_to(&mut self, position: &Position) {
        let mut positions = self.unconfirmed.iter().map(|(record, _)| &record.position);
        if let Some(at) = positions.position(|it| it == position) {
            (0..=at).for_each(|_| self.confirm());
        }
    }
}

/// One run's hold on the channel.
struct Taking {
    kept: Arc<Mutex<Kept>>,
    /// Records that are not confirmed and that this run has handed out: the oldest.
    handed_out: usize,
}

impl Taking {
    fn begin(kept: &Arc<Mutex<Kept>>, position: Option<&Position>) -> Result<Self> {
        let mut inner = lock(kept);
        if inner.is_open {
            return Err(Error::new(
                ErrorKind::Retry,
                "another pipeline or stream has this source: its records have one order",
            ));
        }
        if let Some(position) = position {
            inner.confirm_up_to(position);
        }
        inner.is_open = true;
        Ok(Self {
            kept: Arc::clone(kept),
            handed_out: 0,
        })
    }

    /// Hands out what an earlier run has taken, then what is in the channel.
    fn take(&mut self, batch: &mut BatchWriter<'_>, context: &Context) -> Progress {
        let mut kept = lock(&self.kept);
        while batch.has_room() {
            if let Some((record, _)) = kept.unconfirmed.get(self.handed_out) {
                batch.push(record);
                self.handed_out += 1;
                continue;
            }
            if kept.bytes >= UNCONFIRMED_BYTES {
                drop(kept);
                let _acks_or_a_stop = context.wait(context.max_wait());
                return Progress::Idle;
            }
            let record = match kept.records.try_recv() {
                Ok(record) => record,
                Err(TryRecvError::Disconnected) => return Progress::End,
                Err(TryRecvError::Empty) if context.until_end() => return Progress::End,
                Err(TryRecvError::Empty) if !batch.is_empty() => return Progress::Idle,
                Err(TryRecvError::Empty) => match kept.records.recv_timeout(context.max_wait()) {
                    Ok(record) => record,
                    Err(RecvTimeoutError::Disconnected) => return Progress::End,
                    Err(RecvTimeoutError::Timeout) => return Progress::Idle,
                },
            };
            let before = batch.byte_len();
            batch.push(&record);
            kept.keep(record, batch.byte_len().saturating_sub(before));
            self.handed_out += 1;
        }
        Progress::More
    }
}

impl Drop for Taking {
    fn drop(&mut self) {
        lock(&self.kept).is_open = false;
    }
}

impl Source for Taking {
    type Config = ();

    /// Each confirms the oldest record, whatever positions the program gives.
    const ACKS: AckMode = AckMode::Each;

    fn open(_: (), _: Option<&Position>) -> Result<Self> {
        Err(opened_elsewhere())
    }

    fn read(&mut self, batch: &mut BatchWriter<'_>, context: &Context) -> Result<Progress> {
        Ok(self.take(batch, context))
    }

    fn ack(&mut self, _: &Position) -> Result<()> {
        lock(&self.kept).confirm();
        self.handed_out = self.handed_out.saturating_sub(1);
        Ok(())
    }
}

/// A plugin with a destination that sends each record into a channel.
///
/// A record is confirmed once it is in the channel: what becomes of it there is the program's. A
/// full channel is waited for, which slows the pipeline down, but no longer than a call may take
/// (`sdk.call.timeout`, 30 s): then the write fails. So does it when the receivers are gone. Any number
/// of pipelines may use it at once.
#[must_use]
pub fn channel_destination(name: &str, records: Sender<Record>) -> Plugin {
    Plugin::from_destination(name, move |()| Ok(Giving(records.clone())))
}

struct Giving(Sender<Record>);

impl Giving {
    fn send(&self, mut record: Record, context: &Context) -> Result<()> {
        loop {
            record = match self.0.send_timeout(record, LOOK) {
                Ok(()) => return Ok(()),
                Err(SendTimeoutError::Disconnected(_)) => {
                    return Err(Error::fatal("every receiver of the channel is gone"));
                }
                Err(SendTimeoutError::Timeout(record)) => record,
            };
            if context.wait(Duration::ZERO).is_cancel() {
                return Err(Error::new(ErrorKind::Cancelled, "stopped by force"));
            }
            if context.remaining().is_some_and(|left| left < MARGIN) {
                return Err(Error::new(
                    ErrorKind::Retry,
                    "the channel is full and nobody takes a record out of it",
                ));
            }
        }
    }
}

impl Destination for Giving {
    type Config = ();

    fn open(_: ()) -> Result<Self> {
        Err(opened_elsewhere())
    }

    fn write(&mut self, batch: &Batch<'_>, acks: &mut Acks<'_>, context: &Context) -> Result<()> {
        for record in batch {
            self.send(record.to_owned()?, context)?;
            acks.ok(&record);
        }
        Ok(())
    }
}

fn lock(kept: &Mutex<Kept>) -> MutexGuard<'_, Kept> {
    kept.lock().unwrap_or_else(PoisonError::into_inner)
}
