//! `forebay run`: from pipeline files to pipelines that run, and back to a summary.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use plugin_host::store::{FileStore, PositionStore};
use plugin_host::{Engine, NotStarted, Pipeline, PipelineConfig, PipelineError, RunOptions};

use crate::args::Global;
use crate::output::{self, Exit, Failure, Form};
use crate::pipeline_file::{self, PipelineEntry, PipelineStatus};
use crate::progress::{Outcome, Progress, RunError, Sample, Status, summary_json, summary_text};
use crate::signals::Signals;
use crate::state;
use crate::validate;

/// Time between two looks at signals and figures.
const LOOK: Duration = Duration::from_millis(20);

/// Runs the pipelines of these files until each has ended or is stopped.
///
/// # Errors
///
/// Returns what keeps all of them from running; a pipeline that fails is in the summary.
pub(crate) fn run(global: &Global, files: &[PathBuf], until_end: bool) -> Result<Exit, Failure> {
    let checked = validate::check(global, files)?;
    output::write_problems(&checked.problems, &checked.warnings);
    if !checked.problems.is_empty() {
        if global.form == Form::Json {
            let document = output::problems_json(&checked.problems, &checked.warnings);
            output::print_json(&document)?;
        }
        return Ok(checked.exit);
    }
    // Nothing is wrong with them, so each has a config.
    let pipelines = checked.pipelines.iter();
    let pipelines: Vec<_> = pipelines
        .filter_map(|entry| Some((entry, pipeline_file::to_config(entry).ok()?)))
        .collect();
    let signals =
        Signals::listen().map_err(|error| Failure::new(Exit::Environment, "run.signals", error))?;
    let store = Arc::new(state::open(global)?);
    let positions: Arc<dyn PositionStore> = store.clone();
    let engine = Engine::new(Arc::new(checked.service), positions).map_err(|error| {
        let code = match error {
            PipelineError::LoaderStuck { .. } => "load.timed_out",
            _ => "run.engine",
        };
        let help = error.help();
        Failure::new(Exit::Environment, code, error).with_help(help)
    })?;
    // Before the first pipeline starts: a short one is over before the last has started.
    let begun = Instant::now();
    let started = start(&engine, &store, pipelines, until_end);
    let outcomes = watch(started, begun, &signals, global);
    match global.form {
        // About the run, as log lines are: standard output is for results.
        Form::Human => output::write_lines(&summary_text(&outcomes)),
        Form::Json => output::print_json(&summary_json(&outcomes))?,
    }
    Ok(exit(&outcomes))
}

/// Runs the pipeline of the quickstart; its folder is the current one.
pub(crate) fn quickstart(global: &Global, pipeline: &Path, plugins: &Path, state: &Path) -> Exit {
    let global = global.within(plugins, state);
    run(&global, &[pipeline.to_owned()], false)
        .unwrap_or_else(|failure| output::print_failure(&failure, global.form))
}

/// The exit code that the outcomes call for: what happened in a run goes before what kept another
/// pipeline from running.
fn exit(outcomes: &[Outcome]) -> Exit {
    [Exit::RunFailed, Exit::Environment, Exit::Usage]
        .into_iter()
        .find(|&exit| outcomes.iter().any(|outcome| outcome.exit == exit))
        .unwrap_or(Exit::Ok)
}

/// One pipeline of the files.
struct Started<'a> {
    entry: &'a PipelineEntry,
    /// `None` for one that its file says is stopped.
    running: Option<Result<Pipeline, NotStarted>>,
    ended: Option<(plugin_host::Outcome, Duration)>,
    /// Its source, as `forebay state` calls it, where a position was stored for it before.
    behind: Option<String>,
    /// Its failure was told before the summary.
    told: bool,
}

fn start<'a>(
    engine: &Engine,
    store: &FileStore,
    pipelines: Vec<(&'a PipelineEntry, PipelineConfig)>,
    until_end: bool,
) -> Vec<Started<'a>> {
    let options = RunOptions {
        until_end,
        ..RunOptions::default()
    };
    pipelines
        .into_iter()
        .map(|(entry, config)| Started {
            entry,
            behind: state::stored_for(store, &config),
            running: (entry.status == PipelineStatus::Running)
                .then(|| engine.start(&config, options)),
            ended: None,
            told: false,
        })
        .collect()
}

/// Waits for all of them, showing how far they are and passing signals on.
fn watch(
    mut pipelines: Vec<Started<'_>>,
    begun: Instant,
    signals: &Signals,
    global: &Global,
) -> Vec<Outcome> {
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
                    "stopping; a second signal breaks off, and the next run repeats some records"
                );
            }
            stopping = true;
        }
        for pipeline in &mut pipelines {
            pipeline.look(begun);
        }
        let others_run = pipelines.iter().any(Started::is_running);
        for pipeline in pipelines.iter_mut().filter(|_| others_run) {
            pipeline.tell_failure();
        }
        let samples: Vec<_> = pipelines.iter().filter_map(Started::sample).collect();
        progress.show(&samples, begun.elapsed());
        let running = pipelines.iter().find(|it| it.is_running());
        let Some(running) = running.and_then(Started::pipeline) else {
            break;
        };
        // Any of them may end next; waiting for one of them is a pause that can be short.
        let _over = running.wait_timeout(LOOK);
    }
    progress.finish();
    pipelines.iter().map(Started::outcome).collect()
}

impl Started<'_> {
    fn pipeline(&self) -> Option<&Pipeline> {
        self.running.as_ref()?.as_ref().ok()
    }

    fn is_running(&self) -> bool {
        self.ended.is_none() && self.pipeline().is_some()
    }

    /// Says at once why it has failed: the others may run for days before there is a summary.
    fn tell_failure(&mut self) {
        if let Some((plugin_host::Outcome::Failed(error), _)) = &self.ended
            && !self.told
        {
            self.told = true;
            log::error!("pipeline `{}` has failed: {error}", self.entry.id);
        }
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
            pipeline: self.entry.id.clone(),
            records: progress.records,
            bytes: progress.bytes,
            unacked: progress.unacknowledged,
            errors: self.errors(),
        })
    }

    /// Number of errors of the pipeline; today a first one ends it.
    fn errors(&self) -> u64 {
        match (&self.running, &self.ended) {
            (Some(Err(refused)), _) => refused.errors.len() as u64,
            (_, Some((plugin_host::Outcome::Failed(_), _))) => 1,
            _ => 0,
        }
    }

    fn outcome(&self) -> Outcome {
        let progress = self.pipeline().map(Pipeline::progress).unwrap_or_default();
        let (status, exit, error) = match (&self.running, &self.ended) {
            (None, _) => (Status::Skipped, Exit::Ok, None),
            (Some(Err(refused)), _) => {
                let error = refused.errors.first();
                let usage = error.is_some_and(PipelineError::is_usage);
                let exit = if usage {
                    Exit::Usage
                } else {
                    Exit::Environment
                };
                (Status::Failed, exit, error.map(|it| self.run_error(it)))
            }
            (_, Some((plugin_host::Outcome::Failed(error), _))) => {
                let usage = error.is_usage();
                let exit = if usage { Exit::Usage } else { Exit::RunFailed };
                (Status::Failed, exit, Some(self.run_error(error)))
            }
            (_, Some((plugin_host::Outcome::Ended, _))) => (Status::Ended, Exit::Ok, None),
            // Whoever goes on behind this command must not take it for done.
            (_, Some((plugin_host::Outcome::Forced, _))) => (Status::Forced, Exit::RunFailed, None),
            _ => (Status::Stopped, Exit::Ok, None),
        };
        Outcome {
            pipeline: self.entry.id.clone(),
            status,
            exit,
            records: progress.records,
            unacked: progress.unacknowledged,
            bytes: progress.bytes,
            errors: self.errors(),
            behind: self.behind.clone(),
            elapsed: self
                .ended
                .as_ref()
                .map_or(Duration::ZERO, |(_, elapsed)| *elapsed),
            error,
        }
    }

    /// With the place in the pipeline file, where the user's text is to blame.
    fn run_error(&self, error: &PipelineError) -> RunError {
        let located = error
            .is_usage()
            .then(|| pipeline_file::locate(self.entry, error))
            .and_then(|problems| problems.into_iter().next());
        RunError {
            code: error.code().to_owned(),
            message: error.to_string(),
            place: located.map(|problem| problem.place),
            help: Some(error.help()).filter(|help| !help.is_empty()),
        }
    }
}
