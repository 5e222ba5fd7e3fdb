//! From an entry of a pipeline file to what the host takes, and from the host's errors back to the
//! place in the file.

use plugin_api::ErrorKind;
use plugin_host::parameters::Side;
use plugin_host::{ConnectorConfig, PipelineConfig, PipelineError, PluginName, PluginService};

use super::problem::{Place, Problem, Report};
use super::{ConnectorEntry, ConnectorKind, PipelineEntry};

/// The pipeline as the host takes it.
///
/// # Errors
///
/// Returns plugins' names that can't be read, and what this version can't run.
pub(crate) fn to_config(entry: &PipelineEntry) -> Result<PipelineConfig, Vec<Problem>> {
    let mut report = Report::default();
    let mut source = None;
    let mut destinations = Vec::new();
    let mut has_source = false;
    for connector in &entry.connectors {
        let config = connector_config(connector, &mut report);
        match connector.kind {
            ConnectorKind::Destination => destinations.extend(config),
            ConnectorKind::Source if !has_source => {
                has_source = true;
                source = config;
            }
            ConnectorKind::Source => report.problem(
                &connector.place,
                "pipeline.several_sources",
                "a second source: this version runs pipelines of one source",
                "make a pipeline of its own for each source",
            ),
        }
    }
    match source {
        Some(source) if report.problems.is_empty() => Ok(PipelineConfig {
            id: entry.id.clone(),
            source,
            destinations,
        }),
        _ => Err(report.problems),
    }
}

/// Checks a pipeline against the plugins, connector by connector: also one whose file was rejected.
/// Nothing is started, and no plugin is asked. What it finds is added to the report.
pub(crate) fn check(entry: &PipelineEntry, service: &PluginService, report: &mut Report) {
    let unusable = to_config(entry).err();
    report.problems.extend(unusable.into_iter().flatten());
    for connector in &entry.connectors {
        // What is wrong with its name was told above.
        let Some(config) = connector_config(connector, &mut Report::default()) else {
            continue;
        };
        let side = match connector.kind {
            ConnectorKind::Source => Side::Source,
            ConnectorKind::Destination => Side::Destination,
        };
        match config.validate(service, side) {
            Ok(ignored) => {
                for setting in ignored {
                    let place = place_of(connector, &setting.name);
                    let text = format!("connector `{}`: {setting}", connector.id);
                    let help = "remove it: only Conduit heeds it";
                    report.warning(place, "config.no_effect", text, help);
                }
            }
            Err(mut error) => {
                if let PipelineError::Config { source, .. } = &mut error
                    && !connector.is_whole
                {
                    // A setting that could not be read is not there, but it isn't missing.
                    let places = &connector.settings.places;
                    source.errors.retain(|it| places.contains_key(&it.name));
                }
                report.problems.extend(locate(entry, &error));
            }
        }
    }
}

/// Where a connector's plugin isn't the one that its name means first, because that one's file can't
/// be used: a pipeline runs all the same, but perhaps not with the plugin that the user has put there.
pub(crate) fn passed_over(entry: &PipelineEntry, service: &PluginService) -> Vec<Problem> {
    let mut report = Report::default();
    for connector in &entry.connectors {
        let Ok(name) = connector.plugin.parse::<PluginName>() else {
            continue;
        };
        let Some((found, file)) = service.find(&name).ok().zip(service.passed_over(&name)) else {
            continue;
        };
        let (written, found) = (&connector.plugin, found.name());
        report.warning(
            &connector.plugin_place,
            "pipeline.passed_over",
            format!(
                "`{written}` is `{found}` here, as the file `{}` can't be used: {}",
                file.path.display(),
                file.error
            ),
            format!("{}; or write `{found}` if that is meant", file.error.help()),
        );
    }
    report.warnings
}

fn connector_config(connector: &ConnectorEntry, report: &mut Report) -> Option<ConnectorConfig> {
    match connector.plugin.parse::<PluginName>() {
        Ok(plugin) => Some(ConnectorConfig {
            id: connector.id.clone(),
            plugin,
            settings: connector.settings.values.clone(),
        }),
        Err(error) => {
            let place = &connector.plugin_place;
            report.problem(place, error.code(), error.to_string(), error.help());
            None
        }
    }
}

/// Where in the file an error of the host comes from: one problem a setting that is wrong.
pub(crate) fn locate(entry: &PipelineEntry, error: &PipelineError) -> Vec<Problem> {
    let mut report = Report::default();
    let connector = |id: &str| entry.connectors.iter().find(|connector| connector.id == id);
    match error {
        PipelineError::Config {
            connector: id,
            source,
        } => {
            let connector = connector(id);
            for error in &source.errors {
                let place = connector.map_or(&entry.place, |it| place_of(it, &error.name));
                let text = format!(
                    "connector `{id}`: setting `{}`: {}",
                    error.name, error.message
                );
                report.problem(place, "config.invalid", text, "correct the setting");
            }
        }
        // What only the plugin can judge comes up in the run, where connectors go by their full id.
        PipelineError::Connector {
            connector: id,
            error: refused,
            ..
        } if refused.kind() == ErrorKind::InvalidConfig => {
            let own = id
                .strip_prefix(&entry.id)
                .and_then(|id| id.strip_prefix(':'));
            let connector = own.and_then(connector);
            let setting = refused.parameters().first().map_or("", |it| &it.name);
            let place = connector.map_or(&entry.place, |it| place_of(it, setting));
            report.problem(place, "config.invalid", error.to_string(), error.help());
        }
        PipelineError::ForeignPosition { connector: id, .. } => {
            let place = connector(id).map_or(&entry.place, |it| &it.plugin_place);
            report.problem(place, "position.foreign", error.to_string(), error.help());
        }
        PipelineError::Lookup { connector: id, .. }
        | PipelineError::NoSuchSide { connector: id, .. } => {
            let place = connector(id).map_or(&entry.place, |it| &it.plugin_place);
            report.problem(place, "pipeline.plugin", error.to_string(), error.help());
        }
        other => {
            report.problem(
                &entry.place,
                "pipeline.invalid",
                other.to_string(),
                other.help(),
            );
        }
    }
    report.problems
}

/// The setting's place, or the connector's for one that is missing.
fn place_of<'a>(connector: &'a ConnectorEntry, setting: &str) -> &'a Place {
    connector
        .settings
        .places
        .get(setting)
        .unwrap_or(&connector.place)
}
