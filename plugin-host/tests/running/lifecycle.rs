//! Connectors that are told what has become of them.

use std::collections::BTreeMap;
use std::time::Duration;

use plugin_api::{
    Acks, Batch, BatchWriter, Context as PluginContext, Destination, Parameters, Plugin, Position,
    Progress, Result, Settings, Source,
};
use plugin_host::{Context, Dispenser, PluginService, Registry};

use crate::support::{note, noted};

/// Settings of a version that asks for more than the ones before it.
#[derive(Parameters)]
struct Config {
    /// Which of them, in every version.
    slot: String,
    /// How large it is, since this version.
    size: u32,
}

fn note_all(told: &str, settings: &Settings) {
    for (name, value) in settings.iter() {
        note(told, format!("{name}={value}"));
    }
}

struct Newer;

impl Source for Newer {
    type Config = Config;

    fn open(_: Config, _: Option<&Position>) -> Result<Self> {
        Ok(Self)
    }

    fn read(&mut self, _: &mut BatchWriter, _: &PluginContext) -> Result<Progress> {
        Ok(Progress::End)
    }

    fn updated(before: &Settings, after: &Config) -> Result<()> {
        note_all("source.updated", before);
        note(
            "source.updated",
            format!("{} of {}", after.slot, after.size),
        );
        Ok(())
    }

    fn deleted(settings: &Settings) -> Result<()> {
        note_all("source.deleted", settings);
        Ok(())
    }
}

impl Destination for Newer {
    type Config = Config;

    fn open(_: Config) -> Result<Self> {
        Ok(Self)
    }

    fn write(&mut self, _: &Batch, _: &mut Acks, _: &PluginContext) -> Result<()> {
        Ok(())
    }

    fn updated(before: &Settings, after: &Config) -> Result<()> {
        note_all("destination.updated", before);
        note(
            "destination.updated",
            format!("{} of {}", after.slot, after.size),
        );
        Ok(())
    }

    fn deleted(settings: &Settings) -> Result<()> {
        note_all("destination.deleted", settings);
        Ok(())
    }
}

fn dispenser(plugin: Plugin) -> Dispenser {
    let service = PluginService::new(Registry::builtin([plugin]), Registry::default());
    service.new_dispenser("newer").unwrap()
}

fn settings(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    let pairs = pairs.iter();
    pairs
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

fn long() -> Context {
    Context::background().with_timeout(Duration::from_secs(60))
}

#[test]
fn settings_of_an_older_version_need_not_be_those_of_this_one() {
    let older = settings(&[("slot", "a"), ("gone", "x")]);
    let newer = settings(&[("slot", "b"), ("size", "7")]);
    let source = dispenser(Plugin::from_source("newer", <Newer as Source>::open));
    let source = source.dispense_source(&long()).unwrap();
    source
        .lifecycle_on_updated(&long(), &older, &newer)
        .unwrap();
    source.lifecycle_on_deleted(&long(), &older).unwrap();
    let plugin = Plugin::from_destination("newer", <Newer as Destination>::open);
    let destination = dispenser(plugin);
    let destination = destination.dispense_destination(&long()).unwrap();
    destination
        .lifecycle_on_updated(&long(), &older, &newer)
        .unwrap();
    destination.lifecycle_on_deleted(&long(), &older).unwrap();
    for side in ["source", "destination"] {
        let updated = noted(&format!("{side}.updated"));
        assert_eq!(updated, ["gone=x", "slot=a", "b of 7"], "{side}");
        let deleted = noted(&format!("{side}.deleted"));
        assert_eq!(deleted, ["gone=x", "slot=a"], "{side}");
    }
}

#[test]
fn settings_of_today_have_to_be_right() {
    let wrong = settings(&[("slot", "a")]);
    let source = dispenser(Plugin::from_source("newer", <Newer as Source>::open));
    let source = source.dispense_source(&long()).unwrap();
    for refused in [
        source.lifecycle_on_created(&long(), &wrong),
        source.lifecycle_on_updated(&long(), &wrong, &wrong),
    ] {
        let error = refused.unwrap_err();
        assert_eq!(error.to_string(), "parameter `size`: a value is required");
    }
}
