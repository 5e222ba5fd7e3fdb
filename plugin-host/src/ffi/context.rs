//! The host's half of a connector's context.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use abi_stable::prefix_type::WithMetadata;
use abi_stable::staticref;
use plugin_api::ffi::{Context, ContextVTable, ContextVTable_Ref, RunFlags, Wakeups};

use super::waitable::Waitable;

/// Longest wait that any call may make for data.
pub(crate) const MAX_WAIT: Duration = Duration::from_millis(100);

/// Bits that report one happening and are cleared when a wait has returned them.
const SINGLE: u32 = Wakeups::ACKS.0 | Wakeups::WOKEN.0;

/// Stands for a call that the supervisor has not seen yet.
const UNSEEN: u64 = u64::MAX;

/// A time that doesn't come.
const NEVER: u64 = u64::MAX;

/// What is behind a [`Context`]: counted, shared by the driver and whoever keeps a handle.
#[derive(Debug)]
pub(crate) struct ContextState {
    bits: AtomicU32,
    flags: RunFlags,
    also_wakes: Option<Arc<ContextState>>,
    max_wait: AtomicU64,
    /// Nanoseconds that a call may take, or [`NEVER`].
    budget: u64,
    /// Nanoseconds after `epoch` at which the running call ends; [`UNSEEN`] until the supervisor
    /// has seen the call.
    call_end: AtomicU64,
    /// Nanoseconds after `epoch` at which whoever asked for the call no longer waits for it.
    deadline: AtomicU64,
    epoch: Instant,
    sleepers: Mutex<u32>,
    changed: Condvar,
    waitable: OnceLock<Option<Waitable>>,
}

impl ContextState {
    /// Nobody wants anything of the connector any more.
    pub(crate) const GONE: Wakeups = Wakeups(Wakeups::CANCEL.0 | Wakeups::STOP.0);

    /// `also_wakes` is the context whose wait ends, too, when this one is woken: that of the
    /// source, where one thread drives both.
    pub(crate) fn new(
        flags: RunFlags,
        budget: Duration,
        also_wakes: Option<Arc<Self>>,
    ) -> Arc<Self> {
        Arc::new(Self {
            bits: AtomicU32::new(0),
            flags,
            also_wakes,
            max_wait: AtomicU64::new(nanoseconds(MAX_WAIT)),
            budget: match budget {
                Duration::MAX => NEVER,
                budget => nanoseconds(budget),
            },
            call_end: AtomicU64::new(UNSEEN),
            deadline: AtomicU64::new(NEVER),
            epoch: Instant::now(),
            sleepers: Mutex::new(0),
            changed: Condvar::new(),
            waitable: OnceLock::new(),
        })
    }

    /// A handle to pass to the plugin.
    pub(crate) fn handle(self: &Arc<Self>) -> Context {
        let data = Arc::into_raw(Arc::clone(self)).cast::<()>();
        // SAFETY: `data` is a counted pointer to a `ContextState`, which is `Sync`; each of the
        // vtable's functions takes it as that, and `release` gives one count back.
        unsafe { Context::from_raw(data, VTABLE.as_vtable()) }
    }

    /// Sets bits and ends a wait.
    pub(crate) fn signal(&self, bits: Wakeups) {
        self.bits.fetch_or(bits.0, Ordering::SeqCst);
        if let Some(Some(waitable)) = self.waitable.get() {
            waitable.set();
        }
        let sleepers = self.sleepers.lock().unwrap_or_else(PoisonError::into_inner);
        if *sleepers > 0 {
            self.changed.notify_all();
        }
    }

    /// Limits how long the following calls may wait for data.
    pub(crate) fn set_max_wait(&self, max_wait: Duration) {
        self.max_wait
            .store(nanoseconds(max_wait.min(MAX_WAIT)), Ordering::Relaxed);
    }

    /// A call begins. Reading the clock here would cost more than the call; the supervisor does it
    /// for calls that last.
    #[inline]
    pub(crate) fn begin_call(&self) {
        self.call_end.store(UNSEEN, Ordering::Relaxed);
    }

    /// The supervisor has seen the running call for the first time.
    pub(crate) fn set_call_end(&self, end: Instant) {
        let end = nanoseconds(end.saturating_duration_since(self.epoch));
        self.call_end.store(end, Ordering::Relaxed);
    }

    /// Whoever asks for the following calls waits for them until then.
    pub(crate) fn set_deadline(&self, deadline: Option<Instant>) {
        let end = deadline.map(|end| nanoseconds(end.saturating_duration_since(self.epoch)));
        self.deadline.store(end.unwrap_or(NEVER), Ordering::Relaxed);
    }

    /// Waits on the driver's own behalf. The driver knows of a stop already: that ends no pause, or
    /// what is left to do after a stop would be done in a spin.
    pub(crate) fn pause(&self, timeout: Duration) {
        let _bits = self.wait_for(nanoseconds(timeout), !Wakeups::STOP.0);
    }

    fn wait(&self, timeout: u64) -> Wakeups {
        let timeout = timeout.min(self.max_wait.load(Ordering::Relaxed));
        self.wait_for(timeout, u32::MAX)
    }

    /// Waits for one of the bits that are in `wanted`.
    fn wait_for(&self, timeout: u64, wanted: u32) -> Wakeups {
        let found = self.take(wanted);
        if found != Wakeups::default() || timeout == 0 {
            return if found == Wakeups::default() {
                Wakeups::TIMEOUT
            } else {
                found
            };
        }
        let deadline = Instant::now() + Duration::from_nanos(timeout);
        let mut sleepers = self.sleepers.lock().unwrap_or_else(PoisonError::into_inner);
        *sleepers += 1;
        let found = loop {
            let found = self.take(wanted);
            if found != Wakeups::default() {
                break found;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break Wakeups::TIMEOUT;
            }
            sleepers = self
                .changed
                .wait_timeout(sleepers, left)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        };
        *sleepers -= 1;
        found
    }

    /// The wanted bits that are set, clearing those that report a single happening.
    fn take(&self, wanted: u32) -> Wakeups {
        if self.bits.load(Ordering::SeqCst) & wanted == 0 {
            return Wakeups::default();
        }
        let bits = self.bits.fetch_and(!SINGLE, Ordering::SeqCst);
        if bits & !SINGLE == 0
            && let Some(Some(waitable)) = self.waitable.get()
        {
            waitable.clear();
            // What was set between the two steps must stay visible in the descriptor.
            if self.bits.load(Ordering::SeqCst) != 0 {
                waitable.set();
            }
        }
        Wakeups(bits & wanted)
    }

    fn remaining(&self) -> u64 {
        let until = |end: u64| end.saturating_sub(nanoseconds(self.epoch.elapsed()));
        let budget = match self.call_end.load(Ordering::Relaxed) {
            UNSEEN => self.budget,
            end => until(end),
        };
        match self.deadline.load(Ordering::Relaxed) {
            NEVER => budget,
            end => budget.min(until(end)),
        }
    }

    fn waitable(&self) -> isize {
        let waitable = self.waitable.get_or_init(|| {
            let waitable = Waitable::new()?;
            if self.bits.load(Ordering::SeqCst) != 0 {
                waitable.set();
            }
            Some(waitable)
        });
        waitable.as_ref().map_or(-1, Waitable::handle)
    }
}

fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX - 1)
}

struct VTable;

impl VTable {
    staticref!(const STATIC: WithMetadata<ContextVTable> = WithMetadata::new(ContextVTable {
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

    fn as_vtable(&self) -> ContextVTable_Ref {
        ContextVTable_Ref(Self::STATIC.as_prefix())
    }
}

const VTABLE: VTable = VTable;

/// Views the state behind a handle.
///
/// # Safety
///
/// `data` comes from [`ContextState::handle`] and was not released for the last time.
unsafe fn state<'a>(data: *const ()) -> &'a ContextState {
    // SAFETY: the caller vouches for a live, counted pointer to a `ContextState`.
    unsafe { &*data.cast::<ContextState>() }
}

unsafe extern "C" fn retain(data: *const ()) {
    // SAFETY: `data` is a counted pointer, by the contract of `Context::from_raw`.
    unsafe { Arc::increment_strong_count(data.cast::<ContextState>()) }
}

unsafe extern "C" fn release(data: *const ()) {
    // SAFETY: as in `retain`; this count is given back once.
    unsafe { Arc::decrement_strong_count(data.cast::<ContextState>()) }
}

unsafe extern "C" fn wait(data: *const (), nanoseconds: u64) -> Wakeups {
    // SAFETY: the handle that calls is alive.
    unsafe { state(data) }.wait(nanoseconds)
}

unsafe extern "C" fn remaining(data: *const ()) -> u64 {
    // SAFETY: the handle that calls is alive.
    unsafe { state(data) }.remaining()
}

unsafe extern "C" fn max_wait(data: *const ()) -> u64 {
    // SAFETY: the handle that calls is alive.
    unsafe { state(data) }.max_wait.load(Ordering::Relaxed)
}

unsafe extern "C" fn wake(data: *const ()) {
    // SAFETY: the handle that calls is alive.
    let state = unsafe { state(data) };
    state.signal(Wakeups::WOKEN);
    if let Some(other) = &state.also_wakes {
        other.signal(Wakeups::WOKEN);
    }
}

unsafe extern "C" fn waitable(data: *const ()) -> isize {
    // SAFETY: the handle that calls is alive.
    unsafe { state(data) }.waitable()
}

unsafe extern "C" fn flags(data: *const ()) -> RunFlags {
    // SAFETY: the handle that calls is alive.
    unsafe { state(data) }.flags
}

unsafe extern "C" fn wakeups(data: *const ()) -> Wakeups {
    // SAFETY: the handle that calls is alive.
    Wakeups(unsafe { state(data) }.bits.load(Ordering::SeqCst))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread;

    const BUDGET: Duration = Duration::from_secs(30);

    #[test]
    fn remaining_is_the_budget_until_the_supervisor_has_seen_the_call() {
        let state = ContextState::new(RunFlags::default(), BUDGET, None);
        let handle = state.handle();
        assert_eq!(handle.remaining(), nanoseconds(BUDGET));
        state.set_call_end(Instant::now());
        assert_eq!(handle.remaining(), 0);
        state.begin_call();
        assert_eq!(handle.remaining(), nanoseconds(BUDGET));
    }

    #[test]
    fn remaining_ends_with_the_deadline_of_whoever_asks() {
        let state = ContextState::new(RunFlags::default(), Duration::MAX, None);
        let handle = state.handle();
        assert_eq!(handle.remaining(), u64::MAX);
        state.set_deadline(Some(Instant::now()));
        assert_eq!(handle.remaining(), 0);
        state.set_deadline(None);
        assert_eq!(handle.remaining(), u64::MAX);
    }

    #[test]
    fn wait_ends_at_max_wait() {
        let state = ContextState::new(RunFlags::default(), BUDGET, None);
        state.set_max_wait(Duration::from_millis(5));
        let start = Instant::now();
        assert_eq!(state.handle().wait(u64::MAX), Wakeups::TIMEOUT);
        assert!(start.elapsed() < Duration::from_secs(5));
    }

    #[test]
    fn signal_wakes_from_another_thread() {
        let state = ContextState::new(RunFlags::default(), BUDGET, None);
        let handle = state.handle();
        let waiter = thread::spawn(move || {
            loop {
                match handle.wait(u64::MAX) {
                    Wakeups::TIMEOUT => {}
                    bits => return bits,
                }
            }
        });
        state.signal(Wakeups::ACKS);
        assert_eq!(waiter.join().expect("waiter"), Wakeups::ACKS);
    }

    #[test]
    fn single_bits_clear_and_stop_stays() {
        let state = ContextState::new(RunFlags::default(), BUDGET, None);
        let handle = state.handle();
        state.signal(Wakeups(Wakeups::STOP.0 | Wakeups::WOKEN.0));
        assert_eq!(handle.wait(0).0, Wakeups::STOP.0 | Wakeups::WOKEN.0);
        assert_eq!(handle.wait(0), Wakeups::STOP);
    }

    #[test]
    fn looking_at_the_bits_clears_none() {
        let state = ContextState::new(RunFlags::default(), BUDGET, None);
        let handle = state.handle();
        state.signal(Wakeups(Wakeups::ACKS.0 | Wakeups::WOKEN.0));
        let both = Wakeups(Wakeups::ACKS.0 | Wakeups::WOKEN.0);
        assert_eq!([handle.wakeups(), handle.wakeups()], [both; 2]);
        assert_eq!(handle.wait(0), both);
        assert_eq!(handle.wakeups(), Wakeups::default());
    }

    #[test]
    fn a_pause_of_the_driver_lasts_after_a_stop_and_ends_with_a_wake_up() {
        let state = ContextState::new(RunFlags::default(), BUDGET, None);
        state.signal(Wakeups::STOP);
        let begun = Instant::now();
        state.pause(Duration::from_millis(20));
        assert!(begun.elapsed() >= Duration::from_millis(20));
        state.signal(Wakeups::WOKEN);
        state.pause(Duration::from_secs(3600));
    }

    #[test]
    fn handle_outlives_the_driver() {
        let state = ContextState::new(RunFlags::UNTIL_END, BUDGET, None);
        let handle = state.handle();
        let second = handle.clone();
        drop((state, handle));
        assert_eq!(second.flags(), RunFlags::UNTIL_END);
        second.wake();
        assert_eq!(second.wait(0), Wakeups::WOKEN);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn waitable_is_readable_while_bits_are_set() {
        let state = ContextState::new(RunFlags::default(), BUDGET, None);
        let handle = state.handle();
        assert!(handle.waitable() >= 0);
        let readable = |state: &ContextState| {
            state
                .waitable
                .get()
                .and_then(Option::as_ref)
                .expect("a waitable")
                .is_readable()
        };
        assert!(!readable(&state));
        state.signal(Wakeups::WOKEN);
        assert!(readable(&state));
        assert_eq!(handle.wait(0), Wakeups::WOKEN);
        assert!(!readable(&state));
    }
}
