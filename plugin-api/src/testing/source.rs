//! The tests of a source.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use abi_stable::std_types::{ROption, RSlice, RVec};

use super::Settings;
use super::common::{Connector, configured, expect, from_abi, test_settings, torn_down};
use super::limit::Steps;
use super::promptness::Promptness;
use super::specification;
use super::threads::Threads;
use crate::ffi::testing::{TestBuffer, TestContext, TestHost};
use crate::ffi::{AckBatch, CallStatus, Setting, SourceObject, Span};
use crate::{AckMode, Batch, Format, Plugin, Record, Result};

/// Records that are read to see how the source goes on.
const ENOUGH: usize = 20;

/// Reads without a record after which there is none.
const PATIENCE: usize = 20;

/// Longest wait of a read for data.
const WAIT: Duration = Duration::from_millis(100);

/// Bytes of a batch.
const BYTES: usize = 64 << 20;

/// What one call of `read` has done.
struct Reading {
    records: Vec<Record>,
    /// Whether the source has ended.
    ended: bool,
    /// How long the call took.
    taken: Duration,
}

struct Source {
    object: SourceObject,
    context: TestContext,
}

impl Connector for Source {
    fn configure(&mut self, settings: &[Setting<'_>]) -> Result<()> {
        let settings = RSlice::from_slice(settings);
        from_abi(self.object.configure(self.context.handle(), settings))
    }

    fn teardown(&mut self) -> Result<()> {
        from_abi(self.object.teardown(self.context.handle()))
    }
}

impl Source {
    fn start(&mut self, position: Option<&[u8]>, steps: &Steps) {
        steps.begin("`start`");
        let position: ROption<_> = position.map(RSlice::from_slice).into();
        let started = self.object.start(self.context.handle(), position);
        expect("`start`", from_abi(started));
    }

    /// Reads once, waiting at most so long.
    fn read(&mut self, wait: Duration, steps: &Steps) -> Reading {
        self.context.set_max_wait(wait);
        steps.begin("`read`");
        let mut status = Ok(CallStatus::END);
        let mut taken = Duration::ZERO;
        let records = TestBuffer::new(ENOUGH, BYTES).fill(
            |buffer| {
                let begun = Instant::now();
                status = from_abi(self.object.read(self.context.handle(), buffer));
                taken = begun.elapsed();
            },
            |batch| {
                let records = Batch::new(batch, Format::default());
                let owned = records.iter().map(|record| record.to_owned());
                owned.collect::<Result<Vec<_>>>()
            },
        );
        Reading {
            ended: expect("`read`", status) == CallStatus::END,
            records: expect("a record of `read`", records),
            taken,
        }
    }

    /// Reads until there are enough records or there is none for a while.
    fn read_enough(&mut self, promptness: &mut Promptness, steps: &Steps) -> Vec<Record> {
        let mut records = Vec::new();
        let mut empty = 0;
        while records.len() < ENOUGH && empty < PATIENCE {
            let more = self.read(WAIT, steps);
            promptness.note(more.taken, WAIT);
            empty = if more.records.is_empty() {
                empty + 1
            } else {
                0
            };
            records.extend(more.records);
            if more.ended {
                break;
            }
        }
        records
    }

    fn ack(&mut self, records: &[Record], mode: AckMode, steps: &Steps) {
        let told = match mode {
            AckMode::Last => &records[records.len() - 1..],
            AckMode::Each => records,
        };
        let mut arena = Vec::new();
        let mut positions = Vec::new();
        for record in told {
            let position = record.position.as_bytes();
            let [offset, length] = [arena.len(), position.len()]
                .map(|number| u32::try_from(number).unwrap_or(u32::MAX));
            positions.push(Span { offset, length });
            arena.extend_from_slice(position);
        }
        steps.begin("`ack`");
        let acks = AckBatch {
            first_sequence: 0,
            count: records.len() as u64,
            arena: RSlice::from_slice(&arena),
            positions: RSlice::from_slice(&positions),
        };
        expect(
            "`ack`",
            from_abi(self.object.ack(self.context.handle(), acks)),
        );
    }

    /// Stops, and reads on until the source has ended.
    fn stop(&mut self, last: Option<&Record>, steps: &Steps) {
        self.context.stop();
        steps.begin("`stop`");
        let told = expect("`stop`", from_abi(self.object.stop(self.context.handle())));
        let told = told.into_option().map(RVec::into_vec);
        let mut reached = last.map(|record| record.position.as_bytes().to_vec());
        steps.begin("reading to the end after `stop`");
        // No step begins in this loop: all of it has the time of one.
        loop {
            let more = self.read(WAIT, &Steps::unheard());
            if let Some(record) = more.records.last() {
                reached = Some(record.position.as_bytes().to_vec());
            }
            if more.ended {
                break;
            }
        }
        assert!(
            told == reached,
            "`stop` has told the last position {}, and the last record read has {}",
            shown(told.as_deref()),
            shown(reached.as_deref())
        );
    }
}

fn shown(position: Option<&[u8]>) -> String {
    position.map_or_else(
        || "none".to_owned(),
        |it| format!("`{}`", it.escape_ascii()),
    )
}

/// Tests the source of the plugin.
pub(super) fn test(plugin: &Plugin, settings: &Settings, steps: &Steps) {
    let mut threads = Threads::new();
    let host = TestHost::new();
    steps.begin("`specify`");
    let specification = specification::of(plugin, host);
    let Some(params) = &specification.source_params else {
        panic!("the plugin has no source");
    };
    let make = || Source {
        object: expect(
            "the constructor",
            host.construct(|host, info| plugin.new_source(host, info)),
        ),
        context: TestContext::new(),
    };
    test_settings(&make, settings, &specification::required(params), steps);

    let mut source = configured(&make, settings, steps);
    source.start(None, steps);
    let mut promptness = Promptness::default();
    let records = source.read_enough(&mut promptness, steps);
    assert!(
        !records.is_empty(),
        "the source has no record with these settings"
    );
    test_positions(&records);
    source.ack(&records, specification.acks, steps);
    source.stop(records.last(), steps);
    torn_down(source, steps);
    threads.note_first();

    for reached in BTreeSet::from([0, records.len() / 2, records.len() - 1]) {
        let mut source = configured(&make, settings, steps);
        source.start(Some(records[reached].position.as_bytes()), steps);
        // It may not wait: whatever comes, or nothing, has to come at once.
        let first = source.read(Duration::ZERO, steps);
        promptness.note(first.taken, Duration::ZERO);
        let mut behind = first.records;
        if behind.is_empty() {
            behind = source.read_enough(&mut promptness, steps);
        }
        test_resumed(&records, reached, behind.first());
        source.stop(behind.last(), steps);
        torn_down(source, steps);
        threads.note_further();
    }
    let left = host.live_objects();
    assert_eq!(
        left, 0,
        "objects of the plugin are left after all were torn down and dropped"
    );
    threads.test(steps);
}

fn test_positions(records: &[Record]) {
    let mut positions = BTreeSet::new();
    for (number, record) in records.iter().enumerate() {
        let position = record.position.as_bytes();
        assert!(!position.is_empty(), "record {number} has no position");
        assert!(
            positions.insert(position),
            "record {number} has the position {} of a record before it",
            shown(Some(position))
        );
    }
}

/// Tests what a source gives that was opened at the position of a record.
fn test_resumed(records: &[Record], reached: usize, found: Option<&Record>) {
    let position = shown(Some(records[reached].position.as_bytes()));
    let Some(expected) = records.get(reached + 1) else {
        let again = |found: &Record| records.iter().any(|it| it.position == found.position);
        assert!(
            !found.is_some_and(again),
            "opened at {position}, the last position, the source gives a record again"
        );
        return;
    };
    let Some(found) = found else {
        panic!("opened at {position}, the source gives nothing, and there are records behind it");
    };
    assert!(
        found.position == expected.position,
        "opened at {position}, the source goes on at {}, expected {}",
        shown(Some(found.position.as_bytes())),
        shown(Some(expected.position.as_bytes()))
    );
    assert!(
        (found.operation, &found.key, &found.payload)
            == (expected.operation, &expected.key, &expected.payload),
        "opened at {position}, the source gives another record at {} than before:\n{found:?}\n\
         {expected:?}",
        shown(Some(found.position.as_bytes()))
    );
}
