//! What a source writes records into.

use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};

use forebay_abi as abi;

use super::field::{Field, FieldWriter};
use super::metadata;
use crate::error::{Error, ErrorKind};
use crate::record::{Data, Operation, Record};
use crate::structured::{self, MapEncoder, StructuredError};

/// A batch that a source fills.
///
/// Nothing is allocated for a record: fields are appended to one arena that the host recycles. A
/// record counts from the moment it is begun, and its fields may then be added in any order.
///
/// A record that doesn't fit into what the host takes (see `largest record` in `docs/abi.md`) is
/// taken back; those before it are delivered, then the read fails and names the limit.
#[derive(Debug)]
pub struct BatchWriter<'a> {
    buffer: &'a mut abi::BatchBuffer,
    /// Arena length at the start of the newest record, to take it back.
    mark: u32,
    /// Why the record that was written last had to be taken back; nothing is written after it.
    fault: Option<Error>,
    /// Tells this batch's shares from those of others.
    id: u64,
}

impl<'a> BatchWriter<'a> {
    pub(crate) fn new(buffer: &'a mut abi::BatchBuffer) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Self {
            mark: buffer.arena_length(),
            buffer,
            fault: None,
            id: NEXT.fetch_add(1, Ordering::Relaxed),
        }
    }

    /// Whether another record should be written; return [`Progress::More`](crate::Progress::More)
    /// when not.
    #[inline]
    #[must_use]
    pub fn has_room(&self) -> bool {
        self.fault.is_none() && self.buffer.has_room()
    }

    /// Number of records that still fit.
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

    /// Whether no record was written.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Begins a record of new data.
    #[inline]
    pub fn create(&mut self, position: impl Field) -> RecordWriter<'_, 'a> {
        self.record(Operation::Create, position)
    }

    /// Begins a record of changed data.
    #[inline]
    pub fn update(&mut self, position: impl Field) -> RecordWriter<'_, 'a> {
        self.record(Operation::Update, position)
    }

    /// Begins a record of deleted data.
    #[inline]
    pub fn delete(&mut self, position: impl Field) -> RecordWriter<'_, 'a> {
        self.record(Operation::Delete, position)
    }

    /// Begins a record of data that was there before the source began to watch.
    #[inline]
    pub fn snapshot(&mut self, position: impl Field) -> RecordWriter<'_, 'a> {
        self.record(Operation::Snapshot, position)
    }

    /// Begins a record.
    #[inline(always)]
    pub fn record(&mut self, operation: Operation, position: impl Field) -> RecordWriter<'_, 'a> {
        self.mark = self.buffer.arena_length();
        let span = self.field(position);
        match (span, self.fault.is_none()) {
            (Some(span), true) => match self.buffer.begin() {
                Some(entry) => {
                    entry.position = span;
                    entry.operation = abi::Operation(operation as u8);
                }
                None => self.refuse(),
            },
            _ => self.refuse(),
        }
        RecordWriter {
            batch: self,
            position: span.unwrap_or_default(),
        }
    }

    /// Appends an owned record: the simple form, for sources that are not after speed.
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

    /// Stores bytes once, to be used by several records of this batch.
    pub fn share(&mut self, bytes: impl Field) -> Shared {
        let span = self.field(bytes);
        self.shared(span)
    }

    /// Stores metadata once, to be used by several records of this batch.
    pub fn share_metadata<'m>(
        &mut self,
        entries: impl IntoIterator<Item = (&'m str, &'m str)>,
    ) -> Shared {
        let span = self.metadata_span(entries);
        self.shared(span)
    }

    /// The error that the read ends with, where a record had to be taken back.
    pub(crate) fn into_fault(self) -> Option<Error> {
        self.fault
    }

    fn shared(&mut self, span: Option<abi::Span>) -> Shared {
        // What is shared must survive when a record is taken back.
        self.mark = self.buffer.arena_length();
        if span.is_none() {
            self.refuse();
        }
        Shared {
            span: span.unwrap_or_default(),
            batch: self.id,
        }
    }

    // Not inlined, it would return the span through memory in two halves, and the store that takes
    // both at once would have to wait for them: a third of the time of a record.
    #[inline(always)]
    fn field(&mut self, value: impl Field) -> Option<abi::Span> {
        let mut out = FieldWriter::new(self.buffer);
        value.write(&mut out);
        out.finish()
    }

    fn metadata_span<'m>(
        &mut self,
        entries: impl IntoIterator<Item = (&'m str, &'m str)>,
    ) -> Option<abi::Span> {
        let mut out = FieldWriter::new(self.buffer);
        let mut whole = true;
        for (key, value) in entries {
            whole &= metadata::encode(key, value, |piece| out.append(piece));
        }
        out.finish().filter(|_| whole)
    }

    #[inline]
    fn set(&mut self, span: Option<abi::Span>, put: impl FnOnce(&mut abi::RecordIndex, abi::Span)) {
        match (span, self.buffer.last_mut()) {
            (Some(span), Some(record)) if self.fault.is_none() => put(record, span),
            _ => self.take_back(),
        }
    }

    /// Drops the newest record, one of whose fields can't be written.
    #[cold]
    fn take_back(&mut self) {
        if self.fault.is_none() {
            self.buffer.pop();
        }
        self.refuse();
    }

    /// Notes that a record, or what records share, can't be written; the first fault is kept.
    #[cold]
    fn refuse(&mut self) {
        self.buffer.truncate_arena(self.mark);
        let number = self.buffer.index_length() + 1;
        self.fault.get_or_insert_with(|| {
            let text = format!("record {number} of the batch is larger than the host takes");
            Error::new(ErrorKind::Fatal, text).with_code("record.too_large")
        });
    }

    #[cold]
    fn refuse_structured(&mut self, error: StructuredError) {
        if self.fault.is_none() {
            self.buffer.pop();
            self.fault = Some(Error::fatal(error));
        }
        self.buffer.truncate_arena(self.mark);
    }
}

/// Bytes that several records of one batch have in common.
#[derive(Debug, Clone, Copy)]
pub struct Shared {
    span: abi::Span,
    batch: u64,
}

impl Shared {
    /// A part of the bytes; cut to what is there.
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

/// Adds fields to a record that was begun; dropping it changes nothing.
#[derive(Debug)]
pub struct RecordWriter<'w, 'a> {
    batch: &'w mut BatchWriter<'a>,
    /// Also in the record's entry, which it was stored to a moment ago and is not loaded back from.
    position: abi::Span,
}

impl RecordWriter<'_, '_> {
    /// The bytes of the record's position, of which a key is often a part.
    #[inline]
    #[must_use]
    pub fn position(&self) -> Shared {
        Shared {
            span: self.position,
            batch: self.batch.id,
        }
    }

    /// Sets the key.
    #[inline]
    pub fn key(self, key: impl Field) -> Self {
        let span = self.batch.field(key);
        self.put_key(span, abi::DataKind::RAW)
    }

    /// Sets the payload: the data after the change.
    #[inline]
    pub fn payload(self, payload: impl Field) -> Self {
        let span = self.batch.field(payload);
        self.put_after(span, abi::DataKind::RAW)
    }

    /// Sets the data before the change.
    #[inline]
    pub fn before(self, before: impl Field) -> Self {
        let span = self.batch.field(before);
        self.put_before(span, abi::DataKind::RAW)
    }

    /// Sets the key to bytes that the batch already has.
    #[inline]
    pub fn key_shared(self, key: Shared) -> Self {
        let span = self.own(key);
        self.put_key(span, abi::DataKind::RAW)
    }

    /// Sets the payload to bytes that the batch already has.
    #[inline]
    pub fn payload_shared(self, payload: Shared) -> Self {
        let span = self.own(payload);
        self.put_after(span, abi::DataKind::RAW)
    }

    /// Sets key, payload and metadata to bytes that the batch already has: one step in place of
    /// three, for sources whose records are parts of a block.
    #[inline]
    pub fn shared(self, key: Shared, payload: Shared, metadata: Shared) -> Self {
        let ours = (key.batch == self.batch.id)
            & (payload.batch == self.batch.id)
            & (metadata.batch == self.batch.id);
        self.batch.set(ours.then_some(key.span), |record, key| {
            (record.key, record.key_kind) = (key, abi::DataKind::RAW);
            (record.after, record.after_kind) = (payload.span, abi::DataKind::RAW);
            record.metadata = metadata.span;
        });
        self
    }

    /// Sets the payload to structured data, written value by value.
    pub fn payload_map(mut self, write: impl FnOnce(&mut MapEncoder<'_, FieldWriter<'_>>)) -> Self {
        let span = self.map(write);
        self.put_after(span, abi::DataKind::STRUCTURED)
    }

    /// Sets the key to structured data, written value by value.
    pub fn key_map(mut self, write: impl FnOnce(&mut MapEncoder<'_, FieldWriter<'_>>)) -> Self {
        let span = self.map(write);
        self.put_key(span, abi::DataKind::STRUCTURED)
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

    /// Sets the metadata.
    pub fn metadata<'m>(self, entries: impl IntoIterator<Item = (&'m str, &'m str)>) -> Self {
        let span = self.batch.metadata_span(entries);
        self.batch.set(span, |record, span| record.metadata = span);
        self
    }

    /// Sets the metadata to what [`BatchWriter::share_metadata`] has stored.
    #[inline]
    pub fn metadata_shared(self, metadata: Shared) -> Self {
        let span = self.own(metadata);
        self.batch.set(span, |record, span| record.metadata = span);
        self
    }

    #[inline]
    fn put_key(self, span: Option<abi::Span>, kind: abi::DataKind) -> Self {
        self.batch.set(span, |record, span| {
            (record.key, record.key_kind) = (span, kind);
        });
        self
    }

    #[inline]
    fn put_before(self, span: Option<abi::Span>, kind: abi::DataKind) -> Self {
        self.batch.set(span, |record, span| {
            (record.before, record.before_kind) = (span, kind);
        });
        self
    }

    #[inline]
    fn put_after(self, span: Option<abi::Span>, kind: abi::DataKind) -> Self {
        self.batch.set(span, |record, span| {
            (record.after, record.after_kind) = (span, kind);
        });
        self
    }

    /// The span of a share of this batch. One of another batch would point at other bytes: it
    /// counts as a record that doesn't fit.
    #[inline]
    fn own(&self, shared: Shared) -> Option<abi::Span> {
        (shared.batch == self.batch.id).then_some(shared.span)
    }

    fn map(
        &mut self,
        write: impl FnOnce(&mut MapEncoder<'_, FieldWriter<'_>>),
    ) -> Option<abi::Span> {
        let mut out = FieldWriter::new(self.batch.buffer);
        let mut map = MapEncoder::new(&mut out);
        write(&mut map);
        let written = map.finish();
        let span = out.finish();
        self.structured(span, written)
    }

    fn data(&mut self, data: &Data) -> (Option<abi::Span>, abi::DataKind) {
        match data {
            Data::Raw(bytes) => (self.batch.field(bytes), abi::DataKind::RAW),
            Data::Structured(map) => {
                let mut out = FieldWriter::new(self.batch.buffer);
                let written = structured::encode(map, &mut out);
                let span = out.finish();
                (self.structured(span, written), abi::DataKind::STRUCTURED)
            }
        }
    }

    fn structured(
        &mut self,
        span: Option<abi::Span>,
        written: Result<(), StructuredError>,
    ) -> Option<abi::Span> {
        match written {
            Ok(()) => span,
            Err(error) => {
                self.batch.refuse_structured(error);
                None
            }
        }
    }
}
