//! Pipelines over the fused driver: what is delivered, acknowledged and stored, and how they end.
use std::time::Duration;

use super::{note, noted, pipeline};
use crate::support::{connector, engine};
use plugin_api::{
    AckMode, Acks, Batch, BatchWriter, Context, Destination, Error, ErrorKind, Parameters, Plugin,
    Position, Progress, Result, Source,
};
use plugin_host::store::{FileStore, PositionStore, StoreKey};
use plugin_host::{Outcome, RunOptions};
use tempfile::tempdir;

/// Numbers from 1 to `last`; 0 counts for ever.
struct Counter {
    next: u64,
    config: CounterConfig,
}

#[derive(Parameters)]
struct CounterConfig {
    /// Last number; 0 counts for ever.
    #[parameter(default = 0)]
    last: u64,
    /// Number whose read fails.
    #[parameter(default = 0)]
    fail_at: u64,
    /// Name under which acks are noted.
    #[parameter(default = "")]
    journal: String,
}

impl Source for Counter {
    type Config = CounterConfig;

    const ACKS: AckMode = AckMode::Each;

    fn open(config: CounterConfig, position: Option<&Position>) -> Result<Self> {
        let next = position
            .map(Position::parse::<u64>)
            .transpose()?
            .map_or(1, |n| n + 1);
        Ok(Self { next, config })
    }

    fn read(&mut self, batch: &mut BatchWriter, context: &Context) -> Result<Progress> {
        while batch.has_room() {
            if self.config.last != 0 && self.next > self.config.last {
                return Ok(Progress::End);
            }
            if self.next == self.config.fail_at {
                return Err(Error::new(ErrorKind::Fatal, "no such number"));
            }
            batch
                .create(self.next)
                .key("k")
                .payload(format_args!("number {}", self.next));
            self.next += 1;
            if context.is_stopping() {
                break;
            }
        }
        Ok(Progress::More)
    }

    fn ack(&mut self, position: &Position) -> Result<()> {
        note(&self.config.journal, format!("ack {position}"));
        Ok(())
    }
}

/// Notes every record; answers as its settings say.
struct Notes {
    config: NotesConfig,
    deferred: Vec<u64>,
}

#[derive(Parameters)]
struct NotesConfig {
    /// Name under which records are noted.
    #[parameter(default = "")]
    journal: String,
    /// Whether answers wait for a flush, and come in the reverse order.
    #[parameter(default = false)]
    defer: bool,
    /// Whether the last records are never answered.
    #[parameter(default = false)]
    forget: bool,
    /// Payload that is refused.
    #[parameter(default = "")]
    refuse: String,
    /// Whether each batch is answered twice.
    #[parameter(default = false)]
    twice: bool,
    /// Answers that are given one in each flush, slowly, before the flush fails; 0 for all at once.
    #[parameter(default = 0)]
    answers: u64,
}

impl Destination for Notes {
    type Config = NotesConfig;

    fn open(config: NotesConfig) -> Result<Self> {
        Ok(Self {
            config,
            deferred: Vec::new(),
        })
    }

    fn write(&mut self, batch: &Batch, acks: &mut Acks, _: &Context) -> Result<()> {
        for record in batch {
            let payload = String::from_utf8_lossy(record.after()).into_owned();
            if !self.config.refuse.is_empty() && payload == self.config.refuse {
                acks.nack(&record, Error::new(ErrorKind::Fatal, "refused"));
            }
            note(&self.config.journal, payload);
            if self.config.defer {
                self.deferred.push(record.sequence());
            }
        }
        if self.config.defer || self.config.forget {
            acks.defer();
        }
        if self.config.twice
            && let Some(record) = batch.get(0)
        {
            acks.ok(&record);
            acks.ok(&record);
        }
        Ok(())
    }

    fn flush(&mut self, acks: &mut Acks, _: &Context) -> Result<()> {
        if self.config.answers > 0 {
            let sequence = self.deferred.remove(0);
            acks.ok_range(sequence, sequence + 1);
            if sequence + 1 == self.config.answers {
                return Err(Error::new(ErrorKind::Fatal, "that was the last answer"));
            }
            std::thread::sleep(Duration::from_millis(100));
            return Ok(());
        }
        for sequence in self.deferred.drain(..).rev() {
            acks.ok_range(sequence, sequence + 1);
        }
        Ok(())
    }

    fn stop(&mut self) -> Result<()> {
        note(&self.config.journal, "stop".to_owned());
        Ok(())
    }

    fn close(self) -> Result<()> {
        note(&self.config.journal, "close".to_owned());
        Ok(())
    }
}

fn plugins() -> [Plugin; 2] {
    [
        Plugin::from_source("counter", Counter::open),
        Plugin::from_destination("notes", Notes::open),
    ]
}

fn stored(state: &std::path::Path) -> Option<String> {
    let store = FileStore::open(state).unwrap();
    let stored = store.load(&StoreKey::new("p", "src")).unwrap()?;
    Some(String::from_utf8(stored.position).unwrap())
}

fn numbers(from: u64, to: u64) -> Vec<String> {
    (from..=to).map(|n| format!("number {n}")).collect()
}

fn run(state: &std::path::Path, source: &[(&str, &str)], destination: &[(&str, &str)]) -> Outcome {
    let engine = engine(plugins(), state);
    let config = pipeline(
        connector("src", "builtin:counter", source),
        connector("dst", "notes", destination),
    );
    let pipeline = engine.start(&config, RunOptions::default()).unwrap();
    pipeline
        .wait_timeout(Duration::from_secs(60))
        .expect("an outcome in time")
}

fn failure(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Failed(error) => format!("{}: {error}", error.code()),
        other => panic!("expected a failure, got {other:?}"),
    }
}

#[test]
fn every_record_is_delivered_acked_and_stored() {
    let state = tempdir().unwrap();
    let outcome = run(
        state.path(),
        &[("last", "1000"), ("journal", "all.acks")],
        &[("journal", "all"), ("sdk.record.format", "raw")],
    );
    assert!(matches!(outcome, Outcome::Ended), "{outcome:?}");
    let mut expected = numbers(1, 1000);
    expected.extend(["stop".to_owned(), "close".to_owned()]);
    assert_eq!(noted("all"), expected);
    let acks: Vec<String> = (1..=1000).map(|n| format!("ack {n}")).collect();
    assert_eq!(noted("all.acks"), acks);
    assert_eq!(stored(state.path()).as_deref(), Some("1000"));
}

#[test]
fn the_next_run_goes_on_behind_the_stored_position() {
    let state = tempdir().unwrap();
    run(state.path(), &[("last", "10")], &[("journal", "resume")]);
    run(state.path(), &[("last", "20")], &[("journal", "resume")]);
    let mut expected = numbers(1, 10);
    expected.extend(["stop".to_owned(), "close".to_owned()]);
    expected.extend(numbers(11, 20));
    expected.extend(["stop".to_owned(), "close".to_owned()]);
    assert_eq!(noted("resume"), expected);
}

#[test]
fn deferred_answers_in_any_order_are_put_in_order() {
    let state = tempdir().unwrap();
    let outcome = run(
        state.path(),
        &[("last", "700"), ("journal", "defer.acks")],
        &[("defer", "true"), ("journal", "defer")],
    );
    assert!(matches!(outcome, Outcome::Ended), "{outcome:?}");
    let acks: Vec<String> = (1..=700).map(|n| format!("ack {n}")).collect();
    assert_eq!(noted("defer.acks"), acks);
    assert_eq!(stored(state.path()).as_deref(), Some("700"));
}

#[test]
fn unanswered_records_are_not_stored_and_the_run_fails() {
    let state = tempdir().unwrap();
    let outcome = run(
        state.path(),
        &[("last", "5"), ("journal", "forget.acks")],
        &[("forget", "true"), ("sdk.call.timeout", "200ms")],
    );
    let text = failure(&outcome);
    assert!(
        text.starts_with("connector.unanswered: connector `p:dst` left 5 records"),
        "{text}"
    );
    assert_eq!(stored(state.path()), None);
    assert!(noted("forget.acks").is_empty());
}

#[test]
fn a_refused_record_ends_the_run_and_is_read_again() {
    let state = tempdir().unwrap();
    let outcome = run(state.path(), &[("last", "10")], &[("refuse", "number 7")]);
    let text = failure(&outcome);
    assert!(
        text.starts_with(
            "record.refused: connector `p:dst`: record 7 of the run, position `7`, was refused"
        ),
        "{text}"
    );
    assert_eq!(stored(state.path()).as_deref(), Some("6"));
}

#[test]
fn a_double_answer_is_a_breach_of_contract() {
    let state = tempdir().unwrap();
    let outcome = run(state.path(), &[("last", "10")], &[("twice", "true")]);
    let text = failure(&outcome);
    assert!(
        text.starts_with("connector.contract: connector `p:dst`: write: "),
        "{text}"
    );
    assert!(text.contains("twice"), "{text}");
}

#[test]
fn records_before_an_error_are_delivered_and_stored() {
    let state = tempdir().unwrap();
    let outcome = run(
        state.path(),
        &[("failAt", "301")],
        &[("journal", "before"), ("defer", "true")],
    );
    let text = failure(&outcome);
    assert!(text.contains("`p:src`: read: no such number"), "{text}");
    assert_eq!(noted("before")[..300], numbers(1, 300));
    assert_eq!(stored(state.path()).as_deref(), Some("300"));
}

#[test]
fn a_graceful_stop_loses_and_repeats_nothing() {
    let state = tempdir().unwrap();
    let engine = engine(plugins(), state.path());
    let config = pipeline(
        connector("src", "counter", &[]),
        connector("dst", "notes", &[("journal", "stop")]),
    );
    let pipeline = engine.start(&config, RunOptions::default()).unwrap();
    while pipeline.progress().records < 5000 {
        std::thread::yield_now();
    }
    pipeline.stop();
    let outcome = pipeline
        .wait_timeout(Duration::from_secs(60))
        .expect("an outcome");
    assert!(matches!(outcome, Outcome::Stopped), "{outcome:?}");
    drop((pipeline, engine));
    let records: Vec<String> = noted("stop")
        .into_iter()
        .filter(|entry| entry.starts_with("number"))
        .collect();
    assert_eq!(records, numbers(1, records.len() as u64));
    assert_eq!(stored(state.path()), Some(records.len().to_string()));
}

#[test]
fn a_stop_does_not_wait_for_ever_for_answers() {
    let state = tempdir().unwrap();
    let engine = engine(plugins(), state.path());
    // Nothing is ever answered, so the windows fill up and the source waits.
    let config = pipeline(
        connector("src", "counter", &[]),
        connector(
            "dst",
            "notes",
            &[("forget", "true"), ("sdk.call.timeout", "200ms")],
        ),
    );
    let pipeline = engine.start(&config, RunOptions::default()).unwrap();
    while pipeline.progress().unacknowledged < 65_000 {
        std::thread::yield_now();
    }
    assert!(pipeline.wait_timeout(Duration::from_millis(300)).is_none());
    assert!(pipeline.progress().unacknowledged <= 65_536);
    pipeline.stop();
    let outcome = pipeline
        .wait_timeout(Duration::from_secs(60))
        .expect("an outcome");
    let text = failure(&outcome);
    assert!(text.starts_with("connector.unanswered"), "{text}");
}

#[test]
fn answers_that_come_slowly_after_a_stop_are_waited_for() {
    let state = tempdir().unwrap();
    // Two seconds of answers, each of which comes within the second that silence may last.
    let outcome = run(
        state.path(),
        &[("last", "20")],
        &[
            ("defer", "true"),
            ("answers", "1000"),
            ("sdk.call.timeout", "1s"),
        ],
    );
    assert!(matches!(outcome, Outcome::Ended), "{outcome:?}");
    assert_eq!(stored(state.path()).as_deref(), Some("20"));
}

#[test]
fn answers_before_an_error_of_the_flush_stand() {
    let state = tempdir().unwrap();
    let outcome = run(
        state.path(),
        &[("last", "20")],
        &[("defer", "true"), ("answers", "3")],
    );
    let text = failure(&outcome);
    assert!(
        text.contains("`p:dst`: flush: that was the last answer"),
        "{text}"
    );
    assert_eq!(stored(state.path()).as_deref(), Some("3"));
}

#[test]
fn a_destination_gets_no_more_at_once_than_its_settings_say() {
    /// Refuses batches of more than three.
    struct Small;

    impl Destination for Small {
        type Config = ();

        fn open((): ()) -> Result<Self> {
            Ok(Self)
        }

        fn write(&mut self, batch: &Batch, _: &mut Acks, _: &Context) -> Result<()> {
            note("small", batch.len().to_string());
            for record in batch {
                let payload = String::from_utf8_lossy(record.after()).into_owned();
                assert_eq!(payload, format!("number {}", record.sequence() + 1));
            }
            Ok(())
        }
    }

    let state = tempdir().unwrap();
    let plugins = [
        Plugin::from_source("counter", Counter::open),
        Plugin::from_destination("small", Small::open),
    ];
    let engine = engine(plugins, state.path());
    let config = pipeline(
        connector("src", "counter", &[("last", "8")]),
        connector("dst", "small", &[("sdk.batch.size", "3")]),
    );
    let pipeline = engine.start(&config, RunOptions::default()).unwrap();
    let outcome = pipeline.wait_timeout(Duration::from_secs(60));
    assert!(matches!(outcome, Some(Outcome::Ended)), "{outcome:?}");
    assert_eq!(noted("small"), ["3", "3", "2"]);
    drop((pipeline, engine));
    assert_eq!(stored(state.path()).as_deref(), Some("8"));
}

#[test]
fn a_pipeline_that_runs_is_not_started_again() {
    let state = tempdir().unwrap();
    let engine = engine(plugins(), state.path());
    let config = pipeline(
        connector("src", "counter", &[]),
        connector("dst", "notes", &[]),
    );
    let first = engine.start(&config, RunOptions::default()).unwrap();
    let errors = engine.start(&config, RunOptions::default()).unwrap_err();
    assert_eq!(errors.code(), "pipeline.already_running");
    first.stop();
    let outcome = first.wait_timeout(Duration::from_secs(60));
    assert!(matches!(outcome, Some(Outcome::Stopped)), "{outcome:?}");
    engine.start(&config, RunOptions::default()).unwrap();
}

#[test]
fn a_position_that_another_plugin_has_made_is_refused() {
    let state = tempdir().unwrap();
    run(state.path(), &[("last", "5")], &[]);
    let others = [
        Plugin::from_source("other", Counter::open),
        Plugin::from_destination("notes", Notes::open),
    ];
    let engine = engine(others, state.path());
    let config = pipeline(
        connector("src", "other", &[("last", "9")]),
        connector("dst", "notes", &[("journal", "foreign")]),
    );
    let errors = engine.start(&config, RunOptions::default()).unwrap_err();
    assert_eq!(errors.code(), "position.foreign");
    let text = errors.to_string();
    for part in [
        "`src`",
        "`builtin:counter@v0.0.0`",
        "`builtin:other@v0.0.0`",
    ] {
        assert!(text.contains(part), "{text} lacks {part}");
    }
    assert!(noted("foreign").is_empty());
}

/// Announces a last position that never comes.
struct Promising;

impl Source for Promising {
    type Config = ();

    fn open(_: (), _: Option<&Position>) -> Result<Self> {
        Ok(Self)
    }

    fn read(&mut self, _: &mut BatchWriter, _: &Context) -> Result<Progress> {
        Ok(Progress::More)
    }

    fn stop(&mut self) -> Result<Option<Position>> {
        Ok(Some(Position::from("never")))
    }
}

#[test]
fn a_source_that_does_not_end_after_its_stop_is_given_up() {
    let state = tempdir().unwrap();
    let plugins = [
        Plugin::from_source("promising", Promising::open),
        Plugin::from_destination("notes", Notes::open),
    ];
    let engine = engine(plugins, state.path());
    let config = pipeline(
        connector("src", "promising", &[("sdk.call.timeout", "200ms")]),
        connector("dst", "notes", &[]),
    );
    let pipeline = engine.start(&config, RunOptions::default()).unwrap();
    pipeline.stop();
    let outcome = pipeline
        .wait_timeout(Duration::from_secs(60))
        .expect("an outcome");
    let text = failure(&outcome);
    assert!(
        text.starts_with("connector.not_stopped: connector `p:src`"),
        "{text}"
    );
}

#[test]
fn several_destinations_all_get_every_record() {
    let state = tempdir().unwrap();
    let engine = engine(plugins(), state.path());
    let mut config = pipeline(
        connector("src", "counter", &[("last", "600")]),
        connector("a", "notes", &[("journal", "fan.a")]),
    );
    config.destinations.push(connector(
        "b",
        "notes",
        &[("journal", "fan.b"), ("defer", "true")],
    ));
    let pipeline = engine.start(&config, RunOptions::default()).unwrap();
    let outcome = pipeline
        .wait_timeout(Duration::from_secs(60))
        .expect("an outcome");
    assert!(matches!(outcome, Outcome::Ended), "{outcome:?}");
    assert_eq!(noted("fan.a")[..600], numbers(1, 600));
    assert_eq!(noted("fan.b")[..600], numbers(1, 600));
}

#[test]
fn ids_are_given_and_differ() {
    let state = tempdir().unwrap();
    let engine = engine(plugins(), state.path());
    let notes = |id| connector(id, "notes", &[]);
    let mut config = pipeline(connector("", "counter", &[]), notes("x")).to(notes("x"));
    config = config.to(notes("x"));
    config.id = String::new();
    let refused = engine.validate(&config).unwrap_err();
    let told: Vec<_> = refused.errors.iter().map(ToString::to_string).collect();
    let expected = [
        "the pipeline has an empty id",
        "a connector of pipeline `` has an empty id",
        "two connectors have the id `x`",
    ];
    assert_eq!(told, expected);
    // A source and a destination too.
    let config = pipeline(connector("x", "counter", &[]), notes("x"));
    let refused = engine.start(&config, RunOptions::default()).unwrap_err();
    assert_eq!(refused.code(), "pipeline.duplicate_id");
}

#[test]
fn wrong_settings_are_told_all_at_once_and_nothing_starts() {
    let state = tempdir().unwrap();
    let engine = engine(plugins(), state.path());
    let config = pipeline(
        connector("src", "counter", &[("last", "x"), ("lats", "1")]),
        connector("dst", "notes", &[("defer", "perhaps")]),
    );
    let errors = engine
        .start(&config, RunOptions::default())
        .expect_err("errors");
    let text = errors.to_string();
    assert!(
        text.lines().all(|line| line.starts_with("connector `")),
        "{text}"
    );
    for part in [
        "connector `src`",
        "\"last\"",
        "\"lats\"",
        "connector `dst`",
        "\"defer\"",
    ] {
        assert!(text.contains(part), "{text} lacks {part}");
    }
}
