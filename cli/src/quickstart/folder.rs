//! The folder that quickstart makes.
//!
//! Owns its files by name and replaces no others: a folder with anything else in it, or with a
//! pipeline file that was changed, is left as it is.

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
                    "build the example plugins with `cargo build --workspace` and the profile of \
                     this `forebay`, or copy their files beside it",
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
    if !is_ours(folder)? {
        return Err(Failure::new(
            Exit::Environment,
            "quickstart.changed",
            anyhow!(
                "`{}` isn't as quickstart wrote it, and making the folder anew would lose that",
                folder.join(PIPELINE).display()
            ),
        )
        .with_help("name another folder: `forebay quickstart DIR`; or remove this one"));
    }
    fill(folder, plugins)
        .with_context(|| format!("can't make the folder `{}`", folder.display()))
        .map_err(|error| {
            Failure::new(Exit::Environment, "quickstart.folder", error)
                .with_help("name a folder that you may write to: `forebay quickstart DIR`")
        })
}

/// Whether the folder is new, empty, or one that quickstart made and nobody changed.
fn is_ours(folder: &Path) -> Result<bool, Failure> {
    let names = match entries(folder) {
        Ok(names) => names,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(true),
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
    Ok(names.is_empty()
        || fs::read(folder.join(PIPELINE)).is_ok_and(|bytes| bytes == PIPELINE_BYTES))
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
    fs::create_dir_all(folder)?;
    // First of all, since it marks the folder as ours should we be stopped on the way.
    replace(&folder.join(PIPELINE), PIPELINE_BYTES)?;
    fs::create_dir_all(&plugin_folder)
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
mod tests {
    use tempfile::TempDir;

    use super::*;
    use crate::pipeline_file;

    /// A target folder with plugin files, which hold their own names.
    fn built(inside: &str) -> (TempDir, PathBuf) {
        let target = TempDir::new().unwrap();
        fs::create_dir_all(target.path().join(inside)).unwrap();
        for example in EXAMPLES {
            let name = format!("{DLL_PREFIX}{example}{DLL_SUFFIX}");
            fs::write(target.path().join(inside).join(&name), &name).unwrap();
        }
        let executable = target.path().join("forebay");
        (target, executable)
    }

    fn made() -> (TempDir, PathBuf, Vec<PathBuf>) {
        let (target, executable) = built("");
        let plugins = find_plugins(&executable).unwrap();
        let folder = target.path().join("a").join("quickstart");
        make(&folder, &plugins).unwrap();
        (target, folder, plugins)
    }

    fn refusal(folder: &Path, plugins: &[PathBuf]) -> String {
        let failure = make(folder, plugins).unwrap_err();
        assert_eq!(failure.exit(), Exit::Environment);
        failure.to_string()
    }

    #[test]
    fn plugins_are_found_beside_the_executable_or_in_deps_and_there_first() {
        for inside in ["", "deps"] {
            let (target, executable) = built(inside);
            let found = find_plugins(&executable).unwrap();
            assert_eq!(found.len(), 3);
            assert!(
                found
                    .iter()
                    .all(|path| path.parent() == Some(&target.path().join(inside)))
            );
        }
        let (target, executable) = built("deps");
        let stale = format!("{DLL_PREFIX}{}{DLL_SUFFIX}", EXAMPLES[0]);
        fs::write(target.path().join(stale), "stale").unwrap();
        assert!(
            find_plugins(&executable).unwrap()[0]
                .parent()
                .unwrap()
                .ends_with("deps")
        );
    }

    #[test]
    fn a_missing_plugin_is_named_with_what_to_build() {
        let empty = TempDir::new().unwrap();
        let failure = find_plugins(&empty.path().join("forebay")).unwrap_err();
        assert_eq!(failure.exit(), Exit::Environment);
        let text = failure.to_string();
        assert!(text.contains("forebay_connector_discard"), "{text}");
        assert!(text.contains("cargo build --workspace"), "{text}");
    }

    #[test]
    fn the_folder_has_plugins_data_licence_and_pipeline() {
        let (_target, folder, _) = made();
        assert_eq!(fs::read(folder.join(DATA)).unwrap(), DATA_BYTES);
        assert_eq!(fs::read(folder.join(LICENCE)).unwrap(), LICENCE_BYTES);
        let names = entries(&folder.join(PLUGINS)).unwrap();
        assert_eq!(names.len(), 3);
        for name in names {
            assert_eq!(
                fs::read_to_string(folder.join(PLUGINS).join(&name)).unwrap(),
                name
            );
        }
    }

    #[test]
    fn the_pipeline_file_is_right() {
        let (_target, folder, _) = made();
        let files = pipeline_file::read(&[folder.join(PIPELINE)], &|_| panic!("no variables"));
        let files = files.unwrap();
        assert_eq!(files.warnings, []);
        let connectors = &files.pipelines[0].connectors;
        assert_eq!(connectors[0].settings.values["path"], DATA);
        assert_eq!(connectors[0].settings.values["follow"], "false");
        assert_eq!(connectors[1].settings.values["path"], COPY);
        assert_eq!(connectors[1].settings.values["sdk.record.format"], "raw");
    }

    #[test]
    fn making_it_again_starts_afresh() {
        let (_target, folder, plugins) = made();
        fs::write(folder.join(COPY), "old").unwrap();
        fs::write(folder.join(DATA), "changed").unwrap();
        fs::create_dir(folder.join(STATE)).unwrap();
        fs::write(folder.join(STATE).join("positions"), "old").unwrap();
        fs::write(folder.join(PLUGINS).join("mine.so"), "mine").unwrap();

        make(&folder, &plugins).unwrap();

        assert!(!folder.join(COPY).exists());
        assert!(!folder.join(STATE).exists());
        assert_eq!(fs::read(folder.join(DATA)).unwrap(), DATA_BYTES);
        assert_eq!(
            fs::read(folder.join(PLUGINS).join("mine.so")).unwrap(),
            b"mine"
        );
    }

    #[test]
    fn a_folder_with_other_content_is_left_alone() {
        let (target, _, plugins) = made();
        let text = refusal(target.path(), &plugins);
        assert!(
            text.contains("has content that quickstart didn't make: `a`"),
            "{text}"
        );
        assert!(!target.path().join(DATA).exists());

        // Only names of ours, as in any folder where Forebay ran, but not made by quickstart.
        let project = TempDir::new().unwrap();
        fs::create_dir(project.path().join(STATE)).unwrap();
        fs::write(project.path().join(STATE).join("positions"), "precious").unwrap();
        refusal(project.path(), &plugins);
        assert!(project.path().join(STATE).join("positions").exists());
    }

    #[test]
    fn a_changed_pipeline_file_is_kept() {
        let (_target, folder, plugins) = made();
        fs::write(folder.join(PIPELINE), "mine").unwrap();
        let text = refusal(&folder, &plugins);
        assert!(
            text.contains("pipeline.yaml` isn't as quickstart wrote it"),
            "{text}"
        );
        assert_eq!(fs::read(folder.join(PIPELINE)).unwrap(), b"mine");
    }

    #[test]
    fn a_file_in_the_folders_place_is_told() {
        let (target, _, plugins) = made();
        let file = target.path().join("file");
        fs::write(&file, "x").unwrap();
        let text = refusal(&file, &plugins);
        assert!(text.contains("can't look into the folder"), "{text}");
    }

    #[cfg(unix)]
    #[test]
    fn a_link_is_replaced_and_its_target_is_not_written_to() {
        let (target, folder, plugins) = made();
        let precious = target.path().join("precious");
        fs::write(&precious, "precious").unwrap();
        fs::remove_file(folder.join(DATA)).unwrap();
        std::os::unix::fs::symlink(&precious, folder.join(DATA)).unwrap();

        make(&folder, &plugins).unwrap();

        assert_eq!(fs::read(&precious).unwrap(), b"precious");
        assert_eq!(fs::read(folder.join(DATA)).unwrap(), DATA_BYTES);
    }
}
