//! What a source is given, and what waits for it.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use abi_stable::std_types::{ROption, RResult};
use plugin_api::ffi::{BatchBuffer, CallStatus, PluginError};
use plugin_api::{AckMode, BatchWriter, Position};

use super::{cancelled, door, failed, long, ok, source};
use crate::session::mock::MockSource;
use crate::stream::{Context, ContextEnd, StreamError};

type Read = RResult<CallStatus, PluginError>;

fn put(batch: &mut BatchBuffer, position: u64) {
    BatchWriter::new(batch).create(position).payload("x");
}

/// One record a read, at positions 0, 1, 2 and so on.
fn counting(mock: &mut MockSource) -> Arc<AtomicU64> {
    let reads = Arc::new(AtomicU64::new(0));
    let counter = Arc::clone(&reads);
    mock.expect_read().returning(move |_, batch| {
        put(batch, counter.fetch_add(1, Ordering::SeqCst));
        Read::ROk(CallStatus::MORE)
    });
    reads
}

#[test]
fn no_settings_are_no_pairs_and_no_position_is_not_an_empty_one() {
    let mut mock = MockSource::new();
    mock.expect_configure()
        .times(..=1)
        .returning(|_, settings| match settings.is_empty() {
            true => ok(),
            false => failed("settings"),
        });
    let starts = AtomicU64::new(0);
    mock.expect_start()
        .times(..=2)
        .returning(
            move |_, position| match (starts.fetch_add(1, Ordering::SeqCst), position) {
                (0, ROption::RSome(bytes)) if bytes.is_empty() => failed("as expected"),
                (1, ROption::RNone) => ok(),
                _ => failed("another position"),
            },
        );
    mock.expect_read()
        .returning(|_, _| Read::ROk(CallStatus::END));
    let source = source(AckMode::Last, mock);
    source.configure(&long(), &BTreeMap::new()).expect("none");
    let error = source.start(&long(), Some(&Position::from("")));
    assert_eq!(error.expect_err("failed").to_string(), "as expected");
    source.start(&long(), None).expect("no position");
}

#[test]
fn a_call_knows_how_long_it_is_waited_for() {
    let mut mock = MockSource::new();
    mock.expect_configure()
        .times(..=2)
        .returning(|context, settings| {
            let hour = Duration::from_secs(3600).as_nanos();
            let bounded = u128::from(context.remaining()) <= hour;
            match bounded == (settings.len() == 1) {
                true => ok(),
                false => failed("another time"),
            }
        });
    let source = source(AckMode::Last, mock);
    let hour = Context::background().with_timeout(Duration::from_secs(3600));
    let bounded = BTreeMap::from([("bounded".to_owned(), String::new())]);
    source.configure(&hour, &bounded).expect("an hour at most");
    let unbounded = source.configure(&Context::background(), &BTreeMap::new());
    unbounded.expect("no bound");
}

/// What a plugin is told when three acks wait for it.
fn acks_told(mode: AckMode) -> Vec<(u64, u64, Vec<String>)> {
    let (door, key) = door();
    let told = Arc::new(Mutex::new(Vec::new()));
    let (tell, heard) = channel();
    let note = Arc::clone(&told);
    let mut mock = MockSource::new();
    mock.expect_start().returning(|_, _| ok());
    mock.expect_read().returning(move |_, _| {
        door.pass();
        Read::ROk(CallStatus::MORE)
    });
    mock.expect_ack().returning(move |_, acks| {
        let text = |span: &plugin_api::ffi::Span| {
            let bytes = &acks.arena[span.offset as usize..][..span.length as usize];
            String::from_utf8_lossy(bytes).into_owned()
        };
        let positions = acks.positions.iter().map(text).collect();
        note.lock()
            .expect("the notes")
            .push((acks.first_sequence, acks.count, positions));
        tell.send(()).ok();
        ok()
    });
    let source = source(mode, mock);
    source.start(&long(), None).expect("a start");
    key.wait();
    for position in ["a", "b", "c"] {
        let acked = source.ack(&long(), &Position::from(position));
        acked.expect("an ack");
    }
    drop(key);
    heard.recv().expect("an ack");
    source.ack(&long(), &Position::from("d")).expect("an ack");
    source.teardown(&long()).expect("a teardown");
    let told = told.lock().expect("the notes");
    told.clone()
}

#[test]
fn acks_that_wait_are_told_together_and_are_numbered_without_a_gap() {
    let owned = |texts: &[&str]| texts.iter().map(|it| (*it).to_owned()).collect();
    let each = [(0, 3, owned(&["a", "b", "c"])), (3, 1, owned(&["d"]))];
    assert_eq!(acks_told(AckMode::Each), each);
    let last = [(0, 3, owned(&["c"])), (3, 1, owned(&["d"]))];
    assert_eq!(acks_told(AckMode::Last), last);
}

#[test]
fn a_host_that_holds_two_batches_is_read_no_further() {
    let mut mock = MockSource::new();
    mock.expect_start().returning(|_, _| ok());
    let reads = counting(&mut mock);
    let source = source(AckMode::Last, mock);
    source.start(&long(), None).expect("a start");
    let first = source.read_batch(&long()).expect("a batch");
    let second = source.read_batch(&long()).expect("a batch");
    let short = Context::background().with_timeout(Duration::from_millis(50));
    let none = source.read_batch(&short).map(drop);
    assert_eq!(none, Err(ContextEnd::DeadlineExceeded.into()));
    assert_eq!(reads.load(Ordering::SeqCst), 2);
    drop(first);
    let third = source.read_batch(&long()).expect("a batch");
    source.teardown(&long()).expect("a teardown");
    drop(source);
    // They outlive the stream.
    for (batch, position) in [(second, "1"), (third, "2")] {
        let record = batch.records().get(0).expect("a record");
        assert_eq!(record.position(), position.as_bytes());
    }
}

#[test]
fn a_record_is_numbered_by_its_place_in_the_stream() {
    let mut mock = MockSource::new();
    mock.expect_start().returning(|_, _| ok());
    mock.expect_read().returning(|_, batch| {
        for position in 0..3 {
            put(batch, position);
        }
        Read::ROk(CallStatus::MORE)
    });
    let source = source(AckMode::Last, mock);
    source.start(&long(), None).expect("a start");
    source.read(&long()).expect("a record");
    let rest = source.read_batch(&long()).expect("the rest");
    let numbers = |batch: &crate::RecordBatch| {
        let records = batch.records();
        records.iter().map(|it| it.sequence()).collect::<Vec<_>>()
    };
    assert_eq!(numbers(&rest), [1, 2]);
    let next = source.read_batch(&long()).expect("the next");
    assert_eq!(numbers(&next), [3, 4, 5]);
}

#[test]
fn an_ack_that_waits_for_room_ends_with_the_stream() {
    let (door, key) = door();
    let mut mock = MockSource::new();
    mock.expect_start().returning(|_, _| ok());
    mock.expect_read().times(..=1).returning(move |_, _| {
        door.pass();
        failed("broken")
    });
    let source = source(AckMode::Last, mock);
    source.start(&long(), None).expect("a start");
    key.wait();
    for _ in 0..1024 {
        let acked = source.ack(&long(), &Position::from("1"));
        acked.expect("room");
    }
    let full = source.ack(&cancelled(), &Position::from("1"));
    assert_eq!(full, Err(ContextEnd::Cancelled.into()));
    thread::scope(|scope| {
        let acking = scope.spawn(|| source.ack(&long(), &Position::from("1")));
        drop(key);
        let error = acking.join().expect("a thread").expect_err("it is over");
        assert!(error.is_not_open(), "{error}");
    });
}

#[test]
fn a_breach_of_contract_comes_behind_the_records_before_it() {
    let mut mock = MockSource::new();
    mock.expect_start().returning(|_, _| ok());
    let reads = AtomicU64::new(0);
    mock.expect_read().times(..=2).returning(move |_, batch| {
        match reads.fetch_add(1, Ordering::SeqCst) {
            0 => {
                put(batch, 0);
                Read::ROk(CallStatus::MORE)
            }
            _ => Read::ROk(CallStatus(7)),
        }
    });
    let source = source(AckMode::Last, mock);
    source.start(&long(), None).expect("a start");
    source.read(&long()).expect("a record");
    let error = source.read(&long()).expect_err("7 is no status");
    assert!(matches!(error, StreamError::Contract(_)), "{error}");
}

#[test]
fn an_ended_source_is_told_of_acks_while_it_rests() {
    let (tell, told) = channel();
    let mut mock = MockSource::new();
    mock.expect_start().returning(|_, _| ok());
    mock.expect_read().times(..=1).returning(|_, batch| {
        put(batch, 0);
        put(batch, 1);
        Read::ROk(CallStatus::END)
    });
    mock.expect_ack().returning(move |_, acks| {
        tell.send(acks.first_sequence).ok();
        ok()
    });
    let source = source(AckMode::Last, mock);
    source.start(&long(), None).expect("a start");
    for number in 0..2 {
        let record = source.read(&long()).expect("a record");
        source.ack(&long(), &record.position).expect("an ack");
        let heard = told.recv_timeout(Duration::from_secs(20));
        assert_eq!(heard, Ok(number));
    }
    assert_eq!(source.stop(&long()), Ok(Some(Position::from("1"))));
    source.teardown(&long()).expect("a teardown");
}
