//! Makes a source of a client that has only blocking calls.
//!
//! Owns [`Feed`]: what [`Source::read`](crate::Source::read) reads from, and the thread that fills it.
//! Between the two lies a bounded queue. A feed never waits for that thread longer than
//! [`Feed::PATIENCE`], and never keeps a record from the host that it has.

mod feeder;
mod queue;
mod size;
#[cfg(feature = "tokio")]
mod tasks;
#[cfg(test)]
pub(crate) mod tests;

use std::any::Any;
use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

pub use feeder::{FeedClosed, Feeder};
pub use queue::Capacity;
pub(crate) use queue::Queue;
use queue::{Amount, Entry, Found};

use crate::batch::BatchWriter;
use crate::context::Context;
use crate::error::Result;
use crate::ffi::guarded;
use crate::source::Progress;

/// Records from a closure that runs on a thread of its own: for a source whose client blocks.
///
/// [`Source::read`](crate::Source::read) may wait for data at most 100 ms, and only so that a stop, an ack
/// or a wake-up ends the wait. A client that has only a call such as `recv()` or a socket's `read`
/// can't do so. A feed calls it on a thread of its own: the closure gets a [`Feeder`] and
/// [pushes](Feeder::push) records, and `read` is one line.
///
/// ```
/// use std::io::{BufRead, BufReader};
/// use std::net::TcpStream;
///
/// use plugin_api::{
///     BatchWriter, Context, Feed, Parameters, Position, Progress, Record, Result, Source,
/// };
///
/// /// Settings of the source.
/// #[derive(Parameters)]
/// pub struct Config {
///     /// Host and port to read lines from.
///     address: String,
/// }
///
/// /// Reads lines from a TCP connection.
/// pub struct Lines {
///     feed: Feed,
/// }
///
/// impl Source for Lines {
///     type Config = Config;
///
///     fn open(config: Config, position: Option<&Position>) -> Result<Self> {
///         let reached = position.map(Position::parse::<usize>).transpose()?.unwrap_or(0);
///         let feed = Feed::spawn(move |feeder| {
///             let client = BufReader::new(TcpStream::connect(config.address)?);
///             for (number, line) in (1..).zip(client.lines()).skip(reached) {
///                 feeder.push(Record::create(number).with_payload(line?))?;
///             }
///             Ok(())
///         })?;
///         Ok(Self { feed })
///     }
///
///     fn read(&mut self, batch: &mut BatchWriter, context: &Context) -> Result<Progress> {
///         self.feed.read(batch, context)
///     }
/// }
/// # fn main() {}
/// ```
///
/// For a client that is async there is `plugin_api::tokio`, with the feature `tokio`. A client with
/// a descriptor to poll needs no feed: see [`Context::waitable`].
///
/// # The end
///
/// When the closure returns, the source ends behind the last record that it has pushed: by
/// [`Progress::End`], by the closure's error, or, if it has panicked, by an error of the kind
/// [`Panic`](crate::ErrorKind::Panic).
///
/// A run may end where the data ends at present ([`Context::until_end`]). Where that is only the
/// closure can tell: it returns there, or it calls [`Feeder::idle`], which does the right thing in both
/// kinds of run. Until then the feed waits, so a closure that does neither goes on until a stop.
///
/// # Stop and drop
///
/// [`stop`](Self::stop) and drop close the feed: what was not read goes, and from then on the
/// closure's pushes fail with [`FeedClosed`], so that it ends by `?`. The next run reads those records
/// again, as their positions were never stored. What the closure returns then is of no account.
///
/// Drop waits for the closure to return, at most for [`PATIENCE`](Self::PATIENCE), so that a closure
/// which looks after its feeder leaves nothing open: give the client a time-out below that if it has
/// one, and call [`Feeder::is_closed`] after it. A closure that hangs in its client for longer is left
/// to itself: the host goes on, and the thread ends whenever the client returns. That does no harm, as
/// a plugin's file is never unloaded. But the connection stays open as long, beside that of a next
/// run.
pub struct Feed {
    queue: Arc<Queue>,
    /// What was taken from the queue and has not had room in a batch yet.
    taken: VecDeque<Entry>,
    /// Whether the queue knows the context.
    introduced: bool,
    /// Longest time for which drop waits.
    patience: Duration,
    /// What fills the queue needs it.
    _runs_on: Option<Box<dyn Any + Send>>,
}

impl Feed {
    /// Longest time for which drop waits for the closure: half of what a forced stop leaves a call.
    pub const PATIENCE: Duration = Duration::from_millis(250);

    /// Starts the closure on a thread, with the [default](Capacity::default) capacity.
    ///
    /// # Errors
    ///
    /// Fails if the system has no thread to give.
    pub fn spawn<F>(closure: F) -> Result<Self>
    where
        F: FnOnce(Feeder) -> Result<()> + Send + 'static,
    {
        Self::spawn_with(Capacity::default(), closure)
    }

    /// Starts the closure on a thread, which may be so far ahead of the host.
    ///
    /// # Errors
    ///
    /// Fails if the system has no thread to give.
    pub fn spawn_with<F>(capacity: Capacity, closure: F) -> Result<Self>
    where
        F: FnOnce(Feeder) -> Result<()> + Send + 'static,
    {
        let queue = Arc::new(Queue::new(capacity));
        let feeder = Feeder::new(Arc::clone(&queue));
        let filled = Arc::clone(&queue);
        let thread = thread::Builder::new().name("forebay-feed".to_owned());
        // Detached: nobody may wait for it without end.
        thread.spawn(move || filled.end(guarded(|| closure(feeder))))?;
        Ok(Self::of(queue, None))
    }

    /// A feed of a queue that something fills, which runs on what is kept with it.
    pub(crate) fn of(queue: Arc<Queue>, runs_on: Option<Box<dyn Any + Send>>) -> Self {
        Self {
            queue,
            taken: VecDeque::new(),
            introduced: false,
            patience: Self::PATIENCE,
            _runs_on: runs_on,
        }
    }

    /// Moves what is there into the batch, as far as that has room. Waits, as the context allows,
    /// where there is nothing; a record that is pushed meanwhile ends the wait.
    ///
    /// Pass on what [`Source::read`](crate::Source::read) is given, and return what this does.
    ///
    /// # Errors
    ///
    /// The closure's error or panic, behind all that it has pushed.
    pub fn read(&mut self, batch: &mut BatchWriter<'_>, context: &Context) -> Result<Progress> {
        if !self.introduced {
            self.queue.introduce(context);
            self.introduced = true;
        }
        let mut has_waited = false;
        while batch.has_room() {
            if self.fill(batch) {
                break;
            }
            match self.queue.find() {
                Found::Records => {}
                Found::End(result) => return result.map(|()| Progress::End),
                Found::Nothing if !has_waited => {
                    // What comes before the wait has begun ends it, too: a wake-up is kept.
                    let _woken = context.wait(Duration::MAX);
                    has_waited = true;
                }
                // Idle would end such a run, and whether the data ends here isn't known.
                Found::Nothing if context.until_end() => return Ok(Progress::More),
                Found::Nothing => return Ok(Progress::Idle),
            }
        }
        Ok(Progress::More)
    }

    /// Whether a record was moved.
    fn fill(&mut self, batch: &mut BatchWriter<'_>) -> bool {
        let mut has_moved = false;
        let mut moved = Amount::default();
        while batch.has_room() {
            match self.taken.pop_front() {
                Some(entry) => {
                    batch.push(&entry.record);
                    moved.add(entry.bytes);
                    has_moved = true;
                }
                None if self.queue.exchange(&mut self.taken, moved) => moved = Amount::default(),
                None => return has_moved,
            }
        }
        self.queue.free(moved);
        has_moved
    }

    /// Closes the feed, without waiting for the closure. Drop does so too; to call this in
    /// [`Source::stop`](crate::Source::stop) gives the closure the time until then to return.
    pub fn stop(&mut self) {
        self.taken.clear();
        self.queue.close();
    }
}

impl Drop for Feed {
    fn drop(&mut self) {
        self.stop();
        self.queue.wait_for_end(self.patience);
    }
}

impl fmt::Debug for Feed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Feed")
            .field("taken", &self.taken.len())
            .finish_non_exhaustive()
    }
}
