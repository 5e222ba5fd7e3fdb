//! The watch over one session's calls.
//!
//! The driver pays two atomic steps a call and reads no clock: the supervisor samples the state and
//! knows how long it has been the same. Detaching and returning race on one word, so exactly one
//! side wins.

use std::fmt;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

/// A call that a host makes into a connector's object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Call {
    Construct = 1,
    Configure,
    Start,
    Read,
    Ack,
    Write,
    Flush,
    Stop,
    Teardown,
    Drop,
    Lifecycle,
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Construct => "the constructor",
            Self::Configure => "configure",
            Self::Start => "start",
            Self::Read => "read",
            Self::Ack => "ack",
            Self::Write => "write",
            Self::Flush => "flush",
            Self::Stop => "stop",
            Self::Teardown => "teardown",
            Self::Drop => "drop",
            Self::Lifecycle => "lifecycle",
        })
    }
}

const CALLS: [Call; 11] = [
    Call::Construct,
    Call::Configure,
    Call::Start,
    Call::Read,
    Call::Ack,
    Call::Write,
    Call::Flush,
    Call::Stop,
    Call::Teardown,
    Call::Drop,
    Call::Lifecycle,
];

/// Detached instances whose call has not returned yet, of the whole process.
static STUCK: AtomicUsize = AtomicUsize::new(0);

/// Number of detached instances whose call has not returned yet.
pub(crate) fn stuck_calls() -> usize {
    STUCK.load(Ordering::SeqCst)
}

/// State word: number of calls made (upper bits), detached (bit 8), the running call (lower bits).
const DETACHED: u64 = 1 << 8;
const CALL: u64 = DETACHED - 1;
const COUNT: u64 = 1 << 9;

#[derive(Debug)]
pub(crate) struct Watch {
    id: u64,
    state: AtomicU64,
}

impl Watch {
    pub(crate) fn new() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Self {
            id: NEXT.fetch_add(1, Ordering::Relaxed),
            state: AtomicU64::new(0),
        }
    }

    /// A number that no other watch of the process ever has; an address would come again.
    pub(crate) fn id(&self) -> u64 {
        self.id
    }

    /// A call begins. Only the holder of the session's object calls it.
    #[inline]
    pub(crate) fn enter(&self, call: Call) {
        let before = self.state.load(Ordering::Relaxed);
        self.state.store(
            (before & !CALL).wrapping_add(COUNT) | call as u64,
            Ordering::Release,
        );
    }

    /// The call is over; `false` when the instance was detached meanwhile.
    #[inline]
    pub(crate) fn leave(&self) -> bool {
        let running = self.state.load(Ordering::Relaxed);
        running & DETACHED == 0
            && self
                .state
                .compare_exchange(
                    running,
                    running & !CALL,
                    Ordering::AcqRel,
                    Ordering::Relaxed,
                )
                .is_ok()
    }

    /// The running call and a number that is its own.
    pub(crate) fn running(&self) -> Option<(Call, u64)> {
        let state = self.state.load(Ordering::Acquire);
        let call = usize::try_from(state & CALL).ok()?.checked_sub(1)?;
        (state & DETACHED == 0)
            .then(|| Some((*CALLS.get(call)?, state)))
            .flatten()
    }

    /// Detaches the instance if that very call still runs; `true` when it did.
    pub(crate) fn detach(&self, ticket: u64) -> bool {
        let detached = self
            .state
            .compare_exchange(
                ticket,
                ticket | DETACHED,
                Ordering::AcqRel,
                Ordering::Relaxed,
            )
            .is_ok();
        if detached {
            STUCK.fetch_add(1, Ordering::SeqCst);
        }
        detached
    }

    /// Whether the instance was detached.
    pub(crate) fn is_detached(&self) -> bool {
        self.state.load(Ordering::Acquire) & DETACHED != 0
    }

    /// The detached call has returned after all.
    pub(crate) fn released(&self) {
        STUCK.fetch_sub(1, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_that_returns_is_not_detached() {
        let watch = Watch::new();
        watch.enter(Call::Read);
        let (call, ticket) = watch.running().expect("a call runs");
        assert_eq!(call, Call::Read);
        assert!(watch.leave());
        assert_eq!(watch.running(), None);
        assert!(!watch.detach(ticket));
        assert!(!watch.is_detached());
    }

    #[test]
    fn no_two_watches_have_one_number() {
        let first = Watch::new().id();
        assert_ne!(first, Watch::new().id());
    }

    #[test]
    fn the_next_call_has_another_ticket() {
        let watch = Watch::new();
        watch.enter(Call::Read);
        let first = watch.running().expect("a call runs").1;
        assert!(watch.leave());
        watch.enter(Call::Read);
        assert!(!watch.detach(first));
        assert!(watch.leave());
    }

    #[test]
    fn a_detached_call_leaves_to_nobody() {
        let watch = Watch::new();
        watch.enter(Call::Write);
        let (_, ticket) = watch.running().expect("a call runs");
        assert!(watch.detach(ticket));
        assert!(!watch.detach(ticket));
        assert!(!watch.leave());
        assert!(watch.is_detached());
        assert_eq!(watch.running(), None);
        watch.released();
    }
}
