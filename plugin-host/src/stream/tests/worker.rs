//! What waits for a thread that is in the plugin.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use plugin_api::Error;
use plugin_api::ffi::SourceObject;

use super::{Door, Key, cancelled, door, long, session};
use crate::session::mock::MockSource;
use crate::stream::life::Life;
use crate::stream::worker::{Pump, Step, Worker};
use crate::stream::{ContextEnd, StreamError};

/// Once the object is made it stays in its step.
struct Stuck {
    door: Option<Door>,
    is_made: Arc<AtomicBool>,
}

impl Pump for Stuck {
    type Object = SourceObject;

    fn step(&mut self) -> Step {
        if self.is_made.load(Ordering::SeqCst)
            && let Some(door) = self.door.take()
        {
            door.pass();
        }
        Step::Wait
    }

    fn finish(&mut self) {}
}

/// A worker whose thread is in its step until the key is dropped.
fn stuck() -> (Worker<Stuck>, Arc<Life>, Key) {
    let (door, key) = door();
    let life = Arc::new(Life::new(|| {}));
    let is_made = Arc::new(AtomicBool::new(false));
    let pump = Stuck {
        door: Some(door),
        is_made: Arc::clone(&is_made),
    };
    let make = move || -> Result<SourceObject, Error> {
        let mut mock = MockSource::new();
        mock.expect_teardown().returning(|_| super::ok());
        is_made.store(true, Ordering::SeqCst);
        Ok(mock.into())
    };
    let worker = Worker::start(&session(), &life, pump, &long(), make);
    key.wait();
    (worker.expect("a thread"), life, key)
}

#[test]
fn withdrawn_calls_do_not_pile_up() {
    let (worker, _life, key) = stuck();
    for _ in 0..1000 {
        let called: Result<(), StreamError> = worker.call(&cancelled(), |_| Ok(()));
        assert_eq!(called, Err(ContextEnd::Cancelled.into()));
    }
    assert!(worker.waiting() <= 64, "{} calls wait", worker.waiting());
    drop(key);
    let called: Result<(), StreamError> = worker.call(&long(), |_| Ok(()));
    called.expect("there is room again");
    worker.teardown(&long()).expect("a teardown");
}

/// Has a call wait for a thread that is stuck, lets something happen, and returns what has become
/// of the call.
fn meanwhile(
    worker: &Worker<Stuck>,
    happen: impl FnOnce(),
) -> Result<Result<(), StreamError>, ContextEnd> {
    let context = long();
    let called = thread::scope(|scope| {
        let calling = scope.spawn(|| worker.call(&context, |_| Ok(())));
        while worker.waiting() == 0 {
            thread::yield_now();
        }
        happen();
        calling.join().expect("a thread")
    });
    context.end().map_or(Ok(called), Err)
}

#[test]
fn a_call_that_waits_for_the_thread_ends_with_the_stream() {
    let (worker, life, key) = stuck();
    let (stream, handle) = long().with_cancel();
    life.open(stream);
    let called = meanwhile(&worker, || handle.cancel());
    assert_eq!(called, Ok(Err(ContextEnd::Cancelled.into())));
    drop(key);
    worker.teardown(&long()).expect("it was not given up");
}

#[test]
fn so_does_one_that_was_asked_for_before_the_stream_was_opened() {
    let (worker, life, key) = stuck();
    let (stream, handle) = long().with_cancel();
    let called = meanwhile(&worker, || {
        life.open(stream);
        handle.cancel();
    });
    assert_eq!(called, Ok(Err(ContextEnd::Cancelled.into())));
    drop(key);
    worker.teardown(&long()).expect("it was not given up");
}
