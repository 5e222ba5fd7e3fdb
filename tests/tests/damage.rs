//! Damaged copies of a good plugin file, each loaded in a process of its own: what the checks before
//! the opening miss kills that process, and is counted here.
//!
//! `FOREBAY_DAMAGED_COPIES=2000 cargo test -p forebay-tests --test damage -- --nocapture` prints the
//! counts for docs/architecture.md. The copies are the same in every run.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test ends at the first thing that fails, and this one prints what it has counted"
)]

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;
use std::time::Duration;

use forebay_tests::{Folder, Library, Random, Scan, plugin_file};
use plugin_host::loader::inspect;

/// Copies a test without the variable.
const COPIES: usize = 40;
const TIMEOUT: Duration = Duration::from_secs(5);

/// What became of the copies.
#[derive(Debug, Default)]
struct Counts {
    /// Refused before they were opened, by code.
    refused: BTreeMap<&'static str, usize>,
    /// Refused after they were opened.
    refused_later: usize,
    /// Loaded; the damage was in nothing that a load needs.
    loaded: usize,
    /// Given up, since the load didn't end.
    hung: usize,
    /// Killed their process inside the dynamic loader.
    killed_in_dlopen: usize,
    /// Killed it later.
    killed_later: usize,
}

impl Counts {
    fn load(&mut self, file: &Library) {
        if let Err(error) = inspect(file.bytes(), "plugin") {
            *self.refused.entry(error.code()).or_default() += 1;
            return;
        }
        let folder = Folder::new();
        folder.put("damaged.so", file);
        let program = Path::new(env!("CARGO_BIN_EXE_forebay-scan"));
        let scan = Scan::new(program, TIMEOUT, &[folder.path()]).env("FOREBAY_SCAN_LOG", "1");
        match scan.end() {
            Ok(report) if report.is_stuck => self.hung += 1,
            Ok(report) if report.ready.is_empty() => self.refused_later += 1,
            Ok(_) => self.loaded += 1,
            Err(death) if death.stderr.contains("is mapped") => self.killed_later += 1,
            Err(_) => self.killed_in_dlopen += 1,
        }
    }
}

/// Damages copies of a plugin as it is linked by default, and of one that another linker has linked
/// or that at least has another layout.
fn damaged(what: &str, bytes: usize, parts: impl Fn(&Library) -> Vec<Range<usize>>) -> [Counts; 2] {
    ["forebay-fixture-source", "forebay-fixture-other-layout"]
        .map(|package| damaged_copies_of(package, what, bytes, &parts))
}

fn damaged_copies_of(
    package: &str,
    what: &str,
    bytes: usize,
    parts: impl Fn(&Library) -> Vec<Range<usize>>,
) -> Counts {
    let copies = std::env::var("FOREBAY_DAMAGED_COPIES");
    let copies = copies.map_or(COPIES, |copies| copies.parse().unwrap());
    let good = Library::read(&plugin_file(package));
    let parts = parts(&good);
    let mut random = Random::new(0x9e37_79b9_7f4a_7c15);
    let mut counts = Counts::default();
    for _ in 0..copies {
        counts.load(&good.clone().with_damage(&parts, bytes, &mut random));
    }
    println!("{copies} copies of {package}, {what}: {counts:?}");
    counts
}

#[test]
fn the_second_file_has_another_layout() {
    let [good, other] = ["forebay-fixture-source", "forebay-fixture-other-layout"]
        .map(|package| Library::read(&plugin_file(package)));
    inspect(other.bytes(), "plugin").unwrap();
    assert_ne!(good.loaded_parts().len(), other.loaded_parts().len());
}

#[test]
fn damaged_tables_do_not_kill_the_dynamic_loader() {
    for counts in damaged("a byte of the tables", 1, Library::tables) {
        assert_eq!(counts.killed_in_dlopen, 0, "{counts:?}");
        assert!(counts.refused["load.damaged"] > 0, "{counts:?}");
    }
}

#[test]
fn damage_anywhere_is_mostly_seen_or_harmless() {
    for counts in damaged("a byte of what is loaded", 1, Library::loaded_parts) {
        assert!(counts.loaded > 0, "{counts:?}");
    }
}

#[test]
fn much_damage_is_mostly_seen() {
    for counts in damaged("100 bytes of what is loaded", 100, Library::loaded_parts) {
        assert_eq!(counts.killed_in_dlopen, 0, "{counts:?}");
    }
}
