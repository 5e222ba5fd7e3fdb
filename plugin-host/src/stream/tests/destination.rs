//! What a destination is given, and what waits for it.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use abi_stable::std_types::{ROption, RResult};
use plugin_api::ffi::{CallStatus, PluginError};
use plugin_api::{AckMode, BatchWriter, Data, Error, Position, Record};

use super::{cancelled, destination, door, failed, long, ok, source};
use crate::session::mock::{MockDestination, MockSource};
use crate::stream::{ContextEnd, StreamError};

type Written = RResult<CallStatus, PluginError>;

fn record(position: u64) -> Record {
    Record::create(position.to_string())
}

#[test]
fn a_stop_tells_the_last_position_or_none() {
    for last in [None, Some(Position::from("")), Some(Position::from("9"))] {
        let mut mock = MockDestination::new();
        mock.expect_start().returning(|_| ok());
        let expected = last.clone();
        mock.expect_stop().times(..=1).returning(move |_, last| {
            let last = match last {
                ROption::RSome(bytes) => Some(Position::from(bytes.as_slice())),
                ROption::RNone => None,
            };
            match last == expected {
                true => ok(),
                false => failed("another position"),
            }
        });
        let destination = destination(mock);
        destination.start(&long()).expect("a start");
        let stopped = destination.stop(&long(), last.as_ref());
        stopped.expect("that position");
    }
}

#[test]
fn single_records_that_wait_are_written_together() {
    let (door, key) = door();
    let mut mock = MockDestination::new();
    mock.expect_start().returning(|_| ok());
    let writes = AtomicU64::new(0);
    mock.expect_write()
        .times(..=2)
        .returning(move |_, batch, acks| {
            let records = batch.index.len() as u64;
            let expected = match writes.fetch_add(1, Ordering::SeqCst) {
                0 => (0, 1),
                _ => (1, 100),
            };
            if expected.0 == 0 {
                door.pass();
            }
            if (batch.first_sequence, records) != expected {
                return failed("another batch");
            }
            acks.ok(expected.0, expected.0 + records);
            Written::ROk(CallStatus::MORE)
        });
    let destination = destination(mock);
    destination.start(&long()).expect("a start");
    destination.write(&long(), record(0)).expect("a write");
    key.wait();
    for position in 1..=100 {
        let written = destination.write(&long(), record(position));
        written.expect("a write");
    }
    drop(key);
    for position in 0..=100 {
        let answer = destination.ack(&long()).expect("an answer");
        assert_eq!(answer, (Position::from(position.to_string()), Ok(())));
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
    let large = || record(0).with_payload(Data::Raw(vec![0; 5 << 20]));
    destination.write(&long(), large()).expect("room");
    key.wait();
    // 8 MiB may wait, those that are being written included.
    let full = destination.write(&cancelled(), large());
    assert_eq!(full, Err(ContextEnd::Cancelled.into()));
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
    let mut mock = MockDestination::new();
    mock.expect_start().returning(|_| ok());
    mock.expect_write().returning(|_, batch, acks| {
        let first = batch.first_sequence;
        acks.ok(first, first + batch.index.len() as u64);
        Written::ROk(CallStatus::MORE)
    });
    let destination = destination(mock);
    destination.start(&long()).expect("a start");
    // Of positions 1 MiB may wait.
    let long_position = || Record::create("x".repeat(600 << 10));
    destination.write(&long(), long_position()).expect("room");
    let full = destination.write(&cancelled(), long_position());
    assert_eq!(full, Err(ContextEnd::Cancelled.into()));
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
fn a_double_answer_ends_the_stream_behind_the_answers() {
    let mut mock = MockDestination::new();
    mock.expect_start().returning(|_| ok());
    mock.expect_write().times(..=1).returning(|_, _, acks| {
        acks.ok(0, 1);
        acks.ok(0, 1);
        Written::ROk(CallStatus::MORE)
    });
    let destination = destination(mock);
    destination.start(&long()).expect("a start");
    destination.write(&long(), record(0)).expect("a write");
    let (_, first) = destination.ack(&long()).expect("an answer");
    assert_eq!(first, Ok(()));
    let error = destination.ack(&long()).expect_err("a breach");
    assert!(matches!(error, StreamError::Contract(_)), "{error}");
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
    let large = || record(0).with_payload(Data::Raw(vec![0; 5 << 20]));
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

#[test]
fn no_call_but_the_teardown_waits_for_a_stubborn_destination_once_the_stream_is_over() {
    let (door, key) = door();
    let mut mock = MockDestination::new();
    mock.expect_start().returning(|_| ok());
    mock.expect_write().times(..=1).returning(move |_, _, _| {
        door.pass();
        Written::ROk(CallStatus::MORE)
    });
    let destination = destination(mock);
    let (stream, handle) = long().with_cancel();
    destination.start(&stream).expect("a start");
    destination.write(&long(), record(0)).expect("a write");
    key.wait();
    handle.cancel();
    let (context, none) = (long(), BTreeMap::new());
    for refused in [
        destination.stop(&context, None),
        destination.start(&context),
        destination.configure(&context, &none),
        destination.lifecycle_on_created(&context, &none),
        destination.lifecycle_on_updated(&context, &none, &none),
        destination.lifecycle_on_deleted(&context, &none),
    ] {
        assert_eq!(refused, Err(ContextEnd::Cancelled.into()));
    }
    assert_eq!(context.end(), None);
    drop(key);
    destination.teardown(&long()).expect("it was not given up");
}

#[test]
fn a_stop_that_the_destination_is_in_ends_with_the_stream() {
    let (door, key) = door();
    let mut mock = MockDestination::new();
    mock.expect_start().returning(|_| ok());
    mock.expect_stop().times(..=1).returning(move |_, _| {
        door.pass();
        ok()
    });
    let destination = destination(mock);
    let (stream, handle) = long().with_cancel();
    destination.start(&stream).expect("a start");
    thread::scope(|scope| {
        let stopping = scope.spawn(|| destination.stop(&long(), None));
        key.wait();
        handle.cancel();
        let stopped = stopping.join().expect("a thread");
        assert_eq!(stopped, Err(ContextEnd::Cancelled.into()));
    });
    assert_eq!(destination.stop(&long(), None), Err(StreamError::Detached));
    drop(key);
}
