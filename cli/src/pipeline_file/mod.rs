//! Pipeline files: Conduit's YAML, format 2.2.
//!
//! Owns everything between a path and checked entries: reading, YAML, environment variables, the
//! rules of the format. All that is wrong with all files is told at once, each with file, line and
//! column. Never looks at plugins, and never ignores what would change the records.

mod config;
mod dead_letters;
mod environment;
mod fields;
mod node;
mod pipeline;
mod problem;
mod settings;
#[cfg(test)]
mod tests;
mod values;
mod yaml;

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub(crate) use config::{check, locate, passed_over, to_config};
pub(crate) use environment::Environment;
pub(crate) use problem::{Place, Problem, Report};
pub(crate) use settings::Settings;

use plugin_host::Pump;

use crate::output::Exit;
use fields::Scope;
use values::Ids;

/// Largest file that is read, in bytes; a pipeline takes less than a thousand.
const FILE_SIZE_MAX: u64 = 4 << 20;

/// Code of a file that can't be read: not the user's text is wrong, but the environment.
const UNREADABLE: &str = "pipeline.unreadable";

/// The pipelines of all files that were read together.
#[derive(Debug)]
pub(crate) struct PipelineFiles {
    /// In the order of the files and in them; at least one, with unique ids.
    pub(crate) pipelines: Vec<PipelineEntry>,
    pub(crate) warnings: Vec<Problem>,
}

/// Files that can't be run as they are.
#[derive(Debug)]
pub(crate) struct Rejected {
    /// What could be read of them, to look for more that is wrong.
    pub(crate) pipelines: Vec<PipelineEntry>,
    /// At least one.
    pub(crate) problems: Vec<Problem>,
    pub(crate) warnings: Vec<Problem>,
}

impl Rejected {
    /// The exit code that the problems call for.
    pub(crate) fn exit(&self) -> Exit {
        if self.problems.iter().any(|p| p.code == UNREADABLE) {
            Exit::Environment
        } else {
            Exit::Usage
        }
    }
}

/// A pipeline as its file describes it. Of a rejected file the ids may be any text, and not unique.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PipelineEntry {
    pub(crate) id: String,
    pub(crate) status: PipelineStatus,
    /// The id, unless the file gives a name.
    pub(crate) name: String,
    pub(crate) description: String,
    /// At least one source and one destination, with unique ids that aren't the queue's; where the file
    /// was rejected, what could be read of them.
    pub(crate) connectors: Vec<ConnectorEntry>,
    /// Where the file was rejected, also none that has no plugin.
    pub(crate) dead_letters: Option<DeadLetterEntry>,
    pub(crate) pump: Pump,
    pub(crate) place: Place,
}

impl PipelineEntry {
    /// Every connector, and the dead-letter queue, which is one like the others to its plugin.
    fn all_connectors(&self) -> impl Iterator<Item = &ConnectorEntry> {
        let queue = self.dead_letters.iter().map(|queue| &queue.connector);
        self.connectors.iter().chain(queue)
    }
}

/// The dead-letter queue of a pipeline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DeadLetterEntry {
    /// The destination that it is.
    pub(crate) connector: ConnectorEntry,
    /// Number of records that are looked back on; 0 is no limit.
    pub(crate) window_size: u64,
    /// Most refusals among these; lower than the size, unless that is 0.
    pub(crate) nack_threshold: u64,
}

/// Whether a pipeline is to be started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PipelineStatus {
    Running,
    Stopped,
}

/// A source or destination of a pipeline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ConnectorEntry {
    /// Unique within the pipeline; its number, as in `#2`, where the rejected file has none.
    pub(crate) id: String,
    /// `None` only where the rejected file doesn't say.
    pub(crate) kind: Option<ConnectorKind>,
    /// The plugin's name as written, such as `standalone:file@v1.0.0`.
    pub(crate) plugin: String,
    pub(crate) plugin_place: Place,
    /// The id, unless the file gives a name.
    pub(crate) name: String,
    pub(crate) settings: Settings,
    pub(crate) place: Place,
}

/// Which side of a pipeline a connector is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ConnectorKind {
    Source,
    Destination,
}

/// Reads all files and checks all that can be checked without the plugins.
///
/// # Errors
///
/// Returns everything that is wrong with any of the files.
pub(crate) fn read(
    paths: &[PathBuf],
    environment: Environment<'_>,
) -> Result<PipelineFiles, Rejected> {
    let mut pipelines = Vec::new();
    let mut all = Report::default();
    let mut ids = Ids::new();
    let mut seen = BTreeSet::new();
    for path in paths {
        let file: Arc<Path> = Arc::from(path.as_path());
        // Read again, each of its pipelines would be told as another one with the same id.
        if let Ok(real) = path.canonicalize()
            && !seen.insert(real)
        {
            all.problem(
                &Place::whole(&file),
                "pipeline.named_twice",
                "the file is named twice",
                "name it once; each pipeline runs once at a time",
            );
            continue;
        }
        let mut scope = Scope {
            environment,
            report: Report::default(),
        };
        if let Some(text) = read_text(&file, &mut scope.report) {
            let documents = yaml::parse(&text, &file, &mut scope.report);
            let found: Vec<_> = documents
                .iter()
                .flat_map(|node| pipeline::document(node, &mut ids, &mut scope))
                .collect();
            if found.is_empty() && scope.report.problems.is_empty() {
                scope.report.problem(
                    &Place::whole(&file),
                    "pipeline.none",
                    "the file has no pipeline",
                    "list at least one under `pipelines:`; `forebay run --help` shows a file",
                );
            }
            pipelines.extend(found);
        }
        all.append(scope.report);
    }
    let Report { problems, warnings } = all;
    if problems.is_empty() {
        Ok(PipelineFiles {
            pipelines,
            warnings,
        })
    } else {
        Err(Rejected {
            pipelines,
            problems,
            warnings,
        })
    }
}

/// The file's text; nothing if it can't be had, which is then told.
fn read_text(file: &Arc<Path>, report: &mut Report) -> Option<String> {
    let mut bytes = Vec::new();
    if let Err(error) = read_bytes(file, &mut bytes) {
        report.problem(
            &Place::whole(file),
            UNREADABLE,
            format!("can't read the pipeline file: {error}"),
            "name a YAML file that you may read",
        );
        return None;
    }
    if bytes.len() as u64 > FILE_SIZE_MAX {
        report.problem(
            &Place::whole(file),
            "pipeline.too_large",
            format!("larger than {} MiB", FILE_SIZE_MAX >> 20),
            "spread the pipelines over several files",
        );
        return None;
    }
    match String::from_utf8(bytes) {
        Ok(text) => Some(text),
        Err(error) => {
            let valid =
                String::from_utf8_lossy(&error.as_bytes()[..error.utf8_error().valid_up_to()])
                    .into_owned();
            let line_start = valid.rfind('\n').map_or(0, |newline| newline + 1);
            let line = valid.matches('\n').count() + 1;
            let column = valid[line_start..].chars().count() + 1;
            report.problem(
                &Place::at(file, line, column),
                "pipeline.encoding",
                "not UTF-8 text",
                "save the file as UTF-8",
            );
            None
        }
    }
}

/// Reads at most one byte more than is allowed, whatever the path leads to.
fn read_bytes(file: &Path, bytes: &mut Vec<u8>) -> io::Result<()> {
    File::open(file)?
        .take(FILE_SIZE_MAX + 1)
        .read_to_end(bytes)?;
    Ok(())
}
