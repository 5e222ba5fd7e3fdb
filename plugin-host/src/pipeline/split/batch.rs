//! A batch on its way from a line to the destinations' threads, which share it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crossbeam_channel::Sender;
use plugin_api::ffi::BatchRef;

use super::board::Board;
use crate::ffi::Buffer;

/// Records that every destination is given; when the last one has them, the memory goes back to its line.
pub(super) struct SharedBatch {
    pub(super) source: usize,
    /// Sequence of the first record.
    pub(super) first: u64,
    buffer: Buffer,
    /// Whether the line reads into this memory again.
    is_recycled: bool,
    home: Home,
}

/// Where a batch comes from.
#[derive(Clone)]
pub(super) struct Home {
    pub(super) board: Arc<Board>,
    /// Number of batches that are on their way.
    pub(super) under_way: Arc<AtomicUsize>,
    pub(super) free: Sender<Buffer>,
}

impl SharedBatch {
    pub(super) fn new(
        source: usize,
        first: u64,
        buffer: Buffer,
        is_recycled: bool,
        home: Home,
    ) -> Self {
        home.under_way.fetch_add(1, Ordering::Relaxed);
        Self {
            source,
            first,
            buffer,
            is_recycled,
            home,
        }
    }

    pub(super) fn records(&self) -> BatchRef<'_> {
        self.buffer.as_batch(self.first)
    }

    pub(super) fn has_nacked(&self) -> bool {
        self.buffer.has_nacked()
    }
}

impl Drop for SharedBatch {
    fn drop(&mut self) {
        if self.is_recycled {
            let buffer = std::mem::replace(&mut self.buffer, Buffer::new(0, 0));
            // There is room, as it came from there; fails when the line has ended.
            self.home.free.try_send(buffer).ok();
        }
        self.home.under_way.fetch_sub(1, Ordering::Release);
        self.home.board.tell_line(self.source);
    }
}
