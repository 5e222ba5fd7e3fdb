//! A static constructor that hangs holds the dynamic loader's lock for ever. The host can't free
//! it, but it must know, say which file it was, and go on. One that was only slow frees it after all.

use std::path::Path;
use std::time::Duration;

use forebay_tests::{Folder, Library, Scan, plugin_file};

const TIMEOUT: Duration = Duration::from_secs(2);

#[test]
fn a_load_that_hangs_is_given_up_and_named() {
    let hanging = plugin_file("forebay-fixture-static-constructor");
    let source = plugin_file("forebay-fixture-source");
    let destination = plugin_file("forebay-fixture-destination");
    let folder = Folder::new();
    folder.copy("1-before.so", &source);
    let hangs = folder.copy("2-hangs.so", &hanging);
    folder.copy("3-after.so", &destination);
    folder.put("4-damaged.so", Library::read(&source).with_wrong_checksum());

    let program = Path::new(env!("CARGO_BIN_EXE_forebay-scan"));
    let report = Scan::new(program, TIMEOUT, &[folder.path()])
        .env("FOREBAY_FIXTURE_HANG", "1")
        .run();

    assert_eq!(report.ready, ["standalone:forebay-fixture-source@v0.1.0"]);
    let refused: Vec<_> = report
        .quarantined
        .iter()
        .map(|file| (&*file.file, &*file.code))
        .collect();
    assert_eq!(
        refused,
        [
            ("2-hangs.so", "load.timed_out"),
            ("3-after.so", "load.timed_out"),
            // What needs no dynamic loader is still told.
            ("4-damaged.so", "load.marker_damaged"),
        ]
    );
    // Both are told by the file that hangs: the other one has nothing wrong.
    for file in &report.quarantined[..2] {
        let says = format!("`{}` was not loaded within 2s", hangs.display());
        assert_eq!(file.message, says, "{}", file.file);
    }
    assert!(report.is_stuck);
    // The time is spent once, not once a file.
    assert!(report.elapsed >= TIMEOUT, "{:?}", report.elapsed);
    assert!(report.elapsed < 2 * TIMEOUT, "{:?}", report.elapsed);
}

#[test]
fn a_load_that_ends_after_its_time_lets_the_others_go_on() {
    let folder = Folder::new();
    folder.copy(
        "1-slow.so",
        &plugin_file("forebay-fixture-static-constructor"),
    );
    folder.copy("2-after.so", &plugin_file("forebay-fixture-source"));
    let elsewhere = Folder::new();
    let release = elsewhere.at("release");

    // The first scan gives up; the second comes when the constructor has returned.
    let program = Path::new(env!("CARGO_BIN_EXE_forebay-scan"));
    let report = Scan::new(program, TIMEOUT, &[folder.path()])
        .env("FOREBAY_FIXTURE_UNTIL", &release)
        .env("FOREBAY_SCAN_AGAIN", &release)
        .run();

    assert!(report.quarantined.is_empty(), "{:?}", report.quarantined);
    assert_eq!(report.ready.len(), 2, "{:?}", report.ready);
    assert!(!report.is_stuck);
}
