//! Load, check and run connector plugins.
//!
//! For programs that stream records through plugins of [`plugin_api`]: the `forebay` command line is
//! one. A plugin is a value of one type, linked in or loaded from a file, and everything past the
//! [`Registry`] treats the two alike.
//!
//! A program depends on the package `forebay-plugin-host`, which is this library; on
//! `forebay-plugin-api`, the library [`plugin_api`], where it touches records or has connectors of its own;
//! and on `crossbeam-channel` for the channels of [`embedded`]. Both libraries have a
//! `Context` and a `Progress`. What is used beside the other one is imported by another name:
//! `use plugin_host::{Context as CallContext, Progress as PipelineProgress}`.
//!
//! A first program, which is in the folder `examples` as all of them: it loads the plugin files of a
//! folder, lists them, and checks and runs a pipeline.
//!
//! ```no_run
#![doc = include_str!("../examples/first_program.rs")]
//! ```
//!
//! [`PluginService::check`] tells which files can't be used, and why. [`embedded`] has what a program
//! needs to be a source or destination itself. [`Engine::events`] and [`Pipeline::status`] tell how the
//! pipelines are, and [`RunOptions::recovery`] has one that failed tried again. All calls block; from
//! async code they go to a thread for blocking calls. The other examples are `own_connectors` and
//! `from_async`.
//!
//! # One connector, without a pipeline
//!
//! A [`Dispenser`] makes connectors that a host drives itself, by calls that block until their
//! [`Context`] ends: [`SourceStream`] and [`DestinationStream`]. `configure` gives the plugin the settings as
//! they are, without the checks of its specification:
//! [`PluginService::validate_source_config`] checks them first.
//!
//! ```no_run
//! use plugin_host::{Context, PluginService};
//!
//! # fn lines(service: &PluginService) -> Result<(), Box<dyn std::error::Error>> {
//! let context = Context::background();
//! let settings = [("path".to_owned(), "in.txt".to_owned())].into();
//! for ignored in service.validate_source_config(&context, "file", &settings)? {
//!     println!("{ignored}");
//! }
//! let source = service.new_dispenser("file")?.dispense_source(&context)?;
//! source.configure(&context, &settings)?;
//! source.start(&context, None)?;
//! loop {
//!     match source.read(&context) {
//!         Ok(record) => source.ack(&context, &record.position)?,
//!         Err(end) if end.is_not_open() => break,
//!         Err(error) => return Err(error.into()),
//!     }
//! }
//! source.teardown(&context)?;
//! # Ok(())
//! # }
//! ```
//!
//! # What is promised
//!
//! - **At least once.** A position is durable before its source learns of it; after a crash at most
//!   two windows of 65,536 records are read again.
//! - **Order.** The records of a source reach each destination in order, and acks reach the source in
//!   order.
//! - **A plugin doesn't take the host with it.** Its panics stay in it; a call that outlives its budget,
//!   or the context of a stream's call, is given up and its pipeline or stream fails, while the others
//!   go on. A crash (a wild pointer, an abort, a panic in a thread-local's destructor) does end the
//!   process: a plugin shares it.
//! - **Secrets stay secret.** The value of a `secret` parameter is in no error and no log record, neither
//!   the host's nor, in any form that can be recognised, a plugin's; only a builtin's log records don't
//!   come through here. `docs/abi.md` tells the forms and the limits.
//! - **No code of a file runs before the file has passed the checks** that can be made without running
//!   it; see [`loader`].
//! - This library prints nothing, installs no signal or exit handler and never ends the process. It
//!   logs through the `log` crate, under the target `plugin_host`.
//!
//! # Where to read on
//!
//! [`loader`]: the stages of loading and why a file is refused. [`registry`]: names, versions, folders.
//! [`parameters`]: how settings are checked. [`store`]: where positions live. `docs/architecture.md`
//! tells how it all works, and `docs/abi.md` what crosses between host and plugin.

mod dispenser;
pub mod embedded;
mod ffi;
pub mod loader;
mod nearest;
pub mod parameters;
mod pipeline;
pub mod registry;
mod secrets;
mod service;
mod session;
pub mod specification;
pub mod store;
mod stream;
mod supervisor;
mod validation;

pub use dispenser::{Dispenser, Specifier};
pub use nearest::nearest;
pub use parameters::ConfigError;
pub use pipeline::{
    ConnectorConfig, DeadLetterQueue, DeleteError, Engine, Event, Events, NackLimit, NotStarted,
    Outcome, Pipeline, PipelineConfig, PipelineError, Progress, Pump, Recovery, RunOptions, Status,
};
pub use registry::{Blueprint, PluginKind, PluginName, Registry, ScanOptions};
pub use secrets::redacted;
pub use service::{LookupError, PluginService, Unhealthy};
pub use stream::{
    CancelHandle, Context, ContextEnd, DestinationStream, RecordBatch, SourceStream, StreamError,
    WriteError,
};
pub use validation::ValidateError;

/// Whether a plugin's code hangs in this process: a call that was detached, or a load that did not
/// return. A static constructor that hangs holds the dynamic loader's lock, and then even `exit`
/// hangs; a program that sees `true` at its end should flush its output and leave by `_exit`.
#[must_use]
pub fn is_stuck() -> bool {
    session::stuck_calls() + loader::stuck_loads() > 0
}
