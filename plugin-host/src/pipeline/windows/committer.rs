//! The thread that makes positions durable.
//!
//! One thread serves all pipelines of a store and commits what has come in together in one
//! transaction. Drivers never wait for the disk unless both of their windows are full.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Weak};
use std::thread;
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, TryRecvError, bounded, unbounded};
use plugin_api::ffi::Wakeups;

use super::super::run::Run;
use crate::ffi::ContextState;
use crate::store::{PositionStore, StoreError, StoreKey, Stored};

/// Why a window was not committed.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum CommitError {
    /// The store refused; all requests of one transaction share the error.
    #[error(transparent)]
    Store(Arc<StoreError>),
    /// The store panicked.
    #[error("the position store has panicked")]
    Panicked,
    /// The committing thread has ended.
    #[error("the thread that commits positions has ended")]
    Closed,
}

type CommitResult = Result<(), CommitError>;

/// Sends windows to the committing thread, which ends when the last handle is dropped.
#[derive(Debug, Clone)]
pub(crate) struct Committer {
    requests: Sender<Request>,
}

struct Request {
    key: StoreKey,
    stored: Stored,
    done: Sender<CommitResult>,
    context: Arc<ContextState>,
}

/// Commits the positions of one source.
pub(crate) struct SourceCommits {
    pub(crate) run: Arc<Run>,
    pub(crate) committer: Committer,
    pub(crate) key: StoreKey,
    /// Full name of the plugin that makes the positions.
    pub(crate) plugin: String,
    pub(crate) hash: Option<String>,
    /// The source's context, which is told of a commit.
    pub(crate) context: Arc<ContextState>,
}

/// A position that is being committed.
#[derive(Debug)]
pub(crate) struct Commit {
    done: Receiver<CommitResult>,
}

impl Committer {
    /// Starts the thread. It doesn't keep the store open: the engine does, and every run until it is
    /// over, so that whoever has dropped those can open the store again.
    pub(crate) fn start(store: &Arc<dyn PositionStore>) -> std::io::Result<Self> {
        let store = Arc::downgrade(store);
        // Bounded by the drivers: each has at most one request under way.
        let (requests, incoming) = unbounded();
        thread::Builder::new()
            .name("forebay-commit".to_owned())
            .spawn(move || serve(&store, &incoming))?;
        Ok(Self { requests })
    }
}

impl SourceCommits {
    /// Begins to commit a position.
    pub(crate) fn begin(&self, position: &[u8]) -> Commit {
        let (done, result) = bounded(1);
        let request = Request {
            key: self.key.clone(),
            stored: Stored {
                position: position.to_vec(),
                plugin: self.plugin.clone(),
                hash: self.hash.clone(),
            },
            done,
            context: Arc::clone(&self.context),
        };
        // Fails only when the thread is gone, and then the dropped sender says so. It also does for a
        // thread that was not waited for: behind what the next run commits its position would be older.
        self.run
            .unless_abandoned(|| self.committer.requests.send(request).ok());
        Commit { done: result }
    }
}

impl Commit {
    /// The result, if there is one yet.
    pub(crate) fn try_wait(&self) -> Option<CommitResult> {
        match self.done.try_recv() {
            Ok(result) => Some(result),
            Err(TryRecvError::Empty) => None,
            Err(TryRecvError::Disconnected) => Some(Err(CommitError::Closed)),
        }
    }

    /// The result, if there is one within the time.
    pub(crate) fn wait_timeout(&self, timeout: Duration) -> Option<CommitResult> {
        match self.done.recv_timeout(timeout) {
            Ok(result) => Some(result),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => Some(Err(CommitError::Closed)),
        }
    }
}

fn serve(store: &Weak<dyn PositionStore>, incoming: &Receiver<Request>) {
    while let Ok(first) = incoming.recv() {
        let mut entries = vec![(first.key, first.stored)];
        let mut waiting = vec![(first.done, first.context)];
        for request in incoming.try_iter() {
            entries.push((request.key, request.stored));
            waiting.push((request.done, request.context));
        }
        let result = match store.upgrade() {
            // The store may be the host's own; other pipelines still need this thread.
            Some(store) => catch_unwind(AssertUnwindSafe(|| store.commit(&entries)))
                .map_err(|_| CommitError::Panicked)
                .and_then(|done| done.map_err(|error| CommitError::Store(Arc::new(error)))),
            None => Err(CommitError::Closed),
        };
        for (done, context) in waiting {
            // Fails only when the driver has gone, which then doesn't care.
            done.send(result.clone()).ok();
            context.signal(Wakeups::ACKS);
        }
    }
}
