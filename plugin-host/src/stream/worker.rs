//! A connector's own thread: it makes the calls that hosts ask for, one at a time, and moves
//! records in between.
//!
//! Whoever asks waits for the answer, or for the end of its context or of the stream's. A call that
//! has not begun by then is withdrawn; one that runs is given up, and with it the instance.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use crossbeam_channel::{Receiver, Select, Sender, TryRecvError, unbounded};
use plugin_api::ffi::Wakeups;
use plugin_api::{Error, StreamNotOpen};

use super::budget::{Amount, Budget};
use super::context::Context;
use super::error::StreamError;
use super::life::{Life, State};
use super::task::{Asked, Place, Task};
use super::wait::{Interrupted, ready, receive};
use crate::ffi::ContextState;
use crate::loader::stuck_file;
use crate::session::{Lifecycle, Object, Session, Watched};

/// What a connector's thread does between the calls that it is asked for.
pub(super) trait Pump: Sized + Send + 'static {
    /// The plugin's object.
    type Object: Object;

    /// Moves records as far as they can be moved now.
    fn step(&mut self) -> Step;

    /// Adds what ends a rest, besides a call that is asked for and the end of the stream's context.
    fn rouse<'a>(&'a self, select: &mut Select<'a>) {
        let _ = select;
    }

    /// The host tears the instance down: hands over what the plugin still has to be told.
    fn finish(&mut self);
}

/// What comes after a step.
pub(super) enum Step {
    /// Another one.
    Again,
    /// Nothing until the connector's context is woken, at most for so long: a plugin that waits on
    /// the same context may get the wake-up instead.
    Pause(Duration),
    /// Nothing until there is something of what [`Pump::rouse`] adds.
    Rest,
    /// Nothing but the calls that are asked for.
    Wait,
}

/// Calls that may wait for the thread (I5).
const TASKS: Amount = Amount {
    records: 64,
    bytes: 0,
};

/// Asks the thread for calls.
pub(super) struct Worker<P: Pump> {
    session: Arc<Session<P::Object>>,
    life: Arc<Life>,
    /// Bounded by the places in `room`, and a teardown, which needs none.
    tasks: Sender<Task<P>>,
    room: Arc<Budget>,
}

impl<P: Pump> Worker<P> {
    /// Starts the thread and makes the object on it.
    pub(super) fn start(
        session: &Arc<Session<P::Object>>,
        life: &Arc<Life>,
        pump: P,
        context: &Context,
        make: impl FnOnce() -> Result<P::Object, Error> + Send + 'static,
    ) -> Result<Self, StreamError> {
        if let Some(file) = stuck_file() {
            return Err(StreamError::LoaderStuck(file));
        }
        let (tasks, incoming) = unbounded();
        let thread = Serving {
            session: Arc::clone(session),
            life: Arc::clone(life),
            tasks: incoming,
        };
        thread::Builder::new()
            .name(format!("forebay-{}", session.connector()))
            .spawn(move || thread.serve(pump))
            .map_err(|error| StreamError::Thread(error.to_string()))?;
        let this = Self {
            session: Arc::clone(session),
            life: Arc::clone(life),
            tasks,
            room: Arc::new(Budget::new(TASKS)),
        };
        let session = Arc::clone(session);
        this.call(context, move |_| Ok(session.construct(make)?))?;
        Ok(this)
    }

    /// Number of calls that wait for the thread, those that were withdrawn included.
    #[cfg(test)]
    pub(super) fn waiting(&self) -> usize {
        self.tasks.len()
    }

    /// Sets a bit of the connector's context, which ends a wait of the plugin or of the thread.
    pub(super) fn signal(&self, bits: Wakeups) {
        self.session.context().signal(bits);
    }

    /// Hands the settings over; only before the start.
    pub(super) fn configure(
        &self,
        context: &Context,
        settings: &BTreeMap<String, String>,
    ) -> Result<(), StreamError> {
        let (settings, life) = (settings.clone(), Arc::clone(&self.life));
        let session = Arc::clone(&self.session);
        self.call(context, move |_| {
            life.is_initial()?;
            Ok(session.configure(&settings)?)
        })
    }

    /// Tells what has become of the connector; only before the start.
    pub(super) fn lifecycle(&self, context: &Context, event: Lifecycle) -> Result<(), StreamError> {
        let life = Arc::clone(&self.life);
        let session = Arc::clone(&self.session);
        self.call(context, move |_| {
            life.is_initial()?;
            Ok(session.lifecycle(&event)?)
        })
    }

    /// Has the thread make a call and waits for it.
    pub(super) fn call<R: Send + 'static>(
        &self,
        context: &Context,
        call: impl FnOnce(&mut P) -> Result<R, StreamError> + Send + 'static,
    ) -> Result<R, StreamError> {
        if let State::Gone(why) = self.life.state() {
            return Err(why);
        }
        let place = self.wait(context, |contexts| Place::take(&self.room, contexts))?;
        let Asked { claim, answer } = self.ask(Some(place), context, call)?;
        let answered = self.wait(context, |contexts| receive(contexts, &answer));
        answered.unwrap_or_else(|why| {
            if !claim.withdraw() {
                self.give_up(|| claim.is_running());
            }
            answer.try_recv().unwrap_or(Err(why))
        })
    }

    /// Waits for the thread, until the context ends, or the stream's, or the instance is given up.
    fn wait<T>(
        &self,
        context: &Context,
        wait: impl Fn(&[&Context]) -> Result<T, Interrupted>,
    ) -> Result<T, StreamError> {
        loop {
            let stream = self.life.stream()?;
            let given_up = self.life.given_up();
            match wait(&[context, &stream, given_up]) {
                Ok(value) => return Ok(value),
                // The stream was opened meanwhile, or has ended.
                Err(Interrupted::Ended(_))
                    if context.end().is_none() && given_up.end().is_none() => {}
                Err(_) => return Err(unanswered(context)),
            }
        }
    }

    /// Closes the stream, and has the thread tear the instance down. Where that takes longer than
    /// the context allows the instance is given up: it is torn down as soon as the plugin returns.
    pub(super) fn teardown(&self, context: &Context) -> Result<(), StreamError> {
        self.life.end(StreamNotOpen.into());
        self.signal(ContextState::GONE);
        let session = Arc::clone(&self.session);
        let Asked { claim, answer } = self.ask(None, context, move |pump| {
            pump.finish();
            Ok(session.teardown()?)
        })?;
        match receive(&[context, self.life.given_up()], &answer) {
            Ok(result) => result,
            Err(_) => {
                // Whatever call it is that runs: nobody wants the instance any more.
                self.give_up(|| !claim.is_done());
                answer
                    .try_recv()
                    .unwrap_or_else(|_| Err(unanswered(context)))
            }
        }
    }

    fn ask<R: Send + 'static>(
        &self,
        place: Option<Place>,
        context: &Context,
        call: impl FnOnce(&mut P) -> Result<R, StreamError> + Send + 'static,
    ) -> Result<Asked<R>, StreamError> {
        if self.session.watch().is_detached() {
            return Err(StreamError::Detached);
        }
        let (task, asked) = Task::new(place, context.deadline(), call);
        if self.tasks.send(task).is_err() {
            return Err(StreamError::Detached);
        }
        self.signal(Wakeups::WOKEN);
        Ok(asked)
    }

    /// Detaches the instance in the call that it is in, as long as that is wanted.
    fn give_up(&self, wanted: impl Fn() -> bool) {
        loop {
            // Looked at before the question: so it is a call that was running while it was wanted.
            let running = self.session.watch().running();
            if !wanted() || self.session.watch().is_detached() {
                return;
            }
            if let Some((call, ticket)) = running
                && self.session.watch().detach(ticket)
            {
                log::warn!(
                    target: "plugin_host::stream",
                    "{}: `{call}` has outlasted its context; the instance is given up",
                    self.session.connector()
                );
                self.life.end(StreamError::Detached);
                self.signal(ContextState::GONE);
                return;
            }
            // Between two calls, where the thread never stays.
            thread::yield_now();
        }
    }
}

/// Why a call has no answer: its own context has ended, or another call has cost the instance.
fn unanswered(context: &Context) -> StreamError {
    context.end().map_or(StreamError::Detached, Into::into)
}

impl<P: Pump> fmt::Debug for Worker<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Worker")
            .field("session", &self.session)
            .field("life", &self.life)
            .finish_non_exhaustive()
    }
}

impl<P: Pump> Drop for Worker<P> {
    fn drop(&mut self) {
        // The thread tears the instance down, as soon as it is out of the plugin.
        self.life.end(StreamNotOpen.into());
        self.signal(ContextState::GONE);
    }
}

/// What the thread has besides its pump.
struct Serving<P: Pump> {
    session: Arc<Session<P::Object>>,
    life: Arc<Life>,
    tasks: Receiver<Task<P>>,
}

impl<P: Pump> Serving<P> {
    fn serve(self, mut pump: P) {
        while !self.session.watch().is_detached() {
            match self.tasks.try_recv() {
                Ok(task) => self.run(task, &mut pump),
                Err(TryRecvError::Disconnected) => break,
                Err(TryRecvError::Empty) => match pump.step() {
                    Step::Again => {}
                    Step::Pause(time) => self.session.context().pause(time),
                    Step::Rest => self.rest(&pump),
                    Step::Wait => match self.tasks.recv() {
                        Ok(task) => self.run(task, &mut pump),
                        Err(_) => break,
                    },
                },
            }
        }
        pump.finish();
        self.session.discard();
    }

    fn rest(&self, pump: &P) {
        if let Ok(stream) = self.life.stream() {
            let mut select = Select::new();
            select.recv(&self.tasks);
            pump.rouse(&mut select);
            ready(&stream, select);
        }
    }

    fn run(&self, task: Task<P>, pump: &mut P) {
        let context = self.session.context();
        context.set_deadline(task.deadline());
        task.run(pump);
        context.set_deadline(self.life.deadline());
    }
}
