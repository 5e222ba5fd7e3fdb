//! From an entry of a pipeline file to what the host takes, and from the host's errors back to the
//! place in the file.

use plugin_api::{ErrorKind, ParameterError};
use plugin_host::parameters::Side;
use plugin_host::{
    ConnectorConfig, DeadLetterQueue, PipelineConfig, PipelineError, PluginName, PluginService,
};

use super::problem::{Place, Problem, Report};
use super::{ConnectorEntry, ConnectorKind, PipelineEntry};

/// The pipeline as the host takes it.
///
/// # Errors
///
/// Returns plugins' names that can't be read.
pub(crate) fn to_config(entry: &PipelineEntry) -> Result<PipelineConfig, Vec<Problem>> {
    let mut report = Report::default();
    let mut of_kind = |kind| -> Vec<_> {
        let connectors = entry.connectors.iter().filter(|it| it.kind == Some(kind));
        connectors
            .filter_map(|connector| connector_config(connector, &mut report))
            .collect()
    };
    let sources = of_kind(ConnectorKind::Source);
    let destinations = of_kind(ConnectorKind::Destination);
    let dead_letters = entry.dead_letters.as_ref();
    let dead_letters = dead_letters.and_then(|queue| {
        let connector = connector_config(&queue.connector, &mut report)?;
        Some(DeadLetterQueue {
            plugin: connector.plugin,
            settings: connector.settings,
            window_size: queue.window_size,
            nack_threshold: queue.nack_threshold,
        })
    });
    match report.problems.is_empty() {
        true => Ok(PipelineConfig {
            id: entry.id.clone(),
            sources,
            destinations,
            dead_letters,
            pump: entry.pump,
        }),
        false => Err(report.problems),
    }
}

/// Checks a pipeline against the plugins, connector by connector: also one whose file was rejected.
/// Nothing is started, and no plugin is asked. What it finds is added to the report.
pub(crate) fn check(entry: &PipelineEntry, service: &PluginService, report: &mut Report) {
    let unusable = to_config(entry).err();
    report.problems.extend(unusable.into_iter().flatten());
    for connector in entry.all_connectors() {
        // What is wrong with its name was told above.
        let Some(mut config) = connector_config(connector, &mut Report::default()) else {
            continue;
        };
        // A setting whose value could not be read is there: its name can be checked, and what
        // stands beside it.
        let unread = connector.settings.unread.iter();
        config
            .settings
            .extend(unread.map(|name| (name.clone(), String::new())));
        let checked = match connector.kind {
            Some(ConnectorKind::Source) => config.validate(service, Side::Source),
            Some(ConnectorKind::Destination) => config.validate(service, Side::Destination),
            // Which settings it has depends on the side.
            None => match service.find(&config.plugin) {
                Ok(_) => Ok(Vec::new()),
                Err(source) => Err(PipelineError::Lookup {
                    connector: config.id.clone(),
                    source,
                }),
            },
        };
        match checked {
            Ok(ignored) => {
                for setting in ignored {
                    let place = place_of(connector, &setting.name);
                    let text = format!("connector `{}`: {setting}", connector.id);
                    let help = "remove it: only Conduit heeds it";
                    report.warning(place, "config.no_effect", text, help);
                }
            }
            Err(mut error) => {
                if let PipelineError::Config { source, .. } = &mut error {
                    source.errors.retain(|it| !is_unread(connector, it));
                }
                let mut problems = locate_at(entry, Some(connector), &error);
                if let PipelineError::NoSuchSide { side, .. } = &error
                    && let Some(builtin) = builtin_instead(&config.plugin, connector.kind, service)
                {
                    for problem in &mut problems {
                        problem.help = format!("`{builtin}` has a {side}");
                    }
                }
                report.problems.append(&mut problems);
            }
        }
    }
}

/// The builtin plugin of the same name, where it has this side: a file may stand before it that
/// doesn't.
fn builtin_instead(
    named: &PluginName,
    kind: Option<ConnectorKind>,
    service: &PluginService,
) -> Option<String> {
    let builtin = format!("builtin:{}", named.name());
    let found = service.builtin().find(&builtin.parse().ok()?)?;
    let specification = found.specification();
    let params = match kind? {
        ConnectorKind::Source => &specification.source_params,
        ConnectorKind::Destination => &specification.destination_params,
    };
    params.as_ref().map(|_| builtin)
}

/// Whether a setting only seems to be missing: it could not be read, which was told.
fn is_unread(connector: &ConnectorEntry, error: &ParameterError) -> bool {
    let settings = &connector.settings;
    let mut unread = settings.unread.iter();
    error.code == "config.required"
        && (settings.are_unreadable || unread.any(|name| name.trim() == error.name))
}

/// Where a connector's plugin isn't the one that its name means first, because that one's file can't
/// be used: a pipeline runs all the same, but perhaps not with the plugin that the user has put there.
pub(crate) fn passed_over(entry: &PipelineEntry, service: &PluginService) -> Vec<Problem> {
    let mut report = Report::default();
    for connector in entry.all_connectors() {
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
    let id = match error {
        PipelineError::Config { connector, .. }
        | PipelineError::ForeignPosition { connector, .. }
        | PipelineError::Lookup { connector, .. }
        | PipelineError::NoSuchSide { connector, .. } => Some(&**connector),
        // In the run, connectors go by their full id.
        PipelineError::Connector { connector, .. } => connector
            .strip_prefix(&entry.id)
            .and_then(|id| id.strip_prefix(':')),
        _ => None,
    };
    let connector = entry
        .all_connectors()
        .find(|connector| Some(&*connector.id) == id);
    locate_at(entry, connector, error)
}

/// The same for an error of this connector: an id that is wrong doesn't name it.
fn locate_at(
    entry: &PipelineEntry,
    connector: Option<&ConnectorEntry>,
    error: &PipelineError,
) -> Vec<Problem> {
    let mut report = Report::default();
    let plugin_place = connector.map_or(&entry.place, |it| &it.plugin_place);
    match error {
        PipelineError::Config {
            connector: id,
            source,
        } => {
            for error in &source.errors {
                let place = connector.map_or(&entry.place, |it| place_of(it, &error.name));
                let text = format!(
                    "connector `{id}`: setting `{}`: {}",
                    error.name, error.message
                );
                report.problem(place, "config.invalid", text, help_with(error, connector));
            }
        }
        // What only the plugin can judge comes up in the run.
        PipelineError::Connector { error: refused, .. }
            if refused.kind() == ErrorKind::InvalidConfig =>
        {
            let setting = refused.parameters().first().map_or("", |it| &it.name);
            let place = connector.map_or(&entry.place, |it| place_of(it, setting));
            report.problem(place, "config.invalid", error.to_string(), error.help());
        }
        PipelineError::ForeignPosition { .. } => report.problem(
            plugin_place,
            "position.foreign",
            error.to_string(),
            error.help(),
        ),
        PipelineError::Lookup { .. } | PipelineError::NoSuchSide { .. } => report.problem(
            plugin_place,
            "pipeline.plugin",
            error.to_string(),
            error.help(),
        ),
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

/// How a setting is mended: what to write, or where it is told.
fn help_with(error: &ParameterError, connector: Option<&ConnectorEntry>) -> String {
    let name = &error.name;
    if error.code == "config.required" {
        return format!("add `{name}: VALUE` to the `settings` of the connector");
    }
    let shows = match connector {
        // The host's own are not the plugin's.
        Some(connector) if !name.starts_with("sdk.") => {
            format!("`forebay inspect {}` shows", connector.plugin)
        }
        _ => "`forebay list --parameters` shows".to_owned(),
    };
    match &*error.code {
        "config.unknown" => format!("{shows} the parameters that there are"),
        "config.duplicate" => "keep one of the two".to_owned(),
        _ => format!("{shows} what it can be"),
    }
}

/// The setting's place, or the connector's for one that is missing.
fn place_of<'a>(connector: &'a ConnectorEntry, setting: &str) -> &'a Place {
    connector
        .settings
        .places
        .get(setting)
        .unwrap_or(&connector.place)
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use plugin_api::{Acks, Batch, Context, Destination, Plugin, Result};
    use plugin_host::Registry;

    use super::*;

    struct Nowhere;

    impl Destination for Nowhere {
        type Config = ();

        fn open((): ()) -> Result<Self> {
            Ok(Self)
        }

        fn write(&mut self, _: &Batch, _: &mut Acks, _: &Context) -> Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_builtin_that_has_the_side_is_told_where_another_plugin_hides_it() {
        let told = |name: &str| {
            // Not out of a file, but found before a builtin as one is.
            let hiding = Plugin::from_destination(name, <Nowhere as Destination>::open);
            let hiding = Registry::builtin([hiding]);
            let service = PluginService::new(crate::plugins::builtin(), hiding);
            let mut file = tempfile::NamedTempFile::new().unwrap();
            write!(
                file,
                "version: 2.2\npipelines:\n- id: p\n  connectors:\n  \
                 - {{id: s, type: source, plugin: {name}}}\n  \
                 - {{id: d, type: destination, plugin: {name}}}\n"
            )
            .unwrap();
            let read = super::super::read(&[file.path().into()], &|name| std::env::var(name));
            let mut report = Report::default();
            check(&read.unwrap().pipelines[0], &service, &mut report);
            let [problem] = &report.problems[..] else {
                panic!("{report:?}");
            };
            assert!(problem.message.contains("has no source"), "{problem}");
            problem.help.clone()
        };
        assert_eq!(told("file"), "`builtin:file` has a source");
        for name in ["log", "none-like-it"] {
            assert!(told(name).starts_with("choose a plugin with a source"));
        }
    }
}
