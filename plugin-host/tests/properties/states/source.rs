//! A source that does in each of its calls what it is told, and waits until then.

use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, TryRecvError, unbounded};
use plugin_api::{
    BatchWriter, Context, Error, ErrorKind, Parameters, Plugin, Position, Progress, Result, Source,
};

use super::model::Act;

/// Tells the source.
pub(super) struct Commands {
    acts: Sender<Act>,
    waiting: Receiver<Act>,
    /// Dropped at the end: whatever hangs returns.
    _gate: Sender<()>,
}

#[derive(Parameters)]
pub(super) struct Config {
    /// Whether it goes on after a stop until it is told.
    lingers: bool,
    /// Whether it waits to be told in its opening.
    waits: bool,
}

struct Obedient {
    config: Config,
    acts: Receiver<Act>,
    gate: Receiver<()>,
    is_stopped: bool,
}

pub(super) fn plugin() -> (Commands, Plugin) {
    let (acts, waiting) = unbounded();
    let (gate, hangs) = unbounded();
    let commands = Commands {
        acts,
        waiting: waiting.clone(),
        _gate: gate,
    };
    let plugin = Plugin::from_source("in", move |config: Config, _: Option<&Position>| {
        let mut source = Obedient {
            config,
            acts: waiting.clone(),
            gate: hangs.clone(),
            is_stopped: false,
        };
        if source.config.waits {
            // The test ends where nothing comes any more.
            let act = source.acts.recv().unwrap_or(Act::Fail);
            source.act(act)?;
        }
        Ok(source)
    });
    (commands, plugin)
}

impl Commands {
    pub(super) fn send(&self, act: Act) {
        self.acts.send(act).unwrap();
    }

    /// Nothing that was told before is for the next run.
    pub(super) fn forget(&self) {
        self.waiting.try_iter().for_each(drop);
    }
}

impl Obedient {
    fn act(&mut self, act: Act) -> Result<Progress> {
        match act {
            Act::GoOn => Ok(Progress::Idle),
            Act::End => Ok(Progress::End),
            Act::Fail => Err(Error::new(ErrorKind::Retry, "busy")),
            Act::FailForGood => Err(Error::fatal("broken")),
            Act::Panic => panic!("asked to"),
            Act::Hang => {
                self.gate.recv().ok();
                Ok(Progress::Idle)
            }
        }
    }
}

impl Source for Obedient {
    type Config = Config;

    fn open(_: Config, _: Option<&Position>) -> Result<Self> {
        Err(Error::fatal("only the plugin's closure opens it"))
    }

    fn read(&mut self, _: &mut BatchWriter<'_>, context: &Context) -> Result<Progress> {
        match self.acts.try_recv() {
            Ok(act) => self.act(act),
            Err(TryRecvError::Disconnected) => Ok(Progress::End),
            Err(TryRecvError::Empty) if self.is_stopped && !self.config.lingers => {
                Ok(Progress::End)
            }
            Err(TryRecvError::Empty) => {
                let _why = context.wait(Duration::from_millis(2));
                Ok(Progress::Idle)
            }
        }
    }

    fn stop(&mut self) -> Result<Option<Position>> {
        self.is_stopped = true;
        // One that names a record goes on until that comes.
        Ok(self.config.lingers.then(|| Position::from("the last one")))
    }
}
