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
    /// Where records come from. The records of one source stay in order, those of several mix.
    pub sources: Vec<ConnectorConfig>,
    /// Where records go; each gets every record.
    pub destinations: Vec<ConnectorConfig>,
    /// Where records go that can't be delivered; without it the first of them ends the pipeline.
    pub dead_letters: Option<DeadLetterQueue>,
    /// How records get from sources to destinations.
    pub pump: Pump,
}

/// How records get from a pipeline's sources to its destinations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Pump {
    /// One thread drives the source and the destinations: the least work for each record, and a slow
    /// connector slows the others. A pipeline of several sources is split all the same.
    #[default]
    Fused,
    /// A thread for each connector, with short queues between them: connectors work at the same time.
    Split,
}

/// Where the records of a pipeline go that can't be delivered: those that a destination refuses, and those
/// that their source could not read whole.
///
/// The queue is a destination. It is given a record for each that was refused, and the refused one counts
/// as done when the queue has confirmed that. An error of the queue itself ends the pipeline. So do more refusals
/// than it is to take: of the last [`window_size`](Self::window_size) records at most
/// [`nack_threshold`](Self::nack_threshold) may be refused; what comes too much isn't given to the queue, and is read
/// again by the next run.
#[derive(Clone)]
pub struct DeadLetterQueue {
    /// The plugin; it needs a destination.
    pub plugin: PluginName,
    /// Values of its parameters.
    pub settings: BTreeMap<String, String>,
    /// Number of records that are looked back on; 0 takes every refusal. A pipeline file that says nothing
    /// has 1 and the threshold 0: the first refusal ends the pipeline.
    pub window_size: u64,
    /// Most refusals among these; less than the window's size.
    pub nack_threshold: u64,
}

impl DeadLetterQueue {
    /// Identity of the queue in its pipeline, by which logs and errors name it.
    pub const ID: &str = "dead-letter-queue";

    /// A queue that takes every refusal, without settings yet.
    ///
    /// # Errors
    ///
    /// What is wrong with the plugin's name; whether it is there is seen when the pipeline starts.
    pub fn new(plugin: &str) -> Result<Self, NameError> {
        Ok(Self {
            plugin: plugin.parse()?,
            settings: BTreeMap::new(),
            window_size: 0,
            nack_threshold: 0,
        })
    }

    /// Gives a parameter its value, as text; a later value replaces an earlier one.
    #[must_use]
    pub fn with(mut self, parameter: impl Into<String>, value: impl Into<String>) -> Self {
        self.settings.insert(parameter.into(), value.into());
        self
    }

    /// Takes at most so many refusals among the last `window_size` records.
    #[must_use]
    pub fn at_most(mut self, nack_threshold: u64, window_size: u64) -> Self {
        self.nack_threshold = nack_threshold;
        self.window_size = window_size;
        self
    }

    /// The queue as the destination that it is.
    #[must_use]
    pub fn connector(&self) -> ConnectorConfig {
        ConnectorConfig {
            id: Self::ID.to_owned(),
            plugin: self.plugin.clone(),
            settings: self.settings.clone(),
        }
    }
}

/// The names of the settings only, as of any connector.
impl fmt::Debug for DeadLetterQueue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeadLetterQueue")
            .field("connector", &self.connector())
            .field("window_size", &self.window_size)
            .field("nack_threshold", &self.nack_threshold)
            .finish()
    }
}

impl PipelineConfig {
    /// A pipeline with this source and no destination yet.
    #[must_use]
    pub fn new(id: impl Into<String>, source: ConnectorConfig) -> Self {
        Self {
            id: id.into(),
            sources: vec![source],
            destinations: Vec::new(),
            dead_letters: None,
            pump: Pump::default(),
        }
    }

    /// Adds a source.
    #[must_use]
    pub fn and_from(mut self, source: ConnectorConfig) -> Self {
        self.sources.push(source);
        self
    }

    /// Adds a destination.
    #[must_use]
    pub fn to(mut self, destination: ConnectorConfig) -> Self {
        self.destinations.push(destination);
        self
    }

    /// Has this queue take what can't be delivered.
    #[must_use]
    pub fn dead_letters(mut self, queue: DeadLetterQueue) -> Self {
        self.dead_letters = Some(queue);
        self
    }

    /// Has its records move in this way.
    #[must_use]
    pub fn pump(mut self, pump: Pump) -> Self {
        self.pump = pump;
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
