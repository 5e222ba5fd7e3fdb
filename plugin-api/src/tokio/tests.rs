use std::future::pending;
use std::ops::Range;
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Barrier};
use std::thread;

use ::tokio::sync::oneshot;

use super::*;
use crate::context::Context;
use crate::destination::Acks;
use crate::error::{Error, ErrorKind, Result};
use crate::feed::tests::{LONG, context, read, read_all, said};
use crate::feed::{Capacity, FeedClosed};
use crate::ffi::TestContext;
use crate::ffi::testing::with_sink;
use crate::record::Record;
use crate::source::Progress;

/// Tells of its drop, and so of that of the future which holds it.
struct Held(Sender<()>);

impl Drop for Held {
    fn drop(&mut self) {
        // Whoever doesn't listen any more has seen what it wanted to.
        self.0.send(()).ok();
    }
}

fn runtime() -> Runtime {
    Runtime::new().expect("a runtime")
}

fn handle(context: &TestContext) -> Context {
    Context::new(context.handle().clone())
}

async fn push(feeder: &AsyncFeeder, numbers: Range<u64>) -> Result<()> {
    for number in numbers {
        feeder.push(Record::create(number)).await?;
    }
    Ok(())
}

#[test]
fn a_call_gets_what_its_future_returns() {
    let (runtime, context) = (runtime(), handle(&context()));
    let (send, receive) = oneshot::channel();
    runtime.handle().spawn(async { send.send(7) });
    let got = runtime.block_on(&context, async { Ok(receive.await?) });
    assert_eq!(got, Ok(7));
    let failed = runtime.block_on(&context, async { Err::<(), _>(Error::fatal("no")) });
    assert_eq!(failed, Err(Error::fatal("no")));
}

#[test]
fn a_cancelled_call_drops_its_future() {
    let (runtime, context) = (runtime(), context());
    let (tell, told) = channel();
    let (begin, begun) = channel();
    thread::scope(|scope| {
        let call = scope.spawn(|| {
            runtime.block_on(&handle(&context), async {
                let _held = Held(tell);
                begin.send(())?;
                pending::<Result<()>>().await
            })
        });
        said(&begun);
        context.cancel();
        let result = call.join().expect("the call returns");
        assert_eq!(
            result.map_err(|error| error.kind()),
            Err(ErrorKind::Cancelled)
        );
        assert_eq!(told.try_recv(), Ok(()));
    });
}

#[test]
fn a_graceful_stop_leaves_a_call_to_its_end() {
    let (runtime, context) = (runtime(), context());
    context.stop();
    let result = runtime.block_on(&handle(&context), async {
        // Longer than between two looks at the context.
        ::tokio::time::sleep(runtime::LOOK * 2).await;
        Ok(7)
    });
    assert_eq!(result, Ok(7));
}

#[test]
fn a_full_feed_holds_the_block_back_and_loses_nothing() {
    for records in [1, 2, 7] {
        let capacity = Capacity {
            records,
            ..Capacity::default()
        };
        let mut feed = runtime().feed_with(capacity, async |feeder| push(&feeder, 0..1_000).await);
        let all = read_all(&mut feed, 10, &context());
        assert_eq!(all, (Ok(()), Vec::from_iter(0..1_000)));
    }
}

#[test]
fn a_record_of_a_block_ends_the_wait_for_it() {
    let context = Arc::new(context());
    let seen = Arc::clone(&context);
    let mut feed = runtime().feed(async move |feeder| {
        for number in 0..100 {
            seen.await_waits(number + 1);
            feeder.push(Record::create(number)).await?;
        }
        Ok(())
    });
    for number in 0..100 {
        let got = read(&mut feed, 10, &context);
        assert_eq!(got, (Ok(Progress::More), vec![number.into()]));
        assert_eq!((context.waits(), context.timeouts()), (number + 1, 0));
    }
}

#[test]
fn errors_and_panics_come_behind_the_records_before_them() {
    for panics in [false, true] {
        let mut feed = runtime().feed(async move |feeder| {
            push(&feeder, 0..25).await?;
            assert!(!panics, "asked to");
            Err(Error::fatal("asked to"))
        });
        let (result, all) = read_all(&mut feed, 10, &context());
        let error = result.expect_err("it fails");
        let kind = if panics {
            ErrorKind::Panic
        } else {
            ErrorKind::Fatal
        };
        assert_eq!(error.kind(), kind);
        assert!(error.message().ends_with("asked to"), "{error}");
        assert_eq!(all, Vec::from_iter(0..25));
    }
}

#[test]
fn a_stop_drops_the_block_at_its_await() {
    for (by_drop, hangs_in_push) in [(false, false), (false, true), (true, false), (true, true)] {
        let capacity = Capacity {
            records: 1,
            ..Capacity::default()
        };
        let (tell, told) = channel();
        let mut feed = runtime().feed_with(capacity, async move |feeder| {
            let _held = Held(tell);
            push(&feeder, 0..1).await?;
            if hangs_in_push {
                push(&feeder, 1..1_000).await?;
            }
            pending().await
        });
        assert_eq!(read(&mut feed, 1, &context()).1, [0]);
        if by_drop {
            drop(feed);
            said(&told);
        } else {
            feed.stop();
            said(&told);
            assert_eq!(read(&mut feed, 1, &context()).0, Ok(Progress::End));
        }
    }
}

#[test]
fn a_run_until_the_end_ends_where_the_block_is_idle() {
    let (tell, told) = channel();
    let mut feed = runtime().feed(async move |feeder| {
        let _held = Held(tell);
        assert_eq!(feeder.until_end().await, Ok(true));
        push(&feeder, 0..25).await?;
        assert_eq!(feeder.idle(), Err(FeedClosed));
        pending().await
    });
    let context = context();
    context.set_until_end();
    let all = read_all(&mut feed, 10, &context);
    assert_eq!(all, (Ok(()), Vec::from_iter(0..25)));
    said(&told);
}

#[test]
fn a_task_that_blocks_holds_nobody_up() {
    let (go, gone) = channel::<()>();
    let begun = Arc::new(Barrier::new(2));
    let beginning = Arc::clone(&begun);
    let (tell, told) = channel();
    let runtime = runtime();
    let feed = runtime.feed(async move |_| {
        beginning.wait();
        // What a client must not do.
        let _held = Held(tell);
        Ok(gone.recv()?)
    });
    begun.wait();
    drop((feed, runtime));
    assert!(told.try_recv().is_err());
    drop(go);
    said(&told);
}

/// Calls a destination with a sink; returns the sequences that are acknowledged by it.
fn answers(call: impl FnOnce(&mut Acks<'_>) -> Result<()>) -> (Result<()>, Vec<Range<u64>>) {
    let mut answers = Vec::new();
    let result = with_sink(&mut answers, |sink| call(&mut Acks::new(sink)));
    let acked = answers.into_iter().map(|(range, error)| {
        assert_eq!(error, None);
        range
    });
    (result, acked.collect())
}

#[test]
fn records_are_acknowledged_when_their_task_has_written_them() {
    let context = context();
    let mut writes = Writes::new(&runtime(), 2);
    let mut gates = Vec::new();
    for first in [0, 10] {
        let (open, gate) = oneshot::channel();
        gates.push(open);
        let begun = answers(|acks| {
            writes.spawn(first..first + 10, acks, &handle(&context), async {
                Ok(gate.await?)
            })
        });
        assert_eq!(begun, (Ok(()), vec![]));
    }
    for (gate, written) in gates.into_iter().zip([0..10, 10..20]).rev() {
        gate.send(()).expect("the task waits");
        // The task wakes the host.
        let woken = handle(&context).wait(LONG);
        assert!(!woken.is_timeout());
        assert_eq!(answers(|acks| writes.answer(acks)), (Ok(()), vec![written]));
    }
}

#[test]
fn a_write_goes_on_when_a_task_has_ended() {
    let context = context();
    let mut writes = Writes::new(&runtime(), 1);
    let (open, gate) = oneshot::channel::<()>();
    let (tell, told) = channel();
    let tell_second = tell.clone();
    let first = async move {
        gate.await?;
        Ok(tell.send(1)?)
    };
    let begun = answers(|acks| writes.spawn(0..1, acks, &handle(&context), first));
    assert_eq!(begun, (Ok(()), vec![]));
    // The call that begins the second may answer the first already.
    let mut acked = thread::scope(|scope| {
        scope.spawn(|| open.send(()));
        let second = async move { Ok(tell_second.send(2)?) };
        let begun = answers(|acks| writes.spawn(1..2, acks, &handle(&context), second));
        assert_eq!(begun.0, Ok(()));
        assert_eq!([said(&told), said(&told)], [1, 2]);
        begun.1
    });
    while acked.len() < 2 {
        assert!(!handle(&context).wait(LONG).is_timeout());
        acked.extend(answers(|acks| writes.answer(acks)).1);
    }
    assert_eq!(acked, [0..1, 1..2]);
}

#[test]
fn a_cancelled_write_waits_for_no_task() {
    let context = context();
    let mut writes = Writes::new(&runtime(), 1);
    answers(|acks| writes.spawn(0..1, acks, &handle(&context), pending()))
        .0
        .expect("it runs");
    context.cancel();
    let spawned = answers(|acks| writes.spawn(1..2, acks, &handle(&context), pending()));
    assert_eq!(
        spawned.0.map_err(|error| error.kind()),
        Err(ErrorKind::Cancelled)
    );
}

#[test]
fn a_task_that_fails_or_panics_ends_the_stream() {
    for panics in [false, true] {
        let context = context();
        let mut writes = Writes::new(&runtime(), 1);
        let write = async move {
            assert!(!panics, "asked to");
            Err(Error::fatal("asked to"))
        };
        answers(|acks| writes.spawn(0..1, acks, &handle(&context), write))
            .0
            .expect("it runs");
        assert!(!handle(&context).wait(LONG).is_timeout());
        let (result, acked) = answers(|acks| writes.answer(acks));
        let error = result.expect_err("it fails");
        let kind = if panics {
            ErrorKind::Panic
        } else {
            ErrorKind::Fatal
        };
        assert_eq!(error.kind(), kind);
        assert_eq!(acked, []);
    }
}
