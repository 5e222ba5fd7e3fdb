//! Records that a source has read together.

use std::sync::Arc;

use abi_stable::std_types::RSlice;
use crossbeam_channel::Sender;
use plugin_api::ffi::{BatchRef, Wakeups};
use plugin_api::{Batch, Format};

use super::budget::Amount;
use crate::ffi::{Buffer, ContextState};

/// Records that were read together, in memory of the stream: dropping it, or having a destination
/// write it, lets the source read more.
///
/// It may outlive its stream. While a host holds two batches of one stream, that source reads nothing.
#[derive(Debug)]
pub struct RecordBatch {
    pub(super) buffer: Buffer,
    /// Number of the first record in the stream.
    pub(super) first: u64,
    /// Records at the beginning that were handed out one by one.
    pub(super) skipped: usize,
    pub(super) home: Sender<Buffer>,
    pub(super) connector: Arc<ContextState>,
}

impl RecordBatch {
    /// The records.
    #[must_use]
    pub fn records(&self) -> Batch<'_> {
        let first = self.first + self.skipped as u64;
        Batch::new(self.numbered_from(first), Format::OpencdcJson)
    }

    /// The records as they cross.
    pub(super) fn numbered_from(&self, first_sequence: u64) -> BatchRef<'_> {
        let whole = self.buffer.as_batch(first_sequence);
        BatchRef {
            index: RSlice::from_slice(&whole.index.as_slice()[self.skipped..]),
            ..whole
        }
    }

    pub(super) fn amount(&self) -> Amount {
        Amount {
            records: self.len(),
            bytes: self.buffer.as_batch(0).arena.len(),
        }
    }

    /// Number of records.
    #[must_use]
    pub fn len(&self) -> usize {
        self.records().len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Leaves out records at the beginning.
    pub(super) fn skip(&mut self, records: usize) {
        self.skipped += records;
    }
}

impl Drop for RecordBatch {
    fn drop(&mut self) {
        let buffer = std::mem::replace(&mut self.buffer, Buffer::new(0, 0));
        // There is room, as it came from there; fails when the connector's thread has ended.
        self.home.send(buffer).ok();
        self.connector.signal(Wakeups::WOKEN);
    }
}
