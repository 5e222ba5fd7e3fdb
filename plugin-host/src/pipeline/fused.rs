//! The fused driver: one thread drives a source and its destinations with one recycled batch.
//!
//! No channel and no copy lies between a read and the writes, so this is as fast as the connectors
//! are; a slow destination slows them all. The loop keeps the invariants: a position is handed to
//! the committer once every destination has confirmed it, and the source is told only when it is
//! durable (I1, I3); records go to each destination in order and acks to the source in order (I2);
//! at most one window is open and one is being committed, then the source waits.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use abi_stable::std_types::RSlice;
use plugin_api::Position;
use plugin_api::ffi::BatchRef;

use super::committer::CommitError;
use super::destinations::Destinations;
use super::error::PipelineError;
use super::halt::{Halt, and_also, halt_on};
use super::hold::Hold;
use super::positions::Positions;
use super::run::{Outcome, Run};
use super::window::Windows;
use crate::ffi::{Buffer, MAX_WAIT, position};
use crate::session::{Call, ReadStatus, Rest, SourceSession};
use crate::supervisor::{FORCED_GRACE, TICK};

/// Longest wait for data while answers are missing: destinations are flushed at least this often.
const FLUSH_WAIT: Duration = Duration::from_millis(10);

/// Least room of an open window that is still filled: a window is left short rather than filled up
/// by ever smaller batches.
const LEAST_ROOM: usize = 1024;

/// One pipeline's driver.
pub(super) struct Fused {
    run: Arc<Run>,
    source: Arc<SourceSession>,
    destinations: Destinations,
    buffer: Buffer,
    /// What was read and is held back, where a connector wants that.
    hold: Option<Hold>,
    windows: Windows,
    begun: Instant,
    /// Sequence of the next record.
    next: u64,
    until_end: bool,
    rest: Rest,
    /// A destination has failed: none is called again but to be torn down.
    destination_failed: bool,
    /// The source has refused an ack. Acks have no gaps, so none comes behind it; what is confirmed
    /// is stored all the same.
    ack_failed: bool,
    /// The tick at which the source was asked to stop, until somebody is told that it goes on.
    stopped: Option<u32>,
    /// A stop has come while records waited to be written: they are left, and so is all behind them.
    has_left: bool,
}

impl Fused {
    pub(super) fn new(
        run: Arc<Run>,
        source: Arc<SourceSession>,
        destinations: Destinations,
        buffer: Buffer,
        hold: Option<Hold>,
        windows: Windows,
        until_end: bool,
    ) -> Self {
        Self {
            run,
            source,
            destinations,
            buffer,
            hold,
            windows,
            begun: Instant::now(),
            next: 0,
            until_end,
            rest: Rest::default(),
            destination_failed: false,
            ack_failed: false,
            stopped: None,
            has_left: false,
        }
    }

    /// Runs until the source has ended or the pipeline is stopped.
    pub(super) fn drive(&mut self) -> Result<Outcome, Halt> {
        let streamed = self.stream().map_err(|halt| self.run.judge(halt));
        // What has been read before a failure still gets its answers, unless it is a destination
        // that has failed, and what is confirmed becomes durable.
        let ended = and_also(streamed, || {
            let answered = if self.destination_failed {
                Ok(())
            } else {
                self.release().and_then(|()| self.drain())
            };
            and_also(answered, || self.settle())
        });
        if self.run.is_forced() && !matches!(ended, Err(Halt::Abandoned)) {
            self.leave();
        }
        ended
    }

    fn stream(&mut self) -> Result<Outcome, Halt> {
        // Since which tick nothing has come of a source that was asked to stop.
        let mut stopping: Option<u32> = None;
        loop {
            if self.run.is_stopping() {
                if self.run.is_forced() {
                    return Err(Halt::Forced);
                }
                if stopping.is_none() {
                    stopping = Some(self.stop_source()?);
                }
            }
            self.tend_windows()?;
            let answering = self.destinations.missing() > 0;
            let held = self.held();
            let room = self.windows.room().saturating_sub(held);
            if room < self.buffer.capacity().min(LEAST_ROOM) {
                if held > 0 {
                    self.release()?;
                    if self.has_left {
                        return self.leave_rest(stopping.is_some());
                    }
                    continue;
                }
                if self.run.is_stopping() && answering {
                    // What the source still has is read again; the answers have a time limit.
                    return Ok(Outcome::Stopped);
                }
                // I5: nothing is read until a destination answers or a commit is done.
                self.make_room()?;
                continue;
            }
            self.source.context().set_max_wait(self.patience(answering));
            let wanted = self
                .hold
                .as_ref()
                .map_or(room, |hold| hold.room().min(room));
            let read = self.source.read(&mut self.buffer, wanted);
            let (status, records) = halt_on(self.source.connector(), Call::Read, read)?;
            let due = self.due(records);
            if due > 0 {
                self.write(due)?;
                if self.has_left {
                    let asked = stopping.is_some() || status == ReadStatus::End;
                    return self.leave_rest(asked);
                }
            }
            if records > 0 {
                self.rest.over();
            } else if answering {
                self.flush()?;
            }
            if status == ReadStatus::End {
                self.release()?;
                // A source that is asked to stop may say so before this loop has asked it.
                return Ok(match self.run.is_stopping() {
                    true => Outcome::Stopped,
                    false => Outcome::Ended,
                });
            }
            if records > 0 {
                stopping = stopping.map(|_| self.run.ticks());
                self.tell_of_late_records();
                continue;
            }
            if self.until_end && stopping.is_none() && status == ReadStatus::Idle {
                // The present end of the data: the rest is as after a stop.
                stopping = Some(self.stop_source()?);
            }
            if stopping.is_some_and(|tick| self.run.since(tick) >= self.source.budget()) {
                return Err(Halt::from(PipelineError::NotStopped {
                    connector: self.source.connector().to_owned(),
                    after: self.source.budget(),
                }));
            }
            // A source that has nothing has waited for data; one that hasn't waited must not spin.
            if self.rest.is_due() {
                self.source.context().pause(self.patience(answering));
            }
            self.rest.note();
        }
    }

    fn stop_source(&mut self) -> Result<u32, Halt> {
        halt_on(self.source.connector(), Call::Stop, self.source.stop())?;
        let tick = self.run.ticks();
        self.stopped = Some(tick);
        Ok(tick)
    }

    /// A source may have much to bring yet after its stop; whoever waits for it is told that it is
    /// the source that goes on.
    fn tell_of_late_records(&mut self) {
        if let Some(tick) = self.stopped
            && self.run.since(tick) >= self.source.budget()
        {
            self.stopped = None;
            log::warn!(
                target: "plugin_host::pipeline",
                "{} still has records {:?} after it was asked to stop; only a forced stop ends it sooner",
                self.source.connector(),
                self.source.budget()
            );
        }
    }

    /// Longest time that the next read may wait for data.
    fn patience(&self, answering: bool) -> Duration {
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
    fn held(&self) -> usize {
        self.hold.as_ref().map_or(0, Hold::len)
    }

    /// After a read of so many records: how many are to be written now, of all that are there.
    #[inline]
    fn due(&mut self, records: usize) -> usize {
        let Some(hold) = &mut self.hold else {
            return records;
        };
        let now = Instant::now();
        if records > 0 {
            hold.add(self.buffer.as_batch(0), now);
        }
        if hold.wait(now).is_zero() {
            hold.len()
        } else {
            0
        }
    }

    /// Writes what is held back, as nothing more is read.
    fn release(&mut self) -> Result<(), Halt> {
        let held = self.held();
        if held > 0 {
            self.write_at_rate(held)?;
        }
        Ok(())
    }

    /// A stop has come before all that was read was written: the rest is read again, so nothing
    /// behind it may be read now. A source that has ended, or was asked to stop, isn't asked.
    fn leave_rest(&mut self, asked: bool) -> Result<Outcome, Halt> {
        if !asked {
            self.stop_source()?;
        }
        Ok(Outcome::Stopped)
    }

    /// Writes the records that are there.
    #[inline]
    fn write(&mut self, records: usize) -> Result<(), Halt> {
        if self.hold.is_some() || self.destinations.are_limited() {
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
            let (together, wait) = self.destinations.turn(records - written, self.begun);
            halt = if wait.is_zero() {
                written += together;
                self.write_part(written - together..written)
            } else if self.run.is_forced() {
                Err(Halt::Forced)
            } else if self.run.is_stopping() {
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
        let answering = self.destinations.missing() > 0;
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
        let whole = match &self.hold {
            Some(hold) => hold.as_batch(first),
            None => self.buffer.as_batch(first),
        };
        self.next += records;
        let counters = &self.run.counters;
        counters.read.store(self.next, Ordering::Relaxed);
        if part.start == 0 {
            let bytes = whole.arena.len() as u64;
            counters.bytes.fetch_add(bytes, Ordering::Relaxed);
        }
        let batch = BatchRef {
            index: RSlice::from_slice(&whole.index.as_slice()[part]),
            ..whole
        };
        let written = self.destinations.write(batch);
        if let Err(Halt::Abandoned) = written {
            return written;
        }
        let confirmed = self.destinations.confirmed();
        let tick = self.run.ticks();
        self.windows
            .add(first, records, confirmed, tick, |i| position(&batch, i));
        counters.confirmed.store(confirmed, Ordering::Relaxed);
        written.map_err(|halt| self.failed(halt))
    }

    /// Lets destinations answer what they have deferred; `false` when none had anything to say.
    fn flush(&mut self) -> Result<bool, Halt> {
        let before = self.destinations.missing();
        let flushed = self.destinations.flush();
        if let Err(Halt::Abandoned) = flushed {
            return Err(Halt::Abandoned);
        }
        // Answers that were given before an error stand.
        let confirmed = self.destinations.confirmed();
        self.windows.confirm(confirmed, self.run.ticks());
        let counters = &self.run.counters;
        counters.confirmed.store(confirmed, Ordering::Relaxed);
        flushed.map_err(|halt| self.failed(halt))?;
        Ok(self.destinations.missing() < before)
    }

    /// A destination has failed. Of a record that it has refused, the source's position is told.
    fn failed(&mut self, mut halt: Halt) -> Halt {
        self.destination_failed = true;
        if let Halt::Failed(error) = &mut halt
            && let PipelineError::Nack {
                sequence, position, ..
            } = &mut **error
        {
            *position = self.windows.unanswered(*sequence).map(Position::from);
        }
        halt
    }

    /// As [`Fused::flush`], waiting for a wake-up where there was no answer yet.
    fn await_answers(&mut self) -> Result<(), Halt> {
        if !self.flush()? {
            self.source.context().pause(FLUSH_WAIT);
        }
        Ok(())
    }

    /// Tells the source what has become durable, and commits the open window when its time is over.
    fn tend_windows(&mut self) -> Result<(), Halt> {
        let durable = self.windows.take_durable();
        self.acknowledge(durable)?;
        if self.windows.is_due(self.run.ticks()) {
            self.windows.commit();
        }
        Ok(())
    }

    /// Waits until the open window takes another batch.
    fn make_room(&mut self) -> Result<(), Halt> {
        if self.destinations.missing() > 0 {
            self.await_answers()?;
        }
        if self.windows.is_open() {
            self.await_commit()?;
            self.windows.commit();
        }
        Ok(())
    }

    /// Waits until no window is under way, however long the disk takes; a forced stop ends it.
    fn await_commit(&mut self) -> Result<(), Halt> {
        while self.windows.is_committing() {
            if self.run.is_forced() {
                return Err(Halt::Forced);
            }
            let durable = self.windows.wait_durable(TICK);
            self.acknowledge(durable)?;
        }
        Ok(())
    }

    /// A window is durable: the source is told (I1).
    fn acknowledge(&mut self, durable: Result<Option<Positions>, CommitError>) -> Result<(), Halt> {
        let Some(window) = durable.map_err(PipelineError::from)? else {
            return Ok(());
        };
        self.note_committed(&window);
        let acked = match self.ack_failed {
            true => Ok(()),
            false => self.source.ack(window.as_acks()),
        };
        self.ack_failed |= acked.is_err();
        self.windows.recycle(window);
        halt_on(self.source.connector(), Call::Ack, acked)
    }

    /// Nothing more is read: gets every answer.
    fn drain(&mut self) -> Result<(), Halt> {
        let last = self.windows.last().map(<[u8]>::to_vec);
        self.destinations.stop(last.as_deref())?;
        self.destinations.hear(self.run.ticks());
        while self.destinations.missing() > 0 {
            if self.run.is_forced() {
                return Err(Halt::Forced);
            }
            self.tend_windows()?;
            self.await_answers()?;
            self.destinations.check_silence(&self.run)?;
        }
        Ok(())
    }

    /// Makes what is confirmed durable and tells the source.
    fn settle(&mut self) -> Result<(), Halt> {
        let before = self.await_commit();
        and_also(before, || {
            self.windows.commit();
            self.await_commit()
        })
    }

    /// After a forced stop: what is confirmed becomes durable if that takes no longer than a call
    /// may take then; the source isn't told any more.
    fn leave(&mut self) {
        let deadline = Instant::now() + FORCED_GRACE;
        for _window in 0..2 {
            let left = deadline.saturating_duration_since(Instant::now());
            if let Ok(Some(window)) = self.windows.wait_durable(left) {
                self.note_committed(&window);
            }
            if self.windows.is_committing() {
                return;
            }
            self.windows.commit();
        }
    }

    fn note_committed(&self, window: &Positions) {
        let committed = &self.run.counters.committed;
        committed.fetch_add(window.count(), Ordering::Relaxed);
    }
}
