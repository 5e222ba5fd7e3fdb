//! The memory of a batch: filled by a source, checked once, lent to destinations.

use abi_stable::std_types::RSlice;
use plugin_api::ffi::{BatchBuffer, BatchRef, DataKind, RecordIndex, Span};

/// Fill of the arena from which a source should start no further record.
const ARENA_TARGET: u32 = 1 << 20;
/// Room that the arena has at first.
const ARENA_START: usize = 64 << 10;
/// Most bytes of an arena, whatever the limit: so that a check of 32 bits can't overflow.
const LARGEST_ARENA: u32 = 1 << 29;
/// How often the same bytes may count as fields: shared spans amplify.
const SHARE_LIMIT: u64 = 16;

/// Records of a batch when nobody says how many.
pub(crate) const BATCH_RECORDS: u32 = 1024;
/// Largest record, and so batch, in bytes.
pub(crate) const RECORD_BYTES: u32 = 64 << 20;

/// A batch's memory, recycled for the life of a driver.
///
/// Pointers and capacities are kept here, so whatever a plugin does to the [`BatchBuffer`] it was
/// lent has no effect but on the two lengths, and those are checked.
#[derive(Debug)]
pub(crate) struct Buffer {
    /// Initialised up to its length, all of which may be lent.
    arena: Vec<u8>,
    index: Vec<RecordIndex>,
    arena_length: usize,
    records: usize,
    limit: u32,
    /// Whether the source has nacked any of the records.
    has_nacked: bool,
}

/// What is wrong with a batch that a source has filled.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BatchFault {
    #[error("the batch claims {claimed} bytes where {room} were lent")]
    Length { claimed: usize, room: usize },
    #[error("the batch claims {claimed} records where {room} were lent")]
    Count { claimed: usize, room: usize },
    #[error("the {field} of record {record} lies outside the batch")]
    Span { record: usize, field: &'static str },
    #[error("record {record} has the unknown operation {operation}")]
    Operation { record: usize, operation: u8 },
    #[error("record {record} has data of the unknown kind {kind}")]
    Kind { record: usize, kind: u8 },
    #[error("record {record} has bits set that are reserved")]
    Reserved { record: usize },
    #[error(
        "the fields sum up to {bytes} bytes, more than {SHARE_LIMIT} times the limit of {limit}"
    )]
    Amplified { bytes: u64, limit: u32 },
}

impl Buffer {
    /// Makes a buffer for so many records and at most so many bytes.
    pub(crate) fn new(records: u32, limit: u32) -> Self {
        let limit = limit.min(LARGEST_ARENA);
        Self {
            arena: vec![0; ARENA_START.min(limit as usize)],
            index: vec![RecordIndex::default(); records as usize],
            arena_length: 0,
            records: 0,
            limit,
            has_nacked: false,
        }
    }

    /// Makes a buffer of records that came out of others, which have checked them.
    pub(crate) fn of(arena: Vec<u8>, index: Vec<RecordIndex>, has_nacked: bool) -> Self {
        Self {
            arena_length: arena.len(),
            records: index.len(),
            limit: 0,
            has_nacked,
            arena,
            index,
        }
    }

    /// Number of records that the buffer takes.
    pub(crate) fn capacity(&self) -> usize {
        self.index.len()
    }

    /// Lends the buffer, empty, to a source's read of at most so many records.
    pub(crate) fn lend<R>(
        &mut self,
        most: usize,
        fill: impl FnOnce(&mut BatchBuffer) -> R,
    ) -> (R, Filled) {
        self.clear();
        let arena = self.arena.as_mut_ptr();
        let index = self.index.as_mut_ptr();
        #[expect(
            clippy::cast_possible_truncation,
            reason = "both are at most a u32's limit"
        )]
        let (bytes, records) = (self.arena.len() as u32, most.min(self.index.len()) as u32);
        let target = ARENA_TARGET.min(self.limit);
        let owner = std::ptr::from_mut(self).cast::<()>();
        // SAFETY: both vectors are initialised over those lengths and are touched by nobody else
        // until `fill` is over, but by `grow` through `owner`.
        let mut lent =
            unsafe { BatchBuffer::from_raw(arena, bytes, index, records, target, owner, grow) };
        let result = fill(&mut lent);
        let filled = Filled {
            bytes: lent.arena_length() as usize,
            records: lent.index_length() as usize,
            lent: records as usize,
        };
        (result, filled)
    }

    /// Takes what a source has filled, after checking every span of it once.
    pub(crate) fn accept(&mut self, filled: Filled) -> Result<usize, BatchFault> {
        let room = self.arena.len();
        if filled.bytes > room {
            return Err(BatchFault::Length {
                claimed: filled.bytes,
                room,
            });
        }
        // What was lent is never more than there is, and no vector has shrunk since.
        if filled.records > filled.lent {
            return Err(BatchFault::Count {
                claimed: filled.records,
                room: filled.lent,
            });
        }
        self.has_nacked = check(&self.index[..filled.records], filled.bytes, self.limit)?;
        self.arena_length = filled.bytes;
        self.records = filled.records;
        Ok(filled.records)
    }

    /// Forgets the records.
    pub(crate) fn clear(&mut self) {
        self.arena_length = 0;
        self.records = 0;
        self.has_nacked = false;
    }

    /// Whether the source has nacked any of the records.
    #[inline]
    pub(crate) fn has_nacked(&self) -> bool {
        self.has_nacked
    }

    /// The batch as destinations get it.
    pub(crate) fn as_batch(&self, first_sequence: u64) -> BatchRef<'_> {
        BatchRef {
            first_sequence,
            arena: RSlice::from_slice(&self.arena[..self.arena_length]),
            index: RSlice::from_slice(&self.index[..self.records]),
        }
    }
}

/// The position of a record of a batch that was accepted.
#[inline]
pub(crate) fn position<'a>(batch: &BatchRef<'a>, record: usize) -> &'a [u8] {
    let Span { offset, length } = batch.index.as_slice()[record].position;
    &batch.arena.as_slice()[offset as usize..][..length as usize]
}

/// The lengths that a source has left in the buffer that it was lent; not checked yet.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Filled {
    bytes: usize,
    records: usize,
    /// Records that were lent.
    lent: usize,
}

/// Makes room in the arena of the buffer that is lent.
unsafe extern "C" fn grow(lent: &mut BatchBuffer, capacity: u32) -> bool {
    // SAFETY: `owner` is the `Buffer` in whose `lend` this call happens; it outlives the call, and
    // `lend` doesn't touch it meanwhile.
    let buffer = unsafe { &mut *lent.owner().cast::<Buffer>() };
    if capacity > buffer.limit {
        return false;
    }
    let doubled = buffer
        .arena
        .len()
        .saturating_mul(2)
        .min(buffer.limit as usize);
    let length = doubled.max(capacity as usize);
    if buffer
        .arena
        .try_reserve_exact(length - buffer.arena.len())
        .is_err()
    {
        return false;
    }
    buffer.arena.resize(length, 0);
    #[expect(clippy::cast_possible_truncation, reason = "at most `limit`, a u32")]
    let room = length as u32;
    // SAFETY: the new arena is initialised over `room` bytes and begins with what was written.
    unsafe { lent.set_arena(buffer.arena.as_mut_ptr(), room) };
    true
}

/// Checks every entry without a branch: what is wrong is looked for only when something is strange.
/// Returns whether the source has nacked any of the records.
fn check(index: &[RecordIndex], bytes: usize, limit: u32) -> Result<bool, BatchFault> {
    /// Bits that nothing has which lies inside an arena.
    const OUTSIDE: u32 = !(LARGEST_ARENA * 2 - 1);
    #[expect(clippy::cast_possible_truncation, reason = "at most `limit`, a u32")]
    let end = bytes as u32;
    let mut strange = 0_u32;
    let mut outside = 0_u32;
    // Offsets and lengths side by side, so that the compiler can do four at once. As none is large,
    // a sum doesn't overflow, and the difference is negative exactly when a span lies outside.
    let mut lanes = [0_u32; 4];
    for entry in index {
        let [position, key, before, after, metadata] = spans(entry);
        for (one, two) in [(position, key), (before, after)] {
            let parts = [one.offset, one.length, two.offset, two.length];
            let others = [one.length, one.offset, two.length, two.offset];
            for ((lane, part), other) in lanes.iter_mut().zip(parts).zip(others) {
                *lane |= part | end.wrapping_sub(part.wrapping_add(other));
            }
        }
        let metadata_end = metadata.offset.wrapping_add(metadata.length);
        outside |= metadata.offset | metadata.length | end.wrapping_sub(metadata_end);
        strange |= unknown(entry);
    }
    let outside = lanes.into_iter().fold(outside, |all, lane| all | lane);
    if outside & OUTSIDE != 0 || strange != 0 {
        let mut faults = index.iter().enumerate();
        if let Some(fault) = faults.find_map(|(record, entry)| fault(record, entry, bytes)) {
            return Err(fault);
        }
    }
    check_amplification(index, u64::from(end), limit)?;
    // Nothing is unknown, and so what is strange is a nack.
    Ok(strange != 0)
}

/// Checks that the fields together are not so many times larger than what they lie in that whoever
/// copies them runs out of memory.
fn check_amplification(index: &[RecordIndex], bytes: u64, limit: u32) -> Result<(), BatchFault> {
    let most = SHARE_LIMIT * u64::from(limit);
    // No field is larger than all bytes. Of most batches that is all there is to know.
    if (index.len() as u64).saturating_mul(5).saturating_mul(bytes) <= most {
        return Ok(());
    }
    let lengths = index
        .iter()
        .flat_map(spans)
        .map(|span| u64::from(span.length));
    let sum = lengths.sum();
    if sum > most {
        return Err(BatchFault::Amplified { bytes: sum, limit });
    }
    Ok(())
}

#[inline]
fn spans(entry: &RecordIndex) -> [Span; 5] {
    [
        entry.position,
        entry.key,
        entry.before,
        entry.after,
        entry.metadata,
    ]
}

/// Not 0 when a number of an entry is none that this host knows, or the source has nacked the record.
#[inline]
fn unknown(entry: &RecordIndex) -> u32 {
    let numbers = u32::from_le_bytes([
        entry.operation.0,
        entry.key_kind.0,
        entry.before_kind.0,
        entry.after_kind.0,
    ]);
    // Kinds are 0 to 2: no bit above the second, and not both of these.
    let unknown_kind = (numbers & 0xFCFC_FC00) | (numbers & (numbers >> 1) & 0x0101_0100);
    // Operations are 1 to 4.
    let unknown_operation = (numbers & 0xFF).wrapping_sub(1) & !3;
    unknown_kind | unknown_operation | entry.reserved
}

/// What is wrong with an entry, if anything is.
#[cold]
fn fault(record: usize, entry: &RecordIndex, bytes: usize) -> Option<BatchFault> {
    const FIELDS: [&str; 5] = ["position", "key", "data before", "data after", "metadata"];
    let outside = |span: Span| u64::from(span.offset) + u64::from(span.length) > bytes as u64;
    if let Some(i) = spans(entry).into_iter().position(outside) {
        return Some(BatchFault::Span {
            record,
            field: FIELDS[i],
        });
    }
    let known = RecordIndex {
        reserved: entry.reserved & !RecordIndex::NACKED,
        ..*entry
    };
    if unknown(&known) == 0 {
        return None;
    }
    if entry.operation.0.wrapping_sub(1) >= 4 {
        return Some(BatchFault::Operation {
            record,
            operation: entry.operation.0,
        });
    }
    let kinds = [entry.key_kind.0, entry.before_kind.0, entry.after_kind.0];
    Some(
        match kinds
            .into_iter()
            .find(|kind| *kind > DataKind::STRUCTURED.0)
        {
            Some(kind) => BatchFault::Kind { record, kind },
            None => BatchFault::Reserved { record },
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use plugin_api::ffi::Operation;

    fn record(position: Span) -> RecordIndex {
        RecordIndex {
            position,
            operation: Operation::CREATE,
            ..RecordIndex::default()
        }
    }

    #[test]
    fn a_filled_batch_is_lent_on() {
        let mut buffer = Buffer::new(4, 1 << 16);
        let ((), filled) = buffer.lend(usize::MAX, |lent| {
            let span = lent.append(b"p1").expect("room");
            let mut draft = lent.begin().expect("room");
            draft.entry = record(span);
            draft.finish();
        });
        assert_eq!(buffer.accept(filled), Ok(1));
        assert_eq!(position(&buffer.as_batch(0), 0), b"p1");
        assert_eq!(buffer.as_batch(7).index.len(), 1);
    }

    #[test]
    fn the_arena_grows_up_to_its_limit() {
        let mut buffer = Buffer::new(1, 200_000);
        let (spans, _) = buffer.lend(usize::MAX, |lent| {
            (
                lent.append(&[7; 150_000]),
                lent.append(&[8; 50_000]),
                lent.append(&[9]),
            )
        });
        assert_eq!(spans.0.map(|span| span.length), Some(150_000));
        assert_eq!(spans.1.map(|span| span.offset), Some(150_000));
        assert_eq!(spans.2, None);
    }

    #[test]
    fn lies_are_errors() {
        let span = |offset, length| Span { offset, length };
        let good = record(span(0, 2));
        let cases = [
            (
                record(span(1, 2)),
                "the position of record 0 lies outside the batch",
            ),
            (
                record(span(u32::MAX, u32::MAX)),
                "the position of record 0 lies outside the batch",
            ),
            (
                RecordIndex {
                    after: span(3, 0),
                    ..good
                },
                "the data after of record 0 lies outside",
            ),
            (
                RecordIndex {
                    operation: Operation(0),
                    ..good
                },
                "unknown operation 0",
            ),
            (
                RecordIndex {
                    operation: Operation(5),
                    ..good
                },
                "unknown operation 5",
            ),
            (
                RecordIndex {
                    key_kind: DataKind(3),
                    ..good
                },
                "unknown kind 3",
            ),
            (
                RecordIndex {
                    reserved: RecordIndex::NACKED | 2,
                    ..good
                },
                "reserved",
            ),
        ];
        for (lie, text) in cases {
            let mut buffer = Buffer::new(1, 1 << 16);
            let (_, filled) = buffer.lend(usize::MAX, |lent| {
                lent.append(b"p1").expect("room");
                let mut draft = lent.begin().expect("room");
                draft.entry = lie;
                draft.finish();
            });
            let fault = buffer.accept(filled).expect_err("a lie");
            assert!(fault.to_string().contains(text), "{fault} lacks {text}");
        }
    }

    #[test]
    fn a_nacked_record_is_accepted_and_told() {
        let mut buffer = Buffer::new(2, 1 << 16);
        for reserved in [0, RecordIndex::NACKED, 0] {
            let ((), filled) = buffer.lend(usize::MAX, |lent| {
                let span = lent.append(b"p1").expect("room");
                let mut draft = lent.begin().expect("room");
                draft.entry = RecordIndex {
                    reserved,
                    ..record(span)
                };
                draft.finish();
            });
            assert_eq!(buffer.accept(filled), Ok(1));
            assert_eq!(buffer.has_nacked(), reserved != 0);
        }
    }

    #[test]
    fn lengths_beyond_what_was_lent_are_errors() {
        let mut buffer = Buffer::new(2, 1 << 16);
        let claimed = buffer.arena.len() + 1;
        let fault = buffer.accept(Filled {
            bytes: claimed,
            records: 0,
            lent: 2,
        });
        assert!(matches!(fault, Err(BatchFault::Length { .. })));
        for (most, room) in [(usize::MAX, 2), (1, 1)] {
            let ((), mut filled) = buffer.lend(most, |lent| {
                while let Some(mut draft) = lent.begin() {
                    draft.entry.operation = Operation::CREATE;
                    draft.finish();
                }
            });
            assert_eq!(buffer.accept(filled), Ok(room));
            filled.records += 1;
            let claimed = room + 1;
            let fault = buffer.accept(filled);
            assert_eq!(fault, Err(BatchFault::Count { claimed, room }));
        }
    }

    #[test]
    fn shared_spans_amplify_only_so_far() {
        let mut buffer = Buffer::new(100, 1000);
        let ((), filled) = buffer.lend(usize::MAX, |lent| {
            let span = lent.append(&[0; 1000]).expect("room");
            for _ in 0..17 {
                let mut draft = lent.begin().expect("room");
                draft.entry = record(span);
                draft.finish();
            }
        });
        assert!(matches!(
            buffer.accept(filled),
            Err(BatchFault::Amplified { .. })
        ));
    }
}
