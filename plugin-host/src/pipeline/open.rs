//! From a plan to a running driver, from its end to that of the connectors, and around again where
//! a failure may be mended by another try.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread;
use std::time::Instant;

use plugin_api::Position;
use plugin_api::ffi::RunFlags;

use super::RunOptions;
use super::committer::{Committer, SourceCommits};
use super::destinations::{Destination, Destinations};
use super::error::PipelineError;
use super::fused::Fused;
use super::halt::{Halt, halt_on};
use super::hold::{Hold, Wanted};
use super::plan::{Plan, Planned};
use super::recovery::Tries;
use super::run::Run;
use super::status::{Outcome, Status};
use super::window::Windows;
use crate::ffi::{BATCH_RECORDS, Buffer, Place, RECORD_BYTES};
use crate::parameters::Side;
use crate::session::{Call, CallError, DestinationSession, Session, SourceSession, Watched};
use crate::store::StoreKey;
use crate::supervisor;

/// What a driver's thread is started with.
pub(super) struct Launch {
    pub(super) run: Arc<Run>,
    pub(super) committer: Committer,
    pub(super) key: StoreKey,
    pub(super) options: RunOptions,
}

impl Launch {
    /// Starts the driver's thread.
    pub(super) fn spawn(self, plan: Plan, position: Option<Vec<u8>>) -> Result<(), PipelineError> {
        supervisor::watch(&self.run).map_err(PipelineError::Thread)?;
        // No thread's name has a NUL.
        let name = format!("forebay-{}", self.run.pipeline.replace('\0', "?"));
        let spawned = thread::Builder::new().name(name).spawn(move || {
            // A panic here is a mistake of ours; the pipeline fails, others go on.
            let outcome = catch_unwind(AssertUnwindSafe(|| self.run(&plan, position)));
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
    fn run(&self, plan: &Plan, mut position: Option<Vec<u8>>) -> Option<Outcome> {
        let mut tries = self.options.recovery.map(Tries::new);
        loop {
            self.run.enter(Status::Starting);
            let begun = Instant::now();
            let outcome = self.drive(plan, position.as_deref())?;
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
                "pipeline `{}`: try {attempt} follows in {delay:?}: {error}",
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
            position = match plan.source.position(self.run.stored(&self.key)) {
                Ok(position) => position,
                Err(error) => return Some(Outcome::Failed(Arc::new(error))),
            };
        }
    }

    /// Opens the connectors, drives them and tears them down. `None` when the supervisor has taken
    /// the run over.
    fn drive(&self, plan: &Plan, position: Option<&[u8]>) -> Option<Outcome> {
        let flags = if self.options.until_end {
            RunFlags::UNTIL_END
        } else {
            RunFlags::default()
        };
        let source: Arc<SourceSession> = Session::new(
            &plan.name(&plan.source),
            flags,
            plan.source.budget,
            None,
            plan.source.blueprint.secrets(Side::Source),
        );
        let watched: Arc<dyn Watched> = source.clone();
        self.run.add_session(watched);
        let mut sessions = Vec::new();
        for planned in &plan.destinations {
            let waker = Arc::clone(source.context());
            let session: Arc<DestinationSession> = Session::new(
                &plan.name(planned),
                flags,
                planned.budget,
                Some(waker),
                planned.blueprint.secrets(Side::Destination),
            );
            let watched: Arc<dyn Watched> = session.clone();
            self.run.add_session(watched);
            sessions.push(session);
        }
        let opened = self.open(plan, position, &source, &sessions);
        let opened = opened.map_err(|halt| self.run.judge(halt));
        let driven = opened.and_then(|mut fused| {
            self.run.enter(Status::Running);
            fused.drive()
        });
        let outcome = match driven {
            Ok(outcome) => outcome,
            Err(Halt::Abandoned) => return None,
            Err(Halt::Forced) => Outcome::Forced,
            Err(Halt::Failed(error)) => Outcome::Failed(Arc::new(*error)),
        };
        self.close(outcome, &source, &sessions)
    }

    fn open(
        &self,
        plan: &Plan,
        position: Option<&[u8]>,
        source: &Arc<SourceSession>,
        sessions: &[Arc<DestinationSession>],
    ) -> Result<Fused, Halt> {
        for planned in plan.destinations.iter().chain([&plan.source]) {
            let (name, path) = (planned.blueprint.name(), planned.blueprint.path());
            let path = path.map_or_else(String::new, |it| format!(" from `{}`", it.display()));
            log::info!(target: "plugin_host::pipeline", "{} is {name}{path}", plan.name(planned));
        }
        if let Some(position) = position {
            let (source, position) = (plan.name(&plan.source), Position::from(position));
            log::info!(
                target: "plugin_host::pipeline",
                "{source} goes on behind position `{position}`"
            );
        }
        for (session, planned) in sessions.iter().zip(&plan.destinations) {
            let place = plan.place(session.connector());
            let made = session.construct(|| planned.blueprint.new_destination(&place));
            halt_on(session.connector(), Call::Construct, made)?;
            let configured = session.configure(&planned.checked.settings);
            halt_on(session.connector(), Call::Configure, configured)?;
        }
        let planned = &plan.source;
        let place = plan.place(source.connector());
        let made = source.construct(|| planned.blueprint.new_source(&place));
        halt_on(source.connector(), Call::Construct, made)?;
        halt_on(
            source.connector(),
            Call::Configure,
            source.configure(&planned.checked.settings),
        )?;
        // Everything is configured before anything is opened: a bad setting leaves no traces.
        for session in sessions {
            halt_on(session.connector(), Call::Start, session.start())?;
        }
        halt_on(source.connector(), Call::Start, source.start(position))?;
        let destinations = sessions.iter().zip(&plan.destinations);
        let destinations = destinations.map(|(session, planned)| {
            let batch = planned.checked.batch_size().unwrap_or(u32::MAX);
            let rate = planned.checked.rate();
            Destination::new(Arc::clone(session), batch as usize, rate)
        });
        let records = planned.checked.batch_size().unwrap_or(BATCH_RECORDS);
        let connectors = plan.destinations.iter().chain([planned]);
        let hold = Hold::new(connectors.map(|planned| Wanted {
            records: planned.checked.batch_size().unwrap_or(records) as usize,
            delay: planned.checked.batch_delay(),
        }));
        let commits = SourceCommits {
            committer: self.committer.clone(),
            key: self.key.clone(),
            plugin: planned.blueprint.name().to_string(),
            hash: planned.blueprint.hash().map(str::to_owned),
            context: Arc::clone(source.context()),
        };
        let windows = Windows::new(planned.blueprint.specification().acks, commits);
        Ok(Fused::new(
            Arc::clone(&self.run),
            Arc::clone(source),
            Destinations::new(destinations),
            Buffer::new(records, RECORD_BYTES),
            hold,
            windows,
            self.options.until_end,
        ))
    }

    /// Tears everything down. An error here turns a good end into a failure.
    fn close(
        &self,
        outcome: Outcome,
        source: &SourceSession,
        sessions: &[Arc<DestinationSession>],
    ) -> Option<Outcome> {
        let mut failed = None;
        let mut note = |connector: &str, torn_down: Result<(), CallError>| match torn_down {
            Ok(()) => true,
            Err(CallError::Detached) => false,
            Err(error) => {
                log::warn!(target: "plugin_host::pipeline", "{connector}: teardown: {error}");
                failed = failed
                    .take()
                    .or_else(|| PipelineError::call(connector, Call::Teardown, error));
                true
            }
        };
        if !note(source.connector(), source.teardown()) {
            return None;
        }
        for session in sessions {
            if !note(session.connector(), session.teardown()) {
                return None;
            }
        }
        Some(match (outcome, failed) {
            (Outcome::Ended | Outcome::Stopped, Some(error)) => Outcome::Failed(Arc::new(error)),
            (outcome, _) => outcome,
        })
    }
}

impl Plan {
    /// Identity of a connector beyond its pipeline.
    fn name(&self, planned: &Planned) -> String {
        format!("{}:{}", self.pipeline, planned.id)
    }

    fn place<'a>(&'a self, connector: &'a str) -> Place<'a> {
        Place {
            pipeline: &self.pipeline,
            connector,
            max_record_bytes: RECORD_BYTES,
        }
    }
}
