//! What these tests share: plugins made from a pair of types, an engine, and a journal.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use plugin_api::Plugin;
use plugin_host::store::{FileStore, PositionStore};
use plugin_host::{ConnectorConfig, Engine, PipelineConfig, PluginService, Registry};

/// Makes a plugin of a source, a destination or both, as `export_plugin!` does, but several of them
/// in one crate: without the header and marker of a file.
#[macro_export]
macro_rules! plugin {
    ($name:literal, source: $source:ty) => {
        $crate::plugin!(@ $name, [$source], [])
    };
    ($name:literal, destination: $destination:ty) => {
        $crate::plugin!(@ $name, [], [$destination])
    };
    (@ $name:literal, [$($source:ty)?], [$($destination:ty)?]) => {{
        #[derive(Debug)]
        enum Exported {}

        impl plugin_api::ffi::Export for Exported {
            const FACTS: plugin_api::ffi::embed::MarkerFacts = {
                let mut facts = plugin_api::ffi::package_facts(
                    $name, "0.1.0", "v0.1.0", "for tests", "test", "unused", true,
                );
                $(
                    facts.specification.acks = <$source as plugin_api::Source>::ACKS;
                    facts.specification.source_params = Some(
                        <<$source as plugin_api::Source>::Config as plugin_api::Parameters>
                            ::PARAMETERS,
                    );
                )?
                $(
                    facts.specification.destination_params = Some(
                        <<$destination as plugin_api::Destination>::Config as plugin_api::Parameters>
                            ::PARAMETERS,
                    );
                )?
                facts
            };
            const NEW_SOURCE: plugin_api::ffi::ROption<plugin_api::ffi::NewSource> =
                plugin_api::export_plugin!(@constructor new_source $($source)?);
            const NEW_DESTINATION: plugin_api::ffi::ROption<plugin_api::ffi::NewDestination> =
                plugin_api::export_plugin!(@constructor new_destination $($destination)?);
        }

        plugin_api::Plugin::of::<Exported>()
    }};
}

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
    ConnectorConfig {
        id: id.to_owned(),
        plugin: plugin.parse().expect("a plugin's name"),
        settings: settings
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect::<BTreeMap<_, _>>(),
    }
}

/// A pipeline with one destination.
pub(crate) fn pipeline(source: ConnectorConfig, destination: ConnectorConfig) -> PipelineConfig {
    PipelineConfig {
        id: "p".to_owned(),
        source,
        destinations: vec![destination],
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
