//! Looking at one file without executing it: what is told although it would be refused.

use forebay_tests::Folder;
use object::elf::{DT_NEEDED, DT_RUNPATH};
use plugin_host::loader::{Examined, LoadError, examine};
use plugin_host::{Registry, ScanOptions};
use serde_json::json;

use super::{SOURCE, good};

fn codes(examined: &Examined) -> Vec<&str> {
    examined.refusals.iter().map(LoadError::code).collect()
}

fn package(examined: &Examined) -> Option<&str> {
    examined.marker.as_ref().map(|marker| &*marker.package)
}

#[test]
fn everything_is_told_of_a_file_with_nothing_wrong() {
    let folder = Folder::new();
    let examined = examine(&folder.put("a.so", good()), &ScanOptions::default());
    assert!(examined.refusals.is_empty(), "{:?}", examined.refusals);
    assert_eq!(package(&examined), Some(SOURCE));
    assert!(examined.needed.iter().any(|name| name == "libc.so.6"));
    assert!(examined.glibc.is_some());
    assert!(examined.run_paths.is_empty());
    // As the registry has it of the image that was loaded.
    let registry = Registry::standalone(&[folder.path()], &ScanOptions::default());
    let loaded = registry.plugins().next().unwrap();
    assert_eq!(examined.hash.as_deref(), loaded.hash());
    assert_eq!(loaded.build().package, SOURCE);
}

#[test]
fn what_can_be_read_of_a_refused_file_is_told() {
    let folder = Folder::new();
    let name = |marker: &mut serde_json::Value| marker["specification"]["name"] = json!("a b");
    for (file, expected) in [
        (good().for_foreign_cpu(), "load.foreign_cpu"),
        (good().for_freebsd(), "load.foreign_platform"),
        (
            good().with_marker_field("panic", "abort"),
            "load.panic_abort",
        ),
        (good().with_marker_field("abi", "2.0.0"), "load.abi_major"),
        (good().with_needed_glibc("GLIBC_2.99"), "load.newer_glibc"),
        (
            good().with_dynamic(DT_NEEDED, "lib/x.so"),
            "load.needed_path",
        ),
        (good().with_dynamic(DT_RUNPATH, "lib"), "load.run_path"),
        (good().with_marker(name), "load.specification_invalid"),
    ] {
        let examined = examine(&folder.put("a.so", &file), &ScanOptions::default());
        assert_eq!(codes(&examined), [expected]);
        assert_eq!(package(&examined), Some(SOURCE), "{expected}");
        assert!(examined.hash.is_some(), "{expected}");
        match expected {
            "load.newer_glibc" => assert_eq!(examined.glibc.unwrap().to_string(), "2.99"),
            "load.needed_path" => assert!(examined.needed.iter().any(|it| it == "lib/x.so")),
            "load.run_path" => assert_eq!(examined.run_paths, ["lib"]),
            _ => {}
        }
    }
    // Nothing is known of these, but that they are what they are.
    for (file, expected) in [
        (b"port: 8080".to_vec(), "load.not_library"),
        (Vec::new(), "load.empty"),
        (good().without_marker().bytes().to_vec(), "load.no_marker"),
    ] {
        let examined = examine(&folder.put("b.so", file), &ScanOptions::default());
        assert_eq!(codes(&examined), [expected]);
        assert_eq!(package(&examined), None, "{expected}");
    }
}

#[test]
fn a_file_that_is_not_trusted_is_looked_at_all_the_same() {
    let folder = Folder::new();
    let path = folder.put("a.so", good().with_dynamic(DT_RUNPATH, "/tmp/lib"));
    folder.set_mode("a.so", 0o666);
    let examined = examine(&path, &ScanOptions::default());
    assert_eq!(
        codes(&examined),
        ["load.world_writable", "load.world_writable"]
    );
    assert_eq!(package(&examined), Some(SOURCE));
    assert_eq!(examined.run_paths, ["/tmp/lib"]);
    let untrusted = folder.put("b.so", good().with_marker_field("panic", "abort"));
    folder.set_mode("b.so", 0o666);
    let both = ["load.world_writable", "load.panic_abort"];
    assert_eq!(codes(&examine(&untrusted, &ScanOptions::default())), both);
    // What can't be opened at all is told once.
    let missing = examine(&folder.at("missing.so"), &ScanOptions::default());
    assert_eq!(codes(&missing), ["load.unreadable"]);
    assert_eq!(missing.hash, None);
    std::fs::create_dir(folder.at("folder.so")).unwrap();
    let directory = examine(&folder.at("folder.so"), &ScanOptions::default());
    assert_eq!(codes(&directory), ["load.not_regular_file"]);
}
