//! The context of a call, as connector authors see it.

use std::fmt;
use std::time::Duration;

use forebay_abi as abi;

/// How long a call may wait, whether to stop, and how to be woken.
///
/// A context belongs to one connector; `read`, `write` and `flush` are given it. It may be cloned and
/// kept, also by other threads; it stays usable after the connector has gone. Only [`Context::wait`] blocks.
///
/// # Examples
///
/// The end of a `read` that has found nothing:
///
/// ```
/// use std::time::Duration;
///
/// use plugin_api::{Context, Progress};
///
/// fn nothing_there(context: &Context) -> Progress {
///     if context.until_end() {
///         return Progress::End;
///     }
///     let _ = context.wait(Duration::from_secs(1)); // cut to what the host allows
///     Progress::Idle
/// }
/// ```
#[derive(Clone)]
pub struct Context {
    inner: abi::Context,
}

impl Context {
    pub(crate) fn new(inner: abi::Context) -> Self {
        Self { inner }
    }

    /// Waits until something happens: new acknowledgements, a stop, a wake-up, or the end of the
    /// time. A wait never lasts past what the host allows for this call (at most 100 ms), so a
    /// source can simply wait for an hour and be called again.
    ///
    /// Return after it, whatever the reason: acknowledgements and a stop come by calls, and once the
    /// connector was asked to stop every wait returns at once, so a loop around it would spin. A time of
    /// zero asks without waiting.
    #[must_use]
    pub fn wait(&self, timeout: Duration) -> Wakeup {
        Wakeup(
            self.inner
                .wait(u64::try_from(timeout.as_nanos()).unwrap_or(u64::MAX)),
        )
    }

    /// Whether the connector was asked to stop, gracefully or by force; once true it stays so. A call that
    /// is at work for long asks it now and then.
    #[must_use]
    pub fn is_stopping(&self) -> bool {
        Wakeup(self.inner.wakeups()).is_stop()
    }

    /// Whether the result of the call is no longer wanted: the run was stopped by force, or the host has
    /// given the call up.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        Wakeup(self.inner.wakeups()).is_cancel()
    }

    /// Time until the host gives this call up; `None` when it never does. In a pipeline it is what is left
    /// of `sdk.call.timeout`, and the whole of it during the first 25 ms or so.
    #[must_use]
    pub fn remaining(&self) -> Option<Duration> {
        match self.inner.remaining() {
            u64::MAX => None,
            nanoseconds => Some(Duration::from_nanos(nanoseconds)),
        }
    }

    /// Longest time that this call may wait for data; today 100 ms, 25 ms while positions wait to be
    /// stored, 10 ms while answers are missing, and 0 in `flush`. A client that waits by itself takes it as
    /// its timeout.
    #[must_use]
    pub fn max_wait(&self) -> Duration {
        Duration::from_nanos(self.inner.max_wait())
    }

    /// Whether the run ends where the data ends at present. A source that would wait for more then
    /// returns [`Progress::End`](crate::Progress::End) instead.
    #[must_use]
    pub fn until_end(&self) -> bool {
        self.inner.flags().contains(abi::RunFlags::UNTIL_END)
    }

    /// A handle that makes the host call `read` or `flush` now, from any thread: for clients that have a
    /// thread of their own.
    #[must_use]
    pub fn waker(&self) -> Waker {
        Waker {
            inner: self.inner.clone(),
        }
    }

    /// A descriptor that becomes readable when a wait would return, to be polled beside a socket
    /// (an event's handle on Windows); `None` where the host has none to give, as outside of Linux. It is the
    /// host's: poll it, and don't read, write or close it. It stays open as long as a clone of the context.
    /// A client without a descriptor of its own is read by a [`Feed`](crate::Feed).
    #[must_use]
    pub fn waitable(&self) -> Option<isize> {
        Some(self.inner.waitable()).filter(|&handle| handle >= 0)
    }
}

impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context")
            .field("max_wait", &self.max_wait())
            .finish_non_exhaustive()
    }
}

/// Why a wait has ended; several reasons may hold. Where none of these does, there are acknowledgements
/// for [`Source::ack`](crate::Source::ack), or somebody called [`Waker::wake`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wakeup(abi::Wakeups);

impl Wakeup {
    /// The connector was asked to stop, gracefully or by force.
    #[must_use]
    pub fn is_stop(self) -> bool {
        self.0.contains(abi::Wakeups::STOP) || self.is_cancel()
    }

    /// The call's result is no longer wanted: the run was stopped by force, or the instance was given up.
    #[must_use]
    pub fn is_cancel(self) -> bool {
        self.0.contains(abi::Wakeups::CANCEL)
    }

    /// The time was over before anything happened.
    #[must_use]
    pub fn is_timeout(self) -> bool {
        self.0 == abi::Wakeups::TIMEOUT
    }
}

/// Makes the host call the connector now; may be kept, cloned and used by any thread, also after the
/// connector has gone. Made by [`Context::waker`].
#[derive(Debug, Clone)]
pub struct Waker {
    inner: abi::Context,
}

impl Waker {
    /// Ends a running wait, and makes the host call `read` or `flush`. It doesn't block, and is never lost:
    /// without a wait that runs it ends the next one. Several before a call are one.
    pub fn wake(&self) {
        self.inner.wake();
    }
}
