//! What a pipeline tells its connectors of: that they are new, or have changed since they were last active.

use plugin_api::{
    Acks, Batch, BatchWriter, Context, Destination, Error, Parameters, Plugin, Position, Progress,
    Result, Settings, Source,
};
use plugin_host::{DeadLetterQueue, Outcome, PipelineConfig, RunOptions};
use tempfile::{TempDir, tempdir};

use super::{note, noted, pipeline};
use crate::support::{connector, engine};

/// A connector of either side that notes what it is told.
struct Listener;

#[derive(Parameters)]
struct Config {
    /// Name under which it is noted.
    journal: String,
    /// Any value.
    #[parameter(default = "")]
    value: String,
    /// Whether it refuses to be told.
    #[parameter(default = false)]
    deaf: bool,
}

fn told(config: &Config, what: &str) -> Result<()> {
    if config.deaf {
        return Err(Error::fatal("not now"));
    }
    note(&config.journal, format!("{what} {}", config.value));
    Ok(())
}

fn changed(before: &Settings, after: &Config) -> Result<()> {
    let before = before.get("value").unwrap_or("nothing");
    told(after, &format!("changed from {before} to"))
}

impl Source for Listener {
    type Config = Config;

    fn open(config: Config, _: Option<&Position>) -> Result<Self> {
        note(&config.journal, "opened".to_owned());
        Ok(Self)
    }

    fn read(&mut self, _: &mut BatchWriter<'_>, _: &Context) -> Result<Progress> {
        Ok(Progress::End)
    }

    fn created(config: &Config) -> Result<()> {
        told(config, "created with")
    }

    fn updated(before: &Settings, after: &Config) -> Result<()> {
        changed(before, after)
    }
}

impl Destination for Listener {
    type Config = Config;

    fn open(config: Config) -> Result<Self> {
        note(&config.journal, "opened".to_owned());
        Ok(Self)
    }

    fn write(&mut self, _: &Batch<'_>, _: &mut Acks<'_>, _: &Context) -> Result<()> {
        Ok(())
    }

    fn created(config: &Config) -> Result<()> {
        told(config, "created with")
    }

    fn updated(before: &Settings, after: &Config) -> Result<()> {
        changed(before, after)
    }
}

fn run(state: &TempDir, config: &PipelineConfig) -> Outcome {
    let plugins = [
        Plugin::from_source("in", <Listener as Source>::open),
        Plugin::from_destination("out", <Listener as Destination>::open),
        Plugin::from_destination("other", <Listener as Destination>::open),
    ];
    let engine = engine(plugins, state.path());
    engine.start(config, RunOptions::default()).unwrap().wait()
}

fn of(journal: &str, plugin: &str, value: &str, deaf: &str) -> PipelineConfig {
    let source = format!("{journal}: in");
    let destination = format!("{journal}: out");
    let settings = [("value", value), ("deaf", deaf)];
    let source = connector("src", "in", &settings).with("journal", source);
    let destination = connector("out", plugin, &settings).with("journal", destination);
    pipeline(source, destination)
}

#[test]
fn a_connector_is_told_once_that_it_is_new_and_then_of_each_change() {
    let state = tempdir().unwrap();
    for value in ["a", "a", "b", "b", "a"] {
        let outcome = run(&state, &of("changes", "out", value, "false"));
        assert!(matches!(outcome, Outcome::Ended), "{outcome:?}");
    }
    for side in ["changes: in", "changes: out"] {
        let expected = [
            "created with a",
            "opened",
            "opened",
            "changed from a to b",
            "opened",
            "opened",
            "changed from b to a",
            "opened",
        ];
        assert_eq!(noted(side), expected, "{side}");
    }
}

#[test]
fn one_that_fails_to_be_told_is_told_again_and_nothing_is_opened() {
    let state = tempdir().unwrap();
    let Outcome::Failed(error) = run(&state, &of("deaf", "out", "a", "true")) else {
        panic!("it is deaf");
    };
    assert_eq!(error.to_string(), "connector `p:out`: lifecycle: not now");
    assert_eq!(noted("deaf: in"), [] as [&str; 0]);
    run(&state, &of("deaf", "out", "b", "false"));
    for side in ["deaf: in", "deaf: out"] {
        assert_eq!(noted(side), ["created with b", "opened"]);
    }
}

#[test]
fn another_plugin_in_its_place_is_new() {
    let state = tempdir().unwrap();
    run(&state, &of("replaced", "out", "a", "false"));
    run(&state, &of("replaced", "other", "a", "false"));
    let expected = ["created with a", "opened", "created with a", "opened"];
    assert_eq!(noted("replaced: out"), expected);
    assert_eq!(
        noted("replaced: in"),
        ["created with a", "opened", "opened"]
    );
}

#[test]
fn the_dead_letter_queue_is_opened_and_told_nothing() {
    let state = tempdir().unwrap();
    let queue = DeadLetterQueue::new("other").unwrap();
    let queue = queue.with("journal", "letters untold");
    let config = of("queue", "out", "a", "false").dead_letters(queue);
    let outcome = run(&state, &config);
    assert!(matches!(outcome, Outcome::Ended), "{outcome:?}");
    assert_eq!(noted("letters untold"), ["opened"]);
}
