//! `forebay run`: from pipeline files to pipelines that run, and back to a summary.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use plugin_host::store::FileStore;
use plugin_host::{Engine, Pipeline, PipelineConfig, PipelineError, RunOptions};

use crate::args::Global;
use crate::output::{self, Exit, Failure, Form};
use crate::pipeline_file::{self, PipelineEntry, PipelineStatus};
use crate::plugins;
use crate::progress::{Outcome, Progress, RunError, Sample, Status, summary_json, summary_text};
use crate::signals::Signals;

/// Time between two looks at signals and figures.
const LOOK: Duration = Duration::from_millis(20);

/// Runs the pipelines of these files until each has ended or is stopped.
///
/// # Errors
///
/// Returns what keeps all of them from running; a pipeline that fails is in the summary.
pub(crate) fn run(global: &Global, files: &[PathBuf], until_end: bool) -> Result<Exit, Failure> {
    let read = match pipeline_file::read(files, &|name| std::env::var(name)) {
        Ok(read) => read,
        Err(rejected) => {
            output::print_problems(&rejected.problems, &rejected.warnings, global.form)?;
            return Ok(rejected.exit());
        }
    };
    output::print_problems(&[], &read.warnings, global.form)?;
    let service = Arc::new(plugins::service(global)?);
    let mut problems = Vec::new();
    let configs: Vec<_> = read
        .pipelines
        .iter()
        .map(|entry| {
            pipeline_file::to_config(entry)
                .map_err(|found| problems.extend(found))
                .ok()
        })
        .collect();
    let signals =
        Signals::listen().map_err(|error| Failure::new(Exit::Environment, "run.signals", error))?;
    let store = FileStore::open(&global.state).map_err(|error| {
        let (code, help) = (error.code(), error.help());
        Failure::new(Exit::Environment, code, error).with_help(help)
    })?;
    let engine = Engine::new(service, Arc::new(store)).map_err(|error| {
        let code = match error {
            PipelineError::LoaderStuck { .. } => "load.timed_out",
            _ => "run.engine",
        };
        let help = error.help();
        Failure::new(Exit::Environment, code, error).with_help(help)
    })?;
    // Everything is checked before anything is started.
    for (entry, config) in read.pipelines.iter().zip(&configs) {
        if let Some(config) = config
            && let Err(errors) = engine.validate(config)
        {
            problems.extend(
                errors
                    .iter()
                    .flat_map(|error| pipeline_file::locate(entry, error)),
            );
        }
    }
    if !problems.is_empty() {
        output::print_problems(&problems, &[], global.form)?;
        return Ok(Exit::Usage);
    }
    let running = read.pipelines.iter().zip(configs.into_iter().flatten());
    let outcomes = watch(start(&engine, running, until_end), &signals, global);
    match global.form {
        Form::Human => output::write_lines(&summary_text(&outcomes)),
        Form::Json => output::print_json(&summary_json(&outcomes))?,
    }
    let failed = outcomes
        .iter()
        .any(|outcome| outcome.status == Status::Failed);
    Ok(if failed { Exit::RunFailed } else { Exit::Ok })
}

/// Runs the pipeline of the quickstart; its folder is the current one.
pub(crate) fn quickstart(global: &Global, pipeline: &Path, plugins: &Path, state: &Path) -> Exit {
    let global = global.within(plugins, state);
    run(&global, &[pipeline.to_owned()], false)
        .unwrap_or_else(|failure| output::print_failure(&failure, global.form))
}

/// One pipeline of the files.
struct Started {
    id: String,
    /// `None` for one that its file says is stopped.
    running: Option<Result<Pipeline, Vec<PipelineError>>>,
    ended: Option<(plugin_host::Outcome, Duration)>,
}

fn start<'a>(
    engine: &Engine,
    pipelines: impl Iterator<Item = (&'a PipelineEntry, PipelineConfig)>,
    until_end: bool,
) -> Vec<Started> {
    pipelines
        .map(|(entry, config)| Started {
            id: entry.id.clone(),
            running: (entry.status == PipelineStatus::Running)
                .then(|| engine.start(&config, RunOptions { until_end })),
            ended: None,
        })
        .collect()
}

/// Waits for all of them, showing how far they are and passing signals on.
fn watch(mut pipelines: Vec<Started>, signals: &Signals, global: &Global) -> Vec<Outcome> {
    let begun = Instant::now();
    let mut progress = Progress::new(global.quiet > 0 || global.form == Form::Json);
    let mut stopping = false;
    loop {
        if signals.take() {
            for pipeline in pipelines.iter().filter_map(Started::pipeline) {
                if stopping {
                    pipeline.force_stop();
                } else {
                    pipeline.stop();
                }
            }
            if !stopping {
                log::warn!(
                    "stopping; a second signal stops at once and repeats some records later"
                );
            }
            stopping = true;
        }
        for pipeline in &mut pipelines {
            pipeline.look(begun);
        }
        let samples: Vec<_> = pipelines.iter().filter_map(Started::sample).collect();
        progress.show(&samples, begun.elapsed());
        let running = pipelines
            .iter()
            .find(|it| it.ended.is_none() && it.pipeline().is_some());
        let Some(running) = running.and_then(Started::pipeline) else {
            break;
        };
        // Any of them may end next; waiting for one of them is a pause that can be short.
        let _over = running.wait_timeout(LOOK);
    }
    progress.finish();
    pipelines.iter().map(Started::outcome).collect()
}

impl Started {
    fn pipeline(&self) -> Option<&Pipeline> {
        self.running.as_ref()?.as_ref().ok()
    }

    fn look(&mut self, begun: Instant) {
        if self.ended.is_none()
            && let Some(pipeline) = self.pipeline()
            && let Some(outcome) = pipeline.wait_timeout(Duration::ZERO)
        {
            self.ended = Some((outcome, begun.elapsed()));
        }
    }

    fn sample(&self) -> Option<Sample> {
        let progress = self.pipeline()?.progress();
        Some(Sample {
            pipeline: self.id.clone(),
            records: progress.records,
            bytes: progress.bytes,
            unacked: progress.unacknowledged,
            errors: self.errors(),
        })
    }

    /// Number of errors of the pipeline; today a first one ends it.
    fn errors(&self) -> u64 {
        match (&self.running, &self.ended) {
            (Some(Err(errors)), _) => errors.len() as u64,
            (_, Some((plugin_host::Outcome::Failed(_), _))) => 1,
            _ => 0,
        }
    }

    fn outcome(&self) -> Outcome {
        let progress = self.pipeline().map(Pipeline::progress).unwrap_or_default();
        let error = match (&self.running, &self.ended) {
            (Some(Err(errors)), _) => errors.first().map(run_error),
            (_, Some((plugin_host::Outcome::Failed(error), _))) => Some(run_error(error)),
            _ => None,
        };
        let status = match (&self.running, &self.ended) {
            (None, _) => Status::Skipped,
            _ if error.is_some() => Status::Failed,
            (_, Some((plugin_host::Outcome::Ended, _))) => Status::Ended,
            _ => Status::Stopped,
        };
        Outcome {
            pipeline: self.id.clone(),
            status,
            records: progress.records,
            bytes: progress.bytes,
            errors: self.errors(),
            elapsed: self
                .ended
                .as_ref()
                .map_or(Duration::ZERO, |(_, elapsed)| *elapsed),
            error,
        }
    }
}

fn run_error(error: &PipelineError) -> RunError {
    RunError {
        code: error.code().to_owned(),
        message: error.to_string(),
        help: Some(error.help()).filter(|help| !help.is_empty()),
    }
}
