//! What a closure feeds a [`Feed`](super::Feed) with.

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;

use super::queue::Queue;
use crate::record::Record;

/// Pushes records into a [`Feed`](super::Feed).
///
/// It may be cloned and given to other threads, such as those of a client that calls back. The feed
/// ends when its closure returns, so a closure that leaves the work to others waits for them.
#[derive(Debug, Clone)]
pub struct Feeder {
    queue: Arc<Queue>,
}

impl Feeder {
    pub(super) fn new(queue: Arc<Queue>) -> Self {
        Self { queue }
    }

    /// Hands a record to the source. Waits while the feed is full, so that the client is read no
    /// faster than the pipeline takes it.
    ///
    /// # Errors
    ///
    /// Once the feed is closed; the record is dropped then. Return it by `?`.
    pub fn push(&self, record: Record) -> Result<(), FeedClosed> {
        self.queue.push(record)
    }

    /// Whether pushes fail, for a loop around a call with a time-out.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.queue.is_closed()
    }

    /// Says that the client has nothing more at present: its call has timed out, or it has said so.
    /// Doesn't wait.
    ///
    /// A run that ends where the data ends, ends here. In other runs the closure goes on.
    ///
    /// ```
    /// # use std::sync::mpsc::Receiver;
    /// # use std::time::Duration;
    /// # use plugin_api::{Feeder, Record, Result};
    /// # fn feed(client: &Receiver<u64>, feeder: &Feeder) -> Result<()> {
    /// loop {
    ///     match client.recv_timeout(Duration::from_millis(200)) {
    ///         Ok(number) => feeder.push(Record::create(number).with_payload("x"))?,
    ///         Err(_) => feeder.idle()?,
    ///     }
    /// }
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Once the feed is closed, which such a run does here. Return it by `?`.
    pub fn idle(&self) -> Result<(), FeedClosed> {
        self.queue.idle()
    }

    /// Whether the run ends where the data ends at present, for a closure that asks its client for
    /// something else then. Waits for the source's first `read`, which knows; a host calls it as soon
    /// as the source is open.
    ///
    /// # Errors
    ///
    /// Once the feed is closed. Return it by `?`.
    pub fn until_end(&self) -> Result<bool, FeedClosed> {
        self.queue.until_end()
    }
}

/// The feed takes no more records: its source was stopped or dropped, or it has ended.
///
/// That is no failure. A closure returns it, and nobody is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FeedClosed;

impl fmt::Display for FeedClosed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the feed is closed: its source was stopped, or has ended")
    }
}

impl StdError for FeedClosed {}
