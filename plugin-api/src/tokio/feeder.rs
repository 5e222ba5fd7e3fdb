//! What an async block feeds a [`Feed`](crate::Feed) with.

use std::future::poll_fn;
use std::sync::Arc;

use crate::feed::{FeedClosed, Queue};
use crate::record::Record;

/// Pushes records into a [`Feed`](crate::Feed), as a [`Feeder`](crate::Feeder) does, and awaits where
/// that blocks. It may be cloned and given to other tasks.
#[derive(Debug, Clone)]
pub struct AsyncFeeder {
    queue: Arc<Queue>,
}

impl AsyncFeeder {
    pub(super) fn new(queue: Arc<Queue>) -> Self {
        Self { queue }
    }

    /// Hands a record to the source. Waits while the feed is full, so that the client is read no
    /// faster than the pipeline takes it. Dropped before it is ready, it has pushed nothing.
    ///
    /// # Errors
    ///
    /// Once the feed is closed; the record is dropped then.
    pub async fn push(&self, record: Record) -> Result<(), FeedClosed> {
        let mut record = Some(record);
        poll_fn(|context| self.queue.poll_push(&mut record, context)).await
    }

    /// Whether pushes fail, for tasks beside the block that feeds; that one is dropped then.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.queue.is_closed()
    }

    /// As [`Feeder::idle`](crate::Feeder::idle).
    ///
    /// # Errors
    ///
    /// Once the feed is closed, which a run that ends where the data ends does here.
    pub fn idle(&self) -> Result<(), FeedClosed> {
        self.queue.idle()
    }

    /// As [`Feeder::until_end`](crate::Feeder::until_end).
    ///
    /// # Errors
    ///
    /// Once the feed is closed.
    pub async fn until_end(&self) -> Result<bool, FeedClosed> {
        poll_fn(|context| self.queue.poll_until_end(context)).await
    }
}
