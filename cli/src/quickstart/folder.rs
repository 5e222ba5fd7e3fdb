//! The folder that quickstart makes.
//!
//! Owns its files by name and replaces no others: a folder with anything else in it, or with a file
//! that was changed, is left as it is.

use std::env::consts::{DLL_PREFIX, DLL_SUFFIX};
use std::fs::{self, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};

use crate::output::{Exit, Failure};

pub(super) const PIPELINE: &str = "pipeline.yaml";
pub(super) const DATA: &str = "UnicodeData.txt";
pub(super) const LICENCE: &str = "LICENSE-UNICODE";
pub(super) const COPY: &str = "copy.txt";
pub(super) const PLUGINS: &str = "plugins";
pub(super) const STATE: &str = ".forebay";

/// Everything that may be in the folder.
const OWN: &[&str] = &[PIPELINE, DATA, LICENCE, COPY, PLUGINS, STATE];

/// The lines that flow: a file of the Unicode Character Database.
pub(super) const DATA_BYTES: &[u8] = include_bytes!("../../quickstart/UnicodeData.txt");
const LICENCE_BYTES: &[u8] = include_bytes!("../../quickstart/LICENSE-UNICODE");
const PIPELINE_BYTES: &[u8] = include_bytes!("../../quickstart/pipeline.yaml");

/// The example plugins, by the names of their libraries.
const EXAMPLES: &[&str] = &[
    "forebay_connector_discard",
    "forebay_connector_file",
    "forebay_connector_generator",
    "forebay_connector_log",
];

/// Finds the files of the example plugins near the executable.
///
/// # Errors
///
/// Returns which file is missing where, and how to build it.
pub(super) fn find_plugins(executable: &Path) -> Result<Vec<PathBuf>, Failure> {
    let beside = executable.parent().unwrap_or(Path::new("."));
    // In Cargo's target folder the file in `deps` is always the newest build.
    let folders = [beside.join("deps"), beside.to_owned()];
    EXAMPLES
        .iter()
        .map(|example| {
            let name = format!("{DLL_PREFIX}{example}{DLL_SUFFIX}");
            let mut paths = folders.iter().map(|folder| folder.join(&name));
            paths.find(|path| path.is_file()).ok_or_else(|| {
                let [deps, beside] = folders.each_ref().map(|folder| folder.display());
                let error =
                    anyhow!("the example plugin `{name}` is neither in {beside} nor in {deps}");
                Failure::new(Exit::Environment, "quickstart.no_plugins", error).with_help(
                    "run `cargo quickstart` in the repository; or build the example plugins there \
                     with `cargo build --workspace --release`, and copy their files beside this \
                     `forebay`",
                )
            })
        })
        .collect()
}

/// Makes the folder, or makes it anew, with copies of these plugins, whose names it returns.
///
/// # Errors
///
/// Returns why the folder is left alone, or what can't be written.
pub(super) fn make(folder: &Path, plugins: &[PathBuf]) -> Result<Vec<String>, Failure> {
    if let Some(changed) = changed(folder)? {
        return Err(Failure::new(
            Exit::Environment,
            "quickstart.changed",
            anyhow!(
                "`{}` isn't as quickstart left it, and making the folder anew would lose that",
                folder.join(changed).display()
            ),
        )
        .with_help(format!(
            "go on there with `forebay run {PIPELINE}`, name another folder with `forebay \
             quickstart DIR`, or remove this one"
        )));
    }
    fill(folder, plugins)
        .with_context(|| format!("can't make the folder `{}`", folder.display()))
        .map_err(|error| {
            Failure::new(Exit::Environment, "quickstart.folder", error)
                .with_help("name a folder that you may write to: `forebay quickstart DIR`")
        })
}

/// The file that isn't as quickstart left it; none where the folder is new, empty, or one that
/// quickstart made and nobody changed.
fn changed(folder: &Path) -> Result<Option<&'static str>, Failure> {
    let names = match entries(folder) {
        Ok(names) => names,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => {
            let error = anyhow::Error::new(error)
                .context(format!("can't look into the folder `{}`", folder.display()));
            return Err(Failure::new(Exit::Environment, "quickstart.folder", error)
                .with_help("name another folder: `forebay quickstart DIR`"));
        }
    };
    if let Some(other) = names.iter().find(|name| !OWN.contains(&name.as_str())) {
        let error = anyhow!(
            "`{}` has content that quickstart didn't make: `{other}`",
            folder.display()
        );
        return Err(
            Failure::new(Exit::Environment, "quickstart.not_empty", error)
                .with_help("name a new or empty folder: `forebay quickstart DIR`"),
        );
    }
    if names.is_empty() {
        return Ok(None);
    }
    // What was stopped on the way is a beginning of what it should be, and nothing is lost with it.
    // Only the pipeline file must be whole: it marks the folder as ours.
    let is_beginning = |name: &str, whole: &[u8]| match fs::read(folder.join(name)) {
        Ok(bytes) => whole.starts_with(&bytes),
        Err(error) => error.kind() == ErrorKind::NotFound,
    };
    if !fs::read(folder.join(PIPELINE)).is_ok_and(|bytes| bytes == PIPELINE_BYTES) {
        return Ok(Some(PIPELINE));
    }
    let files = [
        (DATA, DATA_BYTES),
        (LICENCE, LICENCE_BYTES),
        (COPY, DATA_BYTES),
    ];
    let changed = files
        .iter()
        .find(|&&(name, whole)| !is_beginning(name, whole));
    Ok(changed.map(|&(name, _)| name))
}

fn entries(folder: &Path) -> io::Result<Vec<String>> {
    let mut names = fs::read_dir(folder)?
        .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
        .collect::<io::Result<Vec<_>>>()?;
    names.sort();
    Ok(names)
}

fn fill(folder: &Path, plugins: &[PathBuf]) -> anyhow::Result<Vec<String>> {
    let plugin_folder = folder.join(PLUGINS);
    make_folder(folder)?;
    // First of all, since it marks the folder as ours should we be stopped on the way.
    replace(&folder.join(PIPELINE), PIPELINE_BYTES)?;
    make_folder(&plugin_folder)
        .with_context(|| format!("can't make the folder `{}`", plugin_folder.display()))?;
    replace(&folder.join(DATA), DATA_BYTES)?;
    replace(&folder.join(LICENCE), LICENCE_BYTES)?;
    // The pipeline begins again: with the old position nothing would flow.
    remove(&folder.join(COPY))?;
    match fs::remove_dir_all(folder.join(STATE)) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            let path = folder.join(STATE);
            return Err(error).with_context(|| format!("can't remove `{}`", path.display()));
        }
        _ => {}
    }
    let mut names = Vec::new();
    for plugin in plugins {
        let Some(name) = plugin.file_name() else {
            continue;
        };
        let bytes =
            fs::read(plugin).with_context(|| format!("can't read `{}`", plugin.display()))?;
        replace(&plugin_folder.join(name), &bytes)?;
        names.push(name.to_string_lossy().into_owned());
    }
    Ok(names)
}

/// Makes a folder that only its user may write to, whatever the mask: from one that others may write
/// to no plugin is loaded.
fn make_folder(path: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o755);
    builder.create(path)
}

/// Puts a new file in the place of an old one. The old one is never written to: a process may have
/// it loaded, or the name may be a link to a file that isn't ours.
fn replace(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    remove(path)?;
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    // Whatever the user's mask: a plugin file that others may write to isn't loaded.
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o644);
    options
        .open(path)
        .and_then(|mut file| file.write_all(bytes))
        .with_context(|| format!("can't write `{}`", path.display()))
}

fn remove(path: &Path) -> anyhow::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(error).with_context(|| format!("can't replace `{}`", path.display()))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
#[path = "folder_tests.rs"]
mod tests;
