//! The model: what a pipeline is in, and what each command makes of it.

use proptest::prelude::*;

/// What the test does.
#[derive(Debug, Clone, Copy)]
pub(super) enum Command {
    Start(Start),
    Stop,
    Force,
    /// The handle is dropped.
    Drop,
    Source(Act),
}

/// How a pipeline is started.
#[derive(Debug, Clone, Copy)]
pub(super) struct Start {
    pub(super) recovers: bool,
    /// It waits an hour before a further try, else none.
    pub(super) patient: bool,
    /// Its source goes on after a stop until it is told.
    pub(super) lingers: bool,
    /// A call has little time; then the opening isn't a command of its own.
    pub(super) short: bool,
}

/// What the source does in its call: the opening, else a read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Act {
    GoOn,
    End,
    Fail,
    FailForGood,
    Panic,
    /// Only where a call has little time.
    Hang,
}

/// What is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Told {
    Starting,
    Running,
    Recovering(u32),
    Stopping,
    Ended,
    Stopped,
    Forced,
    /// With the code, where the model knows it.
    Failed(&'static str),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum State {
    /// No run: there was none, or it is over.
    #[default]
    Over,
    /// The source is in its opening.
    Starting,
    Running,
    Recovering,
}

#[derive(Debug, Default)]
pub(super) struct Model {
    state: State,
    start: Option<Start>,
    /// A stop was asked for.
    is_stopping: bool,
    has_handle: bool,
    tries: u32,
    was_obeyed: bool,
}

pub(super) fn command() -> impl Strategy<Value = Command> {
    let start = any::<[bool; 4]>();
    let start = start.prop_map(|[recovers, patient, lingers, short]| Start {
        recovers,
        patient,
        // It may not linger for longer than a call may take.
        lingers: lingers && !short,
        short,
    });
    let act = prop_oneof![
        6 => Just(Act::GoOn),
        2 => Just(Act::End),
        3 => Just(Act::Fail),
        1 => Just(Act::FailForGood),
        1 => Just(Act::Panic),
        1 => Just(Act::Hang),
    ];
    prop_oneof![
        4 => start.prop_map(Command::Start),
        2 => Just(Command::Stop),
        1 => Just(Command::Force),
        1 => Just(Command::Drop),
        8 => act.prop_map(Command::Source),
    ]
}

impl Model {
    /// Whether the last command did anything.
    pub(super) fn was_obeyed(&self) -> bool {
        self.was_obeyed
    }

    /// What brings the pipeline to its end, whatever it does.
    pub(super) fn to_the_end(&self) -> Vec<Command> {
        let stop = if self.has_handle {
            Command::Force
        } else {
            Command::Drop
        };
        let go_on = Command::Source(Act::FailForGood);
        match self.state {
            State::Over => vec![],
            State::Recovering => vec![stop],
            // It is told: a forced stop waits half a second for a call.
            State::Starting | State::Running => vec![go_on],
        }
    }

    /// What is told because of a command.
    pub(super) fn after(&mut self, command: Command) -> Vec<Told> {
        self.was_obeyed = true;
        match command {
            Command::Start(start) => self.start(start),
            Command::Stop if self.has_handle => self.stop(),
            Command::Drop if self.has_handle => {
                self.has_handle = false;
                self.stop()
            }
            Command::Force if self.has_handle => self.force(),
            Command::Stop | Command::Drop | Command::Force => self.nothing(),
            Command::Source(act) => self.act(act),
        }
    }

    fn nothing(&mut self) -> Vec<Told> {
        self.was_obeyed = false;
        Vec::new()
    }

    fn start(&mut self, start: Start) -> Vec<Told> {
        if self.state != State::Over {
            return self.nothing();
        }
        *self = Self {
            start: Some(start),
            has_handle: true,
            was_obeyed: true,
            ..Self::default()
        };
        self.open()
    }

    /// A try begins.
    fn open(&mut self) -> Vec<Told> {
        self.state = State::Starting;
        if self.start.is_some_and(|start| start.short) {
            self.state = State::Running;
            return vec![Told::Starting, Told::Running];
        }
        vec![Told::Starting]
    }

    fn over(&mut self, outcome: Told) -> Vec<Told> {
        self.state = State::Over;
        vec![outcome]
    }

    fn stop(&mut self) -> Vec<Told> {
        if self.state == State::Over || self.is_stopping {
            return Vec::new();
        }
        self.is_stopping = true;
        let mut told = vec![Told::Stopping];
        match self.state {
            State::Recovering => told.extend(self.over(Told::Failed(""))),
            State::Running if !self.lingers() => told.extend(self.over(Told::Stopped)),
            State::Running | State::Starting | State::Over => {}
        }
        told
    }

    fn force(&mut self) -> Vec<Told> {
        if self.state == State::Over {
            return Vec::new();
        }
        let mut told = Vec::new();
        if !self.is_stopping {
            told.push(Told::Stopping);
        }
        self.is_stopping = true;
        let outcome = match self.state {
            State::Recovering => Told::Failed(""),
            // One that doesn't return from its opening is given up.
            _ => Told::Forced,
        };
        told.extend(self.over(outcome));
        told
    }

    fn lingers(&self) -> bool {
        self.start.is_some_and(|start| start.lingers)
    }

    fn act(&mut self, act: Act) -> Vec<Told> {
        let short = self.start.is_some_and(|start| start.short);
        match (self.state, act) {
            (State::Over | State::Recovering, _) => self.nothing(),
            (_, Act::Hang) if !short => self.nothing(),
            // What an opening returns is no progress.
            (State::Starting, Act::GoOn | Act::End) => self.opened(),
            (_, Act::GoOn) => Vec::new(),
            (_, Act::End) if self.is_stopping => self.over(Told::Stopped),
            (_, Act::End) => self.over(Told::Ended),
            (_, Act::FailForGood) => self.over(Told::Failed("")),
            (_, Act::Hang) => self.over(Told::Failed("connector.call_timeout")),
            (_, Act::Fail | Act::Panic) => self.fail(),
        }
    }

    fn opened(&mut self) -> Vec<Told> {
        self.state = State::Running;
        if !self.is_stopping {
            vec![Told::Running]
        } else if self.lingers() {
            Vec::new()
        } else {
            self.over(Told::Stopped)
        }
    }

    /// By what another try may mend.
    fn fail(&mut self) -> Vec<Told> {
        let recovers = self.start.filter(|start| start.recovers);
        let Some(start) = recovers.filter(|_| !self.is_stopping) else {
            return self.over(Told::Failed(""));
        };
        self.tries += 1;
        let mut told = vec![Told::Recovering(self.tries)];
        self.state = State::Recovering;
        if !start.patient {
            told.extend(self.open());
        }
        told
    }
}
