//! Pipelines that fail and are tried again, and what is told of it.

use std::fs;

use rustix::process::Signal;
use serde_json::Value;

use crate::kill::copy_lines;
use crate::output::{copy_to, with_small_disk};
use crate::support::{Finished, Place};

/// Tries without long waits, without end.
const QUICK: [&str; 4] = ["--retry-min-delay", "1ms", "--retry-max-delay", "50ms"];

/// What no run can make: a folder that isn't there.
const MISSING: &str = "missing/out.txt";

fn arguments(more: &[&'static str]) -> Vec<&'static str> {
    [&["run", "pipeline.yaml"], more].concat()
}

/// What the `--json` summary tells of the only pipeline.
fn summary(finished: &Finished) -> Value {
    let document: Value = serde_json::from_str(&finished.stdout).unwrap();
    document["pipelines"][0].clone()
}

/// A place whose pipeline copies lines to a folder that is missing.
fn to_a_missing_folder(lines: u64) -> Place {
    let place = copy_lines(lines);
    copy_to(&place, "builtin:file", MISSING, &[]);
    place
}

#[test]
fn a_pipeline_goes_on_by_itself_when_what_was_missing_is_there() {
    const LINES: u64 = 1_000;
    let place = to_a_missing_folder(LINES);
    let running = place.start(&[&arguments(&["--json"])[..], &QUICK].concat());
    let told = running.wait_for_stderr("pipeline `p`: try 2 follows in ");
    assert!(told.contains(MISSING), "{told}");
    fs::create_dir(place.path("missing")).unwrap();
    let finished = running.finish().expect_code(0);
    assert!(place.read(MISSING) == place.read("in.txt"));
    let told = summary(&finished);
    assert_eq!(told["status"], "ended", "{finished:?}");
    assert_eq!(told["records"], LINES);
    assert_eq!(told["error"], Value::Null);
    assert!(told["retries"].as_u64() >= Some(2), "{told}");
    assert_eq!(told["retries"], told["errors"], "{told}");
}

#[test]
fn a_pipeline_is_tried_as_often_as_asked() {
    let place = to_a_missing_folder(3);
    for (flags, retries) in [
        (&["--retries", "0"][..], 0),
        (&["--until-end"], 0),
        (&["--retries", "2"], 2),
        (&["--until-end", "--retries", "2"], 2),
    ] {
        let quick = [&arguments(flags)[..], &QUICK].concat();
        let json = [&quick[..], &["--json"]].concat();
        let finished = place.run(&json).expect_code(1);
        let told = summary(&finished);
        assert_eq!(told["retries"], retries, "{flags:?} {finished:?}");
        assert_eq!(told["errors"], retries + 1, "{flags:?} {finished:?}");
        assert_eq!(told["error"]["code"], "file.io");
        let waits = finished.stderr.matches("follows in").count();
        assert_eq!(waits, retries, "{flags:?} {finished:?}");
    }
    let quick = [&arguments(&["--retries", "1"])[..], &QUICK].concat();
    let finished = place.run(&quick).expect_code(1);
    let line = finished.stderr.lines().find(|it| it.contains("p  failed"));
    let line = line.unwrap_or_default();
    assert!(line.ends_with("  2 errors  1 retry"), "{finished:?}");
}

#[test]
fn a_stop_ends_the_wait_with_the_failure() {
    let place = to_a_missing_folder(3);
    let hours = ["--retry-min-delay", "9h", "--retry-max-delay", "9h"];
    let running = place.start(&[&arguments(&["--json"])[..], &hours].concat());
    running.wait_for_stderr("try 1 follows");
    running.signal(Signal::INT);
    let finished = running.finish().expect_code(1);
    let told = summary(&finished);
    assert_eq!(told["status"], "failed");
    assert_eq!((&told["errors"], &told["retries"]), (&1.into(), &0.into()));
    assert_eq!(told["error"]["code"], "file.io", "{finished:?}");
}

#[test]
fn what_no_try_can_mend_is_the_end() {
    let place = copy_lines(3);
    for (path, code) in [("in.txt/out.txt", 1), ("/dev/null", 2)] {
        copy_to(&place, "builtin:file", path, &[("sync", "data")]);
        let finished = place.run(&arguments(&[])).expect_code(code);
        assert!(!finished.stderr.contains("follows in"), "{finished:?}");
    }
}

/// A disk that is full, or read-only, until the run has waited for it.
fn waits_for_the_disk(before: &str, then: &str) {
    let place = copy_lines(40_000);
    copy_to(&place, "builtin:file", "disk/out.txt", &[]);
    let script = format!(
        r#"
        {before}
        "$FOREBAY" run pipeline.yaml --retry-min-delay 1ms --retry-max-delay 50ms 2> run.err &
        until grep -q 'try 2 follows' run.err; do
            kill -0 $!
        done
        {then}
        wait $!
        cp disk/out.txt copy.txt
    "#
    );
    if !with_small_disk(&place, &script) {
        return;
    }
    // What was written before is acknowledged: nothing is missing, and nothing is there twice.
    let told = String::from_utf8(place.read("run.err")).unwrap();
    assert!(place.read("copy.txt") == place.read("in.txt"), "{told}");
    assert!(told.contains("p  ended  "), "{told}");
}

#[test]
fn a_full_disk_that_has_room_again_is_written_to() {
    waits_for_the_disk("", "mount -o remount,size=64m disk");
}

#[test]
fn a_read_only_disk_that_may_be_written_again_is_written_to() {
    waits_for_the_disk(
        "mount -o remount,size=64m,ro disk",
        "mount -o remount,rw disk",
    );
}

#[test]
fn of_several_pipelines_a_failure_is_told_once_and_at_once() {
    let place = Place::new();
    place.write("in.txt", "one\n");
    let pipeline = |id: &str, output: &str| {
        format!(
            "  - id: {id}
    connectors:
      - {{id: in, type: source, plugin: file, settings: {{path: in.txt}}}}
      - {{id: out, type: destination, plugin: file, settings: {{path: {output}}}}}
"
        )
    };
    let both = pipeline("good", "out.txt") + &pipeline("bad", "in.txt/out.txt");
    place.write("pipeline.yaml", format!("version: 2.2\npipelines:\n{both}"));
    let reason = "`in.txt/out.txt` can't be opened";
    let help = "help: mend what the message names";

    let running = place.start(&arguments(&[]));
    let told = running.wait_for_stderr("pipeline `bad` has failed: connector `bad:out`: ");
    assert!(told.contains(reason), "{told}");
    running.signal(Signal::INT);
    let finished = running.finish().expect_code(1);
    for part in [reason, help] {
        assert_eq!(finished.stderr.matches(part).count(), 1, "{finished:?}");
    }
    for part in [
        "\nbad   failed   ",
        "\n    error: file.io, told when it failed\n",
        "\ngood  stopped  ",
    ] {
        assert!(
            finished.stderr.contains(part),
            "no {part:?} in {finished:?}"
        );
    }

    // Where nothing is logged the summary tells it.
    fs::remove_file(place.path("out.txt")).unwrap();
    let running = place.start(&arguments(&["-qq"]));
    crate::support::wait_until(|| place.path("out.txt").exists().then_some(()));
    running.signal(Signal::INT);
    let finished = running.finish().expect_code(1);
    for part in [reason, help] {
        assert_eq!(finished.stderr.matches(part).count(), 1, "{finished:?}");
    }
}
