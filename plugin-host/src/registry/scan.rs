//! Scanning plugin folders.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{PluginKind, PluginName, Quarantined, Registry, Shadowed, explicit_name};
use crate::loader::{LoadError, LoadFrom, Looked, Watchdog, look};

/// Endings of the files that are looked at. Those of other platforms are in it, so that somebody
/// who drops the wrong file learns why it isn't used.
const ENDINGS: [&str; 3] = ["so", "dylib", "dll"];

/// How plugin files are loaded.
#[derive(Debug, Clone)]
pub struct ScanOptions {
    /// Where the dynamic loader takes the bytes from.
    pub load_from: LoadFrom,
    /// Longest time that loading one file may take.
    pub timeout: Duration,
}

impl Default for ScanOptions {
    fn default() -> Self {
        Self {
            load_from: LoadFrom::default(),
            timeout: Duration::from_secs(30),
        }
    }
}

pub(super) fn scan(folders: &[PathBuf], options: &ScanOptions) -> Registry {
    let mut registry = Registry::default();
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
        // Only plugins of the same folder collide; an earlier folder's simply go before.
        let mut of_folder = Vec::new();
        for path in files {
            let mut looked = None;
            if let Err(error) = add_file(&mut registry, &path, options, &mut of_folder, &mut looked)
            {
                quarantine(&mut registry, path, looked, error);
            }
        }
    }
    registry
}

/// The plugin files of a folder in the order of their names; not recursive.
fn plugin_files(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
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

/// What the marker of a file says it is, for those that then fail.
type Told = (PluginName, plugin_api::Specification);

fn add_file(
    registry: &mut Registry,
    path: &Path,
    options: &ScanOptions,
    of_folder: &mut Vec<PluginName>,
    told: &mut Option<Told>,
) -> Result<(), LoadError> {
    let looked: Looked = look(path)?;
    let specification = looked.inspection.marker.specification.clone();
    let name = explicit_name(PluginKind::Standalone, &specification)?;
    *told = Some((name.clone(), specification.clone()));
    if let Some(present) = registry.find(&name)
        && !of_folder.contains(&name)
    {
        let by = present.path.clone().unwrap_or_default();
        log::info!(
            "`{}` is not used: {name} is already loaded from `{}`",
            path.display(),
            by.display()
        );
        registry.shadowed.push(Shadowed {
            path: path.to_owned(),
            name,
            specification,
            by,
        });
        return Ok(());
    }
    let loaded = Watchdog {
        timeout: options.timeout,
    }
    .load(path, looked, &options.load_from)?;
    let Some(present) = registry.find(&name) else {
        if of_folder.contains(&name) {
            // Two files before this one have collided already.
            let other = registry
                .quarantined
                .iter()
                .find(|file| file.name.as_ref() == Some(&name));
            let other = other.map(|file| file.path.clone()).unwrap_or_default();
            return Err(LoadError::Duplicate {
                name: name.to_string(),
                other,
            });
        }
        registry.add(PluginKind::Standalone, loaded, Some(path.to_owned()))?;
        of_folder.push(name);
        return Ok(());
    };
    let other = present.path.clone().unwrap_or_default();
    if present.loaded.hash() == loaded.hash() {
        // The same bytes twice are one plugin.
        registry.shadowed.push(Shadowed {
            path: path.to_owned(),
            name,
            specification,
            by: other,
        });
        return Ok(());
    }
    // Nobody can say which of the two is meant, so neither is used.
    let duplicate = |other: PathBuf| LoadError::Duplicate {
        name: name.to_string(),
        other,
    };
    if let Some(first) = registry.remove(&name) {
        registry.quarantined.push(Quarantined {
            path: other.clone(),
            name: Some(name.clone()),
            specification: Some(first.loaded.specification.clone()),
            error: duplicate(path.to_owned()),
        });
    }
    Err(duplicate(other))
}

fn quarantine(registry: &mut Registry, path: PathBuf, told: Option<Told>, error: LoadError) {
    log::warn!("`{}` is quarantined: {error}", path.display());
    if let Some(details) = error.details() {
        log::debug!("{details}");
    }
    let (name, specification) = told.unzip();
    registry.quarantined.push(Quarantined {
        path,
        name,
        specification,
        error,
    });
}
