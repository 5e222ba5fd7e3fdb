//! What may be written as a position, key or payload, and how it gets into the arena.

use std::fmt;

use forebay_abi as abi;

use super::decimal;
use crate::record::Position;
use crate::structured::Output;

/// A value that can be appended to a batch as bytes.
///
/// Bytes and text are copied, numbers become decimal text, and `format_args!` writes straight into
/// the batch. Other types: `format_args!("{value}")`, or an implementation of this trait.
pub trait Field {
    /// Appends the bytes, in one or several pieces.
    fn write(&self, out: &mut FieldWriter<'_>);
}

/// Takes the bytes of one field of a record.
#[derive(Debug)]
pub struct FieldWriter<'a> {
    buffer: &'a mut abi::BatchBuffer,
    start: u32,
    overflow: bool,
}

impl<'a> FieldWriter<'a> {
    #[inline]
    pub(super) fn new(buffer: &'a mut abi::BatchBuffer) -> Self {
        Self {
            start: buffer.arena_length(),
            buffer,
            overflow: false,
        }
    }

    /// Appends a piece.
    #[inline]
    pub fn append(&mut self, piece: &[u8]) {
        if self.buffer.append(piece).is_none() {
            self.overflow = true;
        }
    }

    #[inline]
    fn append_decimal(&mut self, negative: bool, value: u64) {
        if negative {
            self.append(b"-");
        }
        match self
            .buffer
            .spare(decimal::ROOM)
            .and_then(<[u8]>::first_chunk_mut)
        {
            Some(to) => {
                let length = decimal::write(value, to);
                self.buffer.commit(length);
            }
            None => self.append_decimal_tight(value),
        }
    }

    /// Where there is hardly any room: the text may still fit.
    #[cold]
    fn append_decimal_tight(&mut self, value: u64) {
        let mut to = [0; decimal::ROOM];
        let length = decimal::write(value, &mut to);
        self.append(&to[..length]);
    }

    /// The span of what was appended; `None` where the host had no room for all of it.
    #[inline(always)]
    pub(super) fn finish(self) -> Option<abi::Span> {
        let length = self.buffer.arena_length() - self.start;
        (!self.overflow).then_some(abi::Span {
            offset: self.start,
            length,
        })
    }
}

impl Output for FieldWriter<'_> {
    #[inline]
    fn extend(&mut self, bytes: &[u8]) {
        self.append(bytes);
    }

    #[inline]
    fn written(&self) -> usize {
        self.buffer.arena_length() as usize
    }

    fn patch(&mut self, at: usize, bytes: &[u8]) {
        // After an overflow what is to be patched may not be there; the field is refused anyway.
        let place = self
            .buffer
            .written_mut()
            .get_mut(at..)
            .and_then(|rest| rest.get_mut(..bytes.len()));
        if let Some(place) = place {
            place.copy_from_slice(bytes);
        }
    }

    fn truncate(&mut self, at: usize) {
        self.buffer
            .truncate_arena(u32::try_from(at).unwrap_or(u32::MAX).max(self.start));
    }
}

impl fmt::Write for FieldWriter<'_> {
    fn write_str(&mut self, piece: &str) -> fmt::Result {
        self.append(piece.as_bytes());
        Ok(())
    }
}

macro_rules! copied {
    ($($type:ty => |$this:ident| $bytes:expr),* $(,)?) => {$(
        impl Field for $type {
            #[inline]
            fn write(&self, out: &mut FieldWriter<'_>) {
                let $this = self;
                out.append($bytes);
            }
        }
    )*};
}

copied! {
    [u8] => |this| this,
    str => |this| this.as_bytes(),
    Vec<u8> => |this| this,
    String => |this| this.as_bytes(),
    Position => |this| this.as_bytes(),
}

impl<const N: usize> Field for [u8; N] {
    #[inline]
    fn write(&self, out: &mut FieldWriter<'_>) {
        out.append(self);
    }
}

impl<T: Field + ?Sized> Field for &T {
    #[inline]
    fn write(&self, out: &mut FieldWriter<'_>) {
        T::write(self, out);
    }
}

macro_rules! unsigned {
    ($($type:ty),*) => {$(
        impl Field for $type {
            #[inline]
            fn write(&self, out: &mut FieldWriter<'_>) {
                out.append_decimal(false, u64::from(*self));
            }
        }
    )*};
}

macro_rules! signed {
    ($($type:ty),*) => {$(
        impl Field for $type {
            #[inline]
            fn write(&self, out: &mut FieldWriter<'_>) {
                let value = i64::from(*self);
                out.append_decimal(value < 0, value.unsigned_abs());
            }
        }
    )*};
}

unsigned!(u8, u16, u32, u64);
signed!(i8, i16, i32, i64);

impl Field for usize {
    #[inline]
    fn write(&self, out: &mut FieldWriter<'_>) {
        out.append_decimal(false, *self as u64);
    }
}

impl Field for fmt::Arguments<'_> {
    fn write(&self, out: &mut FieldWriter<'_>) {
        // Only a `Display` that fails by itself fails here; what it wrote until then stays.
        if fmt::write(out, *self).is_err() {
            log::debug!("a value failed to format itself");
        }
    }
}
