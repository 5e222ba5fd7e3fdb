//! Where the plugin files of this build are.

use std::env;
use std::env::consts::{DLL_PREFIX, DLL_SUFFIX};
use std::path::{Path, PathBuf};

/// The plugin file of a package, as it was built with the tests.
///
/// Fixtures and connectors are dependencies of this package and dynamic libraries, so cargo has
/// put their files beside the running test, whatever profile and target folder it was given.
#[must_use]
pub fn plugin_file(package: &str) -> PathBuf {
    let file = deps_folder().join(file_name(package));
    assert!(
        file.is_file(),
        "`{}` is missing: make `{package}` a dev-dependency of this package, as a cdylib",
        file.display()
    );
    file
}

/// Name of the file that cargo makes of a package.
pub(crate) fn file_name(package: &str) -> String {
    format!("{DLL_PREFIX}{}{DLL_SUFFIX}", package.replace('-', "_"))
}

/// The folder of the profile that the running test was built with, such as `target/debug`.
#[must_use]
pub fn artifact_folder() -> PathBuf {
    deps_folder().parent().unwrap().to_owned()
}

fn deps_folder() -> PathBuf {
    let test = env::current_exe().unwrap();
    test.parent().map(Path::to_owned).unwrap()
}
