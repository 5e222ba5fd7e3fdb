//! Running pipelines, from plugins that are made in these tests.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test's helper functions may fail the test"
)]
#![expect(
    clippy::duplicate_mod,
    reason = "what holds for both drivers is tested over each of them"
)]

mod delete;
mod embedded;
mod feed;
mod gate;
mod lifecycle;
mod secrets;
mod several;
mod streams;
mod support;
mod validation;

/// The tests that hold for both drivers, over one thread a pipeline.
#[path = "drivers"]
mod fused {
    crate::support::over!(plugin_host::Pump::Fused);

    pub(crate) mod batching;
    pub(crate) mod bounds;
    pub(crate) mod dead_letters;
    pub(crate) mod delivery;
    pub(crate) mod recovery;
    pub(crate) mod stuck;
    pub(crate) mod told;
    pub(crate) mod windows;
}

/// The same over a thread a connector.
#[path = "drivers"]
mod split {
    crate::support::over!(plugin_host::Pump::Split);

    pub(crate) mod batching;
    pub(crate) mod bounds;
    pub(crate) mod dead_letters;
    pub(crate) mod delivery;
    pub(crate) mod recovery;
    pub(crate) mod stuck;
    pub(crate) mod told;
    pub(crate) mod windows;
}
