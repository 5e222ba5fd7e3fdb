//! The suite of tests for connectors: whether a source or a destination keeps the contract.
//!
//! A connector's crate enables the feature `testing` in its `[dev-dependencies]` and calls
//! [`source()`] or [`destination()`] in a test of its own, with settings with which the connector works.
//! The calls go the way that a host's go, through the same glue, and fail the test with what was
//! wrong and with what was expected.
//!
//! Of both it is tested that
//!
//! - the specification is whole: trimmed texts, of which only description and author may be empty, a
//!   semantic version, parameters with a legal name and a description;
//! - the settings are accepted, also beside names that the connector doesn't know, and without any
//!   one that is required they are refused by an error that names it;
//! - an instance that was never started can be torn down, and none is left at the end;
//! - no instance leaves a thread behind that it has started (looked for on Linux). What a process has
//!   once, such as the threads of a pool, may stay;
//! - each call returns within 10 seconds.
//!
//! # Examples
//!
//! ```
//! use plugin_api::{BatchWriter, Context, Parameters, Position, Progress, Result, Source};
//!
//! /// Settings of the counter.
//! #[derive(Parameters)]
//! pub struct Config {
//!     /// Last number.
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
//!             if self.next > self.last {
//!                 return Ok(Progress::End);
//!             }
//!             batch.create(self.next).payload(self.next);
//!             self.next += 1;
//!         }
//!         Ok(Progress::More)
//!     }
//! }
//!
//! plugin_api::export_plugin! { source: Counter }
//!
//! // In a `#[test]`:
//! # fn main() {
//! plugin_api::testing::source(plugin(), &[("last", "10")]);
//! # }
//! ```
#![expect(
    clippy::panic,
    reason = "the functions of this module fail the test that calls them"
)]

mod common;
mod destination;
mod limit;
mod promptness;
mod source;
mod specification;
mod threads;

use std::collections::BTreeMap;

use crate::Plugin;
use limit::{LIMIT, watched};

/// Settings by their names.
type Settings = BTreeMap<String, String>;

/// Tests a plugin's source with these settings, with which it must have at least one record to read.
///
/// Beside what holds for both, it is tested that
///
/// - every record has a position, and none the position of another;
/// - a source that is opened again at the position of a record goes on with the record behind it,
///   which is the same as before but for its metadata;
/// - `read` returns in time, also when it may not wait: it fails where three reads in a row have each
///   taken more than half a second longer than [`Context::max_wait`](crate::Context::max_wait). Work
///   may take that long now and then, and a loaded machine, too; a source that sleeps, or waits in its
///   client, always does;
/// - `ack` takes the positions, and after `stop` the source ends behind the position that it has told.
///
/// Data that the settings lead to must stay as it is meanwhile.
///
/// # Panics
///
/// Panics, and so fails the test, at the first thing that is wrong.
#[track_caller]
pub fn source(plugin: Plugin, settings: &[(&str, &str)]) {
    let settings = owned(settings);
    watched(move |steps| source::test(&plugin, &settings, steps));
}

/// Tests a plugin's destination with these settings. It writes some records, so give it a place of
/// its own.
///
/// Beside what holds for both, it is tested that
///
/// - records of raw and of structured data that were created, with a key and without one, come in two
///   batches and are acknowledged, by a `write` or a `flush`, within 10 seconds after `stop`;
/// - updates, deletes and snapshots, without data or metadata or with all of it, are acknowledged or
///   refused one by one;
/// - each record has exactly one answer. `flush` is called before `stop` and, after all are answered, once
///   more, so that a second answer is seen that comes late, as it does where
///   [`Acks::defer`](crate::Acks::defer) was forgotten;
/// - a destination can be opened again where one was before.
///
/// # Panics
///
/// Panics, and so fails the test, at the first thing that is wrong.
#[track_caller]
pub fn destination(plugin: Plugin, settings: &[(&str, &str)]) {
    let settings = owned(settings);
    watched(move |steps| destination::test(&plugin, &settings, LIMIT, steps));
}

fn owned(settings: &[(&str, &str)]) -> Settings {
    let settings = settings.iter();
    settings
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}
