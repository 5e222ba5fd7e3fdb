//! Pipelines of several sources, and what happens to records that a destination refuses.

use std::fs;

use serde_json::Value;

use crate::support::{Finished, Place};

/// Of five records a destination refuses each one. The queue, if there is one, is a file.
fn refusing(queue: &str) -> Place {
    let place = Place::new();
    place.install(&["forebay_fixture_secrets"]);
    place.write(
        "pipeline.yaml",
        format!(
            "version: 2.2
pipelines:
  - id: p
    connectors:
      - {{id: in, type: source, plugin: generator, settings: {{recordCount: 5, format.options.id: int}}}}
      - {{id: out, type: destination, plugin: secrets, settings: {{tell: nack, password: open hunter2}}}}
    {queue}\n"
        ),
    );
    place
}

fn run(place: &Place) -> Finished {
    place.run(&["run", "pipeline.yaml", "--json"])
}

/// What the summary tells of the only pipeline.
fn summary(finished: &Finished) -> Value {
    let document: Value = serde_json::from_str(&finished.stdout).unwrap();
    document["pipelines"][0].clone()
}

fn letters(place: &Place) -> Vec<Value> {
    let text = fs::read_to_string(place.path("dead.txt")).unwrap_or_default();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

const FILE: &str = "plugin: file, settings: {path: dead.txt}";

#[test]
fn a_queue_takes_what_is_refused_and_the_run_goes_on() {
    let place = refusing(&format!("dead-letter-queue: {{{FILE}, window-size: 0}}"));
    let finished = run(&place).expect_code(0);
    let told = summary(&finished);
    assert_eq!(told["status"], "ended");
    assert_eq!(
        (&told["records"], &told["deadLetters"]),
        (&5.into(), &5.into())
    );
    assert_eq!(told["errors"], 0);
    let letters = letters(&place);
    assert_eq!(letters.len(), 5);
    for letter in &letters {
        let metadata = &letter["metadata"];
        assert_eq!(metadata["conduit.dlq.nack.node.id"], "p:out", "{letter}");
        let error = metadata["conduit.dlq.nack.error"].as_str().unwrap();
        assert!(error.contains("[secret password]"), "{error}");
    }

    // People are told as well, and the next run begins behind what the queue has.
    place.run(&["state", "reset", "p"]).expect_code(0);
    let finished = place.run(&["run", "pipeline.yaml"]).expect_code(0);
    assert!(
        finished.stderr.contains("  0 errors  5 dead letters\n"),
        "{finished:?}"
    );
    let finished = run(&place).expect_code(0);
    assert_eq!(summary(&finished)["records"], 0, "{finished:?}");
}

#[test]
fn more_refusals_than_the_queue_takes_end_the_run() {
    for (queue, taken) in [
        ("", 0),
        ("dead-letter-queue:", 0),
        (&*format!("dead-letter-queue: {{{FILE}}}"), 0),
        (
            &*format!("dead-letter-queue: {{{FILE}, window-size: 4, window-nack-threshold: 2}}"),
            2,
        ),
    ] {
        let place = refusing(queue);
        let finished = run(&place).expect_code(1);
        let told = summary(&finished);
        // No try can mend what a record has wrong.
        assert_eq!(
            (&told["status"], &told["errors"]),
            (&"failed".into(), &1.into())
        );
        assert_eq!(told["error"]["code"], "record.refused", "{queue} {told}");
        assert_eq!(told["deadLetters"], taken, "{queue} {told}");
        assert_eq!(letters(&place).len(), taken, "{queue}");
    }
}

#[test]
fn a_queue_that_fails_is_named_with_its_place() {
    let settings = "{path: /dev/null, sync: data}";
    let place = refusing(&format!(
        "dead-letter-queue: {{plugin: file, settings: {settings}, window-size: 0}}"
    ));
    let finished = run(&place).expect_code(2);
    let error = summary(&finished)["error"].clone();
    assert_eq!(error["code"], "config.invalid", "{finished:?}");
    assert_eq!((&error["line"], &error["column"]), (&7.into(), &73.into()));
    let message = error["message"].as_str().unwrap();
    assert!(message.contains("`p:dead-letter-queue`"), "{message}");
}

#[test]
fn several_sources_are_copied_each_in_order_and_go_on_each_for_itself() {
    const LINES: u64 = 2_000;
    let place = Place::new();
    let lines = |source: &str, numbers: std::ops::Range<u64>| -> String {
        numbers.map(|n| format!("{source} {n}\n")).collect()
    };
    for source in ["a", "b", "c"] {
        place.write(source, lines(source, 0..LINES));
    }
    let sources = ["a", "b", "c"].map(|source| {
        format!(
            "      - {{id: {source}, type: source, plugin: file, settings: {{path: {source}, follow: \
             false}}}}\n"
        )
    });
    let outputs = ["x", "y"].map(|output| {
        format!(
            "      - {{id: {output}, type: destination, plugin: file, settings: {{path: {output}, \
             sdk.record.format: raw}}}}\n"
        )
    });
    place.write(
        "pipeline.yaml",
        format!(
            "version: 2.2\npipelines:\n  - id: p\n    connectors:\n{}{}",
            sources.concat(),
            outputs.concat()
        ),
    );
    let copied = |output: &str, source: &str| -> String {
        let text = String::from_utf8(place.read(output)).unwrap();
        let of_source = text.lines().filter(|line| line.starts_with(source));
        of_source.map(|line| format!("{line}\n")).collect()
    };
    let finished = run(&place).expect_code(0);
    assert_eq!(summary(&finished)["records"], 3 * LINES);

    // One source has more; the others have nothing, and nothing is copied twice.
    place.write("b", lines("b", 0..LINES + 7));
    let finished = run(&place).expect_code(0);
    assert_eq!(summary(&finished)["records"], 7);
    for output in ["x", "y"] {
        for (source, lines_of) in [("a", LINES), ("b", LINES + 7), ("c", LINES)] {
            assert!(
                copied(output, source) == lines(source, 0..lines_of),
                "{source} in {output}"
            );
        }
    }
    let finished = place.run(&["run", "pipeline.yaml"]).expect_code(0);
    let part = "`forebay state reset p` forgets";
    assert!(finished.stderr.contains(part), "{finished:?}");
}
