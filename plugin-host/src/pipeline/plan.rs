//! A configuration that has been checked against the plugins that are there.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use super::dead_letters::NackLimit;
use super::error::PipelineError;
use super::not_started::NotStarted;
use super::settings::Checked;
use super::{ConnectorConfig, DeadLetterQueue, PipelineConfig, Pump};
use crate::parameters::Side;
use crate::registry::{Blueprint, PluginName};
use crate::secrets::InstanceSecrets;
use crate::service::PluginService;
use crate::store::{Active, PositionStore, StoreError, StoreKey, Stored};

/// A pipeline whose plugins are found and whose settings are valid.
pub(super) struct Plan {
    pub(super) pipeline: String,
    /// At least one.
    pub(super) sources: Vec<Planned>,
    /// At least one.
    pub(super) destinations: Vec<Planned>,
    pub(super) dead_letters: Option<(Planned, NackLimit)>,
    pub(super) pump: Pump,
}

/// A connector of a plan.
pub(super) struct Planned {
    /// Identity within the pipeline.
    pub(super) id: String,
    pub(super) side: Side,
    pub(super) blueprint: Arc<Blueprint>,
    pub(super) checked: Checked,
    /// Longest time that a call may take.
    pub(super) budget: Duration,
}

impl Plan {
    /// Finds the plugins and validates the settings of every connector; all errors at once.
    pub(super) fn new(
        service: &PluginService,
        config: &PipelineConfig,
    ) -> Result<Self, NotStarted> {
        let mut errors = Vec::new();
        if config.sources.is_empty() {
            errors.push(PipelineError::NoSource);
        }
        if config.destinations.is_empty() {
            errors.push(PipelineError::NoDestination);
        }
        check_ids(config, &mut errors);
        let mut planned = |connectors: &[ConnectorConfig], side| {
            let planned = connectors.iter().map(|it| Planned::new(service, it, side));
            let planned = planned.filter_map(|it| it.map_err(|error| errors.push(error)).ok());
            planned.collect::<Vec<_>>()
        };
        let sources = planned(&config.sources, Side::Source);
        let destinations = planned(&config.destinations, Side::Destination);
        let queue = config.dead_letters.as_ref();
        let connector = queue.map(DeadLetterQueue::connector);
        let connector = planned(connector.as_slice(), Side::Destination).pop();
        let limit = queue.map(|queue| NackLimit {
            window: queue.window_size,
            threshold: queue.nack_threshold,
        });
        if let Some(NackLimit { window, threshold }) = limit
            && window > 0
            && threshold >= window
        {
            errors.push(PipelineError::DeadLetterThreshold { threshold, window });
        }
        if !errors.is_empty() {
            return Err(NotStarted { errors });
        }
        Ok(Self {
            pipeline: config.id.clone(),
            pump: match sources.len() {
                1 => config.pump,
                _ => Pump::Split,
            },
            sources,
            destinations,
            dead_letters: connector.zip(limit),
        })
    }

    /// Every connector.
    pub(super) fn connectors(&self) -> impl Iterator<Item = &Planned> {
        let queue = self.dead_letters.iter().map(|(planned, _)| planned);
        self.sources.iter().chain(&self.destinations).chain(queue)
    }

    /// Identity of a connector beyond its pipeline.
    pub(super) fn name(&self, planned: &Planned) -> String {
        format!("{}:{}", self.pipeline, planned.id)
    }

    /// What is stored of a connector is stored under this key.
    pub(super) fn key(&self, planned: &Planned) -> StoreKey {
        StoreKey::new(&self.pipeline, &planned.id)
    }

    /// The positions behind which the sources go on.
    pub(super) fn positions(
        &self,
        store: &dyn PositionStore,
    ) -> Result<Vec<Option<Vec<u8>>>, PipelineError> {
        let sources = self.sources.iter();
        let positions = sources.map(|planned| planned.position(store.load(&self.key(planned))));
        positions.collect()
    }
}

/// What is stored, logged and told of a connector goes by its identity.
fn check_ids(config: &PipelineConfig, errors: &mut Vec<PipelineError>) {
    let queue = config.dead_letters.as_ref();
    let queue = queue.map(DeadLetterQueue::connector);
    let connectors = || {
        let connectors = config.sources.iter().chain(&config.destinations);
        connectors.chain(&queue)
    };
    if config.id.is_empty() {
        let what = "the pipeline".to_owned();
        errors.push(PipelineError::EmptyId { what });
    }
    if connectors().any(|connector| connector.id.is_empty()) {
        let what = format!("a connector of pipeline `{}`", config.id);
        errors.push(PipelineError::EmptyId { what });
    }
    let mut seen = BTreeSet::new();
    let mut told = BTreeSet::new();
    for connector in connectors().filter(|connector| !connector.id.is_empty()) {
        if !seen.insert(&connector.id) && told.insert(&connector.id) {
            let connector = connector.id.clone();
            errors.push(PipelineError::DuplicateId { connector });
        }
    }
}

impl Planned {
    pub(super) fn new(
        service: &PluginService,
        config: &ConnectorConfig,
        side: Side,
    ) -> Result<Self, PipelineError> {
        let connector = || config.id.clone();
        let blueprint = service
            .find(&config.plugin)
            .map_err(|source| PipelineError::Lookup {
                connector: connector(),
                source,
            })?;
        let specification = blueprint.specification();
        let params = match side {
            Side::Source => &specification.source_params,
            Side::Destination => &specification.destination_params,
        };
        let Some(params) = params else {
            return Err(PipelineError::NoSuchSide {
                connector: connector(),
                plugin: blueprint.name().to_string(),
                side: match side {
                    Side::Source => "source",
                    Side::Destination => "destination",
                },
            });
        };
        let checked = Checked::new(params, side, &config.settings).map_err(|source| {
            PipelineError::Config {
                connector: connector(),
                source,
            }
        })?;
        let budget = checked.call_budget();
        Ok(Self {
            id: config.id.clone(),
            side,
            blueprint: Arc::clone(&blueprint),
            checked,
            budget,
        })
    }

    /// The plugin's parameters that are secret.
    pub(super) fn secrets(&self) -> InstanceSecrets {
        self.blueprint.secrets(self.side)
    }

    /// What the store keeps of a connector that was told of its settings.
    pub(super) fn active(&self) -> Active {
        Active {
            side: self.side,
            plugin: self.blueprint.name().to_string(),
            hash: self.blueprint.hash().map(str::to_owned),
            settings: self.checked.settings.clone(),
        }
    }

    /// Whether the plugin of this full name is the same, in whatever version and from wherever.
    pub(super) fn is_of(&self, plugin: &str) -> bool {
        let plugin: Option<PluginName> = plugin.parse().ok();
        plugin.is_some_and(|plugin| plugin.name() == self.blueprint.name().name())
    }

    /// The stored position, if it is one that this source can know: only a plugin itself knows what
    /// its positions mean. A version of it reads what another one has made, and a file what a
    /// builtin has.
    pub(super) fn position(
        &self,
        stored: Result<Option<Stored>, StoreError>,
    ) -> Result<Option<Vec<u8>>, PipelineError> {
        let stored = stored.map_err(|error| PipelineError::Store(Arc::new(error)))?;
        let Some(stored) = stored else {
            return Ok(None);
        };
        if self.is_of(&stored.plugin) {
            return Ok(Some(stored.position));
        }
        Err(PipelineError::ForeignPosition {
            connector: self.id.clone(),
            stored: stored.plugin,
            plugin: self.blueprint.name().to_string(),
        })
    }
}
