//! Where a line's records go: what the two drivers do differently.

use std::ops::Range;
use std::time::{Duration, Instant};

use plugin_api::ffi::BatchRef;

use super::destination::refusals::Nack;
use super::halt::Halt;
use super::line::hold::Hold;
use crate::ffi::{Buffer, ContextState};

/// The destinations of a pipeline as a line sees them. All get the same records in the same order (I2).
pub(super) trait Outlet {
    /// Whether it takes another batch now (I5). Fails when what is full has answered nothing for as long
    /// as a call may take.
    fn room(&mut self) -> Result<Room, Halt>;

    /// How many of so many records may be written together, and the time until then. They count as
    /// written when there is none.
    fn turn(&mut self, records: usize, begun: Instant) -> (usize, Duration);

    /// Whether [`turn`](Self::turn) ever says anything but all of them, at once.
    fn is_limited(&self) -> bool;

    /// Gives each destination these records, of which the first in memory has this sequence. Those that
    /// their source has nacked are left out.
    fn write<'a>(&'a mut self, memory: Memory<'a>, first: u64, part: Range<usize>) -> Written<'a>;

    /// Lets those answer that have deferred it.
    fn flush(&mut self) -> Result<(), Halt>;

    /// Records below are answered by every destination.
    fn answered(&self) -> u64;

    /// Most records that one of them has not answered, and is expected to.
    fn missing(&self) -> u64;

    /// The first record that was refused and not taken yet.
    fn first_nack(&self) -> Option<u64>;

    /// Takes the refusal of a record: the first one, where several destinations have refused it.
    fn take_nack(&mut self, sequence: u64) -> Option<Nack>;

    /// Nothing comes behind the record with this position.
    fn stop(&mut self, last: Option<&[u8]>) -> Result<(), Halt>;

    /// Fails when one of them owes answers and has given none for as long as a call of it may take,
    /// since the stop or since its last answer.
    fn check_silence(&mut self) -> Result<(), Halt>;

    /// Whether the pipeline ends because of another line.
    fn is_ending(&self) -> bool;

    /// This line fails: whatever else the pipeline does comes to its end.
    fn fail(&self);

    /// Waits for the destinations, as long as nothing has come of them since the last look.
    fn pause(&mut self, context: &ContextState, longest: Duration);
}

/// Whether an outlet takes another batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Room {
    /// It does.
    Free,
    /// Not before one that is on its way has been written.
    Busy,
    /// Not before a destination answers what is kept for the dead-letter queue.
    Full,
}

/// The memory in which a line's records lie.
pub(super) enum Memory<'a> {
    /// As they were read.
    Read(&'a mut Buffer),
    /// Those that were held back.
    Held(&'a mut Hold),
}

impl<'a> Memory<'a> {
    /// Whether their source has nacked any of them.
    #[inline]
    pub(super) fn has_nacked(&self) -> bool {
        match self {
            Self::Read(buffer) => buffer.has_nacked(),
            Self::Held(hold) => hold.has_nacked(),
        }
    }

    pub(super) fn as_batch(&self, first: u64) -> BatchRef<'_> {
        match self {
            Self::Read(buffer) => buffer.as_batch(first),
            Self::Held(hold) => hold.as_batch(first),
        }
    }

    #[inline]
    pub(super) fn into_batch(self, first: u64) -> BatchRef<'a> {
        match self {
            Self::Read(buffer) => buffer.as_batch(first),
            Self::Held(hold) => hold.as_batch(first),
        }
    }
}

/// What has become of a write.
pub(super) struct Written<'a> {
    /// All that was in the memory, wherever it is now.
    pub(super) batch: BatchRef<'a>,
    /// Records below are answered by every destination.
    pub(super) answered: u64,
    /// The first record that one of them has refused, as of [`Outlet::first_nack`].
    pub(super) first_nack: Option<u64>,
    pub(super) result: Result<(), Halt>,
}
