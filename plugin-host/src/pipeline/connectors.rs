//! The connectors of a run: made, told of what has become of them, opened and torn down.

use std::sync::Arc;

use plugin_api::Position;
use plugin_api::ffi::RunFlags;

use super::Pump;
use super::error::PipelineError;
use super::halt::{Halt, halt_on};
use super::plan::{Plan, Planned};
use super::run::Run;
use super::status::Outcome;
use crate::ffi::{Place, RECORD_BYTES};
use crate::session::{
    Call, CallError, DestinationSession, Lifecycle, Object, Session, SourceSession, Watched,
};

/// The sessions of one try.
pub(super) struct Connectors {
    pub(super) sources: Vec<Arc<SourceSession>>,
    pub(super) destinations: Vec<Arc<DestinationSession>>,
    pub(super) dead_letters: Option<Arc<DestinationSession>>,
}

impl Connectors {
    /// Makes the sessions, watched, without objects yet.
    pub(super) fn new(plan: &Plan, run: &Run, flags: RunFlags) -> Self {
        let sources = plan.sources.iter().map(|planned| {
            let name = plan.name(planned);
            let session: Arc<SourceSession> =
                Session::new(&name, flags, planned.budget, None, planned.secrets());
            let watched: Arc<dyn Watched> = session.clone();
            run.add_session(watched);
            session
        });
        let sources: Vec<_> = sources.collect();
        // Where one thread drives both, a destination's waker ends the source's wait.
        let driver = sources.first().filter(|_| plan.pump == Pump::Fused);
        let destination = |planned: &Planned, waker: Option<&Arc<SourceSession>>| {
            let waker = waker.map(|source| Arc::clone(source.context()));
            let name = plan.name(planned);
            let session: Arc<DestinationSession> =
                Session::new(&name, flags, planned.budget, waker, planned.secrets());
            let watched: Arc<dyn Watched> = session.clone();
            run.add_session(watched);
            session
        };
        let destinations = plan.destinations.iter();
        let destinations = destinations.map(|planned| destination(planned, driver));
        Self {
            destinations: destinations.collect(),
            dead_letters: plan
                .dead_letters
                .as_ref()
                .map(|(planned, _)| destination(planned, None)),
            sources,
        }
    }

    fn all_destinations<'a>(
        &'a self,
        plan: &'a Plan,
    ) -> impl Iterator<Item = (&'a Arc<DestinationSession>, &'a Planned)> {
        let queue = plan.dead_letters.iter().map(|(planned, _)| planned);
        let sessions = self.destinations.iter().chain(&self.dead_letters);
        sessions.zip(plan.destinations.iter().chain(queue))
    }

    fn all_sources<'a>(
        &'a self,
        plan: &'a Plan,
    ) -> impl Iterator<Item = (&'a Arc<SourceSession>, &'a Planned)> {
        self.sources.iter().zip(&plan.sources)
    }

    /// Makes the objects and opens them, sources behind these positions.
    pub(super) fn open(
        &self,
        plan: &Plan,
        run: &Run,
        positions: &[Option<Vec<u8>>],
    ) -> Result<(), Halt> {
        log_plan(plan, positions);
        for (session, planned) in self.all_destinations(plan) {
            let place = plan.place(session.connector());
            let made = session.construct(|| planned.blueprint.new_destination(&place));
            halt_on(session.connector(), Call::Construct, made)?;
            configure(session, planned)?;
        }
        for (session, planned) in self.all_sources(plan) {
            let place = plan.place(session.connector());
            let made = session.construct(|| planned.blueprint.new_source(&place));
            halt_on(session.connector(), Call::Construct, made)?;
            configure(session, planned)?;
        }
        // Everything is configured before anything is told or opened: a bad setting leaves no traces.
        // The dead-letter queue is the pipeline's, not a connector that comes and goes.
        for (session, planned) in self.destinations.iter().zip(&plan.destinations) {
            tell(session, plan, planned, run)?;
        }
        for (session, planned) in self.all_sources(plan) {
            tell(session, plan, planned, run)?;
        }
        for (session, _) in self.all_destinations(plan) {
            halt_on(session.connector(), Call::Start, session.start())?;
        }
        for ((session, _), position) in self.all_sources(plan).zip(positions) {
            let started = session.start(position.as_deref());
            halt_on(session.connector(), Call::Start, started)?;
        }
        Ok(())
    }

    /// Tears everything down. An error here turns a good end into a failure. `None` when the supervisor
    /// has taken the run over.
    pub(super) fn close(&self, outcome: Outcome) -> Option<Outcome> {
        let mut failed = None;
        for source in &self.sources {
            tear_down(source, &mut failed)?;
        }
        for destination in self.destinations.iter().chain(&self.dead_letters) {
            tear_down(destination, &mut failed)?;
        }
        Some(match (outcome, failed) {
            (Outcome::Ended | Outcome::Stopped, Some(error)) => Outcome::Failed(Arc::new(error)),
            (outcome, _) => outcome,
        })
    }
}

fn tear_down<O: Object>(session: &Session<O>, failed: &mut Option<PipelineError>) -> Option<()> {
    match session.teardown() {
        Ok(()) => {}
        Err(CallError::Detached) => return None,
        Err(error) => {
            let connector = session.connector();
            log::warn!(target: "plugin_host::pipeline", "{connector}: teardown: {error}");
            if failed.is_none() {
                *failed = PipelineError::call(connector, Call::Teardown, error);
            }
        }
    }
    Some(())
}

fn configure<O: Object>(session: &Session<O>, planned: &Planned) -> Result<(), Halt> {
    let configured = session.configure(&planned.checked.settings);
    halt_on(session.connector(), Call::Configure, configured)
}

/// Tells a connector's plugin that it is new or has changed since it was last active, if it has.
fn tell<O: Object>(
    session: &Session<O>,
    plan: &Plan,
    planned: &Planned,
    run: &Run,
) -> Result<(), Halt> {
    let store = run.store().ok_or(PipelineError::StoreClosed)?;
    let key = plan.key(planned);
    let stored = |error| Halt::from(PipelineError::Store(Arc::new(error)));
    let before = store.active(&key).map_err(stored)?;
    let now = planned.active();
    if before.as_ref() == Some(&now) {
        return Ok(());
    }
    // Another plugin's connector of the same id, or one of the other side, is another connector.
    let same = before.filter(|before| before.side == now.side && planned.is_of(&before.plugin));
    let event = match same {
        None => Some(Lifecycle::Created(now.settings.clone())),
        Some(before) if before.settings != now.settings => {
            Some(Lifecycle::Updated(before.settings, now.settings.clone()))
        }
        // Another version of the plugin with the same settings.
        Some(_) => None,
    };
    if let Some(event) = event {
        let told = session.lifecycle(&event);
        halt_on(session.connector(), Call::Lifecycle, told)?;
    }
    store.activate(&key, &now).map_err(stored)
}

fn log_plan(plan: &Plan, positions: &[Option<Vec<u8>>]) {
    for planned in plan.connectors() {
        let (name, path) = (planned.blueprint.name(), planned.blueprint.path());
        let path = path.map_or_else(String::new, |it| format!(" from `{}`", it.display()));
        log::info!(target: "plugin_host::pipeline", "{} is {name}{path}", plan.name(planned));
    }
    for (planned, position) in plan.sources.iter().zip(positions) {
        if let Some(position) = position {
            let (source, position) = (plan.name(planned), Position::from(&**position));
            log::info!(
                target: "plugin_host::pipeline",
                "{source} goes on behind position `{position}`"
            );
        }
    }
}

impl Plan {
    fn place<'a>(&'a self, connector: &'a str) -> Place<'a> {
        Place {
            pipeline: &self.pipeline,
            connector,
            max_record_bytes: RECORD_BYTES,
        }
    }
}
