//! Deleting a connector: its plugin is told, then what is stored of it is forgotten.
//!
//! The plugin may have something to clear away at the other end, such as a replication slot, so what
//! is stored goes only after it has said that it is done. Nothing here runs a pipeline, and no run
//! deletes anything.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, Weak};
use std::time::Duration;

use plugin_api::{ErrorKind, Parameter};

use super::Engine;
use super::run::Run;
use super::settings::Checked;
use crate::dispenser::Dispenser;
use crate::parameters::Side;
use crate::registry::{Blueprint, PluginKind, PluginName};
use crate::service::LookupError;
use crate::store::{Active, StoreError, StoreKey};
use crate::stream::{Context, StreamError};

/// Why a connector was not deleted: all that is stored of it is still there.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DeleteError {
    /// Its pipeline runs in this engine, or a connector of it is being deleted.
    #[error("pipeline `{pipeline}` is running")]
    Running {
        /// Identity of the pipeline.
        pipeline: String,
    },
    /// The plugin that is to be told isn't there, in no version.
    #[error("plugin `{plugin}`, which has to be told, isn't there: {source}")]
    Lookup {
        /// Full name of the plugin that the connector last ran with.
        plugin: String,
        /// Why it was not found.
        source: LookupError,
    },
    /// The plugin that is to be told has failed, or didn't return within its budget.
    #[error("plugin `{plugin}`: {call}: {source}")]
    Call {
        /// Full name of the plugin.
        plugin: String,
        /// The call.
        call: &'static str,
        /// Why it failed.
        source: StreamError,
    },
    /// The store can't be read, or can't forget it.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl DeleteError {
    /// Stable identifier for tests and tools.
    #[must_use]
    pub fn code(&self) -> &str {
        match self {
            Self::Running { .. } => "pipeline.already_running",
            Self::Lookup { source, .. } => source.code(),
            Self::Call { source, .. } => source.code(),
            Self::Store(error) => error.code(),
        }
    }

    /// How to mend it; empty where nothing sensible can be said.
    #[must_use]
    pub fn help(&self) -> String {
        match self {
            Self::Running { .. } => "stop it first".to_owned(),
            Self::Lookup { plugin, .. } => {
                format!("put a file of `{plugin}` or of another version into a plugin folder")
            }
            Self::Call { .. } => "mend what the message names and delete it again".to_owned(),
            Self::Store(error) => error.help(),
        }
    }

    /// Whether [`Engine::forget`] could do what this couldn't: it tells no plugin.
    #[must_use]
    pub fn is_of_plugin(&self) -> bool {
        matches!(self, Self::Lookup { .. } | Self::Call { .. })
    }
}

impl Engine {
    /// Deletes a connector: tells its plugin, then forgets position and last active settings.
    ///
    /// A new instance of the plugin is made, is told `lifecycle_on_deleted` with the last active
    /// settings, and torn down. It is the plugin of the full name that is stored; where it isn't
    /// there any more, the newest version of it from the same place, then from whatever place.
    /// Returns the full name of the plugin that was told: `None` where the connector never had active
    /// settings, or nothing is stored of it at all.
    ///
    /// Blocks until the plugin is done; each of the three calls is given up, with the instance, after
    /// the connector's budget (`sdk.call.timeout`, 30 s unless it is set). Other calls of the engine
    /// may be made meanwhile, but the pipeline can't be started.
    ///
    /// # Errors
    ///
    /// The pipeline runs in this engine; the plugin isn't there or fails; the store fails. Then
    /// nothing is forgotten, and deleting can be tried again: the plugin may be told twice.
    pub fn delete(&self, key: &StoreKey) -> Result<Option<String>, DeleteError> {
        let _claim = self.claim(key)?;
        let told = match self.store.active(key)? {
            Some(active) => Some(self.tell_deleted(key, &active)?),
            None => None,
        };
        self.store.forget(key)?;
        Ok(told)
    }

    /// Forgets position and last active settings of a connector without telling its plugin; tells
    /// whether there was either. What the plugin holds at the other end stays there.
    ///
    /// Blocks for the disk.
    ///
    /// # Errors
    ///
    /// The pipeline runs in this engine, or the store fails. Then nothing is forgotten.
    pub fn forget(&self, key: &StoreKey) -> Result<bool, DeleteError> {
        let _claim = self.claim(key)?;
        Ok(self.store.forget(key)?)
    }

    /// Keeps the pipeline from being started until the claim is dropped.
    fn claim(&self, key: &StoreKey) -> Result<Arc<Run>, DeleteError> {
        let mut runs = self.runs.lock().unwrap_or_else(PoisonError::into_inner);
        let mut alive = runs.iter().filter_map(Weak::upgrade);
        if alive.any(|run| run.pipeline == key.pipeline && !run.is_over()) {
            return Err(DeleteError::Running {
                pipeline: key.pipeline.clone(),
            });
        }
        // A run that nobody drives: it is there, and that is all.
        let claim = Run::new(
            key.pipeline.clone(),
            Arc::clone(&self.store),
            Arc::clone(&self.listeners),
        );
        runs.push(Arc::downgrade(&claim));
        Ok(claim)
    }

    /// Returns the full name of the plugin that was told.
    fn tell_deleted(&self, key: &StoreKey, active: &Active) -> Result<String, DeleteError> {
        let blueprint = self.find_again(active)?;
        let plugin = blueprint.name().to_string();
        if plugin != active.plugin {
            log::info!(
                "connector `{}` of pipeline `{}`: `{}` isn't there, so `{plugin}` is told that it \
                 is deleted",
                key.connector,
                key.pipeline,
                active.plugin
            );
        }
        let budget = params(&blueprint, active.side).map_or(DEFAULT_BUDGET, |params| {
            Checked::accepted(params, &active.settings).call_budget()
        });
        tell(&Dispenser::new(blueprint), active, budget).map_err(|(call, source)| {
            DeleteError::Call {
                plugin: plugin.clone(),
                call,
                source,
            }
        })?;
        Ok(plugin)
    }

    /// The plugin that the settings were for, or what is left of it.
    fn find_again(&self, active: &Active) -> Result<Arc<Blueprint>, DeleteError> {
        let failed = |source| DeleteError::Lookup {
            plugin: active.plugin.clone(),
            source,
        };
        let stored: PluginName = active
            .plugin
            .parse()
            .map_err(|error| failed(LookupError::Name(error)))?;
        let missing = match self.service.find(&stored) {
            Ok(blueprint) => return Ok(blueprint),
            Err(missing) => missing,
        };
        [stored.kind(), PluginKind::Any]
            .into_iter()
            .filter_map(|kind| format!("{kind}:{}", stored.name()).parse().ok())
            .filter_map(|newest| self.service.find(&newest).ok())
            .find(|blueprint| params(blueprint, active.side).is_some())
            .ok_or_else(|| failed(missing))
    }
}

/// What a call gets of a plugin that has no connector of the side; the dispenser then says so.
const DEFAULT_BUDGET: Duration = Duration::from_secs(30);

fn params(blueprint: &Blueprint, side: Side) -> Option<&BTreeMap<String, Parameter>> {
    let specification = blueprint.specification();
    match side {
        Side::Source => specification.source_params.as_ref(),
        Side::Destination => specification.destination_params.as_ref(),
    }
}

/// Tells a new instance. Which call has failed is returned with the reason.
fn tell(
    dispenser: &Dispenser,
    active: &Active,
    budget: Duration,
) -> Result<(), (&'static str, StreamError)> {
    let context = || Context::background().with_timeout(budget);
    let constructor = |error| ("constructor", error);
    let settings = &active.settings;
    let (told, torn_down) = match active.side {
        Side::Source => {
            let source = dispenser.dispense_source(&context()).map_err(constructor)?;
            let told = source.lifecycle_on_deleted(&context(), settings);
            (told, source.teardown(&context()))
        }
        Side::Destination => {
            let made = dispenser.dispense_destination(&context());
            let destination = made.map_err(constructor)?;
            let told = destination.lifecycle_on_deleted(&context(), settings);
            (told, destination.teardown(&context()))
        }
    };
    match told {
        Ok(()) => {}
        // It has nothing to do then.
        Err(StreamError::Plugin(error)) if error.kind() == ErrorKind::Unimplemented => {}
        Err(error) => return Err(("lifecycle_on_deleted", error)),
    }
    if let Err(error) = torn_down {
        let plugin = dispenser.blueprint().name();
        log::warn!("plugin `{plugin}`, told of a deletion: teardown: {error}");
    }
    Ok(())
}
