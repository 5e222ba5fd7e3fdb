//! What one destination has answered, brought back into order.

use std::collections::BTreeMap;

use plugin_api::Error;

/// From so many bytes of errors on, further ones are cut.
const NACK_BYTES: usize = 4 << 20;
/// What is left of the message and the code of an error that is cut, in bytes.
const CUT_TEXT: usize = 256;

/// The answers of one destination.
///
/// Records are given in order and may be answered in any; what counts is the prefix without a gap.
/// An answer to a record that was never given, or a second one, is a fault of the plugin: the first
/// is kept and the driver ends the stream.
#[derive(Debug, Default)]
pub(crate) struct Answers {
    /// Every record below has an answer.
    answered: u64,
    /// Records below were given to the destination.
    given: u64,
    /// Answered ranges above that, as start and end.
    ahead: BTreeMap<u64, u64>,
    /// Number of records in these.
    ahead_records: u64,
    /// Records that were refused, until somebody takes them.
    nacks: BTreeMap<u64, Error>,
    /// Bytes of their errors' texts.
    nack_bytes: usize,
    fault: Option<String>,
}

impl Answers {
    /// The records below this sequence are given to the destination from now on.
    #[inline]
    pub(crate) fn give(&mut self, to: u64) {
        self.given = to;
    }

    /// Every record below has an answer.
    #[inline]
    pub(crate) fn answered(&self) -> u64 {
        self.answered
    }

    /// Every record below is acknowledged, or was refused and taken with [`take_nack`](Self::take_nack).
    #[inline]
    pub(crate) fn confirmed(&self) -> u64 {
        let refused = self.nacks.first_key_value();
        refused.map_or(self.answered, |(first, _)| self.answered.min(*first))
    }

    /// Number of records that have no answer.
    #[inline]
    pub(crate) fn missing(&self) -> u64 {
        if self.answered == self.given {
            return 0;
        }
        self.given - self.answered - self.ahead_records
    }

    /// The first record that can't be written, and why.
    pub(crate) fn first_nack(&self) -> Option<(u64, &Error)> {
        let refused = self.nacks.first_key_value();
        refused.map(|(sequence, error)| (*sequence, error))
    }

    /// Takes the error of a record that was refused; then it counts as done.
    pub(crate) fn take_nack(&mut self, sequence: u64) -> Option<Error> {
        let error = self.nacks.remove(&sequence)?;
        self.nack_bytes -= text_length(&error);
        Some(error)
    }

    /// How the plugin broke the rules of answering.
    pub(crate) fn fault(&self) -> Option<&str> {
        self.fault.as_deref()
    }

    /// The records `from..to` are done.
    #[inline]
    pub(crate) fn ok(&mut self, from: u64, to: u64) {
        if from == self.answered && to <= self.given && from <= to && self.ahead.is_empty() {
            self.answered = to;
        } else {
            self.ok_out_of_order(from, to);
        }
    }

    /// The record can't be done.
    pub(crate) fn nack(&mut self, sequence: u64, mut error: Error) {
        let end = sequence.saturating_add(1);
        if !self.accepts(sequence, end) {
            return;
        }
        // I5: each error alone is bounded, but a window's worth of them is not.
        if self.nack_bytes > NACK_BYTES {
            error = shortened(&error);
        }
        self.nack_bytes += text_length(&error);
        self.nacks.insert(sequence, error);
        self.answer(sequence, end);
    }

    #[cold]
    fn ok_out_of_order(&mut self, from: u64, to: u64) {
        if from != to && self.accepts(from, to) {
            self.answer(from, to);
        }
    }

    fn answer(&mut self, from: u64, to: u64) {
        self.ahead.insert(from, to);
        self.ahead_records += to - from;
        while let Some((&start, &end)) = self.ahead.first_key_value()
            && start == self.answered
        {
            self.ahead.pop_first();
            self.ahead_records -= end - start;
            self.answered = end;
        }
    }

    /// Whether `from..to` was given and none of it was answered before.
    fn accepts(&mut self, from: u64, to: u64) -> bool {
        let fault = if from > to || to > self.given {
            format!(
                "it answered the sequences {from}..{to}, and only those below {} were given",
                self.given
            )
        } else if from < self.answered
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

/// Bytes of all texts of an error.
pub(crate) fn text_length(error: &Error) -> usize {
    let parameters = error.parameters().iter();
    let parameters = parameters.map(|it| it.name.len() + it.code.len() + it.message.len());
    let causes = error.causes().iter().map(String::len);
    error.code().len() + error.message().len() + causes.chain(parameters).sum::<usize>()
}

/// What is left of an error where there are too many.
pub(crate) fn shortened(error: &Error) -> Error {
    let cut = |text: &str| text[..text.floor_char_boundary(CUT_TEXT)].to_owned();
    Error::new(error.kind(), cut(error.message())).with_code(cut(error.code()))
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
    fn a_nack_that_was_taken_counts_as_done() {
        let mut answers = given(3);
        answers.nack(0, error("no"));
        answers.ok(1, 2);
        assert_eq!((answers.answered(), answers.confirmed()), (2, 0));
        assert_eq!(answers.take_nack(1), None);
        assert_eq!(answers.take_nack(0), Some(error("no")));
        assert_eq!(answers.confirmed(), 2);
        assert_eq!((answers.missing(), answers.nack_bytes), (1, 0));
    }

    #[test]
    fn the_errors_of_many_nacks_are_bounded() {
        let long = "é".repeat(32 << 10);
        let mut answers = given(1000);
        for sequence in 0..1000 {
            answers.nack(sequence, error(&long).context(long.clone()));
        }
        assert!(answers.nack_bytes < NACK_BYTES + 1000 * 2 * CUT_TEXT + (256 << 10));
        let last = answers.take_nack(999).expect("a nack");
        assert!(long.starts_with(last.message()) && !last.message().is_empty());
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
