//! The states of a pipeline, checked against a model ([`model`]).
//!
//! Random commands go to one engine: starts, stops, dropped handles, and what the pipeline's source does next
//! ([`source`]). The model says what is told because of each, in which order; the engine must tell just that,
//! and its status must be what it told last. docs/architecture.md has the model as a table.

mod model;
mod source;

use std::sync::Arc;
use std::time::Duration;

use plugin_host::store::FileStore;
use plugin_host::{
    ConnectorConfig, Engine, Events, Outcome, Pipeline, PipelineConfig, PluginService, Pump,
    Recovery, Registry, RunOptions, Status, embedded,
};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::cases;
use model::{Act, Command, Model, Start, Told};
use source::Commands;

/// Longer than anything takes that isn't a mistake.
const LONG: Duration = Duration::from_secs(60);

proptest! {
    #![proptest_config(cases(30))]

    #[test]
    fn a_fused_pipeline_has_the_states_of_the_model(commands in vec(model::command(), 1..25)) {
        run(&commands, Pump::Fused);
    }

    #[test]
    fn a_split_pipeline_has_the_states_of_the_model(commands in vec(model::command(), 1..25)) {
        run(&commands, Pump::Split);
    }
}

struct Subject {
    engine: Engine,
    events: Events,
    source: Commands,
    pipeline: Option<Pipeline>,
    pump: Pump,
}

fn run(commands: &[Command], pump: Pump) {
    let state = tempfile::tempdir().unwrap();
    let (source, plugin) = source::plugin();
    let out = embedded::destination("out", |_: &_, _: &mut _, _: &_| Ok(()));
    let service = PluginService::new(Registry::builtin([plugin, out]), Registry::default());
    let store = Arc::new(FileStore::open(state.path()).unwrap());
    let engine = Engine::new(Arc::new(service), store).unwrap();
    let mut subject = Subject {
        events: engine.events(),
        engine,
        source,
        pipeline: None,
        pump,
    };
    let mut model = Model::default();
    for command in commands {
        let expected = model.after(*command);
        subject.obey(*command, &model);
        subject.expect(&expected, *command);
    }
    for command in model.to_the_end() {
        let expected = model.after(command);
        subject.obey(command, &model);
        subject.expect(&expected, command);
    }
    let Subject {
        engine,
        events,
        pipeline,
        ..
    } = subject;
    drop((engine, pipeline));
    let more: Vec<_> = events.map(|event| event.status).collect();
    assert!(more.is_empty(), "told behind the end: {more:?}");
}

impl Subject {
    fn obey(&mut self, command: Command, model: &Model) {
        match command {
            Command::Start(start) => self.start(start, model),
            Command::Stop => self.pipeline.iter().for_each(Pipeline::stop),
            Command::Force if model.was_obeyed() => {
                self.pipeline.iter().for_each(Pipeline::force_stop);
                // One that waits in its opening returns.
                self.source.send(Act::GoOn);
            }
            Command::Drop => drop(self.pipeline.take()),
            Command::Force => {}
            Command::Source(_) if !model.was_obeyed() => {}
            Command::Source(act) => self.source.send(act),
        }
    }

    fn start(&mut self, start: Start, model: &Model) {
        let budget = if start.short { "500ms" } else { "1h" };
        let source = ConnectorConfig::new("in", "in").unwrap();
        let source = source
            .with("sdk.call.timeout", budget)
            .with("lingers", start.lingers.to_string())
            .with("waits", (!start.short).to_string());
        let out = ConnectorConfig::new("out", "out").unwrap();
        let config = PipelineConfig::new("p", source).to(out).pump(self.pump);
        let delay = match start.patient {
            true => Duration::from_secs(3600),
            false => Duration::ZERO,
        };
        let recovery = start.recovers.then_some(Recovery {
            min_delay: delay,
            max_delay: delay,
            ..Recovery::default()
        });
        let options = RunOptions {
            recovery,
            ..RunOptions::default()
        };
        if model.was_obeyed() {
            self.source.forget();
        }
        match self.engine.start(&config, options) {
            Ok(pipeline) => {
                assert!(model.was_obeyed(), "a second start");
                self.pipeline = Some(pipeline);
            }
            Err(refused) => {
                assert!(!model.was_obeyed(), "{refused}");
                assert_eq!(refused.code(), "pipeline.already_running");
            }
        }
    }

    fn expect(&mut self, expected: &[Told], command: Command) {
        for told in expected {
            let event = self.events.next_timeout(LONG);
            let event = event.unwrap_or_else(|| panic!("{command:?}: {told:?} isn't told"));
            assert_eq!(Told::of(&event.status), *told, "{command:?}: {event:?}");
        }
        let (Some(pipeline), Some(last)) = (&self.pipeline, expected.last()) else {
            return;
        };
        if let Told::Ended | Told::Stopped | Told::Forced | Told::Failed(_) = last {
            // It is over, and stays so.
            let outcome = pipeline.wait_timeout(LONG).expect("an end");
            assert_eq!(Told::of(&Status::Over(outcome)), *last);
        }
        assert_eq!(Told::of(&pipeline.status()), *last, "{command:?}");
    }
}

impl Told {
    fn of(status: &Status) -> Self {
        match status {
            Status::Starting => Self::Starting,
            Status::Running => Self::Running,
            Status::Stopping => Self::Stopping,
            Status::Recovering { attempt, .. } => Self::Recovering(*attempt),
            Status::Over(Outcome::Ended) => Self::Ended,
            Status::Over(Outcome::Stopped) => Self::Stopped,
            Status::Over(Outcome::Forced) => Self::Forced,
            Status::Over(Outcome::Failed(error)) => Self::Failed(match error.code() {
                "connector.call_timeout" => "connector.call_timeout",
                _ => "",
            }),
            other => panic!("no such status: {other:?}"),
        }
    }
}
