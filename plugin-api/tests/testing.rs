//! The suite for connectors sees what is wrong with one.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Once;
use std::sync::mpsc::{Sender, channel};
use std::thread;
use std::time::Duration;

use plugin_api::{
    Acks, Batch, BatchWriter, Context, Destination, Error, Parameter, ParameterType, Parameters,
    Plugin, Position, Progress, Result, Settings, Source, testing,
};

/// How the suite fails a connector.
fn failure(test: fn(Plugin, &[(&str, &str)]), plugin: Plugin, settings: &[(&str, &str)]) -> String {
    let failed = catch_unwind(AssertUnwindSafe(|| test(plugin, settings))).expect_err("it passes");
    match failed.downcast::<String>() {
        Ok(message) => *message,
        Err(other) => (*other.downcast::<&str>().expect("a text")).to_owned(),
    }
}

#[derive(Parameters)]
struct Config {
    /// Which fault the connector has.
    fault: String,
}

/// Threads of a connector, as its fault says.
fn start_thread(fault: &str) -> Option<Sender<()>> {
    static POOL: Once = Once::new();
    let named = |work: Box<dyn FnOnce() + Send>| {
        let thread = thread::Builder::new().name("the-poller".to_owned());
        thread.spawn(work).expect("a thread");
    };
    let park = || {
        loop {
            thread::park();
        }
    };
    match fault {
        "thread" => named(Box::new(park)),
        "pool" => POOL.call_once(|| named(Box::new(park))),
        "ending thread" => {
            let (sender, receiver) = channel::<()>();
            named(Box::new(move || {
                // Until the instance is dropped.
                receiver.recv().ok();
            }));
            return Some(sender);
        }
        _ => {}
    }
    None
}

/// Counts to 5.
struct Counter {
    next: u64,
    opened: bool,
    fault: String,
    _thread: Option<Sender<()>>,
}

impl Source for Counter {
    type Config = Config;

    fn open(config: Config, position: Option<&Position>) -> Result<Self> {
        let reached = position.map(Position::parse::<u64>).transpose()?;
        let again = config.fault == "again" && reached.is_some();
        Ok(Self {
            next: reached.unwrap_or(0) + u64::from(!again),
            opened: reached.is_some(),
            _thread: start_thread(&config.fault),
            fault: config.fault,
        })
    }

    fn read(&mut self, batch: &mut BatchWriter, context: &Context) -> Result<Progress> {
        if self.fault == "sleep" {
            thread::sleep(context.max_wait() + Duration::from_millis(600));
        }
        while self.next <= 5 && self.fault != "nothing" {
            let position = if self.fault == "same" { 7 } else { self.next };
            let payload = if self.fault == "other" && self.opened {
                0
            } else {
                self.next
            };
            batch.create(position).payload(payload);
            self.next += 1;
        }
        match &*self.fault {
            "error" => Err(Error::fatal("out of order")),
            _ => Ok(Progress::End),
        }
    }

    fn ack(&mut self, _: &Position) -> Result<()> {
        match &*self.fault {
            "ack" => Err(Error::fatal("not taken")),
            _ => Ok(()),
        }
    }
}

#[test]
fn a_source_that_keeps_the_contract_passes() {
    for fault in ["none", "ending thread", "pool"] {
        testing::source(
            Plugin::from_source("test", Counter::open),
            &[("fault", fault)],
        );
    }
}

#[test]
fn what_is_wrong_with_a_source_is_told() {
    for (fault, said) in [
        ("nothing", "the source has no record with these settings"),
        (
            "same",
            "record 1 has the position `7` of a record before it",
        ),
        (
            "again",
            "opened at `1`, the source goes on at `1`, expected `2`",
        ),
        (
            "other",
            "opened at `1`, the source gives another record at `2` than before",
        ),
        ("error", "`read` has failed: out of order"),
        ("ack", "`ack` has failed: not taken"),
        (
            "sleep",
            "3 reads in a row have each taken more than 500ms longer than `max_wait`",
        ),
        (
            "thread",
            "threads of the plugin are left after all were torn down and dropped: [\"the-poller\"",
        ),
    ] {
        let told = failure(
            testing::source,
            Plugin::from_source("test", Counter::open),
            &[("fault", fault)],
        );
        assert!(told.contains(said), "{fault}: {told}");
    }
    let told = failure(
        testing::source,
        Plugin::from_source("test", Counter::open),
        &[],
    );
    assert_eq!(
        told,
        "`configure` has failed: parameter `fault`: a value is required"
    );
    let told = failure(
        testing::destination,
        Plugin::from_source("test", Counter::open),
        &[],
    );
    assert_eq!(told, "the plugin has no destination");
}

/// Takes records.
struct Shelf {
    fault: String,
    /// Sequences that a later call answers.
    later: Vec<u64>,
    _thread: Option<Sender<()>>,
}

impl Destination for Shelf {
    type Config = Config;

    fn open(config: Config) -> Result<Self> {
        Ok(Self {
            _thread: start_thread(&config.fault),
            later: Vec::new(),
            fault: config.fault,
        })
    }

    fn write(&mut self, batch: &Batch, acks: &mut Acks, _: &Context) -> Result<()> {
        let Some(first) = batch.get(0) else {
            return Ok(());
        };
        match &*self.fault {
            "twice" => acks.ok(&first),
            "foreign" => acks.ok_range(0, 1),
            "refused" => acks.nack(&first, Error::fatal("no")),
            "closed" => acks.close(),
            "deferred" => acks.defer(),
            _ => {}
        }
        if self.fault == "twice" {
            acks.ok(&first);
        }
        if self.fault == "second in write" {
            self.answer(acks);
        }
        self.later.extend(batch.into_iter().map(|it| it.sequence()));
        Ok(())
    }

    fn flush(&mut self, acks: &mut Acks, _: &Context) -> Result<()> {
        if matches!(&*self.fault, "deferred" | "second in flush") {
            self.answer(acks);
        }
        Ok(())
    }
}

impl Shelf {
    fn answer(&mut self, acks: &mut Acks) {
        for sequence in self.later.drain(..) {
            acks.ok_range(sequence, sequence + 1);
        }
    }
}

#[test]
fn a_destination_that_keeps_the_contract_passes() {
    for fault in ["none", "deferred", "ending thread", "pool"] {
        testing::destination(
            Plugin::from_destination("test", Shelf::open),
            &[("fault", fault)],
        );
    }
}

#[test]
fn what_is_wrong_with_a_destination_is_told() {
    for (fault, said) in [
        ("twice", "record 100 has 2 answers, expected one"),
        // What forgets `Acks::defer`, and answers later.
        (
            "second in write",
            "record 100 has 2 answers, expected one: `Ok` of `write` acknowledges all that has no answer, \
             unless `Acks::defer` leaves it for a later `write` or `flush`",
        ),
        ("second in flush", "record 100 has 2 answers, expected one"),
        (
            "foreign",
            "an answer to Some((0..1, None)), and the records 100..111 were written",
        ),
        ("refused", "a created record is refused"),
        (
            "closed",
            "`write` says that the destination takes no further record",
        ),
        (
            "thread",
            "threads of the plugin are left after all were torn down and dropped: [\"the-poller\"",
        ),
    ] {
        let told = failure(
            testing::destination,
            Plugin::from_destination("test", Shelf::open),
            &[("fault", fault)],
        );
        assert!(told.contains(said), "{fault}: {told}");
    }
}

/// Parameters that are written by hand, and wrong.
struct Wrong;

impl Parameters for Wrong {
    const PARAMETERS: &'static [(&'static str, Parameter)] = &[(
        "path",
        Parameter {
            default: std::borrow::Cow::Borrowed(""),
            kind: ParameterType::String,
            description: std::borrow::Cow::Borrowed("What it does."),
            validations: std::borrow::Cow::Borrowed(&[plugin_api::Validation {
                kind: plugin_api::ValidationType::Required,
                value: std::borrow::Cow::Borrowed(""),
            }]),
            secret: false,
        },
    )];

    fn from_settings(_: &Settings<'_>) -> Result<Self> {
        Ok(Self)
    }
}

/// Takes anything.
struct Careless;

impl Destination for Careless {
    type Config = Wrong;

    fn open(_: Wrong) -> Result<Self> {
        Ok(Self)
    }

    fn write(&mut self, _: &Batch, _: &mut Acks, _: &Context) -> Result<()> {
        Ok(())
    }
}

#[test]
fn a_required_parameter_that_is_not_asked_for_is_told() {
    let plugin = || Plugin::from_destination("test", Careless::open);
    let told = failure(testing::destination, plugin(), &[("path", "x")]);
    assert_eq!(
        told,
        "`configure` takes settings without \"path\", which is required"
    );
    let told = failure(testing::destination, plugin(), &[]);
    assert_eq!(told, "the test's settings lack \"path\", which is required");
}
