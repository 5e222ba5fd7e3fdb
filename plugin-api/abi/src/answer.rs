//! Answers: what a destination says of the records it was given, and what a source is told.

use abi_stable::StableAbi;
use abi_stable::std_types::RSlice;

use crate::{PluginError, Span};

/// Where a destination puts its answers during `write` and `flush`.
///
/// Answers may come in any order; each record is answered once. The host restores the order and
/// refuses a second answer or one for a record that it never gave.
#[repr(C)]
#[derive(StableAbi)]
pub struct AckSink {
    data: *mut (),
    vtable: AckSinkVTable_Ref,
}

/// The host's half of [`AckSink`].
#[repr(C)]
#[derive(Debug, StableAbi)]
#[sabi(kind(Prefix))]
#[sabi(missing_field(option))]
pub struct AckSinkVTable {
    /// The records `from..to` are done. `[thread: the caller's] [blocks: no]`
    pub ok: unsafe extern "C" fn(data: *mut (), from: u64, to: u64),
    /// The record can't be done, for this reason. `[thread: the caller's] [owns: host]`
    #[sabi(last_prefix_field)]
    pub nack: unsafe extern "C" fn(data: *mut (), sequence: u64, error: PluginError),
}

impl AckSink {
    /// Makes a sink over the host's state.
    ///
    /// # Safety
    ///
    /// The vtable's functions may be called with `data` as long as the sink is used.
    #[must_use]
    pub const unsafe fn from_raw(data: *mut (), vtable: AckSinkVTable_Ref) -> Self {
        Self { data, vtable }
    }

    /// Says that the records with the sequences `from..to` are done.
    #[inline]
    pub fn ok(&mut self, from: u64, to: u64) {
        // SAFETY: `from_raw` was promised that the functions may be called with `data`.
        unsafe { self.vtable.ok()(self.data, from, to) }
    }

    /// Says that the record with this sequence can't be done.
    pub fn nack(&mut self, sequence: u64, error: PluginError) {
        // SAFETY: as in `ok`.
        unsafe { self.vtable.nack()(self.data, sequence, error) }
    }
}

/// Records whose positions are durable, told to a source in order.
#[repr(C)]
#[derive(Debug, Clone, Copy, StableAbi)]
pub struct AckBatch<'a> {
    /// Sequence of the first record.
    pub first_sequence: u64,
    /// Number of records.
    pub count: u64,
    /// The bytes that `positions` point into.
    pub arena: RSlice<'a, u8>,
    /// One position a record, or only the newest, as the specification's `acks` asks.
    pub positions: RSlice<'a, Span>,
}
