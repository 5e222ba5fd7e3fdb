//! Pipelines that fail and are tried again, and what is told of that.

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use plugin_api::{Acks, Batch, BatchWriter, Context, Error, Plugin, Position, Progress};
use plugin_host::store::{Active, FileStore, PositionStore, StoreError, StoreKey, Stored};
use plugin_host::{
    Engine, Event, Outcome, Pipeline, PipelineError, Recovery, RunOptions, Status, embedded,
};
use tempfile::tempdir;

use super::pipeline;
use crate::support::{connector, engine, engine_over};

const QUICK: Recovery = Recovery {
    min_delay: Duration::from_millis(1),
    max_delay: Duration::from_millis(1),
    factor: 1.0,
    max_retries: None,
    healthy_after: Duration::from_secs(3600),
};

/// Numbers from 1 to 9.
fn numbers() -> Plugin {
    embedded::source("numbers", |position| {
        let mut next = position
            .map(Position::parse::<u64>)
            .transpose()?
            .map_or(1, |n| n + 1);
        Ok(move |batch: &mut BatchWriter<'_>, _: &Context| {
            while next <= 9 {
                batch.create(next).payload(next);
                next += 1;
            }
            Ok(Progress::End)
        })
    })
}

type Written = Arc<Mutex<Vec<String>>>;

/// A destination that fails at 5 as often as `fault` gives an error.
fn fails_at_5(fault: impl Fn() -> Option<Error> + Send + 'static) -> (Plugin, Written) {
    let written = Written::default();
    let log = Arc::clone(&written);
    let plugin = embedded::destination(
        "log",
        move |batch: &Batch<'_>, acks: &mut Acks<'_>, _: &Context| {
            for record in batch {
                let text = String::from_utf8_lossy(record.after()).into_owned();
                if text == "5"
                    && let Some(error) = fault()
                {
                    return Err(error);
                }
                log.lock().unwrap().push(text);
                acks.ok(&record);
            }
            Ok(())
        },
    );
    (plugin, written)
}

/// The first so many tries fail.
fn first(tries: u64, error: impl Fn() -> Error + Send + 'static) -> impl Fn() -> Option<Error> {
    let left = AtomicU64::new(tries);
    move || {
        let taken = left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| {
            left.checked_sub(1)
        });
        taken.is_ok().then(&error)
    }
}

fn start(engine: &Engine, recovery: Option<Recovery>) -> Pipeline {
    let config = pipeline(
        connector("src", "numbers", &[]),
        connector("dst", "log", &[]),
    );
    let options = RunOptions {
        recovery,
        ..RunOptions::default()
    };
    engine.start(&config, options).unwrap()
}

fn outcome(pipeline: &Pipeline) -> Outcome {
    let outcome = pipeline.wait_timeout(Duration::from_secs(60));
    outcome.expect("an outcome in time")
}

/// Statuses in short.
fn told(events: impl Iterator<Item = Event>) -> Vec<String> {
    let told = |event: Event| match event.status {
        Status::Recovering { error, attempt, .. } => {
            format!("try {attempt} after {}", error.code())
        }
        Status::Over(Outcome::Failed(error)) => format!("failed with {}", error.code()),
        other => format!("{other:?}"),
    };
    events.map(told).collect()
}

#[test]
fn a_pipeline_that_fails_goes_on_behind_what_was_stored() {
    let state = tempdir().unwrap();
    let (log, written) = fails_at_5(first(2, || io::Error::other("busy").into()));
    let engine = engine([numbers(), log], state.path());
    let events = engine.events();
    let pipeline = start(&engine, Some(QUICK));
    assert!(matches!(outcome(&pipeline), Outcome::Ended));
    let all: Vec<_> = (1..=9).map(|n| n.to_string()).collect();
    assert_eq!(*written.lock().unwrap(), all);
    let progress = pipeline.progress();
    assert_eq!(
        (
            progress.records,
            progress.committed,
            progress.unacknowledged
        ),
        (9, 9, 0)
    );
    assert!(matches!(pipeline.status(), Status::Over(Outcome::Ended)));
    drop((pipeline, engine));
    let around = ["Starting", "Running"];
    let expected = [
        &around[..],
        &["try 1 after connector.failed"],
        &around,
        &["try 2 after connector.failed"],
        &around,
        &["Over(Ended)"],
    ];
    assert_eq!(told(events), expected.concat());
}

#[test]
fn a_panic_may_be_mended_by_another_try() {
    let state = tempdir().unwrap();
    // A closure that has panicked is gone; a source is opened anew.
    let opened = AtomicU64::new(0);
    let source = embedded::source("numbers", move |_| {
        let first = opened.fetch_add(1, Ordering::SeqCst) == 0;
        Ok(move |_: &mut BatchWriter<'_>, _: &Context| {
            assert!(!first, "the first one panics");
            Ok(Progress::End)
        })
    });
    let (log, _) = fails_at_5(|| None);
    let engine = engine([source, log], state.path());
    assert!(matches!(
        outcome(&start(&engine, Some(QUICK))),
        Outcome::Ended
    ));
}

#[test]
fn without_recovery_and_with_an_error_that_nothing_mends_the_first_one_ends_it() {
    for (recovery, error) in [
        (None, (|| io::Error::other("busy").into()) as fn() -> Error),
        (Some(QUICK), || Error::fatal("broken")),
        (Some(QUICK), || Error::invalid_config("x", "wrong")),
    ] {
        let state = tempdir().unwrap();
        let (log, written) = fails_at_5(first(1, error));
        let engine = engine([numbers(), log], state.path());
        let pipeline = start(&engine, recovery);
        assert!(
            matches!(outcome(&pipeline), Outcome::Failed(_)),
            "{:?}",
            error()
        );
        assert_eq!(written.lock().unwrap().len(), 4);
    }
}

#[test]
fn a_refused_record_is_not_tried_again() {
    let state = tempdir().unwrap();
    let refuse = |batch: &Batch<'_>, acks: &mut Acks<'_>, _: &Context| {
        for record in batch {
            acks.nack(&record, io::Error::other("never"));
        }
        Ok(())
    };
    let plugins = [numbers(), embedded::destination("log", refuse)];
    let engine = engine(plugins, state.path());
    let Outcome::Failed(error) = outcome(&start(&engine, Some(QUICK))) else {
        panic!("no failure");
    };
    assert_eq!(error.code(), "record.refused");
}

#[test]
fn enough_tries_are_enough() {
    let state = tempdir().unwrap();
    let (log, _) = fails_at_5(|| Some(Error::from(io::Error::other("busy"))));
    let engine = engine([numbers(), log], state.path());
    let events = engine.events();
    let recovery = Recovery {
        max_retries: Some(1),
        ..QUICK
    };
    let Outcome::Failed(error) = outcome(&start(&engine, Some(recovery))) else {
        panic!("no failure");
    };
    assert!(
        matches!(&*error, PipelineError::Connector { .. }),
        "{error}"
    );
    drop(engine);
    let expected = [
        "Starting",
        "Running",
        "try 1 after connector.failed",
        "Starting",
        "Running",
        "failed with connector.failed",
    ];
    assert_eq!(told(events), expected);
}

#[test]
fn a_stop_ends_the_wait_for_another_try() {
    let state = tempdir().unwrap();
    let (log, _) = fails_at_5(|| Some(Error::from(io::Error::other("busy"))));
    let engine = engine([numbers(), log], state.path());
    let mut events = engine.events();
    let hour = Duration::from_secs(3600);
    let recovery = Recovery {
        min_delay: hour,
        max_delay: hour,
        ..QUICK
    };
    let pipeline = start(&engine, Some(recovery));
    let waits = |event: &Event| matches!(event.status, Status::Recovering { .. });
    assert!(events.any(|event| waits(&event)));
    assert!(matches!(
        pipeline.status(),
        Status::Recovering { attempt: 1, .. }
    ));
    pipeline.stop();
    assert!(matches!(outcome(&pipeline), Outcome::Failed(_)));
    drop((pipeline, engine));
    assert_eq!(told(events), ["Stopping", "failed with connector.failed"]);
}

#[test]
fn what_a_graceful_stop_does_is_told() {
    let state = tempdir().unwrap();
    let source = embedded::source("numbers", |_| {
        Ok(|_: &mut BatchWriter<'_>, context: &Context| {
            let _why = context.wait(context.max_wait());
            Ok(Progress::Idle)
        })
    });
    let (log, _) = fails_at_5(|| None);
    let engine = engine([source, log], state.path());
    let mut events = engine.events();
    let pipeline = start(&engine, None);
    let runs = |event: &Event| matches!(event.status, Status::Running);
    assert!(events.any(|event| runs(&event)));
    pipeline.stop();
    assert!(matches!(outcome(&pipeline), Outcome::Stopped));
    drop((pipeline, engine));
    assert_eq!(told(events), ["Stopping", "Over(Stopped)"]);
}

#[test]
fn a_call_that_hangs_keeps_no_listener_waiting() {
    let state = tempdir().unwrap();
    let (gate, hangs) = crossbeam_channel::bounded::<()>(0);
    let source = embedded::source("numbers", move |_| {
        hangs.recv().ok();
        Ok(|_: &mut BatchWriter<'_>, _: &Context| Ok(Progress::End))
    });
    let (log, _) = fails_at_5(|| None);
    let engine = engine([source, log], state.path());
    let events = engine.events();
    let settings = [("sdk.call.timeout", "50ms")];
    let config = pipeline(
        connector("src", "numbers", &settings),
        connector("dst", "log", &[]),
    );
    let pipeline = engine.start(&config, RunOptions::default()).unwrap();
    assert!(matches!(pipeline.status(), Status::Starting));
    assert!(matches!(outcome(&pipeline), Outcome::Failed(_)));
    drop((pipeline, engine));
    let (done, heard) = crossbeam_channel::bounded(1);
    std::thread::spawn(move || done.send(told(events)));
    let heard = heard.recv_timeout(Duration::from_secs(60));
    assert_eq!(
        heard.expect("the end of the events"),
        ["Starting", "failed with connector.call_timeout"]
    );
    drop(gate);
}

/// A store whose disk is full for its first so many commits, and the load behind each of them.
struct Full {
    store: FileStore,
    commits: AtomicU64,
    loads: AtomicU64,
}

impl Full {
    fn refuse(&self, left: &AtomicU64) -> Result<(), StoreError> {
        let taken = left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| {
            left.checked_sub(1)
        });
        match taken {
            Err(_) => Ok(()),
            Ok(_) => Err(StoreError::Io {
                path: self.store.path().to_owned(),
                doing: "use",
                source: io::Error::from(io::ErrorKind::StorageFull),
            }),
        }
    }
}

impl PositionStore for Full {
    fn load(&self, key: &StoreKey) -> Result<Option<Stored>, StoreError> {
        if self.commits.load(Ordering::SeqCst) < 2 {
            self.refuse(&self.loads)?;
        }
        self.store.load(key)
    }

    fn commit(&self, entries: &[(StoreKey, Stored)]) -> Result<(), StoreError> {
        self.refuse(&self.commits)?;
        self.store.commit(entries)
    }

    fn list(&self) -> Result<Vec<(StoreKey, Stored)>, StoreError> {
        self.store.list()
    }

    fn remove(&self, key: &StoreKey) -> Result<bool, StoreError> {
        self.store.remove(key)
    }

    fn active(&self, key: &StoreKey) -> Result<Option<Active>, StoreError> {
        self.store.active(key)
    }

    fn activate(&self, key: &StoreKey, active: &Active) -> Result<(), StoreError> {
        self.store.activate(key, active)
    }

    fn actives(&self) -> Result<Vec<(StoreKey, Active)>, StoreError> {
        self.store.actives()
    }

    fn forget(&self, key: &StoreKey) -> Result<bool, StoreError> {
        self.store.forget(key)
    }
}

#[test]
fn a_full_disk_of_the_store_is_tried_again() {
    let state = tempdir().unwrap();
    let (log, written) = fails_at_5(|| None);
    let store = Arc::new(Full {
        store: FileStore::open(state.path()).unwrap(),
        commits: AtomicU64::new(2),
        loads: AtomicU64::new(1),
    });
    let positions: Arc<dyn PositionStore> = store.clone();
    let engine = engine_over([numbers(), log], positions);
    let config = pipeline(
        connector("src", "numbers", &[]),
        connector("out", "log", &[]),
    );
    let options = RunOptions {
        recovery: Some(QUICK),
        ..RunOptions::default()
    };
    let pipeline = engine.start(&config, options).unwrap();
    assert!(
        matches!(pipeline.wait(), Outcome::Ended),
        "{:?}",
        pipeline.wait()
    );
    let of = |store: &AtomicU64| store.load(Ordering::SeqCst);
    assert_eq!((of(&store.commits), of(&store.loads)), (0, 0));
    // Nothing was stored by the first two tries.
    let all: Vec<_> = (1..=9).map(|it| it.to_string()).collect();
    assert_eq!(*written.lock().unwrap(), [&all[..], &all, &all].concat());
    let stored = store.load(&StoreKey::new("p", "src")).unwrap().unwrap();
    assert_eq!(stored.position, b"9");
}
