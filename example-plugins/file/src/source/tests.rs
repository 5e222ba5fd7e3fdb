//! Where a source goes on, and what it makes of a file that is no longer the same.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use plugin_api::{Position, Source};
use tempfile::TempDir;

use super::input::{Fate, Input, Mismatch};
use super::position::Place;
use super::{Lines, LinesConfig};

/// A file with this text.
fn file(text: &str) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("in");
    fs::write(&path, text).unwrap();
    (folder, path)
}

/// A place in the file that has the path now.
fn place(path: &Path, offset: u64, unfinished: bool) -> Place {
    let mut place = Place::start_of(input(path).identity);
    place.pass(usize::try_from(offset).unwrap());
    place.unfinished = unfinished;
    place
}

fn input(path: &Path) -> Input {
    Input::open(path).unwrap().unwrap()
}

fn following(path: PathBuf) -> LinesConfig {
    LinesConfig { path, follow: true }
}

#[test]
fn a_place_is_gone_on_from_where_its_line_ended_or_was_cut() {
    let (_folder, path) = file("one\ntwo\nthree\n");
    for (offset, unfinished, fits) in [
        (0, false, true),
        (4, false, true),
        (5, false, false),
        (5, true, true),
        (8, true, false),
        (14, false, true),
    ] {
        let gone = input(&path)
            .go_to(&place(&path, offset, unfinished))
            .unwrap();
        let expected = if fits {
            Ok(())
        } else {
            Err(Mismatch::OtherContent { offset })
        };
        assert_eq!(gone, expected, "{offset} {unfinished}");
    }
    let gone = input(&path).go_to(&place(&path, 15, false)).unwrap();
    let (length, offset) = (14, 15);
    assert_eq!(gone, Err(Mismatch::Shorter { length, offset }));
}

#[test]
fn reading_goes_on_behind_the_place() {
    let (_folder, path) = file("one\ntwo\n");
    let mut input = input(&path);
    input.go_to(&place(&path, 4, false)).unwrap().unwrap();
    let mut read = [0; 10];
    let length = input.read(&mut read).unwrap();
    assert_eq!(&read[..length], b"two\n");
}

#[cfg(unix)]
#[test]
fn another_file_of_the_same_name_is_no_place_to_go_on_from() {
    let (folder, path) = file("one\n");
    let old = place(&path, 4, false);
    fs::rename(&path, folder.path().join("old")).unwrap();
    fs::write(&path, "one\ntwo\n").unwrap();
    let mut new = input(&path);
    let expected = Mismatch::OtherFile {
        now: new.identity,
        then: old.file,
    };
    assert_eq!(new.go_to(&old).unwrap(), Err(expected));
}

#[cfg(unix)]
#[test]
fn what_becomes_of_a_file_is_told_apart() {
    let (folder, path) = file("one\ntwo\n");
    let input = input(&path);
    assert_eq!(input.fate(&path, 8).unwrap(), Fate::Same);
    assert_eq!(input.fate(&path, 9).unwrap(), Fate::Truncated(8));
    // While there is no other one, it is the one to wait for.
    fs::rename(&path, folder.path().join("old")).unwrap();
    assert_eq!(input.fate(&path, 8).unwrap(), Fate::Same);
    fs::write(&path, "").unwrap();
    assert_eq!(input.fate(&path, 8).unwrap(), Fate::Rotated);
}

#[test]
fn a_file_is_settled_a_second_after_it_was_written() {
    let (_folder, path) = file("one");
    let written = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000);
    File::options()
        .write(true)
        .open(&path)
        .and_then(|file| file.set_modified(written))
        .unwrap();
    for (age, settled) in [(0, false), (999, false), (1000, true)] {
        let now = written + Duration::from_millis(age);
        assert_eq!(input(&path).is_settled(now).unwrap(), settled, "{age}");
    }
    let clock_set_back = written - Duration::from_secs(3600);
    assert!(input(&path).is_settled(clock_set_back).unwrap());
}

#[test]
fn a_place_that_does_not_fit_leads_to_the_beginning() {
    let (_folder, path) = file("one\ntwo\n");
    let identity = input(&path).identity;
    let position = |place: &str| {
        let text = identity.to_string();
        let numbers: Vec<_> = text.split(|c: char| !c.is_ascii_digit()).collect();
        let numbers: Vec<_> = numbers.into_iter().filter(|n| !n.is_empty()).collect();
        Position::from(format!("{place}@{}", numbers.join(":")))
    };
    for (stored, line, offset) in [("1:4", 1, 4), ("1:3", 0, 0), ("9:99", 0, 0)] {
        let lines = Lines::open(following(path.clone()), Some(&position(stored))).unwrap();
        let at = lines.at.unwrap();
        assert_eq!((at.line(), at.offset()), (line, offset), "{stored}");
    }
}

#[test]
fn only_a_regular_file_is_opened() {
    let folder = tempfile::tempdir().unwrap();
    for path in [Path::new("/dev/null"), folder.path()] {
        let refused = Lines::open(following(path.to_owned()), None).unwrap_err();
        assert_eq!(refused.code(), "file.not_regular");
    }
}

#[test]
fn a_file_that_is_not_followed_has_to_be_there() {
    let config = LinesConfig {
        path: "no/such/file".into(),
        follow: false,
    };
    let refused = Lines::open(config, None).unwrap_err();
    assert_eq!(refused.code(), "file.not_found");
}
