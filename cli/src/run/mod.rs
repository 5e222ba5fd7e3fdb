//! `forebay run`: from pipeline files to pipelines that run, and back to a summary.

mod started;
mod tries;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use plugin_host::store::{FileStore, PositionStore};
use plugin_host::{Engine, Events, PipelineConfig, PipelineError, RunOptions};

use crate::args::Global;
use crate::output::{self, Exit, Failure, Form};
use crate::pipeline_file::{self, PipelineEntry};
use crate::progress::{Outcome, Progress, summary_json, summary_text};
use crate::signals::Signals;
use crate::state;
use crate::validate;
use started::Started;

/// Time between two looks at signals and figures.
const LOOK: Duration = Duration::from_millis(20);

/// Runs the pipelines of these files until each has ended or is stopped.
///
/// # Errors
///
/// Returns what keeps all of them from running; a pipeline that fails is in the summary.
pub(crate) fn run(
    global: &Global,
    files: &[PathBuf],
    options: RunOptions,
) -> Result<Exit, Failure> {
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
    let events = engine.events();
    let started = start(&engine, &store, pipelines, options);
    let outcomes = watch(started, &events, begun, &signals, global);
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
    run(&global, &[pipeline.to_owned()], RunOptions::default())
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

fn start<'a>(
    engine: &Engine,
    store: &FileStore,
    pipelines: Vec<(&'a PipelineEntry, PipelineConfig)>,
    options: RunOptions,
) -> Vec<Started<'a>> {
    pipelines
        .into_iter()
        .map(|(entry, config)| {
            let behind = state::stored_for(store, &config);
            Started::new(entry, behind, || engine.start(&config, options))
        })
        .collect()
}

/// Waits for all of them, showing how far they are and passing signals on.
fn watch(
    mut pipelines: Vec<Started<'_>>,
    events: &Events,
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
        // After the look: of one that is over all events are there.
        while let Some(event) = events.next_timeout(Duration::ZERO) {
            let mut pipelines = pipelines.iter_mut();
            if let Some(pipeline) = pipelines.find(|it| it.id() == event.pipeline) {
                pipeline.note(event.status);
            }
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
