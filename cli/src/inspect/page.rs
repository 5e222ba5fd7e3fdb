//! The page of `forebay inspect`.

use std::collections::BTreeMap;

use plugin_api::Parameter;

use super::{Build, Subject};
use crate::list::checks;

/// A page for each, an empty line between.
pub(super) fn pages(subjects: &[Subject]) -> String {
    let pages: Vec<_> = subjects.iter().map(page).collect();
    pages.join("\n")
}

fn page(subject: &Subject) -> String {
    let unknown = || format!("{}: the file doesn't say its name", subject.kind);
    let mut text = subject.name.clone().unwrap_or_else(unknown) + "\n";
    let specification = subject.specification.as_ref();
    if let Some(specification) = specification {
        line(&mut text, "summary", &specification.summary);
        line(&mut text, "description", &specification.description);
        line(&mut text, "author", &specification.author);
    }
    if let Some(path) = &subject.path {
        line(&mut text, "file", &path.display().to_string());
        let status = if subject.refusals.is_empty() {
            "passes all checks that can be made without executing it"
        } else {
            "refused"
        };
        line(&mut text, "status", status);
    } else {
        line(&mut text, "status", "linked into this program");
    }
    for error in &subject.refusals {
        let (code, stage) = (error.code(), error.stage());
        text += &format!(
            "    {error} ({code}, {stage})\n    help: {}\n",
            error.help()
        );
    }
    if let Some(build) = &subject.build {
        text += &built(build);
    }
    line(&mut text, "sha256", subject.hash.as_deref().unwrap_or(""));
    line(&mut text, "needs", &subject.needed.join(", "));
    line(&mut text, "run paths", &subject.run_paths.join(", "));
    let glibc = subject.glibc.as_ref();
    let glibc = glibc.map_or_else(String::new, |version| format!("{version} or newer"));
    line(&mut text, "glibc", &glibc);
    if let Some(specification) = specification {
        for (side, parameters) in [
            ("source", &specification.source_params),
            ("destination", &specification.destination_params),
        ] {
            match parameters {
                Some(parameters) if parameters.is_empty() => {
                    text += &format!("\n  {side}: no parameters\n");
                }
                Some(parameters) => text += &format!("\n  {side}\n{}", table(parameters)),
                None => {}
            }
        }
        text += "\n  `sdk.` settings, which every connector has: `forebay list --parameters`\n";
    }
    text
}

/// A fact and its value, if it has one.
fn line(text: &mut String, fact: &str, value: &str) {
    if !value.is_empty() {
        *text += &format!("  {fact:12} {}\n", one_line(value));
    }
}

fn built(build: &Build) -> String {
    let mut text = String::new();
    let package = format!("{} {}", build.package, build.version);
    line(&mut text, "package", &package);
    line(&mut text, "plugin-api", &build.api);
    line(&mut text, "rustc", &build.rustc);
    if let Some(file) = &build.of_file {
        let abi = format!("{}, abi_stable {}", file.abi, file.abi_stable);
        line(&mut text, "abi", &abi);
        line(&mut text, "target", &file.target);
        line(&mut text, "panic", &file.panic);
    }
    text
}

/// Aligned columns; the last one is as wide as it is.
fn table(parameters: &BTreeMap<String, Parameter>) -> String {
    let header = ["NAME", "TYPE", "DEFAULT", "CHECKS", "DESCRIPTION"].map(String::from);
    let rows = parameters.iter().map(|(name, parameter)| {
        [
            name.clone(),
            parameter.kind.as_str().to_owned(),
            one_line(&parameter.default),
            checks(parameter).join(", "),
            one_line(&parameter.description),
        ]
    });
    let rows: Vec<_> = [header].into_iter().chain(rows).collect();
    let width = |column: usize| {
        let widths = rows.iter().map(|row| row[column].chars().count());
        widths.max().unwrap_or(0)
    };
    let widths = [width(0), width(1), width(2), width(3)];
    let mut text = String::new();
    for row in &rows {
        let mut line = String::from("   ");
        for (cell, width) in row.iter().zip(widths) {
            let cell = if cell.is_empty() { "-" } else { cell };
            line += &format!(" {cell:width$} ");
        }
        line += &format!(" {}", row[4]);
        text += line.trim_end();
        text.push('\n');
    }
    text
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
