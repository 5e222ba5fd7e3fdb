//! Wrong input: the exit code, and what the message says.

use serde_json::Value;

use crate::support::{Place, wait_until};

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

/// Runs the good pipeline with one text in it replaced, and expects the exit code, the stable code
/// and these parts of the message; a usage error has a place, and nothing may have been written.
#[track_caller]
fn expect(from: &str, to: &str, exit: i32, code: &str, parts: &[&str]) {
    let place = Place::new();
    place.write("in.txt", "one\n");
    assert!(GOOD.contains(from));
    place.write("pipeline.yaml", GOOD.replacen(from, to, 1));
    let finished = place.run(&["run", "pipeline.yaml"]).expect_code(exit);
    for part in parts {
        assert!(
            finished.stderr.contains(part),
            "no {part:?} in {finished:?}"
        );
    }
    assert!(finished.stderr.contains("help: "), "{finished:?}");
    assert_eq!(finished.stdout, "");

    let json = place
        .run(&["run", "pipeline.yaml", "--json"])
        .expect_code(exit);
    let document: Value = serde_json::from_str(&json.stdout).unwrap();
    let found = match exit {
        2 => {
            let problems = document["problems"].as_array().unwrap();
            problems.iter().find(|problem| problem["code"] == code)
        }
        _ => Some(&document["pipelines"][0]["error"]),
    };
    assert!(found.is_some(), "no {code} in {json:?}");
    let found = found.unwrap();
    assert_eq!(found["code"], code, "{json:?}");
    let message = found["message"].as_str().unwrap();
    assert!(finished.stderr.contains(message), "{finished:?} {json:?}");
    assert_ne!(found["help"], "", "{json:?}");
    if exit == 2 {
        assert_eq!(found["file"], "pipeline.yaml");
        let (line, column) = (&found["line"], &found["column"]);
        let told = format!("pipeline.yaml:{line}:{column}: ");
        assert!(finished.stderr.contains(&told), "{finished:?} {json:?}");
        assert!(!place.path("out.txt").exists());
    }
}

/// Runs it with these arguments, and expects 3, the stable code and this part of the message.
#[track_caller]
fn expect_environment(place: &Place, arguments: &[&str], code: &str, part: &str) {
    let finished = place.run(arguments).expect_code(3);
    assert!(finished.stderr.contains(part), "{finished:?}");
    assert!(finished.stderr.contains("help: "), "{finished:?}");
    let json = place.run(&[arguments, &["--json"]].concat()).expect_code(3);
    let document: Value = serde_json::from_str(&json.stdout).unwrap();
    let found = match document.get("error") {
        Some(error) => error,
        None => &document["problems"][0],
    };
    assert_eq!(found["code"], code, "{json:?}");
}

#[test]
fn what_is_wrong_with_the_form_of_a_pipeline_is_named_with_its_place() {
    for (from, to, code, parts) in [
        (
            "    connectors:",
            "   connectors:",
            "pipeline.syntax",
            &["pipeline.yaml:4:4:"][..],
        ),
        (
            "type: source",
            "type: sauce",
            "pipeline.invalid_value",
            &["pipeline.yaml:6:15:", "`sauce`", "did you mean `source`?"],
        ),
        (
            "path: in.txt",
            "path: ${FOREBAY_TEST_UNSET}",
            "pipeline.unset_variable",
            &["pipeline.yaml:9:17:", "`FOREBAY_TEST_UNSET`"],
        ),
        (
            "    connectors:",
            "    processors:\n      - {id: x, plugin: y}\n    connectors:",
            "pipeline.unsupported",
            &["pipeline.yaml:4:", "processors"],
        ),
        (
            "    connectors:",
            "    dead-letter-queue: {window-size: 3, window-nack-threshold: 3}\n    connectors:",
            "pipeline.dead_letter_threshold",
            &["pipeline.yaml:4:64:", "not lower than the window size 3"],
        ),
        (
            "type: destination",
            "type: source",
            "pipeline.no_destination",
            &["pipeline.yaml:4:", "no destination"],
        ),
    ] {
        expect(from, to, 2, code, parts);
    }
}

#[test]
fn a_plugin_that_cannot_be_used_is_named_with_its_place() {
    for (to, code, part) in [
        ("builtin:fil", "pipeline.plugin", "no plugin `builtin:fil`"),
        ("flie", "pipeline.plugin", "did you mean `builtin:file`?"),
        ("flie", "pipeline.plugin", "no plugin `flie`"),
        ("builtin:file@v9.0.0", "pipeline.plugin", "there is v0.1.0"),
        (
            "standalone:file",
            "pipeline.plugin",
            "did you mean `builtin:file`?",
        ),
        ("mistake:file", "name.prefix", "\"mistake\""),
        ("builtin:discard", "pipeline.plugin", "has no source"),
    ] {
        expect("builtin:file", to, 2, code, &["pipeline.yaml:7:17:", part]);
    }
    expect(
        "destination\n        plugin: builtin:file",
        "destination\n        plugin: builtin:generator",
        2,
        "pipeline.plugin",
        &["pipeline.yaml:13:17:", "has no destination"],
    );
}

#[test]
fn a_wrong_setting_is_named_with_its_place() {
    for (from, to, parts) in [
        (
            "follow: false",
            "folow: false",
            &[
                "pipeline.yaml:10:",
                "`folow`",
                "did you mean \"follow\"?",
                "`forebay inspect builtin:file` shows the parameters that there are",
            ][..],
        ),
        (
            "follow: false",
            "follow: perhaps",
            &[
                "pipeline.yaml:10:",
                "`follow`",
                "\"perhaps\"",
                "`forebay inspect builtin:file` shows what it can be",
            ],
        ),
        (
            "          path: in.txt\n",
            "",
            &[
                "pipeline.yaml:5:",
                "`path`",
                "required",
                "add `path: VALUE` to the `settings`",
            ],
        ),
        (
            "builtin:file\n        settings:\n          path: in.txt\n          follow: false",
            "builtin:generator\n        settings: {recordCount: -1}",
            &["pipeline.yaml:8:33:", "`recordCount`", "greater than -1"],
        ),
        (
            "path: out.txt",
            "{path: out.txt, sdk.record.format: csv}",
            &[
                "pipeline.yaml:15:",
                "`sdk.record.format`",
                "[opencdc/json,raw]",
                "`forebay list --parameters` shows what it can be",
            ],
        ),
        (
            "follow: false",
            "sdk.record.format: raw",
            &["pipeline.yaml:10:", "it is a setting of destinations"],
        ),
    ] {
        expect(from, to, 2, "config.invalid", parts);
    }
}

#[test]
fn a_setting_that_only_the_plugin_can_judge_is_named_with_its_place() {
    let place = Place::new();
    let settings = "{format.type: structured, format.options: \"id:none\"}";
    let text = GOOD
        .replacen("builtin:file", "builtin:generator", 1)
        .replace("path: in.txt\n          follow: false", settings);
    place.write("pipeline.yaml", text);
    let finished = place.run(&["run", "pipeline.yaml"]).expect_code(2);
    for part in ["p  failed", "error: pipeline.yaml:9:53: ", "help: correct"] {
        assert!(finished.stderr.contains(part), "no {part} in {finished:?}");
    }
    let json = place
        .run(&["run", "pipeline.yaml", "--json"])
        .expect_code(2);
    let summary: Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!(summary["pipelines"][0]["error"]["code"], "config.invalid");
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
        "file.not_found",
        &["missing.txt", "p:src"],
    );
    expect(
        "path: out.txt",
        "path: in.txt/out.txt",
        1,
        "file.io",
        &["in.txt/out.txt", "p:dst"],
    );
}

#[test]
fn a_position_of_another_plugin_is_named_with_its_place() {
    let place = Place::new();
    place.write("in.txt", "one\n");
    place.write("pipeline.yaml", GOOD);
    place.run(&["run", "pipeline.yaml"]).expect_code(0);
    let before = place.read("out.txt");
    let other = GOOD.replacen("plugin: builtin:file", "plugin: builtin:generator", 1);
    let other = other.replacen("path: in.txt\n          follow: false", "recordCount: 3", 1);
    place.write("pipeline.yaml", &other);
    let json = place
        .run(&["run", "pipeline.yaml", "--json"])
        .expect_code(2);
    let document: Value = serde_json::from_str(&json.stdout).unwrap();
    let error = &document["pipelines"][0]["error"];
    assert_eq!(error["code"], "position.foreign", "{json:?}");
    assert_eq!(error["file"], "pipeline.yaml");
    assert_eq!((&error["line"], &error["column"]), (&7.into(), &17.into()));
    let message = error["message"].as_str().unwrap();
    assert!(message.contains("builtin:file@v0.1.0"), "{message}");
    assert_eq!(place.read("out.txt"), before);
}

#[test]
fn an_environment_that_is_not_as_needed_is_3() {
    let place = Place::new();
    place.write("in.txt", "one\n");
    place.write("pipeline.yaml", GOOD);
    place.write("a_file", "");
    for (arguments, code, part) in [
        (
            &["run", "missing.yaml"][..],
            "pipeline.unreadable",
            "missing.yaml",
        ),
        (
            &["run", "pipeline.yaml", "--plugins", "missing"],
            "plugins.no_folder",
            "`missing` is not there",
        ),
        (
            &["list", "--plugins", "a_file"],
            "plugins.no_folder",
            "`a_file` is no folder",
        ),
        (
            &["run", "pipeline.yaml", "--state", "a_file"],
            "store.io",
            "in the way of `a_file`",
        ),
    ] {
        expect_environment(&place, arguments, code, part);
    }
    assert!(!place.path("out.txt").exists());
}

/// In this folder of the kernel's nobody can make a file, not even root.
#[cfg(target_os = "linux")]
#[test]
fn a_state_folder_that_cannot_be_written_to_is_named() {
    let place = Place::new();
    place.write("in.txt", "one\n");
    place.write("pipeline.yaml", GOOD);
    let arguments = ["run", "pipeline.yaml", "--state", "/sys/kernel"];
    expect_environment(&place, &arguments, "store.io", "/sys/kernel");
    assert!(!place.path("out.txt").exists());
}

#[test]
fn a_command_line_that_is_wrong_is_2() {
    let place = Place::new();
    for (arguments, part) in [
        (&["run"][..], "<PIPELINE.yaml>"),
        (&["run", "pipeline.yaml", "--what"], "'--what'"),
        (&["list", "--load-from", "network"], "'network'"),
    ] {
        let finished = place.run(arguments).expect_code(2);
        assert!(finished.stderr.contains(part), "{finished:?}");
        assert_eq!(finished.stdout, "");
        let json = place.run(&[arguments, &["--json"]].concat()).expect_code(2);
        let document: Value = serde_json::from_str(&json.stdout).unwrap();
        assert_eq!(document["error"]["code"], "cli.usage", "{json:?}");
        let message = document["error"]["message"].as_str().unwrap();
        assert!(message.contains(part), "{json:?}");
        assert!(!message.contains('\n'), "{json:?}");
    }
}

#[test]
fn a_damaged_store_is_no_restart_from_zero() {
    let place = Place::new();
    place.write("in.txt", "one\n");
    place.write("pipeline.yaml", GOOD);
    place.run(&["run", "pipeline.yaml"]).expect_code(0);
    let delivered = place.read("out.txt");
    let store = ".forebay/positions.redb";
    let whole = place.read(store);
    let mut other = whole.clone();
    other[..16].fill(b'x');
    for damaged in [&whole[..whole.len() / 2], &[], &other] {
        place.write(store, damaged);
        // A refusal that mended the file by emptying it would show here or below.
        expect_environment(&place, &["run", "pipeline.yaml"], "store.damaged", store);
        assert!(
            place.read("out.txt") == delivered,
            "{} bytes",
            damaged.len()
        );
    }
    place.write(store, whole);
    place.run(&["run", "pipeline.yaml"]).expect_code(0);
    assert!(place.read("out.txt") == delivered);
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
    wait_until(|| place.path("out.txt").exists().then_some(()));
    let finished = place.run(&["run", "pipeline.yaml"]).expect_code(3);
    assert!(
        finished
            .stderr
            .contains(&format!("process {}", running.id())),
        "{finished:?}"
    );
}
