//! `forebay list`: every plugin, and what was refused.
//!
//! Turns rows into a table or JSON; finding the plugins is the caller's.

use std::path::PathBuf;

use serde_json::{Value, json};

use crate::output::{self, Failure, Form};

/// One plugin, or one file that was refused.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    /// The full name, such as `standalone:file@v1.0.0`.
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) kind: Kind,
    /// The file; nothing for a builtin plugin.
    pub(crate) path: Option<PathBuf>,
    pub(crate) status: Status,
    /// Null where the file was refused before it was known.
    pub(crate) specification: Value,
    /// The file of an earlier folder that is used instead.
    pub(crate) shadowed_by: Option<PathBuf>,
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
    Quarantined(Reason),
}

/// Why a file was refused.
#[derive(Debug, Clone)]
pub(crate) struct Reason {
    /// Stable identifier, such as `load.abi_mismatch`.
    pub(crate) code: String,
    /// The check that refused it.
    pub(crate) stage: String,
    pub(crate) message: String,
    pub(crate) help: String,
}

/// Writes the rows, sorted.
///
/// # Errors
///
/// Returns why standard output takes nothing.
pub(crate) fn print(mut rows: Vec<Row>, form: Form) -> Result<(), Failure> {
    sort(&mut rows);
    match form {
        Form::Human => output::print(&table(&rows)),
        Form::Json => output::print_json(&document(&rows)),
    }
}

/// Builtin plugins first, then by name; of one name the file that is used first.
fn sort(rows: &mut [Row]) {
    rows.sort_by(|a, b| {
        let key = |row: &Row| (row.kind, row.name.clone(), row.shadowed_by.is_some());
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
    fn name(&self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::Quarantined(_) => "quarantined",
        }
    }

    fn reason(&self) -> Option<&Reason> {
        match self {
            Self::Ready => None,
            Self::Quarantined(reason) => Some(reason),
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
                "version": row.version,
                "kind": row.kind.name(),
                "path": row.path.as_ref().map(|path| path.display().to_string()),
                "status": row.status.name(),
                "reason": row.status.reason().map(|reason| json!({
                    "code": reason.code,
                    "stage": reason.stage,
                    "message": reason.message,
                    "help": reason.help,
                })),
                "specification": row.specification,
            })
        })
        .collect();
    json!({ "plugins": plugins })
}

/// Aligned columns; beneath a row what keeps it from being used.
fn table(rows: &[Row]) -> String {
    if rows.is_empty() {
        return "no plugins\n".into();
    }
    let cells: Vec<[String; 4]> = rows
        .iter()
        .map(|row| {
            let path = row
                .path
                .as_ref()
                .map_or("-".into(), |path| path.display().to_string());
            [
                row.name.clone(),
                row.kind.name().into(),
                row.status.name().into(),
                path,
            ]
        })
        .collect();
    let header = ["NAME", "KIND", "STATUS", "PATH"].map(String::from);
    let width = |column: usize| {
        let lines = cells.iter().chain([&header]);
        lines
            .map(|line| line[column].chars().count())
            .max()
            .unwrap_or(0)
    };
    let (name_width, kind_width, status_width) = (width(0), width(1), width(2));
    let line = |[name, kind, status, path]: &[String; 4]| {
        format!("{name:name_width$}  {kind:kind_width$}  {status:status_width$}  {path}\n")
    };
    let mut text = line(&header);
    for (row, cells) in rows.iter().zip(&cells) {
        text += &line(cells);
        if let Some(reason) = row.status.reason() {
            text += &format!(
                "    {} ({}, {})\n",
                reason.message, reason.code, reason.stage
            );
            text += &format!("    help: {}\n", reason.help);
        }
        if let Some(winner) = &row.shadowed_by {
            text += &format!(
                "    not used: {} is in an earlier folder\n",
                winner.display()
            );
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ready(name: &str, kind: Kind, path: Option<&str>) -> Row {
        Row {
            name: name.into(),
            version: "v0.1.0".into(),
            kind,
            path: path.map(PathBuf::from),
            status: Status::Ready,
            specification: json!({"name": "x"}),
            shadowed_by: None,
        }
    }

    fn rows() -> Vec<Row> {
        vec![
            Row {
                status: Status::Quarantined(Reason {
                    code: "load.truncated".into(),
                    stage: "look".into(),
                    message: "the file ends after 100 of 200 bytes".into(),
                    help: "copy it again".into(),
                }),
                specification: Value::Null,
                ..ready("standalone:torn", Kind::Standalone, Some("p/libtorn.so"))
            },
            Row {
                shadowed_by: Some("z/libfile.so".into()),
                ..ready(
                    "standalone:file@v0.1.0",
                    Kind::Standalone,
                    Some("a/libfile.so"),
                )
            },
            ready(
                "standalone:file@v0.1.0",
                Kind::Standalone,
                Some("z/libfile.so"),
            ),
            ready("builtin:file@v0.1.0", Kind::Builtin, None),
        ]
    }

    fn sorted() -> Vec<Row> {
        let mut rows = rows();
        sort(&mut rows);
        rows
    }

    #[test]
    fn the_table_is_aligned_and_says_what_is_wrong_beneath() {
        assert_eq!(
            table(&sorted()),
            "\
NAME                    KIND        STATUS       PATH
builtin:file@v0.1.0     builtin     ready        -
standalone:file@v0.1.0  standalone  ready        z/libfile.so
standalone:file@v0.1.0  standalone  ready        a/libfile.so
    not used: z/libfile.so is in an earlier folder
standalone:torn         standalone  quarantined  p/libtorn.so
    the file ends after 100 of 200 bytes (load.truncated, look)
    help: copy it again
"
        );
        assert_eq!(table(&[]), "no plugins\n");
    }

    #[test]
    fn the_json_has_exactly_the_documented_keys() {
        let document = document(&sorted());
        assert_eq!(
            document["plugins"][0],
            json!({
                "name": "builtin:file@v0.1.0", "version": "v0.1.0", "kind": "builtin",
                "path": null, "status": "ready", "reason": null, "specification": {"name": "x"},
            })
        );
        assert_eq!(
            document["plugins"][3],
            json!({
                "name": "standalone:torn", "version": "v0.1.0", "kind": "standalone",
                "path": "p/libtorn.so", "status": "quarantined",
                "reason": {
                    "code": "load.truncated",
                    "stage": "look",
                    "message": "the file ends after 100 of 200 bytes",
                    "help": "copy it again",
                },
                "specification": null,
            })
        );
        assert_eq!(document.as_object().unwrap().len(), 1);
    }
}
