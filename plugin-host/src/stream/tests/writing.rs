//! What a write waits for, and what it gives back.

use std::thread;

use abi_stable::std_types::RResult;
use plugin_api::ffi::{CallStatus, PluginError};
use plugin_api::structured::Map;
use plugin_api::{AckMode, BatchWriter, Data, Error, Position, Record};

use super::{cancelled, destination, door, failed, long, ok, source};
use crate::session::mock::{MockDestination, MockSource};
use crate::stream::{ContextEnd, RecordBatch, StreamError, WriteError};

type Written = RResult<CallStatus, PluginError>;

fn record(position: u64) -> Record {
    Record::create(position.to_string())
}

/// Five of the 8 MiB that may wait, those that are being written included.
fn large() -> Record {
    record(0).with_payload(Data::Raw(vec![0; 5 << 20]))
}

fn why_not<T>(written: Result<(), WriteError<T>>) -> Option<StreamError> {
    written.err().map(StreamError::from)
}

/// Acknowledges all that is written, after it has waited.
fn taking(wait: impl Fn() + Send + 'static) -> MockDestination {
    let mut mock = MockDestination::new();
    mock.expect_start().returning(|_| ok());
    mock.expect_write().returning(move |_, batch, acks| {
        wait();
        let first = batch.first_sequence;
        acks.ok(first, first + batch.index.len() as u64);
        Written::ROk(CallStatus::MORE)
    });
    mock
}

/// A batch of three records, of which one was read alone.
fn batch() -> RecordBatch {
    let mut mock = MockSource::new();
    mock.expect_start().returning(|_, _| ok());
    mock.expect_read().returning(|_, batch| {
        for position in 1..=3 {
            BatchWriter::new(batch).create(position).payload("x");
        }
        RResult::ROk(CallStatus::END)
    });
    let source = source(AckMode::Last, mock);
    source.start(&long(), None).expect("a start");
    source.read(&long()).expect("a record");
    source.read_batch(&long()).expect("a batch")
}

#[test]
fn a_record_that_is_not_written_is_given_back() {
    let destination = destination(taking(|| {}));
    let refused = destination.write(&long(), record(7)).expect_err("no start");
    assert!(refused.is_not_open());
    assert_eq!(*refused.value, record(7));

    destination.start(&long()).expect("a start");
    let huge = || record(7).with_payload(Data::Raw(vec![0; 64 << 20]));
    let refused = destination.write(&long(), huge()).expect_err("too large");
    assert_eq!(refused.code(), "record.too_large");
    assert!(*refused.value == huge());

    let mut deep = Map::new();
    for _ in 0..1000 {
        let mut outer = Map::new();
        outer.insert("in", deep);
        deep = outer;
    }
    let deep = record(7).with_payload(Data::Structured(deep));
    let refused = destination.write(&long(), deep.clone());
    let refused = refused.expect_err("too deep");
    assert_eq!(refused.code(), "record.invalid");
    assert!(*refused.value == deep);
}

#[test]
fn what_finds_no_room_is_given_back_and_can_be_written_later() {
    let (door, key) = door();
    let destination = destination(taking(move || door.pass()));
    destination.start(&long()).expect("a start");
    // All that may wait.
    let all = record(0).with_payload(Data::Raw(vec![0; 8 << 20]));
    destination.write(&long(), all).expect("room");
    key.wait();
    let refused = destination.write(&cancelled(), record(1));
    let refused = refused.expect_err("no room");
    assert_eq!(refused.error, ContextEnd::Cancelled.into());
    let alone = *refused.value;
    let refused = destination.write_batch(&cancelled(), batch());
    let refused = refused.expect_err("no room");
    assert_eq!(refused.error, ContextEnd::Cancelled.into());
    let together = *refused.value;
    assert_eq!(together.len(), 2);
    drop(key);
    destination.write(&long(), alone).expect("a write");
    destination.write_batch(&long(), together).expect("a write");
    for position in ["0", "1", "2", "3"] {
        let answer = destination.ack(&long()).expect("an answer");
        assert_eq!(answer, (Position::from(position), Ok(())));
    }
}

#[test]
fn a_write_that_was_interrupted_keeps_no_room_for_its_answer() {
    let (door, key) = door();
    let destination = destination(taking(move || door.pass()));
    destination.start(&long()).expect("a start");
    destination.write(&long(), large()).expect("room");
    key.wait();
    // Of positions 1 MiB may wait for their answers.
    let mut interrupted = large();
    interrupted.position = Position::from("x".repeat(600 << 10));
    let again = destination.write(&cancelled(), interrupted);
    let again = again.expect_err("no room").value;
    drop(key);
    destination.write(&long(), *again).expect("room");
    for _ in 0..2 {
        let (_, result) = destination.ack(&long()).expect("an answer");
        assert_eq!(result, Ok(()));
    }
}

#[test]
fn errors_that_the_host_has_taken_do_not_cut_later_ones() {
    let text = || "é".repeat(30 << 10);
    let mut mock = MockDestination::new();
    mock.expect_start().returning(|_| ok());
    mock.expect_write().returning(move |_, batch, acks| {
        for i in 0..batch.index.len() as u64 {
            acks.nack(batch.first_sequence + i, Error::fatal(text()).into());
        }
        Written::ROk(CallStatus::MORE)
    });
    let destination = destination(mock);
    destination.start(&long()).expect("a start");
    // 12 MiB, of which 4 may wait.
    for position in 0..200 {
        let written = destination.write(&long(), record(position));
        written.expect("a write");
        let (_, result) = destination.ack(&long()).expect("an answer");
        let error = result.expect_err("a nack");
        assert!(error.message() == text(), "the error of {position} was cut");
    }
}

#[test]
fn a_write_that_waits_for_room_ends_with_the_stream() {
    let (door, key) = door();
    let mut mock = MockDestination::new();
    mock.expect_start().returning(|_| ok());
    mock.expect_write().times(..=1).returning(move |_, _, _| {
        door.pass();
        failed("broken")
    });
    let destination = destination(mock);
    destination.start(&long()).expect("a start");
    destination.write(&long(), large()).expect("room");
    key.wait();
    let full = destination.write(&cancelled(), large());
    assert_eq!(why_not(full), Some(ContextEnd::Cancelled.into()));
    thread::scope(|scope| {
        let writing = scope.spawn(|| destination.write(&long(), large()));
        drop(key);
        let error = writing.join().expect("a thread").expect_err("it is over");
        assert!(error.is_not_open(), "{error}");
    });
    let error = destination.ack(&long()).expect_err("it is over");
    assert_eq!(error.to_string(), "broken");
}

#[test]
fn a_host_that_takes_no_answers_waits_in_write() {
    let destination = destination(taking(|| {}));
    destination.start(&long()).expect("a start");
    // Of positions 1 MiB may wait.
    let long_position = || Record::create("x".repeat(600 << 10));
    destination.write(&long(), long_position()).expect("room");
    let full = destination.write(&cancelled(), long_position());
    assert_eq!(why_not(full), Some(ContextEnd::Cancelled.into()));
    let answer = destination.ack(&long()).expect("an answer");
    assert_eq!(answer.1, Ok(()));
    destination.write(&long(), long_position()).expect("room");
}

#[test]
fn the_errors_of_many_nacks_are_bounded() {
    const RECORDS: u64 = 200;
    let mut mock = MockDestination::new();
    mock.expect_start().returning(|_| ok());
    let (write, is_written) = std::sync::mpsc::channel();
    mock.expect_write().returning(move |_, batch, acks| {
        for i in 0..batch.index.len() as u64 {
            let error = Error::fatal("é".repeat(30 << 10));
            acks.nack(batch.first_sequence + i, error.into());
        }
        write.send(()).ok();
        Written::ROk(CallStatus::MORE)
    });
    mock.expect_stop().returning(|_, _| ok());
    let destination = destination(mock);
    destination.start(&long()).expect("a start");
    for position in 0..RECORDS {
        let written = destination.write(&long(), record(position));
        written.expect("a write");
        // One record a call: within one the answers have a bound of their own.
        is_written.recv().expect("a call");
    }
    destination.stop(&long(), None).expect("a stop");
    let mut bytes = 0;
    for _ in 0..RECORDS {
        let (_, result) = destination.ack(&long()).expect("an answer");
        bytes += result.expect_err("a nack").message().len();
    }
    assert!(bytes < 5 << 20, "{bytes} bytes of errors have waited");
}

#[test]
fn batches_that_wait_for_a_stuck_destination_go_home_when_it_is_given_up() {
    let (door, key) = door();
    let mut stuck = MockDestination::new();
    stuck.expect_start().returning(|_| ok());
    stuck.expect_write().times(..=1).returning(move |_, _, _| {
        door.pass();
        Written::ROk(CallStatus::MORE)
    });
    let destination = destination(stuck);
    destination.start(&long()).expect("a start");
    let mut mock = MockSource::new();
    mock.expect_start().returning(|_, _| ok());
    mock.expect_read().returning(|_, batch| {
        BatchWriter::new(batch).create("1").payload("x");
        RResult::ROk(CallStatus::MORE)
    });
    let source = source(AckMode::Last, mock);
    source.start(&long(), None).expect("a start");
    for _ in 0..2 {
        let batch = source.read_batch(&long()).expect("a batch");
        destination.write_batch(&long(), batch).expect("a write");
        // The first one is lent to the plugin.
    }
    key.wait();
    let torn_down = destination.teardown(&cancelled());
    assert_eq!(torn_down, Err(ContextEnd::Cancelled.into()));
    source.read_batch(&long()).expect("the second one's memory");
    drop(key);
}

#[test]
fn a_write_that_waits_learns_at_once_that_the_stream_was_torn_down() {
    // Begun before the stream's, so it would be the first to end.
    let context = long();
    let (door, key) = door();
    let mut mock = MockDestination::new();
    mock.expect_start().returning(|_| ok());
    mock.expect_write().times(..=1).returning(move |_, _, _| {
        door.pass();
        Written::ROk(CallStatus::MORE)
    });
    let destination = destination(mock);
    destination.start(&long()).expect("a start");
    destination.write(&long(), large()).expect("room");
    key.wait();
    thread::scope(|scope| {
        let writing = scope.spawn(|| destination.write(&context, large()));
        let tearing = scope.spawn(|| destination.teardown(&long()));
        // The plugin is still in its call.
        let error = writing.join().expect("a thread").expect_err("it is over");
        assert!(error.is_not_open(), "{error}");
        assert_eq!(context.end(), None);
        drop(key);
        let torn_down = tearing.join().expect("a thread");
        torn_down.expect("a teardown");
    });
}
