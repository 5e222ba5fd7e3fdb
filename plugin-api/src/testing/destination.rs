//! The tests of a destination.

use std::ops::Range;
use std::time::{Duration, Instant};

use abi_stable::std_types::{ROption, RSlice};

use super::Settings;
use super::common::{Connector, configured, expect, from_abi, test_settings, torn_down};
use super::limit::Steps;
use super::specification;
use super::threads::Threads;
use crate::ffi::testing::{TestBuffer, TestContext, TestHost, with_sink};
use crate::ffi::{CallStatus, DestinationObject, Setting};
use crate::structured::Map;
use crate::{BatchWriter, Data, Error, Operation, Plugin, Position, Record, Result};

/// How long a thread of the destination is given after a `write` to have an answer, unless it wakes earlier.
const REST: Duration = Duration::from_millis(50);

/// Time between two flushes while answers are missing, unless the destination wakes earlier; a host's.
const PAUSE: Duration = Duration::from_millis(10);

/// Sequence of the first record.
const FIRST: u64 = 100;

/// Bytes of a batch.
const BYTES: usize = 1 << 20;

struct Destination {
    object: DestinationObject,
    context: TestContext,
    answers: Vec<(Range<u64>, Option<Error>)>,
    /// Sequence of the next record.
    next: u64,
}

impl Connector for Destination {
    fn configure(&mut self, settings: &[Setting<'_>]) -> Result<()> {
        let settings = RSlice::from_slice(settings);
        from_abi(self.object.configure(self.context.handle(), settings))
    }

    fn teardown(&mut self) -> Result<()> {
        from_abi(self.object.teardown(self.context.handle()))
    }
}

impl Destination {
    fn start(&mut self, steps: &Steps) {
        steps.begin("`start`");
        let started = self.object.start(self.context.handle());
        expect("`start`", from_abi(started));
    }

    /// Writes records, and gives threads of the destination the time to have answers to them.
    fn write(&mut self, records: &[Record], steps: &Steps) {
        steps.begin("`write`");
        let Self {
            object,
            context,
            answers,
            next,
        } = self;
        let fill = |buffer: &mut crate::ffi::BatchBuffer| {
            let mut batch = BatchWriter::new(buffer);
            records.iter().for_each(|record| batch.push(record));
        };
        let written = TestBuffer::new(records.len(), BYTES).fill(fill, |mut batch| {
            batch.first_sequence = *next;
            with_sink(answers, |sink| {
                from_abi(object.write(context.handle(), batch, sink))
            })
        });
        goes_on("`write`", written);
        self.next += records.len() as u64;
        self.context.rest(REST);
    }

    fn flush(&mut self, steps: &Steps) {
        steps.begin("`flush`");
        let Self {
            object,
            context,
            answers,
            ..
        } = self;
        let flushed = with_sink(answers, |sink| {
            from_abi(object.flush(context.handle(), sink))
        });
        goes_on("`flush`", flushed);
    }

    /// Stops, flushes until all records are answered, and once more: so an answer too many is seen.
    fn finish(&mut self, last: &Record, patience: Duration, steps: &Steps) {
        self.context.stop();
        steps.begin("`stop`");
        let last = ROption::RSome(RSlice::from_slice(last.position.as_bytes()));
        let stopped = self.object.stop(self.context.handle(), last);
        expect("`stop`", from_abi(stopped));
        let stopped = Instant::now();
        loop {
            let unanswered = self.sequences().find(|&it| self.answers_to(it) == 0);
            self.flush(steps);
            let Some(sequence) = unanswered else {
                break;
            };
            assert!(
                stopped.elapsed() < patience,
                "record {sequence} has no answer {patience:?} after `stop`: what `write` has left by \
                 `Acks::defer` is answered by its sequence in a later `write`, or in `flush`, which is \
                 called until every record is answered"
            );
            self.context.rest(PAUSE);
        }
        for sequence in self.sequences() {
            let answers = self.answers_to(sequence);
            assert!(
                answers == 1,
                "record {sequence} has {answers} answers, expected one: `Ok` of `write` acknowledges all \
                 that has no answer, unless `Acks::defer` leaves it for a later `write` or `flush`"
            );
        }
        let sequences = self.sequences();
        let foreign = self
            .answers
            .iter()
            .find(|(answered, _)| answered.start < sequences.start || answered.end > sequences.end);
        assert!(
            foreign.is_none(),
            "an answer to {foreign:?}, and the records {sequences:?} were written"
        );
    }

    /// The sequences of what was written.
    fn sequences(&self) -> Range<u64> {
        FIRST..self.next
    }

    fn answers_to(&self, sequence: u64) -> usize {
        let answers = self.answers.iter();
        answers
            .filter(|(answered, _)| answered.contains(&sequence))
            .count()
    }

    /// Writes records in a life of its own that must all be acknowledged, or at least answered.
    ///
    /// They come in two batches: the second `write` may answer records of the first.
    fn live(mut self, records: &[Record], all_acked: bool, patience: Duration, steps: &Steps) {
        self.start(steps);
        let (first, second) = records.split_at(records.len() / 2);
        self.write(first, steps);
        self.write(second, steps);
        self.flush(steps);
        self.finish(&records[records.len() - 1], patience, steps);
        for (answered, refused) in &self.answers {
            if let (true, Some(error)) = (all_acked, refused) {
                let number = answered.start - FIRST;
                panic!(
                    "a created record is refused: {:?}: {error:#}",
                    records.get(usize::try_from(number).unwrap_or(0))
                );
            }
        }
        torn_down(self, steps);
    }
}

fn goes_on(call: &str, status: Result<CallStatus>) {
    let status = expect(call, status);
    assert!(
        status == CallStatus::MORE,
        "{call} says that the destination takes no further record"
    );
}

/// Tests the destination of the plugin, which has so long after `stop` to answer.
pub(super) fn test(plugin: &Plugin, settings: &Settings, patience: Duration, steps: &Steps) {
    let mut threads = Threads::new();
    let host = TestHost::new();
    steps.begin("`specify`");
    let specification = specification::of(plugin, host);
    let Some(params) = &specification.destination_params else {
        panic!("the plugin has no destination");
    };
    let make = || Destination {
        object: expect(
            "the constructor",
            host.construct(|host, info| plugin.new_destination(host, info)),
        ),
        context: TestContext::new(),
        answers: Vec::new(),
        next: FIRST,
    };
    test_settings(&make, settings, &specification::required(params), steps);

    configured(&make, settings, steps).live(&created(), true, patience, steps);
    threads.note_first();
    // Where one was before, another one goes on.
    configured(&make, settings, steps).live(&created(), true, patience, steps);
    threads.note_further();
    configured(&make, settings, steps).live(&of_all_kinds(), false, patience, steps);
    threads.note_further();
    let left = host.live_objects();
    assert_eq!(
        left, 0,
        "objects of the plugin are left after all were torn down and dropped"
    );
    threads.test(steps);
}

/// Records that every destination can write.
fn created() -> Vec<Record> {
    let raw = |number: u8| {
        let mut record = record(Operation::Create, number);
        record.key = Some(Data::Raw(vec![b'k', number]));
        record.payload.after = Some(format!("number {number}").into());
        record
    };
    let mut records: Vec<_> = (b'0'..=b'9').map(raw).collect();
    let mut structured = record(Operation::Create, b'a');
    structured.payload.after = Some(fields());
    records.push(structured);
    records
}

/// Records of each operation, with nothing in them and with all that can be.
fn of_all_kinds() -> Vec<Record> {
    let mut records = Vec::new();
    for (number, operation) in (b'A'..).step_by(2).zip(Operation::ALL) {
        records.push(record(operation, number));
        let mut full = record(operation, number + 1);
        full.metadata.insert("a key", "a value");
        full.key = Some(fields());
        full.payload.before = Some(fields());
        full.payload.after = Some(b"\0\xff\n".into());
        records.push(full);
    }
    records
}

fn record(operation: Operation, position: u8) -> Record {
    Record::new(operation, Position::new([position]))
}

fn fields() -> Data {
    let mut fields = Map::new();
    fields.insert("id", 7);
    fields.insert("name", "basalt");
    fields.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::limit::watched;
    use crate::{Acks, Batch, Context};

    /// Defers, and never answers.
    struct Silent;

    impl crate::Destination for Silent {
        type Config = ();

        fn open((): ()) -> Result<Self> {
            Ok(Self)
        }

        fn write(&mut self, _: &Batch, acks: &mut Acks, _: &Context) -> Result<()> {
            acks.defer();
            Ok(())
        }
    }

    #[test]
    #[should_panic(
        expected = "record 100 has no answer 0ns after `stop`: what `write` has left by `Acks::defer`"
    )]
    fn what_is_never_answered_is_told() {
        watched(|steps| {
            let plugin = Plugin::from_destination("test", |(): ()| Ok(Silent));
            test(&plugin, &Settings::new(), Duration::ZERO, steps);
        });
    }
}
