//! The `file` source over files that are rotated, one of them and many, while it runs and while it doesn't.

use std::fs;
use std::io::Write as _;

use rustix::process::Signal;

use crate::files::{append, copy_from, copying, output, rename, wait_for_output};
use crate::support::{Place, Running, length, wait_until};

/// A place whose pipeline follows all of `logs/*.log`.
fn following_a_glob() -> Place {
    let place = Place::new();
    fs::create_dir(place.path("logs")).unwrap();
    copy_from(&place, &[("path", "logs/*.log")]);
    place
}

fn to_present_end(place: &Place) -> String {
    let run = ["run", "--until-end", "pipeline.yaml", "--log-level", "info"];
    place.run(&run).expect_code(0).stderr
}

fn stop(running: Running) {
    running.signal(Signal::INT);
    running.finish().expect_code(0);
}

/// The lines of the output, in the order of the alphabet: several files come in no certain order.
fn lines(place: &Place) -> Vec<String> {
    let mut lines: Vec<_> = output(place).lines().map(str::to_owned).collect();
    lines.sort();
    lines
}

fn wait_for_lines(place: &Place, expected: &[&str]) {
    wait_until(|| (lines(place) == expected).then_some(()));
}

#[test]
fn a_renamed_file_is_read_to_its_end_and_then_the_new_one() {
    let place = copying("true");
    place.write("in.txt", "one\n");
    let running = place.start(&["run", "pipeline.yaml", "--log-level", "info"]);
    wait_for_output(&place, "one\n");
    rename(&place, "in.txt", "in.1");
    append(&place, "in.1", "two\n");
    wait_for_output(&place, "one\ntwo\n");
    append(&place, "in.1", "three\nunfinished");
    place.write("in.txt", "new\n");
    wait_for_output(&place, "one\ntwo\nthree\nunfinished\nnew\n");
    append(&place, "in.txt", "newer\n");
    wait_for_output(&place, "one\ntwo\nthree\nunfinished\nnew\nnewer\n");
    running.signal(Signal::INT);
    let finished = running.finish().expect_code(0);
    assert!(finished.stderr.contains("read to its end"), "{finished:?}");
    // The next run knows the new one.
    append(&place, "in.txt", "newest\n");
    let finished = place
        .run(&["run", "--until-end", "pipeline.yaml"])
        .expect_code(0);
    assert!(!finished.stderr.contains("beginning"), "{finished:?}");
    assert!(output(&place).ends_with("new\nnewer\nnewest\n"));
}

#[test]
fn a_file_renamed_between_two_runs_is_read_to_its_end_first() {
    let place = copying("true");
    place.write("in.txt", "one\n");
    to_present_end(&place);
    append(&place, "in.txt", "two\nunfinished");
    rename(&place, "in.txt", "in.txt.1");
    place.write("in.txt", "new\n");
    let told = to_present_end(&place);
    assert_eq!(output(&place), "one\ntwo\nunfinished\nnew\n");
    assert!(told.contains("read to its end"), "{told}");
    // The next run knows the new one.
    append(&place, "in.txt", "newer\n");
    to_present_end(&place);
    assert_eq!(output(&place), "one\ntwo\nunfinished\nnew\nnewer\n");
}

#[test]
fn a_file_renamed_between_two_runs_that_read_what_is_there_is_read_to_its_end_first() {
    let place = copying("false");
    place.write("in.txt", "one\n");
    place.run(&["run", "pipeline.yaml"]).expect_code(0);
    append(&place, "in.txt", "two\n");
    rename(&place, "in.txt", "in.txt.1");
    place.write("in.txt", "new\n");
    place.run(&["run", "pipeline.yaml"]).expect_code(0);
    assert_eq!(output(&place), "one\ntwo\nnew\n");
}

#[test]
fn all_files_that_had_the_path_between_two_runs_are_read() {
    let place = copying("true");
    place.write("in.txt", "one\n");
    to_present_end(&place);
    append(&place, "in.txt", "two\n");
    // Something that is older than the file that was read isn't its successor.
    place.write("in.txt.9", "older\n");
    let old = std::time::SystemTime::UNIX_EPOCH;
    let older = fs::File::options()
        .append(true)
        .open(place.path("in.txt.9"));
    older.unwrap().set_modified(old).unwrap();
    for text in ["three\n", "four\n", "five\n"] {
        rename(&place, "in.txt", "in.txt.0");
        for number in (0..3).rev() {
            let (from, to) = (format!("in.txt.{number}"), format!("in.txt.{}", number + 1));
            if place.path(&from).exists() {
                rename(&place, &from, &to);
            }
        }
        place.write("in.txt", text);
    }
    to_present_end(&place);
    assert_eq!(output(&place), "one\ntwo\nthree\nfour\nfive\n");
}

/// Puts a compressed copy in the place of a file.
fn compress(place: &Place, name: &str) {
    let file = fs::File::create(place.path(&format!("{name}.gz"))).unwrap();
    let mut file = flate2::write::GzEncoder::new(file, flate2::Compression::fast());
    file.write_all(&place.read(name)).unwrap();
    file.finish().unwrap();
    fs::remove_file(place.path(name)).unwrap();
}

#[test]
fn a_file_renamed_and_compressed_between_two_runs_is_read_to_its_end_first() {
    let place = copying("true");
    place.write("in.txt", "one\n");
    to_present_end(&place);
    append(&place, "in.txt", "two\n");
    rename(&place, "in.txt", "in.txt.2");
    compress(&place, "in.txt.2");
    place.write("in.txt", "three\n");
    rename(&place, "in.txt", "in.txt.1");
    place.write("in.txt", "four\n");
    to_present_end(&place);
    assert_eq!(output(&place), "one\ntwo\nthree\nfour\n");
}

/// Makes a copy of the file and truncates it.
fn copy_and_truncate(place: &Place, name: &str, copy: &str) {
    fs::copy(place.path(name), place.path(copy)).unwrap();
    place.write(name, "");
}

#[test]
fn a_file_copied_and_truncated_while_it_is_followed_is_read_to_its_end_in_the_copy() {
    let place = copying("true");
    place.write("in.txt", "one\ntw");
    let running = place.start(&["run", "pipeline.yaml"]);
    wait_for_output(&place, "one\n");
    append(&place, "in.txt", "o\nthree\n");
    copy_and_truncate(&place, "in.txt", "in.txt.1");
    append(&place, "in.txt", "new\n");
    wait_for_output(&place, "one\ntwo\nthree\nnew\n");
    stop(running);
}

#[test]
fn a_file_copied_and_truncated_between_two_runs_is_read_to_its_end_in_the_copy() {
    let place = copying("true");
    place.write("in.txt", "one\n");
    to_present_end(&place);
    append(&place, "in.txt", "two\n");
    copy_and_truncate(&place, "in.txt", "in.txt.1");
    // Longer than it was, so only its beginning tells.
    append(&place, "in.txt", "new\nand longer\nthan before\n");
    to_present_end(&place);
    let expected = "one\ntwo\nnew\nand longer\nthan before\n";
    assert_eq!(output(&place), expected);
    append(&place, "in.txt", "newer\n");
    to_present_end(&place);
    assert_eq!(output(&place), expected.to_owned() + "newer\n");
}

#[test]
fn what_comes_and_is_copied_away_behind_an_empty_file_is_found() {
    let place = following_a_glob();
    place.write("logs/a.log", "a1\n");
    place.write("logs/b.log", "b1\n");
    to_present_end(&place);
    copy_and_truncate(&place, "logs/a.log", "logs/a.log-1");
    to_present_end(&place);
    // With the first line the position has the copy; the second run is done with the copy before its line.
    for line in ["b2\n", "b3\n"] {
        append(&place, "logs/b.log", line);
        to_present_end(&place);
    }
    append(&place, "logs/a.log", "a2\n");
    copy_and_truncate(&place, "logs/a.log", "logs/a.log-2");
    to_present_end(&place);
    assert_eq!(lines(&place), ["a1", "a2", "b1", "b2", "b3"]);
}

#[test]
fn a_run_over_a_glob_goes_on_in_every_file() {
    let place = following_a_glob();
    place.write("logs/a.log", "a1\n");
    place.write("logs/b.log", "b1\nb2\n");
    place.write("logs/c.txt", "not meant\n");
    to_present_end(&place);
    assert_eq!(lines(&place), ["a1", "b1", "b2"]);
    append(&place, "logs/a.log", "a2\n");
    to_present_end(&place);
    append(&place, "logs/b.log", "b3\n");
    place.write("logs/d.log", "d1\n");
    to_present_end(&place);
    assert_eq!(lines(&place), ["a1", "a2", "b1", "b2", "b3", "d1"]);
    assert!(!to_present_end(&place).contains("beginning"));
}

#[test]
fn unfinished_lines_of_several_files_are_taken_at_the_present_end() {
    let place = following_a_glob();
    place.write("logs/a.log", "a1\na2");
    place.write("logs/b.log", "b1\nb2");
    to_present_end(&place);
    assert_eq!(lines(&place), ["a1", "a2", "b1", "b2"]);
}

#[test]
fn files_of_a_glob_are_followed_and_new_ones_found() {
    let place = following_a_glob();
    place.write("logs/a.log", "a1\n");
    let running = place.start(&["run", "pipeline.yaml"]);
    wait_for_lines(&place, &["a1"]);
    place.write("logs/b.log", "b1\n");
    wait_for_lines(&place, &["a1", "b1"]);
    append(&place, "logs/a.log", "a2\n");
    append(&place, "logs/b.log", "b2\n");
    wait_for_lines(&place, &["a1", "a2", "b1", "b2"]);
    rename(&place, "logs/a.log", "logs/a.log.1");
    append(&place, "logs/a.log.1", "a3\n");
    place.write("logs/a.log", "a4\n");
    wait_for_lines(&place, &["a1", "a2", "a3", "a4", "b1", "b2"]);
    stop(running);
    // The last position has the last place of each, however often it was read.
    to_present_end(&place);
    assert_eq!(lines(&place), ["a1", "a2", "a3", "a4", "b1", "b2"]);
}

#[test]
fn files_of_a_glob_that_were_rotated_between_two_runs_are_read_to_their_ends() {
    let place = following_a_glob();
    for name in ["a", "b"] {
        place.write(&format!("logs/{name}.log"), format!("{name}1\n"));
    }
    to_present_end(&place);
    for name in ["a", "b"] {
        let path = format!("logs/{name}.log");
        append(&place, &path, &format!("{name}2\n"));
        rename(&place, &path, &(path.clone() + ".1"));
        place.write(&path, format!("{name}3\n"));
    }
    to_present_end(&place);
    assert_eq!(lines(&place), ["a1", "a2", "a3", "b1", "b2", "b3"]);
}

#[test]
fn a_source_that_is_reset_begins_a_journal_anew_and_leaves_none_behind() {
    let place = following_a_glob();
    for number in 0..150 {
        place.write(&format!("logs/{number}.log"), format!("{number:03} 1\n"));
    }
    let journals = || {
        let entries = fs::read_dir(place.path(".forebay-places")).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name());
        names.collect::<Vec<_>>()
    };
    to_present_end(&place);
    let before = journals();
    assert_eq!(before.len(), 1, "{before:?}");
    place.run(&["state", "reset", "p"]).expect_code(0);
    fs::remove_file(place.path("out.txt")).unwrap();
    let told = to_present_end(&place);
    assert!(told.contains("nothing is stored any more"), "{told}");
    let after = journals();
    assert!(after.len() == 1 && after != before, "{after:?}");
    let all = (0..150).map(|number| format!("{number:03} 1"));
    assert!(lines(&place) == all.collect::<Vec<_>>());
    // The new one tells of all of them.
    to_present_end(&place);
    assert_eq!(lines(&place).len(), 150);
}

#[test]
fn files_that_are_gone_are_told_of_in_one_warning() {
    let place = following_a_glob();
    let names = (0..20).map(|number| format!("logs/{number}.log"));
    for name in names.clone() {
        place.write(&name, "one\n");
    }
    place.write("logs/stays.log", "one\n");
    to_present_end(&place);
    for name in names {
        fs::remove_file(place.path(&name)).unwrap();
    }
    let told = to_present_end(&place);
    assert_eq!(told.matches("WARN").count(), 1, "{told}");
    assert!(
        told.contains("20 files that were read aren't there"),
        "{told}"
    );
}

#[test]
fn ten_thousand_files_of_a_glob_are_gone_on_with() {
    const FILES: usize = 10_000;
    let place = following_a_glob();
    for number in 0..FILES {
        place.write(&format!("logs/{number}.log"), format!("{number:05} 1\n"));
    }
    let running = place.start(&["run", "pipeline.yaml"]);
    let all = FILES as u64 * "00000 1\n".len() as u64;
    wait_until(|| (length(&place.path("out.txt")) == all).then_some(()));
    // 256 files, and what the process has besides.
    let descriptors = fs::read_dir(format!("/proc/{}/fd", running.id())).unwrap();
    let open = descriptors.count();
    assert!((257..320).contains(&open), "{open} descriptors");
    stop(running);
    for number in (0..FILES).step_by(100) {
        let name = format!("logs/{number}.log");
        append(&place, &name, &format!("{number:05} 2\n"));
        if number % 1000 == 0 {
            rename(&place, &name, &(name.clone() + ".1"));
            place.write(&name, format!("{number:05} 3\n"));
        }
    }
    to_present_end(&place);
    let mut expected = Vec::new();
    for number in 0..FILES {
        let lines = [(1, true), (2, number % 100 == 0), (3, number % 1000 == 0)];
        let there = lines.iter().filter(|(_, there)| *there);
        expected.extend(there.map(|(line, _)| format!("{number:05} {line}")));
    }
    assert!(lines(&place) == expected);
    let stored = place.run(&["state", "show", "p"]).expect_code(0);
    assert!(stored.stdout.len() < 10_000, "{stored:?}");
}
