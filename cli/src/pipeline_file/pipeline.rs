//! Conduit's pipeline format 2.2: what a document may say, and what it may not.
//!
//! Turns the tree of one document into entries and tells all that is wrong with it. Doesn't know
//! which plugins exist; whether a plugin has a parameter is checked where the plugin is known.

use plugin_host::{DeadLetterQueue, Pump};

use super::dead_letters::{self, dead_letters};
use super::fields::{Fields, Scope, UNSUPPORTED};
use super::node::Node;
use super::problem::Place;
use super::settings::Settings;
use super::values::{Ids, choice, id};
use super::{ConnectorEntry, ConnectorKind, PipelineEntry, PipelineStatus};

/// The newest version of the format that is understood.
const MAJOR: u64 = 2;
const MINOR: u64 = 2;

const DOCUMENT_FIELDS: &[&str] = &["version", "pipelines"];
const PIPELINE_FIELDS: &[&str] = &[
    "id",
    "status",
    "name",
    "description",
    "connectors",
    dead_letters::FIELD,
    "pump",
    "processors",
    "condition",
];
const CONNECTOR_FIELDS: &[&str] = &[
    "id",
    "type",
    "plugin",
    "name",
    "settings",
    "processors",
    "condition",
];

/// Reads one document of a file.
pub(super) fn document(node: &Node, ids: &mut Ids, scope: &mut Scope<'_>) -> Vec<PipelineEntry> {
    if node.is_null() {
        return Vec::new();
    }
    let Some(fields) = Fields::of(node, "a pipeline file", DOCUMENT_FIELDS, scope) else {
        return Vec::new();
    };
    if !version_is_known(&fields, scope) {
        return Vec::new();
    }
    if fields.get("pipelines").is_none() {
        scope.report.problem(
            &node.place,
            "pipeline.missing_field",
            "a pipeline file has no `pipelines`",
            "list the pipelines under `pipelines:`",
        );
    }
    fields
        .list("pipelines", scope)
        .iter()
        .filter_map(|item| pipeline(item, ids, scope))
        .collect()
}

/// Whether the rest of the document can be understood. What is wrong with the version is told.
fn version_is_known(fields: &Fields<'_>, scope: &mut Scope<'_>) -> bool {
    let newest = format!("{MAJOR}.{MINOR}");
    let help = format!("write `version: \"{newest}\"` as the first line");
    let Some((node, _)) = fields.get("version") else {
        scope.report.warning(
            &fields.node.place,
            "pipeline.no_version",
            format!("no `version`; {newest}, the newest, is assumed"),
            help,
        );
        return true;
    };
    let Some(text) = scope.text(node, "version") else {
        return false;
    };
    let parsed = text
        .split_once('.')
        .and_then(|(major, minor)| Some((major.parse().ok()?, minor.parse().ok()?)));
    match parsed {
        Some((MAJOR, 0..=MINOR)) => return true,
        Some((MAJOR, _)) => {
            scope.report.warning(
                &node.place,
                "pipeline.unknown_version",
                format!("version {text} is newer than {newest}, which is assumed"),
                help,
            );
            return true;
        }
        Some::<(u64, u64)>(_) => scope.report.problem(
            &node.place,
            "pipeline.version",
            format!("version {text} of the format is not understood, only {MAJOR}.0 to {newest}"),
            help,
        ),
        None => scope.report.problem(
            &node.place,
            "pipeline.version",
            format!("`{text}` is no version of the format"),
            help,
        ),
    }
    false
}

fn pipeline(node: &Node, ids: &mut Ids, scope: &mut Scope<'_>) -> Option<PipelineEntry> {
    let fields = Fields::of(node, "a pipeline", PIPELINE_FIELDS, scope)?;
    refuse_unsupported(&fields, scope);
    let id = id(&fields, ids, scope);
    let status = choice(
        &fields,
        "status",
        &[
            ("running", PipelineStatus::Running),
            ("stopped", PipelineStatus::Stopped),
        ],
        scope,
    );
    let name = fields.text("name", scope).map(|(text, _)| text);
    let description = fields.text("description", scope).map(|(text, _)| text);
    let connectors = connectors(&fields, scope);
    let dead_letters = dead_letters(&fields, scope);
    let pump = pump(&fields, &connectors, scope);
    // Without one the file is rejected, but what its connectors have wrong is told all the same.
    let id = id.unwrap_or_default();
    Some(PipelineEntry {
        status: status.unwrap_or(PipelineStatus::Running),
        name: name.unwrap_or_else(|| id.clone()),
        id,
        description: description.unwrap_or_default(),
        connectors,
        dead_letters,
        pump,
        place: node.place.clone(),
    })
}

/// How the records of a pipeline of these connectors move: a field of ours, not of Conduit's.
fn pump(fields: &Fields<'_>, connectors: &[ConnectorEntry], scope: &mut Scope<'_>) -> Pump {
    let pumps = [("fused", Pump::Fused), ("split", Pump::Split)];
    let pump = choice(fields, "pump", &pumps, scope);
    let is_source = |connector: &&ConnectorEntry| connector.kind == Some(ConnectorKind::Source);
    if pump == Some(Pump::Fused)
        && let Some((_, place)) = fields.get("pump")
        && connectors.iter().filter(is_source).count() > 1
    {
        scope.report.warning(
            place,
            "pipeline.no_effect",
            "`pump: fused` has no effect: a pipeline of several sources is always split",
            "remove it, or make a pipeline of its own for each source",
        );
    }
    pump.unwrap_or_default()
}

fn connectors(fields: &Fields<'_>, scope: &mut Scope<'_>) -> Vec<ConnectorEntry> {
    let items = fields.list("connectors", scope);
    let mut ids = Ids::new();
    let connectors: Vec<_> = items
        .iter()
        .enumerate()
        .filter_map(|(index, item)| connector(index, item, &mut ids, scope))
        .collect();
    if fields.get(dead_letters::FIELD).is_some()
        && let Some(place) = ids.get(DeadLetterQueue::ID)
    {
        scope.report.problem(
            place,
            "pipeline.duplicate_id",
            format!(
                "the id `{}` is that of the pipeline's dead-letter queue",
                DeadLetterQueue::ID
            ),
            "rename the connector; the queue's id is always this one",
        );
    }
    // A connector that was refused may have been the one that is missed here.
    let are_known = connectors.iter().all(|connector| connector.kind.is_some());
    if connectors.len() == items.len() && are_known {
        let place = match fields.get("connectors") {
            Some((_, place)) => place,
            None => &fields.node.place,
        };
        for (kind, code, text) in [
            (ConnectorKind::Source, "pipeline.no_source", "source"),
            (
                ConnectorKind::Destination,
                "pipeline.no_destination",
                "destination",
            ),
        ] {
            if !connectors
                .iter()
                .any(|connector| connector.kind == Some(kind))
            {
                scope.report.problem(
                    place,
                    code,
                    format!("the pipeline has no {text}"),
                    format!("add a connector with `type: {text}`"),
                );
            }
        }
    }
    connectors
}

fn connector(
    index: usize,
    node: &Node,
    ids: &mut Ids,
    scope: &mut Scope<'_>,
) -> Option<ConnectorEntry> {
    let fields = Fields::of(node, "a connector", CONNECTOR_FIELDS, scope)?;
    refuse_unsupported(&fields, scope);
    let id = id(&fields, ids, scope);
    let kinds = [
        ("source", ConnectorKind::Source),
        ("destination", ConnectorKind::Destination),
    ];
    let kind = if fields.get("type").is_some() {
        choice(&fields, "type", &kinds, scope)
    } else {
        fields
            .required("type", "add `type: source` or `type: destination`", scope)
            .and(None)
    };
    let plugin = plugin(&fields, scope);
    let name = fields.text("name", scope).map(|(text, _)| text);
    let settings = settings(&fields, scope);
    let (plugin, plugin_place) = plugin?;
    let id = id.unwrap_or_else(|| format!("#{}", index + 1));
    Some(ConnectorEntry {
        name: name.unwrap_or_else(|| id.clone()),
        id,
        kind,
        plugin,
        plugin_place,
        settings,
        place: node.place.clone(),
    })
}

pub(super) fn plugin(fields: &Fields<'_>, scope: &mut Scope<'_>) -> Option<(String, Place)> {
    let help = "add `plugin: NAME`, such as `plugin: builtin:file`; `forebay list` shows the names";
    fields
        .required("plugin", help, scope)
        .map(|(text, place)| (text, place.clone()))
}

pub(super) fn settings(fields: &Fields<'_>, scope: &mut Scope<'_>) -> Settings {
    match fields.get("settings") {
        Some((node, _)) => Settings::of(node, scope),
        None => Settings::default(),
    }
}

/// Tells of every unsupported field that isn't empty.
fn refuse_unsupported(fields: &Fields<'_>, scope: &mut Scope<'_>) {
    for &(name, subject, otherwise) in UNSUPPORTED {
        let Some((node, place)) = fields.get(name) else {
            continue;
        };
        if !node.is_empty() {
            scope.report.problem(
                place,
                "pipeline.unsupported",
                format!("{subject} are not supported yet; {otherwise}"),
                format!("remove `{name}`"),
            );
        }
    }
}
