//! From a plan to a running driver, from its end to that of the connectors, and around again where
//! a failure may be mended by another try.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread;
use std::time::Instant;

use plugin_api::ffi::RunFlags;

use super::connectors::Connectors;
use super::dead_letters::DeadLetters;
use super::destination::Destination;
use super::error::PipelineError;
use super::fused::Fused;
use super::halt::{Halt, and_also};
use super::line::hold::{Hold, Wanted};
use super::line::{Line, LineParts};
use super::plan::{Plan, Planned};
use super::recovery::Tries;
use super::run::Run;
use super::status::{Outcome, Status};
use super::windows::Windows;
use super::windows::{Committer, SourceCommits};
use super::{RunOptions, split};
use crate::ffi::{BATCH_RECORDS, Buffer, RECORD_BYTES};
use crate::session::DestinationSession;
use crate::supervisor;

/// What a driver's thread is started with.
pub(super) struct Launch {
    pub(super) run: Arc<Run>,
    pub(super) committer: Committer,
    pub(super) options: RunOptions,
}

/// Behind which positions the sources of a pipeline go on.
type Positions = Vec<Option<Vec<u8>>>;

impl Launch {
    /// Starts the driver's thread.
    pub(super) fn spawn(self, plan: Plan, positions: Positions) -> Result<(), PipelineError> {
        supervisor::watch(&self.run).map_err(PipelineError::Thread)?;
        // No thread's name has a NUL.
        let name = format!("forebay-{}", self.run.pipeline.replace('\0', "?"));
        let spawned = thread::Builder::new().name(name).spawn(move || {
            // A panic here is a mistake of ours; the pipeline fails, others go on.
            let outcome = catch_unwind(AssertUnwindSafe(|| self.run(&plan, positions)));
            let outcome = outcome.unwrap_or_else(|_| {
                let error = PipelineError::Internal("the driver has panicked".to_owned());
                Some(Outcome::Failed(Arc::new(error)))
            });
            if let Some(outcome) = outcome {
                self.run.finish(outcome);
            }
        });
        spawned.map(|_| ()).map_err(PipelineError::Thread)
    }

    /// Tries until the pipeline has ended, was stopped or has failed for good. `None` when the
    /// supervisor has taken the run over.
    fn run(&self, plan: &Plan, positions: Positions) -> Option<Outcome> {
        let mut tries = self.options.recovery.map(Tries::new);
        let mut positions = Ok(positions);
        loop {
            self.run.enter(Status::Starting);
            let begun = Instant::now();
            let outcome = match positions {
                Ok(positions) => self.drive(plan, &positions)?,
                Err(error) => Outcome::Failed(Arc::new(error)),
            };
            let Outcome::Failed(error) = &outcome else {
                return Some(outcome);
            };
            let again = error.is_transient() && !self.run.is_stopping();
            let tries = tries.as_mut().filter(|_| again);
            let next = tries.and_then(|it| it.next(begun.elapsed(), error.retry_after()));
            let Some((attempt, delay)) = next else {
                return Some(outcome);
            };
            log::warn!(
                target: "plugin_host::pipeline",
                "pipeline `{}`: try {attempt} follows in {delay:.1?}: {error}",
                self.run.pipeline
            );
            self.run.begin_again();
            self.run.enter(Status::Recovering {
                error: Arc::clone(error),
                attempt,
                delay,
            });
            if !self.run.rest(delay) {
                return Some(outcome);
            }
            let store = self.run.store().ok_or(PipelineError::StoreClosed);
            positions = store.and_then(|store| plan.positions(&*store));
        }
    }

    /// Opens the connectors, drives them and tears them down. `None` when the supervisor has taken
    /// the run over.
    fn drive(&self, plan: &Plan, positions: &Positions) -> Option<Outcome> {
        let flags = if self.options.until_end {
            RunFlags::UNTIL_END
        } else {
            RunFlags::default()
        };
        let connectors = Connectors::new(plan, &self.run, flags);
        let opened = connectors.open(plan, &self.run, positions);
        let driven = opened.map_err(|halt| self.run.judge(halt));
        let driven = driven.and_then(|()| {
            self.run.enter(Status::Running);
            self.pump(plan, &connectors)
        });
        let outcome = match driven {
            // Whoever has forced a stop is told so, also where nothing was left to do.
            Ok(_) if self.run.is_forced() => Outcome::Forced,
            Ok(outcome) => outcome,
            Err(Halt::Abandoned) => return None,
            Err(Halt::Forced) => Outcome::Forced,
            Err(Halt::Failed(error)) => Outcome::Failed(Arc::new(*error)),
            Err(Halt::Elsewhere) => {
                let error = PipelineError::Internal("a failure that nobody tells".to_owned());
                Outcome::Failed(Arc::new(error))
            }
        };
        connectors.close(outcome)
    }

    /// Moves records until every source has ended or the pipeline is stopped.
    fn pump(&self, plan: &Plan, connectors: &Connectors) -> Result<Outcome, Halt> {
        let (session, planned) = (&connectors.dead_letters, &plan.dead_letters);
        let dead_letters = session.as_ref().zip(planned.as_ref());
        let dead_letters = dead_letters.map(|(session, (planned, limit))| {
            let queue = destination(session, planned, 1, false);
            Arc::new(DeadLetters::new(Arc::clone(&self.run), queue, *limit))
        });
        let sources = plan.sources.len();
        let destinations = connectors.destinations.iter().zip(&plan.destinations);
        let destinations = destinations.map(|(session, planned)| {
            destination(session, planned, sources, dead_letters.is_some())
        });
        let destinations: Vec<_> = destinations.collect();
        let lines = 0..sources;
        let lines = lines.map(|number| self.line(plan, connectors, number, dead_letters.clone()));
        let mut lines: Vec<_> = lines.collect();
        let driven = match (lines.pop(), plan.pump) {
            (Some(line), super::Pump::Fused) if lines.is_empty() => {
                let outlet = Fused::new(Arc::clone(&self.run), destinations);
                Line::new(line, outlet).drive()
            }
            (last, _) => {
                lines.extend(last);
                split::drive(&self.run, lines, destinations)
            }
        };
        and_also(driven, || match &dead_letters {
            Some(queue) => queue.stop().map_err(|halt| self.run.judge(halt)),
            None => Ok(()),
        })
    }

    fn line(
        &self,
        plan: &Plan,
        connectors: &Connectors,
        number: usize,
        dead_letters: Option<Arc<DeadLetters>>,
    ) -> LineParts {
        let planned = &plan.sources[number];
        let source = Arc::clone(&connectors.sources[number]);
        let records = planned.checked.batch_size().unwrap_or(BATCH_RECORDS);
        let filled = plan.destinations.iter().chain([planned]);
        let hold = Hold::new(filled.map(|planned| Wanted {
            records: planned.checked.batch_size().unwrap_or(records) as usize,
            delay: planned.checked.batch_delay(),
        }));
        let commits = SourceCommits {
            run: Arc::clone(&self.run),
            committer: self.committer.clone(),
            key: plan.key(planned),
            plugin: planned.blueprint.name().to_string(),
            hash: planned.blueprint.hash().map(str::to_owned),
            context: Arc::clone(source.context()),
        };
        LineParts {
            run: Arc::clone(&self.run),
            source,
            buffer: Buffer::new(records, RECORD_BYTES),
            hold,
            windows: Windows::new(planned.blueprint.specification().acks, commits),
            dead_letters,
            until_end: self.options.until_end,
        }
    }
}

fn destination(
    session: &Arc<DestinationSession>,
    planned: &Planned,
    sources: usize,
    keeps_refused: bool,
) -> Destination {
    let batch = planned.checked.batch_size().unwrap_or(u32::MAX);
    Destination::new(
        Arc::clone(session),
        sources,
        batch as usize,
        planned.checked.rate(),
        keeps_refused,
    )
}
