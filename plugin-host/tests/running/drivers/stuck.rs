//! Plugins that hang or panic in each of their calls: the pipeline ends in time, nothing else is
//! harmed, and what hangs is cleaned up when it returns after all.
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use super::pipeline;
use crate::gate::{close, hang, release, turn, wait_for_a_hang};
use crate::support::{connector, engine};
use plugin_api::{
    Acks, Batch, BatchWriter, Context, Destination, Parameters, Plugin, Position, Progress, Result,
    Source,
};
use plugin_host::{Outcome, Pipeline, RunOptions};
use tempfile::tempdir;

/// Where a connector misbehaves, and how.
#[derive(Parameters)]
struct Config {
    /// The call.
    #[parameter(default = "")]
    call: String,
    /// Whether it panics there instead of hanging.
    #[parameter(default = false)]
    panic: bool,
}

/// Connectors that exist.
static ALIVE: AtomicUsize = AtomicUsize::new(0);

impl Config {
    fn misbehave(&self, call: &str) {
        if self.call != call {
            return;
        }
        assert!(!self.panic, "asked to panic in {call}");
        hang();
    }
}

struct Stubborn {
    config: Config,
    next: u64,
}

impl Stubborn {
    fn new(config: Config) -> Self {
        ALIVE.fetch_add(1, Ordering::SeqCst);
        Self { config, next: 0 }
    }
}

impl Drop for Stubborn {
    fn drop(&mut self) {
        ALIVE.fetch_sub(1, Ordering::SeqCst);
        self.config.misbehave("drop");
    }
}

impl Source for Stubborn {
    type Config = Config;

    fn validate(config: &Config) -> Result<()> {
        config.misbehave("configure");
        Ok(())
    }

    fn open(config: Config, _: Option<&Position>) -> Result<Self> {
        config.misbehave("start");
        Ok(Self::new(config))
    }

    fn read(&mut self, batch: &mut BatchWriter, context: &Context) -> Result<Progress> {
        if self.next == 10 {
            self.config.misbehave("read");
            if self.config.call == "stop" {
                // Only a stop is to be seen.
                let _woken = context.wait(Duration::from_secs(1));
                return Ok(Progress::Idle);
            }
            return Ok(Progress::End);
        }
        self.next += 1;
        batch.create(self.next).payload("x");
        Ok(Progress::More)
    }

    fn ack(&mut self, _: &Position) -> Result<()> {
        self.config.misbehave("ack");
        Ok(())
    }

    fn stop(&mut self) -> Result<Option<Position>> {
        self.config.misbehave("stop");
        Ok(None)
    }

    fn close(self) -> Result<()> {
        self.config.misbehave("teardown");
        Ok(())
    }
}

impl Destination for Stubborn {
    type Config = Config;

    fn validate(config: &Config) -> Result<()> {
        config.misbehave("configure");
        Ok(())
    }

    fn open(config: Config) -> Result<Self> {
        config.misbehave("start");
        Ok(Self::new(config))
    }

    fn write(&mut self, _: &Batch, acks: &mut Acks, _: &Context) -> Result<()> {
        self.config.misbehave("write");
        if self.config.call == "flush" {
            acks.defer();
        }
        Ok(())
    }

    fn flush(&mut self, _: &mut Acks, _: &Context) -> Result<()> {
        self.config.misbehave("flush");
        Ok(())
    }

    fn stop(&mut self) -> Result<()> {
        self.config.misbehave("stop");
        Ok(())
    }

    fn close(self) -> Result<()> {
        self.config.misbehave("teardown");
        Ok(())
    }
}

/// Starts a pipeline whose source or destination misbehaves in the call.
fn start(state: &std::path::Path, side: &str, call: &str, settings: &[(&str, &str)]) -> Pipeline {
    let plugins = [
        Plugin::from_source("src", <Stubborn as Source>::open),
        Plugin::from_destination("dst", <Stubborn as Destination>::open),
    ];
    let engine = engine(plugins, state);
    let mut bad = vec![("call", call)];
    bad.extend_from_slice(settings);
    let (source, destination): (&[_], &[_]) = if side == "source" {
        (&bad, &[])
    } else {
        (&[], &bad)
    };
    let config = pipeline(
        connector("src", "src", source),
        connector("dst", "dst", destination),
    );
    engine.start(&config, RunOptions::default()).unwrap()
}

const SOURCE_CALLS: [&str; 7] = [
    "configure",
    "start",
    "read",
    "ack",
    "stop",
    "teardown",
    "drop",
];
const DESTINATION_CALLS: [&str; 7] = [
    "configure",
    "start",
    "write",
    "flush",
    "stop",
    "teardown",
    "drop",
];

/// Every side with each of its calls.
fn cases() -> impl Iterator<Item = (&'static str, &'static str)> {
    let source = SOURCE_CALLS.into_iter().map(|call| ("source", call));
    source.chain(
        DESTINATION_CALLS
            .into_iter()
            .map(|call| ("destination", call)),
    )
}

/// Waits until the source sits in `read` with nothing to read, then asks it to stop.
fn stop_when_read(pipeline: &Pipeline, side: &str, call: &str) {
    if (side, call) == ("source", "stop") {
        while pipeline.progress().records < 10 {
            std::thread::yield_now();
        }
        pipeline.stop();
    }
}

#[test]
fn a_call_that_hangs_ends_with_its_budget() {
    let _turn = turn();
    for (side, call) in cases() {
        close();
        let state = tempdir().unwrap();
        let begun = Instant::now();
        let pipeline = start(state.path(), side, call, &[("sdk.call.timeout", "150ms")]);
        stop_when_read(&pipeline, side, call);
        let outcome = pipeline.wait_timeout(Duration::from_secs(20));
        let Some(Outcome::Failed(error)) = outcome else {
            panic!("{side} {call}: {outcome:?}");
        };
        assert_eq!(
            error.code(),
            "connector.call_timeout",
            "{side} {call}: {error}"
        );
        // A drop that hangs does so in the teardown, which consumes the connector.
        let named = if call == "drop" { "teardown" } else { call };
        assert!(error.to_string().contains(named), "{side} {call}: {error}");
        assert!(
            begun.elapsed() >= Duration::from_millis(150),
            "{side} {call} ended too early"
        );
        assert!(plugin_host::is_stuck(), "{side} {call}");
        // Nobody but the one that hangs may be left.
        assert!(ALIVE.load(Ordering::SeqCst) <= 1, "{side} {call}");
        release();
        while plugin_host::is_stuck() {
            std::thread::yield_now();
        }
        assert_eq!(ALIVE.load(Ordering::SeqCst), 0, "{side} {call}");
    }
}

#[test]
fn a_forced_stop_does_not_wait_for_the_budget() {
    let _turn = turn();
    for (side, call) in [
        ("source", "read"),
        ("destination", "write"),
        ("source", "start"),
    ] {
        close();
        let state = tempdir().unwrap();
        let pipeline = start(state.path(), side, call, &[("sdk.call.timeout", "1h")]);
        wait_for_a_hang();
        pipeline.stop();
        assert!(
            pipeline.wait_timeout(Duration::from_millis(100)).is_none(),
            "{side} {call}"
        );
        pipeline.force_stop();
        let outcome = pipeline.wait_timeout(Duration::from_secs(20));
        assert!(
            matches!(outcome, Some(Outcome::Forced)),
            "{side} {call}: {outcome:?}"
        );
        release();
        while plugin_host::is_stuck() {
            std::thread::yield_now();
        }
    }
}

#[test]
fn a_panic_ends_its_own_pipeline_only() {
    let _turn = turn();
    for (side, call) in cases() {
        let state = tempdir().unwrap();
        let pipeline = start(state.path(), side, call, &[("panic", "true")]);
        stop_when_read(&pipeline, side, call);
        let outcome = pipeline.wait_timeout(Duration::from_secs(20));
        let Some(Outcome::Failed(error)) = outcome else {
            panic!("{side} {call}: {outcome:?}");
        };
        let text = error.to_string();
        assert_eq!(error.code(), "plugin.panic", "{side} {call}: {text}");
        assert!(
            text.contains(&format!("panic: asked to panic in {call}")),
            "{text}"
        );
        assert!(!plugin_host::is_stuck(), "{side} {call}");
        assert_eq!(ALIVE.load(Ordering::SeqCst), 0, "{side} {call}");
    }
}
