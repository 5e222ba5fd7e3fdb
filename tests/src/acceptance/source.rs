//! The source's cases.

use std::thread;

use plugin_api::{Position, Record};
use plugin_host::{Context, ContextEnd, SourceStream, StreamError};
use serde_json::json;

use forebay_fixture_scripted::record::to_json;

use super::Case;
use super::blocking::block;
use super::case::{long, settings};

/// No settings arrive as none.
pub fn configure_success(case: &Case) {
    case.script.expect("source.configure");
    case.source().configure(&long(), &settings(&[])).unwrap();
    assert_eq!(case.script.given("source.configure"), [json!({})]);
}

/// Settings arrive as they are, also an empty value; what the plugin says comes through.
pub fn configure_fail(case: &Case) {
    let reply = json!({"error": "init error"});
    case.script.expect_and("source.configure", reply);
    let given = settings(&[("foo", "bar"), ("empty", "")]);
    let error = case.source().configure(&long(), &given).unwrap_err();
    assert_eq!(error.to_string(), "init error");
    let given = json!({"foo": "bar", "empty": ""});
    assert_eq!(case.script.given("source.configure"), [given]);
}

fn start(case: &Case, position: Option<&str>) {
    case.script.expect("source.start");
    case.script
        .expect_and("source.read", json!({"then": "block"}));
    let source = case.source();
    let start = position.map(Position::from);
    source.start(&long(), start.as_ref()).unwrap();
    case.script.wait_for("source.read", 1);
    let given = json!({"settings": {}, "position": position});
    assert_eq!(case.script.given("source.start"), [given]);
}

/// The position arrives, and reading begins by itself.
pub fn start_with_position(case: &Case) {
    start(case, Some("test-position"));
}

/// No position arrives as none, which isn't an empty one.
pub fn start_empty_position(case: &Case) {
    start(case, None);
}

/// The records of a run.
pub(super) fn records(range: std::ops::Range<u32>) -> Vec<Record> {
    let record = |i| {
        Record::create(format!("test-position-{i}"))
            .with_metadata("foo", "bar")
            .with_metadata("empty", "")
            .with_key("test-key")
            .with_payload("test-payload")
    };
    range.map(record).collect()
}

/// Records arrive in order and unchanged; then the stream is over.
pub fn read_success(case: &Case) {
    let records = records(0..10);
    let told: Vec<_> = records.iter().map(to_json).collect();
    let reply = json!({"records": told, "then": "end"});
    case.script.expect_and("source.read", reply);
    let source = case.started_source();
    for record in records {
        assert_eq!(source.read(&long()), Ok(record));
    }
    assert!(source.read(&long()).unwrap_err().is_not_open());
}

/// There is nothing to read before the start.
pub fn read_without_start(case: &Case) {
    assert!(case.source().read(&long()).unwrap_err().is_not_open());
}

/// A stop ends a wait for data, gives the last position, and then the stream ends.
pub fn read_after_stop(case: &Case) {
    let source = case.blocked_source();
    case.script
        .expect_and("source.stop", json!({"position": "foo", "unblock": true}));
    case.script
        .expect_and("source.read", json!({"then": "end"}));
    assert_eq!(source.stop(&long()), Ok(Some(Position::from("foo"))));
    assert!(source.read(&long()).unwrap_err().is_not_open());
}

/// The end of the start's context ends a read, though the plugin takes no notice.
pub fn read_cancel_context(case: &Case) {
    let held = case.script.hold("source.read");
    case.script.expect("source.start");
    let source = case.source();
    let (stream, handle) = Context::background().with_cancel();
    source.start(&stream, None).unwrap();
    held.wait();
    thread::scope(|scope| {
        let reading = scope.spawn(|| source.read(&long()));
        handle.cancel();
        let read = reading.join().unwrap();
        assert_eq!(read, Err(ContextEnd::Cancelled.into()));
    });
    held.release(json!({"then": "end"}));
}

/// An ack arrives, of whatever position. Behind the end of the stream there is none.
pub fn ack_success(case: &Case) {
    let source = case.blocked_source();
    case.script
        .expect_and("source.ack", json!({"unblock": true}));
    case.script
        .expect_and("source.read", json!({"then": "end"}));
    let position = Position::from("test-position");
    source.ack(&long(), &position).unwrap();
    assert!(source.read(&long()).unwrap_err().is_not_open());
    let given = json!({"position": "test-position"});
    assert_eq!(case.script.given("source.ack"), [given]);
    assert!(source.ack(&long(), &position).unwrap_err().is_not_open());
}

/// There is nothing to acknowledge before the start.
pub fn ack_without_start(case: &Case) {
    let acked = case.source().ack(&long(), &Position::from("test-position"));
    assert!(acked.unwrap_err().is_not_open());
}

/// An error of the running plugin comes from `read`; for an ack the stream isn't open.
pub fn run_fail(case: &Case) {
    let source = case.blocked_source();
    let reply = json!({"error": "test-error"});
    case.script.expect_and("source.ack", reply);
    let position = Position::from("test-position");
    source.ack(&long(), &position).unwrap();
    let error = source.read(&long()).unwrap_err();
    assert!(matches!(&error, StreamError::Plugin(error) if error.message() == "test-error"));
    assert!(source.ack(&long(), &position).unwrap_err().is_not_open());
}

/// A teardown ends a wait for data, and its error comes through.
pub fn teardown_success(case: &Case) {
    let source = case.blocked_source();
    let reply = json!({"error": "init error"});
    case.script.expect_and("source.teardown", reply);
    let error = source.teardown(&long()).unwrap_err();
    assert_eq!(error.to_string(), "init error");
}

/// Needs no earlier call.
pub fn lifecycle_on_created(case: &Case) {
    case.script.expect("source.created");
    let given = settings(&[("foo", "bar")]);
    case.source().lifecycle_on_created(&long(), &given).unwrap();
    assert_eq!(case.script.given("source.created"), [json!({"foo": "bar"})]);
}

/// What was and what is arrive in their places.
pub fn lifecycle_on_updated(case: &Case) {
    case.script.expect("source.updated");
    let (before, after) = (settings(&[("foo", "bar")]), settings(&[("foo", "baz")]));
    let source = case.source();
    source
        .lifecycle_on_updated(&long(), &before, &after)
        .unwrap();
    let given = json!({"before": {"foo": "bar"}, "after": {"foo": "baz"}});
    assert_eq!(case.script.given("source.updated"), [given]);
}

/// Needs no earlier call.
pub fn lifecycle_on_deleted(case: &Case) {
    case.script.expect("source.deleted");
    let given = settings(&[("foo", "bar")]);
    case.source().lifecycle_on_deleted(&long(), &given).unwrap();
    assert_eq!(case.script.given("source.deleted"), [json!({"foo": "bar"})]);
}

/// Each call that may block returns when its context is cancelled.
pub fn blocking_functions(case: &Case) {
    let source = case.source();
    block(case, "source.configure", |context| {
        source.configure(context, &settings(&[]))
    });
    let source = case.source();
    block(case, "source.start", |context| source.start(context, None));
    let source: SourceStream = case.blocked_source();
    block(case, "source.stop", |context| {
        source.stop(context).map(drop)
    });
    case.script
        .expect_and("source.read", json!({"then": "block"}));
    let source = case.started_source();
    case.script.wait_for("source.read", 2);
    // Those that were given up after their start are torn down when they are let go.
    case.script.wait_for("source.teardown", 2);
    block(case, "source.teardown", |context| source.teardown(context));
}
