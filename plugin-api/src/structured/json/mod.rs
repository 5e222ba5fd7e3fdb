//! Structured data as JSON: transcoded from its bytes, or from a tree.
//!
//! Transcoding makes no tree and allocates only if a map has many keys. JSON has fewer types:
//! bytes become base64 text, instants RFC 3339 text, and numbers that JSON hasn't (NaN and the
//! infinities) null. Integers are written in full, also those that a JavaScript number can't hold.

#[cfg(test)]
mod tests;
mod text;

use text::write_str;
pub(crate) use text::{write_base64, write_name, write_text};

use super::error::Fault;
use super::keys::Keys;
use super::put::Excess;
use super::token::{Stop, Token, Tokens};
use super::{MAX_DEPTH, Map, StructuredError, Timestamp, Value};

/// Appends structured data as a JSON object, without spaces.
///
/// # Errors
/// The first rule of [`structured`](crate::structured) data that the bytes break; nothing is
/// appended then.
pub fn write_json(bytes: &[u8], out: &mut Vec<u8>) -> Result<(), StructuredError> {
    let start = out.len();
    let mut transcoder = Transcoder {
        tokens: Tokens::new(bytes),
        out,
    };
    transcoder.run().map_err(|Stop| {
        transcoder.out.truncate(start);
        transcoder.tokens.error()
    })
}

/// Appends a tree as a JSON object, the same as [`write_json`] makes of its encoding.
///
/// # Errors
/// The tree is more than [`MAX_DEPTH`] levels deep; nothing is appended then.
pub fn write_map_json(map: &Map, out: &mut Vec<u8>) -> Result<(), StructuredError> {
    let start = out.len();
    write_map(map, out, MAX_DEPTH).map_err(|excess| {
        out.truncate(start);
        excess.into()
    })
}

struct Transcoder<'a, 'o> {
    tokens: Tokens<'a>,
    out: &'o mut Vec<u8>,
}

impl Transcoder<'_, '_> {
    fn run(&mut self) -> Result<(), Stop> {
        let count = self.tokens.outermost_map()?;
        self.map(count, MAX_DEPTH)?;
        self.tokens.end()
    }

    fn map(&mut self, count: usize, levels: usize) -> Result<(), Stop> {
        let levels = self.tokens.deeper(levels)?;
        let mut keys = Keys::new();
        let mut before = b'{';
        for _ in 0..count {
            let at = self.tokens.at();
            let key = self.tokens.key()?;
            if !keys.insert(key) {
                return Err(self.tokens.stop(Fault::DuplicateKey { at }));
            }
            write_name(before, key, self.out)
                .map_err(|_| self.tokens.stop(Fault::InvalidText { at }))?;
            before = b',';
            self.value(levels)?;
        }
        if count == 0 {
            self.out.push(b'{');
        }
        self.out.push(b'}');
        Ok(())
    }

    fn array(&mut self, count: usize, levels: usize) -> Result<(), Stop> {
        let levels = self.tokens.deeper(levels)?;
        self.out.push(b'[');
        for index in 0..count {
            if index > 0 {
                self.out.push(b',');
            }
            self.value(levels)?;
        }
        self.out.push(b']');
        Ok(())
    }

    #[inline]
    fn value(&mut self, levels: usize) -> Result<(), Stop> {
        let at = self.tokens.at();
        match self.tokens.next()? {
            Token::Null => self.out.extend_from_slice(b"null"),
            Token::Bool(value) => write_bool(value, self.out),
            Token::Int(number) => write_int(number, self.out),
            Token::UInt(number) => write_int(number, self.out),
            Token::Float(number) => write_float(number, self.out),
            Token::Text(text) => write_text(text, self.out)
                .map_err(|_| self.tokens.stop(Fault::InvalidText { at }))?,
            Token::Bytes(bytes) => write_base64(bytes, self.out),
            Token::Timestamp(instant) => write_timestamp(instant, self.out),
            Token::Array(count) => self.array(count, levels)?,
            Token::Map(count) => self.map(count, levels)?,
        }
        Ok(())
    }
}

fn write_map(map: &Map, out: &mut Vec<u8>, levels: usize) -> Result<(), Excess> {
    let levels = levels.checked_sub(1).ok_or(Excess::TooDeep)?;
    out.push(b'{');
    for (index, (key, value)) in map.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        write_str(key, out);
        out.push(b':');
        write_value(value, out, levels)?;
    }
    out.push(b'}');
    Ok(())
}

fn write_value(value: &Value, out: &mut Vec<u8>, levels: usize) -> Result<(), Excess> {
    match value {
        Value::Null => out.extend_from_slice(b"null"),
        Value::Bool(value) => write_bool(*value, out),
        Value::Int(number) => write_int(*number, out),
        Value::UInt(number) => write_int(*number, out),
        Value::Float(number) => write_float(*number, out),
        Value::String(text) => write_str(text, out),
        Value::Bytes(bytes) => write_base64(bytes, out),
        Value::Timestamp(instant) => write_timestamp(*instant, out),
        Value::Array(items) => {
            let levels = levels.checked_sub(1).ok_or(Excess::TooDeep)?;
            out.push(b'[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                write_value(item, out, levels)?;
            }
            out.push(b']');
        }
        Value::Map(map) => write_map(map, out, levels)?,
    }
    Ok(())
}

fn write_bool(value: bool, out: &mut Vec<u8>) {
    out.extend_from_slice(if value { b"true" } else { b"false" });
}

#[inline]
fn write_int(number: impl itoa::Integer, out: &mut Vec<u8>) {
    out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
}

/// Appends the shortest digits that read back as the same number.
#[inline]
fn write_float(number: f64, out: &mut Vec<u8>) {
    if number.is_finite() {
        out.extend_from_slice(zmij::Buffer::new().format_finite(number).as_bytes());
    } else {
        out.extend_from_slice(b"null");
    }
}

fn write_timestamp(instant: Timestamp, out: &mut Vec<u8>) {
    out.push(b'"');
    instant.write(out);
    out.push(b'"');
}
