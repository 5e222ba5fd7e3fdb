//! Loading plugin files: every fault has its own error, and none stops the other files.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test ends at the first thing that fails"
)]

mod examine;
mod execution;
mod faults;
mod folders;
mod lookup;
mod rescan;
mod table;
mod tables;
mod truncation;

use std::path::Path;

use forebay_tests::{Library, plugin_file};
use plugin_host::Registry;

const SOURCE: &str = "forebay-fixture-source";
/// The next version of [`SOURCE`]'s plugin.
const NEWER: &str = "forebay-fixture-newer-source";
const DESTINATION: &str = "forebay-fixture-destination";

/// The file of a plugin with nothing wrong, to be damaged.
fn good() -> Library {
    Library::read(&plugin_file(SOURCE))
}

/// Full names of the plugins that are ready, sorted.
fn ready(registry: &Registry) -> Vec<String> {
    registry
        .plugins()
        .map(|plugin| plugin.name().to_string())
        .collect()
}

/// Full name of a fixture as a standalone plugin.
fn full_name(package: &str) -> String {
    format!("standalone:{package}@v0.1.0")
}

/// Names of the files that are quarantined and the codes, in the order of the scan.
fn refused(registry: &Registry) -> Vec<(&str, &str)> {
    registry
        .quarantined()
        .iter()
        .map(|file| (file_name(&file.path), file.error.code()))
        .collect()
}

fn file_name(path: &Path) -> &str {
    path.file_name().unwrap().to_str().unwrap()
}

#[test]
fn a_plugin_file_exports_its_header_and_nothing_else() {
    for package in [SOURCE, DESTINATION, "forebay-fixture-static-constructor"] {
        let library = Library::read(&plugin_file(package));
        assert_eq!(
            library.exports(),
            [format!("forebay_plugin_{package}_0.1.0")]
        );
    }
}
