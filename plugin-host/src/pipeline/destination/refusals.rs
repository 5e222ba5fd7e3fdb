//! What a destination has refused and may refuse yet, for the dead-letter queue.

use std::collections::BTreeMap;

use plugin_api::ffi::BatchRef;
use plugin_api::{Data, Error, Record};

use super::answers::{Answers, text_length};
use super::retained::Retained;
use super::runs::Runs;

/// A record that was refused.
#[derive(Debug)]
pub(crate) struct Nack {
    /// Identity of the connector that has refused it.
    pub(crate) connector: &'static str,
    pub(crate) error: Error,
    pub(crate) record: Record,
}

/// What a destination has refused and might refuse yet.
#[derive(Debug, Default)]
pub(crate) struct Refusals {
    retained: Retained,
    /// By source and sequence.
    nacks: BTreeMap<(usize, u64), Nack>,
    /// Bytes of their errors and records.
    bytes: usize,
}

impl Refusals {
    /// Bytes of all that is kept.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes + self.retained.bytes()
    }

    /// Keeps records that were refused just now, or may be later.
    pub(crate) fn keep(&mut self, part: BatchRef<'_>) {
        self.retained.keep(part);
    }

    /// The first record of a source that was refused.
    pub(crate) fn first(&self, source: usize) -> Option<u64> {
        let mut of_source = self.nacks.range((source, 0)..=(source, u64::MAX));
        of_source.next().map(|((_, sequence), _)| *sequence)
    }

    /// Takes any refusal, with the record's source and sequence.
    pub(crate) fn next(&mut self) -> Option<(usize, u64, Nack)> {
        let (source, sequence) = *self.nacks.first_key_value()?.0;
        let nack = self.take((source, sequence))?;
        Some((source, sequence, nack))
    }

    /// Takes over what was refused, with the records, and lets go of what is answered.
    pub(crate) fn collect(&mut self, runs: &Runs, answers: &mut Answers, connector: &'static str) {
        while let Some((number, _)) = answers.first_nack() {
            let found = runs.record(number).zip(self.retained.record(number));
            let Some((key, record)) = found else {
                // What is refused was given, and what is given is kept until it is answered. If not, the
                // nack stays, and nothing from this record on is confirmed.
                return;
            };
            let Some(error) = answers.take_nack(number) else {
                return;
            };
            let nack = Nack {
                connector,
                error,
                record,
            };
            self.bytes += nack.bytes();
            self.nacks.insert(key, nack);
        }
        self.retained.release(answers.answered());
    }

    pub(crate) fn take(&mut self, key: (usize, u64)) -> Option<Nack> {
        let nack = self.nacks.remove(&key)?;
        self.bytes -= nack.bytes();
        Some(nack)
    }
}

impl Nack {
    /// Bytes of its texts and its record.
    pub(crate) fn bytes(&self) -> usize {
        let data = [
            &self.record.key,
            &self.record.payload.before,
            &self.record.payload.after,
        ];
        let data = data.into_iter().flatten().map(|data| match data {
            Data::Raw(bytes) => bytes.len(),
            Data::Structured(map) => size_of_val(map) * map.len(),
        });
        text_length(&self.error) + self.record.position.as_bytes().len() + data.sum::<usize>()
    }
}
