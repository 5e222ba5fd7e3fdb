//! I7: no code of a file runs before it has passed every check that can be made without.

use std::path::Path;
use std::time::Duration;

use forebay_tests::{Folder, Library, Report, Scan, plugin_file};
use object::elf::{DT_NEEDED, DT_RUNPATH};

use super::full_name;

const PACKAGE: &str = "forebay-fixture-static-constructor";

/// Scans in a process whose environment makes the plugin's static constructor write the file.
fn scan(folder: &Folder, touch: &Path) -> Report {
    let program = Path::new(env!("CARGO_BIN_EXE_forebay-scan"));
    Scan::new(program, Duration::from_secs(20), &[folder.path()])
        .env("FOREBAY_FIXTURE_TOUCH", touch)
        .run()
}

#[test]
fn nothing_of_a_refused_file_runs() {
    let good = || Library::read(&plugin_file(PACKAGE));
    let folder = Folder::new();
    folder.put("checksum.so", good().with_wrong_checksum());
    folder.put("marker.so", good().without_marker());
    folder.put("format.so", good().with_marker_format(9));
    folder.put("field.so", good().with_marker_field("abi", "?"));
    folder.put("abi.so", good().with_marker_field("abi", "2.0.0"));
    folder.put("panic.so", good().with_marker_field("panic", "abort"));
    folder.put(
        "name.so",
        good().with_marker(|marker| marker["specification"]["name"] = "a b".into()),
    );
    folder.put("glibc.so", good().with_needed_glibc("GLIBC_2.99"));
    folder.put("runpath.so", good().with_dynamic(DT_RUNPATH, "lib"));
    folder.put("for-all.so", good().with_dynamic(DT_RUNPATH, "/tmp/lib"));
    folder.put("open.so", good());
    folder.set_mode("open.so", 0o666);
    folder.put("needed.so", good().with_dynamic(DT_NEEDED, "lib/a.so"));
    folder.put("library.so", good().with_dynamic(DT_NEEDED, "libnope.so"));
    folder.put("cut.so", good().cut(good().bytes().len() - 1));
    let touch = Folder::new();
    let report = scan(&folder, &touch.at("it-ran"));
    assert!(report.ready.is_empty(), "{:?}", report.ready);
    assert_eq!(report.quarantined.len(), 14, "{:?}", report.quarantined);
    assert!(!touch.at("it-ran").exists());
}

/// Which of them would be used is known by their markers.
#[test]
fn files_that_collide_are_not_opened() {
    let folder = Folder::new();
    folder.copy("a.so", &plugin_file(PACKAGE));
    let other = Library::read(&plugin_file(PACKAGE));
    folder.put("b.so", other.with_marker_field("rustc", "rustc 1.95.1"));
    let touch = Folder::new();
    let report = scan(&folder, &touch.at("it-ran"));
    let codes: Vec<_> = report.quarantined.iter().map(|file| &*file.code).collect();
    assert_eq!(codes, ["load.duplicate", "load.duplicate"]);
    assert!(!touch.at("it-ran").exists());
}

/// Else the tests before prove nothing.
#[test]
fn a_good_file_runs() {
    let folder = Folder::new();
    folder.copy("good.so", &plugin_file(PACKAGE));
    let touch = Folder::new();
    let report = scan(&folder, &touch.at("it-ran"));
    assert_eq!(report.ready, [full_name(PACKAGE)]);
    assert!(touch.at("it-ran").exists());
}
