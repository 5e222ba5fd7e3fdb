//! The split driver's outlet: hands a line's batches to the destinations' threads.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, bounded};

use super::batch::{Home, SharedBatch};
use super::board::Board;
use crate::ffi::{Buffer, ContextState, RECORD_BYTES};
use crate::pipeline::destination::KEPT_BYTES;
use crate::pipeline::destination::refusals::Nack;
use crate::pipeline::halt::Halt;
use crate::pipeline::outlet::{Memory, Outlet, Room, Written};
use crate::pipeline::run::Run;

/// Batches of a line that are on their way; the next one is read meanwhile (I5).
pub(super) const UNDER_WAY: usize = 3;

/// A line's way to the destinations' threads.
pub(super) struct Split {
    run: Arc<Run>,
    board: Arc<Board>,
    /// The line's number.
    source: usize,
    /// One a destination; none once nothing follows.
    queues: Vec<Sender<Arc<SharedBatch>>>,
    /// Records that the line's buffers take.
    records: u32,
    free: Receiver<Buffer>,
    home: Home,
    /// What was written last, whose positions the line still looks at.
    last: Option<Arc<SharedBatch>>,
    /// Sequence behind what was written.
    given: u64,
    /// What the line has looked at.
    seen: u64,
}

impl Split {
    pub(super) fn new(
        run: Arc<Run>,
        board: Arc<Board>,
        source: usize,
        queues: Vec<Sender<Arc<SharedBatch>>>,
        records: u32,
    ) -> Self {
        let (home, free) = bounded(UNDER_WAY);
        let home = Home {
            board: Arc::clone(&board),
            under_way: Arc::new(AtomicUsize::new(0)),
            free: home,
        };
        Self {
            run,
            board,
            source,
            queues,
            records,
            free,
            home,
            last: None,
            given: 0,
            seen: 0,
        }
    }

    /// Whether the destinations still write.
    fn check(&self) -> Result<(), Halt> {
        if self.run.is_abandoned() {
            Err(Halt::Abandoned)
        } else if self.board.has_failed() {
            Err(Halt::Elsewhere)
        } else {
            Ok(())
        }
    }

    fn close(&mut self) {
        self.queues.clear();
        self.board.wake_writers();
    }
}

impl Outlet for Split {
    fn room(&mut self) -> Result<Room, Halt> {
        // First: what comes later ends the wait for it.
        self.seen = self.board.changes(self.source);
        self.last = None;
        Ok(if self.board.nack_bytes(self.source) >= KEPT_BYTES {
            Room::Full
        } else if self.home.under_way.load(Ordering::Acquire) >= UNDER_WAY {
            Room::Busy
        } else {
            Room::Free
        })
    }

    /// Each destination's thread keeps its own rate.
    fn turn(&mut self, records: usize, _: Instant) -> (usize, Duration) {
        (records, Duration::ZERO)
    }

    fn is_limited(&self) -> bool {
        false
    }

    fn write<'a>(&'a mut self, memory: Memory<'a>, first: u64, part: Range<usize>) -> Written<'a> {
        let (buffer, is_recycled) = match memory {
            Memory::Read(buffer) => {
                let spare = self.free.try_recv();
                let spare = spare.unwrap_or_else(|_| Buffer::new(self.records, RECORD_BYTES));
                (std::mem::replace(buffer, spare), true)
            }
            Memory::Held(hold) => (hold.take(), false),
        };
        let home = self.home.clone();
        let batch = SharedBatch::new(self.source, first, buffer, is_recycled, home);
        let batch = Arc::new(batch);
        self.given = first + part.end as u64;
        for (destination, queue) in self.queues.iter().enumerate() {
            // There is room for all that may be under way; fails when the thread has ended, which has
            // told why.
            queue.try_send(Arc::clone(&batch)).ok();
            self.board.tell_writer(destination);
        }
        // In this order: a refusal comes before its answer.
        let answered = self.answered();
        let first_nack = self.first_nack();
        let result = self.check();
        Written {
            batch: self.last.insert(batch).records(),
            answered,
            first_nack,
            result,
        }
    }

    /// The destinations' threads do it; this sees whether they still can.
    fn flush(&mut self) -> Result<(), Halt> {
        self.seen = self.board.changes(self.source);
        self.check()
    }

    fn answered(&self) -> u64 {
        self.board.answered(self.source)
    }

    fn missing(&self) -> u64 {
        self.board.missing(self.source, self.given)
    }

    fn first_nack(&self) -> Option<u64> {
        self.board.first_nack(self.source)
    }

    fn take_nack(&mut self, sequence: u64) -> Option<Nack> {
        self.board.take_nack(self.source, sequence)
    }

    /// A destination is told once every line has come to its end.
    fn stop(&mut self, _: Option<&[u8]>) -> Result<(), Halt> {
        self.close();
        Ok(())
    }

    /// The destinations' threads look at that.
    fn check_silence(&mut self) -> Result<(), Halt> {
        Ok(())
    }

    fn is_ending(&self) -> bool {
        self.board.is_ending()
    }

    fn fail(&self) {
        self.board.end();
    }

    fn pause(&mut self, _: &ContextState, longest: Duration) {
        self.last = None;
        self.board.line_waits(self.source, self.seen, longest);
    }
}

impl Drop for Split {
    fn drop(&mut self) {
        self.close();
    }
}
