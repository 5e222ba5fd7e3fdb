//! Text forms of a record, as destinations write them: the values of `sdk.record.format`.
//!
//! Owns the names of the forms and how a record looks in each. It never ends a record with a
//! newline; whether records are lines is the destination's affair.
//!
//! A destination needs nothing from here: [`RecordView::write_formatted`](crate::RecordView::write_formatted) and
//! [`Batch::write_lines`](crate::Batch::write_lines) know what the user chose.
//!
//! ```
//! use plugin_api::{Format, Record, format};
//!
//! let record = Record::create("7").with_key("alice").with_payload("number 7");
//! let mut text = Vec::new();
//! format::write(Format::OpencdcJson, &record, &mut text)?;
//! assert_eq!(
//!     String::from_utf8_lossy(&text),
//!     r#"{"position":"Nw==","operation":"create","metadata":{},"key":"YWxpY2U=","payload":{"before":null,"after":"bnVtYmVyIDc="}}"#
//! );
//!
//! text.clear();
//! format::write(Format::Raw, &record, &mut text)?;
//! assert_eq!(text, b"number 7");
//! # Ok::<(), plugin_api::Error>(())
//! ```

#[cfg(test)]
mod tests;

use crate::record::{Data, DataRef, Operation, Record};
use crate::structured::json::{write_base64, write_name, write_text};
use crate::structured::keys::Keys;
use crate::structured::{self, StructuredError};
use crate::{Error, ErrorKind, Result};

/// A text form of records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Format {
    /// The whole record as a JSON object: position and raw data in base64, structured data as objects, what
    /// is absent as null.
    #[default]
    OpencdcJson,
    /// Only the data after the change: raw data as it is, structured data as JSON.
    Raw,
}

impl Format {
    /// Every form, the default first.
    pub const ALL: [Self; 2] = [Self::OpencdcJson, Self::Raw];

    /// The form with this name in a connector's settings.
    #[must_use]
    pub fn from_setting(setting: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|format| format.as_setting() == setting)
    }

    /// Its name in a connector's settings.
    #[must_use]
    pub const fn as_setting(self) -> &'static str {
        match self {
            Self::OpencdcJson => "opencdc/json",
            Self::Raw => "raw",
        }
    }
}

/// A record that can be written: an owned one, or one that lies in a batch.
pub trait RecordParts {
    /// The position's bytes.
    fn position(&self) -> &[u8];

    /// What happened to the data.
    fn operation(&self) -> Operation;

    /// Keys and values of the metadata, in order. Text that [`write()`] checks.
    fn metadata(&self) -> impl Iterator<Item = (&[u8], &[u8])>;

    /// The key, unless it is absent.
    fn key(&self) -> Option<impl DataParts>;

    /// The data before the change, unless it is absent.
    fn before(&self) -> Option<impl DataParts>;

    /// The data after the change, unless it is absent.
    fn after(&self) -> Option<impl DataParts>;
}

/// Data that can be written.
pub trait DataParts {
    /// The bytes, if the data is raw.
    fn raw(&self) -> Option<&[u8]>;

    /// Appends structured data as a JSON object, or nothing on an error.
    ///
    /// # Errors
    /// The data is not what [`structured`] data must be.
    fn write_json(&self, out: &mut Vec<u8>) -> Result<(), StructuredError>;
}

/// Appends a record in a form.
///
/// # Errors
/// A fatal error if metadata is no text or has a key twice, or structured data is invalid; nothing
/// is appended then.
pub fn write(format: Format, record: &impl RecordParts, out: &mut Vec<u8>) -> Result<()> {
    let start = out.len();
    match format {
        Format::OpencdcJson => write_opencdc_json(record, out),
        Format::Raw => write_raw(record, out),
    }
    .inspect_err(|_| out.truncate(start))
}

fn write_opencdc_json(record: &impl RecordParts, out: &mut Vec<u8>) -> Result<()> {
    out.extend_from_slice(br#"{"position":"#);
    write_base64(record.position(), out);
    out.extend_from_slice(br#","operation":""#);
    out.extend_from_slice(record.operation().as_str().as_bytes());
    out.extend_from_slice(br#"","metadata":"#);
    write_metadata(record, out)?;
    out.extend_from_slice(br#","key":"#);
    write_data("key", record.key(), out)?;
    out.extend_from_slice(br#","payload":{"before":"#);
    write_data("payload.before", record.before(), out)?;
    out.extend_from_slice(br#","after":"#);
    write_data("payload.after", record.after(), out)?;
    out.extend_from_slice(b"}}");
    Ok(())
}

fn write_metadata(record: &impl RecordParts, out: &mut Vec<u8>) -> Result<()> {
    let mut keys = Keys::new();
    let mut before = b'{';
    for (key, value) in record.metadata() {
        if !keys.insert(key) {
            return Err(invalid_metadata(key, "occurs twice", "duplicate_key"));
        }
        write_name(before, key, out)
            .map_err(|_| invalid_metadata(key, "is no UTF-8", "invalid_text"))?;
        before = b',';
        write_text(value, out)
            .map_err(|_| invalid_metadata(key, "has a value that is no UTF-8", "invalid_text"))?;
    }
    if before == b'{' {
        out.push(b'{');
    }
    out.push(b'}');
    Ok(())
}

fn write_data(field: &str, data: Option<impl DataParts>, out: &mut Vec<u8>) -> Result<()> {
    match data {
        None => out.extend_from_slice(b"null"),
        Some(data) => match data.raw() {
            Some(bytes) => write_base64(bytes, out),
            None => write_structured(field, &data, out)?,
        },
    }
    Ok(())
}

fn write_raw(record: &impl RecordParts, out: &mut Vec<u8>) -> Result<()> {
    if let Some(data) = record.after() {
        match data.raw() {
            Some(bytes) => out.extend_from_slice(bytes),
            None => write_structured("payload.after", &data, out)?,
        }
    }
    Ok(())
}

fn write_structured(field: &str, data: &impl DataParts, out: &mut Vec<u8>) -> Result<()> {
    data.write_json(out).map_err(|error| {
        // The same bytes are wrong next time too.
        Error::new(ErrorKind::Fatal, format!("record's `{field}`: {error}")).with_code(error.code())
    })
}

#[cold]
fn invalid_metadata(key: &[u8], problem: &str, code: &str) -> Error {
    let key = String::from_utf8_lossy(key);
    let message = format!("record's metadata key `{}` {problem}", key.escape_debug());
    Error::new(ErrorKind::Fatal, message).with_code(format!("metadata.{code}"))
}

impl RecordParts for Record {
    fn position(&self) -> &[u8] {
        self.position.as_bytes()
    }

    fn operation(&self) -> Operation {
        self.operation
    }

    fn metadata(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.metadata
            .iter()
            .map(|(key, value)| (key.as_bytes(), value.as_bytes()))
    }

    fn key(&self) -> Option<impl DataParts> {
        self.key.as_ref()
    }

    fn before(&self) -> Option<impl DataParts> {
        self.payload.before.as_ref()
    }

    fn after(&self) -> Option<impl DataParts> {
        self.payload.after.as_ref()
    }
}

impl DataParts for &Data {
    fn raw(&self) -> Option<&[u8]> {
        self.as_raw()
    }

    fn write_json(&self, out: &mut Vec<u8>) -> Result<(), StructuredError> {
        match self {
            Data::Raw(bytes) => write_base64(bytes, out),
            Data::Structured(map) => structured::write_map_json(map, out)?,
        }
        Ok(())
    }
}

impl DataParts for DataRef<'_> {
    fn raw(&self) -> Option<&[u8]> {
        match self {
            Self::Raw(bytes) => Some(bytes),
            Self::Structured(_) => None,
        }
    }

    fn write_json(&self, out: &mut Vec<u8>) -> Result<(), StructuredError> {
        match self {
            Self::Raw(bytes) => write_base64(bytes, out),
            Self::Structured(bytes) => structured::write_json(bytes, out)?,
        }
        Ok(())
    }
}
