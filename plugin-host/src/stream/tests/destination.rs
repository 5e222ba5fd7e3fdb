//! What a destination is given.

use std::sync::atomic::{AtomicU64, Ordering};

use abi_stable::std_types::{ROption, RResult};
use plugin_api::ffi::{CallStatus, PluginError};
use plugin_api::{Position, Record};

use super::{destination, door, failed, long, ok};
use crate::session::mock::MockDestination;
use crate::stream::StreamError;

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
