//! Batches that are held back to be filled, and rates: what a destination is given at once, and what
//! a stop does while a pipeline waits.
use std::path::Path;
use std::time::Duration;

use plugin_api::{
    Acks, Batch, BatchWriter, Context, Destination, Error, ErrorKind, Parameters, Plugin, Position,
    Progress, Result, Source,
};
use plugin_host::store::{FileStore, PositionStore, StoreKey};
use plugin_host::{Outcome, Pipeline, Pump, RunOptions};
use tempfile::tempdir;

use super::{PUMP, note, noted, pipeline};
use crate::support::{connector, engine, until};

/// Longer than any test.
const FOR_EVER: (&str, &str) = ("sdk.batch.delay", "1h");

/// Numbers from 1, a few in each read.
struct Steps {
    next: u64,
    config: StepsConfig,
}

#[derive(Parameters)]
struct StepsConfig {
    /// Numbers of one read.
    #[parameter(default = 3)]
    step: u64,
    /// Last number.
    last: u64,
    /// What comes behind it.
    #[parameter(default = "end", inclusion = ["end", "error", "nothing"])]
    then: String,
    /// Name under which is noted that nothing more comes.
    #[parameter(default = "")]
    journal: String,
}

impl Source for Steps {
    type Config = StepsConfig;

    fn open(config: StepsConfig, position: Option<&Position>) -> Result<Self> {
        let reached = position.map(Position::parse::<u64>).transpose()?;
        Ok(Self {
            next: reached.unwrap_or(0) + 1,
            config,
        })
    }

    fn read(&mut self, batch: &mut BatchWriter, context: &Context) -> Result<Progress> {
        let end = (self.next + self.config.step).min(self.config.last + 1);
        while self.next < end && batch.has_room() {
            batch.create(self.next).payload(self.next);
            self.next += 1;
        }
        if self.next <= self.config.last {
            return Ok(Progress::More);
        }
        match &*self.config.then {
            "end" => Ok(Progress::End),
            "error" => Err(Error::new(ErrorKind::Fatal, "no more numbers")),
            _ => {
                if batch.is_empty() {
                    note(&self.config.journal, "nothing".into());
                    let _why = context.wait(context.max_wait());
                }
                Ok(Progress::Idle)
            }
        }
    }

    /// Goes on to the last number after a stop.
    fn stop(&mut self) -> Result<Option<Position>> {
        note(&self.config.journal, "stop".into());
        Ok(Some(Position::from(self.config.last.to_string())))
    }
}

/// Notes the first and last number of each batch.
struct Ranges(RangesConfig);

#[derive(Parameters)]
struct RangesConfig {
    /// Name under which they are noted.
    journal: String,
}

impl Destination for Ranges {
    type Config = RangesConfig;

    fn open(config: RangesConfig) -> Result<Self> {
        Ok(Self(config))
    }

    fn write(&mut self, batch: &Batch, _: &mut Acks, _: &Context) -> Result<()> {
        let text = |i| {
            batch
                .get(i)
                .map(|it| String::from_utf8_lossy(it.after()).into_owned())
        };
        let (first, last) = (
            text(0).unwrap_or_default(),
            text(batch.len() - 1).unwrap_or_default(),
        );
        note(&self.0.journal, format!("{first} to {last}"));
        Ok(())
    }
}

type Settings<'a> = &'a [(&'a str, &'a str)];

fn start(state: &Path, source: Settings<'_>, destinations: &[Settings<'_>]) -> Pipeline {
    let plugins = [
        Plugin::from_source("steps", Steps::open),
        Plugin::from_destination("ranges", Ranges::open),
    ];
    let mut config = pipeline(
        connector("src", "steps", source),
        connector("0", "ranges", destinations[0]),
    );
    for (i, settings) in destinations.iter().enumerate().skip(1) {
        let more = connector(&i.to_string(), "ranges", settings);
        config.destinations.push(more);
    }
    let engine = engine(plugins, state);
    engine.start(&config, RunOptions::default()).unwrap()
}

fn outcome(pipeline: &Pipeline) -> Outcome {
    let outcome = pipeline.wait_timeout(Duration::from_secs(60));
    outcome.expect("an outcome in time")
}

/// Waits until something is noted.
fn await_note(journal: &str) {
    until(journal, || !noted(journal).is_empty());
}

/// The batches that a pipeline with these settings delivers until its source ends.
fn batches(journal: &str, source: Settings<'_>, destination: Settings<'_>) -> Vec<String> {
    let state = tempdir().unwrap();
    let destination = [&[("journal", journal)], destination].concat();
    let pipeline = start(state.path(), source, &[&destination]);
    assert!(matches!(outcome(&pipeline), Outcome::Ended));
    noted(journal)
}

fn stored(state: &Path) -> String {
    let store = FileStore::open(state).unwrap();
    let stored = store.load(&StoreKey::new("p", "src")).unwrap().unwrap();
    String::from_utf8(stored.position).unwrap()
}

#[test]
fn without_a_delay_what_is_read_is_written() {
    let batches = batches("no delay", &[("last", "7")], &[("sdk.batch.size", "5")]);
    assert_eq!(batches, ["1 to 3", "4 to 6", "7 to 7"]);
}

#[test]
fn with_a_delay_batches_are_filled() {
    let full = ["1 to 5", "6 to 10", "11 to 12"];
    let size = ("sdk.batch.size", "5");
    let of_source = batches("source's", &[("last", "12"), size, FOR_EVER], &[]);
    assert_eq!(of_source, full);
    let of_destination = batches("destination's", &[("last", "12")], &[size, FOR_EVER]);
    assert_eq!(of_destination, full);
    let larger = [("sdk.batch.size", "4"), FOR_EVER];
    let of_both = batches("both", &[("last", "12"), ("sdk.batch.size", "2")], &larger);
    assert_eq!(of_both, ["1 to 4", "5 to 8", "9 to 12"]);
}

#[test]
fn a_batch_is_written_when_its_delay_is_over() {
    let state = tempdir().unwrap();
    let source = [
        ("last", "2"),
        ("then", "nothing"),
        ("sdk.batch.delay", "1ms"),
    ];
    let pipeline = start(state.path(), &source, &[&[("journal", "over")]]);
    await_note("over");
    pipeline.stop();
    assert!(matches!(outcome(&pipeline), Outcome::Stopped));
    assert_eq!(noted("over"), ["1 to 2"]);
}

#[test]
fn what_is_held_back_is_written_after_a_stop_and_after_an_error() {
    let state = tempdir().unwrap();
    let source = [
        ("last", "4"),
        ("then", "nothing"),
        ("journal", "held read"),
        FOR_EVER,
    ];
    let pipeline = start(state.path(), &source, &[&[("journal", "held")]]);
    await_note("held read");
    assert!(noted("held").is_empty());
    pipeline.stop();
    assert!(matches!(outcome(&pipeline), Outcome::Stopped));
    assert_eq!(noted("held"), ["1 to 4"]);
    assert_eq!(stored(state.path()), "4");

    let state = tempdir().unwrap();
    let source = [("last", "4"), ("then", "error"), FOR_EVER];
    let pipeline = start(state.path(), &source, &[&[("journal", "held error")]]);
    assert!(matches!(outcome(&pipeline), Outcome::Failed(_)));
    assert_eq!(noted("held error"), ["1 to 4"]);
    assert_eq!(stored(state.path()), "4");
}

#[test]
fn a_batch_is_cut_to_a_burst() {
    let rate = [("sdk.rate.perSecond", "1e9"), ("sdk.rate.burst", "4")];
    let source = [("last", "10"), ("step", "10")];
    let cut = ["1 to 4", "5 to 8", "9 to 10"];
    assert_eq!(batches("burst", &source, &rate), cut);
    // Without a burst it is what comes in a second: more than there is.
    let rate = [("sdk.rate.perSecond", "1e9")];
    assert_eq!(batches("no burst", &source, &rate), ["1 to 10"]);
}

#[test]
fn a_stop_ends_the_wait_and_the_next_run_goes_on_behind_what_was_written() {
    let state = tempdir().unwrap();
    // The second batch has to wait; a third one would not have to.
    let source = [("last", "7"), ("step", "3"), ("journal", "asked")];
    let limited = [
        ("journal", "limited"),
        ("sdk.rate.perSecond", "0.0001"),
        ("sdk.rate.burst", "4"),
    ];
    let beside = [("journal", "beside"), ("sdk.rate.perSecond", "1e9")];
    let pipeline = start(state.path(), &source, &[&beside, &limited]);
    await_note("limited");
    pipeline.stop();
    assert!(matches!(outcome(&pipeline), Outcome::Stopped));
    let progress = pipeline.progress();
    let done = (progress.records, progress.unacknowledged);
    assert_eq!(noted("limited"), ["1 to 3"]);
    if PUMP == Pump::Fused {
        // All destinations have the same, so that none gets a record again.
        assert_eq!(
            (noted("asked"), noted("beside")),
            (vec!["stop".into()], noted("limited"))
        );
        assert_eq!(done, (3, 0));
    } else {
        // Each goes at its own rate, and the source has come to its end meanwhile.
        assert_eq!(noted("asked"), [] as [&str; 0]);
        assert_eq!(noted("beside"), ["1 to 3", "4 to 6", "7 to 7"]);
        assert_eq!(done, (3, 4));
    }
    drop(pipeline);
    assert_eq!(stored(state.path()), "3");

    let pipeline = start(state.path(), &source, &[&[("journal", "then")]]);
    assert!(matches!(outcome(&pipeline), Outcome::Ended));
    assert_eq!(noted("then"), ["4 to 6", "7 to 7"]);
}

#[test]
fn what_a_stop_leaves_of_an_ended_source_is_no_end() {
    // All in one batch, or held back until the end: either way the source has ended long before.
    for (journal, held) in [("one batch", None), ("held to the end", Some(FOR_EVER))] {
        let state = tempdir().unwrap();
        let asked = format!("{journal}: asked");
        let mut source = vec![("last", "3"), ("journal", &asked)];
        source.extend(held);
        let limited = [
            ("journal", journal),
            ("sdk.rate.perSecond", "0.0001"),
            ("sdk.rate.burst", "2"),
        ];
        let pipeline = start(state.path(), &source, &[&limited]);
        await_note(journal);
        pipeline.stop();
        assert!(matches!(outcome(&pipeline), Outcome::Stopped), "{journal}");
        assert_eq!(noted(&asked), [] as [&str; 0], "{journal}");
        drop(pipeline);
        assert_eq!(
            (noted(journal), stored(state.path())),
            (vec!["1 to 2".into()], "2".into())
        );
    }
}

#[test]
fn a_forced_stop_ends_the_wait() {
    let state = tempdir().unwrap();
    let limited = [("journal", "forced"), ("sdk.rate.perSecond", "0.0001")];
    let pipeline = start(state.path(), &[("last", "10")], &[&limited]);
    await_note("forced");
    pipeline.force_stop();
    assert!(matches!(outcome(&pipeline), Outcome::Forced));
    assert_eq!(noted("forced"), ["1 to 1"]);
}
