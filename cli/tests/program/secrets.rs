//! Values of secret parameters stay out of everything that is told, by the host and by plugins.

use std::fs;
use std::path::Path;

use crate::support::Place;

/// Settings that are wrong in every way that is known, and what must be said of each.
const WRONG: [(&str, &str, &str); 8] = [
    ("password", "hunter2", "should match the regex"),
    ("password", "open hunter2 \\n", ""),
    ("token", "hunter2", "is not an integer"),
    ("token", "1777222333", "should be less than 10"),
    ("pins", "1, hunter2", "is not a valid string"),
    ("headers.auth", "hunter2", "is not a boolean"),
    ("accounts.main.key", "hunter2s", "is not a duration"),
    ("pasword", "hunter2", "did you mean"),
];

/// All that a run tells with everything switched on: both outputs, and the files that it leaves.
fn told(settings: &[(&str, &str)]) -> String {
    let place = Place::new();
    place.install(&["forebay_fixture_secrets"]);
    place.pipeline(
        ("generator", &[("recordCount", "3")]),
        ("standalone:secrets", settings),
    );
    let mut told = String::new();
    for arguments in [
        &[
            "run",
            "pipeline.yaml",
            "-vvv",
            "--retries=1",
            "--retry-min-delay=1ms",
        ][..],
        &["run", "pipeline.yaml", "-vvv", "--json", "--retries=0"],
        &["list", "--parameters"],
        &["list", "--json"],
    ] {
        let mut command = place.command(arguments);
        command.env("RUST_LOG", "trace");
        let finished = place.spawn(command).finish();
        told += &finished.stdout;
        told += &finished.stderr;
    }
    let state = place.path(".forebay");
    if state.is_dir() {
        told += &files_of(&state);
    }
    told
}

fn files_of(folder: &Path) -> String {
    let entries = fs::read_dir(folder).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    // The store has to keep settings whole, and is its user's alone.
    let paths = paths.filter(|path| !path.ends_with("positions.redb"));
    paths
        .map(|path| match path.is_dir() {
            true => files_of(&path),
            false => String::from_utf8_lossy(&fs::read(path).unwrap()).into_owned(),
        })
        .collect()
}

#[test]
fn a_value_that_is_refused_is_told_by_its_name_only() {
    for (name, value, said) in WRONG {
        let told = told(&[(name, value)]);
        assert!(told.contains(said), "{name}: {told}");
        for part in ["hunter2", "1777222333"] {
            assert!(!told.contains(part), "{name}: {told}");
        }
    }
    // One that is no secret is told by the same ways, so the search would have found the others.
    assert!(told(&[("known", "hunter2")]).matches("hunter2").count() >= 2);
}

#[test]
fn a_value_that_is_taken_is_told_nowhere() {
    let told = told(&[
        ("password", "open hunter2"),
        ("token", "9"),
        ("pins", "251, 252"),
        ("accounts.main.key", "251252ms"),
    ]);
    // It has run, and has left a state.
    assert!(
        told.contains("3 records") && told.contains("generator"),
        "{told}"
    );
    for part in ["hunter2", "251, 252", "251,252", "251252", "4m11"] {
        assert!(!told.contains(part), "{part}: {told}");
    }
}

/// What is left of the password in an error, its causes and its code.
const ERROR: &str =
    ": [secret password]: can't log in as [secret password]: no \"[secret password]\"";

#[test]
fn a_plugin_that_tells_its_secret_is_not_heard() {
    // In an error, a quote stands in JSON behind a backslash.
    let json = ERROR.replace('"', "\\\"");
    let in_error = [ERROR, &json, "\"code\":\"login.[secret password]\""];
    let in_log = [
        "the password is [secret password] plugin=secrets@v0.1.0",
        " password=\"[secret password]\"",
        "DEBUG [secret password]: ",
    ];
    let in_panic = [
        ": no \"[secret password]\"",
        "panic: no \\\"[secret password]\\\"",
    ];
    for (place, expected) in [
        ("log", &in_log[..]),
        ("thread", &in_log),
        ("panic-of-thread", &[": no [secret password] plugin="]),
        ("parameter", &["[secret password] is no password"]),
        ("validate", &in_error),
        ("open", &in_error),
        ("write", &in_error),
        ("nack", &in_error[..2]),
        ("close", &in_error),
        ("panic", &in_panic),
    ] {
        let told = told(&[("password", "open hunter2"), ("tell", place)]);
        for part in expected {
            assert!(told.contains(part), "{place}, {part}: {told}");
        }
        assert!(!told.contains("hunter2"), "{place}: {told}");
    }
}
