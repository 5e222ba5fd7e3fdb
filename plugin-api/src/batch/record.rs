//! A record while it is written into a batch, and the bytes that records share.

use std::fmt::Display;
use std::ops::Range;

use forebay_abi as abi;

use super::field::{Field, FieldWriter};
use super::metadata;
use crate::error::{Error, ErrorKind};
use crate::record::metadata::DLQ_NACK_ERROR;
use crate::record::{Data, Operation};
use crate::structured::{self, MapEncoder, StructuredError};

/// Bytes that several records of one batch have in common; made by [`BatchWriter::share`](super::BatchWriter::share)
/// and its likes.
///
/// A handle, not the bytes: it is good for the batch that it was made in. In a record of another batch it
/// fails the read with `batch.foreign_share`.
#[derive(Debug, Clone, Copy)]
pub struct Shared {
    span: abi::Span,
    batch: u64,
}

impl Shared {
    pub(super) fn new(span: abi::Span, batch: u64) -> Self {
        Self { span, batch }
    }

    /// A part of the bytes, by their places from 0 on; cut to what is there.
    #[inline]
    #[must_use]
    pub fn slice(self, range: Range<usize>) -> Self {
        let length = self.span.length as usize;
        let end = range.end.min(length);
        let start = range.start.min(end);
        #[expect(
            clippy::cast_possible_truncation,
            reason = "both are at most a u32's length"
        )]
        let (start, length) = (start as u32, (end - start) as u32);
        Self {
            span: abi::Span {
                offset: self.span.offset + start,
                length,
            },
            ..self
        }
    }
}

/// Adds fields to a record that was begun; dropping it adds the record to the batch.
///
/// All fields are optional and may come in any order: what isn't set is absent, which is not empty. Of a
/// field that is set twice the last value counts. There is nothing to handle if a field doesn't fit: the
/// record is taken back and the read fails, see [`BatchWriter`](super::BatchWriter).
///
/// # Examples
///
/// ```
/// use plugin_api::BatchWriter;
///
/// fn write(batch: &mut BatchWriter, id: i64, name: &str, old: Option<&str>) {
///     let mut record = batch
///         .update(format_args!("users/{id}"))
///         .metadata([("opencdc.collection", "users")])
///         .key(id)
///         .payload_map(|row| {
///             row.entry("id", id).entry("name", name);
///         });
///     if let Some(old) = old {
///         record = record.before(old);
///     }
///     drop(record); // here it is in the batch
/// }
/// ```
#[derive(Debug)]
pub struct RecordWriter<'w> {
    /// None when the record was refused; nothing is written then.
    draft: Option<abi::Draft<'w>>,
    fault: &'w mut Option<Error>,
    /// The record's first bytes: from there on they go when it is taken back.
    position: abi::Span,
    /// The batch's id.
    batch: u64,
}

impl<'w> RecordWriter<'w> {
    /// `start` is where the record's bytes begin.
    #[inline(always)]
    pub(super) fn new(
        draft: Option<abi::Draft<'w>>,
        fault: &'w mut Option<Error>,
        start: u32,
        batch: u64,
    ) -> Self {
        let position = abi::Span {
            offset: start,
            length: 0,
        };
        Self {
            draft,
            fault,
            position,
            batch,
        }
    }

    /// Writes what every record has.
    #[inline(always)]
    pub(super) fn begin(mut self, operation: Operation, position: impl Field) -> Self {
        if let Some(span) = self.field(position) {
            self.position = span;
            self.set(|entry| {
                entry.position = span;
                entry.operation = abi::Operation(operation as u8);
            });
        }
        self
    }
}

impl RecordWriter<'_> {
    /// The bytes of the record's position, of which a key is often a part.
    #[inline]
    #[must_use]
    pub fn position(&self) -> Shared {
        Shared {
            span: self.position,
            batch: self.batch,
        }
    }

    /// Sets the key to raw bytes.
    #[inline]
    pub fn key(mut self, key: impl Field) -> Self {
        let span = self.field(key);
        self.put_key(span, abi::DataKind::RAW)
    }

    /// Sets the payload, the data after the change, to raw bytes.
    #[inline]
    pub fn payload(mut self, payload: impl Field) -> Self {
        let span = self.field(payload);
        self.put_after(span, abi::DataKind::RAW)
    }

    /// Sets the data before the change to raw bytes.
    #[inline]
    pub fn before(mut self, before: impl Field) -> Self {
        let span = self.field(before);
        self.put_before(span, abi::DataKind::RAW)
    }

    /// Sets the key to bytes that the batch already has.
    #[inline]
    pub fn key_shared(mut self, key: Shared) -> Self {
        let span = self.own(key);
        self.put_key(span, abi::DataKind::RAW)
    }

    /// Sets the payload to bytes that the batch already has.
    #[inline]
    pub fn payload_shared(mut self, payload: Shared) -> Self {
        let span = self.own(payload);
        self.put_after(span, abi::DataKind::RAW)
    }

    /// Sets key, payload and metadata to bytes that the batch already has: one step in place of
    /// three, for sources whose records are parts of a block.
    #[inline]
    pub fn shared(mut self, key: Shared, payload: Shared, metadata: Shared) -> Self {
        let ours = (key.batch == self.batch)
            & (payload.batch == self.batch)
            & (metadata.batch == self.batch);
        if ours {
            self.set(|record| {
                (record.key, record.key_kind) = (key.span, abi::DataKind::RAW);
                (record.after, record.after_kind) = (payload.span, abi::DataKind::RAW);
                record.metadata = metadata.span;
            });
        } else {
            self.take_back(Refusal::ForeignShare);
        }
        self
    }

    /// Sets the payload to structured data, written value by value.
    ///
    /// Deeper than [`MAX_DEPTH`](crate::structured::MAX_DEPTH) the record is taken back, and the read fails
    /// with a fatal error.
    pub fn payload_map(mut self, write: impl FnOnce(&mut MapEncoder<'_, FieldWriter<'_>>)) -> Self {
        let span = self.map(write);
        self.put_after(span, abi::DataKind::STRUCTURED)
    }

    /// Sets the key to structured data, written value by value.
    pub fn key_map(mut self, write: impl FnOnce(&mut MapEncoder<'_, FieldWriter<'_>>)) -> Self {
        let span = self.map(write);
        self.put_key(span, abi::DataKind::STRUCTURED)
    }

    /// Sets the data before the change to structured data, written value by value.
    pub fn before_map(mut self, write: impl FnOnce(&mut MapEncoder<'_, FieldWriter<'_>>)) -> Self {
        let span = self.map(write);
        self.put_before(span, abi::DataKind::STRUCTURED)
    }

    /// Sets the key to owned data.
    pub fn key_data(mut self, key: &Data) -> Self {
        let (span, kind) = self.data(key);
        self.put_key(span, kind)
    }

    /// Sets the payload to owned data.
    pub fn payload_data(mut self, payload: &Data) -> Self {
        let (span, kind) = self.data(payload);
        self.put_after(span, kind)
    }

    /// Sets the data before the change to owned data.
    pub fn before_data(mut self, before: &Data) -> Self {
        let (span, kind) = self.data(before);
        self.put_before(span, kind)
    }

    /// Sets the metadata, all of it: names and texts. Each name is given once: that isn't checked here,
    /// and a record with a name twice can't be written as JSON.
    pub fn metadata<'m>(mut self, entries: impl IntoIterator<Item = (&'m str, &'m str)>) -> Self {
        let Some(draft) = &mut self.draft else {
            return self;
        };
        let span = write_metadata(draft.arena(), entries);
        let span = self.written(span);
        self.put_metadata(span)
    }

    /// Sets the metadata to what [`BatchWriter::share_metadata`](super::BatchWriter::share_metadata) has stored.
    #[inline]
    pub fn metadata_shared(mut self, metadata: Shared) -> Self {
        let span = self.own(metadata);
        self.put_metadata(span)
    }

    /// Ends the record as one that can't be delivered, and says why: a line that is too long, or data that
    /// can't be read. It goes to the pipeline's dead-letter queue, and the source goes on behind its
    /// position; where the queue doesn't take it, the pipeline fails with the reason. A host that reads
    /// by a stream finds the reason in the record's metadata.
    ///
    /// The position, and whatever helps to find and mend the data, is set before.
    ///
    /// # Examples
    ///
    /// ```
    /// # use plugin_api::BatchWriter;
    /// fn write(batch: &mut BatchWriter, number: u64, line: &[u8]) {
    ///     let record = batch.create(number).payload(line);
    ///     if str::from_utf8(line).is_err() {
    ///         record.nack(format_args!("line {number} is not UTF-8"));
    ///     }
    /// }
    /// ```
    pub fn nack(mut self, reason: impl Display) {
        let Some(draft) = &mut self.draft else {
            return;
        };
        let mut entries = draft.bytes(draft.entry.metadata).to_vec();
        metadata::encode(DLQ_NACK_ERROR, &reason.to_string(), |piece| {
            entries.extend_from_slice(piece);
        });
        let span = draft.arena().append(&entries);
        let span = self.written(span);
        self = self.put_metadata(span);
        self.set(|record| record.reserved |= abi::RecordIndex::NACKED);
    }

    #[inline]
    fn put_key(mut self, span: Option<abi::Span>, kind: abi::DataKind) -> Self {
        if let Some(span) = span {
            self.set(|record| (record.key, record.key_kind) = (span, kind));
        }
        self
    }

    #[inline]
    fn put_before(mut self, span: Option<abi::Span>, kind: abi::DataKind) -> Self {
        if let Some(span) = span {
            self.set(|record| (record.before, record.before_kind) = (span, kind));
        }
        self
    }

    #[inline]
    fn put_after(mut self, span: Option<abi::Span>, kind: abi::DataKind) -> Self {
        if let Some(span) = span {
            self.set(|record| (record.after, record.after_kind) = (span, kind));
        }
        self
    }

    #[inline]
    fn put_metadata(mut self, span: Option<abi::Span>) -> Self {
        if let Some(span) = span {
            self.set(|record| record.metadata = span);
        }
        self
    }

    #[inline]
    fn set(&mut self, put: impl FnOnce(&mut abi::RecordIndex)) {
        if let Some(draft) = &mut self.draft {
            put(&mut draft.entry);
        }
    }

    #[inline(always)]
    fn field(&mut self, value: impl Field) -> Option<abi::Span> {
        let span = write_field(self.draft.as_mut()?.arena(), value);
        self.written(span)
    }

    /// A field that didn't fit takes the record back.
    #[inline(always)]
    fn written(&mut self, span: Option<abi::Span>) -> Option<abi::Span> {
        if span.is_none() {
            self.take_back(Refusal::TooLarge);
        }
        span
    }

    /// The span of a share of this batch. One of another batch would point at other bytes.
    #[inline]
    fn own(&mut self, shared: Shared) -> Option<abi::Span> {
        if shared.batch != self.batch {
            self.take_back(Refusal::ForeignShare);
            return None;
        }
        Some(shared.span)
    }

    fn map(
        &mut self,
        write: impl FnOnce(&mut MapEncoder<'_, FieldWriter<'_>>),
    ) -> Option<abi::Span> {
        self.structured(|out| {
            let mut map = MapEncoder::new(out);
            write(&mut map);
            map.finish()
        })
    }

    fn data(&mut self, data: &Data) -> (Option<abi::Span>, abi::DataKind) {
        match data {
            Data::Raw(bytes) => (self.field(bytes), abi::DataKind::RAW),
            Data::Structured(map) => {
                let span = self.structured(|out| structured::encode(map, out));
                (span, abi::DataKind::STRUCTURED)
            }
        }
    }

    fn structured(
        &mut self,
        write: impl FnOnce(&mut FieldWriter<'_>) -> Result<(), StructuredError>,
    ) -> Option<abi::Span> {
        let mut out = FieldWriter::new(self.draft.as_mut()?.arena());
        let written = write(&mut out);
        let span = out.finish();
        match written {
            Ok(()) if span.is_none() => self.take_back(Refusal::TooLarge),
            Ok(()) => return span,
            Err(error) => {
                if let Some(draft) = self.draft.take() {
                    draft.take_back(self.position.offset);
                    *self.fault = Some(Error::fatal(error));
                }
            }
        }
        None
    }

    /// Drops the record, one of whose fields can't be written.
    #[inline]
    fn take_back(&mut self, why: Refusal) {
        // What is not inlined gets the parts: given `self`, it would force that into memory.
        if let Some(draft) = self.draft.take() {
            take_back(draft, self.position.offset, self.fault, why);
        }
    }
}

impl Drop for RecordWriter<'_> {
    #[inline]
    fn drop(&mut self) {
        if let Some(draft) = self.draft.take() {
            draft.finish();
        }
    }
}

#[cold]
fn take_back(draft: abi::Draft<'_>, start: u32, fault: &mut Option<Error>, why: Refusal) {
    refuse(fault, draft.take_back(start), why);
}

// Not inlined, it would return the span through memory in two halves, and the store that takes both
// at once would have to wait for them: a third of the time of a record.
#[inline(always)]
pub(super) fn write_field(arena: abi::Arena<'_>, value: impl Field) -> Option<abi::Span> {
    let mut out = FieldWriter::new(arena);
    value.write(&mut out);
    out.finish()
}

pub(super) fn write_metadata<'m>(
    arena: abi::Arena<'_>,
    entries: impl IntoIterator<Item = (&'m str, &'m str)>,
) -> Option<abi::Span> {
    let mut out = FieldWriter::new(arena);
    let mut whole = true;
    for (key, value) in entries {
        whole &= metadata::encode(key, value, |piece| out.append(piece));
    }
    out.finish().filter(|_| whole)
}

/// Why a record, or what records share, can't be written.
#[derive(Debug, Clone, Copy)]
pub(super) enum Refusal {
    /// It doesn't fit into what the host takes.
    TooLarge,
    /// The batch has all the records that the host takes.
    BatchFull,
    /// Its bytes were shared in another batch, and aren't in this one.
    ForeignShare,
}

/// Notes that the record behind so many others can't be written; the first fault is kept.
#[cold]
pub(super) fn refuse(fault: &mut Option<Error>, records: u32, why: Refusal) {
    fault.get_or_insert_with(|| {
        let number = records + 1;
        let (code, text) = match why {
            Refusal::TooLarge => (
                "record.too_large",
                format!("record {number} of the batch is larger than the host takes"),
            ),
            Refusal::BatchFull => (
                "batch.full",
                format!("the batch takes {records} records; ask `has_room` before each of them"),
            ),
            Refusal::ForeignShare => (
                "batch.foreign_share",
                format!("record {number} of the batch has bytes that were shared in another one"),
            ),
        };
        Error::new(ErrorKind::Fatal, text).with_code(code)
    });
}
