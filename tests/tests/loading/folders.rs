//! Several files with the same plugin: which of them is used.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use forebay_tests::{Folder, plugin_file};
use plugin_host::registry::examine_folders;
use plugin_host::{PluginService, Registry, ScanOptions};

use super::{DESTINATION, SOURCE, full_name, good, ready, refused};

fn scan(folders: &[&Folder]) -> Registry {
    let folders: Vec<_> = folders.iter().map(|folder| folder.path()).collect();
    Registry::standalone(&folders, &ScanOptions::default())
}

/// The good plugin with other bytes: nothing of it is different that anybody checks.
fn other_build() -> forebay_tests::Library {
    good().with_marker_field("rustc", "rustc 1.95.1")
}

#[test]
fn the_same_bytes_twice_are_one_plugin() {
    let folder = Folder::new();
    let first = folder.copy("a.so", &plugin_file(SOURCE));
    let second = folder.copy("b.so", &plugin_file(SOURCE));
    let registry = scan(&[&folder]);
    assert_eq!(ready(&registry), [full_name(SOURCE)]);
    assert!(registry.quarantined().is_empty());
    let [shadowed] = registry.shadowed() else {
        panic!("{:?}", registry.shadowed());
    };
    assert_eq!((&shadowed.path, &shadowed.by), (&second, &first));
}

#[test]
fn other_bytes_of_the_same_name_and_version_are_both_refused() {
    let folder = Folder::new();
    let first = folder.copy("a.so", &plugin_file(SOURCE));
    let second = folder.put("b.so", other_build());
    folder.copy("c.so", &plugin_file(DESTINATION));
    let registry = scan(&[&folder]);
    assert_eq!(ready(&registry), [full_name(DESTINATION)]);
    assert_eq!(
        refused(&registry),
        [("a.so", "load.duplicate"), ("b.so", "load.duplicate")]
    );
    for (file, other) in registry.quarantined().iter().zip([&second, &first]) {
        let message = file.error.to_string();
        assert!(message.contains(&full_name(SOURCE)), "{message}");
        assert!(message.contains(&*other.to_string_lossy()), "{message}");
        assert!(file.error.help().contains("remove one of the two"));
    }
}

#[test]
fn a_plugin_that_is_refused_keeps_its_name_and_is_explained() {
    let folder = Folder::new();
    let path = folder.put("a.so", good().with_marker_field("panic", "abort"));
    let registry = scan(&[&folder]);
    let refused = &registry.quarantined()[0];
    let name = refused.name.as_ref().map(ToString::to_string);
    assert_eq!(name, Some(full_name(SOURCE)));
    let specified = refused.specification.as_ref().unwrap();
    assert_eq!(specified.version, "v0.1.0");

    let service = PluginService::new(Registry::default(), registry);
    for name in [SOURCE.to_owned(), full_name(SOURCE)] {
        let error = service.find(&name.parse().unwrap()).unwrap_err();
        assert_eq!(error.code(), "load.panic_abort", "{name}");
        let text = error.to_string();
        assert!(text.contains(&*path.to_string_lossy()), "{text}");
    }
    for name in [format!("{SOURCE}@v9.0.0"), format!("builtin:{SOURCE}")] {
        let error = service.find(&name.parse().unwrap()).unwrap_err();
        assert_eq!(error.code(), "plugin.not_found", "{name}");
    }
}

#[test]
fn a_file_that_is_not_trusted_is_known_by_its_name_too() {
    let folder = Folder::new();
    let path = folder.copy("a.so", &plugin_file(SOURCE));
    fs::set_permissions(&path, Permissions::from_mode(0o646)).unwrap();
    let service = PluginService::new(Registry::default(), scan(&[&folder]));
    let error = service.find(&SOURCE.parse().unwrap()).unwrap_err();
    assert_eq!(error.code(), "load.world_writable");
}

#[test]
fn a_third_file_doesnt_win_because_two_have_collided() {
    let folder = Folder::new();
    folder.copy("a.so", &plugin_file(SOURCE));
    folder.put("b.so", other_build());
    folder.copy("c.so", &plugin_file(SOURCE));
    let registry = scan(&[&folder]);
    assert!(ready(&registry).is_empty());
    assert_eq!(
        refused(&registry),
        ["a.so", "b.so", "c.so"].map(|file| (file, "load.duplicate"))
    );
}

#[test]
fn a_damaged_file_doesnt_collide_with_the_good_one() {
    let folder = Folder::new();
    folder.put("a.so", good().with_wrong_checksum());
    folder.copy("b.so", &plugin_file(SOURCE));
    folder.put("c.so", good().with_marker_field("panic", "abort"));
    let registry = scan(&[&folder]);
    assert_eq!(ready(&registry), [full_name(SOURCE)]);
    assert_eq!(
        refused(&registry),
        [
            ("a.so", "load.marker_damaged"),
            ("c.so", "load.panic_abort")
        ]
    );
}

#[test]
fn an_earlier_folder_goes_before_a_later_one() {
    let (earlier, later) = (Folder::new(), Folder::new());
    let used = earlier.copy("b.so", &plugin_file(SOURCE));
    let unused = later.put("a.so", other_build());
    later.copy("c.so", &plugin_file(DESTINATION));
    let registry = scan(&[&earlier, &later]);
    assert_eq!(
        ready(&registry),
        [full_name(DESTINATION), full_name(SOURCE)]
    );
    assert!(registry.quarantined().is_empty());
    let [shadowed] = registry.shadowed() else {
        panic!("{:?}", registry.shadowed());
    };
    assert_eq!((&shadowed.path, &shadowed.by), (&unused, &used));
    assert_eq!(shadowed.name.to_string(), full_name(SOURCE));
}

/// Each file that isn't used with its code, in the order of their paths.
fn unused(registry: &Registry) -> Vec<(PathBuf, &'static str)> {
    let quarantined = registry.quarantined().iter();
    let quarantined = quarantined.map(|file| (file.path.clone(), file.error.code()));
    let shadowed = registry.shadowed().iter();
    let shadowed = shadowed.map(|file| (file.path.clone(), file.reason().code()));
    let mut unused: Vec<_> = quarantined.chain(shadowed).collect();
    unused.sort();
    unused
}

#[test]
fn looking_at_folders_tells_what_a_scan_makes_of_them() {
    let (earlier, later) = (Folder::new(), Folder::new());
    earlier.copy("a.so", &plugin_file(DESTINATION));
    earlier.put("b.so", good().with_marker_field("panic", "abort"));
    earlier.copy("c.so", &plugin_file(DESTINATION));
    let collided = earlier.put("d.so", other_build());
    later.copy("a.so", &plugin_file(DESTINATION));
    later.copy("b.so", &plugin_file(SOURCE));
    for is_collision in [false, true] {
        if is_collision {
            earlier.copy("e.so", &plugin_file(SOURCE));
            earlier.put("f.so", other_build());
        }
        let folders = [&earlier, &later].map(|folder| folder.path().to_owned());
        let registry = Registry::standalone(&folders, &ScanOptions::default());
        let examined = examine_folders(&folders, &ScanOptions::default());
        let codes = examined.iter().flat_map(|file| {
            let refusals = file.refusals.iter();
            refusals.map(|refusal| (file.path.clone(), refusal.code()))
        });
        let mut codes: Vec<_> = codes.collect();
        codes.sort();
        assert_eq!(codes, unused(&registry));
        let duplicates = codes.iter().filter(|(_, code)| *code == "load.duplicate");
        assert_eq!(duplicates.count(), if is_collision { 3 } else { 0 });
        let used = examined.iter().find(|file| file.path == collided).unwrap();
        assert_eq!(used.refusals.is_empty(), !is_collision);
        let reasons = registry.quarantined().iter().map(|it| it.error.to_string());
        let told: Vec<_> = examined.iter().flat_map(|it| &it.refusals).collect();
        for reason in reasons {
            assert!(told.iter().any(|it| it.to_string() == reason), "{reason}");
        }
    }
}

#[test]
fn a_file_that_lies_about_its_version_doesnt_collide_with_the_good_one() {
    let folder = Folder::new();
    let lie = |marker: &mut serde_json::Value| {
        marker["specification"]["version"] = "v0.2.0".into();
    };
    folder.put("a.so", good().with_marker(lie));
    folder.copy("b.so", &plugin_file(SOURCE));
    let registry = scan(&[&folder]);
    assert_eq!(ready(&registry), [full_name(SOURCE)]);
    assert_eq!(refused(&registry), [("a.so", "load.specification_differs")]);
}

#[test]
fn a_file_whose_specification_is_refused_doesnt_collide_with_the_good_one() {
    let folder = Folder::new();
    folder.copy("a.so", &plugin_file(SOURCE));
    let version = |marker: &mut serde_json::Value| {
        marker["specification"]["version"] = "0.1.0".into();
    };
    folder.put("b.so", good().with_marker(version));
    let parameter = |marker: &mut serde_json::Value| {
        let params = &mut marker["specification"]["sourceParams"];
        params["last."] = params["last"].clone();
    };
    folder.put("c.so", good().with_marker(parameter));
    let registry = scan(&[&folder]);
    assert_eq!(ready(&registry), [full_name(SOURCE)]);
    assert_eq!(
        refused(&registry),
        ["b.so", "c.so"].map(|file| (file, "load.specification_invalid"))
    );
}

#[test]
fn a_plugin_that_links_another_one_is_known_by_the_name_of_its_file() {
    let folder = Folder::new();
    let package = "forebay-fixture-two-plugins";
    let file = plugin_file(package);
    folder.copy(super::file_name(&file), &file);
    let registry = scan(&[&folder]);
    assert_eq!(ready(&registry), [full_name(package)]);
    assert!(registry.quarantined().is_empty());
}

#[test]
fn other_files_and_folders_within_are_not_looked_at() {
    let folder = Folder::new();
    folder.put("readme.md", "Plugins go here.");
    folder.put("plugin.so.part", good().cut(1000));
    fs::create_dir(folder.at("older")).unwrap();
    folder.copy("older/good.so", &plugin_file(SOURCE));
    let registry = scan(&[&folder, &Folder::new()]);
    assert!(ready(&registry).is_empty());
    assert!(registry.quarantined().is_empty());
}
