//! How far a stream is, and what ends a wait on it.
//!
//! Both sides of a stream look at it: the host's threads before and after each wait, the connector's
//! thread before each step. It only goes forward, and the first reason for an end stays.

use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use plugin_api::StreamNotOpen;

use super::context::{CancelHandle, Context};
use super::error::StreamError;
use super::wait::Interrupted;

/// How far a stream is.
#[derive(Debug, Clone)]
pub(super) enum State {
    /// Not started.
    Initial,
    /// With the context of the stream.
    Open(Context),
    /// The source has ended, or the destination was asked to stop: what is under way still comes.
    Closing(Context),
    /// What is queued for the host still comes, then this.
    Over(StreamError),
    /// Nothing comes any more.
    Gone(StreamError),
}

/// The state of a stream and the contexts that end with it.
pub(super) struct Life {
    state: Mutex<State>,
    /// Ends when the stream is opened.
    opened: Latch,
    /// Ends when the stream takes nothing more.
    shut: Latch,
    /// Ends when nothing comes any more, either.
    gone: Latch,
    /// Ends when the instance is given up.
    given_up: Latch,
    /// Called when the stream is over, to let go of what is queued for the plugin.
    forget: Box<dyn Fn() + Send + Sync>,
}

/// The stream stays open until this is dropped.
pub(super) struct KeptOpen<'a>(#[expect(dead_code, reason = "it is held")] MutexGuard<'a, State>);

/// A context that ends when something has happened.
#[derive(Debug)]
struct Latch {
    context: Context,
    handle: CancelHandle,
}

impl Life {
    pub(super) fn new(forget: impl Fn() + Send + Sync + 'static) -> Self {
        Self {
            state: Mutex::new(State::Initial),
            opened: Latch::new(),
            shut: Latch::new(),
            gone: Latch::new(),
            given_up: Latch::new(),
            forget: Box::new(forget),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How far the stream is; gone when its context has ended, whether or not its thread has seen
    /// that already.
    pub(super) fn state(&self) -> State {
        let state = self.lock().clone();
        match &state {
            State::Open(stream) | State::Closing(stream) => stream
                .end()
                .map_or(state, |end| State::Gone(StreamError::from(end))),
            _ => state,
        }
    }

    /// The context of the stream, or why it is over if it has ended. Before the start it is one that
    /// ends with that: who waits then has to look again.
    pub(super) fn stream(&self) -> Result<Context, StreamError> {
        match &*self.lock() {
            State::Initial => Ok(self.opened.context.clone()),
            State::Open(stream) | State::Closing(stream) => match stream.end() {
                None => Ok(stream.clone()),
                Some(end) => Err(end.into()),
            },
            State::Gone(why @ StreamError::Context(_)) => Err(why.clone()),
            // Whatever else ends a stream is an answer of its thread, or waits for one itself.
            State::Over(_) | State::Gone(_) => Ok(Context::background()),
        }
    }

    /// The context of a wait to hand something in.
    pub(super) fn shut(&self) -> &Context {
        &self.shut.context
    }

    /// The context of a wait for something that comes.
    pub(super) fn gone(&self) -> &Context {
        &self.gone.context
    }

    /// The context of a wait for a call of the plugin.
    pub(super) fn given_up(&self) -> &Context {
        &self.given_up.context
    }

    /// When the context of the stream ends at the latest.
    pub(super) fn deadline(&self) -> Option<Instant> {
        match &*self.lock() {
            State::Open(stream) | State::Closing(stream) => stream.deadline(),
            _ => None,
        }
    }

    /// Fails unless the stream was not started yet.
    pub(super) fn is_initial(&self) -> Result<(), StreamError> {
        match self.state() {
            State::Initial => Ok(()),
            State::Open(_) | State::Closing(_) => Err(StreamError::AlreadyRunning),
            State::Over(why) | State::Gone(why) => Err(why),
        }
    }

    /// Keeps the stream open while something short is done, if it is.
    pub(super) fn keep_open(&self) -> Result<KeptOpen<'_>, StreamError> {
        let state = self.lock();
        match &*state {
            State::Open(_) => Ok(KeptOpen(state)),
            other => Err(refusal(other)),
        }
    }

    /// The stream was started.
    pub(super) fn open(&self, stream: Context) {
        let mut state = self.lock();
        if matches!(*state, State::Initial) {
            *state = State::Open(stream);
        }
        drop(state);
        self.opened.set();
    }

    /// The source has ended.
    pub(super) fn ended(&self) {
        let mut state = self.lock();
        if let State::Open(stream) = &*state {
            *state = State::Closing(stream.clone());
        }
    }

    /// The destination is asked to stop: nothing more is taken.
    pub(super) fn stopping(&self) -> Result<(), StreamError> {
        let mut state = self.lock();
        match &*state {
            State::Open(stream) => *state = State::Closing(stream.clone()),
            other => return Err(refusal(other)),
        }
        drop(state);
        self.shut.set();
        Ok(())
    }

    /// The stream is over: what is queued for the host still comes, then the reason.
    pub(super) fn over(&self, why: StreamError) {
        let mut state = self.lock();
        if !matches!(*state, State::Over(_) | State::Gone(_)) {
            *state = State::Over(why);
        }
        drop(state);
        self.shut.set();
        (self.forget)();
    }

    /// Nothing comes any more. A teardown goes before the end of a context, and that the instance
    /// was given up before both.
    pub(super) fn end(&self, why: StreamError) {
        let given_up = why == StreamError::Detached;
        let mut state = self.lock();
        match (&*state, &why) {
            (State::Gone(StreamError::Detached), _) | (State::Gone(_), StreamError::Context(_)) => {
            }
            _ => *state = State::Gone(why),
        }
        drop(state);
        self.shut.set();
        self.gone.set();
        if given_up {
            self.given_up.set();
        }
        (self.forget)();
    }

    /// Why nothing could be handed in.
    pub(super) fn not_taken(&self, interrupted: Interrupted) -> StreamError {
        match interrupted {
            Interrupted::Ended(end) if self.shut.context.end().is_none() => end.into(),
            _ => refusal(&self.lock()),
        }
    }

    /// Why nothing has come.
    pub(super) fn not_given(&self, interrupted: Interrupted) -> StreamError {
        match (interrupted, &*self.lock()) {
            (_, State::Gone(why)) | (Interrupted::Closed, State::Over(why)) => why.clone(),
            (Interrupted::Ended(end), _) => end.into(),
            (Interrupted::Closed, State::Closing(_)) => StreamNotOpen.into(),
            // The thread is gone, and its instance with it.
            (Interrupted::Closed, _) => StreamError::Detached,
        }
    }
}

/// Why nothing is taken. An error of the plugin is told by whoever waits for what it gives.
fn refusal(state: &State) -> StreamError {
    match state {
        State::Gone(why) => why.clone(),
        State::Open(_) => StreamError::Detached,
        State::Initial | State::Closing(_) | State::Over(_) => StreamNotOpen.into(),
    }
}

impl Latch {
    fn new() -> Self {
        let (context, handle) = Context::background().with_cancel();
        Self { context, handle }
    }

    fn set(&self) {
        self.handle.cancel();
    }
}

impl fmt::Debug for Life {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Life")
            .field("state", &self.state())
            .finish_non_exhaustive()
    }
}
