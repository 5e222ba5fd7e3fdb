//! What one destination has answered, brought back into order.

use std::collections::BTreeMap;

use plugin_api::Error;

/// The answers of one destination.
///
/// Records are given in order and may be answered in any; what counts is the prefix without a gap.
/// An answer to a record that was never given, or a second one, is a fault of the plugin: the first
/// is kept and the driver ends the stream.
#[derive(Debug, Default)]
pub(crate) struct Answers {
    /// Every record below is acknowledged.
    confirmed: u64,
    /// Records below were given to the destination.
    given: u64,
    /// Answered ranges above `confirmed`, as start and end; a refused record is one of its own.
    ahead: BTreeMap<u64, u64>,
    /// Number of records in these.
    ahead_records: u64,
    /// The first record that was refused, which holds `confirmed` back. I5: of the others, whose
    /// errors may be as long, only that they have an answer is kept.
    refused: Option<(u64, Error)>,
    fault: Option<String>,
}

impl Answers {
    /// The records below this sequence are given to the destination from now on.
    #[inline]
    pub(crate) fn give(&mut self, to: u64) {
        self.given = to;
    }

    /// Every record below is acknowledged.
    #[inline]
    pub(crate) fn confirmed(&self) -> u64 {
        self.confirmed
    }

    /// Number of records that have no answer.
    #[inline]
    pub(crate) fn missing(&self) -> u64 {
        if self.confirmed == self.given {
            return 0;
        }
        self.given - self.confirmed - self.ahead_records
    }

    /// The first record that can't be written, and why.
    pub(crate) fn first_nack(&self) -> Option<(u64, &Error)> {
        let refused = self.refused.as_ref();
        refused.map(|(sequence, error)| (*sequence, error))
    }

    /// How the plugin broke the rules of answering.
    pub(crate) fn fault(&self) -> Option<&str> {
        self.fault.as_deref()
    }

    /// The records `from..to` are done.
    #[inline]
    pub(crate) fn ok(&mut self, from: u64, to: u64) {
        if from == self.confirmed && to <= self.given && from <= to && self.is_simple() {
            self.confirmed = to;
        } else {
            self.ok_out_of_order(from, to);
        }
    }

    /// The record can't be done.
    pub(crate) fn nack(&mut self, sequence: u64, error: Error) {
        let end = sequence.saturating_add(1);
        if !self.accepts(sequence, end) {
            return;
        }
        self.ahead.insert(sequence, end);
        self.ahead_records += 1;
        if self
            .refused
            .as_ref()
            .is_none_or(|(first, _)| sequence < *first)
        {
            self.refused = Some((sequence, error));
        }
    }

    #[inline]
    fn is_simple(&self) -> bool {
        self.ahead.is_empty()
    }

    #[cold]
    fn ok_out_of_order(&mut self, from: u64, to: u64) {
        if from == to || !self.accepts(from, to) {
            return;
        }
        self.ahead.insert(from, to);
        self.ahead_records += to - from;
        while let Some((&start, &end)) = self.ahead.first_key_value()
            && start == self.confirmed
            && self
                .refused
                .as_ref()
                .is_none_or(|(first, _)| start < *first)
        {
            self.ahead.pop_first();
            self.ahead_records -= end - start;
            self.confirmed = end;
        }
    }

    /// Whether `from..to` was given and none of it was answered before.
    fn accepts(&mut self, from: u64, to: u64) -> bool {
        let fault = if from > to || to > self.given {
            format!(
                "it answered the sequences {from}..{to}, and only those below {} were given",
                self.given
            )
        } else if from < self.confirmed
            || self
                .ahead
                .range(..to)
                .next_back()
                .is_some_and(|(_, end)| *end > from)
        {
            format!("it answered a record of the sequences {from}..{to} twice")
        } else {
            return true;
        };
        self.fault.get_or_insert(fault);
        false
    }
}

#[cfg(test)]
mod tests {
    use plugin_api::ErrorKind;

    use super::*;

    fn given(records: u64) -> Answers {
        let mut answers = Answers::default();
        answers.give(records);
        answers
    }

    fn error(text: &str) -> Error {
        Error::new(ErrorKind::Fatal, text)
    }

    #[test]
    fn answers_in_order_move_the_prefix() {
        let mut answers = given(10);
        answers.ok(0, 4);
        answers.ok(4, 10);
        assert_eq!((answers.confirmed(), answers.missing()), (10, 0));
    }

    #[test]
    fn a_gap_holds_the_prefix_back() {
        let mut answers = given(10);
        answers.ok(5, 7);
        answers.ok(8, 10);
        assert_eq!((answers.confirmed(), answers.missing()), (0, 6));
        answers.ok(0, 5);
        assert_eq!((answers.confirmed(), answers.missing()), (7, 1));
        answers.ok(7, 8);
        assert_eq!((answers.confirmed(), answers.missing()), (10, 0));
    }

    #[test]
    fn a_nack_holds_the_prefix_back_for_good() {
        let mut answers = given(3);
        answers.nack(1, error("no"));
        answers.ok(0, 1);
        answers.ok(2, 3);
        assert_eq!((answers.confirmed(), answers.missing()), (1, 0));
        assert_eq!(answers.first_nack().map(|(sequence, _)| sequence), Some(1));
        assert_eq!(answers.fault(), None);
    }

    #[test]
    fn of_several_nacks_the_first_record_counts() {
        let mut answers = given(5);
        answers.nack(3, error("late"));
        answers.nack(1, error("early"));
        answers.nack(2, error("later"));
        answers.ok(0, 1);
        answers.ok(4, 5);
        assert_eq!((answers.confirmed(), answers.missing()), (1, 0));
        assert_eq!(answers.first_nack(), Some((1, &error("early"))));
    }

    #[test]
    fn double_and_unknown_answers_are_faults() {
        for wrong in [
            (|answers| answers.ok(0, 11)) as fn(&mut Answers),
            |answers| answers.ok(3, 2),
            |answers| answers.nack(10, error("no")),
            |answers| answers.nack(u64::MAX, error("no")),
            |answers| (answers.ok(0, 2), answers.ok(1, 3)).1,
            |answers| (answers.ok(5, 7), answers.ok(6, 6 + 1)).1,
            |answers| (answers.ok(5, 7), answers.ok(4, 6)).1,
            |answers| (answers.nack(5, error("no")), answers.ok(5, 6)).1,
            |answers| (answers.nack(5, error("no")), answers.nack(5, error("no"))).1,
        ] {
            let mut answers = given(10);
            wrong(&mut answers);
            assert!(answers.fault().is_some());
        }
    }

    #[test]
    fn an_empty_range_is_no_answer() {
        let mut answers = given(10);
        answers.ok(0, 0);
        answers.ok(7, 7);
        assert_eq!(
            (answers.confirmed(), answers.missing(), answers.fault()),
            (0, 10, None)
        );
    }
}
