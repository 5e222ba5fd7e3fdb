//! What a source writes records into.

use std::sync::atomic::{AtomicU64, Ordering};

use forebay_abi as abi;

use super::field::Field;
use super::record::{RecordWriter, Refusal, Shared, refuse, write_field, write_metadata};
use crate::error::Error;
use crate::record::{Operation, Record};

/// A batch that a source fills.
///
/// Nothing is allocated for a record: fields are appended to one arena that the host recycles. A
/// record's fields may be added in any order; it counts when its [`RecordWriter`] is dropped, which
/// is at the end of the statement if nobody keeps that.
///
/// A batch takes as many records as `sdk.batch.size` says (1024 if the user says nothing), and should be
/// returned from 1 MiB on; [`has_room`](Self::has_room) knows of both. A record that was begun below 1 MiB
/// always fits if its fields are together at most 63 MiB. One that doesn't fit, or for which there was no
/// room, is taken back and nothing is written after it: the records before it are delivered, then the read
/// fails with `record.too_large` or `batch.full` and says which it was. None of the functions blocks.
///
/// # Examples
///
/// ```
/// use plugin_api::BatchWriter;
///
/// /// Writes what fits; the rest stays for the next read.
/// fn fill(batch: &mut BatchWriter, waiting: &mut Vec<(u64, String)>) {
///     while batch.has_room()
///         && let Some((number, line)) = waiting.pop()
///     {
///         batch
///             .create(number)
///             .key(format_args!("line-{number}"))
///             .payload(&line);
///     }
/// }
/// ```
#[derive(Debug)]
pub struct BatchWriter<'a> {
    buffer: &'a mut abi::BatchBuffer,
    /// Why the record that was written last had to be taken back; nothing is written after it.
    fault: Option<Error>,
    /// Tells this batch's shares from those of others.
    id: u64,
}

impl<'a> BatchWriter<'a> {
    /// Writes behind what the buffer holds, for hosts that fill one themselves. A source is given one.
    pub fn new(buffer: &'a mut abi::BatchBuffer) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Self {
            buffer,
            fault: None,
            id: NEXT.fetch_add(1, Ordering::Relaxed),
        }
    }

    /// Whether another record should be written; return [`Progress::More`](crate::Progress::More)
    /// when not. Asked before each record.
    #[inline]
    #[must_use]
    pub fn has_room(&self) -> bool {
        self.fault.is_none() && self.buffer.has_room()
    }

    /// Number of records that still fit: the limit for a query. Their bytes may end the batch sooner, so
    /// [`has_room`](Self::has_room) is asked all the same. 0 when it is false.
    #[must_use]
    pub fn room(&self) -> usize {
        if !self.has_room() {
            return 0;
        }
        (self.buffer.index_capacity() - self.buffer.index_length()) as usize
    }

    /// Number of records written.
    #[must_use]
    pub fn len(&self) -> usize {
        self.buffer.index_length() as usize
    }

    /// Bytes that were written: of all fields, with what structured data and metadata take.
    #[must_use]
    pub fn byte_len(&self) -> usize {
        self.buffer.arena_length() as usize
    }

    /// Whether no record was written.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Begins a record of new data. Anything that is a [`Field`] is a position: a number, a text, bytes.
    #[inline]
    pub fn create(&mut self, position: impl Field) -> RecordWriter<'_> {
        self.record(Operation::Create, position)
    }

    /// Begins a record of changed data.
    #[inline]
    pub fn update(&mut self, position: impl Field) -> RecordWriter<'_> {
        self.record(Operation::Update, position)
    }

    /// Begins a record of deleted data.
    #[inline]
    pub fn delete(&mut self, position: impl Field) -> RecordWriter<'_> {
        self.record(Operation::Delete, position)
    }

    /// Begins a record of data that was there before the source began to watch.
    #[inline]
    pub fn snapshot(&mut self, position: impl Field) -> RecordWriter<'_> {
        self.record(Operation::Snapshot, position)
    }

    /// Begins a record with an operation that is known only when it runs.
    #[inline(always)]
    pub fn record(&mut self, operation: Operation, position: impl Field) -> RecordWriter<'_> {
        let start = self.buffer.arena_length();
        let records = self.buffer.index_length();
        let draft = if self.fault.is_none() {
            self.buffer.begin()
        } else {
            None
        };
        if draft.is_none() {
            refuse(&mut self.fault, records, Refusal::BatchFull);
        }
        RecordWriter::new(draft, &mut self.fault, start, self.id).begin(operation, position)
    }

    /// Appends an owned record: the simple form, for sources that are not after speed.
    ///
    /// What one read has pushed is one batch for the destinations, so a source pushes all that it
    /// has at hand, as long as there is [room](Self::has_room).
    pub fn push(&mut self, record: &Record) {
        let mut writer = self.record(record.operation, &record.position);
        let mut metadata = record.metadata.iter().peekable();
        if metadata.peek().is_some() {
            writer = writer.metadata(metadata);
        }
        if let Some(key) = &record.key {
            writer = writer.key_data(key);
        }
        if let Some(before) = &record.payload.before {
            writer = writer.before_data(before);
        }
        if let Some(after) = &record.payload.after {
            writer.payload_data(after);
        }
    }

    /// Stores bytes once, to be used by several records of this batch, whole or in [parts](Shared::slice).
    ///
    /// ```
    /// use plugin_api::BatchWriter;
    ///
    /// fn two_halves(batch: &mut BatchWriter) {
    ///     let both = batch.share("left right");
    ///     batch.create(1_u64).payload_shared(both.slice(0..4));
    ///     batch.create(2_u64).payload_shared(both.slice(5..10));
    /// }
    /// ```
    pub fn share(&mut self, bytes: impl Field) -> Shared {
        let span = write_field(self.buffer.arena(), bytes);
        self.shared(span)
    }

    /// Lends so many bytes of the batch's memory to `fill`, which returns how many of them, from the
    /// first on, are to be used by several records of this batch: for what can be read straight into
    /// the batch. They hold whatever an earlier batch has left there.
    ///
    /// Where the host hasn't so much room, `fill` isn't called, and the read fails as with a record
    /// that doesn't fit.
    ///
    /// # Errors
    ///
    /// Fails when `fill` does; nothing is kept then.
    pub fn share_with<E>(
        &mut self,
        length: usize,
        fill: impl FnOnce(&mut [u8]) -> Result<usize, E>,
    ) -> Result<Shared, E> {
        let mut arena = self.buffer.arena();
        let span = match arena.spare(0, length) {
            Some(room) => {
                let kept = fill(room)?.min(length);
                Some(arena.commit(kept))
            }
            None => None,
        };
        Ok(self.shared(span))
    }

    /// Stores metadata once, to be used by several records of this batch. Each key is given once: that isn't
    /// checked here, and records with a key twice can't be written as JSON.
    pub fn share_metadata<'m>(
        &mut self,
        entries: impl IntoIterator<Item = (&'m str, &'m str)>,
    ) -> Shared {
        let span = write_metadata(self.buffer.arena(), entries);
        self.shared(span)
    }

    /// The error that the read ends with, where a record had to be taken back, for hosts that fill a buffer
    /// themselves. A source need not ask: its read fails anyhow.
    #[must_use]
    pub fn into_fault(self) -> Option<Error> {
        self.fault
    }

    fn shared(&mut self, span: Option<abi::Span>) -> Shared {
        if span.is_none() {
            let records = self.buffer.index_length();
            refuse(&mut self.fault, records, Refusal::TooLarge);
        }
        Shared::new(span.unwrap_or_default(), self.id)
    }
}
