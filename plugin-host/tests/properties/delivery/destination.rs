//! Destinations that answer as their script says, and the dead-letter queue.

use std::collections::VecDeque;
use std::sync::Arc;

use plugin_api::{Acks, Batch, Context, Destination, Error, Plugin, Result};

use super::PIPELINE;
use super::case::{Answer, DestinationScript, Place};
use super::source::{Config, number_of};
use super::world::{Entry, World};

/// A record that has no answer yet.
#[derive(Clone, Copy)]
struct Pending {
    sequence: u64,
    source: usize,
    number: u64,
}

struct Scripted {
    world: Arc<World>,
    number: usize,
    pending: VecDeque<Pending>,
    writes: usize,
    flushes: usize,
    /// The flush before has answered nothing.
    was_silent: bool,
    /// Sequence behind what it was given.
    given: u64,
}

pub(super) fn plugin(name: &str, world: &Arc<World>) -> Plugin {
    let world = Arc::clone(world);
    Plugin::from_destination(name, move |config: Config| {
        let destination = config.number;
        world.note(Entry::DestinationOpened { destination });
        Ok(Scripted {
            world: Arc::clone(&world),
            number: destination,
            pending: VecDeque::new(),
            writes: 0,
            flushes: 0,
            was_silent: false,
            given: 0,
        })
    })
}

impl Scripted {
    fn script(&self) -> &DestinationScript {
        &self.world.case.destinations[self.number]
    }

    /// Notes a failure, if there is one.
    fn end(&self, fault: Option<Error>) -> Result<()> {
        let Some(error) = fault else {
            return Ok(());
        };
        self.note_failure();
        Err(error)
    }

    fn note_failure(&self) {
        let destination = self.number;
        self.world.note(Entry::DestinationFailed { destination });
    }

    fn answer(&mut self, acks: &mut Acks<'_>, which: Answer) {
        let all = self.pending.len();
        let mut answered: Vec<_> = match which {
            Answer::All | Answer::AllBackwards => self.pending.drain(..).collect(),
            Answer::Oldest(most) => self.pending.drain(..most.min(all)).collect(),
            Answer::Newest(most) => self.pending.drain(all - most.min(all)..).collect(),
            Answer::None => Vec::new(),
        };
        if !matches!(which, Answer::All | Answer::Oldest(_)) {
            answered.reverse();
        }
        for it in answered {
            let ok = !self.script().refused.contains(&(it.source, it.number));
            self.world.note(Entry::Answered {
                destination: self.number,
                source: it.source,
                number: it.number,
                ok,
            });
            if ok {
                acks.ok_range(it.sequence, it.sequence + 1);
            } else {
                acks.nack_sequence(it.sequence, Error::fatal("not this one"));
            }
        }
    }
}

impl Destination for Scripted {
    type Config = Config;

    fn open(_: Config) -> Result<Self> {
        Err(Error::fatal("only the plugin's closure opens it"))
    }

    fn write(&mut self, batch: &Batch<'_>, acks: &mut Acks<'_>, _: &Context) -> Result<()> {
        self.world.step();
        acks.defer();
        for record in batch {
            let text = str::from_utf8(record.after()).map_err(Error::fatal)?;
            let (source, number) = text.split_once(' ').unwrap();
            let (source, number) = (source.parse().unwrap(), number.parse().unwrap());
            let sequence = record.sequence();
            self.world.note(Entry::Given {
                destination: self.number,
                sequence,
                source,
                number,
            });
            self.pending.push_back(Pending {
                sequence,
                source,
                number,
            });
            self.given = sequence + 1;
        }
        let writes = &self.script().writes;
        let which = writes[self.writes % writes.len()];
        self.writes += 1;
        self.answer(acks, which);
        if self.world.fault(Place::Twice(self.number)).is_some() {
            // What has no answer yet isn't asked for again: one that was never given.
            let first = self.pending.front().map_or(self.given, |it| it.sequence);
            let wrong = first.checked_sub(1).unwrap_or(self.given);
            acks.ok_range(wrong, wrong + 1);
            self.note_failure();
        }
        if self.world.fault(Place::Close(self.number)).is_some() {
            acks.close();
            self.note_failure();
        }
        self.end(self.world.fault(Place::Write(self.number)))
    }

    fn flush(&mut self, acks: &mut Acks<'_>, _: &Context) -> Result<()> {
        self.world.step();
        let flushes = &self.script().flushes;
        let which = flushes[self.flushes % flushes.len()];
        self.flushes += 1;
        let is_silent = matches!(which, Answer::None) && !self.was_silent;
        self.was_silent = is_silent;
        self.answer(
            acks,
            match which {
                Answer::None if !is_silent => Answer::All,
                which => which,
            },
        );
        self.end(self.world.fault(Place::Flush(self.number)))
    }

    fn stop(&mut self) -> Result<()> {
        self.world.step();
        self.end(self.world.fault(Place::DestinationStop(self.number)))
    }
}

/// The dead-letter queue.
struct Letters {
    world: Arc<World>,
}

pub(super) fn queue(name: &str, world: &Arc<World>) -> Plugin {
    let world = Arc::clone(world);
    Plugin::from_destination(name, move |()| {
        world.note(Entry::QueueOpened);
        Ok(Letters {
            world: Arc::clone(&world),
        })
    })
}

impl Destination for Letters {
    type Config = ();

    fn open(_: ()) -> Result<Self> {
        Err(Error::fatal("only the plugin's closure opens it"))
    }

    fn write(&mut self, batch: &Batch<'_>, acks: &mut Acks<'_>, _: &Context) -> Result<()> {
        self.world.step();
        let fault = self.world.fault(Place::Letters);
        let taken = match fault {
            Some(_) => batch.len() / 2,
            None => batch.len(),
        };
        acks.defer();
        let mut failed = fault.is_some();
        for (place, record) in batch.into_iter().enumerate() {
            let sequence = record.sequence();
            self.world.note(Entry::LetterGiven { sequence });
            if place >= taken {
                continue;
            }
            if let Some(error) = self.world.fault(Place::RefusedLetter) {
                failed = true;
                acks.nack(&record, error);
                continue;
            }
            let (source, number) = refused(record.position());
            self.world.note(Entry::Letter { source, number });
            acks.ok(&record);
        }
        if failed {
            self.world.note(Entry::QueueFailed);
        }
        fault.map_or(Ok(()), Err)
    }
}

/// The record that a letter is about.
fn refused(position: &[u8]) -> (usize, u64) {
    let before = format!("{PIPELINE}:s");
    let rest = position.strip_prefix(before.as_bytes()).unwrap();
    let end = rest.iter().position(|byte| *byte == b'/').unwrap();
    let source = str::from_utf8(&rest[..end]).unwrap().parse().unwrap();
    (source, number_of(&rest[end + 1..]))
}
