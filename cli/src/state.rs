//! `forebay state`: which positions are stored, and how to begin anew.
//!
//! Owns the way to the position store; what a position means only its plugin knows.

use anyhow::anyhow;
use plugin_host::PipelineConfig;
use plugin_host::store::{FileStore, PositionStore, StoreError, StoreKey, Stored};
use serde_json::{Value, json};

use crate::args::{Global, StateAction};
use crate::output::{self, Exit, Failure, Form};

/// Most characters of a position in the table.
const SHOWN: usize = 60;

/// A stored position and whose it is.
type Entry = (StoreKey, Stored);

/// Opens the store in the state folder, and makes both where they are missing.
///
/// # Errors
///
/// Returns why it can't be had, such as another process that holds it.
pub(crate) fn open(global: &Global) -> Result<FileStore, Failure> {
    FileStore::open(&global.state).map_err(failure)
}

/// Shows or forgets positions.
///
/// # Errors
///
/// Returns why the store can't be had, or that nothing is stored under the name.
pub(crate) fn run(global: &Global, action: &StateAction) -> Result<Exit, Failure> {
    // Asking makes no store.
    let store = match FileStore::exists(&global.state) {
        true => Some(open(global)?),
        false => None,
    };
    let all = store.as_ref().map_or(Ok(Vec::new()), FileStore::list);
    let all = all.map_err(failure)?;
    match action {
        StateAction::List => print(&all, global.form, || table(&all))?,
        StateAction::Show { name } => {
            let named = named(all, name)?;
            print(&named, global.form, || named.iter().map(page).collect())?;
        }
        StateAction::Reset { name } => {
            let named = named(all, name)?;
            for (key, _) in &named {
                let removed = store.as_ref().map_or(Ok(false), |store| store.remove(key));
                removed.map_err(failure)?;
            }
            print(&named, global.form, || {
                named.iter().map(forgotten).collect()
            })?;
        }
    }
    Ok(Exit::Ok)
}

fn failure(error: StoreError) -> Failure {
    let (code, help) = (error.code(), error.help());
    Failure::new(Exit::Environment, code, error).with_help(help)
}

/// Those of a pipeline, or of one of its connectors.
fn named(all: Vec<Entry>, name: &str) -> Result<Vec<Entry>, Failure> {
    let (named, others): (Vec<_>, Vec<_>) = all
        .into_iter()
        .partition(|(key, _)| key.pipeline == name || full_name(key) == name);
    if !named.is_empty() {
        return Ok(named);
    }
    let error = anyhow!("no position is stored for `{name}`");
    let names: Vec<_> = others.iter().map(|(key, _)| full_name(key)).collect();
    let help = match names.is_empty() {
        true => "none is stored at all; `--state` names another folder".to_owned(),
        false => format!("there are those of {}", names.join(", ")),
    };
    Err(Failure::new(Exit::Usage, "state.not_found", error).with_help(help))
}

/// What the source of a pipeline is called here, where a position is stored for it.
pub(crate) fn stored_for(store: &FileStore, pipeline: &PipelineConfig) -> Option<String> {
    let keys = pipeline.sources.iter();
    let mut keys = keys.map(|source| StoreKey::new(&pipeline.id, &source.id));
    // What keeps it from being read is told by the start.
    let stored = keys.find(|key| store.load(key).is_ok_and(|stored| stored.is_some()));
    stored.map(|key| full_name(&key))
}

fn full_name(key: &StoreKey) -> String {
    format!("{}/{}", key.pipeline, key.connector)
}

fn print(entries: &[Entry], form: Form, text: impl FnOnce() -> String) -> Result<(), Failure> {
    match form {
        Form::Human => output::print(&text()),
        Form::Json => output::print_json(&document(entries)),
    }
}

/// `{"positions": [{"pipeline", "connector", "plugin", "hash", "position", "hex"}]}`
fn document(entries: &[Entry]) -> Value {
    let positions: Vec<_> = entries
        .iter()
        .map(|(key, stored)| {
            json!({
                "pipeline": key.pipeline,
                "connector": key.connector,
                "plugin": stored.plugin,
                "hash": stored.hash,
                "position": str::from_utf8(&stored.position).ok(),
                "hex": hex(&stored.position),
            })
        })
        .collect();
    json!({ "positions": positions })
}

fn table(entries: &[Entry]) -> String {
    if entries.is_empty() {
        return "no positions\n".to_owned();
    }
    let rows = entries.iter().map(|(key, stored)| {
        let position = text(&stored.position);
        let mut shown: String = position.chars().take(SHOWN).collect();
        if shown.len() < position.len() {
            shown.push('…');
        }
        [full_name(key), stored.plugin.clone(), shown]
    });
    let header = ["CONNECTOR", "PLUGIN", "POSITION"].map(String::from);
    let rows: Vec<_> = std::iter::once(header).chain(rows).collect();
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max();
    let (name, plugin) = (width(0).unwrap_or(0), width(1).unwrap_or(0));
    rows.iter()
        .map(|row| format!("{:name$}  {:plugin$}  {}\n", row[0], row[1], row[2]))
        .collect()
}

fn page((key, stored): &Entry) -> String {
    format!(
        "{}\n  plugin    {}\n  file      {}\n  position  {}\n",
        full_name(key),
        stored.plugin,
        stored.hash.as_deref().unwrap_or("builtin"),
        text(&stored.position)
    )
}

fn forgotten((key, stored): &Entry) -> String {
    let (name, position) = (full_name(key), text(&stored.position));
    format!("forgot {name} at {position}: its source begins at its beginning\n")
}

/// A position as people read it.
fn text(position: &[u8]) -> String {
    match str::from_utf8(position) {
        // One line: what else a terminal would act on is the output's to replace.
        Ok(text) if !text.is_empty() => text.replace('\n', "\\n"),
        _ => format!("0x{}", hex(position)),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
