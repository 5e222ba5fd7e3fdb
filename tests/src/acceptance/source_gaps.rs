//! What the original suite leaves open about sources.

use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use plugin_api::{Data, ErrorKind, Position, Record};
use plugin_host::{Context, ContextEnd, SourceStream, StreamError};
use serde_json::json;

use forebay_fixture_scripted::record::to_json;

use super::Case;
use super::case::{long, settings};
use super::source::records;

fn position() -> Position {
    Position::from("test-position")
}

/// A stream is started once, and configured only before that.
pub fn a_second_start(case: &Case) {
    let source = case.blocked_source();
    let refused = Err(StreamError::AlreadyRunning);
    assert_eq!(source.start(&long(), None), refused);
    assert_eq!(source.configure(&long(), &settings(&[])), refused);
    assert_eq!(
        source.lifecycle_on_created(&long(), &settings(&[])),
        refused
    );
    assert_eq!(
        StreamError::AlreadyRunning.to_string(),
        "plugin already running"
    );
}

/// A start that has failed makes no stream, and may be tried again.
pub fn a_start_after_a_failed_start(case: &Case) {
    let reply = json!({"error": "test error"});
    case.script.expect_and("source.start", reply);
    let source = case.source();
    let error = source.start(&long(), None).unwrap_err();
    assert_eq!(error.to_string(), "test error");
    assert!(source.read(&long()).unwrap_err().is_not_open());
    assert!(source.ack(&long(), &position()).unwrap_err().is_not_open());
    case.script.expect("source.start");
    case.script
        .expect_and("source.read", json!({"then": "block"}));
    source.start(&long(), None).unwrap();
    case.script.wait_for("source.read", 1);
}

/// There is nothing to stop before the start.
pub fn a_stop_without_start(case: &Case) {
    assert!(case.source().stop(&long()).unwrap_err().is_not_open());
}

/// A stop that fails ends the stream with its error.
pub fn a_stop_that_fails(case: &Case) {
    let source = case.blocked_source();
    let reply = json!({"error": "stop error"});
    case.script.expect_and("source.stop", reply);
    let error = source.stop(&long()).unwrap_err();
    assert_eq!(error.to_string(), "stop error");
    assert_eq!(source.read(&long()), Err(error.clone()));
    assert!(source.ack(&long(), &position()).unwrap_err().is_not_open());
    assert_eq!(source.stop(&long()), Err(error));
}

/// A source is asked once, however often it is stopped.
pub fn a_second_stop(case: &Case) {
    let source = case.blocked_source();
    case.script
        .expect_and("source.stop", json!({"position": "foo", "unblock": true}));
    case.script
        .expect_and("source.read", json!({"then": "end"}));
    let last = Ok(Some(Position::from("foo")));
    assert_eq!(source.stop(&long()), last);
    assert_eq!(source.stop(&long()), last);
    assert!(source.read(&long()).unwrap_err().is_not_open());
    assert_eq!(source.stop(&long()), last);
}

/// The plugin is torn down once, and a stream that was is closed.
pub fn teardown_twice_and_calls_after_it(case: &Case) {
    let context = long();
    let source = case.blocked_source();
    thread::scope(|scope| {
        let reading = scope.spawn(|| source.read(&context));
        source.teardown(&long()).unwrap();
        assert!(reading.join().unwrap().unwrap_err().is_not_open());
    });
    assert_eq!(context.end(), None);
    source.teardown(&long()).unwrap();
    assert_eq!(case.script.given("source.teardown").len(), 1);
    let none = settings(&[]);
    for refused in [
        source.configure(&long(), &none),
        source.start(&long(), None),
        source.read(&long()).map(drop),
        source.read_batch(&long()).map(drop),
        source.ack(&long(), &position()),
        source.stop(&long()).map(drop),
        source.lifecycle_on_deleted(&long(), &none),
    ] {
        assert!(refused.unwrap_err().is_not_open());
    }
}

/// A teardown ends with its context, and is made once the plugin returns.
pub fn teardown_of_a_stubborn_source(case: &Case) {
    let held = case.script.hold("source.read");
    let source = case.started_source();
    held.wait();
    let (context, handle) = Context::background().with_cancel();
    handle.cancel();
    let torn_down = source.teardown(&context);
    assert_eq!(torn_down, Err(ContextEnd::Cancelled.into()));
    assert!(plugin_host::is_stuck());
    assert_eq!(source.read(&long()), Err(StreamError::Detached));
    assert_eq!(source.teardown(&long()), Err(StreamError::Detached));
    assert!(case.script.given("source.teardown").is_empty());
    held.release(json!({}));
    case.script.wait_for("source.teardown", 1);
}

/// A panic is the call's error, and costs the instance only.
pub fn a_panic_in_each_call(case: &Case) {
    let none = settings(&[]);
    let panics = |call: &str, made: &dyn Fn() -> Result<(), StreamError>| {
        let call = format!("source.{call}");
        case.script.expect_and(&call, json!({"panic": "oh noes"}));
        let error = made().unwrap_err();
        assert!(
            matches!(&error, StreamError::Plugin(error) if error.kind() == ErrorKind::Panic),
            "{call}: {error}"
        );
        assert_eq!(error.to_string(), "panic: oh noes", "{call}");
    };
    let source = case.source();
    panics("configure", &|| source.configure(&long(), &none));
    let after = source.configure(&long(), &none).unwrap_err();
    assert_eq!(after.code(), "plugin.poisoned");
    let source = case.source();
    panics("start", &|| source.start(&long(), None));
    let source = case.source();
    panics("created", &|| source.lifecycle_on_created(&long(), &none));
    let source = case.source();
    panics("updated", &|| {
        source.lifecycle_on_updated(&long(), &none, &none)
    });
    let source = case.source();
    panics("deleted", &|| source.lifecycle_on_deleted(&long(), &none));
    let source = case.blocked_source();
    panics("stop", &|| source.stop(&long()).map(drop));
    case.script
        .expect_and("source.read", json!({"then": "block"}));
    let source = case.started_source();
    case.script.wait_for("source.read", 2);
    panics("teardown", &|| source.teardown(&long()));
}

/// A panic while it reads comes from `read`, behind the records before it.
pub fn a_panic_in_read(case: &Case) {
    let records = records(0..1);
    let reply = json!({"records": [to_json(&records[0])]});
    case.script.expect_and("source.read", reply);
    case.script
        .expect_and("source.read", json!({"panic": "oh noes"}));
    let source = case.started_source();
    assert_eq!(source.read(&long()).as_ref(), Ok(&records[0]));
    let error = source.read(&long()).unwrap_err();
    assert_eq!(error.to_string(), "panic: oh noes");
    assert!(source.ack(&long(), &position()).unwrap_err().is_not_open());
}

/// A panic while it is told of an ack comes from `read`, and there is nothing to acknowledge any more.
pub fn a_panic_in_ack(case: &Case) {
    let source = case.blocked_source();
    case.script
        .expect_and("source.ack", json!({"panic": "oh noes"}));
    source.ack(&long(), &position()).unwrap();
    let error = source.read(&long()).unwrap_err();
    assert!(
        matches!(&error, StreamError::Plugin(error) if error.kind() == ErrorKind::Panic),
        "{error}"
    );
    assert_eq!(error.to_string(), "panic: oh noes");
    assert!(source.ack(&long(), &position()).unwrap_err().is_not_open());
}

/// The end of the stream's context comes before what is queued.
pub fn ack_after_a_cancel(case: &Case) {
    let records = records(0..1);
    let reply = json!({"records": [to_json(&records[0])], "then": "block"});
    case.script.expect("source.start");
    case.script.expect_and("source.read", reply);
    let source = case.source();
    let (stream, handle) = Context::background().with_cancel();
    source.start(&stream, None).unwrap();
    case.script.wait_for("source.read", 1);
    handle.cancel();
    let ended = StreamError::from(ContextEnd::Cancelled);
    assert_eq!(source.ack(&long(), &position()), Err(ended.clone()));
    assert_eq!(source.read(&long()), Err(ended.clone()));
    assert_eq!(source.stop(&long()), Err(ended));
}

/// A record of tens of mebibytes arrives whole.
pub fn a_huge_record(case: &Case) {
    let huge = Record::create("huge").with_payload(Data::Raw(vec![0; 32 << 20]));
    let reply = json!({"records": [to_json(&huge)], "then": "end"});
    case.script.expect_and("source.read", reply);
    assert!(case.started_source().read(&long()) == Ok(huge));
}

/// One thread reads and another one acknowledges; both sides stay in order.
pub fn read_and_ack_at_once(case: &Case) {
    for batch in 0..3 {
        let records = records(batch * 100..(batch + 1) * 100);
        let told: Vec<_> = records.iter().map(to_json).collect();
        let then = if batch == 2 { "end" } else { "more" };
        let reply = json!({"records": told, "then": then});
        case.script.expect_and("source.read", reply);
    }
    case.script.allow("source.ack", |_| json!({}));
    let source: SourceStream = case.started_source();
    let (to_ack, read) = mpsc::channel::<Position>();
    thread::scope(|scope| {
        scope.spawn(|| {
            for position in read {
                source.ack(&long(), &position).unwrap();
            }
        });
        let to_ack = to_ack;
        for record in records(0..300) {
            assert_eq!(source.read(&long()).as_ref(), Ok(&record));
            to_ack.send(record.position).unwrap();
        }
    });
    source.teardown(&long()).unwrap();
    let acked = case.script.given("source.ack");
    let expected = records(0..300).into_iter();
    let expected = expected.map(|it| json!({"position": it.position.to_string()}));
    assert_eq!(acked, expected.collect::<Vec<_>>());
}

/// No settings arrive as none in lifecycle calls, too.
pub fn empty_settings_in_lifecycle_calls(case: &Case) {
    let none = settings(&[]);
    case.script.expect("source.created");
    case.script.expect("source.updated");
    case.script.expect("source.deleted");
    let source = case.source();
    source.lifecycle_on_created(&long(), &none).unwrap();
    source.lifecycle_on_updated(&long(), &none, &none).unwrap();
    source.lifecycle_on_deleted(&long(), &none).unwrap();
    assert_eq!(case.script.given("source.created"), [json!({})]);
    let both = json!({"before": {}, "after": {}});
    assert_eq!(case.script.given("source.updated"), [both]);
    assert_eq!(case.script.given("source.deleted"), [json!({})]);
}

/// A deadline is as good as a cancellation, and told apart from it.
pub fn a_deadline_ends_the_stream(case: &Case) {
    case.script.expect("source.start");
    case.script
        .expect_and("source.read", json!({"then": "block"}));
    let source = case.source();
    let stream = Context::background().with_timeout(Duration::from_secs(1));
    source.start(&stream, None).unwrap();
    let ended = StreamError::from(ContextEnd::DeadlineExceeded);
    assert_eq!(source.read(&long()), Err(ended.clone()));
    assert_eq!(source.ack(&long(), &position()), Err(ended));
    case.script.wait_for("source.read", 1);
}

/// So it is for a single call.
pub fn a_deadline_ends_a_call(case: &Case) {
    let held = case.script.hold("source.configure");
    let source = case.source();
    let short = Context::background().with_timeout(Duration::from_secs(1));
    let configured = source.configure(&short, &settings(&[]));
    assert_eq!(configured, Err(ContextEnd::DeadlineExceeded.into()));
    held.wait();
    held.release(json!({}));
}

fn give_up(case: &Case, source: &SourceStream) -> super::Held {
    let held = case.script.hold("source.stop");
    let (context, handle) = Context::background().with_cancel();
    thread::scope(|scope| {
        let stopping = scope.spawn(|| source.stop(&context));
        held.wait();
        handle.cancel();
        let stopped = stopping.join().unwrap();
        assert_eq!(stopped, Err(ContextEnd::Cancelled.into()));
    });
    held
}

/// An instance that was given up answers nothing more, at once.
pub fn every_call_after_one_that_was_given_up(case: &Case) {
    let source = case.blocked_source();
    let held = give_up(case, &source);
    let none = settings(&[]);
    for refused in [
        source.configure(&long(), &none),
        source.start(&long(), None),
        source.read(&long()).map(drop),
        source.ack(&long(), &position()),
        source.stop(&long()).map(drop),
        source.teardown(&long()),
    ] {
        assert_eq!(refused, Err(StreamError::Detached));
    }
    assert!(plugin_host::is_stuck());
    held.release(json!({}));
    case.script.wait_for("source.teardown", 1);
}

/// So does a call that waits meanwhile.
pub fn a_reader_learns_that_the_instance_was_given_up(case: &Case) {
    // Begun before the stream's, so it would be the first to end.
    let context = long();
    let records = records(0..1);
    let reply = json!({"records": [to_json(&records[0])], "then": "block"});
    case.script.expect_and("source.read", reply);
    let source = case.started_source();
    let (read, is_reading) = mpsc::channel();
    thread::scope(|scope| {
        let (source, context) = (&source, &context);
        let reading = scope.spawn(move || {
            source.read(context).unwrap();
            read.send(()).unwrap();
            source.read(context)
        });
        is_reading.recv().unwrap();
        let held = give_up(case, source);
        assert_eq!(reading.join().unwrap(), Err(StreamError::Detached));
        assert_eq!(context.end(), None);
        held.release(json!({}));
    });
}
