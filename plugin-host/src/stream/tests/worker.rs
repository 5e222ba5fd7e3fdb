//! What waits for a thread that is in the plugin.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use plugin_api::Error;
use plugin_api::ffi::SourceObject;

use super::{Door, cancelled, door, long, session};
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

#[test]
fn withdrawn_calls_do_not_pile_up() {
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
    let worker = worker.expect("a thread");
    key.wait();
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
