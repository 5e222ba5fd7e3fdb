//! The fused driver's outlet: the destinations are written by the thread that reads the source.
//!
//! No channel and no copy lies between a read and the writes, so this is as fast as the connectors
//! are; a slow destination slows them all.

use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, Instant};

use abi_stable::std_types::RSlice;
use plugin_api::ffi::BatchRef;

use super::destination::Destination;
use super::destination::rate::Rate;
use super::destination::refusals::Nack;
use super::halt::Halt;
use super::outlet::{Memory, Outlet, Room, Written};
use super::run::Run;
use crate::ffi::ContextState;

/// The number of the only source.
const SOURCE: usize = 0;

/// The destinations of a pipeline of one source.
pub(super) struct Fused {
    run: Arc<Run>,
    all: Vec<Destination>,
    /// Whether one of them has a rate.
    limited: bool,
    /// Whether a dead-letter queue takes what they refuse.
    keeps_refused: bool,
}

impl Fused {
    pub(super) fn new(run: Arc<Run>, all: Vec<Destination>) -> Self {
        let limited = all.iter().any(|it| it.rate.is_some());
        let keeps_refused = all.iter().any(Destination::keeps_refused);
        Self {
            run,
            all,
            limited,
            keeps_refused,
        }
    }
}

impl Outlet for Fused {
    #[inline]
    fn room(&mut self) -> Result<Room, Halt> {
        if self.keeps_refused {
            for destination in &mut self.all {
                if !destination.find_room(&self.run)? {
                    return Ok(Room::Full);
                }
            }
        }
        Ok(Room::Free)
    }

    fn turn(&mut self, records: usize, begun: Instant) -> (usize, Duration) {
        let now = begun.elapsed();
        let rates = || self.all.iter().filter_map(|it| it.rate.as_ref());
        let burst = rates().map(Rate::burst).min().unwrap_or(u64::MAX);
        let together = burst.min(records as u64);
        let rates = self.all.iter_mut().filter_map(|it| it.rate.as_mut());
        let wait = rates.map(|rate| rate.wait(together, now)).max();
        let wait = wait.unwrap_or_default();
        if wait.is_zero() {
            let rates = self.all.iter_mut().filter_map(|it| it.rate.as_mut());
            rates.for_each(|rate| rate.take(together));
        }
        (usize::try_from(together).unwrap_or(records), wait)
    }

    #[inline]
    fn is_limited(&self) -> bool {
        self.limited
    }

    #[inline]
    fn write<'a>(&'a mut self, memory: Memory<'a>, first: u64, part: Range<usize>) -> Written<'a> {
        let has_nacked = memory.has_nacked();
        let batch = memory.into_batch(first);
        let written = BatchRef {
            first_sequence: first + part.start as u64,
            arena: batch.arena,
            index: RSlice::from_slice(&batch.index.as_slice()[part]),
        };
        // Up to the first failure.
        let mut all = self.all.iter_mut();
        let result = all.try_for_each(|it| it.write(SOURCE, written, has_nacked));
        Written {
            batch,
            answered: self.answered(),
            first_nack: self.first_nack(),
            result,
        }
    }

    fn flush(&mut self) -> Result<(), Halt> {
        let mut deferring = self.all.iter_mut().filter(|it| it.missing() > 0);
        deferring.try_for_each(Destination::flush)
    }

    #[inline]
    fn answered(&self) -> u64 {
        let answered = self.all.iter().map(|it| it.answered(SOURCE));
        answered.min().unwrap_or(0)
    }

    #[inline]
    fn missing(&self) -> u64 {
        let missing = self.all.iter().map(Destination::missing);
        missing.max().unwrap_or(0)
    }

    #[inline]
    fn first_nack(&self) -> Option<u64> {
        if !self.keeps_refused {
            return None;
        }
        let nacks = self.all.iter().filter_map(|it| it.first_nack(SOURCE));
        nacks.min()
    }

    fn take_nack(&mut self, sequence: u64) -> Option<Nack> {
        let nacks = self.all.iter_mut();
        let nacks = nacks.filter_map(|it| it.take_nack(SOURCE, sequence));
        // All of them are taken: one letter tells of the record.
        nacks.reduce(|first, _| first)
    }

    fn stop(&mut self, last: Option<&[u8]>) -> Result<(), Halt> {
        self.all.iter().try_for_each(|it| it.stop(last))?;
        let tick = self.run.ticks();
        self.all.iter_mut().for_each(|it| it.hear(tick));
        Ok(())
    }

    fn check_silence(&mut self) -> Result<(), Halt> {
        let mut all = self.all.iter_mut();
        all.try_for_each(|it| it.check_silence(&self.run).map_err(Halt::from))
    }

    fn is_ending(&self) -> bool {
        false
    }

    fn fail(&self) {}

    fn pause(&mut self, context: &ContextState, longest: Duration) {
        context.pause(longest);
    }
}
