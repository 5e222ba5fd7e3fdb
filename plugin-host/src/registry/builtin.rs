//! Registering plugins that are linked in, by the rules that hold for files.

use std::path::PathBuf;
use std::sync::Arc;

use plugin_api::Plugin;

use super::{Blueprint, PluginKind, Quarantined, Registry};
use crate::loader::{LoadError, load_builtin};

pub(super) fn register(plugins: impl IntoIterator<Item = Plugin>) -> Registry {
    let mut registry = Registry::default();
    let mut loaded = Vec::new();
    for plugin in plugins {
        let package = PathBuf::from(plugin.package());
        let blueprint = load_builtin(plugin)
            .and_then(|loaded| Blueprint::new(PluginKind::Builtin, loaded, None));
        match blueprint {
            Ok(blueprint) => loaded.push(Arc::new(blueprint)),
            Err(error) => registry.quarantined.push(Quarantined {
                path: package,
                name: None,
                specification: None,
                error,
            }),
        }
    }
    // All are known before one is registered: which of two is meant nobody can say.
    for plugin in &loaded {
        let mut others = loaded.iter().filter(|other| other.name == plugin.name);
        if let Some(other) = others.find(|other| !is_same(other, plugin)) {
            let duplicate = LoadError::Duplicate {
                name: plugin.name.to_string(),
                other: other.build().package.into(),
            };
            registry.quarantined.push(Quarantined {
                path: plugin.build().package.into(),
                name: Some(plugin.name.clone()),
                specification: Some(plugin.specification().clone()),
                error: duplicate,
            });
        } else if registry.find(&plugin.name).is_none() {
            registry.insert(Arc::clone(plugin));
        }
    }
    registry
}

/// Of one build of a package there may be several plugins; what they specify tells them apart.
fn is_same(left: &Blueprint, right: &Blueprint) -> bool {
    left.loaded.plugin.is_same(&right.loaded.plugin)
        && left.specification() == right.specification()
}
