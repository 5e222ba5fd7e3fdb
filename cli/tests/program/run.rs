//! Runs from beginning to end, and those that follow a file.

use std::fs::OpenOptions;
use std::io::Write;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde_json::Value;

use crate::support::{Place, wait_until};

const RAW: (&str, &str) = ("sdk.record.format", "raw");

/// What an appended line may take to arrive.
const SOON: Duration = Duration::from_secs(2);

/// A place whose pipeline copies `in.txt` to `out.txt` as `standalone:file` does.
fn copying(follow: &str) -> Place {
    let place = Place::new();
    place.install(&["forebay_connector_file"]);
    place.pipeline(
        ("standalone:file", &[("path", "in.txt"), ("follow", follow)]),
        ("standalone:file", &[("path", "out.txt"), RAW]),
    );
    place
}

fn append(place: &Place, text: &str) {
    let mut file = OpenOptions::new()
        .append(true)
        .create(true)
        .open(place.path("in.txt"))
        .unwrap();
    file.write_all(text.as_bytes()).unwrap();
}

fn output(place: &Place) -> String {
    std::fs::read_to_string(place.path("out.txt")).unwrap_or_default()
}

/// The destination makes its file when it is opened, the moment before the source is.
fn wait_until_open(place: &Place) {
    wait_until(|| place.path("out.txt").exists().then_some(()));
}

#[test]
fn a_run_ends_and_the_next_takes_what_is_new() {
    let place = copying("false");
    append(&place, "one\n\ntwo\r\nan unfinished line");
    let finished = place.run(&["run", "pipeline.yaml"]).expect_code(0);
    assert!(
        finished.stderr.contains("p  ended    4 records"),
        "{finished:?}"
    );
    assert_eq!(output(&place), "one\n\ntwo\r\nan unfinished line\n");
    append(&place, "\nthree\n");
    let finished = place
        .run(&["run", "pipeline.yaml", "--json"])
        .expect_code(0);
    let summary: Value = serde_json::from_str(&finished.stdout).unwrap();
    assert_eq!(summary["pipelines"][0]["status"], "ended");
    assert_eq!(summary["pipelines"][0]["records"], 1);
    assert_eq!(output(&place), "one\n\ntwo\r\nan unfinished line\nthree\n");
}

#[test]
fn until_end_ends_a_following_source() {
    let place = copying("true");
    append(&place, "one\ntwo");
    place
        .run(&["run", "--until-end", "pipeline.yaml"])
        .expect_code(0);
    assert_eq!(output(&place), "one\ntwo\n");
}

#[test]
fn a_following_source_waits_for_the_file_and_for_newlines() {
    let place = copying("true");
    let running = place.start(&["run", "pipeline.yaml"]);
    wait_until_open(&place);
    for (text, expected) in [
        ("one\nunfini", "one\n"),
        ("shed\ntwo\nrest", "one\nunfinished\ntwo\n"),
    ] {
        append(&place, text);
        let appended = Instant::now();
        wait_until(|| (output(&place) == expected).then_some(()));
        assert!(appended.elapsed() < SOON, "{:?}", appended.elapsed());
    }
    running.signal(Signal::INT);
    let finished = running.finish().expect_code(0);
    assert!(finished.stderr.contains("p  stopped"), "{finished:?}");
    assert_eq!(output(&place), "one\nunfinished\ntwo\n");
    append(&place, "\n");
    place
        .run(&["run", "--until-end", "pipeline.yaml"])
        .expect_code(0);
    assert_eq!(output(&place), "one\nunfinished\ntwo\nrest\n");
}

#[test]
fn a_stop_ends_the_wait_for_a_file_that_never_comes() {
    let place = copying("true");
    let running = place.start(&["run", "pipeline.yaml"]);
    wait_until_open(&place);
    running.signal(Signal::INT);
    let finished = running.finish().expect_code(0);
    assert!(
        finished.stderr.contains("p  stopped  0 records"),
        "{finished:?}"
    );
}

#[test]
fn records_are_written_as_json_unless_asked_otherwise() {
    let place = Place::new();
    place.write("in.txt", "one\n");
    place.pipeline(
        ("builtin:file", &[("path", "in.txt"), ("follow", "false")]),
        ("builtin:file", &[("path", "out.json")]),
    );
    place.run(&["run", "pipeline.yaml"]).expect_code(0);
    let text = String::from_utf8(place.read("out.json")).unwrap();
    // `1:4@`, and then numbers that the system has chosen.
    let (position, behind) = text.split_once(',').unwrap();
    assert!(position.starts_with("{\"position\":\"MTo0Q"), "{position}");
    assert_eq!(
        behind,
        "\"operation\":\"create\",\"metadata\":{\"file.path\":\"in.txt\"},\"key\":\"MQ==\",\
         \"payload\":{\"before\":null,\"after\":\"b25l\"}}\n"
    );
}

#[test]
fn structured_records_are_json_in_both_formats() {
    let structured = [
        ("recordCount", "20"),
        ("format.type", "structured"),
        ("format.options", "id:int,f:float,s:string,b:bool"),
    ];
    for format in ["raw", "opencdc/json"] {
        let place = Place::new();
        place.pipeline(
            ("builtin:generator", &structured),
            (
                "builtin:file",
                &[("path", "out.txt"), ("sdk.record.format", format)],
            ),
        );
        place.run(&["run", "pipeline.yaml"]).expect_code(0);
        let text = output(&place);
        assert_eq!(text.lines().count(), 20);
        for (line, id) in text.lines().zip(1..) {
            let record: Value = serde_json::from_str(line).unwrap();
            let fields = match format {
                "raw" => &record,
                _ => &record["payload"]["after"],
            };
            assert_eq!(fields["id"], id, "{line}");
            assert!(fields["f"].is_f64() && fields["s"].is_string(), "{line}");
            assert!(fields["b"].is_boolean(), "{line}");
        }
    }
}

#[test]
fn all_pipelines_of_all_files_run_side_by_side() {
    let place = Place::new();
    place.write("in.txt", "one\ntwo\n");
    let head = "version: \"2.2\"\npipelines:\n";
    let pipeline = |id: &str, status: &str, outputs: &[&str]| {
        let mut text = format!(
            "  - id: {id}\n    status: {status}\n    connectors:\n      \
             - {{id: in, type: source, plugin: file, settings: {{path: \"${{INPUT}}\", follow: false}}}}\n"
        );
        for output in outputs {
            text += &format!(
                "      - {{id: {output}, type: destination, plugin: file, settings: {{path: \
                 {output}, sdk.record.format: raw}}}}\n"
            );
        }
        text
    };
    let (a, b) = (
        pipeline("a", "running", &["a1", "a2", "a3"]),
        pipeline("b", "running", &["b1"]),
    );
    place.write("ab.yaml", [head, &a, &b].concat());
    let c = pipeline("c", "stopped", &["c1"]);
    place.write("c.yaml", [head, &c].concat());
    let mut command = place.command(&["run", "ab.yaml", "c.yaml", "--json"]);
    let output = command.env("INPUT", "in.txt").output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let summary: Value = serde_json::from_slice(&output.stdout).unwrap();
    let told = summary["pipelines"].as_array().unwrap().iter();
    let told: Vec<_> = told
        .map(|it| (it["id"].as_str().unwrap(), it["status"].as_str().unwrap()))
        .collect();
    assert_eq!(told, [("a", "ended"), ("b", "ended"), ("c", "skipped")]);
    for copy in ["a1", "a2", "a3", "b1"] {
        assert_eq!(place.read(copy), b"one\ntwo\n", "{copy}");
    }
    assert!(!place.path("c1").exists());
}
