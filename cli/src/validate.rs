//! `forebay validate`: all that is wrong with pipeline files, starting nothing.
//!
//! Also what `run` does first. The files' own form is checked, and each connector against its
//! plugin's specification; what only the plugin itself can judge comes up when it is started.

use std::path::PathBuf;

use plugin_host::PluginService;

use crate::args::Global;
use crate::output::{self, Exit, Failure, Form};
use crate::pipeline_file::{self, PipelineEntry, Problem, Report};
use crate::plugins;

/// Pipeline files that were checked against the plugins.
pub(crate) struct Checked {
    pub(crate) pipelines: Vec<PipelineEntry>,
    /// Where there is any, nothing can be run. In the order of the files and in them, as the warnings.
    pub(crate) problems: Vec<Problem>,
    pub(crate) warnings: Vec<Problem>,
    /// What the problems call for.
    pub(crate) exit: Exit,
    pub(crate) service: PluginService,
}

/// Tells all that is wrong with the files.
///
/// # Errors
///
/// Returns what keeps them from being checked.
pub(crate) fn run(global: &Global, files: &[PathBuf]) -> Result<Exit, Failure> {
    let checked = check(global, files)?;
    output::write_problems(&checked.problems, &checked.warnings);
    match global.form {
        Form::Json => {
            let document = output::problems_json(&checked.problems, &checked.warnings);
            output::print_json(&document)?;
        }
        Form::Human if checked.problems.is_empty() => {
            let valid = match checked.pipelines.len() {
                1 => "1 pipeline is valid".to_owned(),
                count => format!("{count} pipelines are valid"),
            };
            output::print(&valid)?;
        }
        Form::Human => {}
    }
    Ok(checked.exit)
}

/// Reads the files and checks them against the plugins.
///
/// # Errors
///
/// Returns that a plugin folder isn't there.
pub(crate) fn check(global: &Global, files: &[PathBuf]) -> Result<Checked, Failure> {
    let read = pipeline_file::read(files, &|name| std::env::var(name));
    let mut report = Report::default();
    let (pipelines, exit) = match read {
        Ok(read) => {
            report.warnings = read.warnings;
            (read.pipelines, Exit::Ok)
        }
        Err(rejected) => {
            let exit = rejected.exit();
            report.problems = rejected.problems;
            report.warnings = rejected.warnings;
            (rejected.pipelines, exit)
        }
    };
    let service = plugins::service(global)
        .inspect_err(|_| output::write_problems(&report.problems, &report.warnings))?;
    for entry in &pipelines {
        pipeline_file::check(entry, &service, &mut report);
    }
    let passed_over = pipelines
        .iter()
        .flat_map(|entry| pipeline_file::passed_over(entry, &service));
    report.warnings.extend(passed_over);
    let Report {
        mut problems,
        mut warnings,
    } = report;
    let file = |problem: &Problem| files.iter().position(|file| **file == *problem.place.file);
    for all in [&mut problems, &mut warnings] {
        all.sort_by_key(|it| (file(it), it.place.line(), it.place.column()));
    }
    Ok(Checked {
        exit: match exit {
            Exit::Ok if !problems.is_empty() => Exit::Usage,
            exit => exit,
        },
        pipelines,
        problems,
        warnings,
        service,
    })
}
