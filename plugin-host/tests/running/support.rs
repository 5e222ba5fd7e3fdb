//! What these tests share: an engine, and a journal.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use plugin_api::Plugin;
use plugin_host::store::{FileStore, PositionStore};
use plugin_host::{ConnectorConfig, Engine, PipelineConfig, PluginService, Registry};

/// An engine over these builtins, with its positions in the folder.
pub(crate) fn engine(plugins: impl IntoIterator<Item = Plugin>, state: &Path) -> Engine {
    let store = FileStore::open(state).expect("a store");
    engine_over(plugins, Arc::new(store))
}

/// An engine over these builtins and this store.
pub(crate) fn engine_over(
    plugins: impl IntoIterator<Item = Plugin>,
    store: Arc<dyn PositionStore>,
) -> Engine {
    let builtin = Registry::builtin(plugins);
    assert!(
        builtin.quarantined().is_empty(),
        "{:?}",
        builtin.quarantined()
    );
    let service = PluginService::new(builtin, Registry::default());
    Engine::new(Arc::new(service), store).expect("an engine")
}

/// A connector of a plugin with these settings.
pub(crate) fn connector(id: &str, plugin: &str, settings: &[(&str, &str)]) -> ConnectorConfig {
    let config = ConnectorConfig::new(id, plugin).expect("a plugin's name");
    let settings = settings.iter();
    settings.fold(config, |config, &(parameter, value)| {
        config.with(parameter, value)
    })
}

/// A pipeline with one destination.
pub(crate) fn pipeline(source: ConnectorConfig, destination: ConnectorConfig) -> PipelineConfig {
    PipelineConfig::new("p", source).to(destination)
}

/// Waits until something holds.
pub(crate) fn until(what: &str, holds: impl Fn() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < Duration::from_secs(60), "never: {what}");
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// What connectors have noted, by the name in their settings.
static JOURNAL: Mutex<Vec<(String, String)>> = Mutex::new(Vec::new());

/// Notes something under a name.
pub(crate) fn note(journal: &str, entry: String) {
    let mut entries = JOURNAL.lock().unwrap_or_else(PoisonError::into_inner);
    entries.push((journal.to_owned(), entry));
}

/// What was noted under the name.
pub(crate) fn noted(journal: &str) -> Vec<String> {
    let entries = JOURNAL.lock().unwrap_or_else(PoisonError::into_inner);
    entries
        .iter()
        .filter(|(name, _)| name == journal)
        .map(|(_, entry)| entry.clone())
        .collect()
}

/// What tests of both drivers use of the above: pipelines that move their records in one way, and
/// notes that don't mix with those of the other.
macro_rules! over {
    ($pump:expr) => {
        pub(crate) const PUMP: plugin_host::Pump = $pump;

        pub(crate) fn pipeline(
            source: plugin_host::ConnectorConfig,
            destination: plugin_host::ConnectorConfig,
        ) -> plugin_host::PipelineConfig {
            crate::support::pipeline(source, destination).pump(PUMP)
        }

        pub(crate) fn note(journal: &str, entry: String) {
            crate::support::note(&format!("{PUMP:?} {journal}"), entry);
        }

        pub(crate) fn noted(journal: &str) -> Vec<String> {
            crate::support::noted(&format!("{PUMP:?} {journal}"))
        }
    };
}

pub(crate) use over;
