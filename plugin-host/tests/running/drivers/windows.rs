//! What reaches the position store and when, seen from a store that keeps its caller waiting.
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use super::{note, noted, pipeline};
use crate::support::{connector, engine_over};
use plugin_api::{
    AckMode, Acks, Batch, BatchWriter, Context, Destination, Error, Parameters, Plugin, Position,
    Progress, Result, Source,
};
use plugin_host::store::{Active, PositionStore, StoreError, StoreKey, Stored};
use plugin_host::{Engine, Outcome, Pipeline, PipelineConfig, RunOptions};

const LONG: Duration = Duration::from_secs(60);

/// Positions in memory; commits wait while the store is closed.
#[derive(Default)]
struct Gated {
    closed: Mutex<bool>,
    opened: Condvar,
    begun: AtomicUsize,
    /// Number of the commit that fails, from 1, and whether by a panic.
    fails_at: Option<(usize, bool)>,
    positions: Mutex<Vec<String>>,
}

impl Gated {
    fn closed() -> Arc<Self> {
        let store = Self::default();
        *store.closed.lock().unwrap() = true;
        Arc::new(store)
    }

    fn open(&self) {
        *self.closed.lock().unwrap_or_else(PoisonError::into_inner) = false;
        self.opened.notify_all();
    }

    fn positions(&self) -> Vec<String> {
        self.positions.lock().unwrap().clone()
    }
}

impl PositionStore for Gated {
    fn load(&self, _: &StoreKey) -> Result<Option<Stored>, StoreError> {
        Ok(None)
    }

    fn commit(&self, entries: &[(StoreKey, Stored)]) -> Result<(), StoreError> {
        let number = self.begun.fetch_add(1, Ordering::SeqCst) + 1;
        let mut closed = self.closed.lock().unwrap_or_else(PoisonError::into_inner);
        while *closed {
            closed = self.opened.wait(closed).unwrap();
        }
        drop(closed);
        if let Some((at, by_panic)) = self.fails_at
            && at == number
        {
            assert!(!by_panic, "the store panics");
            return Err(StoreError::Io {
                doing: "commit to",
                path: "nowhere".into(),
                source: std::io::Error::other("the disk is gone"),
            });
        }
        for (_, stored) in entries {
            let position = String::from_utf8(stored.position.clone()).unwrap();
            self.positions.lock().unwrap().push(position);
        }
        Ok(())
    }

    fn list(&self) -> Result<Vec<(StoreKey, Stored)>, StoreError> {
        Ok(Vec::new())
    }

    fn remove(&self, _: &StoreKey) -> Result<bool, StoreError> {
        Ok(false)
    }

    fn active(&self, _: &StoreKey) -> Result<Option<Active>, StoreError> {
        Ok(None)
    }

    fn activate(&self, _: &StoreKey, _: &Active) -> Result<(), StoreError> {
        Ok(())
    }

    fn actives(&self) -> Result<Vec<(StoreKey, Active)>, StoreError> {
        Ok(Vec::new())
    }

    fn forget(&self, _: &StoreKey) -> Result<bool, StoreError> {
        Ok(false)
    }
}

/// Ten numbers a read, up to the last; then it waits, or ends if `END` is set.
struct Tens {
    next: u64,
    config: TensConfig,
}

#[derive(Parameters)]
struct TensConfig {
    /// Last number; behind it, nothing comes until a stop.
    last: u64,
    /// Name under which acks are noted.
    #[parameter(default = "")]
    journal: String,
    /// Whether they are refused.
    #[parameter(default = false)]
    refuse_acks: bool,
    /// Whether a read behind the last number fails.
    #[parameter(default = false)]
    fail: bool,
    /// Whether the second read waits until the journal says so, and the end follows it.
    #[parameter(default = false)]
    gated: bool,
}

/// What the journal says to let a gated source go on.
const GO_ON: &str = "go on";

impl Source for Tens {
    type Config = TensConfig;

    const ACKS: AckMode = AckMode::Last;

    fn open(config: TensConfig, _: Option<&Position>) -> Result<Self> {
        Ok(Self { next: 1, config })
    }

    fn read(&mut self, batch: &mut BatchWriter, context: &Context) -> Result<Progress> {
        let goes_on = || noted(&self.config.journal).iter().any(|it| it == GO_ON);
        let gated = self.config.gated && self.next == 11 && !goes_on();
        if self.config.fail && self.next > self.config.last {
            return Err(Error::fatal("no more numbers"));
        }
        if gated || self.next > self.config.last {
            if context.is_stopping() || self.config.gated && !gated {
                return Ok(Progress::End);
            }
            let _why = context.wait(Duration::from_secs(1));
            return Ok(Progress::Idle);
        }
        for number in self.next..self.next + 10 {
            batch.create(number).payload("x");
        }
        self.next += 10;
        Ok(Progress::More)
    }

    fn ack(&mut self, position: &Position) -> Result<()> {
        note(&self.config.journal, position.to_string());
        match self.config.refuse_acks {
            true => Err(Error::fatal("no acks, please")),
            false => Ok(()),
        }
    }
}

struct Nowhere;

impl Destination for Nowhere {
    type Config = ();

    fn open((): ()) -> Result<Self> {
        Ok(Self)
    }

    fn write(&mut self, _: &Batch, _: &mut Acks, _: &Context) -> Result<()> {
        Ok(())
    }
}

fn start(store: &Arc<Gated>, source: &[(&str, &str)]) -> (Engine, Pipeline) {
    let plugins = [
        Plugin::from_source("tens", Tens::open),
        Plugin::from_destination("nowhere", Nowhere::open),
    ];
    let engine = engine_over(plugins, Arc::clone(store) as Arc<dyn PositionStore>);
    let pipeline = engine
        .start(&pipeline_of(source), RunOptions::default())
        .unwrap();
    (engine, pipeline)
}

fn pipeline_of(source: &[(&str, &str)]) -> PipelineConfig {
    pipeline(
        connector("src", "tens", source),
        connector("dst", "nowhere", &[]),
    )
}

/// Lets the second ten come while the first are on their way to the disk, which then answers.
fn go_on_behind_the_first_commit(store: &Gated, pipeline: &Pipeline, journal: &str) {
    while store.begun.load(Ordering::SeqCst) == 0 {
        std::thread::yield_now();
    }
    note(journal, GO_ON.to_owned());
    while pipeline.progress().records < 20 {
        std::thread::yield_now();
    }
    store.open();
}

#[test]
fn the_source_is_told_when_the_disk_has_it() {
    let store = Gated::closed();
    let (_engine, pipeline) = start(&store, &[("last", "10"), ("journal", "told")]);
    while store.begun.load(Ordering::SeqCst) == 0 {
        std::thread::yield_now();
    }
    assert!(pipeline.wait_timeout(Duration::from_millis(300)).is_none());
    assert_eq!(pipeline.progress().committed, 0);
    assert!(noted("told").is_empty());
    store.open();
    pipeline.stop();
    let outcome = pipeline.wait_timeout(LONG);
    assert!(matches!(outcome, Some(Outcome::Stopped)), "{outcome:?}");
    assert_eq!(noted("told"), ["10"]);
}

#[test]
fn a_forced_stop_does_not_wait_for_the_disk() {
    let store = Gated::closed();
    let (_engine, pipeline) = start(&store, &[("last", "100"), ("journal", "forced")]);
    while store.begun.load(Ordering::SeqCst) == 0 {
        std::thread::yield_now();
    }
    // The graceful stop waits for the disk; the forced one ends that wait.
    pipeline.stop();
    assert!(pipeline.wait_timeout(Duration::from_millis(300)).is_none());
    pipeline.force_stop();
    let outcome = pipeline.wait_timeout(LONG);
    assert!(matches!(outcome, Some(Outcome::Forced)), "{outcome:?}");
    assert!(store.positions().is_empty());
    store.open();
}

#[test]
fn a_large_batch_size_does_not_make_every_read_a_window() {
    let store = Arc::new(Gated::default());
    let (_engine, pipeline) = start(
        &store,
        &[
            ("last", "100000"),
            ("journal", "large"),
            ("sdk.batch.size", "65536"),
        ],
    );
    while pipeline.progress().records < 100_000 {
        std::thread::yield_now();
    }
    pipeline.stop();
    let outcome = pipeline.wait_timeout(LONG);
    assert!(matches!(outcome, Some(Outcome::Stopped)), "{outcome:?}");
    let positions = store.positions();
    assert_eq!(positions.last().map(String::as_str), Some("100000"));
    // Of 10,000 reads.
    assert!(positions.len() < 1000, "{} commits", positions.len());
}

#[test]
fn what_is_confirmed_is_stored_when_the_source_refuses_an_ack() {
    let store = Gated::closed();
    let (_engine, pipeline) = start(
        &store,
        &[
            ("last", "20"),
            ("gated", "true"),
            ("journal", "refused"),
            ("refuseAcks", "true"),
        ],
    );
    go_on_behind_the_first_commit(&store, &pipeline, "refused");
    let outcome = pipeline.wait_timeout(LONG);
    assert!(
        matches!(&outcome, Some(Outcome::Failed(error)) if error.to_string().contains("no acks")),
        "{outcome:?}"
    );
    assert_eq!(store.positions(), ["10", "20"]);
    // Acks have no gaps: behind the one that was refused comes none.
    assert_eq!(noted("refused"), [GO_ON, "10"]);
}

#[test]
fn a_failure_before_a_forced_stop_is_told() {
    let store = Gated::closed();
    let (_engine, pipeline) = start(&store, &[("last", "10"), ("fail", "true")]);
    // The driver waits for the disk after the failure, until it is forced.
    while store.begun.load(Ordering::SeqCst) == 0 {
        std::thread::yield_now();
    }
    assert!(pipeline.wait_timeout(Duration::from_millis(100)).is_none());
    pipeline.force_stop();
    let outcome = pipeline.wait_timeout(LONG);
    assert!(
        matches!(&outcome, Some(Outcome::Failed(error)) if error.to_string().contains("no more")),
        "{outcome:?}"
    );
    store.open();
}

#[test]
fn behind_a_commit_that_has_failed_nothing_is_committed_or_acked() {
    let store = Arc::new(Gated {
        closed: Mutex::new(true),
        fails_at: Some((1, false)),
        ..Gated::default()
    });
    let (_engine, pipeline) = start(
        &store,
        &[("last", "20"), ("gated", "true"), ("journal", "gone")],
    );
    go_on_behind_the_first_commit(&store, &pipeline, "gone");
    let outcome = pipeline.wait_timeout(LONG);
    let Some(Outcome::Failed(error)) = outcome else {
        panic!("{outcome:?}");
    };
    assert_eq!(error.code(), "store.io");
    assert_eq!(
        error.to_string(),
        "positions: can't commit to `nowhere`: the disk is gone"
    );
    assert!(store.positions().is_empty());
    assert_eq!(noted("gone"), [GO_ON]);
}

#[test]
fn a_store_that_panics_fails_its_pipeline_and_no_other() {
    let store = Arc::new(Gated {
        fails_at: Some((1, true)),
        ..Gated::default()
    });
    let (engine, pipeline) = start(&store, &[("last", "10")]);
    let outcome = pipeline.wait_timeout(LONG);
    assert!(
        matches!(&outcome, Some(Outcome::Failed(error)) if error.to_string().contains("panicked")),
        "{outcome:?}"
    );
    let config = pipeline_of(&[("last", "10"), ("fail", "true")]);
    let next = engine.start(&config, RunOptions::default()).unwrap();
    let outcome = next.wait_timeout(LONG);
    assert!(
        matches!(&outcome, Some(Outcome::Failed(error)) if error.to_string().contains("no more")),
        "{outcome:?}"
    );
    assert_eq!(store.positions(), ["10"]);
}
