//! Load, check and run connector plugins.

mod ffi;
pub mod loader;
pub mod parameters;
mod pipeline;
pub mod registry;
mod service;
mod session;
pub mod specification;
pub mod store;
mod supervisor;

pub use parameters::ConfigError;
pub use pipeline::{
    ConnectorConfig, Engine, Outcome, Pipeline, PipelineConfig, PipelineError, Progress, RunOptions,
};
pub use registry::{Blueprint, PluginKind, PluginName, Registry, ScanOptions};
pub use service::{LookupError, PluginService};

/// Whether a plugin's code hangs in this process: a call that was detached, or a load that did not
/// return. A static constructor that hangs holds the dynamic loader's lock, and then even `exit`
/// hangs; a program that sees `true` at its end should flush its output and leave by `_exit`.
#[must_use]
pub fn is_stuck() -> bool {
    session::stuck_calls() + loader::stuck_loads() > 0
}
