//! From what was read to the destinations: at once, or held back, or as fast as rates let it.

use std::ops::Range;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::super::destination::FLUSH_WAIT;
use super::super::halt::Halt;
use super::super::outlet::{Memory, Outlet, Written};
use super::super::status::Outcome;
use super::Line;
use super::hold::Hold;
use crate::ffi::{MAX_WAIT, position};
use crate::supervisor::TICK;

impl<O: Outlet> Line<O> {
    /// Longest time that the next read may wait for data.
    pub(super) fn patience(&self, answering: bool) -> Duration {
        let held = self.hold.as_ref().filter(|hold| hold.len() > 0);
        let held = held.map_or(MAX_WAIT, |hold| hold.wait(Instant::now()));
        held.min(if answering {
            FLUSH_WAIT
        } else if self.windows.is_open() {
            TICK
        } else {
            MAX_WAIT
        })
    }

    /// Records that are held back.
    pub(super) fn held(&self) -> usize {
        self.hold.as_ref().map_or(0, Hold::len)
    }

    /// After a read of so many records: how many are to be written now, of all that are there.
    #[inline]
    pub(super) fn due(&mut self, records: usize) -> usize {
        let Some(hold) = &mut self.hold else {
            return records;
        };
        let now = Instant::now();
        if records > 0 {
            hold.add(&self.buffer, now);
        }
        if hold.wait(now).is_zero() {
            hold.len()
        } else {
            0
        }
    }

    /// Writes what is held back, as nothing more is read.
    pub(super) fn release(&mut self) -> Result<(), Halt> {
        let held = self.held();
        if held > 0 {
            self.write_at_rate(held)?;
        }
        Ok(())
    }

    /// A stop has come while nothing can be written: what is held back is read again.
    pub(super) fn leave_held(&mut self) -> Result<Outcome, Halt> {
        if let Some(hold) = &mut self.hold {
            hold.clear();
        }
        Ok(Outcome::Stopped)
    }

    /// A stop has come before all that was read was written: the rest is read again, so nothing
    /// behind it may be read now. A source that has ended, or was asked to stop, isn't asked.
    pub(super) fn leave_rest(&mut self, asked: bool) -> Result<Outcome, Halt> {
        if !asked {
            self.stop_source()?;
        }
        Ok(Outcome::Stopped)
    }

    /// Writes the records that are there.
    #[inline]
    pub(super) fn write(&mut self, records: usize) -> Result<(), Halt> {
        if self.hold.is_some() || self.outlet.is_limited() {
            return self.write_at_rate(records);
        }
        self.write_part(0..records)
    }

    /// Writes the records that are there, held back or read, as fast as the destinations' rates let
    /// them. After a stop the rest is left; either way they are gone then.
    #[inline(never)]
    fn write_at_rate(&mut self, records: usize) -> Result<(), Halt> {
        let mut written = 0;
        let mut halt = Ok(());
        while written < records && halt.is_ok() {
            let (together, wait) = self.outlet.turn(records - written, self.begun);
            halt = if wait.is_zero() {
                written += together;
                self.write_part(written - together..written)
            } else if self.run.is_forced() {
                Err(Halt::Forced)
            } else if self.is_to_stop() || self.is_hurried {
                self.has_left = true;
                break;
            } else {
                self.await_turn(wait)
            };
        }
        if let Some(hold) = &mut self.hold {
            hold.clear();
        }
        halt
    }

    /// Waits until a rate lets records pass, not long: a stop must be seen.
    fn await_turn(&mut self, wait: Duration) -> Result<(), Halt> {
        self.tend_windows()?;
        let answering = self.outlet.missing() > 0;
        if answering {
            self.flush()?;
        }
        let longest = if answering { FLUSH_WAIT } else { TICK };
        self.source.context().pause(wait.min(longest));
        Ok(())
    }

    #[inline]
    fn write_part(&mut self, part: Range<usize>) -> Result<(), Halt> {
        let first = self.next;
        let records = part.len() as u64;
        let begins = part.start == 0;
        // The sequence of the first record in memory, of which this part may be a later one.
        let memory_first = first - part.start as u64;
        let memory = match &mut self.hold {
            Some(hold) => Memory::Held(hold),
            None => Memory::Read(&mut self.buffer),
        };
        let has_nacked = memory.has_nacked();
        if has_nacked {
            let batch = memory.as_batch(memory_first);
            self.refused.note_nacked(&self.source, batch, part.clone());
        }
        self.next += records;
        let start = part.start;
        let Written {
            batch,
            answered,
            first_nack,
            result,
        } = self.outlet.write(memory, memory_first, part);
        self.counters.read.store(self.next, Ordering::Relaxed);
        if begins {
            self.counters.add_bytes(batch.arena.len() as u64);
        }
        if let Err(Halt::Abandoned) = result {
            return result;
        }
        let confirmed = self.refused.confirmed(answered, first_nack);
        let tick = self.run.ticks();
        self.windows.add(first, records, confirmed, tick, |i| {
            position(&batch, start + i)
        });
        self.counters.confirmed.store(confirmed, Ordering::Relaxed);
        result.map_err(|halt| self.failed(halt))?;
        if has_nacked {
            // Where reads bring nothing else, no destination would be called, and asked for answers.
            self.flush()?;
        }
        self.settle_refused()
    }
}
