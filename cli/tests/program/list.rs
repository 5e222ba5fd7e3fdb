//! What `list` shows.

use std::fs;
use std::os::unix::fs::chown;
use std::process::Stdio;

use serde_json::Value;

use crate::support::{Place, library_file};

fn listed(place: &Place, arguments: &[&str]) -> Vec<Value> {
    let mut all = vec!["list", "--json"];
    all.extend_from_slice(arguments);
    let finished = place.run(&all).expect_code(0);
    let document: Value = serde_json::from_str(&finished.stdout).unwrap();
    assert_eq!(document.as_object().unwrap().len(), 1, "{document}");
    document["plugins"].as_array().unwrap().clone()
}

#[test]
fn plugins_and_what_is_quarantined_are_listed() {
    let place = Place::new();
    place.install(&["forebay_connector_file"]);
    place.write("plugins/broken.so", "no library");
    let plugins = listed(&place, &[]);
    // The builtins and two files.
    assert_eq!(plugins.len(), 6);
    for plugin in &plugins {
        let keys: Vec<_> = plugin.as_object().unwrap().keys().collect();
        let expected = [
            "name",
            "version",
            "kind",
            "path",
            "status",
            "reason",
            "specification",
        ];
        assert_eq!(keys, expected);
    }
    let file = plugins
        .iter()
        .find(|it| it["name"] == "standalone:file@v0.1.0")
        .unwrap();
    assert_eq!(
        (&file["kind"], &file["status"]),
        (&"standalone".into(), &"ready".into())
    );
    assert_eq!(file["reason"], Value::Null);
    assert_eq!(
        file["specification"]["sourceParams"]["path"]["type"],
        "file"
    );
    let broken = plugins
        .iter()
        .find(|it| it["status"] == "quarantined")
        .unwrap();
    let keys: Vec<_> = broken["reason"].as_object().unwrap().keys().collect();
    assert_eq!(keys, ["code", "stage", "message", "help"]);
    assert_eq!(broken["reason"]["code"], "load.not_library");
    assert_eq!(broken["reason"]["stage"], "look");

    let human = place.run(&["list", "-q"]).expect_code(0).stdout;
    for part in [
        "builtin:generator@v0.1.0",
        "standalone:file@v0.1.0",
        "load.not_library",
        "help:",
    ] {
        assert!(human.contains(part), "no {part} in {human}");
    }
}

#[test]
fn an_earlier_folder_wins_and_the_list_says_so() {
    let place = Place::new();
    place.install(&["forebay_connector_file"]);
    fs::create_dir(place.path("more")).unwrap();
    for name in ["file", "discard"] {
        let library = library_file(&format!("forebay_connector_{name}"));
        fs::copy(
            &library,
            place.path("more").join(library.file_name().unwrap()),
        )
        .unwrap();
    }
    let human = place
        .run(&["list", "--plugins", "plugins", "--plugins", "more"])
        .expect_code(0);
    let lines: Vec<_> = human.stdout.lines().collect();
    let shadowed = lines
        .iter()
        .position(|line| line.contains("more/libforebay_connector_file"));
    let shadowed = shadowed.unwrap_or_else(|| panic!("{human:?}"));
    assert!(lines[shadowed].contains("  shadowed  "), "{human:?}");
    // Beneath the file that isn't used, and beneath that one only.
    let said = lines[shadowed + 1];
    assert!(
        said.contains("not used: an earlier folder has `plugins/libforebay_connector_file"),
        "{human:?}"
    );
    assert_eq!(human.stdout.matches("not used").count(), 1, "{human:?}");
    assert!(
        human.stdout.contains("standalone:discard@v0.1.0"),
        "{human:?}"
    );
    let plugins = listed(&place, &["--plugins", "plugins", "--plugins", "more"]);
    let files: Vec<_> = plugins
        .iter()
        .filter(|it| it["name"] == "standalone:file@v0.1.0")
        .collect();
    let [used, shadowed] = *files else {
        panic!("{files:?}");
    };
    assert_eq!(
        (&used["status"], &used["reason"]),
        (&"ready".into(), &Value::Null)
    );
    assert!(shadowed["path"].as_str().unwrap().starts_with("more/"));
    assert_eq!(shadowed["status"], "quarantined");
    assert_eq!(shadowed["reason"]["code"], "load.shadowed");

    let folders = std::env::join_paths([place.path("more"), place.path("plugins")]).unwrap();
    let mut command = place.command(&["list", "--json", "--load-from", "copy"]);
    let output = command.env("FOREBAY_PLUGINS", folders).output().unwrap();
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    let plugins = document["plugins"].as_array().unwrap();
    let used = plugins
        .iter()
        .find(|it| it["name"] == "standalone:file@v0.1.0")
        .unwrap();
    assert!(used["path"].as_str().unwrap().contains("/more/"), "{used}");
}

/// The default folder is whatever is in the current one: somebody else may have put it there.
#[test]
fn root_trusts_the_owner_of_a_folder_only_if_it_is_named() {
    // Only root can give files away.
    if !rustix::process::geteuid().is_root() {
        return;
    }
    let place = Place::new();
    place.install(&["forebay_connector_file"]);
    for name in ["plugins", "plugins/libforebay_connector_file.so"] {
        chown(place.path(name), Some(54_321), None).unwrap();
    }
    let status = |arguments: &[&str]| {
        let plugins = listed(&place, arguments);
        let file = plugins.iter().find(|it| it["kind"] == "standalone");
        let file = file.unwrap();
        (file["status"].clone(), file["reason"]["code"].clone())
    };
    let ready = (Value::from("ready"), Value::Null);
    let refused = ("quarantined".into(), "load.foreign_owner".into());
    assert_eq!(status(&[]), refused);
    assert_eq!(status(&["--plugins", "plugins"]), ready);
    assert_eq!(status(&["--trust-owner", "54321"]), ready);
}

#[test]
fn a_copy_in_the_same_folder_is_told_as_such() {
    let place = Place::new();
    place.install(&["forebay_connector_file"]);
    let library = library_file("forebay_connector_file");
    fs::copy(&library, place.path("plugins/a-copy.so")).unwrap();
    let human = place.run(&["list"]).expect_code(0).stdout;
    assert!(
        human.contains("not used: it is a copy of `./plugins/a-copy.so` (load.shadowed, look)"),
        "{human}"
    );
}

#[test]
fn sides_and_parameters_are_shown() {
    let place = Place::new();
    let row = |name: &str, text: &str| {
        let line = text.lines().find(|line| line.starts_with(name));
        line.unwrap_or_else(|| panic!("{text}")).to_owned()
    };
    let short = place.run(&["list"]).expect_code(0).stdout;
    assert!(row("builtin:file@", &short).contains(" source, destination "));
    assert!(row("builtin:discard@", &short).contains(" destination "));
    assert!(!row("builtin:discard@", &short).contains("source"));
    assert!(!short.contains("recordCount"), "{short}");
    let long = place.run(&["list", "--parameters"]).expect_code(0).stdout;
    for part in [
        "recordCount",
        "int, default 0",
        "one of raw,structured",
        "sdk.batch.size",
    ] {
        assert!(long.contains(part), "no {part} in {long}");
    }
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let place = Place::new();
    for arguments in [&["list"][..], &["list", "--json"]] {
        let mut child = place
            .command(arguments)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        drop(child.stdout.take());
        assert_eq!(child.wait().unwrap().code(), Some(0), "{arguments:?}");
    }
}
