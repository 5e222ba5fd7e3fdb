//! The books of one destination and one source against naive ones, which keep every record.

use std::collections::{BTreeMap, BTreeSet};

use plugin_api::{AckMode, Error};
use proptest::collection::vec;
use proptest::prelude::*;

use super::destination::answers::Answers;
use super::destination::runs::Runs;
use super::windows::ledger::Ledger;
use super::windows::positions::Positions;

/// Sources of a destination.
const SOURCES: usize = 3;

/// What a destination is given or answers.
#[derive(Debug, Clone)]
enum Step {
    Give {
        source: usize,
        records: u64,
    },
    LeaveOut {
        source: usize,
    },
    /// Records by their place among those without an answer.
    Ok {
        place: prop::sample::Index,
        most: u64,
    },
    Nack {
        place: prop::sample::Index,
    },
    /// A refusal is taken: the first one.
    Take,
}

fn step() -> impl Strategy<Value = Step> {
    let place = any::<prop::sample::Index>;
    prop_oneof![
        3 => (0..SOURCES, 1..6_u64).prop_map(|(source, records)| Step::Give { source, records }),
        1 => (0..SOURCES).prop_map(|source| Step::LeaveOut { source }),
        4 => (place(), 1..6_u64).prop_map(|(place, most)| Step::Ok { place, most }),
        1 => place().prop_map(|place| Step::Nack { place }),
        1 => Just(Step::Take),
    ]
}

/// One record of a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// All below this number was given before.
    LeftOut {
        behind: u64,
    },
    Open,
    Done,
    Refused,
}

/// A naive destination: what has become of every record.
#[derive(Default)]
struct Naive {
    /// Of each source, the numbers of its records; those left out have none.
    records: [Vec<(Option<u64>, State)>; SOURCES],
    given: u64,
}

impl Naive {
    fn all(&self) -> BTreeMap<u64, (usize, u64, State)> {
        let sources = self.records.iter().enumerate();
        let all = sources.flat_map(|(source, records)| {
            let records = (0..).zip(records);
            records.filter_map(move |(sequence, (number, state))| {
                number.map(|number| (number, (source, sequence, *state)))
            })
        });
        all.collect()
    }

    fn set(&mut self, number: u64, state: State) {
        let all = self.records.iter_mut().flatten();
        for record in all.filter(|it| it.0 == Some(number)) {
            record.1 = state;
        }
    }

    fn open(&self) -> BTreeSet<u64> {
        let all = self.all().into_iter();
        let open = all.filter(|(_, (_, _, state))| *state == State::Open);
        open.map(|(number, _)| number).collect()
    }

    /// The first number that isn't done with.
    fn first_undone(&self) -> u64 {
        let undone = self.all().into_iter();
        let mut undone = undone.filter(|(_, (_, _, state))| *state != State::Done);
        undone.next().map_or(self.given, |(number, _)| number)
    }

    /// The source's records below need nothing more: every record that the destination was given
    /// before them is done with, whichever source it is of.
    fn reached(&self, source: usize) -> u64 {
        let first = self.first_undone();
        let of_source = self.records[source].iter();
        let done = of_source.take_while(|(number, state)| match state {
            State::LeftOut { behind } => *behind <= first,
            _ => number.is_some_and(|it| it < first),
        });
        done.count() as u64
    }
}

proptest! {
    // 256 cases, or PROPTEST_CASES.
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_destination_is_as_far_as_its_answers(steps in vec(step(), 0..60)) {
        let mut naive = Naive::default();
        let (mut answers, mut runs) = (Answers::default(), Runs::new(SOURCES));
        for step in steps {
            match step {
                Step::Give { source, records } => {
                    let sequence = naive.records[source].len() as u64;
                    prop_assert_eq!(runs.give(source, sequence, records), naive.given);
                    for _ in 0..records {
                        naive.records[source].push((Some(naive.given), State::Open));
                        naive.given += 1;
                    }
                    answers.give(naive.given);
                }
                Step::LeaveOut { source } => {
                    runs.leave_out(source, naive.records[source].len() as u64);
                    naive.records[source].push((None, State::LeftOut { behind: naive.given }));
                }
                Step::Ok { place, most } => {
                    let open: Vec<_> = naive.open().into_iter().collect();
                    if open.is_empty() {
                        continue;
                    }
                    let from = open[place.index(open.len())];
                    let to = (from..from + most).take_while(|it| open.contains(it)).count() as u64;
                    answers.ok(from, from + to);
                    (from..from + to).for_each(|number| naive.set(number, State::Done));
                }
                Step::Nack { place } => {
                    let open: Vec<_> = naive.open().into_iter().collect();
                    if open.is_empty() {
                        continue;
                    }
                    let number = open[place.index(open.len())];
                    answers.nack(number, Error::fatal("no"));
                    naive.set(number, State::Refused);
                }
                Step::Take => {
                    let all = naive.all().into_iter();
                    let mut refused = all.filter(|(_, (_, _, state))| *state == State::Refused);
                    let first = refused.next();
                    let known = answers.first_nack().map(|(number, _)| number);
                    prop_assert_eq!(known, first.map(|(number, _)| number));
                    if let Some((number, (source, sequence, _))) = first {
                        prop_assert_eq!(runs.record(number), Some((source, sequence)));
                        prop_assert!(answers.take_nack(number).is_some());
                        naive.set(number, State::Done);
                    }
                }
            }
            runs.settle(answers.confirmed());
            prop_assert_eq!(answers.fault(), None);
            prop_assert_eq!(answers.missing(), naive.open().len() as u64);
            prop_assert_eq!(answers.confirmed(), naive.first_undone());
            for number in naive.open() {
                let (source, sequence, _) = naive.all()[&number];
                prop_assert_eq!(runs.record(number), Some((source, sequence)));
            }
            for source in 0..SOURCES {
                prop_assert_eq!(runs.reached(source), naive.reached(source));
            }
        }
        // In the end all is done with, and nothing is held back.
        naive.open().into_iter().for_each(|number| answers.ok(number, number + 1));
        while let Some((number, _)) = answers.first_nack() {
            answers.take_nack(number);
        }
        runs.settle(answers.confirmed());
        for source in 0..SOURCES {
            prop_assert_eq!(runs.reached(source), naive.records[source].len() as u64);
        }
    }

    #[test]
    fn a_window_is_what_was_confirmed_since_the_last_one(
        each in any::<bool>(),
        steps in vec((0..6_u64, 0..8_u64, any::<bool>()), 0..60),
    ) {
        let mode = if each { AckMode::Each } else { AckMode::Last };
        let mut ledger = Ledger::new(mode);
        let mut spare = Positions::default();
        let (mut added, mut confirmed, mut closed) = (0, 0, 0);
        for (records, more, closes) in steps {
            let text: Vec<_> = (added..added + records).map(|it| it.to_string()).collect();
            // Some of those that are added just now may be confirmed already.
            confirmed = (confirmed + more).min(added + records);
            match records {
                0 => ledger.confirm(confirmed),
                _ => ledger.add(added, records, confirmed, |place| text[place].as_bytes()),
            }
            added += records;
            if closes {
                spare = ledger.close(spare);
                prop_assert_eq!(spare.count(), confirmed - closed);
                closed = confirmed;
            }
            let window: Vec<_> = (closed..confirmed).map(|it| it.to_string()).collect();
            prop_assert_eq!(ledger.confirmed().count(), window.len() as u64);
            let newest = window.last().map(String::as_bytes);
            prop_assert_eq!(ledger.confirmed().last(), newest);
            if !window.is_empty() {
                prop_assert_eq!(ledger.confirmed().first(), closed);
                let acks = ledger.confirmed().as_acks();
                prop_assert_eq!(acks.positions.len(), if each { window.len() } else { 1 });
            }
            prop_assert_eq!(ledger.room() as u64, 65_536 - (added - closed));
            for sequence in 0..added {
                let text = sequence.to_string();
                let unanswered = (sequence >= confirmed).then_some(text.as_bytes());
                prop_assert_eq!(ledger.unanswered(sequence), unanswered);
            }
        }
    }
}
