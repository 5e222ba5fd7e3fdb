//! Running pipelines, from plugins that are made in these tests.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test's helper functions may fail the test"
)]

mod batching;
mod bounds;
mod delete;
mod delivery;
mod embedded;
mod feed;
mod lifecycle;
mod recovery;
mod secrets;
mod streams;
mod stuck;
mod support;
mod validation;
mod windows;
