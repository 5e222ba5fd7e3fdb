//! The `file` source over a glob that names what can't be read: the rest is read, and the log says so once.

use std::fs;
use std::os::unix::fs::symlink;

use rustix::fs::{CWD, FileType, Mode, mknodat};
use rustix::process::Signal;

use crate::files::{append, copy_from, output, wait_for_output};
use crate::support::Place;

/// Begins like a gzip file and goes on like none.
const DAMAGED: &[u8] = b"\x1f\x8b\x08\0\0\0\0\0\0\xff and then no compressed data";

/// A place whose pipeline copies `logs/*`, of which only `logs/z.log` can be read. Not even root can read
/// the others.
fn with_unreadable(follow: &str) -> Place {
    let place = Place::new();
    copy_from(&place, &[("path", "logs/*"), ("follow", follow)]);
    fs::create_dir_all(place.path("logs/folder")).unwrap();
    let pipe = place.path("logs/pipe");
    mknodat(CWD, &pipe, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
    symlink("loop", place.path("logs/loop")).unwrap();
    symlink("nowhere", place.path("logs/dangling")).unwrap();
    // A regular file whose first bytes can't be read.
    symlink("/proc/self/mem", place.path("logs/memory")).unwrap();
    place.write("logs/damaged", DAMAGED);
    place.write("logs/z.log", "one\ntwo\n");
    place
}

#[test]
fn a_run_to_the_end_reads_the_other_files_and_warns_once() {
    for (follow, run) in [
        ("false", &["run", "pipeline.yaml"][..]),
        ("true", &["run", "--until-end", "pipeline.yaml"]),
    ] {
        let place = with_unreadable(follow);
        let finished = place.run(run).expect_code(0);
        assert_eq!(output(&place), "one\ntwo\n");
        let told = finished.stderr.matches("passed over").count();
        // Those that the folder shows to be unreadable, and those that opening does.
        assert_eq!(told, 2, "{finished:?}");
        assert!(finished.stderr.contains("3 paths are"), "{finished:?}");
        assert!(finished.stderr.contains("2 paths are"), "{finished:?}");
    }
}

#[test]
fn what_can_be_read_again_is_read_by_the_run_that_passed_it_over() {
    let place = with_unreadable("true");
    let running = place.start(&["run", "pipeline.yaml"]);
    wait_for_output(&place, "one\ntwo\n");
    append(&place, "logs/z.log", "three\n");
    wait_for_output(&place, "one\ntwo\nthree\n");
    running.wait_for_stderr("2 paths are");
    place.write("logs/damaged", "four\n");
    wait_for_output(&place, "one\ntwo\nthree\nfour\n");
    fs::remove_file(place.path("logs/loop")).unwrap();
    place.write("logs/loop", "five\n");
    wait_for_output(&place, "one\ntwo\nthree\nfour\nfive\n");
    running.signal(Signal::INT);
    let finished = running.finish().expect_code(0);
    // Not once more at each look.
    let told = finished.stderr.matches("passed over").count();
    assert_eq!(told, 2, "{finished:?}");
}

#[test]
fn where_a_file_stands_is_known_while_its_folder_cannot_be_looked_at() {
    let place = Place::new();
    copy_from(&place, &[("path", "logs/*/*.log")]);
    let run = ["run", "--until-end", "pipeline.yaml"];
    for folder in ["a", "b"] {
        fs::create_dir_all(place.path("logs").join(folder)).unwrap();
        place.write(&format!("logs/{folder}/x.log"), "one\n");
    }
    place.run(&run).expect_code(0);
    // As a file system that isn't mounted at the moment.
    let aside = place.path("aside");
    fs::rename(place.path("logs/a/x.log"), &aside).unwrap();
    symlink("x.log", place.path("logs/a/x.log")).unwrap();
    append(&place, "logs/b/x.log", "two\n");
    let finished = place.run(&run).expect_code(0);
    assert!(finished.stderr.contains("passed over"), "{finished:?}");
    fs::remove_file(place.path("logs/a/x.log")).unwrap();
    fs::rename(&aside, place.path("logs/a/x.log")).unwrap();
    append(&place, "logs/a/x.log", "three\n");
    place.run(&run).expect_code(0);
    assert_eq!(output(&place), "one\none\ntwo\nthree\n");
}

#[test]
fn a_single_file_that_cannot_be_read_is_an_error() {
    let place = Place::new();
    copy_from(&place, &[("path", "damaged")]);
    place.write("damaged", DAMAGED);
    let finished = place
        .run(&["run", "pipeline.yaml", "--retries", "0"])
        .expect_code(1);
    let said = "`damaged` can't be read: ";
    assert!(finished.stderr.contains(said), "{finished:?}");
}
