//! What a destination reads records from.

use std::{io, slice};

use forebay_abi as abi;

use super::metadata::MetadataView;
use crate::destination::Acks;
use crate::error::{Error, Result};
use crate::format::{self, DataParts, Format, RecordParts};
use crate::record::{Change, Data, DataRef, Operation, Position, Record};
use crate::structured;

/// A batch of records, lent to a destination for one call.
///
/// It views the memory that the source has written to, so it is never copied, and nothing of it can be
/// kept. How many records there are is the source's and the user's affair (`sdk.batch.size`): at least
/// one, as a rule up to 1024, never more than 65,536.
///
/// # Examples
///
/// ```
/// use plugin_api::{Batch, DataRef, Operation};
///
/// fn look(batch: &Batch) {
///     for record in batch {
///         match (record.operation(), record.after_data()) {
///             (Operation::Delete, _) => log::info!("gone: {:?}", record.key()),
///             (_, Some(DataRef::Raw(bytes))) => log::info!("{} bytes", bytes.len()),
///             (_, Some(DataRef::Structured(_))) => log::info!("named values"),
///             (_, None) => log::info!("no data"),
///         }
///     }
/// }
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Batch<'a> {
    first_sequence: u64,
    arena: &'a [u8],
    index: &'a [abi::RecordIndex],
    format: Format,
}

impl<'a> Batch<'a> {
    /// Views a batch, for hosts that look into one themselves. A destination is given one.
    #[must_use]
    pub fn new(batch: abi::BatchRef<'a>, format: Format) -> Self {
        Self {
            first_sequence: batch.first_sequence,
            arena: batch.arena.as_slice(),
            index: batch.index.as_slice(),
            format,
        }
    }

    /// Number of records; at least one in a [`write`](crate::Destination::write).
    #[must_use]
    pub fn len(&self) -> usize {
        self.index.len()
    }

    /// Whether there is no record.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.index.is_empty()
    }

    /// The record at this place of the batch.
    #[must_use]
    pub fn get(&self, i: usize) -> Option<RecordView<'a>> {
        let index = self.index.get(i)?;
        Some(RecordView {
            sequence: self.first_sequence + i as u64,
            arena: self.arena,
            index,
            format: self.format,
        })
    }

    /// The records in order.
    #[must_use]
    pub fn iter(&self) -> Records<'a> {
        Records {
            sequence: self.first_sequence,
            arena: self.arena,
            index: self.index.iter(),
            format: self.format,
        }
    }

    /// Writes each record in the format that the user chose with `sdk.record.format`, and a newline
    /// after it. `text` is memory that is used again from batch to batch.
    ///
    /// A record that can't be formatted is refused with its own error, through `acks`, and the others
    /// are written; a destination that answers ranges itself has to leave those out, and learns which they
    /// are by [`Batch::write_lines_or`]. Raw data that lies in the batch as lines already, as sources of lines
    /// leave it, is written from there without a copy.
    ///
    /// # Errors
    ///
    /// Fails when `out` does; what was written until then stays written.
    pub fn write_lines(
        &self,
        out: &mut impl io::Write,
        text: &mut Vec<u8>,
        acks: &mut Acks<'_>,
    ) -> io::Result<()> {
        self.write_lines_or(out, text, |record, error| acks.nack(record, error))
    }

    /// As [`Batch::write_lines`]; `refuse` gets the records that can't be formatted, and gives them
    /// their nacks. What `out` gets in one call are whole records.
    ///
    /// # Errors
    ///
    /// As for [`Batch::write_lines`].
    pub fn write_lines_or(
        &self,
        out: &mut impl io::Write,
        text: &mut Vec<u8>,
        mut refuse: impl FnMut(&RecordView<'_>, Error),
    ) -> io::Result<()> {
        /// Bytes that are gathered before they are written.
        const BLOCK: usize = 256 << 10;
        /// From this length on a run of lines is worth a write of its own.
        const LONG_RUN: usize = 8 << 10;
        text.clear();
        let mut records = self.iter().peekable();
        while let Some(record) = records.next() {
            let start = record.index.after.offset as usize;
            let mut end = record.end_of_line();
            while let (Some(line_end), Some(next)) = (end, records.peek())
                && next.index.after.offset as usize == line_end
                && let Some(next_end) = next.end_of_line()
            {
                end = Some(next_end);
                records.next();
            }
            match end {
                Some(end) if end - start >= LONG_RUN => {
                    out.write_all(text)?;
                    text.clear();
                    out.write_all(&self.arena[start..end])?;
                }
                Some(end) => text.extend_from_slice(&self.arena[start..end]),
                None => match record.write_formatted(text) {
                    Ok(()) => text.push(b'\n'),
                    Err(error) => refuse(&record, error),
                },
            }
            if text.len() >= BLOCK {
                out.write_all(text)?;
                text.clear();
            }
        }
        out.write_all(text)
    }

    /// The sequences of the records: what [`Acks::ok_range`](crate::Acks::ok_range) takes.
    #[must_use]
    pub fn sequences(&self) -> std::ops::Range<u64> {
        self.first_sequence..self.first_sequence + self.index.len() as u64
    }
}

impl<'a> IntoIterator for &Batch<'a> {
    type Item = RecordView<'a>;
    type IntoIter = Records<'a>;

    fn into_iter(self) -> Records<'a> {
        self.iter()
    }
}

/// Iterator over the records of a [`Batch`].
#[derive(Debug, Clone)]
pub struct Records<'a> {
    sequence: u64,
    arena: &'a [u8],
    index: slice::Iter<'a, abi::RecordIndex>,
    format: Format,
}

impl<'a> Iterator for Records<'a> {
    type Item = RecordView<'a>;

    #[inline]
    fn next(&mut self) -> Option<RecordView<'a>> {
        let index = self.index.next()?;
        let sequence = self.sequence;
        self.sequence += 1;
        Some(RecordView {
            sequence,
            arena: self.arena,
            index,
            format: self.format,
        })
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.index.size_hint()
    }
}

impl ExactSizeIterator for Records<'_> {}

/// A record in a batch, without a copy; as short-lived as the batch.
#[derive(Debug, Clone, Copy)]
pub struct RecordView<'a> {
    sequence: u64,
    arena: &'a [u8],
    index: &'a abi::RecordIndex,
    format: Format,
}

impl<'a> RecordView<'a> {
    /// Number of the record in its run, from 0 on and without gaps; what answers refer to. The next run
    /// begins at 0 again: to know a record again, use its position.
    #[must_use]
    pub fn sequence(&self) -> u64 {
        self.sequence
    }

    /// Where the source stands after the record: bytes that only the source can read, the same when the
    /// record comes again.
    #[inline]
    #[must_use]
    pub fn position(&self) -> &'a [u8] {
        self.bytes(self.index.position)
    }

    /// What happened to the data.
    #[inline]
    #[must_use]
    pub fn operation(&self) -> Operation {
        // The host has checked it; a host that didn't gets the harmless reading.
        Operation::from_u8(self.index.operation.0).unwrap_or(Operation::Create)
    }

    /// The metadata, looked up by scanning.
    #[must_use]
    pub fn metadata(&self) -> MetadataView<'a> {
        MetadataView::new(self.bytes(self.index.metadata))
    }

    /// The key's bytes; empty when there is no key. Of structured data they are `MessagePack`, which
    /// [`key_data`](Self::key_data) tells.
    #[inline]
    #[must_use]
    pub fn key(&self) -> &'a [u8] {
        self.bytes(self.index.key)
    }

    /// The bytes of the data before the change; empty when there is none. Of structured data they are
    /// `MessagePack`.
    #[inline]
    #[must_use]
    pub fn before(&self) -> &'a [u8] {
        self.bytes(self.index.before)
    }

    /// The bytes of the data after the change; empty when there is none. Of structured data they are
    /// `MessagePack`.
    #[inline]
    #[must_use]
    pub fn after(&self) -> &'a [u8] {
        self.bytes(self.index.after)
    }

    /// The key with its form; `None` when there is no key.
    #[inline]
    #[must_use]
    pub fn key_data(&self) -> Option<DataRef<'a>> {
        self.data(self.index.key, self.index.key_kind)
    }

    /// The data before the change with its form; `None` when there is none.
    #[inline]
    #[must_use]
    pub fn before_data(&self) -> Option<DataRef<'a>> {
        self.data(self.index.before, self.index.before_kind)
    }

    /// The data after the change with its form; `None` when there is none.
    #[inline]
    #[must_use]
    pub fn after_data(&self) -> Option<DataRef<'a>> {
        self.data(self.index.after, self.index.after_kind)
    }

    /// Appends the record in the format that the user chose with `sdk.record.format`, without a newline.
    ///
    /// # Errors
    ///
    /// Fails when structured data or metadata can't be read; `out` is then as it was. The record is at
    /// fault, so give it the error as its [nack](Acks::nack).
    #[inline]
    pub fn write_formatted(&self, out: &mut Vec<u8>) -> Result<()> {
        format::write(self.format, self, out)
    }

    /// Copies the record out of the batch: the simple form, for destinations not after speed.
    ///
    /// # Errors
    ///
    /// Fails when structured data or metadata can't be read.
    pub fn to_owned(&self) -> Result<Record> {
        let mut record = Record::new(self.operation(), Position::new(self.position()));
        for entry in self.metadata().checked() {
            let (key, value) = entry?;
            record.metadata.insert(key, value);
        }
        record.key = owned(self.key_data())?;
        record.payload = Change {
            before: owned(self.before_data())?,
            after: owned(self.after_data())?,
        };
        Ok(record)
    }

    /// Where the line ends that the record is already, its newline included: raw data, to be written
    /// as it is, behind which the batch has a newline.
    #[inline]
    fn end_of_line(&self) -> Option<usize> {
        if self.format != Format::Raw || self.index.after_kind != abi::DataKind::RAW {
            return None;
        }
        let newline = self.index.after.offset as usize + self.index.after.length as usize;
        (self.arena.get(newline) == Some(&b'\n')).then_some(newline + 1)
    }

    #[inline]
    fn bytes(&self, span: abi::Span) -> &'a [u8] {
        // The host has checked every span; the check here keeps a host's mistake a panic, which the
        // glue turns into an error.
        &self.arena[span.offset as usize..][..span.length as usize]
    }

    #[inline]
    fn data(&self, span: abi::Span, kind: abi::DataKind) -> Option<DataRef<'a>> {
        match kind {
            abi::DataKind::RAW => Some(DataRef::Raw(self.bytes(span))),
            abi::DataKind::STRUCTURED => Some(DataRef::Structured(self.bytes(span))),
            _ => None,
        }
    }
}

impl RecordParts for RecordView<'_> {
    fn position(&self) -> &[u8] {
        RecordView::position(self)
    }

    fn operation(&self) -> Operation {
        RecordView::operation(self)
    }

    fn metadata(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        RecordView::metadata(self).entries()
    }

    fn key(&self) -> Option<impl DataParts> {
        self.key_data()
    }

    fn before(&self) -> Option<impl DataParts> {
        self.before_data()
    }

    fn after(&self) -> Option<impl DataParts> {
        self.after_data()
    }
}

fn owned(data: Option<DataRef<'_>>) -> Result<Option<Data>> {
    Ok(match data {
        None => None,
        Some(DataRef::Raw(bytes)) => Some(Data::Raw(bytes.to_vec())),
        Some(DataRef::Structured(bytes)) => Some(Data::Structured(
            structured::decode(bytes).map_err(Error::fatal)?,
        )),
    })
}
