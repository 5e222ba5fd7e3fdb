//! Ctrl-C and SIGTERM: the first asks for a graceful stop, the second for a forced one.

use std::io;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::{flag, low_level};

use crate::output::Exit;

/// Signals that come this close together are one: `timeout` and shells signal a process and then its
/// whole group, so that one wish arrives twice. Nobody's second Ctrl-C is that quick.
const TWICE: Duration = Duration::from_millis(5);

/// Notes signals until they are asked for.
#[derive(Debug)]
pub(crate) struct Signals {
    arrived: Arc<AtomicBool>,
}

impl Signals {
    /// Takes the two signals over from the system's default, which ends the process.
    ///
    /// # Errors
    ///
    /// Returns why the system refuses.
    pub(crate) fn listen() -> io::Result<Self> {
        let arrived = Arc::new(AtomicBool::new(false));
        for signal in [SIGINT, SIGTERM] {
            flag::register(signal, Arc::clone(&arrived))?;
        }
        Ok(Self { arrived })
    }

    /// Whether a signal has come since the last question.
    pub(crate) fn take(&self) -> bool {
        let arrived = self.arrived.swap(false, Ordering::SeqCst);
        if arrived {
            thread::sleep(TWICE);
            self.arrived.store(false, Ordering::SeqCst);
        }
        arrived
    }
}

/// Leaves the process. With code of a plugin that hangs no exit handler is run: the dynamic loader
/// may be locked for ever, and then they would hang, too (I4).
pub(crate) fn leave(exit: Exit) -> ExitCode {
    if plugin_host::is_stuck() {
        log::logger().flush();
        low_level::exit(exit as i32);
    }
    exit.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signal_that_comes_twice_is_one() {
        let signals = Signals::listen().unwrap();
        assert!(!signals.take());
        low_level::raise(SIGTERM).unwrap();
        low_level::raise(SIGTERM).unwrap();
        assert!(signals.take());
        assert!(!signals.take());
    }
}
