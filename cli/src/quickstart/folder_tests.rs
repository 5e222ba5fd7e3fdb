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
        assert_eq!(found.len(), EXAMPLES.len());
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
    assert_eq!(names.len(), EXAMPLES.len());
    for name in names {
        assert_eq!(
            fs::read_to_string(folder.join(PLUGINS).join(&name)).unwrap(),
            name
        );
    }
}

#[test]
fn the_data_is_as_the_help_says() {
    let lines = DATA_BYTES.iter().filter(|&&byte| byte == b'\n').count();
    assert_eq!(lines, 34_924);
    assert_eq!(DATA_BYTES.last(), Some(&b'\n'));
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
    fs::write(folder.join(COPY), &DATA_BYTES[..100]).unwrap();
    fs::write(folder.join(DATA), &DATA_BYTES[..200]).unwrap();
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
fn a_changed_file_is_kept() {
    for name in [PIPELINE, DATA, LICENCE, COPY] {
        let (_target, folder, plugins) = made();
        let mut mine = fs::read(folder.join(name)).unwrap_or_else(|_| DATA_BYTES.to_vec());
        mine.extend(b"one more line\n");
        fs::write(folder.join(name), &mine).unwrap();
        let text = refusal(&folder, &plugins);
        let expected = format!("{name}` isn't as quickstart left it");
        assert!(text.contains(&expected), "{text}");
        assert!(fs::read(folder.join(name)).unwrap() == mine, "{name}");
    }
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
    // A beginning of the data, so that the folder counts as unchanged.
    fs::write(&precious, &DATA_BYTES[..100]).unwrap();
    fs::remove_file(folder.join(DATA)).unwrap();
    std::os::unix::fs::symlink(&precious, folder.join(DATA)).unwrap();

    make(&folder, &plugins).unwrap();

    assert_eq!(fs::read(&precious).unwrap(), &DATA_BYTES[..100]);
    assert_eq!(fs::read(folder.join(DATA)).unwrap(), DATA_BYTES);
}
