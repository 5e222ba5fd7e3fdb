//! The `file` source over files that are replaced, truncated or not there.

use std::fs::{self, File};
use std::io::Write;
use std::time::SystemTime;

use rustix::process::Signal;

use crate::support::{Place, wait_until};

pub(crate) const RAW: (&str, &str) = ("sdk.record.format", "raw");

/// A place whose pipeline copies `in.txt` to `out.txt`.
pub(crate) fn copying(follow: &str) -> Place {
    let place = Place::new();
    copy_from(&place, &[("path", "in.txt"), ("follow", follow)]);
    place
}

pub(crate) fn copy_from(place: &Place, settings: &[(&str, &str)]) {
    place.pipeline(
        ("builtin:file", settings),
        ("builtin:file", &[("path", "out.txt"), RAW]),
    );
}

pub(crate) fn append(place: &Place, name: &str, text: &str) {
    let file = File::options()
        .append(true)
        .create(true)
        .open(place.path(name));
    file.unwrap().write_all(text.as_bytes()).unwrap();
}

pub(crate) fn rename(place: &Place, from: &str, to: &str) {
    fs::rename(place.path(from), place.path(to)).unwrap();
}

pub(crate) fn output(place: &Place) -> String {
    fs::read_to_string(place.path("out.txt")).unwrap_or_default()
}

pub(crate) fn wait_for_output(place: &Place, expected: &str) {
    wait_until(|| (output(place) == expected).then_some(()));
}

#[test]
fn lines_are_whole_whatever_the_batches_and_blocks() {
    let long = "x".repeat(700_000);
    let mut text = format!("one\n\ntwo\r\n\0\u{ff}\n{long}\n");
    for number in 0..3000 {
        text += &format!("{number} {}\n", ".".repeat(number % 150));
    }
    text += &format!("{long}{long}{long}\nthe last one\n");
    for batch in ["1", "2", "7", "1024"] {
        let place = Place::new();
        place.write("in.txt", &text);
        let settings = [
            ("path", "in.txt"),
            ("follow", "false"),
            ("sdk.batch.size", batch),
        ];
        copy_from(&place, &settings);
        place.run(&["run", "pipeline.yaml"]).expect_code(0);
        assert!(output(&place) == text, "the copy differs with {batch}");
    }
}

/// What was read once is changed by `change` between two runs. The second one reads the new file from
/// its beginning and says why.
#[track_caller]
fn is_read_anew(change: impl FnOnce(&Place), new: &str, why: &[&str]) {
    let place = copying("false");
    place.write("in.txt", "one\ntwo\n");
    place.run(&["run", "pipeline.yaml"]).expect_code(0);
    change(&place);
    let finished = place.run(&["run", "pipeline.yaml"]).expect_code(0);
    assert_eq!(output(&place), format!("one\ntwo\n{new}"));
    for part in why.iter().chain(&["from its beginning"]) {
        assert!(
            finished.stderr.contains(part),
            "no `{part}` in {finished:?}"
        );
    }
}

#[test]
fn a_file_in_the_place_of_the_old_one_is_read_whole() {
    is_read_anew(
        |place| {
            rename(place, "in.txt", "old.txt");
            place.write("in.txt", "longer than before\nand more\n");
        },
        "longer than before\nand more\n",
        &[
            "`in.txt` is another file (device ",
            "than the one read before (device ",
        ],
    );
}

#[test]
fn another_path_under_the_same_names_is_read_whole() {
    is_read_anew(
        |place| {
            place.write("other.txt", "another file\nwith lines\n");
            copy_from(place, &[("path", "other.txt"), ("follow", "false")]);
        },
        "another file\nwith lines\n",
        &["`other.txt` is another file"],
    );
}

#[test]
fn a_truncated_file_is_read_whole() {
    is_read_anew(
        |place| place.write("in.txt", "new\n"),
        "new\n",
        &["has 4 bytes, fewer than the 8 read before"],
    );
}

#[test]
fn a_file_with_other_content_is_read_whole() {
    is_read_anew(
        |place| place.write("in.txt", "longer than before\n"),
        "longer than before\n",
        &["other content", "its first 8 bytes differ"],
    );
}

#[test]
fn what_comes_behind_an_unfinished_line_is_not_taken_for_other_content() {
    let place = copying("false");
    place.write("in.txt", "one\ntw");
    place.run(&["run", "pipeline.yaml"]).expect_code(0);
    append(&place, "in.txt", "o\nthree\n");
    let finished = place.run(&["run", "pipeline.yaml"]).expect_code(0);
    assert!(!finished.stderr.contains("beginning"), "{finished:?}");
    assert_eq!(output(&place), "one\ntw\no\nthree\n");
}

#[test]
fn a_file_that_is_not_there_is_waited_for_and_the_log_says_so_once() {
    let place = copying("true");
    let running = place.start(&["run", "pipeline.yaml"]);
    running.wait_for_stderr("`in.txt` isn't there, waiting for it");
    place.write("in.txt", "one\n");
    wait_for_output(&place, "one\n");
    running.signal(Signal::INT);
    let finished = running.finish().expect_code(0);
    assert_eq!(finished.stderr.matches("isn't there").count(), 1);
}

#[test]
fn a_file_that_is_not_there_is_an_error_where_nothing_is_waited_for() {
    let place = copying("true");
    let finished = place
        .run(&["run", "--until-end", "pipeline.yaml"])
        .expect_code(1);
    assert!(
        finished.stderr.contains("`in.txt` isn't there; make it"),
        "{finished:?}"
    );
}

#[test]
fn a_file_that_is_truncated_while_it_is_followed_is_read_from_its_beginning() {
    let place = copying("true");
    place.write("in.txt", "one\ntwo\nunfinished");
    let running = place.start(&["run", "pipeline.yaml"]);
    wait_for_output(&place, "one\ntwo\n");
    place.write("in.txt", "new\n");
    wait_for_output(&place, "one\ntwo\nunfinished\nnew\n");
    append(&place, "in.txt", "newer\n");
    wait_for_output(&place, "one\ntwo\nunfinished\nnew\nnewer\n");
    let told = running.wait_for_stderr("`in.txt` was truncated: it has");
    assert!(told.contains("from its beginning"), "{told}");
}

#[test]
fn a_run_to_the_present_end_waits_for_a_line_that_is_being_written() {
    let place = copying("true");
    place.write("in.txt", "one\ntw");
    let running = place.start(&["run", "--until-end", "pipeline.yaml"]);
    wait_until(|| {
        // Still being written to, however slow this machine is.
        let file = File::options().append(true).open(place.path("in.txt"));
        file.unwrap().set_modified(SystemTime::now()).unwrap();
        (output(&place) == "one\n").then_some(())
    });
    append(&place, "in.txt", "o\n");
    running.finish().expect_code(0);
    assert_eq!(output(&place), "one\ntwo\n");
}

#[test]
fn only_what_is_new_is_read_where_the_source_begins_at_the_end() {
    let place = Place::new();
    place.write("in.txt", "one\ntwo\nthr");
    let settings = [("path", "in.txt"), ("startAt", "end")];
    copy_from(&place, &settings);
    let running = place.start(&["run", "pipeline.yaml", "--log-level", "info"]);
    running.wait_for_stderr("`in.txt` is read from byte 8 on");
    append(&place, "in.txt", "ee\nfour\n");
    wait_for_output(&place, "three\nfour\n");
    running.signal(Signal::INT);
    running.finish().expect_code(0);
    // What comes while it doesn't run is read by the next run.
    append(&place, "in.txt", "five\n");
    place
        .run(&["run", "--until-end", "pipeline.yaml"])
        .expect_code(0);
    assert_eq!(output(&place), "three\nfour\nfive\n");
}

#[test]
fn a_line_that_is_too_long_is_refused_by_name_and_nothing_is_lost() {
    let place = Place::new();
    place.write("in.txt", "one\ntwo\nthree\nfour\n");
    let settings = |most| {
        [
            ("path", "in.txt"),
            ("follow", "false"),
            ("maxLineBytes", most),
        ]
    };
    for _ in 0..2 {
        copy_from(&place, &settings("4"));
        let finished = place.run(&["run", "pipeline.yaml"]).expect_code(1);
        let refused = "line 3 of `in.txt`, at byte 8, has 5 bytes, more than the 4";
        assert!(finished.stderr.contains(refused), "{finished:?}");
        let written = output(&place);
        assert!(written.starts_with("one\ntwo\n") && !written.contains("three"));
        assert_eq!(written.matches("one").count(), 1);
    }
    copy_from(&place, &settings("5"));
    place.run(&["run", "pipeline.yaml"]).expect_code(0);
    // What was in its batch behind it comes again.
    assert!(output(&place).ends_with("three\nfour\n"));
}
