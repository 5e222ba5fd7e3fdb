//! The books between the sources' records and their acks, under any interleaving of answers, nacks, stops
//! and failures (I1, I2, I3).
//!
//! A case is a script ([`case`]): what sources bring, how destinations answer, and rounds, in each of which
//! something may fail or stop the pipeline. A real engine runs it over connectors ([`source`],
//! [`destination`]) and a store ([`store`]) that do what the script says and keep a journal ([`world`]).
//! After every round the journal is checked step by step ([`check`]). The last round has no faults: then
//! every record must have arrived.

mod case;
mod check;
mod destination;
mod source;
mod store;
mod world;

use std::sync::Arc;
use std::time::Duration;

use plugin_host::{
    ConnectorConfig, DeadLetterQueue, Engine, Outcome, PipelineConfig, PluginService, Pump,
    Recovery, Registry, RunOptions,
};
use proptest::prelude::*;

use crate::cases;
use case::{Case, Queue, Round};
use check::Books;
use store::ScriptedStore;
use world::World;

/// Id of the pipeline.
const PIPELINE: &str = "p";

proptest! {
    #![proptest_config(cases(60))]

    #[test]
    fn a_fused_pipeline_keeps_its_books(case in case::any(1)) {
        run(&case, Pump::Fused);
    }

    #[test]
    fn a_split_pipeline_keeps_its_books(case in case::any(3)) {
        run(&case, Pump::Split);
    }
}

fn run(case: &Case, pump: Pump) {
    let case = Arc::new(case.clone());
    let world = Arc::new(World::new(Arc::clone(&case)));
    let plugins = [
        source::plugin::<true>("each", &world),
        source::plugin::<false>("last", &world),
        destination::plugin("out", &world),
        destination::queue("letters", &world),
    ];
    let service = PluginService::new(Registry::builtin(plugins), Registry::default());
    let store = Arc::new(ScriptedStore::new(Arc::clone(&world)));
    let engine = Engine::new(Arc::new(service), store).unwrap();
    let mut books = Books::new(Arc::clone(&case));
    for round in &case.rounds {
        let outcome = run_round(&engine, &world, round, pump);
        books.check(round, &outcome, &world.take_journal());
    }
    let last = case.last_round();
    let outcome = run_round(&engine, &world, &last, pump);
    assert!(
        matches!(outcome, Outcome::Ended),
        "the last round: {outcome:?}"
    );
    books.check(&last, &outcome, &world.take_journal());
    books.check_all_is_done();
}

fn run_round(engine: &Engine, world: &World, round: &Round, pump: Pump) -> Outcome {
    let handle = world.begin(round);
    let options = RunOptions {
        until_end: round.until_end,
        recovery: round.recovery.then_some(Recovery {
            min_delay: Duration::ZERO,
            max_delay: Duration::ZERO,
            factor: 1.0,
            max_retries: None,
            healthy_after: Duration::MAX,
        }),
    };
    let pipeline = engine.start(&config(&world.case, round, pump), options);
    assert!(handle.set(pipeline.unwrap()).is_ok());
    let outcome = handle.wait().wait_timeout(Duration::from_secs(60));
    outcome.expect("an end")
}

fn config(case: &Case, round: &Round, pump: Pump) -> PipelineConfig {
    let mut sources = case.sources.iter().enumerate().map(|(number, script)| {
        let plugin = if script.each { "each" } else { "last" };
        let config = connector(&format!("s{number}"), plugin, number);
        settings(config, script.batch_size, script.delay)
    });
    let config = PipelineConfig::new(PIPELINE, sources.next().unwrap()).pump(pump);
    let config = sources.fold(config, PipelineConfig::and_from);
    let destinations = case.destinations.iter().enumerate();
    let destinations = destinations.map(|(number, script)| {
        let config = connector(&format!("d{number}"), "out", number);
        settings(config, script.batch_size, script.delay)
    });
    let config = destinations.fold(config, PipelineConfig::to);
    let queue = DeadLetterQueue::new("letters").unwrap();
    match round.queue {
        Queue::None => config,
        Queue::Unlimited => config.dead_letters(queue),
        Queue::Limited { threshold, window } => {
            config.dead_letters(queue.at_most(threshold, window))
        }
    }
}

fn connector(id: &str, plugin: &str, number: usize) -> ConnectorConfig {
    let config = ConnectorConfig::new(id, plugin).unwrap();
    config.with("number", number.to_string())
}

fn settings(
    config: ConnectorConfig,
    batch_size: Option<u32>,
    delay: Option<&str>,
) -> ConnectorConfig {
    let config = match batch_size {
        Some(size) => config.with("sdk.batch.size", size.to_string()),
        None => config,
    };
    match delay {
        Some(delay) => config.with("sdk.batch.delay", delay),
        None => config,
    }
}
