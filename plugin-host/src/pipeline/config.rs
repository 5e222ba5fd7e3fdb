//! What a pipeline is made of, and how it is run.

use std::collections::BTreeMap;
use std::fmt;

use super::recovery::Recovery;
use crate::registry::{NameError, PluginName};

/// What a pipeline is made of.
#[derive(Debug, Clone)]
pub struct PipelineConfig {
    /// Identity; positions are stored under it.
    pub id: String,
    /// Where records come from.
    pub source: ConnectorConfig,
    /// Where records go; each gets every record.
    pub destinations: Vec<ConnectorConfig>,
}

impl PipelineConfig {
    /// A pipeline with this source and no destination yet.
    #[must_use]
    pub fn new(id: impl Into<String>, source: ConnectorConfig) -> Self {
        Self {
            id: id.into(),
            source,
            destinations: Vec::new(),
        }
    }

    /// Adds a destination.
    #[must_use]
    pub fn to(mut self, destination: ConnectorConfig) -> Self {
        self.destinations.push(destination);
        self
    }
}

/// A source or destination of a pipeline.
#[derive(Clone)]
pub struct ConnectorConfig {
    /// Identity within the pipeline.
    pub id: String,
    /// The plugin.
    pub plugin: PluginName,
    /// Values of its parameters.
    pub settings: BTreeMap<String, String>,
}

impl ConnectorConfig {
    /// A connector of this plugin, such as `file` or `standalone:file@v1.2.3`, without settings yet.
    ///
    /// # Errors
    ///
    /// What is wrong with the plugin's name; whether it is there is seen when the pipeline starts.
    pub fn new(id: impl Into<String>, plugin: &str) -> Result<Self, NameError> {
        Ok(Self {
            id: id.into(),
            plugin: plugin.parse()?,
            settings: BTreeMap::new(),
        })
    }

    /// Gives a parameter its value, as text; a later value replaces an earlier one.
    #[must_use]
    pub fn with(mut self, parameter: impl Into<String>, value: impl Into<String>) -> Self {
        self.settings.insert(parameter.into(), value.into());
        self
    }
}

/// The names of the settings only: before the plugin is found, any of them may be secret.
impl fmt::Debug for ConnectorConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.settings.keys().collect();
        f.debug_struct("ConnectorConfig")
            .field("id", &self.id)
            .field("plugin", &self.plugin)
            .field("settings", &names)
            .finish()
    }
}

/// How a pipeline is run.
#[derive(Debug, Clone, Copy, Default)]
pub struct RunOptions {
    /// End where the data ends at present, instead of waiting for more.
    pub until_end: bool,
    /// How a pipeline that has failed is tried again; `None` ends it at its first error.
    pub recovery: Option<Recovery>,
}
