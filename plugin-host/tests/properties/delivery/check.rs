//! The model: books that are kept by the journal alone, in which each step must be allowed.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use plugin_host::Outcome;

use super::case::{Case, Queue, Round};
use super::world::Entry;

/// Bytes of positions from which on a window takes no more (I1).
const WINDOW_BYTES: u64 = 1 << 20;

/// What is known of a case, over all rounds.
pub(super) struct Books {
    case: Arc<Case>,
    sources: Vec<SourceBook>,
    destinations: Vec<DestinationBook>,
    letters_given: u64,
    queue_failed: bool,
    queue: Queue,
}

/// One source, since it was last opened.
#[derive(Default)]
struct SourceBook {
    /// What is stored, over all rounds.
    stored: u64,
    /// Up to where the store has said that it is.
    surely_stored: u64,
    behind: u64,
    read: u64,
    acked: u64,
    letters: BTreeSet<u64>,
    /// Answers by number and destination.
    answers: BTreeMap<(u64, usize), bool>,
}

/// One destination, since it was last opened.
#[derive(Default)]
struct DestinationBook {
    failed: bool,
    given: u64,
    /// Of each source, the newest record that it was given.
    newest: BTreeMap<usize, u64>,
}

impl Books {
    pub(super) fn new(case: Arc<Case>) -> Self {
        let sources = case.sources.iter().map(|_| SourceBook::default());
        let destinations = case.destinations.iter().map(|_| DestinationBook::default());
        Self {
            sources: sources.collect(),
            destinations: destinations.collect(),
            letters_given: 0,
            queue_failed: false,
            queue: Queue::None,
            case,
        }
    }

    /// Checks what has happened in a round, and how it has ended.
    pub(super) fn check(&mut self, round: &Round, outcome: &Outcome, journal: &[Entry]) {
        self.queue = round.queue;
        for (place, entry) in journal.iter().enumerate() {
            if let Err(wrong) = self.enter(*entry) {
                let before = &journal[place.saturating_sub(20)..=place];
                panic!("{wrong}\nafter {before:?}");
            }
        }
        if let Err(wrong) = self.check_outcome(round, outcome, journal) {
            panic!("{wrong}\noutcome {outcome:?}\nafter {journal:?}");
        }
    }

    /// Every record of every source has been done with.
    pub(super) fn check_all_is_done(&self) {
        for (source, (book, script)) in self.sources.iter().zip(&self.case.sources).enumerate() {
            assert_eq!(book.stored, script.total, "source {source}");
        }
    }

    fn enter(&mut self, entry: Entry) -> Result<(), String> {
        match entry {
            Entry::SourceOpened { source, behind } => self.open(source, behind),
            Entry::DestinationOpened { destination } => {
                self.destinations[destination] = DestinationBook::default();
                Ok(())
            }
            Entry::QueueOpened => {
                self.letters_given = 0;
                self.queue_failed = false;
                Ok(())
            }
            Entry::Read { source, number } => self.read(source, number),
            Entry::Given {
                destination,
                sequence,
                source,
                number,
            } => self.give(destination, sequence, source, number),
            Entry::Answered {
                destination,
                source,
                number,
                ok,
            } => {
                let answers = &mut self.sources[source].answers;
                answers.insert((number, destination), ok);
                Ok(())
            }
            Entry::DestinationFailed { destination } => {
                self.destinations[destination].failed = true;
                Ok(())
            }
            // What it makes of the outcome is seen there.
            Entry::Forced => Ok(()),
            Entry::QueueFailed => {
                self.queue_failed = true;
                Ok(())
            }
            Entry::LetterGiven { sequence } => {
                check(
                    !self.queue_failed,
                    "a queue that has failed is given nothing",
                )?;
                self.letters_given += 1;
                check(
                    sequence + 1 == self.letters_given,
                    "the letters' numbers have no gaps",
                )
            }
            Entry::Letter { source, number } => self.letter(source, number),
            Entry::Stored { source, number, ok } => self.store(source, number, ok),
            Entry::Acked { source, number } => self.ack(source, number),
        }
    }

    fn open(&mut self, source: usize, behind: u64) -> Result<(), String> {
        let book = &mut self.sources[source];
        *book = SourceBook {
            stored: book.stored,
            surely_stored: book.stored,
            behind,
            read: behind,
            acked: behind,
            ..SourceBook::default()
        };
        check(behind == book.stored, "it goes on behind what is stored")
    }

    fn read(&mut self, source: usize, number: u64) -> Result<(), String> {
        let (book, script) = (&mut self.sources[source], &self.case.sources[source]);
        book.read = number;
        // Positions are held back without being counted, and `Last` keeps few of them.
        let delays = self.case.destinations.iter().map(|it| it.delay);
        let is_held = delays.chain([script.delay]).flatten().next().is_some();
        let largest = script.batches.iter().max().map_or(1, |it| *it.max(&1)) as u64;
        let weight = script.weight as u64;
        let most = 2 * (WINDOW_BYTES + largest * (weight + 10));
        let ahead = (number - book.stored) * weight;
        check(
            !script.each || is_held || ahead <= most,
            "at most two windows are read ahead (I1)",
        )
    }

    fn give(
        &mut self,
        destination: usize,
        sequence: u64,
        source: usize,
        number: u64,
    ) -> Result<(), String> {
        let (book, script) = (&self.sources[source], &self.case.sources[source]);
        let given = &mut self.destinations[destination];
        let behind = given.newest.insert(source, number).unwrap_or(book.behind);
        let mut next = (behind + 1..).filter(|it| !script.nacked.contains(it));
        check(next.next() == Some(number), "each record in its turn (I2)")?;
        check(number <= book.read, "only what was read")?;
        check(
            !given.failed,
            "a destination that has failed is given nothing",
        )?;
        given.given += 1;
        check(
            sequence + 1 == given.given,
            "a destination's numbers have no gaps",
        )
    }

    /// Whether a destination has refused the record, or its source has nacked it.
    fn is_refused(&self, source: usize, number: u64) -> bool {
        let answers = &self.sources[source].answers;
        let mut answers = answers.range((number, 0)..=(number, usize::MAX));
        self.case.sources[source].nacked.contains(&number) || answers.any(|(_, ok)| !ok)
    }

    /// Why a record isn't done with.
    fn what_is_missing(&self, source: usize, number: u64) -> Option<String> {
        let book = &self.sources[source];
        if !self.case.sources[source].nacked.contains(&number) {
            let mut all = 0..self.destinations.len();
            if let Some(it) = all.find(|it| !book.answers.contains_key(&(number, *it))) {
                return Some(format!("destination {it} has not answered {number}"));
            }
        }
        let is_missing = self.is_refused(source, number) && !book.letters.contains(&number);
        is_missing.then(|| format!("{number} was refused, and no letter is confirmed"))
    }

    fn letter(&mut self, source: usize, number: u64) -> Result<(), String> {
        check(self.is_refused(source, number), "letters of refusals only")?;
        check(self.queue != Queue::None, "there is a queue")?;
        let is_new = self.sources[source].letters.insert(number);
        check(is_new, "one letter a record")?;
        // With several sources the order of all records is anybody's guess.
        let Queue::Limited { threshold, window } = self.queue else {
            return Ok(());
        };
        let behind = self.sources[source].behind;
        if self.sources.len() == 1 {
            let mut nacks = VecDeque::new();
            for it in (behind + 1..=number).filter(|it| self.is_refused(source, *it)) {
                nacks.push_back(it);
                nacks.retain(|nack| it - nack < window);
                check(
                    nacks.len() as u64 <= threshold,
                    "no letter from the first refusal on that is too much",
                )?;
            }
        }
        Ok(())
    }

    fn store(&mut self, source: usize, number: u64, ok: bool) -> Result<(), String> {
        let stored = self.sources[source].stored;
        check(number > stored, "the store goes forwards (I1)")?;
        check(number <= self.sources[source].read, "only what was read")?;
        for it in stored + 1..=number {
            if let Some(missing) = self.what_is_missing(source, it) {
                return Err(format!(
                    "source {source}: stored {number}, but {missing} (I3)"
                ));
            }
        }
        let book = &mut self.sources[source];
        book.stored = number;
        if ok {
            book.surely_stored = number;
        }
        Ok(())
    }

    fn ack(&mut self, source: usize, number: u64) -> Result<(), String> {
        let (book, script) = (&mut self.sources[source], &self.case.sources[source]);
        check(
            number <= book.surely_stored,
            "acks come when the position is stored (I1)",
        )?;
        let in_turn = match script.each {
            true => number == book.acked + 1,
            false => number > book.acked,
        };
        check(in_turn, "acks in order, each once (I2)")?;
        book.acked = number;
        Ok(())
    }

    fn check_outcome(
        &self,
        round: &Round,
        outcome: &Outcome,
        journal: &[Entry],
    ) -> Result<(), String> {
        match outcome {
            Outcome::Ended | Outcome::Stopped => {
                let is_forced = journal.contains(&Entry::Forced);
                check(!is_forced, "a forced stop is told as one")?;
                for (book, script) in self.sources.iter().zip(&self.case.sources) {
                    check(book.stored == book.read, "what is read is stored")?;
                    check(book.acked == book.read, "and acknowledged")?;
                    let may_end_early = round.until_end || matches!(outcome, Outcome::Stopped);
                    check(
                        may_end_early || book.read == script.total,
                        "the end is the end of every source",
                    )?;
                }
                let is_stopped = matches!(outcome, Outcome::Stopped);
                check(!is_stopped || round.stop.is_some(), "only a stop stops it")
            }
            Outcome::Forced => check(
                round.stop.is_some_and(|(_, forced)| forced),
                "only a forced stop forces it",
            ),
            Outcome::Failed(error) => {
                check(error.code() != "internal", "the host makes no mistake")?;
                let refused = journal.iter().any(|entry| match entry {
                    Entry::Answered { ok, .. } => !ok,
                    Entry::Read { source, number } => {
                        self.case.sources[*source].nacked.contains(number)
                    }
                    _ => false,
                });
                let is_too_much = refused && round.queue != Queue::Unlimited;
                check(
                    is_too_much || !round.faults.is_empty(),
                    "only a fault or a refusal fails it",
                )
            }
            other => Err(format!("no such outcome: {other:?}")),
        }
    }
}

fn check(holds: bool, rule: &str) -> Result<(), String> {
    match holds {
        true => Ok(()),
        false => Err(format!("broken: {rule}")),
    }
}
