//! Pipelines that are started and ended again and again: nothing is left of any.
//!
//! Memory, threads and descriptors of the process are counted, so this is a test binary with one test.
//! `FOREBAY_CYCLES=10000 cargo test -p forebay-tests --test cycles -- --nocapture` prints the figures for
//! docs/reliability.md.
#![cfg(target_os = "linux")]
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test ends at the first thing that fails, and helper functions may fail it"
)]

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use forebay_tests::{Folder, plugin_file};
use plugin_api::{BatchWriter, Context, Plugin, Position, Progress, Result, Source};
use plugin_host::store::{FileStore, PositionStore, StoreKey};
use plugin_host::{
    ConnectorConfig, DeadLetterQueue, Engine, Outcome, PipelineConfig, PluginKind, PluginService,
    Pump, Recovery, Registry, RunOptions, ScanOptions,
};
use tempfile::{TempDir, tempdir};

/// Cycles without the variable.
const CYCLES: usize = 300;
/// Lines of the input.
const LINES: u64 = 50;
/// Growth of the memory from the warm-up on, in bytes, that is none: the allocator keeps some of what it is
/// given back.
const NOISE: i64 = 4 << 20;

/// How a cycle ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Ended,
    Stopped,
    Forced,
    Dropped,
    /// The source can't be opened; it is tried again once.
    NotOpened,
    /// The destination fails in a write.
    NotWritten,
    /// The source panics, with a dead-letter queue beside it.
    Panicked,
}

const WAYS: [Way; 7] = [
    Way::Ended,
    Way::Stopped,
    Way::Forced,
    Way::Dropped,
    Way::NotOpened,
    Way::NotWritten,
    Way::Panicked,
];

/// A source that panics where it is read.
struct Panics;

impl Source for Panics {
    type Config = ();

    fn open(_: (), _: Option<&Position>) -> Result<Self> {
        Ok(Self)
    }

    fn read(&mut self, _: &mut BatchWriter<'_>, _: &Context) -> Result<Progress> {
        panic!("asked to")
    }
}

/// What the process has.
#[derive(Debug, Clone, Copy)]
struct Counted {
    threads: usize,
    descriptors: usize,
    /// Bytes in memory.
    resident: i64,
}

impl Counted {
    fn now() -> Self {
        let entries = |folder| fs::read_dir(folder).unwrap().count();
        let pages = fs::read_to_string("/proc/self/statm").unwrap();
        let resident: i64 = pages.split(' ').nth(1).unwrap().parse().unwrap();
        Self {
            threads: entries("/proc/self/task"),
            descriptors: entries("/proc/self/fd"),
            resident: resident * 4096,
        }
    }
}

struct Cycles {
    service: Arc<PluginService>,
    work: TempDir,
    /// Keeps the plugin files.
    _folder: Folder,
}

impl Cycles {
    fn new() -> Self {
        let folder = Folder::new();
        folder.copy("file.so", &plugin_file("forebay-connector-file"));
        let options = ScanOptions::default();
        let standalone = Registry::standalone(&[folder.path().to_owned()], &options);
        assert!(standalone.quarantined().is_empty());
        let builtin = Registry::builtin([
            forebay_connector_file::plugin(),
            Plugin::from_source("panics", <Panics as Source>::open),
        ]);
        let work = tempdir().unwrap();
        let lines: String = (0..LINES).map(|line| format!("line {line}\n")).collect();
        fs::write(work.path().join("in"), lines).unwrap();
        Self {
            service: Arc::new(PluginService::new(builtin, standalone)),
            work,
            _folder: folder,
        }
    }

    fn path(&self, name: &str) -> String {
        self.work.path().join(name).display().to_string()
    }

    /// What the process has once all threads of pipelines have ended: they do so by themselves.
    fn counted(&self) -> Counted {
        let begun = Instant::now();
        loop {
            let names = fs::read_dir("/proc/self/task").unwrap();
            let names =
                names.filter_map(|task| fs::read_to_string(task.ok()?.path().join("comm")).ok());
            // The supervisor is the process's own.
            let mut names = names.filter(|name| name.trim() != "forebay-watch");
            let is_settled = !names.any(|name| name.starts_with("forebay"));
            if is_settled || begun.elapsed() > Duration::from_secs(20) {
                return Counted::now();
            }
            std::thread::yield_now();
        }
    }

    /// Opens the store, starts a pipeline, ends it and closes everything.
    fn run(&self, number: usize) {
        let kind = [PluginKind::Builtin, PluginKind::Standalone][number % 2];
        let pump = [Pump::Fused, Pump::Split][number / 2 % 2];
        let way = WAYS[number / 4 % WAYS.len()];
        let store = FileStore::open(&self.work.path().join("state")).unwrap();
        // Everything is read again.
        store.forget(&StoreKey::new("p", "in")).unwrap();
        let engine = Engine::new(Arc::clone(&self.service), Arc::new(store)).unwrap();
        let events = engine.events();
        let options = RunOptions {
            recovery: Some(Recovery {
                min_delay: Duration::ZERO,
                max_retries: Some(1),
                ..Recovery::default()
            }),
            ..RunOptions::default()
        };
        let pipeline = engine.start(&self.config(kind, pump, way), options);
        let pipeline = pipeline.unwrap();
        if matches!(way, Way::Stopped | Way::Forced | Way::Dropped) {
            while pipeline.progress().records < LINES {
                std::thread::yield_now();
            }
        }
        match way {
            Way::Stopped => pipeline.stop(),
            Way::Forced => pipeline.force_stop(),
            Way::Dropped => drop(pipeline),
            Way::Ended | Way::NotOpened | Way::NotWritten | Way::Panicked => drop(pipeline.wait()),
        }
        drop(engine);
        // They end with the pipeline.
        let last = events.last().expect("an end");
        let plugin_host::Status::Over(outcome) = last.status else {
            panic!("{way:?}: {last:?}");
        };
        let is_right = match way {
            Way::Ended => matches!(outcome, Outcome::Ended),
            Way::Stopped | Way::Dropped => matches!(outcome, Outcome::Stopped),
            Way::Forced => matches!(outcome, Outcome::Forced),
            Way::NotOpened | Way::NotWritten | Way::Panicked => {
                matches!(outcome, Outcome::Failed(_))
            }
        };
        assert!(is_right, "{way:?} {kind:?} {pump:?}: {outcome:?}");
    }

    fn config(&self, kind: PluginKind, pump: Pump, way: Way) -> PipelineConfig {
        let plugin = match kind {
            PluginKind::Standalone => "standalone:file",
            _ => "builtin:file",
        };
        let follows = matches!(way, Way::Stopped | Way::Forced | Way::Dropped);
        let source = match way {
            Way::Panicked => ConnectorConfig::new("in", "builtin:panics").unwrap(),
            _ => ConnectorConfig::new("in", plugin)
                .unwrap()
                .with(
                    "path",
                    self.path(if way == Way::NotOpened { "." } else { "in" }),
                )
                .with("follow", follows.to_string()),
        };
        let path = match way {
            // A device that is always full.
            Way::NotWritten => "/dev/full".to_owned(),
            _ => self.path("out"),
        };
        let destination = ConnectorConfig::new("out", plugin).unwrap();
        let destination = destination.with("path", path);
        let config = PipelineConfig::new("p", source).to(destination).pump(pump);
        match way {
            Way::Panicked => {
                let queue = DeadLetterQueue::new(plugin).unwrap();
                config.dead_letters(queue.with("path", self.path("letters")))
            }
            _ => config,
        }
    }
}

#[test]
fn nothing_is_left_of_a_pipeline() {
    let wanted = std::env::var("FOREBAY_CYCLES").ok();
    let cycles = wanted.map_or(CYCLES, |it| it.parse().unwrap());
    // Panics of the plugin are asked for; those of the test are told as always.
    let tell = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if panic.payload_as_str() != Some("asked to") {
            tell(panic);
        }
    }));
    assert!(Path::new("/dev/full").exists());
    let all = Cycles::new();
    let warm_up = (cycles / 4).min(1000);
    (0..warm_up).for_each(|number| all.run(number));
    let warm = all.counted();
    println!("after {warm_up} cycles: {warm:?}");
    for number in warm_up..cycles {
        all.run(number);
        if number % 1000 == 0 {
            println!("after {number} cycles: {:?}", Counted::now());
        }
    }
    let end = all.counted();
    println!("after {cycles} cycles: {end:?}");
    assert!(end.threads <= warm.threads, "{warm:?}, then {end:?}");
    assert!(
        end.descriptors <= warm.descriptors,
        "{warm:?}, then {end:?}"
    );
    let grown = end.resident - warm.resident;
    assert!(grown <= NOISE, "{grown} bytes: {warm:?}, then {end:?}");
}
