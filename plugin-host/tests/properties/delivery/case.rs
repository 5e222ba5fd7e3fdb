//! Generated scripts: what each connector does, call by call.

use std::collections::BTreeSet;

use proptest::collection::{btree_set, vec};
use proptest::option;
use proptest::prelude::*;

/// Longest position, in bytes: four of them fill a window.
pub(super) const LONG: usize = 300_000;
/// Most records of one source.
const MOST: u64 = 40;

/// All of a test case.
#[derive(Debug, Clone)]
pub(super) struct Case {
    pub(super) sources: Vec<SourceScript>,
    pub(super) destinations: Vec<DestinationScript>,
    pub(super) rounds: Vec<Round>,
    /// Whether a commit lets sources read on before it is done.
    pub(super) slow_commits: bool,
}

#[derive(Debug, Clone)]
pub(super) struct SourceScript {
    /// Its records are numbered from 1 up to this.
    pub(super) total: u64,
    /// Whether it wants every position acknowledged.
    pub(super) each: bool,
    /// Bytes of each position.
    pub(super) weight: usize,
    /// Records of its reads, over and over; a 0 has it say that there is nothing.
    pub(super) batches: Vec<usize>,
    /// Records that it can't read whole.
    pub(super) nacked: BTreeSet<u64>,
    /// Reads that bring records after it was asked to stop.
    pub(super) late: usize,
    pub(super) batch_size: Option<u32>,
    pub(super) delay: Option<&'static str>,
}

#[derive(Debug, Clone)]
pub(super) struct DestinationScript {
    /// What it answers in its writes, over and over.
    pub(super) writes: Vec<Answer>,
    /// And in its flushes.
    pub(super) flushes: Vec<Answer>,
    /// Records that it refuses, by source.
    pub(super) refused: BTreeSet<(usize, u64)>,
    pub(super) batch_size: Option<u32>,
    pub(super) delay: Option<&'static str>,
}

/// Which of the records that wait for an answer get one.
#[derive(Debug, Clone, Copy)]
pub(super) enum Answer {
    All,
    AllBackwards,
    Oldest(usize),
    Newest(usize),
    None,
}

/// One start of the pipeline, up to its end.
#[derive(Debug, Clone)]
pub(super) struct Round {
    pub(super) queue: Queue,
    pub(super) recovery: bool,
    pub(super) until_end: bool,
    pub(super) faults: Vec<Fault>,
    /// At which call of any connector the pipeline is stopped, and whether by force.
    pub(super) stop: Option<(usize, bool)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Queue {
    None,
    Limited { threshold: u64, window: u64 },
    Unlimited,
}

/// A call that fails.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fault {
    pub(super) place: Place,
    /// Number of the call in its round, from 0.
    pub(super) call: usize,
    /// Whether another try may mend it.
    pub(super) transient: bool,
}

/// What may fail; the number is that of the source or destination.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Place {
    Open(usize),
    /// Some records are in the batch by then.
    Read(usize),
    Ack(usize),
    SourceStop(usize),
    /// Some records are answered by then.
    Write(usize),
    Flush(usize),
    /// A record that was answered is answered again.
    Twice(usize),
    /// It takes no further record.
    Close(usize),
    DestinationStop(usize),
    /// Some letters are taken by then.
    Letters,
    /// A letter is refused.
    RefusedLetter,
    /// Nothing is stored.
    Commit,
    /// All is stored, and yet an error.
    CommitKept,
}

impl Case {
    /// A round in which nothing fails, and nothing is too much.
    pub(super) fn last_round(&self) -> Round {
        Round {
            queue: Queue::Unlimited,
            recovery: false,
            until_end: false,
            faults: Vec::new(),
            stop: None,
        }
    }
}

/// Any case of so many sources at most.
pub(super) fn any(most_sources: usize) -> impl Strategy<Value = Case> {
    (1..=most_sources, 1..=3_usize).prop_flat_map(|(sources, destinations)| {
        (
            vec(source(), sources),
            vec(destination(sources), destinations),
            vec(round(sources, destinations), 0..4),
            any_bool(0.3),
        )
            .prop_map(|(sources, destinations, rounds, slow_commits)| Case {
                sources,
                destinations,
                rounds,
                slow_commits,
            })
    })
}

fn any_bool(probability: f64) -> impl Strategy<Value = bool> {
    proptest::bool::weighted(probability)
}

fn source() -> impl Strategy<Value = SourceScript> {
    (
        0..=MOST,
        any_bool(0.5),
        prop_oneof![3 => Just(0), 2 => 1..LONG],
        vec(0..8_usize, 1..5),
        prop_oneof![2 => Just(BTreeSet::new()), 1 => btree_set(1..=MOST, 0..6)],
        0..3_usize,
        batch_size(),
        delay(),
    )
        .prop_map(
            |(total, each, weight, batches, nacked, late, batch_size, delay)| SourceScript {
                total,
                each,
                weight,
                batches,
                nacked,
                late,
                batch_size,
                delay,
            },
        )
}

fn destination(sources: usize) -> impl Strategy<Value = DestinationScript> {
    let refused = btree_set((0..sources, 1..=MOST), 0..8);
    (
        vec(answer(4), 1..5),
        vec(answer(1), 1..5),
        prop_oneof![1 => Just(BTreeSet::new()), 1 => refused],
        batch_size(),
        delay(),
    )
        .prop_map(
            |(writes, flushes, refused, batch_size, delay)| DestinationScript {
                writes,
                flushes,
                refused,
                batch_size,
                delay,
            },
        )
}

/// `nothing` says how often nothing is answered.
fn answer(nothing: u32) -> impl Strategy<Value = Answer> {
    prop_oneof![
        6 => Just(Answer::All),
        2 => Just(Answer::AllBackwards),
        2 => (1..4_usize).prop_map(Answer::Oldest),
        2 => (1..4_usize).prop_map(Answer::Newest),
        nothing => Just(Answer::None),
    ]
}

fn batch_size() -> impl Strategy<Value = Option<u32>> {
    option::weighted(0.3, 1..10_u32)
}

fn delay() -> impl Strategy<Value = Option<&'static str>> {
    option::weighted(0.1, prop_oneof![Just("1ms"), Just("1h")])
}

fn round(sources: usize, destinations: usize) -> impl Strategy<Value = Round> {
    let limited = (0..4_u64, 1..20_u64).prop_map(|(threshold, more)| Queue::Limited {
        threshold,
        window: threshold + more,
    });
    (
        prop_oneof![1 => Just(Queue::None), 2 => limited, 2 => Just(Queue::Unlimited)],
        any_bool(0.5),
        any_bool(0.2),
        vec(fault(sources, destinations), 0..3),
        option::weighted(0.4, (0..60_usize, any_bool(0.3))),
    )
        .prop_map(|(queue, recovery, until_end, faults, stop)| Round {
            queue,
            recovery,
            until_end,
            faults,
            stop,
        })
}

fn fault(sources: usize, destinations: usize) -> impl Strategy<Value = Fault> {
    let (source, destination) = (0..sources, 0..destinations);
    let place = prop_oneof![
        source.clone().prop_map(Place::Open),
        source.clone().prop_map(Place::Read),
        source.clone().prop_map(Place::Ack),
        source.prop_map(Place::SourceStop),
        destination.clone().prop_map(Place::Write),
        destination.clone().prop_map(Place::Flush),
        destination.clone().prop_map(Place::Twice),
        destination.clone().prop_map(Place::Close),
        destination.prop_map(Place::DestinationStop),
        Just(Place::Letters),
        Just(Place::RefusedLetter),
        Just(Place::Commit),
        Just(Place::CommitKept),
    ];
    (place, 0..8_usize, any_bool(0.6)).prop_map(|(place, call, transient)| Fault {
        place,
        call,
        transient,
    })
}
