//! What the end of a stream's own context ends, whatever the plugin does.

use std::collections::BTreeMap;
use std::sync::mpsc::channel;
use std::thread;

use abi_stable::std_types::{ROption, RResult};
use plugin_api::ffi::{CallStatus, PluginError, Wakeups};
use plugin_api::{AckMode, Record};

use super::{destination, door, long, ok, source};
use crate::session::mock::{MockDestination, MockSource};
use crate::stream::{ContextEnd, StreamError};

type Called = RResult<CallStatus, PluginError>;

#[test]
fn a_source_that_reads_is_told_of_the_cancelled_stream() {
    let (door, key) = door();
    let (tell, told) = channel();
    let mut mock = MockSource::new();
    mock.expect_start().returning(|_, _| ok());
    mock.expect_read().returning(move |context, _| {
        door.pass();
        tell.send(context.wakeups().contains(Wakeups::CANCEL)).ok();
        Called::ROk(CallStatus::MORE)
    });
    let source = source(AckMode::Last, mock);
    let (stream, handle) = long().with_cancel();
    source.start(&stream, None).expect("a start");
    key.wait();
    handle.cancel();
    drop(key);
    assert_eq!(told.recv(), Ok(true));
}

#[test]
fn a_destination_that_writes_is_told_of_the_cancelled_stream() {
    let (door, key) = door();
    let (tell, told) = channel();
    let mut mock = MockDestination::new();
    mock.expect_start().returning(|_| ok());
    mock.expect_write().returning(move |context, _, _| {
        door.pass();
        tell.send(context.wakeups().contains(Wakeups::CANCEL)).ok();
        Called::ROk(CallStatus::MORE)
    });
    let destination = destination(mock);
    let (stream, handle) = long().with_cancel();
    destination.start(&stream).expect("a start");
    let written = destination.write(&long(), Record::create("0"));
    written.expect("a write");
    key.wait();
    handle.cancel();
    drop(key);
    assert_eq!(told.recv(), Ok(true));
}

#[test]
fn no_call_but_the_teardown_waits_for_a_stubborn_source_once_the_stream_is_over() {
    let (door, key) = door();
    let mut mock = MockSource::new();
    mock.expect_start().returning(|_, _| ok());
    mock.expect_read().times(..=1).returning(move |_, _| {
        door.pass();
        Called::ROk(CallStatus::MORE)
    });
    let source = source(AckMode::Last, mock);
    let (stream, handle) = long().with_cancel();
    source.start(&stream, None).expect("a start");
    key.wait();
    handle.cancel();
    let (context, none) = (long(), BTreeMap::new());
    for refused in [
        source.stop(&context).map(drop),
        source.start(&context, None),
        source.configure(&context, &none),
        source.lifecycle_on_created(&context, &none),
        source.lifecycle_on_updated(&context, &none, &none),
        source.lifecycle_on_deleted(&context, &none),
    ] {
        assert_eq!(refused, Err(ContextEnd::Cancelled.into()));
    }
    assert_eq!(context.end(), None);
    drop(key);
    source.teardown(&long()).expect("it was not given up");
}

#[test]
fn a_stop_that_the_source_is_in_ends_with_the_stream() {
    let (door, key) = door();
    let mut mock = MockSource::new();
    mock.expect_start().returning(|_, _| ok());
    mock.expect_read()
        .returning(|_, _| Called::ROk(CallStatus::IDLE));
    mock.expect_stop().times(..=1).returning(move |_| {
        door.pass();
        RResult::ROk(ROption::RNone)
    });
    let source = source(AckMode::Last, mock);
    let (stream, handle) = long().with_cancel();
    source.start(&stream, None).expect("a start");
    thread::scope(|scope| {
        let stopping = scope.spawn(|| source.stop(&long()));
        key.wait();
        handle.cancel();
        let stopped = stopping.join().expect("a thread");
        assert_eq!(stopped, Err(ContextEnd::Cancelled.into()));
    });
    assert_eq!(source.stop(&long()), Err(StreamError::Detached));
    drop(key);
}

#[test]
fn no_call_but_the_teardown_waits_for_a_stubborn_destination_once_the_stream_is_over() {
    let (door, key) = door();
    let mut mock = MockDestination::new();
    mock.expect_start().returning(|_| ok());
    mock.expect_write().times(..=1).returning(move |_, _, _| {
        door.pass();
        Called::ROk(CallStatus::MORE)
    });
    let destination = destination(mock);
    let (stream, handle) = long().with_cancel();
    destination.start(&stream).expect("a start");
    destination
        .write(&long(), Record::create("0"))
        .expect("a write");
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
