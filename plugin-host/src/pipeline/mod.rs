//! Pipelines: a source, its destinations, and the driver that moves records between them.

#[cfg(test)]
mod books_tests;
mod config;
mod connectors;
mod dead_letters;
mod delete;
mod destination;
mod error;
mod fused;
mod halt;
mod launch;
mod line;
mod not_started;
mod outlet;
mod plan;
mod progress;
mod recovery;
mod run;
mod settings;
mod split;
mod status;
mod validate;
mod windows;

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

pub use config::{ConnectorConfig, DeadLetterQueue, PipelineConfig, Pump, RunOptions};
pub use dead_letters::NackLimit;
pub use delete::DeleteError;
pub use error::PipelineError;
pub use not_started::NotStarted;
pub use progress::Progress;
pub use recovery::Recovery;
pub use status::{Event, Events, Outcome, Status};

pub(crate) use destination::{Answers, FLUSH_WAIT, shortened, text_length};
pub(crate) use run::Run;
pub(crate) use settings::Checked;

use crate::parameters::IgnoredSetting;
use crate::service::PluginService;
use crate::store::PositionStore;
use plan::Plan;
use status::Listeners;
use windows::Committer;

/// Runs pipelines over one set of plugins and one position store.
///
/// **Threads.** Calls may come from any thread, also at the same time. Each pipeline has a thread of
/// its own, and a split one further ones, a source and a destination each; the engine has one that commits positions.
///
/// **Blocking.** [`new`](Self::new), [`validate`](Self::validate) and [`events`](Self::events) wait for
/// nothing; [`start`](Self::start) waits for the disk once, to read the stored position, and
/// [`forget`](Self::forget) to write. Only [`delete`](Self::delete) waits for a plugin.
///
/// **The end.** Dropping the engine stops nothing: its pipelines go on, and with the last of them the
/// committing thread ends and the store is closed. To end them stop each and wait for it.
pub struct Engine {
    service: Arc<PluginService>,
    store: Arc<dyn PositionStore>,
    committer: Committer,
    runs: Mutex<Vec<Weak<Run>>>,
    listeners: Arc<Listeners>,
}

impl Engine {
    /// Makes an engine; it starts the thread that commits positions.
    ///
    /// # Errors
    ///
    /// Fails when the thread can't be started, because of the system or because a plugin file hangs
    /// in the dynamic loader.
    pub fn new(
        service: Arc<PluginService>,
        store: Arc<dyn PositionStore>,
    ) -> Result<Self, PipelineError> {
        PipelineError::check_loader()?;
        let committer = Committer::start(&store).map_err(PipelineError::Thread)?;
        Ok(Self {
            service,
            store,
            committer,
            runs: Mutex::default(),
            listeners: Arc::default(),
        })
    }

    /// The plugins.
    #[must_use]
    pub fn service(&self) -> &Arc<PluginService> {
        &self.service
    }

    /// Checks a pipeline's plugins and settings without starting anything. Returns the settings
    /// that have no effect, each with the identity of its connector: the user should know of them.
    ///
    /// # Errors
    ///
    /// Returns all that is wrong, connector by connector.
    pub fn validate(
        &self,
        config: &PipelineConfig,
    ) -> Result<Vec<(String, IgnoredSetting)>, NotStarted> {
        let plan = Plan::new(&self.service, config)?;
        let ignored = plan.connectors().flat_map(|planned| {
            let ignored = planned.checked.ignored.iter().cloned();
            ignored.map(|setting| (planned.id.clone(), setting))
        });
        Ok(ignored.collect())
    }

    /// Starts a pipeline on a thread of its own. Of settings that have no effect nothing is said:
    /// [`validate`](Self::validate) returns them.
    ///
    /// # Errors
    ///
    /// Returns what is wrong with the configuration, before anything was started: also that the
    /// pipeline still runs, or that its position is another plugin's. What fails later, the opening
    /// of connectors included, is the pipeline's [`Outcome`].
    pub fn start(
        &self,
        config: &PipelineConfig,
        options: RunOptions,
    ) -> Result<Pipeline, NotStarted> {
        PipelineError::check_loader()?;
        let plan = Plan::new(&self.service, config)?;
        Ok(self.launch(plan, options)?)
    }

    /// What the engine's pipelines do from now on, those that are started later included.
    #[must_use]
    pub fn events(&self) -> Events {
        self.listeners.add()
    }

    fn launch(&self, plan: Plan, options: RunOptions) -> Result<Pipeline, PipelineError> {
        // Held to the end: of two starts at once the second finds the first.
        let mut runs = self.runs.lock().unwrap_or_else(PoisonError::into_inner);
        runs.retain(|run| run.upgrade().is_some_and(|run| !run.is_over()));
        let mut alive = runs.iter().filter_map(Weak::upgrade);
        if alive.any(|run| run.pipeline == plan.pipeline) {
            return Err(PipelineError::AlreadyRunning {
                pipeline: plan.pipeline,
            });
        }
        let positions = plan.positions(&*self.store)?;
        let run = Run::new(
            plan.pipeline.clone(),
            Arc::clone(&self.store),
            Arc::clone(&self.listeners),
        );
        runs.push(Arc::downgrade(&run));
        let launch = launch::Launch {
            run: Arc::clone(&run),
            committer: self.committer.clone(),
            options,
        };
        launch.spawn(plan, positions)?;
        Ok(Pipeline { run })
    }
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine")
            .field("service", &self.service)
            .finish_non_exhaustive()
    }
}

/// A pipeline that was started.
///
/// **Threads and blocking.** Calls may come from any thread, also at the same time, and only
/// [`wait`](Self::wait) and [`wait_timeout`](Self::wait_timeout) wait. A plugin that hangs doesn't keep a
/// pipeline from its end: a call that outlives its budget (`sdk.call.timeout`, 30 s unless it is set), or
/// half a second after a forced stop, is given up with its instance.
///
/// **Order.** [`stop`](Self::stop) at any time, [`force_stop`](Self::force_stop) at any time, also after
/// it; further ones do nothing. An end that has come is final: the same configuration can be started
/// again, by [`Engine::start`].
///
/// **Last call.** None is needed. Dropping the handle stops the pipeline gracefully, without waiting.
pub struct Pipeline {
    run: Arc<Run>,
}

impl Pipeline {
    /// Identity of the pipeline.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.run.pipeline
    }

    /// Asks for a graceful stop: the source reads no more, what it has read is written, confirmed
    /// and stored. Nothing waits for a rate any more: what it holds back is read again.
    pub fn stop(&self) {
        self.run.stop();
    }

    /// Asks for a stop that waits for nothing: calls are cancelled, and an instance that doesn't
    /// return soon is detached. What was not confirmed is read again by the next run.
    pub fn force_stop(&self) {
        self.run.force();
    }

    /// Waits until the pipeline is over, at most for the time given; `None` when it still runs.
    /// Any number of threads may wait; each gets the outcome.
    #[must_use]
    pub fn wait_timeout(&self, timeout: Duration) -> Option<Outcome> {
        self.run.wait(Instant::now().checked_add(timeout))
    }

    /// Waits until the pipeline is over.
    #[must_use]
    pub fn wait(&self) -> Outcome {
        loop {
            if let Some(outcome) = self.run.wait(None) {
                return outcome;
            }
        }
    }

    /// What the pipeline is doing, at this moment; [`Engine::events`] has every change.
    #[must_use]
    pub fn status(&self) -> Status {
        self.run.status()
    }

    /// What the pipeline has done so far, over all of its tries.
    #[must_use]
    pub fn progress(&self) -> Progress {
        self.run.counters.progress()
    }
}

impl Drop for Pipeline {
    fn drop(&mut self) {
        self.run.stop();
    }
}

impl fmt::Debug for Pipeline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pipeline")
            .field("id", &self.run.pipeline)
            .field("status", &self.status())
            .field("progress", &self.progress())
            .finish_non_exhaustive()
    }
}
