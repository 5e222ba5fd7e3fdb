//! A configuration that has been checked against the plugins that are there.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use super::error::PipelineError;
use super::not_started::NotStarted;
use super::settings::Checked;
use super::{ConnectorConfig, PipelineConfig};
use crate::parameters::Side;
use crate::registry::{Blueprint, PluginName};
use crate::service::PluginService;
use crate::store::{StoreError, Stored};

/// A pipeline whose plugins are found and whose settings are valid.
pub(super) struct Plan {
    pub(super) pipeline: String,
    pub(super) source: Planned,
    pub(super) destinations: Vec<Planned>,
}

/// A connector of a plan.
pub(super) struct Planned {
    /// Identity within the pipeline.
    pub(super) id: String,
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
        if config.destinations.is_empty() {
            errors.push(PipelineError::NoDestination);
        }
        check_ids(config, &mut errors);
        let [source] = &config.sources[..] else {
            errors.push(PipelineError::NoSource);
            return Err(NotStarted { errors });
        };
        let source = Planned::new(service, source, Side::Source);
        let source = source.map_err(|error| errors.push(error)).ok();
        let mut destinations = Vec::new();
        for destination in &config.destinations {
            match Planned::new(service, destination, Side::Destination) {
                Ok(planned) => destinations.push(planned),
                Err(error) => errors.push(error),
            }
        }
        match source {
            Some(source) if errors.is_empty() => Ok(Self {
                pipeline: config.id.clone(),
                source,
                destinations,
            }),
            _ => Err(NotStarted { errors }),
        }
    }
}

/// What is stored, logged and told of a connector goes by its identity.
fn check_ids(config: &PipelineConfig, errors: &mut Vec<PipelineError>) {
    let connectors = || config.sources.iter().chain(&config.destinations);
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
            blueprint: Arc::clone(&blueprint),
            checked,
            budget,
        })
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
        let plugin = self.blueprint.name();
        let maker: Option<PluginName> = stored.plugin.parse().ok();
        if maker.is_some_and(|maker| maker.name() == plugin.name()) {
            return Ok(Some(stored.position));
        }
        Err(PipelineError::ForeignPosition {
            connector: self.id.clone(),
            stored: stored.plugin,
            plugin: plugin.to_string(),
        })
    }
}
