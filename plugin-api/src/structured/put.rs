//! `MessagePack`, one value at a time, each in its shortest encoding.

use super::encode::Output;
use super::error::Fault;
use super::{Map, StructuredError, Timestamp, Value, ValueRef};

/// Header of an array whose count is in the next four bytes.
pub(super) const ARRAY_32: u8 = 0xdd;
/// Header of a map whose count is in the next four bytes.
pub(super) const MAP_32: u8 = 0xdf;

/// What can't be written. One byte, so that a result costs nothing.
#[derive(Debug, Clone, Copy)]
pub(super) enum Excess {
    TooDeep,
    TooLong,
}

impl From<Excess> for StructuredError {
    fn from(excess: Excess) -> Self {
        Self::from(match excess {
            Excess::TooDeep => Fault::TooDeep,
            Excess::TooLong => Fault::TooLong,
        })
    }
}

/// Appends any value; `levels` is how many maps and arrays in each other it may be.
// Always inline: the caller knows the variant, so nothing is left of the choice.
#[inline(always)]
pub(super) fn value(
    out: &mut impl Output,
    value: ValueRef<'_>,
    levels: usize,
) -> Result<(), Excess> {
    match value {
        ValueRef::Null => out.extend(&[0xc0]),
        ValueRef::Bool(value) => out.extend(&[0xc2 | u8::from(value)]),
        ValueRef::Int(number) => int(out, number),
        ValueRef::UInt(number) => uint(out, number),
        ValueRef::Float(number) => out.extend(&tagged_8(0xcb, number.to_be_bytes())),
        ValueRef::Timestamp(instant) => timestamp(out, instant),
        ValueRef::String(text) => return self::text(out, text),
        ValueRef::Bytes(bytes) => return self::bytes(out, bytes),
        ValueRef::Array(items) => return array(out, items, levels),
        ValueRef::Map(entries) => return map(out, entries, levels),
    }
    Ok(())
}

#[inline]
pub(super) fn text(out: &mut impl Output, text: &str) -> Result<(), Excess> {
    match u8::try_from(text.len()) {
        Ok(length @ ..32) => out.extend(&[0xa0 | length]),
        Ok(length) => out.extend(&[0xd9, length]),
        Err(_) => long_header(out, text.len(), 0xda, 0xdb)?,
    }
    out.extend(text.as_bytes());
    Ok(())
}

fn bytes(out: &mut impl Output, bytes: &[u8]) -> Result<(), Excess> {
    match u8::try_from(bytes.len()) {
        Ok(length) => out.extend(&[0xc4, length]),
        Err(_) => long_header(out, bytes.len(), 0xc5, 0xc6)?,
    }
    out.extend(bytes);
    Ok(())
}

fn array(out: &mut impl Output, items: &[Value], levels: usize) -> Result<(), Excess> {
    let levels = levels.checked_sub(1).ok_or(Excess::TooDeep)?;
    match u8::try_from(items.len()) {
        Ok(count @ ..16) => out.extend(&[0x90 | count]),
        _ => long_header(out, items.len(), 0xdc, ARRAY_32)?,
    }
    for item in items {
        value(out, item.into(), levels)?;
    }
    Ok(())
}

pub(super) fn map(out: &mut impl Output, entries: &Map, levels: usize) -> Result<(), Excess> {
    let levels = levels.checked_sub(1).ok_or(Excess::TooDeep)?;
    match u8::try_from(entries.len()) {
        Ok(count @ ..16) => out.extend(&[0x80 | count]),
        _ => long_header(out, entries.len(), 0xde, MAP_32)?,
    }
    for (key, entry) in entries.iter() {
        text(out, key)?;
        value(out, entry.into(), levels)?;
    }
    Ok(())
}

/// Appends a length of two bytes behind `short`, or of four behind `long`.
fn long_header(out: &mut impl Output, length: usize, short: u8, long: u8) -> Result<(), Excess> {
    if let Ok(length) = u16::try_from(length) {
        out.extend(&tagged_2(short, length.to_be_bytes()));
    } else {
        let length = u32::try_from(length).map_err(|_| Excess::TooLong)?;
        out.extend(&tagged_4(long, length.to_be_bytes()));
    }
    Ok(())
}

fn int(out: &mut impl Output, number: i64) {
    if let Ok(number) = u64::try_from(number) {
        uint(out, number);
    } else if let Ok(number) = i8::try_from(number) {
        let [byte] = number.to_be_bytes();
        if number >= -32 {
            out.extend(&[byte]);
        } else {
            out.extend(&[0xd0, byte]);
        }
    } else if let Ok(number) = i16::try_from(number) {
        out.extend(&tagged_2(0xd1, number.to_be_bytes()));
    } else if let Ok(number) = i32::try_from(number) {
        out.extend(&tagged_4(0xd2, number.to_be_bytes()));
    } else {
        out.extend(&tagged_8(0xd3, number.to_be_bytes()));
    }
}

fn uint(out: &mut impl Output, number: u64) {
    if let Ok(number) = u8::try_from(number) {
        if number < 0x80 {
            out.extend(&[number]);
        } else {
            out.extend(&[0xcc, number]);
        }
    } else if let Ok(number) = u16::try_from(number) {
        out.extend(&tagged_2(0xcd, number.to_be_bytes()));
    } else if let Ok(number) = u32::try_from(number) {
        out.extend(&tagged_4(0xce, number.to_be_bytes()));
    } else {
        out.extend(&tagged_8(0xcf, number.to_be_bytes()));
    }
}

/// Appends an extension of type -1 with 4, 8 or 12 bytes.
fn timestamp(out: &mut impl Output, instant: Timestamp) {
    let nanoseconds = u64::from(instant.nanoseconds());
    match u64::try_from(instant.seconds()) {
        // 30 bits of nanoseconds over 34 bits of seconds.
        Ok(seconds) if seconds >> 34 == 0 => match u32::try_from(nanoseconds << 34 | seconds) {
            Ok(seconds) => {
                out.extend(&[0xd6, 0xff]);
                out.extend(&seconds.to_be_bytes());
            }
            Err(_) => {
                out.extend(&[0xd7, 0xff]);
                out.extend(&(nanoseconds << 34 | seconds).to_be_bytes());
            }
        },
        _ => {
            out.extend(&[0xc7, 12, 0xff]);
            out.extend(&instant.nanoseconds().to_be_bytes());
            out.extend(&instant.seconds().to_be_bytes());
        }
    }
}

#[inline]
fn tagged_2(tag: u8, [a, b]: [u8; 2]) -> [u8; 3] {
    [tag, a, b]
}

#[inline]
fn tagged_4(tag: u8, [a, b, c, d]: [u8; 4]) -> [u8; 5] {
    [tag, a, b, c, d]
}

#[inline]
fn tagged_8(tag: u8, bytes: [u8; 8]) -> [u8; 9] {
    let mut all = [tag; 9];
    all[1..].copy_from_slice(&bytes);
    all
}
