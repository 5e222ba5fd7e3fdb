//! One pipeline of the files, from its start to what is told of its end.

use std::time::{Duration, Instant};

use plugin_host::{NotStarted, Pipeline, PipelineError};

use super::tries::Tries;
use crate::output::Exit;
use crate::pipeline_file::{self, PipelineEntry, PipelineStatus};
use crate::progress::{Outcome, RunError, Sample, Status};

/// One pipeline of the files.
pub(super) struct Started<'a> {
    entry: &'a PipelineEntry,
    /// `None` for one that its file says is stopped.
    running: Option<Result<Pipeline, NotStarted>>,
    ended: Option<(plugin_host::Outcome, Duration)>,
    tries: Tries,
    /// What of it `forebay state reset` names, where a position was stored for it before.
    behind: Option<String>,
    /// Its failure was told before the summary.
    is_told: bool,
}

impl<'a> Started<'a> {
    /// Starts the pipeline, unless its file says that it is stopped.
    pub(super) fn new(
        entry: &'a PipelineEntry,
        behind: Option<String>,
        start: impl FnOnce() -> Result<Pipeline, NotStarted>,
    ) -> Self {
        Self {
            entry,
            running: (entry.status == PipelineStatus::Running).then(start),
            ended: None,
            tries: Tries::default(),
            behind,
            is_told: false,
        }
    }

    pub(super) fn id(&self) -> &str {
        &self.entry.id
    }

    /// What one of its events tells.
    pub(super) fn note(&mut self, status: plugin_host::Status) {
        self.tries.note(status, Instant::now());
    }

    pub(super) fn pipeline(&self) -> Option<&Pipeline> {
        self.running.as_ref()?.as_ref().ok()
    }

    pub(super) fn is_running(&self) -> bool {
        self.ended.is_none() && self.pipeline().is_some()
    }

    /// Says at once why it has failed: the others may run for days before there is a summary.
    pub(super) fn tell_failure(&mut self) {
        if let Some((plugin_host::Outcome::Failed(error), _)) = &self.ended
            && !self.is_told
            && log::log_enabled!(log::Level::Error)
        {
            let error = self.run_error(error);
            log::error!(target: "forebay::run", "pipeline `{}` has failed: {error}", self.entry.id);
            self.is_told = true;
        }
    }

    pub(super) fn look(&mut self, begun: Instant) {
        if self.ended.is_none()
            && let Some(pipeline) = self.pipeline()
            && let Some(outcome) = pipeline.wait_timeout(Duration::ZERO)
        {
            self.ended = Some((outcome, begun.elapsed()));
        }
    }

    pub(super) fn sample(&self) -> Option<Sample> {
        let progress = self.pipeline()?.progress();
        Some(Sample {
            pipeline: self.entry.id.clone(),
            records: progress.records,
            bytes: progress.bytes,
            unacked: progress.unacknowledged,
            errors: self.errors(),
            dead_letters: progress.dead_letters,
            retry: self.tries.coming(Instant::now()),
        })
    }

    /// Number of errors of the pipeline, those that another try has mended among them.
    fn errors(&self) -> u64 {
        match (&self.running, &self.ended) {
            (Some(Err(refused)), _) => refused.errors.len() as u64,
            _ => self.tries.errors,
        }
    }

    pub(super) fn outcome(&self) -> Outcome {
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
            dead_letters: progress.dead_letters,
            retries: self.tries.retries,
            behind: self.behind.clone(),
            elapsed: self
                .ended
                .as_ref()
                .map_or(Duration::ZERO, |(_, elapsed)| *elapsed),
            error,
            is_told: self.is_told,
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
