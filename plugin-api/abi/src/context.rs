//! The context of a call: how long it may wait, whether to stop, and how to be woken.

use abi_stable::StableAbi;

/// A counted handle to a connector's context; the host owns what is behind it.
///
/// It stays valid as long as a clone of it lives, also after the instance was detached or torn
/// down, and may be used from any thread.
#[repr(C)]
#[derive(StableAbi)]
pub struct Context {
    data: *const (),
    vtable: ContextVTable_Ref,
}

/// The host's half of [`Context`]. Every function may be called from any thread.
#[repr(C)]
#[derive(Debug, StableAbi)]
#[sabi(kind(Prefix))]
#[sabi(missing_field(option))]
pub struct ContextVTable {
    /// Counts one handle more.
    pub retain: unsafe extern "C" fn(data: *const ()),
    /// Counts one handle less; `data` may be gone afterwards.
    pub release: unsafe extern "C" fn(data: *const ()),
    /// Waits for at most so many nanoseconds, and never past `max_wait`, until a bit of
    /// [`Wakeups`] is set; returns the bits and clears those that report a single happening.
    pub wait: unsafe extern "C" fn(data: *const (), nanoseconds: u64) -> Wakeups,
    /// Nanoseconds until the call's budget ends; `u64::MAX` without one.
    pub remaining: unsafe extern "C" fn(data: *const ()) -> u64,
    /// Nanoseconds for which this call may wait for data.
    pub max_wait: unsafe extern "C" fn(data: *const ()) -> u64,
    /// Ends a wait, and makes the driver call `read` or `flush` now.
    pub wake: unsafe extern "C" fn(data: *const ()),
    /// A descriptor that becomes readable when a wait would return (an eventfd or a pipe's end;
    /// an event's handle on Windows), or -1. The host keeps it open as long as a handle lives.
    pub waitable: unsafe extern "C" fn(data: *const ()) -> isize,
    /// How the pipeline runs.
    pub flags: unsafe extern "C" fn(data: *const ()) -> RunFlags,
    /// The bits of [`Wakeups`] that are set; clears none.
    #[sabi(last_prefix_field)]
    pub wakeups: unsafe extern "C" fn(data: *const ()) -> Wakeups,
}

/// Why a wait returned; several may hold.
#[repr(transparent)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, StableAbi)]
pub struct Wakeups(pub u32);

impl Wakeups {
    /// The connector was asked to stop.
    pub const STOP: Self = Self(1);
    /// The call's result is no longer wanted.
    pub const CANCEL: Self = Self(2);
    /// Acknowledgements wait to be delivered.
    pub const ACKS: Self = Self(4);
    /// Somebody called `wake`.
    pub const WOKEN: Self = Self(8);
    /// The time is over.
    pub const TIMEOUT: Self = Self(16);

    /// Whether all the bits of `other` are set.
    #[must_use]
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

/// How a pipeline runs; unknown bits are ignored.
#[repr(transparent)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, StableAbi)]
pub struct RunFlags(pub u32);

impl RunFlags {
    /// The run ends where the data ends at present: a tailing source says `end` instead of waiting.
    pub const UNTIL_END: Self = Self(1);

    /// Whether all the bits of `other` are set.
    #[must_use]
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

// SAFETY: the host promises in `from_raw` that every function may be called from any thread.
unsafe impl Send for Context {}
// SAFETY: as for `Send`.
unsafe impl Sync for Context {}

impl Context {
    /// Takes over one counted handle.
    ///
    /// # Safety
    ///
    /// `data` is valid for the vtable's functions, from any thread, until it was released once for
    /// this handle and once for every `retain`.
    #[must_use]
    pub const unsafe fn from_raw(data: *const (), vtable: ContextVTable_Ref) -> Self {
        Self { data, vtable }
    }

    /// Waits for at most so many nanoseconds, and never past [`Context::max_wait`].
    #[must_use]
    pub fn wait(&self, nanoseconds: u64) -> Wakeups {
        // SAFETY: this handle was not released yet.
        unsafe { self.vtable.wait()(self.data, nanoseconds) }
    }

    /// Nanoseconds until the call's budget ends; `u64::MAX` without one.
    #[must_use]
    pub fn remaining(&self) -> u64 {
        // SAFETY: this handle was not released yet.
        unsafe { self.vtable.remaining()(self.data) }
    }

    /// Nanoseconds for which this call may wait for data.
    #[must_use]
    pub fn max_wait(&self) -> u64 {
        // SAFETY: this handle was not released yet.
        unsafe { self.vtable.max_wait()(self.data) }
    }

    /// Ends a wait, and makes the driver call `read` or `flush` now.
    pub fn wake(&self) {
        // SAFETY: this handle was not released yet.
        unsafe { self.vtable.wake()(self.data) }
    }

    /// A descriptor that becomes readable when a wait would return, or -1.
    #[must_use]
    pub fn waitable(&self) -> isize {
        // SAFETY: this handle was not released yet.
        unsafe { self.vtable.waitable()(self.data) }
    }

    /// How the pipeline runs.
    #[must_use]
    pub fn flags(&self) -> RunFlags {
        // SAFETY: this handle was not released yet.
        unsafe { self.vtable.flags()(self.data) }
    }

    /// The bits that are set. None is cleared: whoever waits still finds them.
    #[must_use]
    pub fn wakeups(&self) -> Wakeups {
        // SAFETY: this handle was not released yet.
        unsafe { self.vtable.wakeups()(self.data) }
    }
}

impl Clone for Context {
    fn clone(&self) -> Self {
        // SAFETY: this handle was not released yet.
        unsafe { self.vtable.retain()(self.data) };
        Self {
            data: self.data,
            vtable: self.vtable,
        }
    }
}

impl Drop for Context {
    fn drop(&mut self) {
        // SAFETY: every handle is released once, here.
        unsafe { self.vtable.release()(self.data) }
    }
}
