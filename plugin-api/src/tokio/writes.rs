//! Records that are written by tasks and acknowledged afterwards.

use std::ops::Range;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use super::contained::contained;
use super::runtime::{LOOK, Runtime, cancelled};
use crate::context::Context;
use crate::destination::Acks;
use crate::error::{Error, Result};

/// Records that tasks are writing, until they are answered: for a destination that begins with the next
/// batch before the one before it is written.
///
/// ```
/// use std::sync::Arc;
///
/// use plugin_api::tokio::{Runtime, Writes};
/// use plugin_api::{Acks, Batch, Context, Destination, Error, Result};
///
/// # struct Client;
/// # impl Client {
/// #     async fn send(&self, _: Vec<Vec<u8>>) -> std::io::Result<()> { Ok(()) }
/// # }
/// /// Sends batches, several at a time.
/// struct Send {
///     client: Arc<Client>,
///     writes: Writes,
/// }
///
/// impl Destination for Send {
///     type Config = ();
///
///     fn open((): ()) -> Result<Self> {
///         let writes = Writes::new(&Runtime::new()?, 4);
///         Ok(Self { client: Arc::new(Client), writes })
///     }
///
///     fn write(&mut self, batch: &Batch, acks: &mut Acks, context: &Context) -> Result<()> {
///         let client = Arc::clone(&self.client);
///         let payloads = batch.iter().map(|record| record.after().to_vec()).collect();
///         self.writes.spawn(batch.sequences(), acks, context, async move {
///             client.send(payloads).await?;
///             Ok(())
///         })
///     }
///
///     fn flush(&mut self, acks: &mut Acks, _: &Context) -> Result<()> {
///         self.writes.answer(acks)
///     }
/// }
/// # fn main() {}
/// ```
///
/// The tasks go with the runtime, so what is unanswered when the destination is dropped may or may not
/// be written; it is read again. A record that can't be written itself is none of this: nack it
/// ([`Acks::nack_sequence`]) from a list of one's own, and [wake](crate::Waker::wake) the host.
#[derive(Debug)]
pub struct Writes {
    runtime: Runtime,
    limit: usize,
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    tasks: Mutex<Tasks>,
    /// A task has ended.
    ended: Condvar,
}

#[derive(Debug, Default)]
struct Tasks {
    running: usize,
    done: Vec<Range<u64>>,
    /// The first failure.
    failed: Option<Error>,
}

impl Writes {
    /// For so many tasks at a time, at least 1. Each holds what it is to write, so this bounds the
    /// memory too (I5).
    #[must_use]
    pub fn new(runtime: &Runtime, limit: usize) -> Self {
        Self {
            runtime: runtime.clone(),
            limit: limit.max(1),
            shared: Arc::default(),
        }
    }

    /// Writes records in a task; they are acknowledged by a later [`answer`](Self::answer) when the
    /// future is `Ok`, in any order. The rest of the batch is [deferred](Acks::defer), too.
    ///
    /// Waits for a task to end if as many as the limit run.
    ///
    /// # Errors
    ///
    /// That of a task that has failed or panicked: return it, and the stream ends. Or, while it waits,
    /// one of the kind [`Cancelled`](crate::ErrorKind::Cancelled) as [`Runtime::block_on`] has.
    pub fn spawn(
        &mut self,
        sequences: Range<u64>,
        acks: &mut Acks<'_>,
        context: &Context,
        write: impl Future<Output = Result<()>> + Send + 'static,
    ) -> Result<()> {
        acks.defer();
        self.answer(acks)?;
        let mut tasks = self.shared.lock();
        while tasks.running >= self.limit {
            if context.is_cancelled() {
                return Err(cancelled());
            }
            let waited = self.shared.ended.wait_timeout(tasks, LOOK);
            tasks = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        tasks.running += 1;
        drop(tasks);
        let shared = Arc::clone(&self.shared);
        let waker = context.waker();
        self.runtime.handle().spawn(async move {
            let result = contained(write, Future::poll).await;
            shared.end(sequences, result);
            waker.wake();
        });
        Ok(())
    }

    /// Acknowledges what was written since: what a destination's `flush` does.
    ///
    /// # Errors
    ///
    /// That of a task that has failed or panicked: return it, and the stream ends. Its records have no
    /// answer, so they are read again.
    pub fn answer(&mut self, acks: &mut Acks<'_>) -> Result<()> {
        let mut tasks = self.shared.lock();
        for written in tasks.done.drain(..) {
            acks.ok_range(written.start, written.end);
        }
        tasks.failed.take().map_or(Ok(()), Err)
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Tasks> {
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn end(&self, sequences: Range<u64>, result: Result<()>) {
        let mut tasks = self.lock();
        tasks.running -= 1;
        match result {
            Ok(()) => tasks.done.push(sequences),
            Err(error) => {
                tasks.failed.get_or_insert(error);
            }
        }
        drop(tasks);
        self.ended.notify_all();
    }
}
