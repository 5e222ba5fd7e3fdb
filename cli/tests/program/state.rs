//! Positions: what is told of them, and beginning anew.

use rustix::process::Signal;
use serde_json::{Value, json};

use crate::support::Place;

fn copied() -> Place {
    let place = Place::new();
    place.write("in.txt", "one\ntwo\n");
    place.pipeline(
        ("file", &[("path", "in.txt"), ("follow", "false")]),
        ("file", &[("path", "out.txt"), ("sdk.record.format", "raw")]),
    );
    place.run(&["run", "pipeline.yaml"]).expect_code(0);
    place
}

fn positions(place: &Place, arguments: &[&str]) -> Vec<Value> {
    let arguments = [&["state", "--json"], arguments].concat();
    let finished = place.run(&arguments).expect_code(0);
    let document: Value = serde_json::from_str(&finished.stdout).unwrap();
    document["positions"].as_array().unwrap().clone()
}

#[test]
fn positions_are_listed_and_shown() {
    let place = copied();
    let listed = positions(&place, &["list"]);
    let [position] = &listed[..] else {
        panic!("{listed:?}");
    };
    assert_eq!(
        (&position["pipeline"], &position["connector"]),
        (&json!("p"), &json!("src"))
    );
    assert_eq!(position["plugin"], "builtin:file@v0.1.0");
    assert_eq!(position["hash"], Value::Null);
    let text = position["position"].as_str().unwrap();
    let hex: String = text.bytes().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(position["hex"], hex);
    for name in ["p", "p/src"] {
        assert_eq!(positions(&place, &["show", name]), listed);
    }
    let table = place.run(&["state", "list"]).expect_code(0).stdout;
    let mut lines = table.lines();
    assert!(lines.next().unwrap().starts_with("CONNECTOR"), "{table}");
    let row = lines.next().unwrap();
    assert!(
        row.starts_with("p/src") && row.contains("builtin:file@v0.1.0"),
        "{row}"
    );
    let page = place.run(&["state", "show", "p"]).expect_code(0).stdout;
    assert!(page.contains(text), "{page}");
}

#[test]
fn after_a_reset_the_source_begins_at_its_beginning() {
    let place = copied();
    place.run(&["run", "pipeline.yaml"]).expect_code(0);
    assert_eq!(place.read("out.txt"), b"one\ntwo\n");
    let told = place
        .run(&["state", "reset", "p/src"])
        .expect_code(0)
        .stdout;
    assert!(told.starts_with("forgot p/src at "), "{told}");
    assert!(positions(&place, &["list"]).is_empty());
    place.run(&["run", "pipeline.yaml"]).expect_code(0);
    assert_eq!(place.read("out.txt"), b"one\ntwo\none\ntwo\n");
}

#[test]
fn a_name_that_has_no_position_is_told_with_those_that_have() {
    let place = copied();
    for action in ["show", "reset"] {
        for name in ["q", "p/dst", "p/", ""] {
            let told = place.run(&["state", action, name]).expect_code(2).stderr;
            assert!(
                told.contains(&format!("no position is stored for `{name}`")),
                "{told}"
            );
            assert!(told.contains("there are those of p/src"), "{told}");
        }
    }
    assert_eq!(positions(&place, &["list"]).len(), 1);
}

#[test]
fn where_nothing_is_stored_nothing_is_made() {
    let place = Place::new();
    let told = place.run(&["state", "list"]).expect_code(0).stdout;
    assert_eq!(told, "no positions\n");
    let told = place.run(&["state", "reset", "p"]).expect_code(2).stderr;
    assert!(told.contains("none is stored at all"), "{told}");
    assert!(!place.path(".forebay").exists());
}

#[test]
fn while_a_pipeline_runs_its_process_is_named() {
    let place = copied();
    place.pipeline(
        ("file", &[("path", "in.txt")]),
        ("file", &[("path", "out.txt")]),
    );
    let running = place.start(&["run", "-v", "pipeline.yaml"]);
    running.wait_for_stderr("p:dst is builtin:file");
    for arguments in [&["state", "list"][..], &["state", "reset", "p"]] {
        let told = place.run(arguments).expect_code(3).stderr;
        assert!(
            told.contains(&format!("is in use by process {}", running.id())),
            "{told}"
        );
    }
    running.signal(Signal::INT);
    running.finish().expect_code(0);
    assert_eq!(positions(&place, &["list"]).len(), 1);
}

#[test]
fn a_run_behind_a_stored_position_says_so() {
    let place = copied();
    let position = positions(&place, &["list"])[0]["position"].clone();
    let goes_on = format!(
        "p:src goes on behind position `{}`",
        position.as_str().unwrap()
    );
    let nothing =
        "0 records came behind the stored position; `forebay state reset p/src` forgets it";
    let again = place.run(&["run", "-v", "pipeline.yaml"]).expect_code(0);
    assert!(again.stderr.contains(&goes_on), "{again:?}");
    assert!(again.stderr.contains(nothing), "{again:?}");
    place.write("in.txt", "one\ntwo\nthree\n");
    let new = place.run(&["run", "pipeline.yaml"]).expect_code(0);
    assert!(!new.stderr.contains("position"), "{new:?}");
    // What has begun at the beginning has no position to be blamed.
    place.run(&["state", "reset", "p"]).expect_code(0);
    place.write("in.txt", "");
    let empty = place.run(&["run", "-v", "pipeline.yaml"]).expect_code(0);
    assert!(empty.stderr.contains("0 records"), "{empty:?}");
    assert!(!empty.stderr.contains("behind"), "{empty:?}");
}
