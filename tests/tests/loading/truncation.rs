//! A file that is cut anywhere is refused: the dynamic loader would kill the process.

use forebay_tests::{Folder, plugin_file};
use plugin_host::loader::{Stage, inspect};
use plugin_host::{Registry, ScanOptions};

use super::{DESTINATION, full_name, good, ready};

#[test]
fn a_file_cut_at_any_length_is_seen_to_be_cut() {
    let good = good();
    let cuts = good.cuts();
    assert!(cuts.len() > 200, "{}", cuts.len());
    for length in cuts {
        let error = inspect(good.cut(length), "plugin").unwrap_err();
        let code = if length == 0 {
            "load.empty"
        } else {
            "load.truncated"
        };
        assert_eq!(error.code(), code, "{length} bytes: {error}");
        assert_eq!(error.stage(), Stage::Look);
    }
}

#[test]
fn files_cut_at_many_lengths_stop_no_other_file() {
    let good = good();
    let folder = Folder::new();
    let cuts = good.cuts();
    let step = cuts.len() / 24;
    let kept: Vec<usize> = cuts.into_iter().skip(1).step_by(step).collect();
    for length in &kept {
        folder.put(&format!("{length:010}.so"), good.cut(*length));
    }
    folder.copy("good.so", &plugin_file(DESTINATION));
    let registry = Registry::standalone(&[folder.path()], &ScanOptions::default());
    assert_eq!(ready(&registry), [full_name(DESTINATION)]);
    assert_eq!(registry.quarantined().len(), kept.len());
    for (length, file) in kept.into_iter().zip(registry.quarantined()) {
        assert_eq!(file.error.code(), "load.truncated", "{length} bytes");
    }
}
