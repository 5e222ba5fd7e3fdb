//! The thread that makes positions durable.
//!
//! One thread serves all pipelines of a store and commits what has come in together in one
//! transaction. Drivers never wait for the disk unless both of their windows are full.

use std::sync::{Arc, Weak};
use std::thread;

use crossbeam_channel::{Receiver, Sender, TryRecvError, bounded, unbounded};
use plugin_api::ffi::Wakeups;

use crate::ffi::ContextState;
use crate::store::{PositionStore, StoreError, StoreKey, Stored};

/// Why a window was not committed.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum CommitError {
    /// The store refused; all requests of one transaction share the error.
    #[error(transparent)]
    Store(Arc<StoreError>),
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

/// A window that is being committed.
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

    /// Commits a position; `context` is told when it is durable.
    pub(crate) fn commit(
        &self,
        key: StoreKey,
        stored: Stored,
        context: Arc<ContextState>,
    ) -> Commit {
        let (done, result) = bounded(1);
        // Fails only when the thread is gone, and then the dropped sender says so.
        self.requests
            .send(Request {
                key,
                stored,
                done,
                context,
            })
            .ok();
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

    /// Waits for the result.
    pub(crate) fn wait(&self) -> CommitResult {
        self.done.recv().unwrap_or(Err(CommitError::Closed))
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
            Some(store) => store
                .commit(&entries)
                .map_err(|error| CommitError::Store(Arc::new(error))),
            None => Err(CommitError::Closed),
        };
        for (done, context) in waiting {
            // Fails only when the driver has gone, which then doesn't care.
            done.send(result.clone()).ok();
            context.signal(Wakeups::ACKS);
        }
    }
}
