//! The clock set back and forward in the midst of a run: windows, rates, waits and stops go by a clock
//! that nobody sets, and only what is told of the time is that of the clock.
//!
//! Debian's `faketime` sets the clock that the process sees; where it is missing the tests say so and
//! pass.

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant, SystemTime};

use rustix::process::Signal;

use crate::kill::line;
use crate::many_kill::{letters_of, yaml};
use crate::output::copy_to;
use crate::repeats::{jumps, numbers};
use crate::support::{Place, Running, length, wait_until};

const DAY: u64 = 24 * 3600;

/// The library that sets the clock of a process.
fn library() -> Option<PathBuf> {
    let folders = fs::read_dir("/usr/lib").into_iter().flatten().flatten();
    let library = |folder: fs::DirEntry| folder.path().join("faketime/libfaketimeMT.so.1");
    let found = folders.map(library).find(|file| file.exists());
    if found.is_none() {
        println!(
            "skipped, as there is no libfaketime here: Debian has it in the package `faketime`"
        );
    }
    found
}

/// Sets the clock of the process in this place, so many days from the right time.
fn set_clock(place: &Place, days: i64) {
    // Renamed into place, so that it is never read half written.
    place.write("clock.new", format!("{days:+}d\n"));
    fs::rename(place.path("clock.new"), place.path("clock")).unwrap();
}

/// Starts `forebay` with the clock of [`set_clock`], which is right at first.
fn start(place: &Place, library: &PathBuf, arguments: &[&str]) -> Running {
    set_clock(place, 0);
    let mut command = place.command(arguments);
    command
        .env("LD_PRELOAD", library)
        .env("FAKETIME_TIMESTAMP_FILE", place.path("clock"))
        .env("FAKETIME_NO_CACHE", "1")
        // Nobody can set the monotonic clock of a real machine.
        .env("DONT_FAKE_MONOTONIC", "1")
        .env("FAKETIME_DONT_FAKE_MONOTONIC", "1")
        // Times of files are the kernel's.
        .env("NO_FAKE_STAT", "1");
    place.spawn(command)
}

fn append(place: &Place, lines: std::ops::Range<u64>) {
    crate::files::append(place, "in.txt", &lines.map(line).collect::<String>());
}

fn wait_for_lines(place: &Place, lines: u64) {
    let output = place.path("out.txt");
    let expected = (0..lines).map(|number| line(number).len() as u64);
    let expected = expected.sum::<u64>();
    wait_until(|| (length(&output) >= expected).then_some(()));
}

/// Waits until the position of this line, counted from 1, is stored. The store is locked by the run; its file
/// has the position as it is.
fn wait_until_stored(place: &Place, line_number: u64) {
    let position = format!("{line_number}:");
    let file = place.path(".forebay/positions.redb");
    let offset = line_number * line(0).len() as u64;
    let position = format!("{position}{offset}@");
    wait_until(|| {
        let stored = fs::read(&file).unwrap_or_default();
        let mut windows = stored.windows(position.len());
        windows.any(|it| it == position.as_bytes()).then_some(())
    });
}

#[test]
fn windows_are_stored_when_the_clock_is_set_back() {
    let Some(library) = library() else { return };
    let place = Place::new();
    copy_to(&place, "builtin:file", "out.txt", &[]);
    let text = fs::read_to_string(place.path("pipeline.yaml")).unwrap();
    place.write(
        "pipeline.yaml",
        text.replace("follow: \"false\"", "follow: \"true\""),
    );
    append(&place, 0..10);
    let running = start(&place, &library, &["run", "pipeline.yaml", "-q"]);
    wait_until_stored(&place, 10);
    let mut lines = 10;
    for days in [-40, 40, -400] {
        set_clock(&place, days);
        append(&place, lines..lines + 10);
        lines += 10;
        wait_until_stored(&place, lines);
    }
    running.signal(Signal::KILL);
    assert_eq!(running.finish().code, None);
    // The next run, whose clock is right, goes on behind what was stored.
    append(&place, lines..lines + 10);
    place
        .run(&["run", "pipeline.yaml", "-q", "--until-end"])
        .expect_code(0);
    let (numbers, _) = numbers(&place.read("out.txt"));
    assert_eq!(jumps(numbers, lines + 10, |_| true), [0; 0]);
}

#[test]
fn rates_hold_when_the_clock_is_set() {
    const PER_SECOND: u64 = 50;
    let Some(library) = library() else { return };
    let place = Place::new();
    let rate = PER_SECOND.to_string();
    let settings = [("sdk.rate.perSecond", &*rate), ("sdk.rate.burst", "1")];
    copy_to(&place, "builtin:file", "out.txt", &settings);
    append(&place, 0..100);
    let begun = Instant::now();
    let running = start(&place, &library, &["run", "pipeline.yaml", "-q"]);
    for (lines, days) in [(10, -40), (30, 40), (60, -400)] {
        wait_for_lines(&place, lines);
        set_clock(&place, days);
    }
    running.finish().expect_code(0);
    // The first line is free.
    assert!(begun.elapsed() >= Duration::from_secs(99) / u32::try_from(PER_SECOND).unwrap());
    let (numbers, _) = numbers(&place.read("out.txt"));
    assert_eq!(jumps(numbers, 100, |_| true), [0; 0]);
}

#[test]
fn waits_and_stops_end_when_the_clock_is_set_back() {
    let Some(library) = library() else { return };
    let place = Place::new();
    copy_to(&place, "builtin:file", "missing/out.txt", &[]);
    append(&place, 0..10);
    let waits = ["--retry-min-delay", "500ms", "--retry-max-delay", "500ms"];
    let arguments = [&["run", "pipeline.yaml"][..], &waits].concat();
    let running = start(&place, &library, &arguments);
    running.wait_for_stderr("try 1 follows");
    set_clock(&place, -40);
    running.wait_for_stderr("try 3 follows");
    set_clock(&place, -400);
    fs::create_dir(place.path("missing")).unwrap();
    running.finish().expect_code(0);
    assert!(place.read("missing/out.txt") == place.read("in.txt"));

    // A run that follows its file is asked to stop.
    let place = Place::new();
    crate::files::copy_from(&place, &[("path", "in.txt")]);
    append(&place, 0..10);
    let running = start(&place, &library, &["run", "pipeline.yaml", "-q"]);
    wait_for_lines(&place, 10);
    set_clock(&place, -40);
    running.signal(Signal::TERM);
    running.finish().expect_code(0);
    let stored = place.run(&["state", "show", "p"]).expect_code(0);
    assert!(stored.stdout.contains("10:400@"), "{stored:?}");
}

#[test]
fn a_letter_has_the_time_of_the_clock_whatever_it_is() {
    let Some(library) = library() else { return };
    let place = Place::new();
    place.install(&["forebay_fixture_picky"]);
    let connectors = [
        "{id: src, type: source, plugin: \"builtin:file\", settings: {path: in.txt}}",
        "{id: picky, type: destination, plugin: \"standalone:picky\", settings: {path: out.txt}}",
    ];
    let queue = "dead-letter-queue: {plugin: \"builtin:file\", settings: {path: letters.txt}, window-size: 0}";
    place.write("pipeline.yaml", yaml(connectors.map(str::to_owned), queue));
    append(&place, 0..1);
    let running = start(&place, &library, &["run", "pipeline.yaml", "-q"]);
    wait_for_lines(&place, 1);
    let letters = || letters_of(&fs::read(place.path("letters.txt")).unwrap_or_default()).0;
    for (number, days) in [(0_u64, 0), (1, -40), (2, 40)] {
        set_clock(&place, days);
        let refused = number * 100 + 13;
        append(&place, refused..refused + 1);
        let letter = wait_until(|| letters().into_iter().find(|(it, _)| *it == refused));
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        let told = letter.1.as_secs() as i64 - days * DAY as i64;
        assert!(
            (now.unwrap().as_secs() as i64 - told).abs() < 3600,
            "{days}: {told}"
        );
    }
    running.signal(Signal::TERM);
    running.finish().expect_code(0);
}
