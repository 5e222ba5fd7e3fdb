//! Connectors that a program makes from its own closures and channels.
//!
//! Each is a plugin to register as a builtin, beside those of files, and behaves as any other: a
//! pipeline names it, its settings are checked, its panics stay in it. A type that implements
//! [`Source`](plugin_api::Source) or [`Destination`](plugin_api::Destination) becomes one by
//! [`Plugin::from_source`](plugin_api::Plugin::from_source) and
//! [`Plugin::from_destination`](plugin_api::Plugin::from_destination).
//!
//! ```
//! use std::sync::Arc;
//!
//! use crossbeam_channel::bounded;
//! use plugin_api::{Acks, Batch, Context, Record};
//! use plugin_host::store::FileStore;
//! use plugin_host::{
//!     ConnectorConfig, Engine, Outcome, PipelineConfig, PluginService, Registry, RunOptions,
//!     embedded,
//! };
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let (orders, taken) = bounded(256);
//! let plugins = Registry::builtin([
//!     embedded::channel_source("orders", taken),
//!     embedded::destination("total", {
//!         let mut total = 0;
//!         move |batch: &Batch<'_>, _: &mut Acks<'_>, _: &Context| {
//!             total += batch.len();
//!             println!("{total} orders");
//!             Ok(()) // acknowledges every record of the batch
//!         }
//!     }),
//! ]);
//! let service = Arc::new(PluginService::new(plugins, Registry::default()));
//! # let state = tempfile::tempdir()?;
//! let engine = Engine::new(service, Arc::new(FileStore::open(state.path())?))?;
//! let config = PipelineConfig::new("count", ConnectorConfig::new("in", "orders")?)
//!     .to(ConnectorConfig::new("out", "total")?);
//! let pipeline = engine.start(&config, RunOptions::default())?;
//! for number in 1..=3 {
//!     orders.send(Record::create(number.to_string()).with_payload("tea"))?;
//! }
//! drop(orders); // ends the source
//! assert!(matches!(pipeline.wait(), Outcome::Ended));
//! assert_eq!(pipeline.progress().committed, 3);
//! # Ok(())
//! # }
//! ```

mod channel;
mod closure;

pub use channel::{channel_destination, channel_source};
pub use closure::{destination, source};
