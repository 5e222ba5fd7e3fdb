//! The context of a connector under test.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use abi_stable::prefix_type::WithMetadata;
use abi_stable::staticref;
use forebay_abi as abi;

/// A context that waits as a host's does. It has no descriptor to poll.
pub(crate) struct TestContext {
    state: Arc<State>,
    handle: abi::Context,
}

struct State {
    signals: Mutex<Signals>,
    changed: Condvar,
    max_wait: AtomicU64,
    until_end: AtomicBool,
}

#[derive(Default)]
struct Signals {
    bits: u32,
    /// How often a wait has begun that found no bit.
    waits: u32,
    /// How often a wait has ended by its time.
    timeouts: u32,
}

impl TestContext {
    pub(crate) fn new() -> Self {
        let state = Arc::new(State {
            signals: Mutex::default(),
            changed: Condvar::new(),
            max_wait: AtomicU64::new(0),
            until_end: AtomicBool::new(false),
        });
        let data = Arc::into_raw(Arc::clone(&state)).cast::<()>();
        // SAFETY: `data` is a counted pointer to a `State`, which is `Sync`; each of the vtable's
        // functions takes it as that, and `release` gives one count back.
        let handle = unsafe { abi::Context::from_raw(data, vtable()) };
        Self { state, handle }
    }

    pub(crate) fn handle(&self) -> &abi::Context {
        &self.handle
    }

    /// Limits how long the following calls may wait for data.
    pub(crate) fn set_max_wait(&self, max_wait: Duration) {
        let nanoseconds = u64::try_from(max_wait.as_nanos()).unwrap_or(u64::MAX);
        self.state.max_wait.store(nanoseconds, Ordering::SeqCst);
    }

    /// Tells the connector that it was asked to stop.
    #[cfg(any(feature = "testing", feature = "tokio"))]
    pub(crate) fn stop(&self) {
        self.state.signal(abi::Wakeups::STOP);
    }

    /// Waits, as a host does between two calls, until the connector wakes it or the time is over.
    #[cfg(feature = "testing")]
    pub(crate) fn rest(&self, longest: Duration) {
        let is_quiet = |signals: &mut Signals| signals.bits & abi::Wakeups::WOKEN.0 == 0;
        let state = &self.state;
        let rested = state
            .changed
            .wait_timeout_while(state.lock(), longest, is_quiet);
        let (mut signals, _) = rested.unwrap_or_else(PoisonError::into_inner);
        // The call that follows is what the wake-up has asked for.
        signals.bits &= !abi::Wakeups::WOKEN.0;
    }
}

/// For the unit tests of what waits.
#[cfg(test)]
impl TestContext {
    /// Makes the run one that ends where the data ends.
    pub(crate) fn set_until_end(&self) {
        self.state.until_end.store(true, Ordering::SeqCst);
    }

    /// The result of calls is no longer wanted.
    #[cfg(feature = "tokio")]
    pub(crate) fn cancel(&self) {
        self.state.signal(abi::Wakeups::CANCEL);
    }

    /// How often a wait has begun that found no bit.
    pub(crate) fn waits(&self) -> u32 {
        self.state.lock().waits
    }

    /// How often a wait has ended by its time.
    pub(crate) fn timeouts(&self) -> u32 {
        self.state.lock().timeouts
    }

    /// Returns when a connector waits, and has done so this often at least.
    pub(crate) fn await_waits(&self, waits: u32) {
        let state = &self.state;
        let waited = state
            .changed
            .wait_while(state.lock(), |signals| signals.waits < waits);
        drop(waited.unwrap_or_else(PoisonError::into_inner));
    }
}

impl State {
    fn signal(&self, bits: abi::Wakeups) {
        self.lock().bits |= bits.0;
        self.changed.notify_all();
    }

    fn wait(&self, nanoseconds: u64) -> abi::Wakeups {
        let longest = nanoseconds.min(self.max_wait.load(Ordering::SeqCst));
        let deadline = Instant::now() + Duration::from_nanos(longest);
        let mut signals = self.lock();
        if signals.bits == 0 {
            signals.waits += 1;
            self.changed.notify_all();
        }
        loop {
            if signals.bits != 0 {
                let found = signals.bits;
                signals.bits &= !abi::Wakeups::WOKEN.0;
                return abi::Wakeups(found);
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                signals.timeouts += 1;
                return abi::Wakeups::TIMEOUT;
            }
            let waited = self.changed.wait_timeout(signals, left);
            signals = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Signals> {
        self.signals.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct VTable;

impl VTable {
    staticref!(const STATIC: WithMetadata<abi::ContextVTable> =
    WithMetadata::new(abi::ContextVTable {
        retain,
        release,
        wait,
        remaining,
        max_wait,
        wake,
        waitable,
        flags,
        wakeups,
    }));
}

fn vtable() -> abi::ContextVTable_Ref {
    abi::ContextVTable_Ref(VTable::STATIC.as_prefix())
}

/// Views the state behind a handle.
///
/// # Safety
///
/// `data` comes from [`TestContext::new`] and was not released for the last time.
unsafe fn state<'a>(data: *const ()) -> &'a State {
    // SAFETY: the caller vouches for a live, counted pointer to a `State`.
    unsafe { &*data.cast::<State>() }
}

unsafe extern "C" fn retain(data: *const ()) {
    // SAFETY: `data` is a counted pointer, by the contract of `Context::from_raw`.
    unsafe { Arc::increment_strong_count(data.cast::<State>()) }
}

unsafe extern "C" fn release(data: *const ()) {
    // SAFETY: as in `retain`; this count is given back once.
    unsafe { Arc::decrement_strong_count(data.cast::<State>()) }
}

unsafe extern "C" fn wait(data: *const (), nanoseconds: u64) -> abi::Wakeups {
    // SAFETY: the handle that calls is alive.
    unsafe { state(data) }.wait(nanoseconds)
}

unsafe extern "C" fn remaining(_data: *const ()) -> u64 {
    u64::MAX
}

unsafe extern "C" fn max_wait(data: *const ()) -> u64 {
    // SAFETY: the handle that calls is alive.
    unsafe { state(data) }.max_wait.load(Ordering::SeqCst)
}

unsafe extern "C" fn wake(data: *const ()) {
    // SAFETY: the handle that calls is alive.
    unsafe { state(data) }.signal(abi::Wakeups::WOKEN);
}

unsafe extern "C" fn waitable(_data: *const ()) -> isize {
    -1
}

unsafe extern "C" fn flags(data: *const ()) -> abi::RunFlags {
    // SAFETY: the handle that calls is alive.
    if unsafe { state(data) }.until_end.load(Ordering::SeqCst) {
        abi::RunFlags::UNTIL_END
    } else {
        abi::RunFlags::default()
    }
}

unsafe extern "C" fn wakeups(data: *const ()) -> abi::Wakeups {
    // SAFETY: the handle that calls is alive.
    abi::Wakeups(unsafe { state(data) }.lock().bits)
}
