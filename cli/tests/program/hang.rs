//! Plugins that hang: the process ends in time.

use std::time::Duration;

use rustix::process::Signal;

use crate::support::{Place, wait_until};

/// Far more than the budget of a call, far less than a hang.
const IN_TIME: Duration = Duration::from_secs(20);

/// A place whose pipeline hangs in that call of that side.
fn hanging(side: &str, call: &str, budget: &str) -> Place {
    let place = Place::new();
    place.install(&["forebay_fixture_stuck"]);
    let settings = [("call", call), ("sdk.call.timeout", budget)];
    let (source, destination): (&[_], &[_]) = if side == "source" {
        (&settings, &[])
    } else {
        (&[], &settings)
    };
    place.pipeline(
        ("standalone:stuck", source),
        ("standalone:stuck", destination),
    );
    place
}

#[test]
fn a_call_that_hangs_fails_its_pipeline_and_the_process_ends() {
    let source = ["configure", "start", "read", "ack", "stop", "teardown"];
    let destination = ["configure", "start", "write", "flush", "stop", "teardown"];
    let cases = source.map(|call| ("source", call)).into_iter();
    for (side, call) in cases.chain(destination.map(|call| ("destination", call))) {
        let place = hanging(side, call, "300ms");
        let running = place.start(&["run", "pipeline.yaml", "--json"]);
        if (side, call) == ("source", "stop") {
            wait_until(|| place.path(".forebay/positions.redb").exists().then_some(()));
            running.signal(Signal::TERM);
        }
        let finished = running.finish().expect_code(1);
        assert!(finished.elapsed < IN_TIME, "{side} {call}: {finished:?}");
        let summary: serde_json::Value = serde_json::from_str(&finished.stdout).unwrap();
        let error = &summary["pipelines"][0]["error"];
        assert_eq!(
            error["code"], "connector.call_timeout",
            "{side} {call}: {finished:?}"
        );
        let message = error["message"].as_str().unwrap();
        let connector = if side == "source" { "p:src" } else { "p:dst" };
        assert!(
            message.contains(connector) && message.contains(call),
            "{message}"
        );
    }
}

#[test]
fn a_file_that_hangs_in_the_dynamic_loader_is_named_and_the_process_ends() {
    let place = Place::new();
    place.install(&[
        "forebay_fixture_static_constructor",
        "forebay_connector_file",
    ]);
    place.write("in.txt", "one\n");
    place.pipeline(
        ("builtin:file", &[("path", "in.txt"), ("follow", "false")]),
        ("builtin:file", &[("path", "out.txt")]),
    );
    let start = |arguments: &[&str]| {
        let mut command = place.command(arguments);
        command.env("FOREBAY_FIXTURE_HANG", "1");
        place.spawn(command)
    };
    let (list, run) = (start(&["list"]), start(&["run", "pipeline.yaml"]));
    let listed = list.finish().expect_code(0);
    assert!(listed.stdout.contains("load.timed_out"), "{listed:?}");
    assert!(listed.stdout.contains("builtin:file@v0.1.0"), "{listed:?}");
    // No thread can be started any more, so a run says what to remove.
    let ran = run.finish().expect_code(3);
    assert!(
        ran.stderr.contains("libforebay_fixture_static_constructor"),
        "{ran:?}"
    );
    assert!(ran.stderr.contains("remove the file"), "{ran:?}");
}

#[test]
fn a_second_signal_does_not_wait_for_the_budget() {
    for (side, call) in [("source", "read"), ("destination", "write")] {
        let place = hanging(side, call, "1h");
        let mut running = place.start(&["run", "pipeline.yaml"]);
        running.wait_for_stderr(&format!("hangs in {call}"));
        running.signal(Signal::TERM);
        // The first one is not enough.
        assert!(running.ended().is_none());
        let first = running.wait_for_stderr("a second signal");
        running.signal(Signal::TERM);
        // Broken off is not done, though the user wanted it so.
        let finished = running.finish().expect_code(1);
        assert!(
            finished.elapsed < IN_TIME,
            "{side} {call}: {first} {finished:?}"
        );
        let told = finished.stderr.contains("p  forced") && finished.stderr.contains("broken off");
        assert!(told, "{side} {call}: {finished:?}");
    }
}
