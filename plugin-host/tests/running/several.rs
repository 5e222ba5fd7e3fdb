//! Pipelines of several sources: each with its own order, positions and acks.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use plugin_api::{
    AckMode, Acks, Batch, BatchWriter, Context, Destination, Error, Parameters, Plugin, Position,
    Progress, Result, Source,
};
use plugin_host::store::{FileStore, PositionStore, StoreKey};
use plugin_host::{
    DeadLetterQueue, Engine, Outcome, Pipeline, PipelineConfig, RunOptions, embedded,
};
use tempfile::{TempDir, tempdir};

use crate::gate::{hang, release, turn};
use crate::support::{connector, engine, note, noted, until};

/// Numbers from 1 on, under a name.
struct Named {
    next: u64,
    config: NamedConfig,
}

#[derive(Parameters)]
struct NamedConfig {
    /// What its records begin with; acks are noted under it.
    name: String,
    /// Last number; then it has nothing, or has ended.
    last: u64,
    /// Whether it ends then.
    #[parameter(default = true)]
    ends: bool,
    /// Number whose read fails.
    #[parameter(default = 0)]
    fail_at: u64,
}

impl Source for Named {
    type Config = NamedConfig;

    const ACKS: AckMode = AckMode::Each;

    fn open(config: NamedConfig, position: Option<&Position>) -> Result<Self> {
        let next = position.map(Position::parse::<u64>).transpose()?;
        let next = next.map_or(1, |last| last + 1);
        Ok(Self { next, config })
    }

    fn read(&mut self, batch: &mut BatchWriter<'_>, context: &Context) -> Result<Progress> {
        while batch.has_room() && batch.len() < 100 {
            if self.next > self.config.last {
                if self.config.ends || context.is_stopping() {
                    return Ok(Progress::End);
                }
                let _woken = context.wait(Duration::MAX);
                return Ok(Progress::Idle);
            }
            if self.next == self.config.fail_at {
                return Err(Error::fatal("no such number"));
            }
            let text = format_args!("{} {}", self.config.name, self.next);
            batch.create(self.next).payload(text);
            self.next += 1;
        }
        Ok(Progress::More)
    }

    fn ack(&mut self, position: &Position) -> Result<()> {
        note(&self.config.name, position.to_string());
        Ok(())
    }
}

/// What a destination was given.
type Given = Arc<Mutex<Vec<String>>>;

/// A destination that keeps what it is given; and whether it fails.
fn collecting(name: &str, fails: &Arc<AtomicBool>) -> (Plugin, Given) {
    let given = Given::default();
    let (into, fails) = (Arc::clone(&given), Arc::clone(fails));
    let plugin = embedded::destination(
        name,
        move |batch: &Batch<'_>, _: &mut Acks<'_>, _: &Context| {
            if fails.load(Ordering::SeqCst) {
                return Err(Error::fatal("no more"));
            }
            let texts = batch.iter();
            let texts = texts.map(|it| String::from_utf8_lossy(it.after()).into_owned());
            into.lock()
                .unwrap_or_else(PoisonError::into_inner)
                .extend(texts);
            Ok(())
        },
    );
    (plugin, given)
}

struct Run {
    state: TempDir,
    engine: Engine,
    pipeline: Pipeline,
    given: Given,
    fails: Arc<AtomicBool>,
}

impl Run {
    /// Starts a pipeline of these sources, each with its name and further settings.
    fn of(sources: &[(&str, &[(&str, &str)])]) -> Self {
        let state = tempdir().unwrap();
        let fails = Arc::new(AtomicBool::new(false));
        let (out, given) = collecting("out", &fails);
        let plugins = [Plugin::from_source("named", <Named as Source>::open), out];
        let engine = engine(plugins, state.path());
        let mut sources = sources.iter().map(|(name, settings)| {
            let source = connector(name, "named", settings);
            source.with("name", format!("{}: {name}", thread_name()))
        });
        let config = PipelineConfig::new("p", sources.next().unwrap());
        let config = sources.fold(config, PipelineConfig::and_from);
        let config = config.to(connector("out", "out", &[]));
        let pipeline = engine.start(&config, RunOptions::default()).unwrap();
        Self {
            state,
            engine,
            pipeline,
            given,
            fails,
        }
    }

    fn wait(&self) -> Outcome {
        let outcome = self.pipeline.wait_timeout(Duration::from_secs(60));
        outcome.expect("an end")
    }

    /// The numbers of a source that the destination was given.
    fn given(&self, name: &str) -> Vec<u64> {
        let before = format!("{}: {name} ", thread_name());
        let given = self.given.lock().unwrap_or_else(PoisonError::into_inner);
        let of_source = given.iter().filter_map(|text| text.strip_prefix(&before));
        of_source.map(|number| number.parse().unwrap()).collect()
    }

    fn acked(name: &str) -> Vec<String> {
        noted(&format!("{}: {name}", thread_name()))
    }

    /// The position that is stored for each source, once nobody has the store.
    fn stored(self, names: &[&str]) -> Vec<Option<String>> {
        drop((self.pipeline, self.engine));
        let store = FileStore::open(self.state.path()).unwrap();
        let stored = names.iter().map(|name| {
            let stored = store.load(&StoreKey::new("p", *name)).unwrap();
            stored.map(|it| String::from_utf8(it.position).unwrap())
        });
        stored.collect()
    }
}

/// Each test has a thread of its name: journals don't mix.
fn thread_name() -> String {
    std::thread::current().name().unwrap_or("main").to_owned()
}

#[test]
fn each_source_keeps_its_order_its_position_and_its_acks() {
    let run = Run::of(&[
        ("a", &[("last", "5000")]),
        ("b", &[("last", "300")]),
        ("c", &[("last", "2000")]),
    ]);
    assert!(matches!(run.wait(), Outcome::Ended));
    for (name, last) in [("a", 5000), ("b", 300), ("c", 2000)] {
        let all: Vec<_> = (1..=last).collect();
        assert_eq!(run.given(name), all, "{name}");
        let acked: Vec<_> = all.iter().map(u64::to_string).collect();
        assert_eq!(Run::acked(name), acked, "{name}");
    }
    let progress = run.pipeline.progress();
    assert_eq!((progress.records, progress.committed), (7300, 7300));
    let expected = ["5000", "300", "2000"].map(|it| Some(it.to_owned()));
    assert_eq!(run.stored(&["a", "b", "c"]), expected);
}

#[test]
fn a_source_that_has_ended_leaves_the_others_running_and_a_stop_ends_them() {
    let run = Run::of(&[
        ("ends", &[("last", "3")]),
        ("waits", &[("last", "7"), ("ends", "false")]),
    ]);
    until("all are acknowledged", || {
        Run::acked("ends").len() == 3 && Run::acked("waits").len() == 7
    });
    assert!(run.pipeline.wait_timeout(Duration::ZERO).is_none());
    run.pipeline.stop();
    assert!(matches!(run.wait(), Outcome::Stopped));
    let expected = ["3", "7"].map(|it| Some(it.to_owned()));
    assert_eq!(run.stored(&["ends", "waits"]), expected);
}

#[test]
fn the_failure_of_one_source_ends_the_others_in_order() {
    let run = Run::of(&[
        ("fails", &[("last", "9"), ("failAt", "5")]),
        ("waits", &[("last", "7"), ("ends", "false")]),
    ]);
    let Outcome::Failed(error) = run.wait() else {
        panic!("{:?}", run.wait());
    };
    assert_eq!(
        error.to_string(),
        "connector `p:fails`: read: no such number"
    );
    // What was read before is written, confirmed and stored, of either source.
    assert_eq!(run.given("fails"), [1, 2, 3, 4]);
    let waits = run.given("waits").last().map(u64::to_string);
    assert_eq!(run.stored(&["fails", "waits"]), [Some("4".into()), waits]);
}

#[test]
fn the_failure_of_the_destination_ends_all_and_nothing_behind_it_is_stored() {
    let run = Run::of(&[
        ("a", &[("last", "7"), ("ends", "false")]),
        ("b", &[("last", "100000000")]),
    ]);
    until("seven are acknowledged", || Run::acked("a").len() == 7);
    run.fails.store(true, Ordering::SeqCst);
    let Outcome::Failed(error) = run.wait() else {
        panic!("{:?}", run.wait());
    };
    assert_eq!(error.to_string(), "connector `p:out`: write: no more");
    let given = run.given("b").last().map(u64::to_string);
    assert_eq!(run.stored(&["a", "b"]), [Some("7".into()), given]);
}

#[test]
fn a_forced_stop_ends_all() {
    let run = Run::of(&[
        ("a", &[("last", "100000000")]),
        ("b", &[("last", "7"), ("ends", "false")]),
    ]);
    until("records flow", || !run.given("a").is_empty());
    run.pipeline.force_stop();
    assert!(matches!(run.wait(), Outcome::Forced));
}

/// Hangs in its writes.
struct Hangs;

impl Destination for Hangs {
    type Config = ();

    fn open((): ()) -> Result<Self> {
        Ok(Self)
    }

    fn write(&mut self, _: &Batch<'_>, _: &mut Acks<'_>, _: &Context) -> Result<()> {
        hang();
        Ok(())
    }
}

#[test]
fn a_destination_that_hangs_ends_all_and_the_next_run_begins_behind_what_was_stored() {
    let _turn = turn();
    let state = tempdir().unwrap();
    let (out, given) = collecting("out", &Arc::default());
    let plugins = [
        Plugin::from_source("named", <Named as Source>::open),
        out,
        Plugin::from_destination("hangs", <Hangs as Destination>::open),
    ];
    let engine = engine(plugins, state.path());
    let source = |name: &str| connector(name, "named", &[("last", "100")]).with("name", name);
    let config = PipelineConfig::new("p", source("hang a")).and_from(source("hang b"));
    let stuck = connector("stuck", "hangs", &[("sdk.call.timeout", "100ms")]);
    let both = config.clone().to(connector("out", "out", &[])).to(stuck);
    let pipeline = engine.start(&both, RunOptions::default()).unwrap();
    let Outcome::Failed(error) = pipeline.wait() else {
        panic!("{:?}", pipeline.wait());
    };
    assert_eq!(error.code(), "connector.call_timeout");
    release();
    let config = config.to(connector("out", "out", &[]));
    let pipeline = engine.start(&config, RunOptions::default()).unwrap();
    assert!(matches!(pipeline.wait(), Outcome::Ended));
    assert_eq!(pipeline.progress().records, 200);
    assert!(given.lock().unwrap().len() >= 200);
}

#[test]
fn a_source_whose_last_record_is_refused_ends_the_others() {
    let state = tempdir().unwrap();
    let refuses = embedded::destination(
        "refuses",
        |batch: &Batch<'_>, acks: &mut Acks<'_>, _: &Context| {
            // Late enough that its source has ended.
            std::thread::sleep(Duration::from_millis(100));
            batch
                .iter()
                .for_each(|record| acks.nack(&record, Error::fatal("no")));
            Ok(())
        },
    );
    let (letters, _) = collecting("letters", &Arc::default());
    let named = Plugin::from_source("named", <Named as Source>::open);
    let engine = engine([named, letters, refuses], state.path());
    let source = |name: &str, last: &str| {
        let settings = [("name", name), ("last", last), ("ends", "false")];
        connector(name, "named", &settings)
    };
    let config = PipelineConfig::new("p", source("last a", "1").with("ends", "true"))
        .and_from(source("last b", "0"))
        .to(connector("out", "refuses", &[]))
        .dead_letters(DeadLetterQueue::new("letters").unwrap().at_most(0, 1));
    let pipeline = engine.start(&config, RunOptions::default()).unwrap();
    let outcome = pipeline.wait_timeout(Duration::from_secs(60));
    assert!(matches!(outcome, Some(Outcome::Failed(_))), "{outcome:?}");
}

#[test]
fn sources_share_the_dead_letter_queue_and_its_tally() {
    // Each source alone stays far below either limit.
    let (outcome, taken, given) = halves_refused(999);
    assert!(matches!(outcome, Outcome::Failed(_)), "{outcome:?}");
    assert_eq!((taken, given), (999, 999));
    let (outcome, taken, given) = halves_refused(1000);
    assert!(matches!(outcome, Outcome::Ended), "{outcome:?}");
    assert_eq!((taken, given), (1000, 1000));
}

/// Runs two sources of 1,000 records each, of which every second one is refused, with a queue that takes
/// so many of them: how it has ended, how many it has taken, and how many it was given.
fn halves_refused(threshold: u64) -> (Outcome, u64, usize) {
    let state = tempdir().unwrap();
    let (letters, given) = collecting("letters", &Arc::default());
    let odd = embedded::destination(
        "odd",
        |batch: &Batch<'_>, acks: &mut Acks<'_>, _: &Context| {
            for record in batch {
                if record.after().last().is_some_and(|digit| digit % 2 == 0) {
                    acks.nack(&record, Error::fatal("even"));
                }
            }
            Ok(())
        },
    );
    let plugins = [
        Plugin::from_source("named", <Named as Source>::open),
        letters,
        odd,
    ];
    let engine = engine(plugins, state.path());
    let source = |name: &str| connector(name, "named", &[("last", "1000")]).with("name", name);
    let queue = DeadLetterQueue::new("letters").unwrap();
    let config = PipelineConfig::new("p", source("odd a"))
        .and_from(source("odd b"))
        .to(connector("out", "odd", &[]))
        .dead_letters(queue.at_most(threshold, 1_000_000));
    let pipeline = engine.start(&config, RunOptions::default()).unwrap();
    let outcome = pipeline.wait();
    let given = given.lock().unwrap_or_else(PoisonError::into_inner).len();
    (outcome, pipeline.progress().dead_letters, given)
}
