//! Deleting connectors: what the plugin is told, and when what is stored goes.

use std::collections::BTreeMap;
use std::sync::mpsc;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use plugin_api::{
    Acks, Batch, BatchWriter, Context, Destination, Error, Parameters, Plugin, Position, Progress,
    Result, Settings, Source,
};
use plugin_host::parameters::Side;
use plugin_host::store::{Active, FileStore, PositionStore, StoreKey, Stored};
use plugin_host::{Engine, Outcome, RunOptions};
use tempfile::TempDir;

use crate::support::{connector, engine_over, note, noted, pipeline};

/// Notes what it is told.
struct Told;

#[derive(Parameters)]
struct Config {
    /// Name under which calls are noted.
    journal: String,
}

/// What the calls wait for that hang, by their journals.
static HANGS: Mutex<BTreeMap<&str, mpsc::Receiver<()>>> = Mutex::new(BTreeMap::new());

fn deleted(side: &str, settings: &Settings) -> Result<()> {
    let all: Vec<_> = settings
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    let journal = settings.get("journal").unwrap_or_default();
    note(journal, format!("{side} {}", all.join(" ")));
    match settings.get("do") {
        Some("refuse") => Err(Error::fatal("the slot is in use")),
        Some("panic") => panic!("no such slot"),
        Some("hang") => {
            let until = HANGS.lock().unwrap().remove(journal).unwrap();
            until.recv().ok();
            Ok(())
        }
        _ => Ok(()),
    }
}

impl Source for Told {
    type Config = Config;

    fn open(config: Config, _: Option<&Position>) -> Result<Self> {
        note(&config.journal, "open".into());
        Ok(Self)
    }

    fn read(&mut self, _: &mut BatchWriter, context: &Context) -> Result<Progress> {
        if context.wait(Duration::MAX).is_stop() {
            return Ok(Progress::End);
        }
        Ok(Progress::Idle)
    }

    fn deleted(settings: &Settings) -> Result<()> {
        deleted("source", settings)
    }
}

impl Destination for Told {
    type Config = Config;

    fn open(_: Config) -> Result<Self> {
        Ok(Self)
    }

    fn write(&mut self, _: &Batch, _: &mut Acks, _: &Context) -> Result<()> {
        Ok(())
    }

    fn deleted(settings: &Settings) -> Result<()> {
        deleted("destination", settings)
    }
}

/// An engine with both sides of the plugin, and its store.
fn engine(folder: &TempDir) -> (Engine, Arc<FileStore>) {
    let store = Arc::new(FileStore::open(folder.path()).unwrap());
    let plugins = [
        Plugin::from_source("told-source", <Told as Source>::open),
        Plugin::from_destination("told-destination", <Told as Destination>::open),
    ];
    let engine = engine_over(plugins, Arc::clone(&store) as Arc<dyn PositionStore>);
    (engine, store)
}

fn key(connector: &str) -> StoreKey {
    StoreKey::new("p", connector)
}

/// Last active settings of a connector of this plugin.
fn active(side: Side, plugin: &str, settings: &[(&str, &str)]) -> Active {
    let settings = settings.iter();
    Active {
        side,
        plugin: plugin.to_owned(),
        hash: None,
        settings: settings
            .map(|&(name, value)| (name.to_owned(), value.to_owned()))
            .collect(),
    }
}

fn full_name(engine: &Engine, plugin: &str) -> String {
    let found = engine.service().find(&plugin.parse().unwrap()).unwrap();
    found.name().to_string()
}

fn stored() -> Stored {
    Stored {
        position: b"7".to_vec(),
        plugin: "builtin:told-source@v1".into(),
        hash: None,
    }
}

#[test]
fn the_plugin_is_told_with_its_last_settings_before_they_are_forgotten() {
    let folder = TempDir::new().unwrap();
    let (engine, store) = engine(&folder);
    for (connector, side, plugin) in [
        ("src", Side::Source, "told-source"),
        ("dst", Side::Destination, "told-destination"),
    ] {
        let plugin = full_name(&engine, plugin);
        let settings = [("journal", "delete.told"), ("slot", connector)];
        let active = active(side, &plugin, &settings);
        store.activate(&key(connector), &active).unwrap();
        store.commit(&[(key(connector), stored())]).unwrap();
        assert_eq!(engine.delete(&key(connector)).unwrap(), Some(plugin));
        assert_eq!(store.active(&key(connector)).unwrap(), None);
        assert_eq!(store.load(&key(connector)).unwrap(), None);
    }
    assert_eq!(
        noted("delete.told"),
        [
            "source journal=delete.told slot=src",
            "destination journal=delete.told slot=dst"
        ]
    );
}

#[test]
fn a_connector_that_never_had_active_settings_goes_without_a_call() {
    let folder = TempDir::new().unwrap();
    let (engine, store) = engine(&folder);
    store.commit(&[(key("src"), stored())]).unwrap();
    assert_eq!(engine.delete(&key("src")).unwrap(), None);
    assert_eq!(store.list().unwrap(), []);
    assert_eq!(engine.delete(&key("src")).unwrap(), None);
}

#[test]
fn a_plugin_that_fails_keeps_the_entry_until_it_is_forgotten_by_force() {
    let folder = TempDir::new().unwrap();
    let (engine, store) = engine(&folder);
    let plugin = full_name(&engine, "told-destination");
    for (what, said) in [("refuse", "the slot is in use"), ("panic", "no such slot")] {
        let settings = [("journal", "delete.fails"), ("do", what)];
        let active = active(Side::Destination, &plugin, &settings);
        store.activate(&key("dst"), &active).unwrap();
        store.commit(&[(key("dst"), stored())]).unwrap();
        let error = engine.delete(&key("dst")).unwrap_err();
        assert!(error.to_string().contains(said), "{error}");
        assert!(error.is_of_plugin());
        assert_eq!(store.active(&key("dst")).unwrap(), Some(active));
        assert_eq!(store.load(&key("dst")).unwrap(), Some(stored()));
        assert!(engine.forget(&key("dst")).unwrap());
        assert!(!engine.forget(&key("dst")).unwrap());
    }
    assert_eq!(noted("delete.fails").len(), 2);
}

#[test]
fn a_call_that_hangs_is_given_up_after_the_connector_s_budget() {
    let folder = TempDir::new().unwrap();
    let (engine, store) = engine(&folder);
    let plugin = full_name(&engine, "told-source");
    let settings = [
        ("journal", "delete.hangs"),
        ("do", "hang"),
        ("sdk.call.timeout", "50ms"),
    ];
    let active = active(Side::Source, &plugin, &settings);
    store.activate(&key("src"), &active).unwrap();
    let (release, until) = mpsc::channel();
    HANGS.lock().unwrap().insert("delete.hangs", until);
    // Should nobody give it up, the test hangs.
    let error = engine.delete(&key("src")).unwrap_err();
    assert!(
        error.to_string().contains("lifecycle_on_deleted"),
        "{error}"
    );
    assert_eq!(store.active(&key("src")).unwrap(), Some(active));
    drop(release);
}

#[test]
fn the_newest_version_of_a_plugin_that_has_gone_is_told_and_of_none_nobody() {
    let folder = TempDir::new().unwrap();
    let (engine, store) = engine(&folder);
    let settings = [("journal", "delete.gone")];
    for gone in [
        "builtin:told-source@v0.0.1-gone",
        "standalone:told-source@v7.0.0",
    ] {
        let active = active(Side::Source, gone, &settings);
        store.activate(&key("src"), &active).unwrap();
        let told = engine.delete(&key("src")).unwrap();
        assert_eq!(told, Some(full_name(&engine, "told-source")));
    }
    assert_eq!(noted("delete.gone").len(), 2);

    for (side, gone) in [
        (Side::Source, "standalone:other@v1.0.0"),
        // It is there, but has no such side.
        (Side::Destination, "builtin:told-source@v0.0.1-gone"),
    ] {
        let active = active(side, gone, &settings);
        store.activate(&key("src"), &active).unwrap();
        let error = engine.delete(&key("src")).unwrap_err();
        assert_eq!(error.code(), "plugin.not_found");
        assert!(error.is_of_plugin());
        assert!(store.active(&key("src")).unwrap().is_some());
    }
    assert_eq!(noted("delete.gone").len(), 2);
}

#[test]
fn nothing_is_deleted_while_the_pipeline_runs_and_nothing_runs_while_it_is_deleted() {
    let folder = TempDir::new().unwrap();
    let (engine, store) = engine(&folder);
    let config = || {
        pipeline(
            connector("src", "told-source", &[("journal", "delete.runs")]),
            connector("dst", "told-destination", &[("journal", "delete.runs")]),
        )
    };
    let running = engine.start(&config(), RunOptions::default()).unwrap();
    for refused in [
        engine.delete(&key("src")).unwrap_err(),
        engine.forget(&key("src")).unwrap_err(),
    ] {
        assert_eq!(refused.code(), "pipeline.already_running");
        assert!(!refused.is_of_plugin());
    }
    engine.delete(&StoreKey::new("q", "src")).unwrap();
    running.stop();
    assert!(matches!(running.wait(), Outcome::Stopped));
    engine.delete(&key("src")).unwrap();

    let plugin = full_name(&engine, "told-source");
    let settings = [("journal", "delete.runs"), ("do", "hang")];
    let active = active(Side::Source, &plugin, &settings);
    store.activate(&key("src"), &active).unwrap();
    let (release, until) = mpsc::channel();
    HANGS.lock().unwrap().insert("delete.runs", until);
    std::thread::scope(|scope| {
        let deleting = scope.spawn(|| engine.delete(&key("src")));
        while HANGS.lock().unwrap().contains_key("delete.runs") {
            std::thread::yield_now();
        }
        let refused = engine.start(&config(), RunOptions::default());
        assert!(refused.is_err_and(|it| it.to_string().contains("running already")));
        release.send(()).unwrap();
        deleting.join().unwrap().unwrap();
    });
    let running = engine.start(&config(), RunOptions::default()).unwrap();
    running.stop();
    assert!(matches!(running.wait(), Outcome::Stopped));
}
