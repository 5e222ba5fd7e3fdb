//! Wrong input: the exit code, and what the message says.

use crate::support::Place;

const GOOD: &str = r#"version: "2.2"
pipelines:
  - id: p
    connectors:
      - id: src
        type: source
        plugin: builtin:file
        settings:
          path: in.txt
          follow: false
      - id: dst
        type: destination
        plugin: builtin:file
        settings:
          path: out.txt
"#;

/// Runs the good pipeline with one text in it replaced, and expects the code and these parts of the
/// message; with a usage error nothing may have been written.
#[track_caller]
fn expect(from: &str, to: &str, code: i32, parts: &[&str]) {
    let place = Place::new();
    place.write("in.txt", "one\n");
    assert!(GOOD.contains(from));
    place.write("pipeline.yaml", GOOD.replacen(from, to, 1));
    let finished = place.run(&["run", "pipeline.yaml"]).expect_code(code);
    for part in parts {
        assert!(
            finished.stderr.contains(part),
            "no {part:?} in {finished:?}"
        );
    }
    assert!(finished.stderr.contains("help: "), "{finished:?}");
    if code == 2 {
        assert!(!place.path("out.txt").exists());
    }
    let json = place
        .run(&["run", "pipeline.yaml", "--json"])
        .expect_code(code);
    let document: serde_json::Value = serde_json::from_str(&json.stdout).unwrap();
    assert!(document.is_object(), "{json:?}");
}

#[test]
fn what_is_wrong_with_a_pipeline_is_named_with_its_place() {
    expect(
        "type: source",
        "type: sauce",
        2,
        &["pipeline.yaml:6:", "`sauce`"],
    );
    expect(
        "    connectors:",
        "   connectors:",
        2,
        &["pipeline.yaml:4:"],
    );
    expect(
        "builtin:file",
        "builtin:fil",
        2,
        &["pipeline.yaml:7:", "builtin:fil@latest"],
    );
    expect(
        "builtin:file",
        "builtin:file@v9.0.0",
        2,
        &["pipeline.yaml:7:", "v0.1.0"],
    );
    expect(
        "builtin:file",
        "mistake:file",
        2,
        &["pipeline.yaml:7:", "\"mistake\""],
    );
    expect(
        "builtin:file",
        "builtin:discard",
        2,
        &["pipeline.yaml:7:", "has no source"],
    );
    expect(
        "follow: false",
        "folow: false",
        2,
        &["pipeline.yaml:10:", "`folow`", "\"follow\""],
    );
    expect(
        "follow: false",
        "follow: perhaps",
        2,
        &["pipeline.yaml:10:", "\"perhaps\""],
    );
    expect(
        "          path: in.txt\n",
        "",
        2,
        &["pipeline.yaml:5:", "`path`", "required"],
    );
    expect("type: destination", "type: source", 2, &["pipeline.yaml"]);
    expect(
        "    connectors:",
        "    processors:\n      - {id: x, plugin: y}\n    connectors:",
        2,
        &["pipeline.yaml:4:", "processors"],
    );
}

#[test]
fn all_that_is_wrong_is_told_at_once() {
    let place = Place::new();
    let text = GOOD
        .replace("follow: false", "folow: false")
        .replace("path: out.txt", "pth: x");
    place.write("pipeline.yaml", text);
    let finished = place.run(&["run", "pipeline.yaml"]).expect_code(2);
    for part in ["`folow`", "`pth`", "`path`"] {
        assert!(finished.stderr.contains(part), "no {part} in {finished:?}");
    }
}

#[test]
fn what_fails_in_a_run_is_1() {
    expect(
        "path: in.txt",
        "path: missing.txt",
        1,
        &["missing.txt", "p:src"],
    );
    expect(
        "path: out.txt",
        "path: no/out.txt",
        1,
        &["no/out.txt", "p:dst"],
    );
}

#[test]
fn an_environment_that_is_not_as_needed_is_3() {
    let place = Place::new();
    place.write("in.txt", "one\n");
    place.write("pipeline.yaml", GOOD);
    place.write("a_file", "");
    for (arguments, part) in [
        (&["run", "missing.yaml"][..], "missing.yaml"),
        (&["run", "pipeline.yaml", "--plugins", "missing"], "missing"),
        (&["run", "pipeline.yaml", "--state", "a_file"], "a_file"),
    ] {
        let finished = place.run(arguments).expect_code(3);
        assert!(finished.stderr.contains(part), "{finished:?}");
        assert!(finished.stderr.contains("help: "), "{finished:?}");
    }
    place.run(&["run"]).expect_code(2);
    place
        .run(&["run", "pipeline.yaml", "--what"])
        .expect_code(2);
}

#[test]
fn a_damaged_store_is_no_restart_from_zero() {
    let place = Place::new();
    place.write("in.txt", "one\n");
    place.write("pipeline.yaml", GOOD);
    place.run(&["run", "pipeline.yaml"]).expect_code(0);
    let store = place.path(".forebay/positions.redb");
    let bytes = std::fs::read(&store).unwrap();
    std::fs::write(&store, &bytes[..bytes.len() / 2]).unwrap();
    let finished = place.run(&["run", "pipeline.yaml"]).expect_code(3);
    assert!(finished.stderr.contains("damaged"), "{finished:?}");
}

#[test]
fn a_state_folder_in_use_names_who_uses_it() {
    let place = Place::new();
    place.write("in.txt", "one\n");
    place.write(
        "pipeline.yaml",
        GOOD.replace("follow: false", "follow: true"),
    );
    let running = place.start(&["run", "pipeline.yaml"]);
    crate::support::wait_until(|| place.path("out.txt").exists().then_some(()));
    let finished = place.run(&["run", "pipeline.yaml"]).expect_code(3);
    assert!(
        finished
            .stderr
            .contains(&format!("process {}", running.id())),
        "{finished:?}"
    );
}
