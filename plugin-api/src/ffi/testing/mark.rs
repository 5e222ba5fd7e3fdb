//! Tells the threads that a thread has started from all others of the process.

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

/// A mark that the threads inherit which this one starts, and those that they start.
///
/// Tests run side by side in one process, so a count of its threads says nothing, and names are
/// given by whoever starts one. What every thread has from the one that has started it is its signal
/// mask: a mark is a number in that mask's real-time signals, which are blocked and never sent.
pub(crate) struct Mark(());

/// The first real-time signal that no C library keeps for itself; 64 is the last one.
const FIRST_SIGNAL: u32 = 36;
/// The mark of a thread that blocks all of them.
const EVERYTHING: u64 = (1 << (65 - FIRST_SIGNAL)) - 1;

impl Mark {
    /// Marks this thread, for as long as it lives. Where it isn't known how to, it does nothing.
    pub(crate) fn this_thread() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed) % (EVERYTHING - 1) + 1;
        #[cfg(all(
            target_os = "linux",
            any(target_arch = "x86_64", target_arch = "aarch64")
        ))]
        block(number << (FIRST_SIGNAL - 1));
        let _ = number;
        Self(())
    }

    /// The names of the threads with the mark of this one, itself left out. `None` while a thread
    /// of the process is just beginning or ending: the C library has it block everything then, so
    /// whose it is can't be told.
    pub(crate) fn others(&self) -> Option<Vec<String>> {
        let this = fs::read_link("/proc/thread-self").unwrap_or_default();
        let Some(mark) = mark_of(Path::new("/proc/thread-self")).filter(|mark| *mark > 0) else {
            return Some(Vec::new());
        };
        let mut names = Vec::new();
        for thread in fs::read_dir("/proc/self/task")
            .into_iter()
            .flatten()
            .flatten()
        {
            let is_this = Some(&*thread.file_name()) == this.file_name();
            // A thread that has ended meanwhile has none.
            match mark_of(&thread.path()) {
                Some(EVERYTHING) => return None,
                Some(other) if other == mark && !is_this => {
                    let name = fs::read_to_string(thread.path().join("comm"));
                    names.extend(name.map(|name| name.trim_end().to_owned()));
                }
                _ => {}
            }
        }
        Some(names)
    }
}

fn mark_of(thread: &Path) -> Option<u64> {
    let status = fs::read_to_string(thread.join("status")).ok()?;
    let mut lines = status.lines();
    let blocked = lines.find_map(|line| line.strip_prefix("SigBlk:"))?;
    let blocked = u64::from_str_radix(blocked.trim(), 16).ok()?;
    Some(blocked >> (FIRST_SIGNAL - 1))
}

/// Has this thread block the signals whose bits are set: that of signal n is bit n - 1.
#[cfg(all(
    target_os = "linux",
    any(target_arch = "x86_64", target_arch = "aarch64")
))]
fn block(signals: u64) {
    /// The C library's `sigset_t`: 1,024 bits.
    #[repr(C)]
    struct SignalSet([u64; 16]);

    unsafe extern "C" {
        fn pthread_sigmask(how: i32, set: *const SignalSet, before: *mut SignalSet) -> i32;
    }

    const SIG_BLOCK: i32 = 0;
    let mut set = SignalSet([0; 16]);
    set.0[0] = signals;
    // SAFETY: on Linux on these two CPUs `set` has the type's size and layout; it outlives the call,
    // and the pointer to where the set before goes may be null.
    let failed = unsafe { pthread_sigmask(SIG_BLOCK, &raw const set, std::ptr::null_mut()) };
    debug_assert_eq!(failed, 0, "signals that exist can be blocked");
}
