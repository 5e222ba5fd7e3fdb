//! The watchdog of a load.
//!
//! A static constructor that hangs inside dlopen holds the dynamic loader's lock: no other file can
//! be opened any more and even `exit` hangs (I4's exception). Nothing can be done about that but to
//! know it: loads run on a thread of their own, and whoever waits for one stops waiting in time.
//! A constructor that was only slow gives the lock back, and then files can be opened again.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use super::{LoadError, LoadFrom, Loaded, Looked, load};

/// Loads that did not return in time and still run, of the whole process.
static STUCK: AtomicUsize = AtomicUsize::new(0);

/// Numbers of the loads that hang inside the dynamic loader, and their files. The first holds its
/// lock; others wait for that.
static IN_LOADER: Mutex<Vec<(usize, PathBuf)>> = Mutex::new(Vec::new());

/// The file whose opening hangs. While it does, no thread can be started: what a new thread does
/// first takes the dynamic loader's lock. Should the opening end after all, all goes on.
pub(crate) fn stuck_file() -> Option<PathBuf> {
    in_loader().first().map(|(_, path)| path.clone())
}

fn in_loader() -> MutexGuard<'static, Vec<(usize, PathBuf)>> {
    IN_LOADER.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Number of loads that did not return in time and still run.
pub(crate) fn stuck_loads() -> usize {
    STUCK.load(Ordering::SeqCst)
}

/// Loads files, each within a time.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Watchdog {
    pub(crate) timeout: Duration,
}

impl Watchdog {
    /// Stages 3 to 5 of a file that was looked at.
    pub(crate) fn load(
        self,
        path: &Path,
        looked: &Arc<Looked>,
        from: &LoadFrom,
    ) -> Result<Loaded, LoadError> {
        let timed_out = |path: &Path| LoadError::TimedOut {
            path: path.to_owned(),
            after: self.timeout,
        };
        if let Some(stuck) = stuck_file() {
            return Err(timed_out(&stuck));
        }
        let load_of = Arc::new(Waiting::default());
        let opening = Arc::new(Opening::default());
        let spawned = {
            let (path, from, looked) = (path.to_owned(), from.clone(), Arc::clone(looked));
            let (opening, load_of) = (Arc::clone(&opening), Arc::clone(&load_of));
            thread::Builder::new()
                .name("forebay-load".to_owned())
                .spawn(move || {
                    // A panic here is a mistake of ours; whoever waits must learn of it.
                    let loaded = catch_unwind(AssertUnwindSafe(|| {
                        load(&path, &looked, &from, || opening.is_over())
                    }))
                    .unwrap_or_else(|_| {
                        let message = "the loading thread has panicked".to_owned();
                        Err(LoadError::ConstructorPanicked { message })
                    });
                    opening.is_over();
                    if load_of.finish(loaded) {
                        STUCK.fetch_sub(1, Ordering::SeqCst);
                        log::warn!(
                            "`{}` was loaded after its time; it stays unused",
                            path.display()
                        );
                    }
                })
        };
        spawned.map_err(|error| LoadError::image("can't start the loading thread", error))?;
        load_of.wait(self.timeout).unwrap_or_else(|| {
            opening.is_given_up(path);
            Err(timed_out(path))
        })
    }
}

/// The part of a load that is the dynamic loader's.
struct Opening {
    number: usize,
    is_over: AtomicBool,
}

impl Default for Opening {
    fn default() -> Self {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        Self {
            number: NEXT.fetch_add(1, Ordering::Relaxed),
            is_over: AtomicBool::new(false),
        }
    }
}

// Both look and change under the lock, so whichever comes second sees the other.
impl Opening {
    /// The dynamic loader has returned; on the loading thread, once or twice.
    fn is_over(&self) {
        let mut stuck = in_loader();
        self.is_over.store(true, Ordering::SeqCst);
        stuck.retain(|(number, _)| *number != self.number);
    }

    /// Nobody waits any longer; on the waiting thread.
    fn is_given_up(&self, path: &Path) {
        let mut stuck = in_loader();
        if !self.is_over.load(Ordering::SeqCst) {
            stuck.push((self.number, path.to_owned()));
        }
    }
}

/// Where the waiting and the loading thread meet.
///
/// No channel: its first wait on a thread registers a destructor of a thread-local, which takes the
/// dynamic loader's lock, and when that is held for ever the watchdog itself would hang.
#[derive(Default)]
struct Waiting {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
enum State {
    #[default]
    Loading,
    Loaded(Box<Result<Loaded, LoadError>>),
    GivenUp,
}

impl Waiting {
    /// The load is over; `true` when nobody waits for it any more.
    fn finish(&self, loaded: Result<Loaded, LoadError>) -> bool {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let given_up = matches!(*state, State::GivenUp);
        *state = State::Loaded(Box::new(loaded));
        self.changed.notify_all();
        given_up
    }

    /// Waits for the load; `None` when it is given up.
    ///
    /// In slices, as a process that was stopped for longer than all of the time comes back to the
    /// end of one slice, and not of them all.
    fn wait(&self, timeout: Duration) -> Option<Result<Loaded, LoadError>> {
        const SLICE: Duration = Duration::from_millis(100);
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let mut left = timeout;
        while matches!(*state, State::Loading) && !left.is_zero() {
            let slice = left.min(SLICE);
            let waited = self.changed.wait_timeout(state, slice);
            let (woken, timed_out) = waited.unwrap_or_else(PoisonError::into_inner);
            state = woken;
            if timed_out.timed_out() {
                left -= slice;
            }
        }
        match std::mem::replace(&mut *state, State::GivenUp) {
            State::Loaded(loaded) => Some(*loaded),
            State::Loading | State::GivenUp => {
                // Counted while the state is locked, so before the load can count itself out.
                STUCK.fetch_add(1, Ordering::SeqCst);
                None
            }
        }
    }
}
