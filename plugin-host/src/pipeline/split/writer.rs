//! The thread of one destination.

use std::sync::Arc;
use std::time::Instant;

use abi_stable::std_types::RSlice;
use crossbeam_channel::{Receiver, TryRecvError};
use plugin_api::Position;
use plugin_api::ffi::BatchRef;

use super::batch::SharedBatch;
use super::board::Board;
use crate::ffi::{MAX_WAIT, position};
use crate::pipeline::destination::rate::Rate;
use crate::pipeline::destination::{Destination, FLUSH_WAIT};
use crate::pipeline::error::PipelineError;
use crate::pipeline::halt::Halt;
use crate::pipeline::run::Run;
use crate::supervisor::TICK;

/// Writes what the lines hand over to one destination, and tells them of its answers.
pub(super) struct Writer {
    pub(super) run: Arc<Run>,
    pub(super) board: Arc<Board>,
    /// The destination's number.
    pub(super) number: usize,
    pub(super) destination: Destination,
    pub(super) queue: Receiver<Arc<SharedBatch>>,
    pub(super) begun: Instant,
    /// Position of the last record that it was given.
    pub(super) last: Option<Vec<u8>>,
    /// By source: it was given the records below.
    pub(super) given: Vec<u64>,
    /// A stop has come while it waited for its rate, or for answers: what is not written is read again.
    pub(super) has_left: bool,
}

impl Writer {
    /// Writes until every line has come to its end, and gets every answer then.
    pub(super) fn serve(&mut self) -> Result<(), Halt> {
        let served = self.write_all().and_then(|()| self.drain());
        served.map_err(|halt| self.run.judge(halt))
    }

    fn write_all(&mut self) -> Result<(), Halt> {
        loop {
            self.check()?;
            let has_room = self.destination.find_room(&self.run)?;
            if !has_room && !self.has_left && self.is_to_stop() {
                self.leave();
            }
            if has_room || self.has_left {
                match self.queue.try_recv() {
                    Ok(batch) => {
                        self.write(&batch)?;
                        continue;
                    }
                    Err(TryRecvError::Disconnected) => return Ok(()),
                    Err(TryRecvError::Empty) => {}
                }
            }
            self.rest(has_room)?;
        }
    }

    fn is_to_stop(&self) -> bool {
        self.run.is_stopping() || self.board.is_ending()
    }

    /// Takes what comes yet, and writes none of it.
    fn leave(&mut self) {
        self.has_left = true;
        self.board.leave(self.number, &self.given);
    }

    /// Whether there is any use in going on.
    fn check(&self) -> Result<(), Halt> {
        if self.run.is_abandoned() {
            Err(Halt::Abandoned)
        } else if self.run.is_forced() {
            Err(Halt::Forced)
        } else if self.board.has_failed() {
            Err(Halt::Elsewhere)
        } else {
            Ok(())
        }
    }

    /// There is nothing to write, or no room for it.
    fn rest(&mut self, has_room: bool) -> Result<(), Halt> {
        if self.flush()? {
            return Ok(());
        }
        let longest = match self.destination.missing() {
            0 => MAX_WAIT,
            _ => FLUSH_WAIT,
        };
        let is_empty = || !has_room || self.queue.is_empty();
        self.board.writer_waits(self.number, is_empty, longest);
        Ok(())
    }

    fn write(&mut self, batch: &SharedBatch) -> Result<(), Halt> {
        if self.has_left {
            return Ok(());
        }
        let records = batch.records();
        let count = records.index.len();
        let mut written = 0;
        while written < count {
            let Some(together) = self.await_turn(count - written)? else {
                self.leave();
                break;
            };
            let part = BatchRef {
                first_sequence: batch.first + written as u64,
                arena: records.arena,
                index: RSlice::from_slice(&records.index.as_slice()[written..][..together]),
            };
            let given = self
                .destination
                .write(batch.source, part, batch.has_nacked());
            self.publish();
            let refused = self.destination.refused();
            let here = refused.filter(|(source, _)| *source == batch.source);
            given.map_err(|halt| locate(halt, here, &records))?;
            written += together;
            self.given[batch.source] = batch.first + written as u64;
        }
        if let Some(newest) = written.checked_sub(1) {
            let last = self.last.get_or_insert_default();
            last.clear();
            last.extend_from_slice(position(&records, newest));
        }
        Ok(())
    }

    /// Waits until the destination's rate lets some of so many records pass; `None` after a stop.
    fn await_turn(&mut self, records: usize) -> Result<Option<usize>, Halt> {
        loop {
            let Some(rate) = &mut self.destination.rate else {
                return Ok(Some(records));
            };
            let together = Rate::burst(rate).min(records as u64);
            let wait = rate.wait(together, self.begun.elapsed());
            if wait.is_zero() {
                rate.take(together);
                return Ok(Some(usize::try_from(together).unwrap_or(records)));
            }
            self.check()?;
            if self.is_to_stop() {
                return Ok(None);
            }
            let answering = self.destination.missing() > 0;
            self.flush()?;
            let longest = if answering { FLUSH_WAIT } else { TICK };
            let context = self.destination.session.context();
            context.pause(wait.min(longest));
        }
    }

    /// Fetches answers; `false` where there were none.
    fn flush(&mut self) -> Result<bool, Halt> {
        let before = self.destination.missing();
        if before == 0 {
            return Ok(false);
        }
        let flushed = self.destination.flush();
        self.publish();
        flushed?;
        Ok(self.destination.missing() < before)
    }

    /// Tells the lines what the destination has answered, refusals first.
    fn publish(&mut self) {
        while let Some((source, sequence, nack)) = self.destination.next_nack() {
            self.board.refuse(source, sequence, nack);
        }
        for source in 0..self.board.lines() {
            let answered = self.destination.answered(source);
            self.board.answer(source, self.number, answered);
        }
    }

    fn drain(&mut self) -> Result<(), Halt> {
        self.destination.stop(self.last.as_deref())?;
        self.destination.hear(self.run.ticks());
        while self.destination.missing() > 0 {
            self.check()?;
            if !self.flush()? {
                self.destination.session.context().pause(FLUSH_WAIT);
            }
            self.destination.check_silence(&self.run)?;
        }
        Ok(())
    }
}

/// Adds the position of the record that was refused, where it is one of these.
fn locate(mut halt: Halt, refused: Option<(usize, u64)>, records: &BatchRef<'_>) -> Halt {
    if let Halt::Failed(error) = &mut halt
        && let PipelineError::Nack {
            position: found, ..
        } = &mut **error
        && let Some((_, sequence)) = refused
        && let Some(place) = sequence.checked_sub(records.first_sequence)
        && let Ok(place) = usize::try_from(place)
        && place < records.index.len()
    {
        *found = Some(Position::from(position(records, place)));
    }
    halt
}
