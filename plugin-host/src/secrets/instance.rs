//! The secrets of one instance, and what it answers.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use abi_stable::std_types::RResult;
use plugin_api::ffi::PluginError;
use plugin_api::{Error, Parameter};

use super::{Secret, Secrets};

/// Keeps what an instance was told known to its plugin's secrets, until it is dropped.
pub(crate) struct InstanceSecrets {
    plugin: &'static Secrets,
    /// Parameters of the instance's side.
    parameters: BTreeMap<String, Parameter>,
    held: Mutex<Vec<Arc<Secret>>>,
}

impl InstanceSecrets {
    pub(crate) fn new(plugin: &'static Secrets, parameters: BTreeMap<String, Parameter>) -> Self {
        Self {
            plugin,
            parameters,
            held: Mutex::default(),
        }
    }

    /// Those of the plugin.
    pub(crate) fn plugin(&self) -> &'static Secrets {
        self.plugin
    }

    /// To be called before the settings are handed over. They replace those before, which count as
    /// those of an instance that is gone.
    pub(crate) fn learn(&self, settings: &[&BTreeMap<String, String>]) {
        let settings = settings.iter();
        let learned = settings.flat_map(|given| self.plugin.learn(&self.parameters, given));
        let learned: Vec<_> = learned.collect();
        *self.held.lock().unwrap_or_else(PoisonError::into_inner) = learned;
    }

    /// I6: a plugin's error is copied before anything else, and without secrets.
    pub(crate) fn answer<T>(&self, result: RResult<T, PluginError>) -> Result<T, Error> {
        match result {
            RResult::ROk(value) => Ok(value),
            RResult::RErr(error) => Err(self.plugin.copy_error(&error)),
        }
    }
}

impl fmt::Debug for InstanceSecrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InstanceSecrets").finish_non_exhaustive()
    }
}
