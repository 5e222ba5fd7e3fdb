//! Connectors that a program makes from its own values: closures, channels and types.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, bounded, unbounded};
use plugin_api::{
    Acks, Batch, BatchWriter, Context, Destination, Error, Plugin, Progress, Record, testing,
};
use plugin_host::{Engine, Outcome, Pipeline, PipelineError, Registry, RunOptions, embedded};
use tempfile::tempdir;

use crate::support::{connector, engine, pipeline};

fn record(number: u64) -> Record {
    Record::create(number.to_string()).with_payload(number.to_string())
}

fn send(records: &Sender<Record>, numbers: std::ops::RangeInclusive<u64>) {
    numbers.for_each(|number| records.send(record(number)).unwrap());
}

fn positions(records: &Receiver<Record>) -> Vec<String> {
    let records = records.try_iter();
    records.map(|it| it.position.to_string()).collect()
}

fn run(engine: &Engine, until_end: bool) -> Pipeline {
    let config = pipeline(connector("src", "in", &[]), connector("dst", "out", &[]));
    let options = RunOptions {
        until_end,
        ..RunOptions::default()
    };
    engine.start(&config, options).unwrap()
}

fn outcome(pipeline: &Pipeline) -> Outcome {
    let outcome = pipeline.wait_timeout(Duration::from_secs(60));
    outcome.expect("an outcome in time")
}

#[test]
fn records_go_from_channel_to_channel_as_they_are() {
    let state = tempdir().unwrap();
    let (sender, records) = unbounded();
    let (copies, copied) = unbounded();
    let plugins = [
        embedded::channel_source("in", records),
        embedded::channel_destination("out", copies),
    ];
    let engine = engine(plugins, state.path());
    let given = [
        record(1).with_key("k").with_metadata("m", "v"),
        Record::delete("2").with_before("b"),
        Record::create("3"),
    ];
    given.iter().for_each(|it| sender.send(it.clone()).unwrap());
    drop(sender);
    assert!(matches!(outcome(&run(&engine, false)), Outcome::Ended));
    assert_eq!(copied.try_iter().collect::<Vec<_>>(), given);
}

#[test]
fn what_a_failed_run_has_taken_comes_again_and_what_was_confirmed_does_not() {
    let state = tempdir().unwrap();
    let (sender, records) = unbounded();
    let written = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&written);
    let mut fails = true;
    let out = move |batch: &Batch<'_>, acks: &mut Acks<'_>, _: &Context| {
        for record in batch {
            let text = String::from_utf8_lossy(record.after()).into_owned();
            if text == "4" && std::mem::take(&mut fails) {
                return Err(Error::fatal("once"));
            }
            log.lock().unwrap().push(text);
            acks.ok(&record);
        }
        Ok(())
    };
    let plugins = [
        embedded::channel_source("in", records),
        embedded::destination("out", out),
    ];
    let engine = engine(plugins, state.path());
    send(&sender, 1..=6);
    assert!(matches!(outcome(&run(&engine, true)), Outcome::Failed(_)));
    send(&sender, 7..=8);
    // Until the end: the senders are there yet.
    assert!(matches!(outcome(&run(&engine, true)), Outcome::Ended));
    assert_eq!(written.lock().unwrap().join(" "), "1 2 3 4 5 6 7 8");
}

#[test]
fn what_is_confirmed_makes_room_for_what_comes() {
    let state = tempdir().unwrap();
    let (sender, records) = bounded(4);
    let discard = |_: &Batch<'_>, _: &mut Acks<'_>, _: &Context| Ok(());
    let plugins = [
        embedded::channel_source("in", records),
        embedded::destination("out", discard),
    ];
    let engine = engine(plugins, state.path());
    let pipeline = run(&engine, false);
    // More than is kept unconfirmed, 64 MiB.
    for number in 1..=80 {
        let record = record(number).with_payload(vec![b'x'; 1 << 20]);
        let sent = sender.send_timeout(record, Duration::from_secs(60));
        sent.expect("room in time");
    }
    drop(sender);
    assert!(matches!(outcome(&pipeline), Outcome::Ended));
    assert_eq!(pipeline.progress().committed, 80);
}

#[test]
fn a_channel_and_a_closure_serve_one_pipeline_at_a_time() {
    let state = tempdir().unwrap();
    let (sender, records) = unbounded();
    let plugins = [
        embedded::channel_source("in", records),
        embedded::destination("out", |_: &Batch<'_>, _: &mut Acks<'_>, _: &Context| Ok(())),
        embedded::source("none", |_| {
            Ok(|_: &mut BatchWriter<'_>, _: &Context| Ok(Progress::End))
        }),
        embedded::channel_destination("nowhere", unbounded().0),
    ];
    let engine = engine(plugins, state.path());
    send(&sender, 1..=1);
    let first = run(&engine, false);
    while first.progress().committed == 0 {
        assert!(first.wait_timeout(Duration::from_millis(1)).is_none());
    }
    for (id, source, destination) in [("q", "in", "nowhere"), ("r", "none", "out")] {
        let mut config = pipeline(
            connector("src", source, &[]),
            connector("dst", destination, &[]),
        );
        config.id = id.to_owned();
        let second = engine.start(&config, RunOptions::default()).unwrap();
        let Outcome::Failed(error) = outcome(&second) else {
            panic!("two have one");
        };
        assert!(
            error
                .to_string()
                .contains("another pipeline or stream has this"),
            "{error}"
        );
    }
    // It is free again when the first has ended.
    first.stop();
    assert!(matches!(outcome(&first), Outcome::Stopped));
    drop(sender);
    assert!(matches!(outcome(&run(&engine, false)), Outcome::Ended));
}

#[test]
fn a_full_channel_slows_the_pipeline_down_and_a_forced_stop_ends_the_wait() {
    let state = tempdir().unwrap();
    let (sender, records) = unbounded();
    let (copies, copied) = bounded(1);
    let plugins = [
        embedded::channel_source("in", records),
        embedded::channel_destination("out", copies),
    ];
    let engine = engine(plugins, state.path());
    send(&sender, 1..=9);
    let pipeline = run(&engine, false);
    let taken: Vec<_> = copied
        .iter()
        .take(3)
        .map(|it| it.position.to_string())
        .collect();
    assert_eq!(taken, ["1", "2", "3"]);
    while !copied.is_full() {
        std::thread::yield_now();
    }
    pipeline.force_stop();
    assert!(matches!(outcome(&pipeline), Outcome::Forced));
    assert_eq!(positions(&copied), ["4"]);
    drop(pipeline);
    // What was not confirmed comes again, in order, and all that is behind it once.
    let pipeline = run(&engine, true);
    let mut rest = Vec::new();
    while rest.last() != Some(&"9".to_owned()) {
        rest.push(
            copied
                .recv_timeout(Duration::from_secs(60))
                .unwrap()
                .position
                .to_string(),
        );
    }
    let begin: u64 = rest[0].parse().unwrap();
    assert!(begin <= 5, "{rest:?}");
    let expected: Vec<_> = (begin..=9).map(|number| number.to_string()).collect();
    assert_eq!(rest, expected);
    assert!(matches!(outcome(&pipeline), Outcome::Ended));
}

#[test]
fn positions_that_an_earlier_program_has_used_confirm_nothing() {
    let state = tempdir().unwrap();
    let program = |fails: bool, numbers: std::ops::RangeInclusive<u64>, runs: usize| {
        let (sender, records) = unbounded();
        let written = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&written);
        let mut fails = fails;
        let out = move |batch: &Batch<'_>, _: &mut Acks<'_>, _: &Context| {
            if std::mem::take(&mut fails) {
                return Err(Error::fatal("once"));
            }
            let texts = batch
                .iter()
                .map(|it| String::from_utf8_lossy(it.after()).into_owned());
            log.lock().unwrap().extend(texts);
            Ok(())
        };
        let plugins = [
            embedded::channel_source("in", records),
            embedded::destination("out", out),
        ];
        let engine = engine(plugins, state.path());
        send(&sender, numbers);
        for _run in 0..runs {
            let _ = outcome(&run(&engine, true));
        }
        written.lock().unwrap().join(" ")
    };
    assert_eq!(program(false, 1..=3, 1), "1 2 3");
    // `3` is stored, and is the position of a record that nobody has confirmed.
    assert_eq!(program(true, 1..=5, 2), "1 2 3 4 5");
}

#[test]
fn what_is_not_confirmed_is_bounded_and_ends_no_run() {
    let state = tempdir().unwrap();
    let (sender, records) = unbounded();
    let open = Arc::new(AtomicBool::new(false));
    let gate = Arc::clone(&open);
    // Confirms nothing until the gate is open.
    struct Gated(Arc<AtomicBool>, Vec<std::ops::Range<u64>>);
    impl Destination for Gated {
        type Config = ();

        fn open((): ()) -> plugin_api::Result<Self> {
            Err(Error::fatal("the plugin's closure opens it"))
        }

        fn write(
            &mut self,
            batch: &Batch<'_>,
            acks: &mut Acks<'_>,
            _: &Context,
        ) -> plugin_api::Result<()> {
            self.1.push(batch.sequences());
            acks.defer();
            Ok(())
        }

        fn flush(&mut self, acks: &mut Acks<'_>, _: &Context) -> plugin_api::Result<()> {
            if self.0.load(Ordering::SeqCst) {
                self.1
                    .drain(..)
                    .for_each(|it| acks.ok_range(it.start, it.end));
            }
            Ok(())
        }
    }
    let plugins = [
        embedded::channel_source("in", records.clone()),
        Plugin::from_destination("out", move |()| Ok(Gated(Arc::clone(&gate), Vec::new()))),
    ];
    let engine = engine(plugins, state.path());
    for number in 1..=80 {
        sender
            .send(record(number).with_payload(vec![b'x'; 1 << 20]))
            .unwrap();
    }
    let pipeline = run(&engine, true);
    while pipeline.progress().unacknowledged < 60 {
        assert!(pipeline.wait_timeout(Duration::from_millis(1)).is_none());
    }
    // A while in which more could come.
    assert!(pipeline.wait_timeout(Duration::from_millis(200)).is_none());
    assert!(records.len() >= 80 - 65, "{} are left", records.len());
    open.store(true, Ordering::SeqCst);
    assert!(matches!(outcome(&pipeline), Outcome::Ended));
    assert_eq!(pipeline.progress().committed, 80);
}

#[test]
fn a_record_that_is_too_large_fails_one_run() {
    let state = tempdir().unwrap();
    let (sender, records) = unbounded();
    let (copies, copied) = unbounded();
    let plugins = [
        embedded::channel_source("in", records),
        embedded::channel_destination("out", copies),
    ];
    let engine = engine(plugins, state.path());
    sender
        .send(record(1).with_payload(vec![b'x'; 65 << 20]))
        .unwrap();
    send(&sender, 2..=2);
    let Outcome::Failed(error) = outcome(&run(&engine, true)) else {
        panic!("no failure");
    };
    assert_eq!(error.code(), "record.too_large");
    assert!(matches!(outcome(&run(&engine, true)), Outcome::Ended));
    assert_eq!(positions(&copied), ["2"]);
}

#[test]
fn a_record_that_had_no_room_behind_others_comes_in_the_next_run() {
    let state = tempdir().unwrap();
    let (sender, records) = unbounded();
    let (copies, copied) = unbounded();
    let plugins = [
        embedded::channel_source("in", records),
        embedded::channel_destination("out", copies),
    ];
    let engine = engine(plugins, state.path());
    // Both are less than a batch takes, 64 MiB, but not together.
    for (number, kib) in [(1, 1000), (2, 64_900)] {
        let payload = vec![b'x'; kib << 10];
        sender.send(record(number).with_payload(payload)).unwrap();
    }
    let Outcome::Failed(error) = outcome(&run(&engine, true)) else {
        panic!("no failure");
    };
    assert_eq!(error.code(), "record.too_large");
    assert!(matches!(outcome(&run(&engine, true)), Outcome::Ended));
    assert_eq!(positions(&copied), ["1", "2"]);
}

#[test]
fn a_slow_taker_is_no_failure_and_one_that_takes_nothing_is() {
    let state = tempdir().unwrap();
    let (sender, records) = unbounded();
    let (copies, copied) = bounded(0);
    let plugins = [
        embedded::channel_source("in", records),
        embedded::channel_destination("out", copies),
    ];
    let engine = engine(plugins, state.path());
    send(&sender, 1..=30);
    let settings = [("sdk.call.timeout", "2s")];
    let config = pipeline(
        connector("src", "in", &[]),
        connector("dst", "out", &settings),
    );
    let pipeline = engine.start(&config, RunOptions::default()).unwrap();
    // All of them take longer than one call may.
    for number in 1..=30 {
        std::thread::sleep(Duration::from_millis(100));
        let record = copied.recv_timeout(Duration::from_secs(60)).unwrap();
        assert_eq!(record.position.to_string(), number.to_string());
    }
    send(&sender, 31..=31);
    let Outcome::Failed(error) = outcome(&pipeline) else {
        panic!("nobody has taken it");
    };
    assert!(
        error.to_string().contains("nobody has taken a record"),
        "{error}"
    );
    drop(copied);
}

#[test]
fn a_channel_that_nobody_reads_any_more_fails_the_run() {
    let state = tempdir().unwrap();
    let (sender, records) = unbounded();
    let (copies, copied) = unbounded();
    drop(copied);
    let plugins = [
        embedded::channel_source("in", records),
        embedded::channel_destination("out", copies),
    ];
    let engine = engine(plugins, state.path());
    send(&sender, 1..=1);
    let Outcome::Failed(error) = outcome(&run(&engine, true)) else {
        panic!("nobody has read it");
    };
    assert!(
        error
            .to_string()
            .contains("every receiver of the channel is gone"),
        "{error}"
    );
}

#[test]
fn a_closure_that_has_panicked_is_not_called_again() {
    let state = tempdir().unwrap();
    let (sender, records) = unbounded();
    let plugins = [
        embedded::channel_source("in", records),
        embedded::destination("out", |_: &Batch<'_>, _: &mut Acks<'_>, _: &Context| {
            panic!("never again")
        }),
    ];
    let engine = engine(plugins, state.path());
    send(&sender, 1..=1);
    for expected in ["panic: never again", "it has panicked: never again"] {
        let Outcome::Failed(error) = outcome(&run(&engine, true)) else {
            panic!("no failure");
        };
        assert!(error.to_string().contains(expected), "{error}");
    }
}

#[test]
fn a_program_s_own_connectors_keep_the_contract() {
    let numbers = embedded::source("numbers", |position| {
        let mut next = position
            .map(plugin_api::Position::parse::<u64>)
            .transpose()?
            .map_or(1, |n| n + 1);
        Ok(move |batch: &mut BatchWriter<'_>, _: &Context| {
            while batch.has_room() {
                batch.create(next).payload(next);
                next += 1;
            }
            Ok(Progress::More)
        })
    });
    testing::source(numbers, &[]);
    let (copies, _copied) = unbounded();
    testing::destination(embedded::channel_destination("out", copies), &[]);
    testing::destination(
        embedded::destination("out", |_: &Batch<'_>, _: &mut Acks<'_>, _: &Context| Ok(())),
        &[],
    );
}

#[test]
fn two_of_one_name_are_kept_out_and_one_given_twice_is_one() {
    let out = || embedded::channel_destination("out", unbounded().0);
    let once = out();
    let registry = Registry::builtin([once.clone(), once]);
    assert_eq!(
        (registry.plugins().count(), registry.quarantined().len()),
        (1, 0)
    );
    let registry = Registry::builtin([out(), out()]);
    let codes: Vec<_> = registry
        .quarantined()
        .iter()
        .map(|it| it.error.code())
        .collect();
    assert_eq!(
        (registry.plugins().count(), codes),
        (0, vec!["load.duplicate"; 2])
    );
}

#[test]
fn a_value_that_panics_when_it_is_dropped_fails_its_own_pipeline() {
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            panic!("boom");
        }
    }
    let state = tempdir().unwrap();
    let source = embedded::source("in", |_| {
        let bomb = Bomb;
        Ok(move |_: &mut BatchWriter<'_>, _: &Context| {
            let _kept = &bomb;
            Ok(Progress::End)
        })
    });
    let out = embedded::channel_destination("out", unbounded().0);
    let engine = engine([source, out], state.path());
    let Outcome::Failed(error) = outcome(&run(&engine, false)) else {
        panic!("no failure");
    };
    assert!(
        matches!(&*error, PipelineError::Connector { call, .. } if call == "teardown"),
        "{error}"
    );
}
