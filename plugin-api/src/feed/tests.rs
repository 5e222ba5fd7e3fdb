use std::io::{Read, Write, pipe};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use super::*;
use crate::batch::Batch;
use crate::error::{Error, ErrorKind};
use crate::ffi::{TestBuffer, TestContext};
use crate::format::Format;
use crate::record::{Position, Record};

/// A wait of so long means that the wake-up was lost.
pub(crate) const LONG: Duration = Duration::from_secs(30);

pub(crate) fn context() -> TestContext {
    let context = TestContext::new();
    context.set_max_wait(LONG);
    context
}

/// Reads once into a batch of so many records; returns the positions.
pub(crate) fn read(
    feed: &mut Feed,
    records: usize,
    context: &TestContext,
) -> (Result<Progress>, Vec<u64>) {
    let mut result = Ok(Progress::More);
    let handle = Context::new(context.handle().clone());
    let positions = TestBuffer::new(records, 1 << 20).fill(
        |buffer| result = feed.read(&mut BatchWriter::new(buffer), &handle),
        |batch| {
            let batch = Batch::new(batch, Format::default());
            let positions = batch.iter().map(|record| record.position().to_owned());
            let parsed =
                positions.map(|position| Position::new(position).parse().expect("a number"));
            parsed.collect()
        },
    );
    (result, positions)
}

/// Reads until the feed has ended, in batches of so many records.
pub(crate) fn read_all(
    feed: &mut Feed,
    records: usize,
    context: &TestContext,
) -> (Result<()>, Vec<u64>) {
    let mut all = Vec::new();
    loop {
        let (result, positions) = read(feed, records, context);
        all.extend(positions);
        match result {
            Ok(Progress::End) => return (Ok(()), all),
            Ok(_) => {}
            Err(error) => return (Err(error), all),
        }
    }
}

fn push(feeder: &Feeder, numbers: std::ops::Range<u64>) -> Result<()> {
    for number in numbers {
        feeder.push(Record::create(number))?;
    }
    Ok(())
}

/// What the closure says.
pub(crate) fn said<T>(receiver: &Receiver<T>) -> T {
    receiver.recv_timeout(LONG).expect("something is said")
}

#[test]
fn a_full_feed_holds_the_closure_back_and_loses_nothing() {
    for records in [1, 2, 7] {
        let capacity = Capacity {
            records,
            ..Capacity::default()
        };
        let mut feed =
            Feed::spawn_with(capacity, |feeder| push(&feeder, 0..1_000)).expect("a feed");
        let context = context();
        let (result, all) = read_all(&mut feed, 10, &context);
        assert_eq!(result, Ok(()));
        assert_eq!(all, Vec::from_iter(0..1_000));
    }
}

#[test]
fn what_was_taken_and_has_no_room_in_the_batch_still_counts() {
    let capacity = Capacity {
        records: 4,
        ..Capacity::default()
    };
    let (tell, told) = channel();
    let mut feed = Feed::spawn_with(capacity, move |feeder| {
        for number in 0..10_u64 {
            feeder.push(Record::create(number))?;
            tell.send(number).expect("the test listens");
        }
        Ok(())
    })
    .expect("a feed");
    for number in 0..4 {
        assert_eq!(said(&told), number);
    }
    assert!(feed.queue.is_full_for(1));
    // One of the four that were taken goes into the batch, so one more is let in.
    assert_eq!(read(&mut feed, 1, &context()).1, [0]);
    assert_eq!(said(&told), 4);
    assert!(feed.queue.is_full_for(1));
}

#[test]
fn bytes_are_bounded_and_a_large_record_has_the_feed_to_itself() {
    let queue = Queue::new(Capacity {
        records: 100,
        bytes: 2_000,
    });
    let record = |bytes: usize| Record::create(0).with_payload(vec![0; bytes]);
    assert!(!queue.is_full_for(size::of(&record(100_000))));
    queue.push(record(100_000)).expect("open");
    assert!(queue.is_full_for(size::of(&record(0))));
    let mut feed = Feed::of(Arc::new(queue), None);
    assert_eq!(read(&mut feed, 1, &context()).1, [0]);
    let queue = Arc::clone(&feed.queue);
    assert!(!queue.is_full_for(size::of(&record(500))));
    queue.push(record(500)).expect("open");
    queue.push(record(500)).expect("open");
    assert!(queue.is_full_for(size::of(&record(800))));
    queue.end(Ok(()));
}

#[test]
fn a_record_ends_the_wait_for_it() {
    let context = Arc::new(context());
    let seen = Arc::clone(&context);
    let mut feed = Feed::spawn(move |feeder| {
        for number in 0..100 {
            seen.await_waits(number + 1);
            feeder.push(Record::create(number))?;
        }
        seen.await_waits(101);
        Ok(())
    })
    .expect("a feed");
    for number in 0..100 {
        let (result, positions) = read(&mut feed, 10, &context);
        assert_eq!(
            (result, positions),
            (Ok(Progress::More), vec![number.into()])
        );
        assert_eq!((context.waits(), context.timeouts()), (number + 1, 0));
    }
    assert_eq!(read(&mut feed, 10, &context).0, Ok(Progress::End));
}

#[test]
fn a_read_that_may_not_wait_says_that_there_is_nothing() {
    let (go, gone) = channel::<()>();
    let mut feed = Feed::spawn(move |_| Ok(gone.recv()?)).expect("a feed");
    let context = TestContext::new();
    assert_eq!(read(&mut feed, 10, &context).0, Ok(Progress::Idle));
    assert_eq!(context.waits(), 1);
    drop(go);
}

#[test]
fn an_error_comes_behind_the_records_before_it() {
    let mut feed = Feed::spawn(|feeder| {
        push(&feeder, 0..25)?;
        Err(Error::fatal("the line is cut"))
    })
    .expect("a feed");
    let (result, all) = read_all(&mut feed, 10, &context());
    assert_eq!(result.expect_err("it fails").message(), "the line is cut");
    assert_eq!(all, Vec::from_iter(0..25));
    // It is told once.
    assert_eq!(read(&mut feed, 10, &context()).0, Ok(Progress::End));
}

#[test]
fn a_panic_comes_behind_the_records_before_it() {
    let mut feed = Feed::spawn(|feeder| {
        push(&feeder, 0..25)?;
        panic!("asked to")
    })
    .expect("a feed");
    let (result, all) = read_all(&mut feed, 10, &context());
    let error = result.expect_err("it fails");
    assert_eq!(error.kind(), ErrorKind::Panic);
    assert_eq!(error.message(), "panic: asked to");
    assert_eq!(all, Vec::from_iter(0..25));
}

#[test]
fn a_stop_ends_a_closure_that_waits_in_push() {
    let capacity = Capacity {
        records: 1,
        ..Capacity::default()
    };
    for by_drop in [false, true] {
        let (tell, told) = channel();
        let mut feed = Feed::spawn_with(capacity, move |feeder| {
            let pushed = push(&feeder, 0..1_000);
            tell.send((pushed.clone(), feeder.is_closed(), feeder.idle()))?;
            pushed
        })
        .expect("a feed");
        feed.patience = LONG;
        assert_eq!(read(&mut feed, 1, &context()).1, [0]);
        if by_drop {
            drop(feed);
        } else {
            feed.stop();
            assert_eq!(read(&mut feed, 10, &context()), (Ok(Progress::End), vec![]));
        }
        let closed = (Err(FeedClosed.into()), true, Err(FeedClosed));
        assert_eq!(said(&told), closed);
    }
}

#[test]
fn drop_leaves_a_closure_to_itself_that_hangs_in_its_client() {
    let (mut client, mut server) = pipe().expect("a pipe");
    let (tell, told) = channel();
    let mut feed = Feed::spawn(move |feeder| {
        let mut byte = [0];
        while client.read(&mut byte)? > 0 {
            let pushed = feeder.push(Record::create(byte[0]));
            tell.send(pushed)?;
            pushed?;
        }
        Ok(())
    })
    .expect("a feed");
    server.write_all(&[7]).expect("a byte");
    assert_eq!(read(&mut feed, 10, &context()).1, [7]);
    assert_eq!(said(&told), Ok(()));
    drop(feed);
    // It is still there, and learns of the end when its client returns.
    server.write_all(&[8]).expect("a byte");
    assert_eq!(said(&told), Err(FeedClosed));
}

#[test]
fn a_drop_finds_the_closure_gone_that_looks_after_its_feeder() {
    /// Tells when the closure's client is dropped.
    struct Client(std::sync::mpsc::Sender<()>);

    impl Drop for Client {
        fn drop(&mut self) {
            self.0.send(()).expect("the test listens");
        }
    }

    let (tell, told) = channel();
    let client = Client(tell);
    let mut feed = Feed::spawn(move |feeder| {
        let _client = client;
        while !feeder.is_closed() {
            thread::yield_now();
        }
        Ok(())
    })
    .expect("a feed");
    feed.patience = LONG;
    drop(feed);
    assert_eq!(told.try_recv(), Ok(()));
}

#[test]
fn a_run_until_the_end_ends_where_the_closure_is_idle() {
    let (tell, told) = channel();
    let mut feed = Feed::spawn(move |feeder| {
        push(&feeder, 0..25)?;
        // Known only at the first read, so this may be `Ok` once.
        while feeder.idle().is_ok() {
            thread::yield_now();
        }
        tell.send(feeder.until_end())?;
        Err(FeedClosed.into())
    })
    .expect("a feed");
    let context = context();
    context.set_until_end();
    let (result, all) = read_all(&mut feed, 10, &context);
    assert_eq!((result, all), (Ok(()), Vec::from_iter(0..25)));
    assert_eq!(said(&told), Err(FeedClosed));
}

#[test]
fn a_run_until_the_end_ends_where_the_closure_was_idle_before_the_first_read() {
    let (tell, told) = channel();
    let (go, gone) = channel::<()>();
    let mut feed = Feed::spawn(move |feeder| {
        push(&feeder, 0..3)?;
        tell.send(feeder.idle())?;
        Ok(gone.recv()?)
    })
    .expect("a feed");
    assert_eq!(said(&told), Ok(()));
    let context = context();
    context.set_until_end();
    assert_eq!(read_all(&mut feed, 10, &context), (Ok(()), vec![0, 1, 2]));
    drop(go);
}

#[test]
fn a_run_until_the_end_waits_for_a_closure_that_is_not_idle() {
    let (go, gone) = channel::<()>();
    let mut feed = Feed::spawn(move |feeder| {
        assert_eq!(feeder.until_end(), Ok(true));
        gone.recv()?;
        push(&feeder, 0..3)
    })
    .expect("a feed");
    let context = TestContext::new();
    context.set_until_end();
    for _ in 0..3 {
        assert_eq!(read(&mut feed, 10, &context), (Ok(Progress::More), vec![]));
    }
    go.send(()).expect("the closure listens");
    context.set_max_wait(LONG);
    assert_eq!(read_all(&mut feed, 10, &context), (Ok(()), vec![0, 1, 2]));
}

#[test]
fn a_run_without_end_goes_on_behind_an_idle_closure() {
    let (tell, told) = channel();
    let (go, gone) = channel::<()>();
    let mut feed = Feed::spawn(move |feeder| {
        assert_eq!(feeder.until_end(), Ok(false));
        tell.send(feeder.idle())?;
        gone.recv()?;
        push(&feeder, 0..3)
    })
    .expect("a feed");
    let context = TestContext::new();
    assert_eq!(read(&mut feed, 10, &context).0, Ok(Progress::Idle));
    assert_eq!(said(&told), Ok(()));
    assert_eq!(read(&mut feed, 10, &context).0, Ok(Progress::Idle));
    go.send(()).expect("the closure listens");
    context.set_max_wait(LONG);
    assert_eq!(read_all(&mut feed, 10, &context), (Ok(()), vec![0, 1, 2]));
}
