//! `forebay list`: every plugin, and what was refused.
//!
//! Turns rows into a table or JSON; finding the plugins is the caller's.

mod parameters;
mod table;

pub(crate) use parameters::checks;

use std::path::PathBuf;

use plugin_api::Specification;
use plugin_host::specification;
use serde_json::{Value, json};

use crate::output::{self, Failure, Form};

/// One plugin, or one file that isn't used.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    /// The full name, such as `standalone:file@v1.0.0`.
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) kind: Kind,
    /// The file; nothing for a builtin plugin.
    pub(crate) path: Option<PathBuf>,
    pub(crate) status: Status,
    /// Nothing where the file was refused before it was known.
    pub(crate) specification: Option<Specification>,
}

/// Where a plugin comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Builtin,
    Standalone,
}

/// Whether a plugin can be used.
#[derive(Debug, Clone)]
pub(crate) enum Status {
    Ready,
    /// Nothing is wrong with it, but another file goes before it.
    Shadowed(Reason),
    Quarantined(Reason),
}

/// Why a file isn't used.
#[derive(Debug, Clone)]
pub(crate) struct Reason {
    /// Stable identifier, such as `load.abi_mismatch`.
    pub(crate) code: String,
    /// The check that refused it.
    pub(crate) stage: String,
    pub(crate) message: String,
    pub(crate) help: String,
}

/// Writes the rows, sorted; the table with the parameters of each plugin, if they are asked for.
///
/// # Errors
///
/// Returns why standard output takes nothing.
pub(crate) fn print(mut rows: Vec<Row>, with_parameters: bool, form: Form) -> Result<(), Failure> {
    sort(&mut rows);
    match form {
        Form::Human => output::print(&table::table(&rows, with_parameters)),
        Form::Json => output::print_json(&document(&rows)),
    }
}

/// Builtin plugins first, then by name; of one name the file that is used first.
fn sort(rows: &mut [Row]) {
    rows.sort_by(|a, b| {
        let key = |row: &Row| (row.kind, row.name.clone(), row.status.reason().is_some());
        key(a).cmp(&key(b)).then_with(|| a.path.cmp(&b.path))
    });
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Builtin => "builtin",
            Self::Standalone => "standalone",
        }
    }
}

impl Status {
    /// For people.
    fn name(&self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::Shadowed(_) => "shadowed",
            Self::Quarantined(_) => "quarantined",
        }
    }

    /// For programs: what can be used is ready, and the code of the reason tells the rest apart.
    fn word(&self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::Shadowed(_) | Self::Quarantined(_) => "quarantined",
        }
    }

    fn reason(&self) -> Option<&Reason> {
        match self {
            Self::Ready => None,
            Self::Shadowed(reason) | Self::Quarantined(reason) => Some(reason),
        }
    }
}

/// `{"plugins": [{"name", "version", "kind", "path", "status", "reason", "specification"}]}`
fn document(rows: &[Row]) -> Value {
    let plugins: Vec<_> = rows
        .iter()
        .map(|row| {
            json!({
                "name": row.name,
                "version": (!row.version.is_empty()).then_some(&row.version),
                "kind": row.kind.name(),
                "path": row.path.as_ref().map(|path| path.display().to_string()),
                "status": row.status.word(),
                "reason": row.status.reason().map(|reason| json!({
                    "code": reason.code,
                    "stage": reason.stage,
                    "message": reason.message,
                    "help": reason.help,
                })),
                "specification": row.specification.as_ref().map(specification::to_json),
            })
        })
        .collect();
    json!({ "plugins": plugins })
}

#[cfg(test)]
mod tests;
