//! What is stored of connectors: what is told of it, beginning anew, and deleting.

use std::fs;

use plugin_host::parameters::Side;
use plugin_host::store::{Active, FileStore, PositionStore, StoreKey, Stored};
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

/// The connectors of the document that is told.
fn connectors(place: &Place, arguments: &[&str], code: i32) -> Vec<Value> {
    let arguments = [&["state", "--json"], arguments].concat();
    let finished = place.run(&arguments).expect_code(code);
    let document: Value = serde_json::from_str(&finished.stdout).unwrap();
    document["connectors"].as_array().unwrap().clone()
}

/// Those of them with a position.
fn positions(place: &Place, arguments: &[&str]) -> Vec<Value> {
    let mut told = connectors(place, arguments, 0);
    told.retain(|connector| connector["hex"] != Value::Null);
    told
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
    assert!(table.starts_with("CONNECTOR"), "{table}");
    let row = table.lines().find(|it| it.starts_with("p/src")).unwrap();
    assert!(
        row.contains("source") && row.contains("builtin:file@v0.1.0"),
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
fn a_name_of_which_nothing_is_stored_is_told_with_those_that_there_are() {
    let place = copied();
    for action in ["show", "reset", "delete"] {
        for name in ["q", "p/other", "p/", ""] {
            let told = place.run(&["state", action, name]).expect_code(2).stderr;
            let stored = format!("is stored for `{name}`");
            assert!(told.contains(&stored), "{told}");
            assert!(told.contains("p/src"), "{told}");
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
    for arguments in [
        &["state", "list"][..],
        &["state", "reset", "p"],
        &["state", "delete", "p", "--force"],
        &["run", "pipeline.yaml"],
    ] {
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

/// A place with the plugin whose deletions are noted in `journal`, and its store.
fn with_noting_plugin() -> (Place, FileStore) {
    let place = Place::new();
    place.install(&["forebay_fixture_deleted"]);
    let store = FileStore::open(&place.path(".forebay")).unwrap();
    (place, store)
}

/// Settings that a connector of it ran with.
fn ran_with(deletion: &str) -> Active {
    let settings = [
        ("journal", "journal"),
        ("password", "hunter22"),
        ("deletion", deletion),
        ("sdk.call.timeout", "100ms"),
    ];
    Active {
        side: Side::Destination,
        plugin: "standalone:deleted@v0.1.0".into(),
        hash: Some("ab".into()),
        settings: settings
            .map(|(name, value)| (name.into(), value.into()))
            .into(),
    }
}

fn position() -> Stored {
    Stored {
        position: b"7".to_vec(),
        plugin: "builtin:file@v0.1.0".into(),
        hash: None,
    }
}

#[test]
fn a_connector_without_a_position_is_listed_without_its_settings() {
    let (place, store) = with_noting_plugin();
    let key = StoreKey::new("p", "dst");
    store.activate(&key, &ran_with("note")).unwrap();
    drop(store);
    let expected = json!({
        "pipeline": "p", "connector": "dst", "side": "destination",
        "plugin": "standalone:deleted@v0.1.0", "hash": "ab", "position": null, "hex": null,
    });
    assert_eq!(connectors(&place, &["list"], 0), [expected]);
    for arguments in [&["state", "list"][..], &["state", "show", "p/dst"]] {
        let told = place.run(arguments).expect_code(0).stdout;
        assert!(told.contains("destination") && told.contains("standalone:deleted@v0.1.0"));
        assert!(!told.contains("hunter22"), "{told}");
    }
    let told = place.run(&["state", "reset", "p"]).expect_code(2).stderr;
    assert!(told.contains("no position is stored for `p`"), "{told}");
}

#[test]
fn what_is_deleted_is_told_its_plugin_and_forgotten() {
    let (place, store) = with_noting_plugin();
    let other = StoreKey::new("p", "other");
    let key = StoreKey::new("p", "dst");
    store.activate(&key, &ran_with("note")).unwrap();
    store.activate(&other, &ran_with("note")).unwrap();
    store
        .commit(&[(StoreKey::new("p", "src"), position())])
        .unwrap();
    drop(store);
    let told = place.run(&["state", "delete", "p/dst"]).expect_code(0);
    assert_eq!(
        told.stdout,
        "deleted p/dst: `standalone:deleted@v0.1.0` was told\n"
    );
    let journal =
        "deleted deletion=note journal=journal password=hunter22 sdk.call.timeout=100ms\n";
    assert_eq!(place.read("journal"), journal.as_bytes());
    // The rest of the pipeline, with one that never had settings.
    let deleted = connectors(&place, &["delete", "p"], 0);
    let expected = [
        json!({"pipeline": "p", "connector": "other", "deleted": true,
               "told": "standalone:deleted@v0.1.0", "error": null}),
        json!({"pipeline": "p", "connector": "src", "deleted": true, "told": null, "error": null}),
    ];
    assert_eq!(deleted, expected);
    assert_eq!(place.read("journal"), journal.repeat(2).as_bytes());
    assert!(connectors(&place, &["list"], 0).is_empty());
}

#[test]
fn what_its_plugin_fails_to_delete_is_kept_unless_it_is_forced() {
    let (place, store) = with_noting_plugin();
    let mut missing = ran_with("note");
    missing.plugin = "standalone:missing@v0.1.0".into();
    for (name, active) in [
        ("hangs", ran_with("hang")),
        ("missing", missing),
        ("noted", ran_with("note")),
        ("refused", ran_with("refuse")),
    ] {
        store.activate(&StoreKey::new("p", name), &active).unwrap();
    }
    drop(store);
    let told = place.run(&["state", "delete", "p"]).expect_code(1);
    for part in [
        "error: p/hangs is kept: plugin `standalone:deleted@v0.1.0`: lifecycle_on_deleted:",
        "error: p/missing is kept: plugin `standalone:missing@v0.1.0`",
        "error: p/refused is kept: plugin `standalone:deleted@v0.1.0`: lifecycle_on_deleted: the \
         slot of [secret password] is in use",
        "`--force` forgets it without its plugin",
    ] {
        assert!(told.stderr.contains(part), "{part} is missing: {told:?}");
    }
    assert_eq!(
        told.stdout,
        "deleted p/noted: `standalone:deleted@v0.1.0` was told\n"
    );
    let names = |connectors: Vec<Value>| -> Vec<_> {
        let names = connectors.iter().map(|it| it["connector"].to_string());
        names.collect()
    };
    let kept = ["\"hangs\"", "\"missing\"", "\"refused\""];
    assert_eq!(names(connectors(&place, &["list"], 0)), kept);
    for deleted in connectors(&place, &["delete", "p"], 1) {
        assert_eq!(deleted["deleted"], false);
        assert!(
            deleted["error"]["help"]
                .as_str()
                .unwrap()
                .contains("--force")
        );
    }
    let told = place
        .run(&["state", "delete", "p/missing", "--force"])
        .expect_code(0);
    assert!(told.stderr.starts_with("warning: p/missing: "), "{told:?}");
    assert_eq!(told.stdout, "deleted p/missing: its plugin was not told\n");
    let forced = connectors(&place, &["delete", "p", "--force"], 0);
    assert_eq!(names(forced.clone()), ["\"hangs\"", "\"refused\""]);
    assert!(
        forced
            .iter()
            .all(|it| it["deleted"] == true && it["told"] == Value::Null)
    );
    assert_eq!(forced[1]["error"]["code"], "connector.failed");
    assert!(connectors(&place, &["list"], 0).is_empty());
}

#[test]
fn a_name_that_means_two_things_is_neither_reset_nor_deleted() {
    let place = Place::new();
    let store = FileStore::open(&place.path(".forebay")).unwrap();
    for (pipeline, connector) in [("a/b", "c"), ("a", "b/c"), ("a", "b")] {
        let key = StoreKey::new(pipeline, connector);
        store.commit(&[(key, position())]).unwrap();
    }
    drop(store);
    for action in ["reset", "delete"] {
        for (name, meanings) in [
            (
                "a/b/c",
                "connector `b/c` of pipeline `a`, or connector `c` of pipeline `a/b`",
            ),
            ("a/b", "connector `b` of pipeline `a`, or pipeline `a/b`"),
        ] {
            let told = place.run(&["state", action, name]).expect_code(2).stderr;
            let means = format!("`{name}` means {meanings}");
            assert!(told.contains(&means), "{told}");
        }
    }
    assert_eq!(positions(&place, &["show", "a/b/c"]).len(), 2);
    place.run(&["state", "delete", "a"]).expect_code(0);
    place.run(&["state", "delete", "a/b"]).expect_code(0);
    assert!(positions(&place, &["list"]).is_empty());
}

#[test]
fn a_damaged_store_is_told_by_every_command_and_left_alone() {
    let place = copied();
    let file = place.path(".forebay/positions.redb");
    fs::write(&file, "").unwrap();
    for arguments in [
        &["run", "pipeline.yaml"][..],
        &["state", "list"],
        &["state", "reset", "p"],
        &["state", "delete", "p", "--force"],
    ] {
        let told = place.run(arguments).expect_code(3).stderr;
        assert!(told.contains("is damaged"), "{told}");
        assert!(told.contains("move it away"), "{told}");
    }
    assert_eq!(fs::read(&file).unwrap(), b"");
    assert_eq!(place.read("out.txt"), b"one\ntwo\n");
}
