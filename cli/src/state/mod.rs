//! `forebay state`: what is stored of connectors, how to begin anew, and how to delete.
//!
//! Owns the way to the store; what a position means only its plugin knows, and no value of a setting
//! is ever shown.

mod delete;
mod entry;

use anyhow::anyhow;
use plugin_host::PipelineConfig;
use plugin_host::store::{FileStore, PositionStore, StoreError, StoreKey};
use serde_json::json;

use crate::args::{Global, StateAction};
use crate::output::{self, Exit, Failure, Form};
use entry::{Entry, full_name, table};

/// Opens the store in the state folder, and makes both where they are missing.
///
/// # Errors
///
/// Returns why it can't be had, such as another process that holds it.
pub(crate) fn open(global: &Global) -> Result<FileStore, Failure> {
    FileStore::open(&global.state).map_err(failure)
}

/// Shows, forgets or deletes what is stored.
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
    let all = store.as_ref().map_or(Ok(Vec::new()), Entry::all);
    let all = all.map_err(failure)?;
    match action {
        StateAction::List => print(&all, global.form, || table(&all))?,
        StateAction::Show { name } => {
            let named = named(all, name, "nothing")?;
            print(&named, global.form, || {
                named.iter().map(Entry::page).collect()
            })?;
        }
        StateAction::Reset { name } => {
            let sources = all.into_iter().filter(|it| it.stored.is_some()).collect();
            let named = one_meaning(named(sources, name, "no position")?, name)?;
            for entry in &named {
                let removed = store.as_ref().map_or(Ok(false), |it| it.remove(&entry.key));
                removed.map_err(failure)?;
            }
            print(&named, global.form, || {
                named.iter().map(Entry::forgotten).collect()
            })?;
        }
        StateAction::Delete { name, force } => {
            let named = one_meaning(named(all, name, "nothing")?, name)?;
            if let Some(store) = store {
                return delete::run(global, store, &named, *force);
            }
        }
    }
    Ok(Exit::Ok)
}

fn failure(error: StoreError) -> Failure {
    let (code, help) = (error.code(), error.help());
    Failure::new(Exit::Environment, code, error).with_help(help)
}

/// Those of a pipeline, or one of its connectors.
fn named(all: Vec<Entry>, name: &str, what: &str) -> Result<Vec<Entry>, Failure> {
    let (named, others): (Vec<_>, Vec<_>) = all
        .into_iter()
        .partition(|Entry { key, .. }| key.pipeline == name || full_name(key) == name);
    if !named.is_empty() {
        return Ok(named);
    }
    let error = anyhow!("{what} is stored for `{name}`");
    let names: Vec<_> = others.iter().map(|it| full_name(&it.key)).collect();
    let help = match names.is_empty() {
        true => "none is stored at all; `--state` names another folder".to_owned(),
        false => format!("there are those of {}", names.join(", ")),
    };
    Err(Failure::new(Exit::Usage, "state.not_found", error).with_help(help))
}

/// Those that were found for a name, unless it means two things: an identity may have a `/` in it,
/// and what is forgotten is gone.
fn one_meaning(named: Vec<Entry>, name: &str) -> Result<Vec<Entry>, Failure> {
    let mut meanings: Vec<_> = named
        .iter()
        .map(|Entry { key, .. }| match key.pipeline == name {
            true => format!("pipeline `{name}`"),
            false => format!(
                "connector `{}` of pipeline `{}`",
                key.connector, key.pipeline
            ),
        })
        .collect();
    meanings.dedup();
    if meanings.len() < 2 {
        return Ok(named);
    }
    let error = anyhow!("`{name}` means {}", meanings.join(", or "));
    Err(Failure::new(Exit::Usage, "state.ambiguous", error)
        .with_help("name the whole pipeline, or each of its connectors, whichever means one thing"))
}

/// What `reset` is given to have a pipeline begin anew, where a position is stored for it: the one source
/// that has one, or the pipeline.
pub(crate) fn stored_for(store: &FileStore, pipeline: &PipelineConfig) -> Option<String> {
    let keys = pipeline.sources.iter();
    let keys = keys.map(|source| StoreKey::new(&pipeline.id, &source.id));
    // What keeps it from being read is told by the start.
    let mut stored = keys.filter(|key| store.load(key).is_ok_and(|stored| stored.is_some()));
    let first = stored.next()?;
    match stored.next() {
        None => Some(full_name(&first)),
        Some(_) => Some(pipeline.id.clone()),
    }
}

fn print(entries: &[Entry], form: Form, text: impl FnOnce() -> String) -> Result<(), Failure> {
    match form {
        Form::Human => output::print(&text()),
        Form::Json => {
            let connectors: Vec<_> = entries.iter().map(Entry::to_json).collect();
            output::print_json(&json!({ "connectors": connectors }))
        }
    }
}
