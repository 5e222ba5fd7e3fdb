//! The watchdog of a load.
//!
//! A static constructor that hangs inside dlopen holds the dynamic loader's lock: no other file can
//! be opened any more and even `exit` hangs (I4's exception). Nothing can be done about that but to
//! know it: loads run on a thread of their own, and whoever waits for one stops waiting in time.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::Duration;

use crossbeam_channel::bounded;

use super::{LoadError, LoadFrom, Loaded, Looked, load};

/// Loads that did not return in time and still run, of the whole process.
static STUCK: AtomicUsize = AtomicUsize::new(0);

/// The file whose opening hangs, and with it the dynamic loader.
static LOADER_STUCK: OnceLock<PathBuf> = OnceLock::new();

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
        looked: Looked,
        from: &LoadFrom,
    ) -> Result<Loaded, LoadError> {
        let timed_out = |path: &Path| LoadError::TimedOut {
            path: path.to_owned(),
            after: self.timeout,
        };
        if let Some(stuck) = LOADER_STUCK.get() {
            return Err(timed_out(stuck));
        }
        let (result, loaded) = bounded(1);
        let opened = Arc::new(AtomicBool::new(false));
        let abandoned = Arc::new(AtomicBool::new(false));
        let spawned = {
            let (path, from) = (path.to_owned(), from.clone());
            let (opened, abandoned) = (Arc::clone(&opened), Arc::clone(&abandoned));
            thread::Builder::new()
                .name("forebay-load".to_owned())
                .spawn(move || {
                    let loaded = load(&path, &looked, &from, || {
                        opened.store(true, Ordering::SeqCst);
                    });
                    if abandoned.load(Ordering::SeqCst) {
                        STUCK.fetch_sub(1, Ordering::SeqCst);
                        log::warn!(
                            "`{}` was loaded after its time; it stays unused",
                            path.display()
                        );
                    }
                    // Fails when nobody waits any more.
                    result.send(loaded).ok();
                })
        };
        spawned.map_err(|error| LoadError::image("can't start the loading thread", error))?;
        loaded.recv_timeout(self.timeout).unwrap_or_else(|error| {
            if error == crossbeam_channel::RecvTimeoutError::Disconnected {
                return Err(LoadError::ConstructorPanicked {
                    message: "the loading thread has ended".to_owned(),
                });
            }
            abandoned.store(true, Ordering::SeqCst);
            STUCK.fetch_add(1, Ordering::SeqCst);
            if !opened.load(Ordering::SeqCst) {
                LOADER_STUCK.get_or_init(|| path.to_owned());
            }
            Err(timed_out(path))
        })
    }
}
