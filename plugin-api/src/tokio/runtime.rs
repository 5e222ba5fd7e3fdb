//! The runtime of one connector.

use std::fmt;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use ::tokio::runtime::{Builder, Handle};
use ::tokio::time::timeout;

use super::contained::contained;
use super::feeder::AsyncFeeder;
use crate::context::Context;
use crate::error::{Error, ErrorKind, Result};
use crate::feed::{Capacity, Feed, Queue};

/// How often a wait looks whether its call is cancelled: well below the 500 ms after a forced stop.
pub(super) const LOOK: Duration = Duration::from_millis(25);

/// A tokio runtime with threads of its own.
///
/// A clone is another handle of the same runtime. With the last one, that of a [`Feed`] included, the
/// runtime goes in the background: nobody waits, its tasks are dropped at their next `await`, and a task
/// that blocks its thread keeps that thread only.
#[derive(Clone)]
pub struct Runtime(Arc<Owned>);

struct Owned {
    handle: Handle,
    /// Some until the drop.
    runtime: Option<::tokio::runtime::Runtime>,
}

impl Runtime {
    /// Makes a runtime with one thread, which is enough for what waits more than it computes.
    ///
    /// # Errors
    ///
    /// Fails if the system has no thread, or nothing to poll by, to give.
    pub fn new() -> Result<Self> {
        Self::with_threads(1)
    }

    /// Makes a runtime with so many threads, at least one. Their name is `forebay-tokio`.
    ///
    /// # Errors
    ///
    /// As for [`Runtime::new`].
    pub fn with_threads(threads: usize) -> Result<Self> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(threads.max(1))
            .thread_name("forebay-tokio")
            .enable_all()
            .build()?;
        Ok(Self(Arc::new(Owned {
            handle: runtime.handle().clone(),
            runtime: Some(runtime),
        })))
    }

    /// Tokio's own handle: to [spawn](Handle::spawn) tasks, and to [block on](Handle::block_on) a future
    /// in `open`, `stop` and `close`. These calls have no context that could end the wait, so give the
    /// future a time-out well below the call budget of 30 s.
    #[must_use]
    pub fn handle(&self) -> &Handle {
        &self.0.handle
    }

    /// Runs a future in a connector's call, and returns what it does. Its tasks and its client's
    /// go on between calls.
    ///
    /// ```
    /// use plugin_api::tokio::Runtime;
    /// use plugin_api::{Acks, Batch, Context, Destination, Result};
    /// use tokio::io::AsyncWriteExt;
    /// use tokio::net::TcpStream;
    ///
    /// /// Sends each record's payload.
    /// struct Send {
    ///     runtime: Runtime,
    ///     client: TcpStream,
    /// }
    ///
    /// impl Destination for Send {
    ///     type Config = ();
    ///
    ///     fn open((): ()) -> Result<Self> {
    ///         let runtime = Runtime::new()?;
    ///         let client = runtime.handle().block_on(TcpStream::connect("localhost:4000"))?;
    ///         Ok(Self { runtime, client })
    ///     }
    ///
    ///     fn write(&mut self, batch: &Batch, _: &mut Acks, context: &Context) -> Result<()> {
    ///         self.runtime.block_on(context, async {
    ///             for record in batch {
    ///                 self.client.write_all(record.after()).await?;
    ///             }
    ///             Ok(())
    ///         })
    ///     }
    /// }
    /// # fn main() {}
    /// ```
    ///
    /// # Errors
    ///
    /// The future's error; or one of the kind [`Cancelled`](ErrorKind::Cancelled) when the run is
    /// stopped by force or the host has given the call up: the future is dropped then, at an `await`,
    /// within 25 ms. A graceful stop doesn't end it.
    ///
    /// # Panics
    ///
    /// When it is called in a task.
    pub fn block_on<T>(
        &self,
        context: &Context,
        future: impl Future<Output = Result<T>>,
    ) -> Result<T> {
        let mut future = pin!(future);
        self.0.handle.block_on(async {
            while !context.is_cancelled() {
                if let Ok(result) = timeout(LOOK, future.as_mut()).await {
                    return result;
                }
            }
            Err(cancelled())
        })
    }

    /// Starts an async block in a task, and gives the source what it pushes, with the
    /// [default](Capacity::default) capacity.
    ///
    /// It is as with [`Feed::spawn`], but that nothing hangs: once the source is stopped or dropped, the
    /// block is dropped at its `await`. Tasks that it has spawned go with the runtime.
    ///
    /// ```
    /// use plugin_api::tokio::Runtime;
    /// use plugin_api::{
    ///     BatchWriter, Context, Feed, Position, Progress, Record, Result, Source,
    /// };
    /// use tokio::io::{AsyncBufReadExt, BufReader};
    /// use tokio::net::TcpStream;
    ///
    /// /// Reads lines from a TCP connection.
    /// struct Lines {
    ///     feed: Feed,
    /// }
    ///
    /// impl Source for Lines {
    ///     type Config = ();
    ///
    ///     fn open((): (), position: Option<&Position>) -> Result<Self> {
    ///         let reached = position.map(Position::parse::<u64>).transpose()?.unwrap_or(0);
    ///         let feed = Runtime::new()?.feed(async move |feeder| {
    ///             let client = TcpStream::connect("localhost:4000").await?;
    ///             let mut lines = BufReader::new(client).lines();
    ///             let mut number = 0_u64;
    ///             while let Some(line) = lines.next_line().await? {
    ///                 number += 1;
    ///                 if number > reached {
    ///                     feeder.push(Record::create(number).with_payload(line)).await?;
    ///                 }
    ///             }
    ///             Ok(())
    ///         });
    ///         Ok(Self { feed })
    ///     }
    ///
    ///     fn read(&mut self, batch: &mut BatchWriter, context: &Context) -> Result<Progress> {
    ///         self.feed.read(batch, context)
    ///     }
    /// }
    /// # fn main() {}
    /// ```
    pub fn feed<F, B>(&self, block: F) -> Feed
    where
        F: FnOnce(AsyncFeeder) -> B + Send + 'static,
        B: Future<Output = Result<()>> + Send + 'static,
    {
        self.feed_with(Capacity::default(), block)
    }

    /// As [`Runtime::feed`], with this capacity.
    pub fn feed_with<F, B>(&self, capacity: Capacity, block: F) -> Feed
    where
        F: FnOnce(AsyncFeeder) -> B + Send + 'static,
        B: Future<Output = Result<()>> + Send + 'static,
    {
        let queue = Arc::new(Queue::new(capacity));
        let feeder = AsyncFeeder::new(Arc::clone(&queue));
        let filled = Arc::clone(&queue);
        self.0.handle.spawn(async move {
            let feeding = async move { block(feeder).await };
            let result = contained(feeding, |feeding, context| {
                filled.poll_feeding(feeding, context)
            });
            filled.end(result.await);
        });
        Feed::of(queue, Some(Box::new(self.clone())))
    }
}

/// What a call says whose result nobody wants.
pub(super) fn cancelled() -> Error {
    Error::new(ErrorKind::Cancelled, "the call was cancelled")
}

impl Drop for Owned {
    fn drop(&mut self) {
        // The drop of tokio's would wait for tasks that block.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl fmt::Debug for Runtime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Runtime").finish_non_exhaustive()
    }
}
