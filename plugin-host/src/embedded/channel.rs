//! Connectors made from channels.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

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

/// Longest part of a call's budget that is left unused by a wait for the channel.
const MARGIN: Duration = Duration::from_secs(1);

/// A plugin with a source whose records come from a channel.
///
/// The source ends when every sender is dropped and the channel is empty; a run until the end of the
/// data ends when the channel is empty. Each record needs a position of its own among those that this
/// program sends; whether an earlier program has used it too doesn't matter.
///
/// Records that were taken from the channel are kept until their positions are durable, so that a run
/// that fails loses none: the next run of the same plugin begins with them. They are at most those of
/// two windows and 64 MiB; what is in the channel when the program ends is lost. A channel's records
/// have one order, so one pipeline or stream at a time has them; another one fails to start with an
/// error of kind [`ErrorKind::Retry`].
///
/// The channel's capacity bounds what waits in it. It stays open when a pipeline is over, as a next run
/// may take from it, so give sends a time-out. A record larger than a batch may be (64 MiB) fails the
/// run and is dropped.
#[must_use]
pub fn channel_source(name: &str, records: Receiver<Record>) -> Plugin {
    let kept = Arc::new(Mutex::new(Kept {
        records,
        unconfirmed: VecDeque::new(),
        bytes: 0,
        handed_out: 0,
        durable: None,
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
    /// How many of them the present run has handed out: the oldest.
    handed_out: usize,
    /// The position that was last known to be durable. Told again it says nothing of what was taken
    /// since, whose positions another program may have used before.
    durable: Option<Position>,
    is_open: bool,
}

impl Kept {
    /// Hands out the next record that was taken; `false` when there is none.
    fn hand_out(&mut self, batch: &mut BatchWriter<'_>) -> bool {
        let Some((record, size)) = self.unconfirmed.get_mut(self.handed_out) else {
            return false;
        };
        let (records, bytes) = (batch.len(), batch.byte_len());
        batch.push(record);
        if batch.len() > records {
            let written = batch.byte_len() - bytes;
            self.bytes = self.bytes - *size + written;
            *size = written;
            self.handed_out += 1;
        } else if records == 0 {
            // The read fails by it, and would in every run. Behind others it failed for lack of room: it
            // is the first of the next run, which has room for it.
            let refused = self.unconfirmed.remove(self.handed_out);
            self.bytes -= refused.map_or(0, |(_, size)| size);
        }
        true
    }

    /// The oldest is durable.
    fn confirm(&mut self) {
        if let Some((_, size)) = self.unconfirmed.pop_front() {
            self.bytes -= size;
        }
    }

    /// All up to the record with this position is durable, though nobody may have said so in the run
    /// before.
    fn confirm_up_to(&mut self, position: &Position) {
        if self.durable.as_ref() == Some(position) {
            return;
        }
        self.durable = Some(position.clone());
        let mut positions = self.unconfirmed.iter().map(|(record, _)| &record.position);
        if let Some(at) = positions.position(|it| it == position) {
            (0..=at).for_each(|_| self.confirm());
        }
    }
}

/// One run's hold on the channel.
struct Taking {
    kept: Arc<Mutex<Kept>>,
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
        inner.handed_out = 0;
        Ok(Self {
            kept: Arc::clone(kept),
        })
    }

    /// Hands out what an earlier run has taken, then what is in the channel.
    fn take(&self, batch: &mut BatchWriter<'_>, context: &Context) -> Progress {
        let mut kept = lock(&self.kept);
        while batch.has_room() {
            if kept.hand_out(batch) {
                continue;
            }
            if kept.bytes >= UNCONFIRMED_BYTES {
                drop(kept);
                let _acks_or_a_stop = context.wait(context.max_wait());
                // To have nothing would end a run until the end.
                return Progress::More;
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
            kept.unconfirmed.push_back((record, 0));
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

    fn ack(&mut self, position: &Position) -> Result<()> {
        let mut kept = lock(&self.kept);
        kept.confirm();
        kept.durable = Some(position.clone());
        kept.handed_out = kept.handed_out.saturating_sub(1);
        Ok(())
    }
}

/// A plugin with a destination that sends each record into a channel.
///
/// A record is confirmed once it is in the channel: what becomes of it there is the program's. A
/// full channel slows the pipeline down; one that takes no record for as long as a call may last
/// (`sdk.call.timeout`, 30 s) fails the next write. So it does when the receivers are gone. Any number of
/// pipelines may use it at once.
#[must_use]
pub fn channel_destination(name: &str, records: Sender<Record>) -> Plugin {
    Plugin::from_destination(name, move |()| {
        Ok(Giving {
            records: records.clone(),
            waiting: VecDeque::new(),
            taken: Instant::now(),
        })
    })
}

struct Giving {
    records: Sender<Record>,
    /// Records that had no room in the time of a call, with their sequences: at most a window of them.
    waiting: VecDeque<(u64, Record)>,
    /// When the channel has last taken a record, or had none to take.
    taken: Instant,
}

impl Giving {
    /// Sends what waits, for so long at most, and as long as nobody wants to end.
    fn send(&mut self, acks: &mut Acks<'_>, context: &Context, longest: Duration) -> Result<()> {
        let begun = Instant::now();
        while let Some((sequence, record)) = self.waiting.pop_front() {
            let look = LOOK.min(longest.saturating_sub(begun.elapsed()));
            match self.records.send_timeout(record, look) {
                Ok(()) => {
                    acks.ok_range(sequence, sequence + 1);
                    self.taken = Instant::now();
                }
                Err(SendTimeoutError::Disconnected(_)) => {
                    return Err(Error::fatal("every receiver of the channel is gone"));
                }
                Err(SendTimeoutError::Timeout(record)) => {
                    self.waiting.push_front((sequence, record));
                    if context.is_cancelled() {
                        return Err(Error::new(ErrorKind::Cancelled, "stopped by force"));
                    }
                    if context.is_stopping() || begun.elapsed() >= longest {
                        break;
                    }
                }
            }
        }
        if self.waiting.is_empty() {
            self.taken = Instant::now();
        }
        acks.defer();
        Ok(())
    }
}

impl Destination for Giving {
    type Config = ();

    fn open(_: ()) -> Result<Self> {
        Err(opened_elsewhere())
    }

    fn write(&mut self, batch: &Batch<'_>, acks: &mut Acks<'_>, context: &Context) -> Result<()> {
        if self.waiting.is_empty() {
            self.taken = Instant::now();
        }
        for record in batch {
            self.waiting
                .push_back((record.sequence(), record.to_owned()?));
        }
        // All of the time that a call has, but for a margin in which to return.
        let budget = context.remaining().unwrap_or(Duration::MAX);
        self.send(acks, context, budget - MARGIN.min(budget / 4))?;
        if !self.waiting.is_empty() && self.taken.elapsed() >= budget - MARGIN.min(budget / 4) {
            return Err(Error::new(
                ErrorKind::Retry,
                "the channel is full, and nobody has taken a record out of it for as long as a call may last",
            ));
        }
        Ok(())
    }

    fn flush(&mut self, acks: &mut Acks<'_>, context: &Context) -> Result<()> {
        self.send(acks, context, LOOK)
    }
}

fn lock(kept: &Mutex<Kept>) -> MutexGuard<'_, Kept> {
    kept.lock().unwrap_or_else(PoisonError::into_inner)
}
