//! One connector at a time, by blocking calls.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, bounded};
use plugin_api::{
    Acks, Batch, BatchWriter, Context as PluginContext, Destination, Error, Parameters, Plugin,
    Position, Progress, Record, Result, Source,
};
use plugin_host::{
    Context, ContextEnd, DestinationStream, PluginService, Registry, SourceStream, StreamError,
};

use crate::support::{note, noted};

/// Numbers from behind the position to `last`; then it ends, or waits for a stop.
struct Numbers {
    next: u64,
    config: NumbersConfig,
}

#[derive(Parameters)]
struct NumbersConfig {
    /// Last number.
    last: u64,
    /// Whether it waits behind it.
    #[parameter(default = false)]
    wait: bool,
    /// Whether the read behind the last number fails.
    #[parameter(default = false)]
    fail: bool,
    /// Name under which acks are noted.
    #[parameter(default = "")]
    journal: String,
}

impl Source for Numbers {
    type Config = NumbersConfig;

    fn open(config: NumbersConfig, position: Option<&Position>) -> Result<Self> {
        let next = position
            .map(Position::parse::<u64>)
            .transpose()?
            .map_or(1, |number| number + 1);
        Ok(Self { next, config })
    }

    fn read(&mut self, batch: &mut BatchWriter, context: &PluginContext) -> Result<Progress> {
        while batch.has_room() && self.next <= self.config.last {
            batch.create(self.next).payload("x");
            self.next += 1;
        }
        if self.next <= self.config.last {
            return Ok(Progress::More);
        }
        if self.config.fail {
            return Err(Error::fatal("no such number"));
        }
        if self.config.wait && !context.is_stopping() {
            let _why = context.wait(Duration::from_secs(60));
            return Ok(Progress::Idle);
        }
        Ok(Progress::End)
    }

    fn ack(&mut self, position: &Position) -> Result<()> {
        note(&self.config.journal, position.to_string());
        Ok(())
    }
}

/// Tells that it is in `read`, and stays there until the test has ended, whatever its context says.
struct Stubborn(Sender<()>, Receiver<()>);

impl Source for Stubborn {
    type Config = ();

    fn open((): (), _: Option<&Position>) -> Result<Self> {
        Err(Error::fatal("a test opens it"))
    }

    fn read(&mut self, _: &mut BatchWriter, _: &PluginContext) -> Result<Progress> {
        self.0.send(()).ok();
        self.1.recv().ok();
        Ok(Progress::End)
    }
}

/// Answers in `flush`, from the newest record to the oldest, and refuses payload `bad`.
struct Late(Vec<(u64, bool)>);

impl Destination for Late {
    type Config = ();

    fn open((): ()) -> Result<Self> {
        Ok(Self(Vec::new()))
    }

    fn write(&mut self, batch: &Batch, acks: &mut Acks, _: &PluginContext) -> Result<()> {
        for record in batch {
            self.0.push((record.sequence(), record.after() == b"bad"));
        }
        acks.defer();
        Ok(())
    }

    fn flush(&mut self, acks: &mut Acks, _: &PluginContext) -> Result<()> {
        for (sequence, bad) in self.0.drain(..).rev() {
            match bad {
                true => acks.nack_sequence(sequence, Error::fatal("bad payload")),
                false => acks.ok_range(sequence, sequence + 1),
            }
        }
        Ok(())
    }
}

fn service() -> PluginService {
    let builtin = Registry::builtin([
        Plugin::from_source("numbers", Numbers::open),
        Plugin::from_destination("late", Late::open),
    ]);
    PluginService::new(builtin, Registry::default())
}

fn numbers(settings: &[(&str, &str)]) -> SourceStream {
    let settings: BTreeMap<_, _> = settings
        .iter()
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
        .collect();
    let dispenser = service().new_dispenser("builtin:numbers").unwrap();
    let source = dispenser.dispense_source(&long()).unwrap();
    source.configure(&long(), &settings).unwrap();
    source
}

fn late() -> DestinationStream {
    let dispenser = service().new_dispenser("late").unwrap();
    let destination = dispenser.dispense_destination(&long()).unwrap();
    destination.configure(&long(), &BTreeMap::new()).unwrap();
    destination
}

fn long() -> Context {
    Context::background().with_timeout(Duration::from_secs(60))
}

#[test]
fn records_are_read_in_order_and_acked() {
    let source = numbers(&[("last", "5000"), ("journal", "stream.acks")]);
    source.start(&long(), Some(&Position::from("10"))).unwrap();
    for number in 11..=3000 {
        let record = source.read(&long()).unwrap();
        assert_eq!(record.position, Position::from(number.to_string()));
    }
    let mut next = 3001;
    while next <= 5000 {
        let batch = source.read_batch(&long()).unwrap();
        for record in &batch.records() {
            assert_eq!(record.position(), next.to_string().as_bytes());
            next += 1;
        }
    }
    assert!(source.read(&long()).unwrap_err().is_not_open());
    source.ack(&long(), &Position::from("5000")).unwrap();
    source.teardown(&long()).unwrap();
    source.teardown(&long()).unwrap();
    assert!(source.read(&long()).unwrap_err().is_not_open());
    assert_eq!(noted("stream.acks"), ["5000"]);
}

#[test]
fn a_stop_ends_a_source_that_waits() {
    let source = numbers(&[("last", "3"), ("wait", "true")]);
    source.start(&long(), None).unwrap();
    for _ in 0..3 {
        source.read(&long()).unwrap();
    }
    let short = Context::background().with_timeout(Duration::from_millis(50));
    assert_eq!(
        source.read(&short),
        Err(ContextEnd::DeadlineExceeded.into())
    );
    assert_eq!(
        source.start(&long(), None),
        Err(StreamError::AlreadyRunning)
    );
    assert_eq!(source.stop(&long()).unwrap(), Some(Position::from("3")));
    assert!(source.read(&long()).unwrap_err().is_not_open());
}

#[test]
fn a_failure_comes_behind_the_records_before_it() {
    let source = numbers(&[("last", "2"), ("fail", "true")]);
    source.start(&long(), None).unwrap();
    source.read(&long()).unwrap();
    source.read(&long()).unwrap();
    let error = source.read(&long()).unwrap_err();
    assert!(matches!(&error, StreamError::Plugin(error) if error.message() == "no such number"));
    assert!(
        source
            .ack(&long(), &Position::from("1"))
            .unwrap_err()
            .is_not_open()
    );
}

#[test]
fn the_context_of_the_start_ends_the_stream_whatever_the_plugin_does() {
    let (enter, entered) = bounded(1);
    let (_open, gate) = bounded(0);
    let plugin = Plugin::from_source("stubborn", move |(), _| {
        Ok(Stubborn(enter.clone(), gate.clone()))
    });
    let service = PluginService::new(Registry::builtin([plugin]), Registry::default());
    let dispenser = service.new_dispenser("stubborn").unwrap();
    let source = dispenser.dispense_source(&long()).unwrap();
    let (stream, handle) = Context::background().with_cancel();
    source.start(&stream, None).unwrap();
    entered.recv().unwrap();
    let read = std::thread::scope(|scope| {
        let reading = scope.spawn(|| source.read(&long()));
        handle.cancel();
        reading.join().unwrap()
    });
    assert_eq!(read, Err(ContextEnd::Cancelled.into()));
    assert_eq!(
        source.ack(&long(), &Position::from("1")),
        Err(ContextEnd::Cancelled.into())
    );
    assert_eq!(source.stop(&long()), Err(ContextEnd::Cancelled.into()));
}

#[test]
fn answers_come_in_order_with_their_errors() {
    let destination = late();
    assert!(destination.ack(&long()).unwrap_err().is_not_open());
    let record = |n: u32, payload: &str| Record::create(n.to_string()).with_payload(payload);
    assert!(
        destination
            .write(&long(), record(0, "x"))
            .unwrap_err()
            .is_not_open()
    );
    destination.start(&long()).unwrap();
    for n in 0..100 {
        let payload = if n % 10 == 3 { "bad" } else { "good" };
        destination.write(&long(), record(n, payload)).unwrap();
    }
    destination
        .stop(&long(), Some(&Position::from("99")))
        .unwrap();
    for n in 0..100_u32 {
        let (position, result) = destination.ack(&long()).unwrap();
        assert_eq!(position, Position::from(n.to_string()));
        match n % 10 {
            3 => assert_eq!(result.unwrap_err().message(), "bad payload"),
            _ => result.unwrap(),
        }
    }
    assert!(destination.ack(&long()).unwrap_err().is_not_open());
    assert!(
        destination
            .write(&long(), record(0, "x"))
            .unwrap_err()
            .is_not_open()
    );
    destination.teardown(&long()).unwrap();
}

#[test]
fn batches_go_from_a_source_to_a_destination_without_a_copy() {
    let source = Arc::new(numbers(&[("last", "200000")]));
    let destination = Arc::new(late());
    source.start(&long(), None).unwrap();
    destination.start(&long()).unwrap();
    let (from, to) = (Arc::clone(&source), Arc::clone(&destination));
    let writer = std::thread::spawn(move || {
        while let Ok(batch) = from.read_batch(&long()) {
            to.write_batch(&long(), batch).unwrap();
        }
        to.stop(&long(), None).unwrap();
    });
    for number in 1..=200_000 {
        let (position, result) = destination.ack(&long()).unwrap();
        result.unwrap();
        source.ack(&long(), &position).unwrap();
        assert_eq!(position, Position::from(number.to_string()));
    }
    assert!(destination.ack(&long()).unwrap_err().is_not_open());
    writer.join().unwrap();
}
