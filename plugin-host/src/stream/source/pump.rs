//! What a source's thread does: reads ahead, and tells the plugin of acks.

use std::sync::Arc;

use crossbeam_channel::{Receiver, Select, Sender};
use plugin_api::ffi::{AckBatch, SourceObject, Span};
use plugin_api::{AckMode, Position, StreamNotOpen};

use super::ACKS;
use crate::ffi::{Buffer, MAX_WAIT, position};
use crate::session::{ReadStatus, Rest, SourceSession};
use crate::stream::batch::RecordBatch;
use crate::stream::budget::{Amount, Budget};
use crate::stream::context::Context;
use crate::stream::error::StreamError;
use crate::stream::life::{Life, State};
use crate::stream::worker::{Pump, Step};

/// What a source's thread has.
pub(super) struct SourcePump {
    session: Arc<SourceSession>,
    life: Arc<Life>,
    /// Whether the plugin may be told of acks: it was started and has not failed.
    open: bool,
    /// Closed when nothing more comes.
    fill: Option<Sender<RecordBatch>>,
    home: Sender<Buffer>,
    free: Receiver<Buffer>,
    /// Memory that the last read has left empty.
    spare: Option<Buffer>,
    acks: Receiver<Position>,
    room: Arc<Budget>,
    mode: AckMode,
    /// Records that were read.
    read: u64,
    /// Records that the plugin was told to be done with.
    acked: u64,
    /// Position of the newest record.
    last: Option<Position>,
    /// What the plugin has answered to a stop.
    stopped: Option<Option<Position>>,
    rest: Rest,
}

impl SourcePump {
    pub(super) fn new(
        session: Arc<SourceSession>,
        life: Arc<Life>,
        fill: Sender<RecordBatch>,
        (home, free): (Sender<Buffer>, Receiver<Buffer>),
        (acks, room, mode): (Receiver<Position>, Arc<Budget>, AckMode),
    ) -> Self {
        Self {
            session,
            life,
            open: false,
            fill: Some(fill),
            home,
            free,
            spare: None,
            acks,
            room,
            mode,
            read: 0,
            acked: 0,
            last: None,
            stopped: None,
            rest: Rest::default(),
        }
    }

    pub(super) fn start(
        &mut self,
        stream: Context,
        position: Option<&Position>,
    ) -> Result<(), StreamError> {
        self.life.is_initial()?;
        self.session.start(position.map(Position::as_bytes))?;
        self.open = true;
        stream.tell(self.session.context());
        self.life.open(stream);
        Ok(())
    }

    pub(super) fn stop(&mut self) -> Result<Option<Position>, StreamError> {
        if let Some(last) = &self.stopped {
            return Ok(last.clone());
        }
        match self.life.state() {
            State::Initial => Err(StreamNotOpen.into()),
            State::Over(why) | State::Gone(why) => Err(why),
            State::Closing(_) => Ok(self.last.clone()),
            State::Open(_) => match self.session.stop() {
                Ok(last) => Ok(self.stopped.insert(last.map(Position::from)).clone()),
                Err(error) => Err(self.fail(error.into())),
            },
        }
    }

    /// Nothing more is read, and nothing acknowledged.
    fn fail(&mut self, why: StreamError) -> StreamError {
        self.open = false;
        match why {
            StreamError::Context(_) | StreamError::Detached => self.life.end(why.clone()),
            _ => self.life.over(why.clone()),
        }
        self.fill = None;
        why
    }

    fn read(&mut self) -> Result<Step, StreamError> {
        let Some(mut buffer) = self.spare.take().or_else(|| self.free.try_recv().ok()) else {
            // Whoever gives one back wakes the thread.
            return Ok(Step::Pause(MAX_WAIT));
        };
        self.session.context().set_max_wait(MAX_WAIT);
        let (status, records) = self.session.read(&mut buffer, usize::MAX)?;
        if records == 0 {
            self.spare = Some(buffer);
        } else {
            self.last = Some(Position::from(position(&buffer.as_batch(0), records - 1)));
            let batch = RecordBatch {
                buffer,
                first: self.read,
                skipped: 0,
                home: self.home.clone(),
                connector: Arc::clone(self.session.context()),
            };
            self.read += records as u64;
            // There is room for every buffer; it fails when the host has dropped the stream.
            if let Some(fill) = &self.fill {
                fill.send(batch).ok();
            }
        }
        Ok(match status {
            ReadStatus::End => {
                self.life.ended();
                self.fill = None;
                Step::Again
            }
            _ if records > 0 => {
                self.rest.over();
                Step::Again
            }
            _ => {
                let due = self.rest.is_due();
                self.rest.note();
                match due {
                    true => Step::Pause(MAX_WAIT),
                    false => Step::Again,
                }
            }
        })
    }

    /// Tells the plugin of what the host has acknowledged.
    fn deliver_acks(&mut self) -> Result<(), StreamError> {
        let mut arena = Vec::new();
        let mut positions = Vec::new();
        let mut taken = Amount::default();
        for position in self.acks.try_iter().take(ACKS.records) {
            taken.records += 1;
            taken.bytes += position.as_bytes().len();
            if self.mode == AckMode::Last {
                arena.clear();
                positions.clear();
            }
            let (Ok(offset), Ok(length)) = (
                u32::try_from(arena.len()),
                u32::try_from(position.as_bytes().len()),
            ) else {
                let fault = "positions of more than 4 GiB were acknowledged at once";
                return Err(StreamError::Contract(fault.to_owned()));
            };
            arena.extend_from_slice(position.as_bytes());
            positions.push(Span { offset, length });
        }
        if taken == Amount::default() {
            return Ok(());
        }
        self.room.give(taken);
        let acks = AckBatch {
            first_sequence: self.acked,
            count: taken.records as u64,
            arena: arena.as_slice().into(),
            positions: positions.as_slice().into(),
        };
        self.acked += acks.count;
        Ok(self.session.ack(acks)?)
    }
}

impl Pump for SourcePump {
    type Object = SourceObject;

    fn step(&mut self) -> Step {
        let advanced = match self.life.state() {
            State::Open(_) => self.deliver_acks().and_then(|()| self.read()),
            State::Closing(_) => self.deliver_acks().map(|()| Step::Rest),
            State::Gone(why @ StreamError::Context(_)) => Err(why),
            State::Initial | State::Over(_) | State::Gone(_) => Ok(Step::Wait),
        };
        advanced.unwrap_or_else(|why| {
            self.fail(why);
            Step::Wait
        })
    }

    fn rouse<'a>(&'a self, select: &mut Select<'a>) {
        select.recv(&self.acks);
    }

    fn finish(&mut self) {
        // What the host has acknowledged before a teardown comes before it.
        while std::mem::take(&mut self.open) && !self.acks.is_empty() {
            match self.deliver_acks() {
                Ok(()) => self.open = true,
                Err(StreamError::Detached) => {}
                Err(error) => {
                    let connector = self.session.connector();
                    log::warn!(target: "plugin_host::stream", "{connector}: ack: {error}");
                }
            }
        }
        self.fill = None;
    }
}
