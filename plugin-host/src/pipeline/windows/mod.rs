//! A pipeline's windows: positions from their confirmation to their commit (I1).
//!
//! One window is open and takes what destinations confirm; another one may be on its way to the
//! disk. When the open one is full or its time is over and the other is still under way, the source
//! waits: so a kill repeats at most two windows.

mod committer;
pub(super) mod ledger;
pub(super) mod positions;

use std::time::Duration;

use plugin_api::AckMode;

pub(super) use committer::{CommitError, Committer, SourceCommits};

use committer::Commit;
use ledger::Ledger;
use positions::Positions;

/// Longest time that a window stays open, in ticks of the supervisor: with the tick that had begun
/// before, and the longest wait of a read meanwhile, less than 100 ms.
const WINDOW_TICKS: u32 = 3;

/// The open window and the one that is being committed.
pub(super) struct Windows {
    ledger: Ledger,
    commits: SourceCommits,
    committing: Option<(Commit, Positions)>,
    /// Memory of a window that is over.
    spare: Positions,
    /// Tick at which the open window got its first record.
    opened: Option<u32>,
    /// A commit has failed. Acks have no gaps, so nothing behind it is committed in this run.
    failed: bool,
}

impl Windows {
    pub(super) fn new(acks: AckMode, commits: SourceCommits) -> Self {
        Self {
            ledger: Ledger::new(acks),
            commits,
            committing: None,
            spare: Positions::default(),
            opened: None,
            failed: false,
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

    /// Records that the open window still takes.
    pub(super) fn room(&self) -> usize {
        self.ledger.room()
    }

    /// Position of a record that a destination has not confirmed.
    pub(super) fn unanswered(&self, sequence: u64) -> Option<&[u8]> {
        self.ledger.unanswered(sequence)
    }

    /// Whether a commit has failed.
    pub(super) fn has_failed(&self) -> bool {
        self.failed
    }

    /// Whether a window is on its way to the disk.
    pub(super) fn is_committing(&self) -> bool {
        self.committing.is_some()
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
        if let Some(position) = window.last()
            && !self.failed
        {
            let commit = self.commits.begin(position);
            self.committing = Some((commit, window));
        }
    }

    /// The window that was under way, if it is durable by now.
    pub(super) fn take_durable(&mut self) -> Result<Option<Positions>, CommitError> {
        self.finish(Commit::try_wait)
    }

    /// The window that was under way, if it is durable within the time.
    pub(super) fn wait_durable(
        &mut self,
        timeout: Duration,
    ) -> Result<Option<Positions>, CommitError> {
        self.finish(|commit| commit.wait_timeout(timeout))
    }

    fn finish(
        &mut self,
        wait: impl FnOnce(&Commit) -> Option<Result<(), CommitError>>,
    ) -> Result<Option<Positions>, CommitError> {
        let Some((commit, _)) = &self.committing else {
            return Ok(None);
        };
        let Some(result) = wait(commit) else {
            return Ok(None);
        };
        let window = self.committing.take().map(|(_, window)| window);
        if let Err(error) = result {
            self.failed = true;
            // Its positions still say what was the last record.
            self.spare = window.unwrap_or_default();
            return Err(error);
        }
        Ok(window)
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
