//! `MessagePack`, read one header at a time; checks everything that can be checked locally.

use super::error::Fault;
use super::{StructuredError, Timestamp};

/// A value, or the beginning of an array or a map.
#[derive(Debug, Clone, Copy)]
pub(super) enum Token<'a> {
    Null,
    Bool(bool),
    Int(i64),
    /// Above `i64::MAX`.
    UInt(u64),
    Float(f64),
    /// Not yet known to be UTF-8: JSON checks that in the pass that looks for what to escape.
    Text(&'a [u8]),
    Bytes(&'a [u8]),
    Timestamp(Timestamp),
    /// Number of items that follow.
    Array(usize),
    /// Number of entries that follow.
    Map(usize),
}

/// Reading can't go on; [`Tokens`] knows why. An error without content leaves the hot path alone:
/// results stay in registers.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stop;

/// Structured data that is being read.
#[derive(Debug)]
pub(super) struct Tokens<'a> {
    all: &'a [u8],
    rest: &'a [u8],
    fault: Fault,
}

impl<'a> Tokens<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self {
            all: bytes,
            rest: bytes,
            fault: Fault::NotAMap,
        }
    }

    /// Number of bytes before the next token.
    #[inline]
    pub(super) fn at(&self) -> usize {
        self.all.len() - self.rest.len()
    }

    /// Notes why reading can't go on.
    #[cold]
    pub(super) fn stop(&mut self, fault: Fault) -> Stop {
        self.fault = fault;
        Stop
    }

    /// Tells why reading stopped.
    pub(super) fn error(&self) -> StructuredError {
        let error = StructuredError::from(self.fault);
        match self.fault {
            Fault::DuplicateKey { at } => match Self::new(&self.all[at..]).key() {
                Ok(key) => error.with_key(key),
                Err(Stop) => error,
            },
            _ => error,
        }
    }

    /// Counts one level down; `levels` is how many there may be.
    #[inline]
    pub(super) fn deeper(&mut self, levels: usize) -> Result<usize, Stop> {
        levels
            .checked_sub(1)
            .ok_or_else(|| self.stop(Fault::TooDeep))
    }

    /// Reads the header of the outermost map.
    pub(super) fn outermost_map(&mut self) -> Result<usize, Stop> {
        match self.next()? {
            Token::Map(count) => Ok(count),
            _ => Err(self.stop(Fault::NotAMap)),
        }
    }

    /// Checks that nothing is left.
    pub(super) fn end(&mut self) -> Result<(), Stop> {
        if self.rest.is_empty() {
            return Ok(());
        }
        let at = self.at();
        Err(self.stop(Fault::TrailingBytes { at }))
    }

    /// Reads the key of an entry; its text isn't checked yet.
    #[inline]
    pub(super) fn key(&mut self) -> Result<&'a [u8], Stop> {
        if let Some((tag @ 0xa0..=0xbf, rest)) = self.rest.split_first()
            && let Some((key, rest)) = rest.split_at_checked(usize::from(tag & 0x1f))
        {
            self.rest = rest;
            return Ok(key);
        }
        self.long_key()
    }

    #[inline(never)]
    fn long_key(&mut self) -> Result<&'a [u8], Stop> {
        let at = self.at();
        match self.next()? {
            Token::Text(key) => Ok(key),
            _ => Err(self.stop(Fault::KeyNotText { at })),
        }
    }

    /// Reads the next value or header.
    // Always inline: then no token is ever put together in memory.
    #[inline(always)]
    pub(super) fn next(&mut self) -> Result<Token<'a>, Stop> {
        let [tag] = self.array()?;
        Ok(match tag {
            0x00..=0x7f => Token::Int(i64::from(tag)),
            0x80..=0x8f => self.map(usize::from(tag & 0x0f))?,
            0x90..=0x9f => self.items(usize::from(tag & 0x0f))?,
            0xa0..=0xbf => Token::Text(self.take(usize::from(tag & 0x1f))?),
            0xc0 => Token::Null,
            0xc1 => {
                let at = self.at() - 1;
                return Err(self.stop(Fault::InvalidByte { at }));
            }
            0xc2 => Token::Bool(false),
            0xc3 => Token::Bool(true),
            0xc4 => Token::Bytes(self.length_8().and_then(|length| self.take(length))?),
            0xc5 => Token::Bytes(self.length_16().and_then(|length| self.take(length))?),
            0xc6 => Token::Bytes(self.length_32().and_then(|length| self.take(length))?),
            0xc7 => self.length_8().and_then(|length| self.extension(length))?,
            0xc8 => self.length_16().and_then(|length| self.extension(length))?,
            0xc9 => self.length_32().and_then(|length| self.extension(length))?,
            0xca => Token::Float(f64::from(f32::from_be_bytes(self.array()?))),
            0xcb => Token::Float(f64::from_be_bytes(self.array()?)),
            0xcc => Token::Int(i64::from(u8::from_be_bytes(self.array()?))),
            0xcd => Token::Int(i64::from(u16::from_be_bytes(self.array()?))),
            0xce => Token::Int(i64::from(u32::from_be_bytes(self.array()?))),
            0xcf => {
                let number = u64::from_be_bytes(self.array()?);
                i64::try_from(number).map_or(Token::UInt(number), Token::Int)
            }
            0xd0 => Token::Int(i64::from(i8::from_be_bytes(self.array()?))),
            0xd1 => Token::Int(i64::from(i16::from_be_bytes(self.array()?))),
            0xd2 => Token::Int(i64::from(i32::from_be_bytes(self.array()?))),
            0xd3 => Token::Int(i64::from_be_bytes(self.array()?)),
            0xd4..=0xd8 => self.extension(1 << (tag - 0xd4))?,
            0xd9 => Token::Text(self.length_8().and_then(|length| self.take(length))?),
            0xda => Token::Text(self.length_16().and_then(|length| self.take(length))?),
            0xdb => Token::Text(self.length_32().and_then(|length| self.take(length))?),
            0xdc => self.length_16().and_then(|count| self.items(count))?,
            0xdd => self.length_32().and_then(|count| self.items(count))?,
            0xde => self.length_16().and_then(|count| self.map(count))?,
            0xdf => self.length_32().and_then(|count| self.map(count))?,
            0xe0..=0xff => Token::Int(i64::from(i8::from_be_bytes([tag]))),
        })
    }

    /// Reads the type and the bytes of an extension.
    #[inline(never)]
    fn extension(&mut self, length: usize) -> Result<Token<'a>, Stop> {
        let at = self.at();
        let number = i8::from_be_bytes(self.array()?);
        if number != -1 {
            return Err(self.stop(Fault::UnknownExtension { at, number }));
        }
        let mut bytes = Self::new(self.take(length)?);
        let instant = match length {
            4 => Timestamp::new(i64::from(u32::from_be_bytes(bytes.array()?)), 0),
            8 => {
                // 30 bits of nanoseconds over 34 bits of seconds.
                let both = u64::from_be_bytes(bytes.array()?);
                let seconds = i64::try_from(both & ((1 << 34) - 1)).ok();
                let nanoseconds = u32::try_from(both >> 34).ok();
                seconds
                    .zip(nanoseconds)
                    .and_then(|(seconds, nanoseconds)| Timestamp::new(seconds, nanoseconds))
            }
            12 => {
                let nanoseconds = u32::from_be_bytes(bytes.array()?);
                Timestamp::new(i64::from_be_bytes(bytes.array()?), nanoseconds)
            }
            _ => None,
        };
        match instant {
            Some(instant) => Ok(Token::Timestamp(instant)),
            None => Err(self.stop(Fault::InvalidTimestamp { at })),
        }
    }

    /// An array, whose items have at least one byte each.
    #[inline]
    fn items(&mut self, count: usize) -> Result<Token<'a>, Stop> {
        if count <= self.rest.len() {
            Ok(Token::Array(count))
        } else {
            Err(self.truncated())
        }
    }

    /// A map, whose entries have at least two bytes each.
    #[inline]
    fn map(&mut self, count: usize) -> Result<Token<'a>, Stop> {
        if count <= self.rest.len() / 2 {
            Ok(Token::Map(count))
        } else {
            Err(self.truncated())
        }
    }

    #[inline]
    fn length_8(&mut self) -> Result<usize, Stop> {
        Ok(usize::from(u8::from_be_bytes(self.array()?)))
    }

    #[inline]
    fn length_16(&mut self) -> Result<usize, Stop> {
        Ok(usize::from(u16::from_be_bytes(self.array()?)))
    }

    #[inline]
    fn length_32(&mut self) -> Result<usize, Stop> {
        let length = u32::from_be_bytes(self.array()?);
        usize::try_from(length).map_err(|_| self.truncated())
    }

    #[inline]
    fn array<const N: usize>(&mut self) -> Result<[u8; N], Stop> {
        let Some((array, rest)) = self.rest.split_first_chunk() else {
            return Err(self.truncated());
        };
        self.rest = rest;
        Ok(*array)
    }

    #[inline]
    fn take(&mut self, length: usize) -> Result<&'a [u8], Stop> {
        let Some((taken, rest)) = self.rest.split_at_checked(length) else {
            return Err(self.truncated());
        };
        self.rest = rest;
        Ok(taken)
    }

    #[cold]
    fn truncated(&mut self) -> Stop {
        let at = self.at();
        self.stop(Fault::Truncated { at })
    }
}
