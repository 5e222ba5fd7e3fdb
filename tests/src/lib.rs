//! What the tests across crates share.

use std::env::consts::{DLL_PREFIX, DLL_SUFFIX};
use std::path::PathBuf;

/// The file of a library that was built beside the running test.
///
/// # Panics
///
/// Panics where there is none: then the test's package doesn't depend on it.
#[must_use]
pub fn library_file(library: &str) -> PathBuf {
    let test = std::env::current_exe().expect("a running test has a path");
    let folder = test.parent().expect("a file is in a folder");
    let file = folder.join(format!("{DLL_PREFIX}{library}{DLL_SUFFIX}"));
    assert!(file.is_file(), "`{}` was not built", file.display());
    file
}
