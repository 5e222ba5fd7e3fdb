//! Write connectors that Forebay loads as shared libraries.
//!
//! Forebay streams records from *sources* to *destinations*. Both are connectors, and connectors come
//! in *plugins*: shared libraries that a host finds in a folder, checks and loads. A plugin is a crate
//! like any other that implements [`Source`], [`Destination`] or both, and says so once:
//!
//! ```
//! use plugin_api::{
//!     BatchWriter, Context, Parameters, Position, Progress, Result, Source, export_plugin,
//! };
//!
//! /// Settings of the counter.
//! #[derive(Parameters)]
//! pub struct Config {
//!     /// Last number to emit; 0 counts for ever.
//!     #[parameter(default = 0)]
//!     last: u64,
//! }
//!
//! /// Emits 1, 2, 3 and so on.
//! pub struct Counter {
//!     next: u64,
//!     last: u64,
//! }
//!
//! impl Source for Counter {
//!     type Config = Config;
//!
//!     fn open(config: Config, position: Option<&Position>) -> Result<Self> {
//!         let next = position.map(Position::parse::<u64>).transpose()?.map_or(1, |n| n + 1);
//!         Ok(Self { next, last: config.last })
//!     }
//!
//!     fn read(&mut self, batch: &mut BatchWriter, _: &Context) -> Result<Progress> {
//!         while batch.has_room() {
//!             if self.last != 0 && self.next > self.last {
//!                 return Ok(Progress::End);
//!             }
//!             batch.create(self.next).payload(format_args!("number {}", self.next));
//!             self.next += 1;
//!         }
//!         Ok(Progress::More)
//!     }
//! }
//!
//! export_plugin! { source: Counter }
//! # fn main() {}
//! ```
//!
//! With `crate-type = ["cdylib"]` this builds a file to drop into a plugin folder; with `"rlib"` beside
//! it, a host can also link it in and register [`Plugin`] as a builtin. Both behave the same.
//!
//! `docs/writing-a-plugin.md` in the repository is the guide: positions, settings, errors, batches, tests,
//! versions, and what to mind when a file is shipped. The pages here say it item by item; begin with
//! [`Source`] or [`Destination`], then [`BatchWriter`] or [`Batch`], then [`Parameters`].
//!
//! # Concepts
//!
//! - A **record** ([`Record`], [`RecordView`]) says that data was created, updated, deleted or already
//!   there ([`Operation`]). It has a key, the data before and after, each raw bytes or structured
//!   ([`Data`]), metadata, and a position.
//! - A **position** ([`Position`]) is where a source stands after a record. Only its source can read
//!   it; the host stores it and gives it back to [`Source::open`] when a pipeline goes on.
//! - A **batch** ([`BatchWriter`], [`Batch`]) carries many records in one piece of memory that the host
//!   recycles. Writing slices into it allocates nothing; [`BatchWriter::push`] and
//!   [`RecordView::to_owned`] are the simple way with owned records.
//! - An **ack** ([`Acks`]) says that a destination has a record safe, a nack that this record can't be
//!   written, which today ends the run. When every destination has acked a record its position becomes
//!   durable, and then [`Source::ack`] learns of it. After a crash some records come again; none is
//!   lost.
//! - A **parameter** ([`Parameters`], [`Parameter`]) is a setting that a connector understands. The host
//!   checks settings against the parameters before a connector sees them.
//! - The **specification** ([`Specification`]) is all of this as data. It lies in the plugin's file, so
//!   a host can list a plugin without running it.
//! - The **context** ([`Context`]) of a call says how long it may wait, and wakes it.
//!
//! For both traits: what a call lends (batch, answers, context, settings) belongs to that call, but a
//! [`Context`] and a [`Waker`] may be cloned and kept.
//!
//! # Clients that block or are async
//!
//! A read may wait for data only as its context lets it. A source whose client has its own way to wait
//! reads from a [`Feed`]: a closure that calls the client on a thread of its own, and pushes records.
//! With the feature `tokio` the module `tokio` has the same for async blocks, and awaits a destination's
//! client. A destination whose client blocks needs nothing: `write` is at work, and may take its time.
//!
//! # What is promised
//!
//! - Calls on one connector never overlap, and each sees what the one before it did; the thread may
//!   change. A connector needs no lock, no channel, no async runtime and no `unsafe`.
//! - A panic is caught. It costs the instance it happened in, and nothing else.
//! - Any error becomes an [`Error`] by `?`; [`Error::fatal`] and [`Error::invalid_config`] say more
//!   about it. An error ends the run; the next one goes on behind the last stored position.
//! - What a connector logs with the `log` crate appears in the host's log, with the connector's name.
//!
//! # Features
//!
//! - `testing` (off): the module `testing`, with which a connector's crate tests in one line that its source
//!   or destination keeps the contract. Enable it in `[dev-dependencies]`.
//! - `tokio` (off): the module `tokio`, a runtime of the plugin's own for a connector whose client is async.
//!   It adds tokio to the plugin.
//!
//! # Trust
//!
//! A plugin in the host's process can do whatever the host can. The checks at load keep mistakes out,
//! not malice.
//!
//! # The boundary
//!
//! [`ffi`] has the types that cross between a host and a plugin file, and the glue that makes an
//! author's types of them. Authors don't need it; hosts do. `docs/abi.md` is its normative text.

mod batch;
mod context;
mod destination;
pub mod duration;
mod error;
mod feed;
pub mod ffi;
pub mod format;
mod parameters;
pub mod record;
mod source;
mod specification;
pub mod structured;
#[cfg(feature = "testing")]
pub mod testing;
#[cfg(feature = "tokio")]
pub mod tokio;

pub use batch::{
    Batch, BatchWriter, DecimalCounter, Field, FieldWriter, MetadataView, RecordView, RecordWriter,
    Records, Shared,
};
pub use context::{Context, Waker, Wakeup};
pub use destination::{Acks, Destination};
pub use error::{
    Error, ErrorKind, ParameterError, PluginNotFound, Result, StreamNotOpen, Unimplemented,
    ValidationError,
};
pub use feed::{Capacity, Feed, FeedClosed, Feeder};
pub use ffi::Plugin;
pub use forebay_plugin_api_derive::Parameters;
pub use format::Format;
#[doc(hidden)]
pub use parameters::joined;
pub use parameters::{InvalidValue, ParameterValue, Parameters, Settings, list_entries};
pub use record::{Change, Data, DataRef, Metadata, Operation, Position, Record};
pub use source::{Progress, Source};
pub use specification::{
    AckMode, Parameter, ParameterType, Specification, Validation, ValidationType,
};

/// The plugins in the README must compile; the test of one needs the suite.
#[cfg(all(doctest, feature = "testing"))]
#[doc = include_str!("../../README.md")]
struct Readme;

/// What the guide shows must compile; its tests need the suite.
#[cfg(all(doctest, feature = "testing"))]
#[doc = include_str!("../../docs/writing-a-plugin.md")]
struct Guide;
