//! One case: its script, its plugin, and what has to hold at its end.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use plugin_host::{Context, DestinationStream, Dispenser, SourceStream};
use serde_json::json;

use super::script::PATIENCE;
use super::{Script, Subject};

/// What a case works with.
#[derive(Debug)]
pub struct Case {
    /// What the plugin is told.
    pub script: Script,
    /// Of the plugin.
    pub dispenser: Dispenser,
    subject: &'static Subject,
}

impl Case {
    /// Runs a case: afterwards every instance must be gone, and every announced call have come.
    pub fn run(subject: &'static Subject, case: fn(&Self)) {
        // There is one socket a process.
        static SERIAL: Mutex<()> = Mutex::new(());
        let _serial = SERIAL.lock().unwrap_or_else(PoisonError::into_inner);
        let this = Self {
            script: Script::new(),
            dispenser: subject.dispenser(),
            subject,
        };
        // Every stream ends with one, if only when it is dropped.
        for side in ["source", "destination"] {
            this.script
                .allow(&format!("{side}.teardown"), |_| json!({}));
        }
        case(&this);
        let given_up = Instant::now() + PATIENCE;
        while this.dispenser.blueprint().live_objects() > 0 {
            assert!(Instant::now() < given_up, "an instance is left");
            thread::sleep(Duration::from_millis(1));
        }
        this.script.finish();
    }

    /// A dispenser whose specifiers fail.
    #[must_use]
    pub fn failing_dispenser(&self) -> Dispenser {
        self.subject.failing_dispenser()
    }

    /// A source that nothing was done with yet.
    #[must_use]
    pub fn source(&self) -> SourceStream {
        self.dispenser.dispense_source(&long()).unwrap()
    }

    /// A source that was started.
    #[must_use]
    pub fn started_source(&self) -> SourceStream {
        self.script.expect("source.start");
        let source = self.source();
        source.start(&long(), None).unwrap();
        source
    }

    /// A source that was started, and waits for a wake-up in `read`.
    #[must_use]
    pub fn blocked_source(&self) -> SourceStream {
        self.script
            .expect_and("source.read", json!({"then": "block"}));
        let source = self.started_source();
        self.script.wait_for("source.read", 1);
        source
    }

    /// A destination that nothing was done with yet.
    #[must_use]
    pub fn destination(&self) -> DestinationStream {
        self.dispenser.dispense_destination(&long()).unwrap()
    }

    /// A destination that was started.
    #[must_use]
    pub fn started_destination(&self) -> DestinationStream {
        self.script.expect("destination.start");
        let destination = self.destination();
        destination.start(&long()).unwrap();
        destination
    }
}

/// A context that ends only where something hangs that must not.
pub(super) fn long() -> Context {
    Context::background().with_timeout(PATIENCE)
}

/// Settings.
pub(super) fn settings(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    let pairs = pairs.iter();
    pairs
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}
