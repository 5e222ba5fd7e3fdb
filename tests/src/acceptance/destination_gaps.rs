//! What the original suite leaves open about destinations.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use plugin_api::{Data, ErrorKind, Position, Record};
use plugin_host::{Context, ContextEnd, StreamError};
use serde_json::json;

use forebay_fixture_scripted::record::from_json;

use super::Case;
use super::case::{long, settings};
use super::destination::answer_later;

fn record(i: u64) -> Record {
    Record::create(i.to_string())
}

/// Answers each write at once, of however many records.
fn acknowledge_all(case: &Case) {
    case.script.allow("destination.write", |given| {
        let first = given["first"].as_u64().unwrap_or_default();
        let records = given["records"].as_array().map_or(0, Vec::len) as u64;
        json!({"ok": [[first, first + records]]})
    });
}

/// A stream is started once, and configured only before that.
pub fn a_second_start(case: &Case) {
    let destination = case.started_destination();
    let refused = Err(StreamError::AlreadyRunning);
    assert_eq!(destination.start(&long()), refused);
    assert_eq!(destination.configure(&long(), &settings(&[])), refused);
}

/// A start that has failed makes no stream, and may be tried again.
pub fn a_start_after_a_failed_start(case: &Case) {
    let reply = json!({"error": "test error"});
    case.script.expect_and("destination.start", reply);
    let destination = case.destination();
    destination.start(&long()).unwrap_err();
    assert!(destination.ack(&long()).unwrap_err().is_not_open());
    case.script.expect("destination.start");
    destination.start(&long()).unwrap();
    acknowledge_all(case);
    destination.write(&long(), record(0)).unwrap();
    destination.ack(&long()).unwrap().1.unwrap();
}

/// There is nothing to stop before the start.
pub fn a_stop_without_start(case: &Case) {
    let stopped = case.destination().stop(&long(), None);
    assert!(stopped.unwrap_err().is_not_open());
}

/// A stop that fails ends the stream with its error, behind the answers before it.
pub fn a_stop_that_fails(case: &Case) {
    acknowledge_all(case);
    let reply = json!({"error": "stop error"});
    case.script.expect_and("destination.stop", reply);
    let destination = case.started_destination();
    destination.write(&long(), record(0)).unwrap();
    let error = destination
        .stop(&long(), Some(&Position::from("0")))
        .unwrap_err();
    assert_eq!(error.to_string(), "stop error");
    destination.ack(&long()).unwrap().1.unwrap();
    assert_eq!(destination.ack(&long()), Err(error));
    let written = destination.write(&long(), record(1));
    assert!(written.unwrap_err().is_not_open());
}

/// The plugin is torn down once, and a stream that was is closed.
pub fn teardown_twice_and_calls_after_it(case: &Case) {
    let context = long();
    let destination = case.started_destination();
    thread::scope(|scope| {
        let waiting = scope.spawn(|| destination.ack(&context));
        destination.teardown(&long()).unwrap();
        assert!(waiting.join().unwrap().unwrap_err().is_not_open());
    });
    assert_eq!(context.end(), None);
    destination.teardown(&long()).unwrap();
    assert_eq!(case.script.given("destination.teardown").len(), 1);
    let none = settings(&[]);
    for refused in [
        destination.configure(&long(), &none),
        destination.start(&long()),
        destination.write(&long(), record(0)).map_err(Into::into),
        destination.ack(&long()).map(drop),
        destination.stop(&long(), None),
        destination.lifecycle_on_deleted(&long(), &none),
    ] {
        assert!(refused.unwrap_err().is_not_open());
    }
}

/// A panic is the call's error, and costs the instance only.
pub fn a_panic_in_each_call(case: &Case) {
    let none = settings(&[]);
    let panics = |call: &str, made: &dyn Fn() -> Result<(), StreamError>| {
        let call = format!("destination.{call}");
        case.script.expect_and(&call, json!({"panic": "oh noes"}));
        let error = made().unwrap_err();
        assert!(
            matches!(&error, StreamError::Plugin(error) if error.kind() == ErrorKind::Panic),
            "{call}: {error}"
        );
        assert_eq!(error.to_string(), "panic: oh noes", "{call}");
    };
    let new = || case.destination();
    let destination = new();
    panics("configure", &|| destination.configure(&long(), &none));
    let destination = new();
    panics("start", &|| destination.start(&long()));
    let destination = new();
    panics("created", &|| {
        destination.lifecycle_on_created(&long(), &none)
    });
    let destination = new();
    panics("updated", &|| {
        destination.lifecycle_on_updated(&long(), &none, &none)
    });
    let destination = new();
    panics("deleted", &|| {
        destination.lifecycle_on_deleted(&long(), &none)
    });
    let destination = case.started_destination();
    panics("stop", &|| destination.stop(&long(), None));
    let destination = case.started_destination();
    panics("teardown", &|| destination.teardown(&long()));
}

/// A panic while it writes or flushes comes from `ack`.
pub fn a_panic_in_write(case: &Case) {
    for call in ["destination.write", "destination.flush"] {
        if call == "destination.flush" {
            case.script.expect("destination.write");
        }
        case.script.expect_and(call, json!({"panic": "oh noes"}));
        let destination = case.started_destination();
        destination.write(&long(), record(0)).unwrap();
        let error = destination.ack(&long()).unwrap_err();
        assert_eq!(error.to_string(), "panic: oh noes");
        let written = destination.write(&long(), record(1));
        assert!(written.unwrap_err().is_not_open());
    }
}

/// A nack is one record's answer: the stream goes on.
pub fn acks_go_on_behind_a_nack(case: &Case) {
    let reply = json!({"nack": [[1, "no"]], "ok": [[0, 1], [2, 3]]});
    answer_later(case, 3, reply);
    let destination = case.started_destination();
    for i in 0..3 {
        destination.write(&long(), record(i)).unwrap();
    }
    for i in 0..3 {
        let (position, result) = destination.ack(&long()).unwrap();
        assert_eq!(position, Position::from(i.to_string()));
        assert_eq!(result.is_err(), i == 1);
    }
    answer_later(case, 1, json!({"ok": [[3, 4]]}));
    destination.write(&long(), record(3)).unwrap();
    assert_eq!(destination.ack(&long()), Ok((Position::from("3"), Ok(()))));
}

/// What was answered before an error is done; the rest isn't.
pub fn answers_before_an_error_stand(case: &Case) {
    answer_later(case, 3, json!({"ok": [[0, 2]], "fail": "broken"}));
    let destination = case.started_destination();
    for i in 0..3 {
        destination.write(&long(), record(i)).unwrap();
    }
    for i in 0..2 {
        let answer = destination.ack(&long());
        assert_eq!(answer, Ok((Position::from(i.to_string()), Ok(()))));
    }
    for _ in 0..2 {
        let error = destination.ack(&long()).unwrap_err();
        assert_eq!(error.to_string(), "broken");
    }
}

/// The end of the start's context ends every wait, though the plugin takes no notice.
pub fn write_after_a_cancel(case: &Case) {
    case.script.expect("destination.start");
    let held = case.script.hold("destination.write");
    let destination = case.destination();
    let (stream, handle) = Context::background().with_cancel();
    destination.start(&stream).unwrap();
    destination.write(&long(), record(0)).unwrap();
    held.wait();
    let ended = StreamError::from(ContextEnd::Cancelled);
    thread::scope(|scope| {
        let waiting = scope.spawn(|| destination.ack(&long()));
        handle.cancel();
        assert_eq!(waiting.join().unwrap(), Err(ended.clone()));
    });
    let refused = destination.write(&long(), record(1)).unwrap_err();
    assert_eq!((refused.error, *refused.value), (ended.clone(), record(1)));
    assert_eq!(destination.ack(&long()), Err(ended));
    held.release(json!({}));
}

/// A record of tens of mebibytes arrives whole; a larger one than a batch is refused, and does no
/// harm.
pub fn a_huge_record(case: &Case) {
    let huge = |bytes| Record::create("huge").with_payload(Data::Raw(vec![0; bytes]));
    acknowledge_all(case);
    let destination = case.started_destination();
    let refused = destination.write(&long(), huge(64 << 20)).unwrap_err();
    assert_eq!(refused.code(), "record.too_large");
    destination.write(&long(), huge(32 << 20)).unwrap();
    destination.ack(&long()).unwrap().1.unwrap();
    let given = &case.script.given("destination.write")[0]["records"];
    assert!(from_json(&given[0]) == huge(32 << 20));
}

/// One thread writes and another one takes the answers; both are in order.
pub fn write_and_ack_at_once(case: &Case) {
    acknowledge_all(case);
    case.script.expect("destination.stop");
    let destination = case.started_destination();
    thread::scope(|scope| {
        scope.spawn(|| {
            for i in 0..300 {
                destination.write(&long(), record(i)).unwrap();
            }
            let last = Position::from("299");
            destination.stop(&long(), Some(&last)).unwrap();
        });
        for i in 0..300_u64 {
            let answer = destination.ack(&long());
            assert_eq!(answer, Ok((Position::from(i.to_string()), Ok(()))));
        }
        assert!(destination.ack(&long()).unwrap_err().is_not_open());
    });
    let writes = case.script.given("destination.write");
    let records = writes
        .iter()
        .flat_map(|it| it["records"].as_array().unwrap());
    let positions = records.map(|it| it["position"].as_str().unwrap().to_owned());
    let expected: Vec<_> = (0..300).map(|i| i.to_string()).collect();
    assert_eq!(positions.collect::<Vec<_>>(), expected);
}

/// Behind a stop the answers that are missing still come, then the stream isn't open.
pub fn ack_after_a_graceful_end(case: &Case) {
    let stopped = Arc::new(AtomicU64::new(0));
    let stop = Arc::clone(&stopped);
    case.script.allow("destination.stop", move |_| {
        stop.store(1, Ordering::SeqCst);
        json!({})
    });
    case.script.expect("destination.write");
    case.script.allow("destination.flush", move |_| {
        match stopped.load(Ordering::SeqCst) {
            0 => json!({}),
            _ => json!({"ok": [[0, 1]]}),
        }
    });
    let destination = case.started_destination();
    destination.write(&long(), record(0)).unwrap();
    destination
        .stop(&long(), Some(&Position::from("0")))
        .unwrap();
    destination.ack(&long()).unwrap().1.unwrap();
    assert!(destination.ack(&long()).unwrap_err().is_not_open());
    let again = destination.stop(&long(), None);
    assert!(again.unwrap_err().is_not_open());
}

/// What was written before a stop reaches the plugin before it, and nothing after it.
pub fn no_write_behind_a_stop(case: &Case) {
    let held = case.script.hold("destination.write");
    case.script
        .expect_and("destination.write", json!({"ok": [[1, 2]]}));
    case.script.expect("destination.stop");
    let destination = case.started_destination();
    destination.write(&long(), record(0)).unwrap();
    held.wait();
    destination.write(&long(), record(1)).unwrap();
    thread::scope(|scope| {
        let stopping = scope.spawn(|| destination.stop(&long(), None));
        held.release(json!({"ok": [[0, 1]]}));
        stopping.join().unwrap().unwrap();
    });
    let written = destination.write(&long(), record(2));
    assert!(written.unwrap_err().is_not_open());
    destination.teardown(&long()).unwrap();
    let calls = ["start", "write", "write", "stop", "teardown"];
    let calls = calls.map(|call| format!("destination.{call}"));
    assert_eq!(case.script.calls(), calls);
}

/// No settings arrive as none in lifecycle calls, too.
pub fn empty_settings_in_lifecycle_calls(case: &Case) {
    let none = settings(&[]);
    case.script.expect("destination.created");
    case.script.expect("destination.updated");
    case.script.expect("destination.deleted");
    let destination = case.destination();
    destination.lifecycle_on_created(&long(), &none).unwrap();
    destination
        .lifecycle_on_updated(&long(), &none, &none)
        .unwrap();
    destination.lifecycle_on_deleted(&long(), &none).unwrap();
    assert_eq!(case.script.given("destination.created"), [json!({})]);
    let both = json!({"before": {}, "after": {}});
    assert_eq!(case.script.given("destination.updated"), [both]);
    assert_eq!(case.script.given("destination.deleted"), [json!({})]);
}

/// A deadline is as good as a cancellation, and told apart from it.
pub fn a_deadline_ends_the_stream(case: &Case) {
    case.script.expect("destination.start");
    let destination = case.destination();
    let stream = Context::background().with_timeout(Duration::from_secs(1));
    destination.start(&stream).unwrap();
    let ended = StreamError::from(ContextEnd::DeadlineExceeded);
    assert_eq!(destination.ack(&long()), Err(ended.clone()));
    let refused = destination.write(&long(), record(0)).unwrap_err();
    assert_eq!(refused.error, ended);
}
