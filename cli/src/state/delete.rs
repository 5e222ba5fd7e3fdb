//! `forebay state delete`: connectors that aren't to run any more, and their plugins told of it.
//!
//! What is stored is kept where a plugin can't be told: it may hold something at the other end that
//! nobody else knows of.

use std::sync::Arc;

use plugin_host::store::{FileStore, StoreError};
use plugin_host::{DeleteError, Engine};
use serde_json::{Value, json};

use super::entry::{Entry, full_name};
use crate::args::Global;
use crate::output::{self, Exit, Failure, Form};
use crate::plugins;

/// What has become of one connector.
enum Deleted {
    /// It is forgotten; this plugin was told, or none as it never had active settings.
    Told(Option<String>),
    /// It is forgotten although its plugin couldn't be told.
    Forced(DeleteError),
    /// Everything is kept.
    Kept(DeleteError),
}

/// Deletes connectors, each by itself: one that can't be deleted keeps none of the others.
///
/// # Errors
///
/// Returns why nothing could be begun. What fails later is told of each connector.
pub(super) fn run(
    global: &Global,
    store: FileStore,
    entries: &[Entry],
    force: bool,
) -> Result<Exit, Failure> {
    let service = Arc::new(plugins::service(global)?);
    let engine = Engine::new(service, Arc::new(store)).map_err(|error| {
        let (code, help) = ("state.delete", error.help());
        Failure::new(Exit::Environment, code, error).with_help(help)
    })?;
    let done: Vec<_> = entries
        .iter()
        .map(|entry| (entry, delete(&engine, entry, force)))
        .collect();
    let mut exit = Exit::Ok;
    for (entry, deleted) in &done {
        let name = full_name(&entry.key);
        match deleted {
            Deleted::Told(_) => {}
            Deleted::Forced(error) => {
                output::write_lines(&format!("warning: {name}: {}\n", message(error)));
            }
            Deleted::Kept(error) => {
                exit = Exit::RunFailed;
                let (message, help) = (message(error), help(error));
                output::write_lines(&format!("error: {name} is kept: {message}\nhelp: {help}\n"));
            }
        }
    }
    match global.form {
        Form::Human => output::print(&done.iter().map(line).collect::<String>())?,
        Form::Json => {
            let connectors: Vec<_> = done.iter().map(to_json).collect();
            output::print_json(&json!({ "connectors": connectors }))?;
        }
    }
    Ok(exit)
}

fn delete(engine: &Engine, entry: &Entry, force: bool) -> Deleted {
    match engine.delete(&entry.key) {
        Ok(told) => Deleted::Told(told),
        Err(error) if force && error.is_of_plugin() => match engine.forget(&entry.key) {
            Ok(_) => Deleted::Forced(error),
            Err(error) => Deleted::Kept(error),
        },
        Err(error) => Deleted::Kept(error),
    }
}

fn message(error: &DeleteError) -> String {
    // The other messages have their causes in them.
    match error {
        DeleteError::Store(StoreError::Io { source, .. }) => format!("{error}: {source}"),
        _ => error.to_string(),
    }
}

fn help(error: &DeleteError) -> String {
    let help = error.help();
    match error.is_of_plugin() {
        true => format!("{help}; `--force` forgets it without its plugin"),
        false => help,
    }
}

fn line((entry, deleted): &(&Entry, Deleted)) -> String {
    let name = full_name(&entry.key);
    match deleted {
        Deleted::Told(Some(plugin)) => format!("deleted {name}: `{plugin}` was told\n"),
        Deleted::Told(None) => {
            format!("deleted {name}: no plugin was told, as no settings of it are stored\n")
        }
        Deleted::Forced(_) => format!("deleted {name}: its plugin was not told\n"),
        Deleted::Kept(_) => String::new(),
    }
}

/// `{"pipeline", "connector", "deleted", "told", "error"}`
fn to_json((entry, deleted): &(&Entry, Deleted)) -> Value {
    let (told, error) = match deleted {
        Deleted::Told(told) => (told.as_ref(), None),
        Deleted::Forced(error) | Deleted::Kept(error) => (None, Some(error)),
    };
    let error = error.map(
        |error| json!({ "code": error.code(), "message": message(error), "help": help(error) }),
    );
    json!({
        "pipeline": entry.key.pipeline,
        "connector": entry.key.connector,
        "deleted": !matches!(deleted, Deleted::Kept(_)),
        "told": told,
        "error": error,
    })
}
