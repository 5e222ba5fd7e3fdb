//! The destination's cases.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use plugin_api::structured::Map;
use plugin_api::{Position, Record};
use plugin_host::StreamError;
use serde_json::{Value, json};

use forebay_fixture_scripted::record::from_json;

use super::Case;
use super::blocking::block;
use super::case::{long, settings};

/// What the plugin says of its settings comes through. (The names of this case and the next one are
/// swapped in the original.)
pub fn configure_success(case: &Case) {
    let reply = json!({"error": "init error"});
    case.script.expect_and("destination.configure", reply);
    let given = settings(&[("foo", "bar"), ("empty", "")]);
    let error = case.destination().configure(&long(), &given).unwrap_err();
    assert_eq!(error.to_string(), "init error");
    let given = json!({"foo": "bar", "empty": ""});
    assert_eq!(case.script.given("destination.configure"), [given]);
}

/// No settings arrive as none.
pub fn configure_fail(case: &Case) {
    case.script.expect("destination.configure");
    let destination = case.destination();
    destination.configure(&long(), &settings(&[])).unwrap();
    assert_eq!(case.script.given("destination.configure"), [json!({})]);
}

/// After the start the plugin gets what is written.
pub fn start_success(case: &Case) {
    let destination = case.started_destination();
    case.script
        .expect_and("destination.write", json!({"ok": [[0, 1]]}));
    destination.write(&long(), Record::create("0")).unwrap();
    case.script.wait_for("destination.write", 1);
}

/// After a start that has failed it gets nothing.
pub fn start_fail(case: &Case) {
    let reply = json!({"error": "test error"});
    case.script.expect_and("destination.start", reply);
    let destination = case.destination();
    let error = destination.start(&long()).unwrap_err();
    assert_eq!(error.to_string(), "test error");
    let written = destination.write(&long(), Record::create("0"));
    assert!(written.unwrap_err().is_not_open());
}

/// A record arrives unchanged. When the plugin closes the stream, it is over.
pub fn write_success(case: &Case) {
    let data = |value: &str| {
        let mut map = Map::default();
        map.insert("baz", value);
        map
    };
    let record = Record::update("test-position")
        .with_metadata("foo", "bar")
        .with_key("raw-key")
        .with_before(data("qux1"))
        .with_payload(data("qux2"));
    let reply = json!({"ok": [[0, 1]], "close": true});
    case.script.expect_and("destination.write", reply);
    let destination = case.started_destination();
    destination.write(&long(), record.clone()).unwrap();
    destination.ack(&long()).unwrap().1.unwrap();
    assert!(destination.ack(&long()).unwrap_err().is_not_open());
    let given = &case.script.given("destination.write")[0]["records"];
    assert_eq!(from_json(&given[0]), record);
    let written = destination.write(&long(), Record::create("1"));
    assert!(written.unwrap_err().is_not_open());
}

/// Nothing can be written before the start.
pub fn write_without_start(case: &Case) {
    let written = case.destination().write(&long(), Record::create(""));
    assert!(written.unwrap_err().is_not_open());
}

/// Has the plugin defer all answers until it has so many records, and then answer so, once.
pub(super) fn answer_later(case: &Case, records: usize, reply: Value) {
    let written = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&written);
    case.script.allow("destination.write", move |given| {
        let more = given["records"].as_array().map_or(0, Vec::len);
        count.fetch_add(more, Ordering::SeqCst);
        json!({})
    });
    case.script.allow("destination.flush", move |_| {
        let all = written.compare_exchange(records, 0, Ordering::SeqCst, Ordering::SeqCst);
        all.map_or_else(|_| json!({}), |_| reply.clone())
    });
}

/// Answers arrive in order.
pub fn ack_success(case: &Case) {
    answer_later(case, 10, json!({"ok": [[5, 10], [0, 5]]}));
    let destination = case.started_destination();
    for i in 0..10 {
        let record = Record::create(format!("position-{i}"));
        destination.write(&long(), record).unwrap();
    }
    for i in 0..10 {
        let answer = destination.ack(&long()).unwrap();
        assert_eq!(answer, (Position::from(format!("position-{i}")), Ok(())));
    }
}

/// Of a record that can't be written the position arrives, and why.
pub fn ack_with_error(case: &Case) {
    answer_later(case, 1, json!({"nack": [[0, "test error"]]}));
    let destination = case.started_destination();
    let record = Record::create("test-position");
    destination.write(&long(), record).unwrap();
    let (position, result) = destination.ack(&long()).unwrap();
    assert_eq!(position, Position::from("test-position"));
    assert_eq!(result.unwrap_err().to_string(), "test error");
}

/// There are no answers before the start.
pub fn ack_without_start(case: &Case) {
    assert!(case.destination().ack(&long()).unwrap_err().is_not_open());
}

/// An error of the running plugin comes from `ack`; for a write the stream isn't open.
pub fn run_fail(case: &Case) {
    let reply = json!({"fail": "test-error"});
    case.script.expect_and("destination.write", reply);
    let destination = case.started_destination();
    destination.write(&long(), Record::create("")).unwrap();
    let error = destination.ack(&long()).unwrap_err();
    assert!(matches!(&error, StreamError::Plugin(error) if error.message() == "test-error"));
    let written = destination.write(&long(), Record::create(""));
    assert!(written.unwrap_err().is_not_open());
}

/// A stop without a last position is none, and the error of the teardown comes through.
pub fn teardown_success(case: &Case) {
    case.script.expect("destination.stop");
    let reply = json!({"error": "init error"});
    case.script.expect_and("destination.teardown", reply);
    let destination = case.started_destination();
    destination.stop(&long(), None).unwrap();
    let error = destination.teardown(&long()).unwrap_err();
    assert_eq!(error.to_string(), "init error");
}

/// Needs no earlier call.
pub fn lifecycle_on_created(case: &Case) {
    case.script.expect("destination.created");
    let given = settings(&[("foo", "bar")]);
    let destination = case.destination();
    destination.lifecycle_on_created(&long(), &given).unwrap();
    let given = json!({"foo": "bar"});
    assert_eq!(case.script.given("destination.created"), [given]);
}

/// What was and what is arrive in their places.
pub fn lifecycle_on_updated(case: &Case) {
    case.script.expect("destination.updated");
    let (before, after) = (settings(&[("foo", "bar")]), settings(&[("foo", "baz")]));
    let destination = case.destination();
    destination
        .lifecycle_on_updated(&long(), &before, &after)
        .unwrap();
    let given = json!({"before": {"foo": "bar"}, "after": {"foo": "baz"}});
    assert_eq!(case.script.given("destination.updated"), [given]);
}

/// Needs no earlier call.
pub fn lifecycle_on_deleted(case: &Case) {
    case.script.expect("destination.deleted");
    let given = settings(&[("foo", "bar")]);
    let destination = case.destination();
    destination.lifecycle_on_deleted(&long(), &given).unwrap();
    let given = json!({"foo": "bar"});
    assert_eq!(case.script.given("destination.deleted"), [given]);
}

/// Each call that may block returns when its context is cancelled.
pub fn blocking_functions(case: &Case) {
    let destination = case.destination();
    block(case, "destination.configure", |context| {
        destination.configure(context, &settings(&[]))
    });
    let destination = case.destination();
    block(case, "destination.start", |context| {
        destination.start(context)
    });
    let destination = case.started_destination();
    block(case, "destination.stop", |context| {
        destination.stop(context, None)
    });
    let destination = case.started_destination();
    // Those that were given up after their start are torn down when they are let go.
    case.script.wait_for("destination.teardown", 2);
    block(case, "destination.teardown", |context| {
        destination.teardown(context)
    });
}
