//! The plugin service: both registries behind one door.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use plugin_api::{PluginNotFound, Specification};

use crate::dispenser::Dispenser;
use crate::loader::LoadError;
use crate::nearest::nearest;
use crate::registry::{
    Blueprint, NameError, PluginKind, PluginName, Quarantined, Registry, compare_versions,
};

/// Finds plugins among the builtin and the standalone ones.
#[derive(Debug, Default)]
pub struct PluginService {
    builtin: Registry,
    /// Replaced by a rescan, never changed: who holds one sees one state of the folders.
    standalone: RwLock<Arc<Registry>>,
    /// Held while the folders are scanned: of two rescans at once the later one sees more.
    scanning: Mutex<()>,
}

impl PluginService {
    /// Makes a service over two registries.
    #[must_use]
    pub fn new(builtin: Registry, standalone: Registry) -> Self {
        Self {
            builtin,
            standalone: RwLock::new(Arc::new(standalone)),
            scanning: Mutex::default(),
        }
    }

    /// The builtin plugins.
    #[must_use]
    pub fn builtin(&self) -> &Registry {
        &self.builtin
    }

    /// The plugins that were loaded from files, as the last scan has found them.
    #[must_use]
    pub fn standalone(&self) -> Arc<Registry> {
        let standalone = self.standalone.read();
        Arc::clone(&standalone.unwrap_or_else(PoisonError::into_inner))
    }

    /// Looks into the plugin folders again; see [`Registry::rescan`]. Waits for files to load, but
    /// nobody waits for it: until it is done, and whatever it finds, plugins are found as before,
    /// and pipelines that run keep theirs.
    pub fn rescan(&self) -> Arc<Registry> {
        let _one_at_a_time = self.scanning.lock().unwrap_or_else(PoisonError::into_inner);
        let found = Arc::new(self.standalone().rescan());
        let mut standalone = self
            .standalone
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        *standalone = Arc::clone(&found);
        found
    }

    /// What is wrong with the plugins: those that can't be used, and why.
    ///
    /// # Errors
    ///
    /// All that is quarantined, builtin plugins first.
    pub fn check(&self) -> Result<(), Unhealthy> {
        let standalone = self.standalone();
        let registries = [&self.builtin, &*standalone].into_iter();
        let quarantined: Vec<_> = registries
            .flat_map(|registry| registry.quarantined().to_vec())
            .collect();
        match quarantined.is_empty() {
            true => Ok(()),
            false => Err(Unhealthy { quarantined }),
        }
    }

    /// What every plugin tells about itself, by its full name, explicit in all its parts.
    #[must_use]
    pub fn list(&self) -> BTreeMap<String, Specification> {
        let standalone = self.standalone();
        let registries = [&self.builtin, &*standalone].into_iter();
        let plugins = registries.flat_map(Registry::plugins);
        plugins
            .map(|plugin| (plugin.name().to_string(), plugin.specification().clone()))
            .collect()
    }

    /// Makes a dispenser of a plugin's connectors.
    ///
    /// # Errors
    ///
    /// As [`find`](Self::find), and [`LookupError::Name`] for what is no name.
    pub fn new_dispenser(&self, name: &str) -> Result<Dispenser, LookupError> {
        let plugin = self.find(&name.parse()?)?;
        Ok(Dispenser::new(plugin))
    }

    /// Finds a plugin. A name without a kind means a standalone plugin where there is one that can
    /// be used; [`passed_over`](Self::passed_over) tells of one that can't.
    ///
    /// # Errors
    ///
    /// Returns [`LookupError::NotFound`] with the versions that are there.
    pub fn find(&self, name: &PluginName) -> Result<Arc<Blueprint>, LookupError> {
        let standalone = self.standalone();
        let found = self.find_with(&standalone, name)?;
        if let Some(file) = standalone.refused_before(name, &found) {
            log::debug!(
                "`{name}` is `{}`: `{}` can't be used: {}",
                found.name(),
                file.path.display(),
                file.error
            );
        }
        Ok(found)
    }

    /// A file that the name would mean rather than the plugin that [`find`](Self::find) returns,
    /// were it not quarantined: `None` where there is none, or nothing is found.
    #[must_use]
    pub fn passed_over(&self, name: &PluginName) -> Option<Quarantined> {
        let standalone = self.standalone();
        let found = self.find_with(&standalone, name).ok()?;
        standalone.refused_before(name, &found).cloned()
    }

    fn find_with(
        &self,
        standalone: &Registry,
        name: &PluginName,
    ) -> Result<Arc<Blueprint>, LookupError> {
        let registries: &[&Registry] = match name.kind() {
            PluginKind::Builtin => &[&self.builtin],
            PluginKind::Standalone => &[standalone],
            PluginKind::Any => &[standalone, &self.builtin],
        };
        registries
            .iter()
            .find_map(|registry| registry.find(name))
            .cloned()
            .ok_or_else(|| {
                let is_there = registries
                    .iter()
                    .any(|it| it.versions(name.name()).next().is_some());
                let refused = registries.iter().find_map(|it| it.refused(name));
                let refused = refused.or_else(|| match is_there {
                    true => None,
                    false => registries
                        .iter()
                        .find_map(|it| it.refused_unnamed(name.name())),
                });
                if let Some(refused) = refused {
                    return LookupError::Quarantined {
                        path: refused.path.clone(),
                        error: Box::new(refused.error.clone()),
                    };
                }
                let versions = registries.iter().flat_map(|it| it.versions(name.name()));
                let refused = registries
                    .iter()
                    .flat_map(|it| it.refused_versions(name.name()));
                let meant = self.meant(standalone, name);
                LookupError::not_found(name, versions, refused, meant)
            })
    }

    /// The plugin whose name is nearest to one that isn't there, in whatever registry.
    fn meant(&self, standalone: &Registry, name: &PluginName) -> Option<String> {
        let all = [standalone, &self.builtin];
        let plugins = || all.into_iter().flat_map(Registry::plugins);
        let meant = nearest(name.name(), plugins().map(|it| it.name().name()))?;
        plugins()
            .map(|plugin| plugin.name())
            .find(|name| name.name() == meant)
            .map(|name| format!("{}:{meant}", name.kind()))
    }
}

/// Plugins that can't be used.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{} of the plugins can't be used, the first is `{}`: {}", .quarantined.len(), first(.quarantined).0, first(.quarantined).1)]
pub struct Unhealthy {
    /// At least one.
    pub quarantined: Vec<Quarantined>,
}

impl Unhealthy {
    /// Stable identifier for tests and tools; each plugin's error has its own.
    #[must_use]
    pub fn code(&self) -> &'static str {
        "plugins.quarantined"
    }

    /// How to mend it, in one line.
    #[must_use]
    pub fn help(&self) -> &'static str {
        "each plugin's error says how to mend it; the other plugins can be used"
    }
}

fn first(quarantined: &[Quarantined]) -> (String, String) {
    quarantined.first().map_or_else(Default::default, |first| {
        (first.path.display().to_string(), first.error.to_string())
    })
}

/// Why a plugin was not found.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LookupError {
    /// No plugin has the name and version.
    #[error("no plugin `{name}`{}", available(.versions, .refused))]
    NotFound {
        /// The name, in its [short form](PluginName::short).
        name: String,
        /// Versions of a plugin with that name that are there, newest first.
        versions: Vec<String>,
        /// Versions that are there only as files that can't be used, newest first.
        refused: Vec<String>,
        /// A plugin whose name is the same or nearly so, with its kind.
        meant: Option<String>,
        /// The cause, for those who match on it.
        source: PluginNotFound,
    },
    /// The plugin is there, and can't be used.
    #[error("plugin file `{}` can't be used: {error}", .path.display())]
    Quarantined {
        /// The file, or the package of a builtin.
        path: PathBuf,
        /// Why.
        error: Box<LoadError>,
    },
    /// The name itself is wrong.
    #[error(transparent)]
    Name(#[from] NameError),
}

fn available(versions: &[String], refused: &[String]) -> String {
    let mut text = String::new();
    if !versions.is_empty() {
        text += &format!("; there is {}", versions.join(", "));
    }
    if !refused.is_empty() {
        let are = if refused.len() == 1 { "is" } else { "are" };
        text += &format!("; {} {are} quarantined", refused.join(", "));
    }
    text
}

fn newest_first<'a>(versions: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut versions: Vec<_> = versions.map(str::to_owned).collect();
    // Those of one age lie together, so that the same ones do.
    versions.sort_by(|a, b| compare_versions(b, a).then_with(|| a.cmp(b)));
    versions.dedup();
    versions
}

impl LookupError {
    /// Makes the error for a name that is not there, from the versions of its plugin in any order.
    #[must_use]
    pub fn not_found<'a>(
        name: &PluginName,
        versions: impl Iterator<Item = &'a str>,
        refused: impl Iterator<Item = &'a str>,
        meant: Option<String>,
    ) -> Self {
        let versions = newest_first(versions);
        let mut refused = newest_first(refused);
        refused.retain(|version| !versions.contains(version));
        Self::NotFound {
            name: name.short(),
            versions,
            refused,
            meant,
            source: PluginNotFound,
        }
    }

    /// Stable identifier for tests and tools.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotFound { .. } => "plugin.not_found",
            Self::Quarantined { error, .. } => error.code(),
            Self::Name(error) => error.code(),
        }
    }

    /// How to mend it, in one line.
    #[must_use]
    pub fn help(&self) -> String {
        match self {
            Self::NotFound {
                versions, meant, ..
            } if versions.is_empty() => {
                let meant = meant.as_ref();
                let meant = meant.map(|meant| format!("did you mean `{meant}`? "));
                meant.unwrap_or_default()
                    + "`forebay list` shows every plugin, and why a file is quarantined"
            }
            Self::NotFound { .. } => {
                "name one of the versions that are there, or leave the version out".to_owned()
            }
            Self::Quarantined { error, .. } => error.help(),
            Self::Name(error) => error.help().to_owned(),
        }
    }
}
