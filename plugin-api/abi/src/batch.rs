//! Batches of records: one arena of bytes and one index entry a record.
//!
//! A batch has no owned value in it, so it crosses as two slices, is recycled without freeing, and
//! can as well lie in shared memory. Spans may overlap and be shared by many records: a constant
//! metadata block is stored once. The receiver checks every span once; a lying plugin is an error,
//! never undefined behaviour.

use abi_stable::StableAbi;
use abi_stable::std_types::RSlice;

/// A run of bytes in a batch's arena.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, StableAbi)]
pub struct Span {
    /// Index of the first byte.
    pub offset: u32,
    /// Number of bytes.
    pub length: u32,
}

/// What one record is made of.
///
/// Metadata is a run of entries, each a `u32` length of the key, a `u32` length of the value (both
/// little endian), the key's bytes and the value's.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, StableAbi)]
pub struct RecordIndex {
    /// Where the source stands after this record; opaque to everybody else.
    pub position: Span,
    /// The key.
    pub key: Span,
    /// The data before the change.
    pub before: Span,
    /// The data after the change.
    pub after: Span,
    /// The metadata entries.
    pub metadata: Span,
    /// What happened to the data.
    pub operation: Operation,
    /// Form of the key.
    pub key_kind: DataKind,
    /// Form of `before`.
    pub before_kind: DataKind,
    /// Form of `after`.
    pub after_kind: DataKind,
    /// 0, or [`RecordIndex::NACKED`]; the other bits are always 0.
    pub reserved: u32,
}

impl RecordIndex {
    /// Bit of `reserved`: the source has read the record and knows that it can't be delivered. The
    /// metadata says why, under `conduit.dlq.nack.error`. No destination is given it.
    ///
    /// It is a bit of `reserved`, and that keeps its name, because types are compared by their fields'
    /// names: another one would keep every plugin out that is built already.
    pub const NACKED: u32 = 1;
}

const _: () = assert!(size_of::<RecordIndex>() == 48 && align_of::<RecordIndex>() == 4);

/// Number of an operation; a number that is not named here is refused on receipt.
#[repr(transparent)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, StableAbi)]
pub struct Operation(pub u8);

impl Operation {
    /// The data is new.
    pub const CREATE: Self = Self(1);
    /// The data has changed.
    pub const UPDATE: Self = Self(2);
    /// The data is gone.
    pub const DELETE: Self = Self(3);
    /// The data was there before the source began to watch.
    pub const SNAPSHOT: Self = Self(4);
}

/// Form of a key or payload; a number that is not named here is refused on receipt.
#[repr(transparent)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, StableAbi)]
pub struct DataKind(pub u8);

impl DataKind {
    /// There is no data, which is not the same as empty data.
    pub const ABSENT: Self = Self(0);
    /// Bytes.
    pub const RAW: Self = Self(1);
    /// `MessagePack` with unique text keys; checked when read.
    pub const STRUCTURED: Self = Self(2);
}

/// A batch lent to a destination for one call.
#[repr(C)]
#[derive(Debug, Clone, Copy, StableAbi)]
pub struct BatchRef<'a> {
    /// Sequence of the first record; record `i` has `first_sequence + i`.
    pub first_sequence: u64,
    /// The bytes that the spans point into.
    pub arena: RSlice<'a, u8>,
    /// One entry a record.
    pub index: RSlice<'a, RecordIndex>,
}

/// A host-owned buffer that a source fills.
///
/// The host keeps pointers and capacities to itself and takes back only the two lengths, after
/// checking them, so whatever a plugin leaves in the other fields is without effect.
#[repr(C)]
#[derive(Debug, StableAbi)]
pub struct BatchBuffer {
    arena: *mut u8,
    index: *mut RecordIndex,
    owner: *mut (),
    grow: unsafe extern "C" fn(buffer: &mut BatchBuffer, arena_capacity: u32) -> bool,
    arena_length: u32,
    arena_capacity: u32,
    index_length: u32,
    index_capacity: u32,
    arena_target: u32,
    reserved: u32,
}

impl BatchBuffer {
    /// Makes an empty buffer over the host's memory.
    ///
    /// `arena_target` is the fill from which a source should start no further record; `grow` makes
    /// room for `arena_capacity` bytes and calls [`BatchBuffer::set_arena`], or returns `false`.
    ///
    /// # Safety
    ///
    /// As long as the buffer is used, `arena` points to `arena_capacity` and `index` to `index_capacity` initialised
    /// elements that nobody else touches, and `grow` may be called with this buffer.
    #[must_use]
    pub const unsafe fn from_raw(
        arena: *mut u8,
        arena_capacity: u32,
        index: *mut RecordIndex,
        index_capacity: u32,
        arena_target: u32,
        owner: *mut (),
        grow: unsafe extern "C" fn(&mut BatchBuffer, u32) -> bool,
    ) -> Self {
        Self {
            arena,
            index,
            owner,
            grow,
            arena_length: 0,
            arena_capacity,
            index_length: 0,
            index_capacity,
            arena_target,
            reserved: 0,
        }
    }

    /// Replaces the arena after the host has grown it; for the host's `grow` only.
    ///
    /// # Safety
    ///
    /// As for [`BatchBuffer::from_raw`]; the bytes written so far are at the front of the new one.
    pub const unsafe fn set_arena(&mut self, arena: *mut u8, arena_capacity: u32) {
        self.arena = arena;
        self.arena_capacity = arena_capacity;
    }

    /// The pointer given to [`BatchBuffer::from_raw`] as `owner`.
    #[must_use]
    pub const fn owner(&self) -> *mut () {
        self.owner
    }

    /// Number of bytes written, as the plugin claims.
    #[must_use]
    pub const fn arena_length(&self) -> u32 {
        self.arena_length
    }

    /// Number of records written, as the plugin claims.
    #[must_use]
    pub const fn index_length(&self) -> u32 {
        self.index_length
    }

    /// Number of records that fit.
    #[must_use]
    pub const fn index_capacity(&self) -> u32 {
        self.index_capacity
    }

    /// Whether a further record should be started.
    #[inline]
    #[must_use]
    pub const fn has_room(&self) -> bool {
        self.index_length < self.index_capacity && self.arena_length < self.arena_target
    }

    /// The arena, to write what no record owns.
    #[inline]
    pub fn arena(&mut self) -> Arena<'_> {
        Arena { buffer: self }
    }

    /// Appends bytes, or returns `None` where the host refuses to grow the arena that far.
    #[inline]
    pub fn append(&mut self, bytes: &[u8]) -> Option<Span> {
        self.arena().append(bytes)
    }

    /// The bytes written so far.
    #[inline]
    #[must_use]
    pub fn written(&self) -> &[u8] {
        // SAFETY: `arena_length <= arena_capacity`, initialised as `from_raw` demands.
        unsafe { std::slice::from_raw_parts(self.arena, self.arena_length as usize) }
    }

    /// Begins a record. `None` when the index is full.
    #[inline]
    pub fn begin(&mut self) -> Option<Draft<'_>> {
        if self.index_length >= self.index_capacity {
            return None;
        }
        Some(Draft {
            entry: RecordIndex::default(),
            buffer: self,
        })
    }

    /// The records written so far.
    #[inline]
    #[must_use]
    pub fn records(&self) -> &[RecordIndex] {
        // SAFETY: `index_length <= index_capacity`, initialised as `from_raw` demands.
        unsafe { std::slice::from_raw_parts(self.index, self.index_length as usize) }
    }

    #[cold]
    fn make_room(&mut self, length: usize) -> bool {
        let Some(needed) = u32::try_from(length)
            .ok()
            .and_then(|length| self.arena_length.checked_add(length))
        else {
            return false;
        };
        let grow = self.grow;
        // SAFETY: `from_raw` was promised that `grow` may be called with this buffer.
        let grown = unsafe { grow(self, needed) };
        grown && self.arena_capacity >= needed
    }
}

/// The arena of a buffer, which is all that the fields of a record need of it.
#[derive(Debug)]
pub struct Arena<'b> {
    buffer: &'b mut BatchBuffer,
}

impl Arena<'_> {
    /// Lends `length` bytes behind those written and `skip` more; [`Arena::commit`] then keeps what
    /// is wanted of them, those that were skipped included.
    ///
    /// Returns `None` where the host refuses to grow the arena that far.
    #[inline]
    pub fn spare(&mut self, skip: usize, length: usize) -> Option<&mut [u8]> {
        let buffer = &mut *self.buffer;
        let needed = skip.checked_add(length)?;
        if needed > (buffer.arena_capacity - buffer.arena_length) as usize
            && !buffer.make_room(needed)
        {
            return None;
        }
        // SAFETY: `arena_length + skip + length <= arena_capacity`, so the pointer stays inside.
        let start = unsafe { buffer.arena.add(buffer.arena_length as usize + skip) };
        // SAFETY: `length` bytes fit behind `start`, initialised and unshared as `from_raw` demands.
        Some(unsafe { std::slice::from_raw_parts_mut(start, length) })
    }

    /// Keeps the first `length` bytes of what [`Arena::spare`] lent, and returns their span.
    #[inline]
    pub fn commit(&mut self, length: usize) -> Span {
        let offset = self.buffer.arena_length;
        let room = self.buffer.arena_capacity - offset;
        #[expect(clippy::cast_possible_truncation, reason = "at most `room`, a u32")]
        let length = length.min(room as usize) as u32;
        self.buffer.arena_length = offset + length;
        Span { offset, length }
    }

    /// Appends bytes, or returns `None` where the host refuses to grow the arena that far.
    #[inline]
    pub fn append(&mut self, bytes: &[u8]) -> Option<Span> {
        copy_field(bytes, self.spare(0, bytes.len())?);
        Some(self.commit(bytes.len()))
    }
}

/// A record that was begun; it counts when it is finished.
///
/// Where all of this is inlined, the entry is in registers until then.
#[derive(Debug)]
pub struct Draft<'b> {
    /// What the record is made of.
    pub entry: RecordIndex,
    /// Has room for one more entry.
    buffer: &'b mut BatchBuffer,
}

impl Draft<'_> {
    /// The arena, to write the record's fields.
    #[inline]
    pub fn arena(&mut self) -> Arena<'_> {
        self.buffer.arena()
    }

    /// Bytes that were written, this record's fields among them.
    #[must_use]
    pub fn bytes(&self, span: Span) -> &[u8] {
        let written = self.buffer.written();
        let behind = written.get(span.offset as usize..).unwrap_or_default();
        behind.get(..span.length as usize).unwrap_or_default()
    }

    /// Adds the record to the batch.
    #[inline]
    pub fn finish(self) {
        let Self { entry, buffer } = self;
        // SAFETY: `index_length < index_capacity`, as `begin` has checked and nobody has changed
        // since, so the pointer stays inside the index.
        let slot = unsafe { buffer.index.add(buffer.index_length as usize) };
        // SAFETY: the slot is inside the index, initialised and unshared as `from_raw` demands.
        unsafe { slot.write(entry) };
        buffer.index_length += 1;
    }

    /// Takes the record back, and the bytes from `arena_length` on; returns how many records are
    /// left.
    pub fn take_back(self, arena_length: u32) -> u32 {
        let buffer = self.buffer;
        buffer.arena_length = buffer.arena_length.min(arena_length);
        buffer.index_length
    }
}

/// Copies a field; both are of the same length. Fields are short, and calling `memcpy` costs more
/// than most of them do.
#[inline]
pub fn copy_field(from: &[u8], to: &mut [u8]) {
    /// Copies the first `A` and the last `B` bytes, which overlap where there are fewer than both.
    #[inline]
    fn ends<const A: usize, const B: usize>(from: &[u8], to: &mut [u8]) {
        if let (Some(first), Some(last)) = (from.first_chunk::<A>(), from.last_chunk::<B>()) {
            if let Some(to) = to.first_chunk_mut::<A>() {
                *to = *first;
            }
            if let Some(to) = to.last_chunk_mut::<B>() {
                *to = *last;
            }
        }
    }
    match from.len() {
        8..=16 => ends::<8, 8>(from, to),
        17..=32 => ends::<16, 16>(from, to),
        33..=64 => ends::<32, 32>(from, to),
        65..=96 => ends::<64, 32>(from, to),
        97..=128 => ends::<64, 64>(from, to),
        4..8 => ends::<4, 4>(from, to),
        1..4 => {
            for (to, from) in to.iter_mut().zip(from) {
                *to = *from;
            }
        }
        _ => to.copy_from_slice(from),
    }
}
