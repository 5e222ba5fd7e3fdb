//! What holds while records are held back to fill a batch, or wait for a rate.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use plugin_api::{
    Acks, Batch, BatchWriter, Context, Destination, Error, Plugin, Position, Progress, Result,
};
use plugin_host::store::{FileStore, PositionStore, StoreKey};
use plugin_host::{Engine, Outcome, Pipeline, Pump, RunOptions, embedded};
use tempfile::tempdir;

use super::{PUMP, pipeline};
use crate::support::{connector, engine, until};

/// A rate that lets the first ten pass, and no more in the time of a test.
const TEN: [(&str, &str); 2] = [("sdk.rate.perSecond", "0.0001"), ("sdk.rate.burst", "10")];

fn start(engine: &Engine, source: &[(&str, &str)], destination: &[(&str, &str)]) -> Pipeline {
    let config = pipeline(
        connector("src", "in", source),
        connector("dst", "out", destination),
    );
    engine.start(&config, RunOptions::default()).unwrap()
}

/// Numbers from 1 to `last`, then nothing; the first has a megabyte.
fn numbers(last: u64) -> Plugin {
    embedded::source("in", move |position| {
        let reached = position.map(Position::parse::<u64>).transpose()?;
        let mut next = reached.map_or(1, |n| n + 1);
        Ok(move |batch: &mut BatchWriter<'_>, context: &Context| {
            if next > last {
                let _why = context.wait(context.max_wait());
                return Ok(Progress::Idle);
            }
            while next <= last && batch.has_room() {
                let size = if next == 1 { 1 << 20 } else { 1 };
                batch.create(next).payload(vec![b'x'; size]);
                next += 1;
            }
            Ok(Progress::More)
        })
    })
}

#[test]
fn what_is_held_back_counts_as_part_of_the_window() {
    let state = tempdir().unwrap();
    let given = Arc::new(AtomicU64::new(0));
    let counter = Arc::clone(&given);
    // Nothing is ever answered, so all that is read has to fit into one window of 65,536 records.
    let out = embedded::destination(
        "out",
        move |batch: &Batch<'_>, acks: &mut Acks<'_>, _: &Context| {
            counter.fetch_add(batch.len() as u64, Ordering::SeqCst);
            acks.defer();
            Ok(())
        },
    );
    let engine = engine([numbers(u64::MAX), out], state.path());
    let held = [("sdk.batch.size", "65536"), ("sdk.batch.delay", "1h")];
    // The first record is too large to be held back and lies in the window when the others come.
    let pipeline = start(&engine, &[], &held);
    until("the window is full", || {
        given.load(Ordering::SeqCst) > 60_000
    });
    assert!(given.load(Ordering::SeqCst) <= 65_536, "{given:?}");
    pipeline.force_stop();
    assert!(matches!(pipeline.wait(), Outcome::Forced));
}

#[test]
fn a_source_waits_no_longer_than_its_records_are_held_back() {
    let state = tempdir().unwrap();
    let waits = Arc::new(Mutex::new(Vec::new()));
    let noted = Arc::clone(&waits);
    let source = embedded::source("in", move |_| {
        let noted = Arc::clone(&noted);
        let mut next = 1;
        Ok(move |batch: &mut BatchWriter<'_>, context: &Context| {
            if next == 2 {
                noted.lock().unwrap().push(context.max_wait());
            }
            if next > 1 {
                return Ok(Progress::End);
            }
            batch.create(next).payload("x");
            next += 1;
            Ok(Progress::More)
        })
    });
    let out = embedded::destination("out", |_: &Batch<'_>, _: &mut Acks<'_>, _: &Context| Ok(()));
    let engine = engine([source, out], state.path());
    let pipeline = start(&engine, &[("sdk.batch.delay", "7ms")], &[]);
    assert!(matches!(pipeline.wait(), Outcome::Ended));
    let waits = waits.lock().unwrap();
    assert!(
        waits.len() == 1 && waits[0] <= Duration::from_millis(7),
        "{waits:?}"
    );
}

/// Twenty numbers in one read, then what is asked for.
fn twenty(then: impl Fn() -> Result<Progress> + Clone + Send + Sync + 'static) -> Plugin {
    embedded::source("in", move |_| {
        let then = then.clone();
        let mut next = 1;
        Ok(move |batch: &mut BatchWriter<'_>, context: &Context| {
            if next > 20 {
                let _why = context.wait(context.max_wait());
                return then();
            }
            while next <= 20 {
                batch.create(next).payload("x");
                next += 1;
            }
            Ok(Progress::More)
        })
    })
}

/// Answers in `flush` alone.
#[derive(Default)]
struct Late(Option<(u64, u64)>);

impl Destination for Late {
    type Config = ();

    fn open((): ()) -> Result<Self> {
        Ok(Self::default())
    }

    fn write(&mut self, batch: &Batch<'_>, acks: &mut Acks<'_>, _: &Context) -> Result<()> {
        let sequences = batch.sequences();
        self.0 = Some((sequences.start, sequences.end));
        acks.defer();
        Ok(())
    }

    fn flush(&mut self, acks: &mut Acks<'_>, _: &Context) -> Result<()> {
        if let Some((from, to)) = self.0.take() {
            acks.ok_range(from, to);
        }
        Ok(())
    }
}

#[test]
fn while_a_rate_holds_records_back_the_others_are_answered_and_stored() {
    let state = tempdir().unwrap();
    let plugins = [
        twenty(|| Ok(Progress::Idle)),
        Plugin::from_destination("out", Late::open),
    ];
    let engine = engine(plugins, state.path());
    let pipeline = start(&engine, &[], &TEN);
    until("ten are stored", || pipeline.progress().committed == 10);
    let progress = pipeline.progress();
    // Split, the others are on their way to the destination's thread.
    let unacknowledged = if PUMP == Pump::Split { 10 } else { 0 };
    assert_eq!(
        (progress.records, progress.unacknowledged),
        (10, unacknowledged)
    );
    pipeline.stop();
    assert!(matches!(pipeline.wait(), Outcome::Stopped));
}

#[test]
fn a_failure_is_told_without_waiting_for_a_rate() {
    let state = tempdir().unwrap();
    let written = Arc::new(AtomicU64::new(0));
    let counter = Arc::clone(&written);
    let out = embedded::destination(
        "out",
        move |batch: &Batch<'_>, _: &mut Acks<'_>, _: &Context| {
            counter.fetch_add(batch.len() as u64, Ordering::SeqCst);
            Ok(())
        },
    );
    let engine = engine([twenty(|| Err(Error::fatal("no more"))), out], state.path());
    let settings = [&TEN[..], &[("sdk.batch.delay", "1h")]].concat();
    let pipeline = start(&engine, &[], &settings);
    let outcome = pipeline.wait_timeout(Duration::from_secs(60));
    assert!(matches!(outcome, Some(Outcome::Failed(_))), "{outcome:?}");
    // As many as the rate let pass just then.
    assert_eq!(written.load(Ordering::SeqCst), 10);
    drop((pipeline, engine));
    let store = FileStore::open(state.path()).unwrap();
    let stored = store.load(&StoreKey::new("p", "src")).unwrap().unwrap();
    assert_eq!(stored.position, b"10");
}

#[test]
fn the_bytes_of_a_batch_count_once_however_it_is_cut() {
    let bytes = |settings: &[(&str, &str)]| {
        let state = tempdir().unwrap();
        let out =
            embedded::destination("out", |_: &Batch<'_>, _: &mut Acks<'_>, _: &Context| Ok(()));
        let engine = engine([twenty(|| Ok(Progress::End)), out], state.path());
        let pipeline = start(&engine, &[], settings);
        assert!(matches!(pipeline.wait(), Outcome::Ended));
        pipeline.progress().bytes
    };
    let whole = bytes(&[]);
    assert!(whole > 20);
    assert_eq!(
        bytes(&[("sdk.rate.perSecond", "1e9"), ("sdk.rate.burst", "3")]),
        whole
    );
}
