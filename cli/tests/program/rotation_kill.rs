//! Killed while files are written to and rotated: no line is lost, and each file's come in order.

use std::fs::{self, File};
use std::io::Write as _;

use rustix::process::Signal;

use crate::files::copy_from;
use crate::kill::{LINE, TWO_WINDOWS, line};
use crate::support::{Place, Random, length, wait_until};

/// Most lines that are written at once.
const LINES: u64 = 5000;

/// How files are rotated.
#[derive(Clone, Copy, PartialEq)]
enum Rotation {
    Rename,
    CopyTruncate,
}

/// A file that grows and is rotated. Its lines are those whose numbers are `remainder` modulo `files`.
struct Growing {
    name: String,
    files: u64,
    remainder: u64,
    lines: u64,
    rotations: u64,
}

impl Growing {
    fn write(&mut self, place: &Place, lines: u64) {
        let mut text = Vec::new();
        for _ in 0..lines {
            text.extend_from_slice(line(self.lines * self.files + self.remainder).as_bytes());
            self.lines += 1;
        }
        let file = File::options()
            .append(true)
            .create(true)
            .open(place.path(&self.name));
        file.unwrap().write_all(&text).unwrap();
    }

    fn rotate(&mut self, place: &Place, rotation: Rotation) {
        let path = place.path(&self.name);
        self.rotations += 1;
        let to = place.path(&format!("{}-{:06}", self.name, self.rotations));
        match rotation {
            Rotation::Rename => {
                fs::rename(&path, &to).unwrap();
                File::create(&path).unwrap();
            }
            Rotation::CopyTruncate => {
                fs::copy(&path, &to).unwrap();
                File::create(&path).unwrap();
            }
        }
    }
}

/// Lines of one file in the output: all of them in order, but for repeats. Returns how many were repeated.
fn check(output: &[u8], growing: &Growing) -> u64 {
    check_from(output, growing, 0)
}

/// The same of the lines from the given one on, before which none is there.
fn check_from(output: &[u8], growing: &Growing, first: u64) -> u64 {
    let (mut next, mut repeated) = (first, 0);
    for found in output.split_inclusive(|byte| *byte == b'\n') {
        let digits = found
            .get(..10)
            .and_then(|digits| std::str::from_utf8(digits).ok());
        let number = digits.and_then(|digits| digits.parse::<u64>().ok());
        let Some(number) = number.filter(|number| found == line(*number).as_bytes()) else {
            assert!(found.len() < LINE, "a line is garbled: {found:?}");
            continue;
        };
        if number % growing.files != growing.remainder {
            continue;
        }
        let number = number / growing.files;
        let name = &growing.name;
        assert!(number >= first, "line {number} of {name} again");
        assert!(number <= next, "line {next} of {} is missing", growing.name);
        if number == next {
            next += 1;
        } else {
            repeated += 1;
        }
    }
    assert_eq!(next, growing.lines, "lines of {}", growing.name);
    repeated
}

/// Writes, rotates and kills so many times.
fn kill_while_rotating(rounds: u64, files: u64, rotation: Rotation) {
    let place = Place::new();
    place.install(&["forebay_connector_file"]);
    fs::create_dir(place.path("logs")).unwrap();
    copy_from(&place, &[("path", "logs/*.log")]);
    let mut random = Random::new();
    let growing = |remainder| Growing {
        name: format!("logs/{remainder}.log"),
        files,
        remainder,
        lines: 0,
        rotations: 0,
    };
    let mut files: Vec<_> = (0..files).map(growing).collect();
    let out = place.path("out.txt");
    for growing in &mut files {
        growing.write(&place, 10);
    }
    place
        .run(&["run", "--until-end", "pipeline.yaml", "-q"])
        .expect_code(0);
    for _ in 0..rounds {
        // While it doesn't run.
        for growing in &mut files {
            for _ in 0..random.below(3) {
                growing.write(&place, random.below(LINES));
                growing.rotate(&place, rotation);
            }
        }
        let running = place.start(&["run", "pipeline.yaml", "-q"]);
        for _ in 0..=random.below(4) {
            let one = random.below(files.len() as u64);
            let growing = &mut files[usize::try_from(one).unwrap()];
            let before = length(&out);
            growing.write(&place, 1 + random.below(LINES));
            if random.below(2) == 0 {
                // Somewhere in the middle of what is being read.
                let some = before + random.below(LINES * LINE as u64 / 8);
                wait_until(|| (length(&out) > some.min(before)).then_some(()));
            }
            if random.below(2) == 0 {
                growing.rotate(&place, rotation);
            }
        }
        running.signal(Signal::KILL);
        running.finish();
    }
    for _ in 0..3 {
        // Each leaves what was rotated last, and finds what came behind it.
        place
            .run(&["run", "--until-end", "pipeline.yaml", "-q"])
            .expect_code(0);
    }
    let output = place.read("out.txt");
    let repeated: u64 = files.iter().map(|growing| check(&output, growing)).sum();
    let rotations: u64 = files.iter().map(|growing| growing.rotations).sum();
    println!("{rotations} rotations, {rounds} kills, {repeated} lines repeated");
    assert!(repeated <= rounds * TWO_WINDOWS);
}

/// Kills so many times while more files grow than a position lists, so that most of them stand in the
/// journal. What a run that ended in order had stored is never read again: a window holds less than what
/// comes between two of those runs.
fn kill_while_many_grow(rounds: u64, files: u64) {
    let place = Place::new();
    place.install(&["forebay_connector_file"]);
    fs::create_dir(place.path("logs")).unwrap();
    copy_from(&place, &[("path", "logs/*.log")]);
    let mut random = Random::new();
    let mut files: Vec<_> = (0..files)
        .map(|remainder| Growing {
            name: format!("logs/{remainder}.log"),
            files,
            remainder,
            lines: 0,
            rotations: 0,
        })
        .collect();
    let out = place.path("out.txt");
    for _ in 0..rounds {
        let before = length(&out);
        let stored: Vec<_> = files.iter().map(|growing| growing.lines).collect();
        for growing in &mut files {
            growing.write(&place, 1 + random.below(4));
        }
        let mut running = place.start(&["run", "pipeline.yaml", "-q"]);
        for _ in 0..2 {
            let lines = files.iter().map(|growing| growing.lines);
            let new: u64 = lines
                .zip(&stored)
                .map(|(lines, stored)| lines - stored)
                .sum();
            let some = before + 1 + random.below(new * LINE as u64);
            wait_until(|| (length(&out) >= some || running.ended().is_some()).then_some(()));
            // Other files than those that the position lists still.
            for growing in files.iter_mut().step_by(3) {
                growing.write(&place, 1 + random.below(4));
            }
        }
        running.signal(Signal::KILL);
        assert_eq!(running.finish().code, None, "killed");
        place
            .run(&["run", "--until-end", "pipeline.yaml", "-q"])
            .expect_code(0);
        let output = &place.read("out.txt")[usize::try_from(before).unwrap()..];
        for (growing, stored) in files.iter().zip(stored) {
            check_from(output, growing, stored);
        }
        let position = place.run(&["state", "show", "p"]).expect_code(0);
        assert!(position.stdout.contains(" +"), "no journal: {position:?}");
    }
}

#[test]
fn killed_while_many_files_grow_nothing_is_lost_and_nothing_old_repeated() {
    kill_while_many_grow(5, 200);
}

#[test]
fn killed_while_files_are_renamed_nothing_is_lost() {
    // More than a position lists.
    kill_while_rotating(10, 20, Rotation::Rename);
}

#[test]
fn killed_while_files_are_copied_and_truncated_nothing_is_lost() {
    kill_while_rotating(10, 2, Rotation::CopyTruncate);
}

/// `cargo test --release -p forebay --test program -- --ignored killed_200_times_while`
#[test]
#[ignore = "takes minutes; .ci/full runs it"]
fn killed_200_times_while_files_are_rotated_nothing_is_lost() {
    kill_while_rotating(200, 20, Rotation::Rename);
    kill_while_rotating(200, 2, Rotation::CopyTruncate);
    kill_while_many_grow(200, 200);
}
