//! The context of a host's call: how long it may wait, and how it is told to stop waiting.

use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, TryRecvError, bounded};

use crate::ffi::ContextState;

/// How long a blocking call may wait.
///
/// A call that is passed a context returns when the context ends, whatever the plugin does. Clones
/// end together, and a context that was derived from another one ends with that at the latest.
///
/// ```
/// use std::time::Duration;
/// use plugin_host::{Context, ContextEnd};
///
/// let (context, handle) = Context::background().with_cancel();
/// let shorter = context.with_timeout(Duration::from_secs(5));
/// handle.cancel();
/// assert_eq!(shorter.end(), Some(ContextEnd::Cancelled));
/// ```
#[derive(Debug, Clone, Default)]
pub struct Context {
    tokens: Vec<Token>,
    deadline: Option<Instant>,
}

/// Cancels a [`Context`]; dropping it cancels nothing.
#[derive(Debug, Clone)]
pub struct CancelHandle(Token);

/// What a handle and the contexts that it cancels share.
#[derive(Debug, Clone)]
struct Token {
    /// Closed by the cancellation.
    cancelled: Receiver<()>,
    shared: Arc<Mutex<Shared>>,
}

#[derive(Debug)]
struct Shared {
    /// Gone once it was cancelled.
    open: Option<Sender<()>>,
    /// Connectors that are told of it.
    connectors: Vec<Weak<ContextState>>,
}

/// Why a context has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ContextEnd {
    /// Its cancel handle was used.
    #[error("context cancelled")]
    Cancelled,
    /// Its deadline has passed.
    #[error("context deadline exceeded")]
    DeadlineExceeded,
}

impl ContextEnd {
    /// Stable identifier for tests and tools.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Cancelled => "context.cancelled",
            Self::DeadlineExceeded => "context.deadline_exceeded",
        }
    }
}

impl Context {
    /// A context that never ends.
    #[must_use]
    pub fn background() -> Self {
        Self::default()
    }

    /// Derives one that ends after so long.
    #[must_use]
    pub fn with_timeout(&self, timeout: Duration) -> Self {
        let deadline = Instant::now().checked_add(timeout);
        Self {
            tokens: self.tokens.clone(),
            deadline: [deadline, self.deadline].into_iter().flatten().min(),
        }
    }

    /// Derives one that ends when the handle is used.
    #[must_use]
    pub fn with_cancel(&self) -> (Self, CancelHandle) {
        let (open, cancelled) = bounded(0);
        let token = Token {
            cancelled,
            shared: Arc::new(Mutex::new(Shared {
                open: Some(open),
                connectors: Vec::new(),
            })),
        };
        let mut context = self.clone();
        context.tokens.push(token.clone());
        (context, CancelHandle(token))
    }

    /// Whether and why it has ended.
    #[must_use]
    pub fn end(&self) -> Option<ContextEnd> {
        let cancelled =
            |token: &Token| token.cancelled.try_recv() == Err(TryRecvError::Disconnected);
        if self.tokens.iter().any(cancelled) {
            return Some(ContextEnd::Cancelled);
        }
        let passed = self
            .deadline
            .is_some_and(|deadline| deadline <= Instant::now());
        passed.then_some(ContextEnd::DeadlineExceeded)
    }

    /// When it ends at the latest.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.deadline
    }

    /// What is closed by a cancellation.
    pub(super) fn cancelled(&self) -> impl Iterator<Item = &Receiver<()>> {
        self.tokens.iter().map(|token| &token.cancelled)
    }

    /// Tells this connector when the context is cancelled.
    pub(super) fn tell(&self, connector: &Arc<ContextState>) {
        for token in &self.tokens {
            let mut shared = token.lock();
            shared.connectors.retain(|it| it.strong_count() > 0);
            shared.connectors.push(Arc::downgrade(connector));
        }
        if self.end().is_some() {
            connector.signal(ContextState::GONE);
        }
    }
}

impl CancelHandle {
    /// Ends the context and all that were derived from it, at once.
    pub fn cancel(&self) {
        let mut shared = self.0.lock();
        shared.open = None;
        let connectors = std::mem::take(&mut shared.connectors);
        drop(shared);
        for connector in connectors.iter().filter_map(Weak::upgrade) {
            connector.signal(ContextState::GONE);
        }
    }
}

impl Token {
    fn lock(&self) -> std::sync::MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(60);

    #[test]
    fn what_is_derived_ends_with_its_origin() {
        let (outer, handle) = Context::background().with_cancel();
        let (inner, _inner_handle) = outer.with_timeout(LONG).with_cancel();
        assert_eq!((outer.end(), inner.end()), (None, None));
        handle.cancel();
        assert_eq!(outer.end(), Some(ContextEnd::Cancelled));
        assert_eq!(inner.end(), Some(ContextEnd::Cancelled));
    }

    #[test]
    fn an_origin_outlives_what_is_derived_and_a_dropped_handle() {
        let (outer, outer_handle) = Context::background().with_cancel();
        let (inner, handle) = outer.with_cancel();
        handle.cancel();
        drop((handle, outer_handle));
        assert_eq!(inner.end(), Some(ContextEnd::Cancelled));
        assert_eq!(outer.end(), None);
    }

    #[test]
    fn the_earlier_deadline_counts() {
        let context = Context::background().with_timeout(Duration::ZERO);
        assert_eq!(context.end(), Some(ContextEnd::DeadlineExceeded));
        let derived = context.with_timeout(LONG);
        assert_eq!(derived.end(), Some(ContextEnd::DeadlineExceeded));
        assert_eq!(
            context.with_timeout(Duration::MAX).deadline,
            context.deadline
        );
    }
}
