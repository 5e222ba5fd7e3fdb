//! Looking into the folders again, while plugins are in use.

use std::fs;
use std::sync::Arc;

use forebay_tests::{Folder, Library, plugin_file};
use plugin_host::store::FileStore;
use plugin_host::{
    Blueprint, ConnectorConfig, Engine, PipelineConfig, PipelineError, PluginService, Registry,
    RunOptions, ScanOptions,
};

use super::{DESTINATION, NEWER, SOURCE, full_name, good, ready, refused};

fn scan(folder: &Folder) -> Registry {
    Registry::standalone(&[folder.path()], &ScanOptions::default())
}

/// The newest version of the source's plugin.
fn latest(registry: &Registry) -> Option<Arc<Blueprint>> {
    registry.find(&SOURCE.parse().unwrap()).cloned()
}

fn version(plugin: &Blueprint) -> &str {
    &plugin.specification().version
}

/// The same plugin with other bytes.
fn other_build() -> Library {
    good().with_marker_field("rustc", "rustc 1.95.1")
}

/// Writes a file beside its place and renames it, as whoever replaces a plugin must.
fn replace(folder: &Folder, name: &str, content: &[u8]) {
    let new = folder.put("new.part", content);
    fs::rename(new, folder.at(name)).unwrap();
}

/// Number of images that were made of a file with this name and are still there.
#[cfg(target_os = "linux")]
fn images(stem: &str) -> usize {
    let descriptors = fs::read_dir("/proc/self/fd").unwrap();
    let links = descriptors.filter_map(|it| fs::read_link(it.unwrap().path()).ok());
    let name = format!("/memfd:{stem} (deleted)");
    links.filter(|link| *link.to_string_lossy() == name).count()
}

#[test]
fn new_files_are_found_and_removed_ones_are_not() {
    let folder = Folder::new();
    folder.copy("rescan-kept.so", &plugin_file(SOURCE));
    let first = scan(&folder);
    let newer = folder.copy("newer.so", &plugin_file(NEWER));
    folder.put("broken.so", "no library");
    let second = first.rescan();
    assert_eq!(version(&latest(&second).unwrap()), "v0.2.0");
    assert_eq!(refused(&second), [("broken.so", "load.not_library")]);
    assert_eq!(ready(&first), [full_name(SOURCE)], "the first is as it was");

    fs::remove_file(newer).unwrap();
    fs::remove_file(folder.at("broken.so")).unwrap();
    let third = second.rescan();
    assert!(refused(&third).is_empty());
    // The newest is computed: nothing is left of the removed one.
    let kept = latest(&third).unwrap();
    assert_eq!(version(&kept), "v0.1.0");
    assert!(
        third
            .find(&format!("{SOURCE}@v0.2.0").parse().unwrap())
            .is_none()
    );
    assert!(Arc::ptr_eq(&kept, &latest(&first).unwrap()));
    #[cfg(target_os = "linux")]
    assert_eq!(images("rescan-kept"), 1, "it was opened once");
}

#[test]
fn a_changed_file_replaces_its_predecessor() {
    let folder = Folder::new();
    folder.copy("a.so", &plugin_file(SOURCE));
    let first = scan(&folder);
    let before = latest(&first).unwrap();
    // The same name and version, other content; then another version.
    replace(&folder, "a.so", other_build().bytes());
    let second = first.rescan();
    let after = latest(&second).unwrap();
    assert!(refused(&second).is_empty());
    assert_eq!((version(&before), version(&after)), ("v0.1.0", "v0.1.0"));
    assert_ne!(before.hash(), after.hash());
    replace(&folder, "a.so", &fs::read(plugin_file(NEWER)).unwrap());
    let third = second.rescan();
    assert_eq!(third.plugins().count(), 1);
    assert_eq!(version(&latest(&third).unwrap()), "v0.2.0");
    // And back: what was opened once is still there.
    replace(&folder, "a.so", good().bytes());
    assert!(Arc::ptr_eq(&before, &latest(&third.rescan()).unwrap()));
}

#[test]
fn files_of_different_scans_collide_and_both_are_refused_until_one_is_gone() {
    let folder = Folder::new();
    folder.copy("1-newer.so", &plugin_file(NEWER));
    let first = scan(&folder);
    let used = latest(&first).unwrap();
    folder.copy("2-source.so", &plugin_file(SOURCE));
    let other = Library::read(&plugin_file(NEWER)).with_marker_field("rustc", "rustc 1.95.1");
    folder.put("3-newer.so", other);
    let second = first.rescan();
    let both = ["1-newer.so", "3-newer.so"].map(|file| (file, "load.duplicate"));
    assert_eq!(refused(&second), both);
    // Nothing is left behind by what collides.
    assert_eq!(version(&latest(&second).unwrap()), "v0.1.0");
    fs::remove_file(folder.at("3-newer.so")).unwrap();
    let third = second.rescan();
    assert!(refused(&third).is_empty());
    assert!(Arc::ptr_eq(&used, &latest(&third).unwrap()));
}

#[test]
fn a_file_that_has_moved_is_the_same_plugin_and_is_not_opened_again() {
    let folder = Folder::new();
    let old = folder.copy("rescan-moves.so", &plugin_file(SOURCE));
    let first = scan(&folder);
    fs::rename(old, folder.at("moved.so")).unwrap();
    let second = first.rescan();
    let moved = latest(&second).unwrap();
    assert_eq!(moved.path(), Some(&*folder.at("moved.so")));
    assert!(Arc::ptr_eq(&moved, &latest(&second.rescan()).unwrap()));
    #[cfg(target_os = "linux")]
    assert_eq!((images("rescan-moves"), images("moved")), (1, 0));
}

#[test]
#[cfg(target_os = "linux")]
fn a_file_that_was_refused_when_it_was_open_is_not_opened_again() {
    let folder = Folder::new();
    let lie = |marker: &mut serde_json::Value| {
        marker["specification"]["summary"] = "something else".into();
    };
    folder.put("rescan-lie.so", good().with_marker(lie));
    let expected = [("rescan-lie.so", "load.specification_differs")];
    let first = scan(&folder);
    assert_eq!(refused(&first), expected);
    let second = first.rescan();
    assert_eq!(refused(&second), expected);
    assert_eq!(images("rescan-lie"), 1);
    // It is known by its content, not by its path.
    replace(&folder, "rescan-lie.so", good().bytes());
    assert_eq!(ready(&second.rescan()), [full_name(SOURCE)]);
}

#[test]
fn what_runs_goes_on_with_its_version() {
    let (folder, state) = (Folder::new(), Folder::new());
    folder.copy("source.so", &plugin_file(SOURCE));
    folder.copy("destination.so", &plugin_file(DESTINATION));
    let service = Arc::new(PluginService::new(Registry::default(), scan(&folder)));
    let store = Arc::new(FileStore::open(&state.path()).unwrap());
    let engine = Engine::new(Arc::clone(&service), store).unwrap();
    let connector = |plugin: &str| ConnectorConfig::new(plugin, plugin).unwrap();
    let source = connector(SOURCE).with("last", u64::MAX.to_string());
    let mut config = PipelineConfig::new("p", source).to(connector(DESTINATION));
    let running = engine.start(&config, RunOptions::default()).unwrap();

    replace(&folder, "source.so", &fs::read(plugin_file(NEWER)).unwrap());
    fs::remove_file(folder.at("destination.so")).unwrap();
    let found = service.rescan();
    assert_eq!(version(&latest(&found).unwrap()), "v0.2.0");
    assert!(Arc::ptr_eq(&found, &service.standalone()));
    config.id = "q".to_owned();
    let errors = engine
        .start(&config, RunOptions::default())
        .unwrap_err()
        .errors;
    // The new version has no such setting, and the destination is gone.
    let codes: Vec<_> = errors.iter().map(PipelineError::code).collect();
    assert_eq!(codes, ["config.invalid", "plugin.not_found"], "{errors:?}");

    let so_far = running.progress().records;
    while running.progress().records < so_far + 10_000 {
        let over = running.wait_timeout(std::time::Duration::from_millis(1));
        assert!(over.is_none(), "{over:?}");
    }
}
