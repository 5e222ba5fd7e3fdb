//! Lines of the `file` source that are longer than it may take: they go to the dead-letter queue.
#![expect(clippy::unwrap_used, reason = "a failure is the test's")]

use std::fs;
use std::path::Path;
use std::sync::Arc;

use plugin_host::store::FileStore;
use plugin_host::{
    ConnectorConfig, DeadLetterQueue, Engine, Outcome, PipelineConfig, PluginService, Registry,
    RunOptions, ScanOptions,
};

/// Copies `in.txt` to `out.txt` to its present end, with what is longer than `longest` in `dead.txt`.
fn copy(folder: &Path, longest: usize) -> Outcome {
    let builtin = Registry::builtin([forebay_connector_file::plugin()]);
    let standalone = Registry::standalone(&[], &ScanOptions::default());
    let service = Arc::new(PluginService::new(builtin, standalone));
    let store = FileStore::open(&folder.join("state")).unwrap();
    let engine = Engine::new(service, Arc::new(store)).unwrap();
    let path = |name: &str| folder.join(name).to_str().unwrap().to_owned();
    let connector = |id| ConnectorConfig::new(id, "builtin:file").unwrap();
    let source = connector("src")
        .with("path", path("in.txt"))
        .with("follow", "false")
        .with("maxLineBytes", longest.to_string());
    let destination = connector("dst")
        .with("path", path("out.txt"))
        .with("sdk.record.format", "raw");
    let queue = DeadLetterQueue::new("builtin:file")
        .unwrap()
        .with("path", path("dead.txt"));
    let config = PipelineConfig::new("p", source)
        .to(destination)
        .dead_letters(queue);
    let pipeline = engine.start(&config, RunOptions::default()).unwrap();
    pipeline.wait()
}

fn read(folder: &Path, name: &str) -> String {
    fs::read_to_string(folder.join(name)).unwrap_or_default()
}

#[test]
fn a_line_that_is_too_long_is_a_dead_letter_and_the_next_ones_are_delivered() {
    // Longer than by a byte, than a block, and than everything that is read at once of one.
    for length in [5, 16 << 10, 300 << 10, 20 << 20] {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        let long = "long".to_owned() + &"x".repeat(length - 4);
        let text = format!("one\n{long}\ntwo\n{long}\n{long}\nfour\n");
        fs::write(folder.join("in.txt"), &text).unwrap();
        assert!(matches!(copy(folder, 4), Outcome::Ended));
        assert_eq!(read(folder, "out.txt"), "one\ntwo\nfour\n");
        let dead = read(folder, "dead.txt");
        let dead: Vec<_> = dead.lines().collect();
        assert_eq!(dead.len(), 3, "{dead:?}");
        let path = folder.join("in.txt").display().to_string();
        for (letter, (line, offset)) in dead.iter().zip([
            (2, 4),
            (4, 4 + length + 1 + 4),
            (5, 4 + length + 1 + 4 + length + 1),
        ]) {
            let reason = format!(
                "line {line} of `{path}`, at byte {offset}, has {length} bytes, more than the 4 of"
            );
            assert!(letter.contains(&reason), "{letter}");
            assert!(letter.len() < 4096, "{}", letter.len());
            assert!(letter.contains("file.path"), "{letter}");
        }
        // The positions are behind the lines' ends.
        fs::write(folder.join("in.txt"), text + "five\n").unwrap();
        assert!(matches!(copy(folder, 4), Outcome::Ended));
        assert_eq!(read(folder, "out.txt"), "one\ntwo\nfour\nfive\n");
        assert_eq!(read(folder, "dead.txt").lines().count(), 3);
    }
}

#[test]
fn a_line_that_is_too_long_and_ends_with_the_file_is_a_dead_letter() {
    for length in [5, 400 << 10] {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        fs::write(
            folder.join("in.txt"),
            "one\n".to_owned() + &"x".repeat(length),
        )
        .unwrap();
        assert!(matches!(copy(folder, 4), Outcome::Ended));
        assert_eq!(read(folder, "out.txt"), "one\n");
        let dead = read(folder, "dead.txt");
        let reason = format!("has {length} bytes and no end yet, more than the 4 of");
        assert!(dead.contains(&reason), "{dead}");
        assert_eq!(dead.lines().count(), 1);
    }
}
