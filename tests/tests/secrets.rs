//! A plugin file that tells its secrets: what a host of its streams hears of them.
#![expect(
    clippy::unwrap_used,
    reason = "a test ends at the first thing that fails"
)]

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt::Write as _;
use std::sync::{LazyLock, Mutex};
use std::time::Duration;

use forebay_tests::{Folder, plugin_file};
use plugin_api::Record;
use plugin_host::{Context, DestinationStream, PluginService, Registry, ScanOptions, StreamError};

/// What is left of the password in an error.
const ERROR: &str =
    ": [secret password]: can't log in as [secret password]: no \"[secret password]\"";

/// Everything that was logged.
struct Log(Mutex<String>);

impl log::Log for Log {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        let mut log = self.0.lock().unwrap();
        writeln!(log, "{}: {}", record.target(), record.args()).unwrap();
        record.key_values().visit(&mut Pairs(&mut log)).unwrap();
    }

    fn flush(&self) {}
}

struct Pairs<'a>(&'a mut String);

impl<'kvs> log::kv::VisitSource<'kvs> for Pairs<'_> {
    fn visit_pair(
        &mut self,
        key: log::kv::Key<'kvs>,
        value: log::kv::Value<'kvs>,
    ) -> Result<(), log::kv::Error> {
        writeln!(self.0, "{key}={value}")?;
        Ok(())
    }
}

static LOG: Log = Log(Mutex::new(String::new()));

/// The fixture, loaded once, with a log that was there before it.
static SERVICE: LazyLock<PluginService> = LazyLock::new(|| {
    log::set_logger(&LOG).unwrap();
    log::set_max_level(log::LevelFilter::Trace);
    let folder = Folder::new();
    let name = "libforebay_fixture_secrets.so";
    folder.copy(name, &plugin_file("forebay-fixture-secrets"));
    let loaded = Registry::standalone(&[folder.path()], &ScanOptions::default());
    assert!(loaded.quarantined().is_empty(), "{loaded:?}");
    PluginService::new(Registry::default(), loaded)
});

fn long() -> Context {
    Context::background().with_timeout(Duration::from_secs(60))
}

/// Settings with which the plugin tells its password in one place.
fn settings(password: &str, tell: &str) -> BTreeMap<String, String> {
    [("password", password), ("tell", tell)]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into()
}

/// A destination that has its settings, unless it is to tell its password at them.
fn configured(password: &str, tell: &str) -> Result<DestinationStream, StreamError> {
    let dispenser = SERVICE.new_dispenser("secrets").unwrap();
    let destination = dispenser.dispense_destination(&long())?;
    destination.configure(&long(), &settings(password, tell))?;
    Ok(destination)
}

/// All that an error and its causes say.
fn all_of(error: &(dyn Error + 'static)) -> String {
    let errors = std::iter::successors(Some(error), |&error| error.source());
    errors
        .map(|error| format!("{error}\n{error:#}\n{error:?}\n{error:#?}\n"))
        .collect()
}

#[track_caller]
fn hides(text: &str, expected: &str) {
    assert!(text.contains(expected), "{text}");
    assert!(!text.contains("hunter2"), "{text}");
}

#[test]
fn the_errors_of_a_stream_hide_them() {
    let told = |tell: &str, made: Result<(), StreamError>| {
        let error = made.unwrap_err();
        assert_eq!(error.code(), "login.[secret password]", "{tell}");
        hides(&all_of(&error), ERROR);
    };
    told("validate", configured("open hunter2", "validate").map(drop));
    let destination = configured("open hunter2", "open").unwrap();
    told("open", destination.start(&long()));
    let destination = configured("open hunter2", "close").unwrap();
    destination.start(&long()).unwrap();
    told("close", destination.teardown(&long()));
    let dispenser = SERVICE.new_dispenser("secrets").unwrap();
    let destination = dispenser.dispense_destination(&long()).unwrap();
    let created = settings("open hunter2", "created");
    told(
        "created",
        destination.lifecycle_on_created(&long(), &created),
    );
}

#[test]
fn the_answers_of_a_stream_hide_them() {
    let answer = |tell: &str| {
        let destination = configured("open hunter2", tell).unwrap();
        destination.start(&long()).unwrap();
        destination.write(&long(), Record::create("1")).unwrap();
        destination.ack(&long())
    };
    let (_, refused) = answer("nack").unwrap();
    let error = refused.unwrap_err();
    assert_eq!(error.code(), "login.[secret password]");
    hides(&format!("{error:#} {error:?} {:?}", error.causes()), ERROR);
    hides(&all_of(&answer("write").unwrap_err()), ERROR);
    let panicked = answer("panic").unwrap_err();
    hides(&all_of(&panicked), "panic: no \"[secret password]\"");
}

#[test]
fn a_configuration_that_is_refused_hides_them() {
    for (tell, expected) in [
        ("validate", ERROR),
        (
            "parameter",
            "parameter `password`: [secret password] is no password",
        ),
    ] {
        let settings = settings("open hunter2", tell);
        let validated = SERVICE.validate_destination_config(&long(), "secrets", &settings);
        hides(&all_of(&validated.unwrap_err()), expected);
    }
}

#[test]
fn the_log_hides_them_whoever_logs() {
    for tell in ["log", "thread", "panic-of-thread"] {
        let destination = configured("open hunter2", tell).unwrap();
        destination.start(&long()).unwrap();
        destination.teardown(&long()).unwrap();
    }
    let log = LOG.0.lock().unwrap();
    for part in [
        "the password is [secret password]\n",
        "\npassword=[secret password]\n",
        "[secret password]: {}",
        ": no [secret password]\n",
    ] {
        hides(&log, part);
    }
    assert!(log.matches("the password is [secret password]").count() >= 2);
}
