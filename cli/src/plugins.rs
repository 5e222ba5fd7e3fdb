//! The plugins of this program: those that are linked in, and those of the plugin folders.

use std::path::PathBuf;

use anyhow::anyhow;
use plugin_host::loader::{LoadError, LoadFrom};
use plugin_host::{Blueprint, PluginKind, PluginService, Registry, ScanOptions};

use crate::args::{self, Global};
use crate::list::{Kind, Reason, Row, Status};
use crate::output::{Exit, Failure};

/// Where copies of plugin files go with `--load-from copy`, within the state folder.
const COPIES: &str = "plugin-copies";

/// The plugin folders that are there, and how their files are loaded.
///
/// # Errors
///
/// Returns which of the folders that the user has named isn't there.
pub(crate) fn folders(global: &Global) -> Result<(Vec<PathBuf>, ScanOptions), Failure> {
    let folders = global.plugin_folders();
    if folders.named
        && let Some(missing) = folders.paths.iter().find(|path| !path.is_dir())
    {
        let what = if missing.exists() {
            "is no folder"
        } else {
            "is not there"
        };
        let error = anyhow!("the plugin folder `{}` {what}", missing.display());
        return Err(
            Failure::new(Exit::Environment, "plugins.no_folder", error).with_help(
                "make the folder, or name another one with `--plugins` or FOREBAY_PLUGINS",
            ),
        );
    }
    // The default folder need not be there; then there are only the builtins.
    let mut present: Vec<PathBuf> = Vec::new();
    for path in folders.paths.into_iter().filter(|path| path.is_dir()) {
        // A folder that is named twice would shadow its own files.
        let same = |other: &PathBuf| other.canonicalize().ok() == path.canonicalize().ok();
        if !present.iter().any(same) {
            present.push(path);
        }
    }
    let options = ScanOptions {
        // Whoever can make a folder in the current one must not become trusted by that.
        folders_are_named: folders.named,
        ..options(global)
    };
    Ok((present, options))
}

/// How plugin files that the user has named are loaded.
pub(crate) fn options(global: &Global) -> ScanOptions {
    ScanOptions {
        load_from: match global.load_from {
            args::LoadFrom::Memory => LoadFrom::Memory,
            args::LoadFrom::Copy => LoadFrom::Copy(global.state.join(COPIES)),
        },
        trust_owners: global.trust_owners.clone(),
        ..ScanOptions::default()
    }
}

/// The example plugins, which are linked in.
pub(crate) fn builtin() -> Registry {
    Registry::builtin([
        forebay_connector_discard::plugin(),
        forebay_connector_file::plugin(),
        forebay_connector_generator::plugin(),
        forebay_connector_log::plugin(),
    ])
}

/// Registers the builtins and loads the plugin folders.
///
/// # Errors
///
/// Returns which of the folders that the user has named isn't there.
pub(crate) fn service(global: &Global) -> Result<PluginService, Failure> {
    let (folders, options) = folders(global)?;
    let standalone = Registry::standalone(&folders, &options);
    Ok(PluginService::new(builtin(), standalone))
}

/// Everything that `forebay list` shows.
pub(crate) fn rows(service: &PluginService) -> Vec<Row> {
    let mut rows = Vec::new();
    let standalone = service.standalone();
    for (registry, kind, plugin_kind) in [
        (service.builtin(), Kind::Builtin, PluginKind::Builtin),
        (&*standalone, Kind::Standalone, PluginKind::Standalone),
    ] {
        rows.extend(registry.plugins().map(|blueprint| ready(blueprint, kind)));
        rows.extend(registry.shadowed().iter().map(|file| Row {
            name: file.name.to_string(),
            version: file.specification.version.clone(),
            kind,
            path: Some(file.path.clone()),
            status: Status::Shadowed(reason(&file.reason())),
            specification: Some(file.specification.clone()),
        }));
        rows.extend(registry.quarantined().iter().map(|file| {
            let specified = file.specification.as_ref();
            Row {
                // A file that could not say its name is known by its own.
                name: file.name.as_ref().map_or_else(
                    || {
                        let stem = file.path.file_name().unwrap_or(file.path.as_os_str());
                        format!("{plugin_kind}:{}", stem.to_string_lossy())
                    },
                    ToString::to_string,
                ),
                version: specified.map_or_else(String::new, |it| it.version.clone()),
                kind,
                path: Some(file.path.clone()),
                status: Status::Quarantined(reason(&file.error)),
                specification: file.specification.clone(),
            }
        }));
    }
    rows
}

fn reason(error: &LoadError) -> Reason {
    Reason {
        code: error.code().to_owned(),
        stage: error.stage().to_string(),
        message: error.to_string(),
        help: error.help(),
    }
}

fn ready(blueprint: &Blueprint, kind: Kind) -> Row {
    Row {
        name: blueprint.name().to_string(),
        version: blueprint.specification().version.clone(),
        kind,
        path: blueprint.path().map(ToOwned::to_owned),
        status: Status::Ready,
        specification: Some(blueprint.specification().clone()),
    }
}
