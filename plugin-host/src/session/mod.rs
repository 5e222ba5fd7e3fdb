//! Sessions: one an open connector, with the object, its context and the watch over its calls.
//!
//! A session makes the calls of one connector, one at a time. It turns what crosses into the author
//! layer's types, copies errors, and gives the object up when a call outlives its budget: whoever
//! waits for that call goes on, the instance is *detached*, and the stuck thread, should it ever
//! return, tears the object down and finds that nobody wants its result.

mod destination;
#[cfg(test)]
pub(crate) mod mock;
mod rest;
mod source;
mod watch;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use abi_stable::std_types::{RResult, RStr};
use plugin_api::ffi::{Context, DestinationObject, PluginError, RunFlags, Setting, SourceObject};
use plugin_api::{Error, ErrorKind};

pub(crate) use destination::DestinationSession;
pub(crate) use rest::Rest;
pub(crate) use source::{ReadStatus, SourceSession};
pub(crate) use watch::{Call, Watch, stuck_calls};

use crate::ffi::{ConnectorTag, ContextState, attribute_log};
use crate::secrets::InstanceSecrets;

/// Why a connector's call has no result.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum CallError {
    /// The plugin returned an error, or panicked.
    #[error("{0:#}")]
    Plugin(Error),
    /// The instance was given up, now or earlier.
    #[error("the instance was detached because a call did not return in time")]
    Detached,
    /// The plugin broke the contract of the call.
    #[error("the plugin broke the contract: {0}")]
    Contract(String),
}

impl From<Error> for CallError {
    fn from(error: Error) -> Self {
        Self::Plugin(error)
    }
}

/// What sources' and destinations' objects have in common.
pub(crate) trait Object: Send + 'static {
    fn configure(&mut self, context: &Context, settings: &Settings) -> Answer;
    fn lifecycle(&mut self, context: &Context, event: &Lifecycle) -> Answer;
    fn teardown(&mut self, context: &Context) -> Answer;
}

/// What a plugin answers to these calls.
type Answer = RResult<(), PluginError>;

/// A connector's settings.
pub(crate) type Settings = BTreeMap<String, String>;

/// What has become of a connector.
#[derive(Debug)]
pub(crate) enum Lifecycle {
    /// It runs for the first time.
    Created(Settings),
    /// Its settings have changed since its last run: what they were, what they are.
    Updated(Settings, Settings),
    /// It was removed.
    Deleted(Settings),
}

/// The calls that the two ABI traits have in common but don't share.
macro_rules! object {
    ($object:ty, $plugin:path) => {
        impl Object for $object {
            fn configure(&mut self, context: &Context, settings: &Settings) -> Answer {
                let settings = lend(settings);
                <Self as $plugin>::configure(self, context, settings.as_slice().into())
            }

            fn lifecycle(&mut self, context: &Context, event: &Lifecycle) -> Answer {
                match event {
                    Lifecycle::Created(settings) => {
                        let settings = lend(settings);
                        <Self as $plugin>::lifecycle_on_created(
                            self,
                            context,
                            settings.as_slice().into(),
                        )
                    }
                    Lifecycle::Updated(before, after) => {
                        let (before, after) = (lend(before), lend(after));
                        <Self as $plugin>::lifecycle_on_updated(
                            self,
                            context,
                            before.as_slice().into(),
                            after.as_slice().into(),
                        )
                    }
                    Lifecycle::Deleted(settings) => {
                        let settings = lend(settings);
                        <Self as $plugin>::lifecycle_on_deleted(
                            self,
                            context,
                            settings.as_slice().into(),
                        )
                    }
                }
            }

            fn teardown(&mut self, context: &Context) -> Answer {
                <Self as $plugin>::teardown(self, context)
            }
        }
    };
}

object!(SourceObject, plugin_api::ffi::SourcePlugin);
object!(DestinationObject, plugin_api::ffi::DestinationPlugin);

fn lend(settings: &Settings) -> Vec<Setting<'_>> {
    let lent = settings.iter().map(|(key, value)| Setting {
        key: RStr::from(&**key),
        value: RStr::from(&**value),
    });
    lent.collect()
}

/// One connector's object and everything that belongs to it, shared by the driver and the
/// supervisor.
pub(crate) struct Session<O> {
    connector: ConnectorTag,
    /// None before it is made, after it was torn down, and once it was detached.
    object: Mutex<Option<O>>,
    context: Arc<ContextState>,
    handle: Context,
    watch: Watch,
    budget: Duration,
    secrets: InstanceSecrets,
}

impl<O: Object> Session<O> {
    /// Makes a session without an object yet.
    pub(crate) fn new(
        connector: &str,
        flags: RunFlags,
        budget: Duration,
        also_wakes: Option<Arc<ContextState>>,
        secrets: InstanceSecrets,
    ) -> Arc<Self> {
        let context = ContextState::new(flags, budget, also_wakes);
        let handle = context.handle();
        Arc::new(Self {
            connector: ConnectorTag::new(connector),
            object: Mutex::new(None),
            context,
            handle,
            watch: Watch::new(),
            budget,
            secrets,
        })
    }

    /// Identity of the connector, as `pipeline:connector`.
    pub(crate) fn connector(&self) -> &'static str {
        self.connector.as_str()
    }

    /// Longest time that a call may take.
    pub(crate) fn budget(&self) -> Duration {
        self.budget
    }

    pub(crate) fn context(&self) -> &Arc<ContextState> {
        &self.context
    }

    /// A text of the plugin that isn't an error: without its secrets, and no longer than an error's.
    pub(crate) fn redact(&self, text: &str) -> String {
        const MOST: usize = 64 << 10;
        self.secrets.plugin().redact(text, MOST).into_owned()
    }

    /// Makes the object, watched.
    pub(crate) fn construct(
        &self,
        make: impl FnOnce() -> Result<O, Error>,
    ) -> Result<(), CallError> {
        let mut object = self.object.lock().unwrap_or_else(PoisonError::into_inner);
        self.begin(Call::Construct);
        let made = make();
        if self.watch.leave() {
            *object = Some(made?);
            return Ok(());
        }
        drop(made);
        self.watch.released();
        Err(CallError::Detached)
    }

    #[inline]
    fn begin(&self, call: Call) {
        attribute_log(self.connector);
        self.context.begin_call();
        self.watch.enter(call);
    }

    /// Makes one call, watched.
    pub(crate) fn call<R>(
        &self,
        call: Call,
        make: impl FnOnce(&mut O, &Context) -> R,
    ) -> Result<R, CallError> {
        if self.watch.is_detached() {
            return Err(CallError::Detached);
        }
        let mut object = self.object.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(present) = object.as_mut() else {
            let error = Error::new(ErrorKind::Closed, "there is no instance to call");
            return Err(CallError::Plugin(error));
        };
        self.begin(call);
        let result = make(present, &self.handle);
        if self.watch.leave() {
            return Ok(result);
        }
        // Detached while the plugin worked. Nobody waits for the result and nobody else will touch
        // the object again, so it is torn down here; should that hang, only this thread hangs.
        log::warn!(
            target: "plugin_host::session",
            "{}: `{call}` returned after its instance was detached; tearing it down",
            self.connector()
        );
        if let Some(mut object) = object.take()
            && call != Call::Teardown
            && let Err(error) = self.secrets.answer(object.teardown(&self.handle))
        {
            log::warn!(target: "plugin_host::session", "{}: teardown: {error:#}", self.connector());
        }
        self.watch.released();
        Err(CallError::Detached)
    }

    /// Hands the settings over.
    pub(crate) fn configure(&self, settings: &Settings) -> Result<(), CallError> {
        self.secrets.learn(&[settings]);
        let configure = |object: &mut O, context: &Context| {
            self.secrets.answer(object.configure(context, settings))
        };
        Ok(self.call(Call::Configure, configure)??)
    }

    /// Tells what has become of the connector.
    pub(crate) fn lifecycle(&self, event: &Lifecycle) -> Result<(), CallError> {
        match event {
            Lifecycle::Created(settings) | Lifecycle::Deleted(settings) => {
                self.secrets.learn(&[settings]);
            }
            Lifecycle::Updated(before, after) => self.secrets.learn(&[before, after]),
        }
        let tell = |object: &mut O, context: &Context| {
            self.secrets.answer(object.lifecycle(context, event))
        };
        Ok(self.call(Call::Lifecycle, tell)??)
    }

    /// Tears the object down and drops it; the last call. Nothing happens the second time.
    pub(crate) fn teardown(&self) -> Result<(), CallError> {
        if !self.watch.is_detached()
            && self
                .object
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .is_none()
        {
            return Ok(());
        }
        let result = self.call(Call::Teardown, |object, context| {
            self.secrets.answer(object.teardown(context))
        });
        let dropped = self.call_drop();
        match result {
            Ok(torn_down) => torn_down.map_err(CallError::Plugin).and(dropped),
            Err(error) => Err(error),
        }
    }

    fn call_drop(&self) -> Result<(), CallError> {
        if self.watch.is_detached() {
            return Err(CallError::Detached);
        }
        let mut object = self.object.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(object) = object.take() else {
            return Ok(());
        };
        self.begin(Call::Drop);
        drop(object);
        if self.watch.leave() {
            return Ok(());
        }
        self.watch.released();
        Err(CallError::Detached)
    }
}

impl<O> fmt::Debug for Session<O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("connector", &self.connector.as_str())
            .finish_non_exhaustive()
    }
}

/// A session as the supervisor sees it.
pub(crate) trait Watched: Send + Sync {
    fn watch(&self) -> &Watch;
    fn budget(&self) -> Duration;
    fn connector(&self) -> &'static str;
    fn context(&self) -> &ContextState;
    /// Tears the instance down; what goes wrong is only logged.
    fn discard(&self);
}

impl<O: Object> Watched for Session<O> {
    fn watch(&self) -> &Watch {
        &self.watch
    }

    fn budget(&self) -> Duration {
        self.budget
    }

    fn connector(&self) -> &'static str {
        self.connector.as_str()
    }

    fn context(&self) -> &ContextState {
        &self.context
    }

    fn discard(&self) {
        match self.teardown() {
            Ok(()) | Err(CallError::Detached) => {}
            Err(error) => {
                log::warn!(target: "plugin_host::session", "{}: teardown: {error}", self.connector());
            }
        }
    }
}
