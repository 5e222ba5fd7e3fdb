//! Copies of the records that a destination has not answered: whoever refuses one later has to say
//! what it was.
//!
//! A batch's memory is used again as soon as it was written. Where a dead-letter queue may want a
//! record that is answered later than that, it is copied.

use std::collections::VecDeque;

use abi_stable::std_types::RSlice;
use plugin_api::ffi::{BatchRef, RecordIndex, Span};
use plugin_api::{Batch, Data, Format, Position, Record};

/// Records that were given and are not answered.
#[derive(Debug, Default)]
pub(crate) struct Retained {
    parts: VecDeque<Part>,
    bytes: usize,
}

/// Records that were given together.
#[derive(Debug)]
struct Part {
    first: u64,
    arena: Vec<u8>,
    index: Vec<RecordIndex>,
}

impl Retained {
    /// Copies records, under the numbers that the destination has for them.
    pub(crate) fn keep(&mut self, batch: BatchRef<'_>) {
        let part = Part::of(batch);
        self.bytes += part.bytes();
        self.parts.push_back(part);
    }

    /// The records below are answered, and nobody asks for them any more.
    pub(crate) fn release(&mut self, answered: u64) {
        while let Some(part) = self.parts.front()
            && part.first + part.index.len() as u64 <= answered
        {
            self.bytes -= part.bytes();
            self.parts.pop_front();
        }
    }

    /// Bytes that are kept.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// A record by its number.
    pub(crate) fn record(&self, number: u64) -> Option<Record> {
        let behind = self.parts.partition_point(|part| part.first <= number);
        let part = self.parts.get(behind.checked_sub(1)?)?;
        let place = usize::try_from(number - part.first).ok()?;
        (place < part.index.len()).then(|| owned(part.as_batch(), place))
    }
}

impl Part {
    fn of(batch: BatchRef<'_>) -> Self {
        let bytes = batch.arena.as_slice();
        let mut arena = Vec::new();
        let mut last: Option<([Span; 5], [Span; 5])> = None;
        let copied = batch.index.iter().map(|entry| {
            let from = [
                entry.position,
                entry.key,
                entry.before,
                entry.after,
                entry.metadata,
            ];
            let mut to = from;
            for (i, span) in to.iter_mut().enumerate() {
                // What records share is shared by neighbours, as a rule, and copied once.
                *span = match last {
                    Some((from, to)) if from[i] == *span => to[i],
                    _ => append(&mut arena, bytes, *span),
                };
            }
            last = Some((from, to));
            let [position, key, before, after, metadata] = to;
            RecordIndex {
                position,
                key,
                before,
                after,
                metadata,
                ..*entry
            }
        });
        let index = copied.collect();
        Self {
            first: batch.first_sequence,
            arena,
            index,
        }
    }

    fn bytes(&self) -> usize {
        self.arena.len() + size_of_val(&self.index[..])
    }

    fn as_batch(&self) -> BatchRef<'_> {
        BatchRef {
            first_sequence: self.first,
            arena: RSlice::from_slice(&self.arena),
            index: RSlice::from_slice(&self.index),
        }
    }
}

fn append(arena: &mut Vec<u8>, from: &[u8], span: Span) -> Span {
    let bytes = &from[span.offset as usize..][..span.length as usize];
    #[expect(
        clippy::cast_possible_truncation,
        reason = "fields of a batch sum up to at most 16 times its limit, 1 GiB"
    )]
    let offset = arena.len() as u32;
    arena.extend_from_slice(bytes);
    Span {
        offset,
        length: span.length,
    }
}

/// The record at this place of a batch that was checked. What nobody can read is told by its bytes.
pub(crate) fn owned(batch: BatchRef<'_>, place: usize) -> Record {
    let batch = Batch::new(batch, Format::OpencdcJson);
    let Some(view) = batch.get(place) else {
        return Record::new(plugin_api::Operation::Create, Position::new(Vec::new()));
    };
    view.to_owned().unwrap_or_else(|_unreadable| {
        let mut record = Record::new(view.operation(), Position::new(view.position()));
        record.key = Some(Data::Raw(view.key().to_vec()));
        record.payload.before = Some(Data::Raw(view.before().to_vec()));
        record.payload.after = Some(Data::Raw(view.after().to_vec()));
        record
    })
}

#[cfg(test)]
mod tests {
    use plugin_api::ffi::{DataKind, Operation};

    use super::*;

    /// Records `a`, `b`, … with one metadata block for all.
    fn batch(first: u64, payloads: &[&str]) -> (Vec<u8>, Vec<RecordIndex>, u64) {
        let mut arena = Vec::new();
        plugin_api_entry(&mut arena);
        #[expect(clippy::cast_possible_truncation, reason = "a few bytes")]
        let metadata = Span {
            offset: 0,
            length: arena.len() as u32,
        };
        let index = payloads.iter().map(|text| RecordIndex {
            after: append_text(&mut arena, text),
            after_kind: DataKind::RAW,
            operation: Operation::CREATE,
            metadata,
            ..RecordIndex::default()
        });
        let index = index.collect();
        (arena, index, first)
    }

    fn plugin_api_entry(arena: &mut Vec<u8>) {
        arena.extend_from_slice(&1_u32.to_le_bytes());
        arena.extend_from_slice(&1_u32.to_le_bytes());
        arena.extend_from_slice(b"kv");
    }

    fn append_text(arena: &mut Vec<u8>, text: &str) -> Span {
        append(
            arena,
            text.as_bytes(),
            Span {
                offset: 0,
                length: u32::try_from(text.len()).unwrap(),
            },
        )
    }

    fn keep(retained: &mut Retained, (arena, index, first): &(Vec<u8>, Vec<RecordIndex>, u64)) {
        retained.keep(BatchRef {
            first_sequence: *first,
            arena: RSlice::from_slice(arena),
            index: RSlice::from_slice(index),
        });
    }

    fn payload(retained: &Retained, number: u64) -> Option<String> {
        let record = retained.record(number)?;
        assert_eq!(record.metadata.get("k"), Some("v"));
        let bytes = record.payload.after.as_ref()?.as_raw()?.to_vec();
        String::from_utf8(bytes).ok()
    }

    #[test]
    fn a_record_is_found_by_its_number_until_it_is_answered() {
        let mut retained = Retained::default();
        keep(&mut retained, &batch(5, &["five", "six"]));
        keep(&mut retained, &batch(7, &["seven"]));
        assert_eq!(payload(&retained, 4), None);
        assert_eq!(payload(&retained, 6).as_deref(), Some("six"));
        assert_eq!(payload(&retained, 7).as_deref(), Some("seven"));
        assert_eq!(payload(&retained, 8), None);
        retained.release(6);
        assert_eq!(payload(&retained, 5).as_deref(), Some("five"));
        retained.release(7);
        assert_eq!(payload(&retained, 6), None);
        assert!(retained.bytes() > 0);
        retained.release(8);
        assert_eq!(retained.bytes(), 0);
    }

    #[test]
    fn what_neighbours_share_is_copied_once() {
        let mut retained = Retained::default();
        let many: Vec<_> = std::iter::repeat_n("x", 1000).collect();
        let batch = batch(0, &many);
        keep(&mut retained, &batch);
        assert_eq!(retained.parts[0].arena.len(), batch.0.len());
    }
}
