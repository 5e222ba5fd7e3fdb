//! Sources that do what their script says.

use std::sync::Arc;

use plugin_api::{
    AckMode, BatchWriter, Context, Error, Parameters, Plugin, Position, Progress, Result, Source,
};

use super::case::{Place, SourceScript};
use super::world::{Entry, World};

#[derive(Parameters)]
pub(super) struct Config {
    /// Number of the script.
    pub(super) number: usize,
}

/// A source that wants every position acknowledged, or the newest.
struct Scripted<const EACH: bool> {
    world: Arc<World>,
    number: usize,
    next: u64,
    reads: usize,
    /// The read before had nothing.
    was_idle: bool,
    /// Once it was asked to stop: reads that still bring records.
    late: Option<usize>,
}

pub(super) fn plugin<const EACH: bool>(name: &str, world: &Arc<World>) -> Plugin {
    let world = Arc::clone(world);
    Plugin::from_source(name, move |config: Config, position: Option<&Position>| {
        let number = config.number;
        world.step();
        if let Some(error) = world.fault(Place::Open(number)) {
            return Err(error);
        }
        let behind = position.map_or(0, |it| number_of(it.as_bytes()));
        world.note(Entry::SourceOpened {
            source: number,
            behind,
        });
        Ok(Scripted::<EACH> {
            world: Arc::clone(&world),
            number,
            next: behind + 1,
            reads: 0,
            was_idle: false,
            late: None,
        })
    })
}

/// The number that a position begins with.
pub(super) fn number_of(position: &[u8]) -> u64 {
    let text = str::from_utf8(position).unwrap();
    let number = text.split(' ').next().and_then(|it| it.parse().ok());
    number.unwrap()
}

impl<const EACH: bool> Scripted<EACH> {
    fn script(&self) -> &SourceScript {
        &self.world.case.sources[self.number]
    }

    fn put(&mut self, batch: &mut BatchWriter<'_>, most: usize) {
        for _ in 0..most {
            let number = self.next;
            if number > self.script().total || !batch.has_room() {
                return;
            }
            let (source, script) = (self.number, self.script());
            self.world.note(Entry::Read { source, number });
            let position = format!("{number} {}", "x".repeat(script.weight));
            let payload = format!("{source} {number}");
            let record = batch.create(&*position).payload(&*payload);
            if script.nacked.contains(&number) {
                record.nack("it is cut off");
            }
            self.next += 1;
        }
    }
}

impl<const EACH: bool> Source for Scripted<EACH> {
    type Config = Config;

    const ACKS: AckMode = if EACH { AckMode::Each } else { AckMode::Last };

    fn open(_: Config, _: Option<&Position>) -> Result<Self> {
        Err(Error::fatal("only the plugin's closure opens it"))
    }

    fn read(&mut self, batch: &mut BatchWriter<'_>, _: &Context) -> Result<Progress> {
        self.world.step();
        let batches = &self.script().batches;
        let size = batches[self.reads % batches.len()];
        self.reads += 1;
        if let Some(error) = self.world.fault(Place::Read(self.number)) {
            self.put(batch, size / 2);
            return Err(error);
        }
        match &mut self.late {
            Some(0) => return Ok(Progress::End),
            Some(late) => *late -= 1,
            None => {}
        }
        if self.next > self.script().total {
            return Ok(Progress::End);
        }
        // Twice in a row would only make the host wait.
        self.was_idle = size == 0 && !self.was_idle;
        if self.was_idle {
            return Ok(Progress::Idle);
        }
        self.put(batch, size.max(1));
        Ok(Progress::More)
    }

    fn ack(&mut self, position: &Position) -> Result<()> {
        self.world.step();
        let source = self.number;
        if let Some(error) = self.world.fault(Place::Ack(source)) {
            return Err(error);
        }
        let number = number_of(position.as_bytes());
        self.world.note(Entry::Acked { source, number });
        Ok(())
    }

    fn stop(&mut self) -> Result<Option<Position>> {
        self.world.step();
        if let Some(error) = self.world.fault(Place::SourceStop(self.number)) {
            return Err(error);
        }
        self.late = Some(self.script().late);
        Ok(None)
    }
}
