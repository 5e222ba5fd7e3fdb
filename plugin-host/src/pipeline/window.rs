//! A pipeline's windows: positions from their confirmation to their commit (I1).
//!
//! One window is open and takes what destinations confirm; another one may be on its way to the
//! disk. When the open one is full or its time is over and the other is still under way, the source
//! waits: so a kill repeats at most two windows.

use std::sync::Arc;

use plugin_api::AckMode;

use super::committer::{Commit, CommitError, Committer};
use super::positions::{Ledger, Positions};
use crate::ffi::ContextState;
use crate::store::{StoreKey, Stored};

/// Longest time that a window stays open, in ticks of the supervisor: with the tick that had begun
/// before, and the longest wait of a read meanwhile, less than 100 ms.
const WINDOW_TICKS: u32 = 3;

/// What becomes of a position that is confirmed.
pub(super) struct Keeper {
    pub(super) committer: Committer,
    pub(super) key: StoreKey,
    /// Full name of the plugin that makes the positions.
    pub(super) plugin: String,
    pub(super) hash: Option<String>,
    /// The source's context, which is told of a commit.
    pub(super) context: Arc<ContextState>,
}

/// The open window and the one that is being committed.
pub(super) struct Windows {
    ledger: Ledger,
    keeper: Keeper,
    committing: Option<(Commit, Positions)>,
    /// Memory of a window that is over.
    spare: Positions,
    /// Tick at which the open window got its first record.
    opened: Option<u32>,
}

impl Windows {
    pub(super) fn new(acks: AckMode, keeper: Keeper) -> Self {
        Self {
            ledger: Ledger::new(acks),
            keeper,
            committing: None,
            spare: Positions::default(),
            opened: None,
        }
    }

    /// Adds `count` records; every destination has confirmed those below `confirmed`.
    pub(super) fn add<'a>(
        &mut self,
        first: u64,
        count: u64,
        confirmed: u64,
        tick: u32,
        position: impl Fn(usize) -> &'a [u8],
    ) {
        self.ledger.add(first, count, confirmed, position);
        self.note_opened(tick);
    }

    /// Every destination has confirmed the records below `confirmed`.
    pub(super) fn confirm(&mut self, confirmed: u64, tick: u32) {
        self.ledger.confirm(confirmed);
        self.note_opened(tick);
    }

    fn note_opened(&mut self, tick: u32) {
        if self.opened.is_none() && self.is_open() {
            self.opened = Some(tick);
        }
    }

    /// Whether something is confirmed that is not on its way to the disk yet.
    pub(super) fn is_open(&self) -> bool {
        !self.ledger.confirmed().is_empty()
    }

    /// Whether a further batch of so many records would exceed the open window.
    pub(super) fn is_full(&self, batch: usize) -> bool {
        self.ledger.is_full(batch)
    }

    /// Whether the open window's time is over and it can be committed now.
    pub(super) fn is_due(&self, tick: u32) -> bool {
        self.committing.is_none()
            && self
                .opened
                .is_some_and(|opened| tick.wrapping_sub(opened) >= WINDOW_TICKS)
    }

    /// Hands the open window to the committer. None may be under way.
    pub(super) fn commit(&mut self) {
        let window = self.ledger.close(std::mem::take(&mut self.spare));
        self.opened = None;
        let Some(position) = window.last() else {
            return;
        };
        let stored = Stored {
            position: position.to_vec(),
            plugin: self.keeper.plugin.clone(),
            hash: self.keeper.hash.clone(),
        };
        let context = Arc::clone(&self.keeper.context);
        let commit = self
            .keeper
            .committer
            .commit(self.keeper.key.clone(), stored, context);
        self.committing = Some((commit, window));
    }

    /// The window that was under way, if it is durable by now.
    pub(super) fn take_durable(&mut self) -> Result<Option<Positions>, CommitError> {
        let Some((commit, _)) = &self.committing else {
            return Ok(None);
        };
        match commit.try_wait() {
            None => Ok(None),
            Some(result) => self.finish(result),
        }
    }

    /// Waits for the window that is under way.
    pub(super) fn wait_durable(&mut self) -> Result<Option<Positions>, CommitError> {
        let Some((commit, _)) = &self.committing else {
            return Ok(None);
        };
        let result = commit.wait();
        self.finish(result)
    }

    fn finish(
        &mut self,
        result: Result<(), CommitError>,
    ) -> Result<Option<Positions>, CommitError> {
        let window = self.committing.take().map(|(_, window)| window);
        result.map(|()| window)
    }

    /// Gives the memory of a window back whose positions the source was told.
    pub(super) fn recycle(&mut self, window: Positions) {
        self.spare = window;
    }

    /// Position of the newest record that was added, wherever it is on its way.
    pub(super) fn last(&self) -> Option<&[u8]> {
        let committing = self
            .committing
            .as_ref()
            .and_then(|(_, window)| window.last());
        self.ledger.last().or(committing).or(self.spare.last())
    }
}
