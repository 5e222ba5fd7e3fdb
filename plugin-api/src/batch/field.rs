//! What may be written as a position, key or payload, and how it gets into the arena.

use std::fmt;

use forebay_abi as abi;

use super::decimal::{self, DecimalCounter};
use crate::record::Position;
use crate::structured::Output;

/// A value that can be appended to a batch as bytes.
///
/// Bytes and text are copied, numbers become decimal text, and `format_args!` writes straight into
/// the batch. Other types: `format_args!("{value}")`, or an implementation of this trait.
///
/// # Examples
///
/// ```
/// use plugin_api::{BatchWriter, Field, FieldWriter};
///
/// /// A position of two numbers.
/// struct Place { file: u32, byte: u64 }
///
/// impl Field for Place {
///     fn write(&self, out: &mut FieldWriter<'_>) {
///         self.file.write(out);
///         out.append(b":");
///         self.byte.write(out);
///     }
/// }
///
/// fn write(batch: &mut BatchWriter, line: &[u8]) {
///     batch.create(Place { file: 3, byte: 4711 }).payload(line); // position `3:4711`
/// }
/// ```
pub trait Field {
    /// Appends the bytes, in one or several pieces.
    fn write(&self, out: &mut FieldWriter<'_>);
}

/// Takes the bytes of one field of a record, piece by piece; what a [`Field`] writes to.
///
/// A piece that doesn't fit is noted, and the record is taken back when its field is whole: there is
/// nothing to handle here. It is also a [`fmt::Write`] and takes [structured data](Output).
#[derive(Debug)]
pub struct FieldWriter<'a> {
    arena: abi::Arena<'a>,
    /// Bytes so far. They lie in the arena's spare room and count only when the field is whole:
    /// moving the arena's end for each piece would make each wait for the one before.
    length: usize,
    overflow: bool,
}

impl<'a> FieldWriter<'a> {
    #[inline]
    pub(super) fn new(arena: abi::Arena<'a>) -> Self {
        Self {
            arena,
            length: 0,
            overflow: false,
        }
    }

    /// Appends a piece.
    #[inline]
    pub fn append(&mut self, piece: &[u8]) {
        match self.room(piece.len()) {
            Some(to) => {
                abi::copy_field(piece, to);
                self.length += piece.len();
            }
            None => self.overflow = true,
        }
    }

    /// Appends two pieces, with one look for room: faster than twice [`append`](Self::append).
    #[inline]
    pub fn append_both(&mut self, first: &[u8], second: &[u8]) {
        match self.room(first.len() + second.len()) {
            Some(to) => {
                let (to_first, to_second) = to.split_at_mut(first.len());
                abi::copy_field(first, to_first);
                abi::copy_field(second, to_second);
                self.length += first.len() + second.len();
            }
            None => self.overflow = true,
        }
    }

    /// Appends a number that is written in place; `put` returns how long it is.
    #[inline(always)]
    pub(super) fn append_with(&mut self, put: impl Fn(&mut [u8; decimal::ROOM]) -> usize) {
        match self.room(decimal::ROOM).and_then(<[u8]>::first_chunk_mut) {
            Some(to) => self.length += put(to),
            None => {
                // There is hardly any room, but the text may still fit.
                let mut to = [0; decimal::ROOM];
                let length = put(&mut to);
                self.append(&to[..length]);
            }
        }
    }

    /// Appends two numbers with a byte between them and bytes behind, as positions often are: with
    /// one look for room.
    #[inline(always)]
    pub fn append_pair(&mut self, numbers: [&DecimalCounter; 2], between: u8, behind: &[u8]) {
        decimal::append_pair(self, numbers, between, behind);
    }

    /// Appends what `put` writes, at most so many bytes; it returns how many. `false`, and nothing
    /// is appended, where there isn't room for so many.
    #[inline(always)]
    pub(super) fn append_at_most(
        &mut self,
        most: usize,
        put: impl FnOnce(&mut [u8]) -> Option<usize>,
    ) -> bool {
        let written = self.room(most).and_then(put);
        self.length += written.unwrap_or(0);
        written.is_some()
    }

    #[inline]
    fn append_decimal(&mut self, negative: bool, value: u64) {
        if negative {
            self.append(b"-");
        }
        self.append_with(|to| decimal::write(value, to));
    }

    /// Room for so many bytes behind those written; `None` where the host has none.
    #[inline]
    fn room(&mut self, length: usize) -> Option<&mut [u8]> {
        self.arena.spare(self.length, length)
    }

    /// The span of what was appended; `None` where the host had no room for all of it.
    #[inline(always)]
    pub(super) fn finish(mut self) -> Option<abi::Span> {
        (!self.overflow).then(|| self.arena.commit(self.length))
    }
}

impl Output for FieldWriter<'_> {
    #[inline]
    fn extend(&mut self, bytes: &[u8]) {
        self.append(bytes);
    }

    #[inline]
    fn written(&self) -> usize {
        self.length
    }

    fn patch(&mut self, at: usize, bytes: &[u8]) {
        // After an overflow what is to be patched may not be there; the field is refused anyway.
        let written = self.arena.spare(0, self.length);
        let place = written.and_then(|written| written.get_mut(at..)?.get_mut(..bytes.len()));
        if let Some(place) = place {
            place.copy_from_slice(bytes);
        }
    }

    fn truncate(&mut self, at: usize) {
        self.length = self.length.min(at);
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
    #[inline(always)]
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
