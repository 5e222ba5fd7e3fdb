//! Copies of this workspace with another ABI, built when a test asks for it.
//!
//! Nothing frozen is checked in: a variant is the present source with a few edits. It has the
//! workspace's lock file and target folder, so only our own crates are compiled again. No file of
//! this build may be overwritten: the plugin and the program get package names of their own, and
//! all crates lie in a folder with the variant's name, because cargo tells crates of one name and
//! version apart by their path in the workspace.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};
use std::{env, fs};

use crate::files::{artifact_folder, file_name};

/// What a variant is made of, relative to the workspace.
const CRATES: [&str; 2] = ["plugin-api", "plugin-host"];
const PLUGIN: &str = "tests/fixtures/source";
const SCAN: &str = "tests/src/bin/scan.rs";

/// Package of the plugin that every variant has.
const PACKAGE: &str = "forebay-fixture-source";

/// A copy of the workspace: the ABI, the author layer, the host, a program that scans, a plugin.
#[derive(Debug)]
pub struct Variant {
    name: String,
    files: BTreeMap<PathBuf, Vec<u8>>,
    arguments: Vec<String>,
}

impl Variant {
    /// Copies the workspace; the name is part of those of its plugin and its program.
    #[must_use]
    pub fn new(name: &str) -> Self {
        let mut files = BTreeMap::new();
        let root = workspace();
        for folder in CRATES {
            copy(&root.join(folder), Path::new(folder), &mut files);
        }
        copy(&root.join(PLUGIN), Path::new("plugin"), &mut files);
        files.insert(
            "scan/src/main.rs".into(),
            fs::read(root.join(SCAN)).unwrap(),
        );
        files.insert("scan/Cargo.toml".into(), scan_manifest(name).into_bytes());
        files.insert("Cargo.toml".into(), manifest(&root, name).into_bytes());
        files.insert(
            "Cargo.lock".into(),
            fs::read(root.join("Cargo.lock")).unwrap(),
        );
        let variant = Self {
            name: name.to_owned(),
            files,
            arguments: Vec::new(),
        };
        let package = variant.package();
        let name = |package: &str| format!("name = \"{package}\"");
        variant.edit("plugin/Cargo.toml", &name(PACKAGE), &name(&package))
    }

    /// Replaces a text, which must be there exactly once, in one of the files.
    #[must_use]
    pub fn edit(mut self, file: &str, from: &str, to: &str) -> Self {
        let content = self
            .files
            .get_mut(Path::new(file))
            .unwrap_or_else(|| panic!("`{file}` is gone: mend this test"));
        let text = String::from_utf8(content.clone()).unwrap();
        let count = text.matches(from).count();
        assert_eq!(
            count, 1,
            "`{from}` is {count} times in `{file}`: mend this test"
        );
        *content = text.replace(from, to).into_bytes();
        self
    }

    /// Sets something of the profile that it is built with.
    #[must_use]
    pub fn profile(mut self, setting: &str) -> Self {
        let setting = format!("profile.{}.{setting}", profile());
        self.arguments.extend(["--config".to_owned(), setting]);
        self
    }

    /// Package of its plugin.
    #[must_use]
    pub fn package(&self) -> String {
        format!("{PACKAGE}-{}", self.name)
    }

    /// Builds its plugin, in a folder that is kept for the next time, and returns the file.
    #[must_use]
    pub fn plugin(&self, folder: &Path) -> PathBuf {
        self.build(folder, &self.package());
        artifact_folder().join(file_name(&self.package()))
    }

    /// Builds its program that scans, and returns it.
    #[must_use]
    pub fn scan(&self, folder: &Path) -> PathBuf {
        let package = scan_package(&self.name);
        self.build(folder, &package);
        artifact_folder().join(format!("{package}{}", env::consts::EXE_SUFFIX))
    }

    fn build(&self, folder: &Path, package: &str) {
        let folder = folder.join(&self.name);
        self.write(&folder);
        let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let target = artifact_folder();
        let output = Command::new(cargo)
            .args(["build", "--offline", "--package", package])
            .args(["--profile", &profile()])
            .arg("--target-dir")
            .arg(target.parent().unwrap())
            .args(&self.arguments)
            .current_dir(&folder)
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "`{}` can't be built: {}",
            folder.display(),
            String::from_utf8_lossy(&output.stderr)
        );
    }

    /// Writes what has changed since the last time, so that cargo doesn't build the rest again.
    fn write(&self, folder: &Path) {
        // A variant's plugin and its program are built from one folder, by tests that run at once.
        static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
        let _writing = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
        let files: BTreeMap<PathBuf, &[u8]> = self
            .files
            .iter()
            .map(|(file, content)| (self.place(file), &**content))
            .collect();
        let mut present = BTreeMap::new();
        if folder.is_dir() {
            copy(folder, Path::new(""), &mut present);
        }
        for gone in present.keys().filter(|file| !files.contains_key(*file)) {
            fs::remove_file(folder.join(gone)).unwrap();
        }
        for (file, content) in files {
            if present.get(&file).is_none_or(|present| present != content) {
                let path = folder.join(file);
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                fs::write(path, content).unwrap();
            }
        }
    }

    /// Where in the copy a file of the workspace is.
    fn place(&self, file: &Path) -> PathBuf {
        if file.components().count() == 1 {
            file.to_owned()
        } else {
            Path::new(&self.name).join(file)
        }
    }
}

fn workspace() -> PathBuf {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    tests.parent().unwrap().to_owned()
}

/// The profile that this test was built with.
fn profile() -> String {
    let folder = artifact_folder();
    match folder.file_name().unwrap().to_str().unwrap() {
        "debug" => "dev".to_owned(),
        other => other.to_owned(),
    }
}

/// The workspace's manifest with the variant's members, in its folder.
fn manifest(root: &Path, name: &str) -> String {
    let text = fs::read_to_string(root.join("Cargo.toml")).unwrap();
    let (_, rest) = text.split_once("\n[workspace.package]").unwrap();
    let rest = rest.replace("path = \"", &format!("path = \"{name}/"));
    let members = [
        "plugin-api",
        "plugin-api/abi",
        "plugin-api/derive",
        "plugin-host",
        "plugin",
        "scan",
    ]
    .map(|member| format!("{name}/{member}"));
    format!("[workspace]\nresolver = \"3\"\nmembers = {members:?}\n\n[workspace.package]{rest}")
}

fn scan_package(name: &str) -> String {
    format!("forebay-scan-{name}")
}

fn scan_manifest(name: &str) -> String {
    format!(
        "[package]\n\
         name = \"{}\"\n\
         version.workspace = true\n\
         edition.workspace = true\n\
         \n\
         [dependencies]\n\
         forebay-plugin-host.workspace = true\n\
         log.workspace = true\n\
         serde_json.workspace = true\n\
         signal-hook.workspace = true\n",
        scan_package(name)
    )
}

fn copy(folder: &Path, to: &Path, files: &mut BTreeMap<PathBuf, Vec<u8>>) {
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &to, files);
        } else {
            files.insert(to, fs::read(entry.path()).unwrap());
        }
    }
}
