//! Scanning plugin folders.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use plugin_api::Specification;

use super::opened::Opened;
use super::{Blueprint, PluginKind, PluginName, Quarantined, Registry, Shadowed, explicit_name};
use crate::loader::{LoadError, LoadFrom, Trust, Watchdog, look, same_content, specification_of};

/// Endings of the files that are looked at. Those of other platforms are in it, so that somebody
/// who drops the wrong file learns why it isn't used.
pub const ENDINGS: [&str; 3] = ["so", "dylib", "dll"];

/// How plugin files are loaded.
#[derive(Debug, Clone)]
pub struct ScanOptions {
    /// Where the dynamic loader takes the bytes from.
    pub load_from: LoadFrom,
    /// Longest time that loading one file may take.
    pub timeout: Duration,
    /// Numbers of users whose files are loaded, beside those of the host's own user and root. They
    /// can run code as the host. Without meaning where there is no Unix.
    pub trust_owners: Vec<u32>,
    /// Whether the user has named the folders, and so trusts their owners as far as root does: a
    /// host that runs as root then loads the files of a folder's owner too.
    pub folders_are_named: bool,
}

impl Default for ScanOptions {
    fn default() -> Self {
        Self {
            load_from: LoadFrom::default(),
            timeout: Duration::from_secs(30),
            trust_owners: Vec::new(),
            folders_are_named: true,
        }
    }
}

/// Where a registry's plugins come from, so that it can look there again.
#[derive(Debug, Clone)]
pub(super) struct Scanned {
    pub(super) folders: Vec<PathBuf>,
    pub(super) options: ScanOptions,
    pub(super) opened: Opened,
}

pub(super) fn scan(mut scanned: Scanned) -> Registry {
    let mut registry = Registry::default();
    let Scanned {
        folders,
        options,
        opened,
    } = &mut scanned;
    for folder in folders {
        let files = match plugin_files(folder) {
            Ok(files) => files,
            Err(error) => {
                log::warn!(
                    "plugin folder `{}` can't be read: {error}",
                    folder.display()
                );
                continue;
            }
        };
        let trust = Trust::new(folder, options.folders_are_named, &options.trust_owners);
        let first = registry.quarantined.len();
        for plugin in find(&mut registry, files, &trust) {
            // Only plugins of the same folder collide; an earlier folder's simply go before.
            if let Some(present) = registry.find(&plugin.name) {
                let by = present.path.clone().unwrap_or_default();
                shadow(&mut registry, &plugin, plugin.paths.clone(), &by, false);
                continue;
            }
            // Nobody can say which of them is meant, so none is used, and none is opened.
            if let Some(other) = other_content(&plugin.paths, &trust) {
                for path in plugin.paths.clone() {
                    let duplicate = LoadError::Duplicate {
                        name: plugin.name.to_string(),
                        other: if path == plugin.paths[0] {
                            &other
                        } else {
                            &plugin.paths[0]
                        }
                        .clone(),
                    };
                    plugin.quarantine(&mut registry, path, duplicate);
                }
                continue;
            }
            add(&mut registry, &plugin, &trust, options, opened);
        }
        trust.warn();
        // Some were refused while looking, some later.
        registry.quarantined[first..].sort_by(|a, b| a.path.cmp(&b.path));
    }
    registry.scanned = Some(scanned);
    registry
}

/// A plugin by what the markers of a folder's files say.
struct Found {
    name: PluginName,
    specification: Specification,
    /// The files, in the order of their names; more than one where they say the same.
    paths: Vec<PathBuf>,
}

impl Found {
    fn quarantine(&self, registry: &mut Registry, path: PathBuf, error: LoadError) {
        let (name, specification) = (self.name.clone(), self.specification.clone());
        quarantine(registry, path, Some(name), Some(specification), error);
    }
}

/// Looks at every file of a folder. Nothing is opened before all markers are known: which file is
/// used depends on the others.
fn find(registry: &mut Registry, files: Vec<PathBuf>, trust: &Trust) -> Vec<Found> {
    let mut plugins: Vec<Found> = Vec::new();
    let mut by_name = HashMap::new();
    for path in files {
        let named = look(&path, trust).and_then(|looked| {
            let specification = looked.inspection.marker.specification;
            Ok((
                explicit_name(PluginKind::Standalone, &specification)?,
                specification,
            ))
        });
        match named {
            Ok((name, specification)) => {
                let at = *by_name.entry(name.clone()).or_insert(plugins.len());
                if at == plugins.len() {
                    plugins.push(Found {
                        name,
                        specification,
                        paths: Vec::new(),
                    });
                }
                plugins[at].paths.push(path);
            }
            Err(error) => {
                let specification = specification_of(&path);
                let name = specification
                    .as_ref()
                    .and_then(|it| explicit_name(PluginKind::Standalone, it).ok());
                quarantine(registry, path, name, specification, error);
            }
        }
    }
    plugins
}

/// Loads the first of a plugin's files, which all have the same content.
fn add(
    registry: &mut Registry,
    plugin: &Found,
    trust: &Trust,
    options: &ScanOptions,
    opened: &mut Opened,
) {
    let path = &plugin.paths[0];
    match load(path, plugin, trust, options, opened) {
        Ok(loaded) => {
            registry.insert(loaded);
            shadow(registry, plugin, plugin.paths[1..].to_vec(), path, true);
        }
        Err(error) => {
            for path in plugin.paths.clone() {
                plugin.quarantine(registry, path, error.clone());
            }
        }
    }
}

/// The content of a folder's files isn't kept until all are known, so it is looked at again.
fn load(
    path: &Path,
    plugin: &Found,
    trust: &Trust,
    options: &ScanOptions,
    opened: &mut Opened,
) -> Result<Arc<Blueprint>, LoadError> {
    let looked = look(path, trust)?;
    if looked.inspection.marker.specification != plugin.specification {
        return Err(LoadError::Unreadable {
            error: "another file was put in its place just now".to_owned(),
        });
    }
    if let Some(before) = opened.find(path, &looked) {
        return before;
    }
    let timeout = options.timeout;
    let looked = Arc::new(looked);
    let loaded = Watchdog { timeout }.load(path, &looked, &options.load_from);
    match loaded {
        Ok(loaded) => {
            let path = Some(path.to_owned());
            let loaded = Arc::new(Blueprint::new(PluginKind::Standalone, loaded, path)?);
            opened.keep(&loaded);
            Ok(loaded)
        }
        Err(error) => {
            opened.keep_refused(&looked, &error);
            Err(error)
        }
    }
}

/// The first file whose content isn't that of the first one. A file that can't be read any more
/// counts as such.
fn other_content(paths: &[PathBuf], trust: &Trust) -> Option<PathBuf> {
    let (first, others) = paths.split_first()?;
    let open = |path: &Path| trust.open(path).ok();
    let differs = |path: &&PathBuf| {
        let files = open(first).zip(open(path));
        !files.is_some_and(|(left, right)| same_content(left, right).unwrap_or(false))
    };
    others.iter().find(differs).cloned()
}

fn shadow(registry: &mut Registry, plugin: &Found, paths: Vec<PathBuf>, by: &Path, is_copy: bool) {
    for path in paths {
        let shadowed = Shadowed {
            path,
            name: plugin.name.clone(),
            specification: plugin.specification.clone(),
            by: by.to_owned(),
            is_copy,
        };
        log::info!("`{}` is {}", shadowed.path.display(), shadowed.reason());
        registry.shadowed.push(shadowed);
    }
}

fn quarantine(
    registry: &mut Registry,
    path: PathBuf,
    name: Option<PluginName>,
    specification: Option<Specification>,
    error: LoadError,
) {
    log::warn!("`{}` is quarantined: {error}", path.display());
    if let Some(details) = error.details() {
        log::debug!("{details}");
    }
    registry.quarantined.push(Quarantined {
        path,
        name,
        specification,
        error,
    });
}

/// The plugin files of a folder, by their endings and in the order of their names; not recursive.
///
/// # Errors
///
/// Fails when the folder can't be read.
pub fn plugin_files(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut files = fs::read_dir(folder)?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<Vec<_>, _>>()?;
    files.retain(|path| {
        path.extension()
            .is_some_and(|ending| ENDINGS.iter().any(|known| ending == *known))
    });
    files.sort();
    Ok(files)
}
