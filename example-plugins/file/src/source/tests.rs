//! Where a source goes on, and what it makes of a file that is no longer the same.

use std::fs;
use std::path::{Path, PathBuf};

use plugin_api::{Position, Source};
use tempfile::TempDir;

use super::head::Head;
use super::input::{Input, Mismatch};
use super::position::Stand;
use super::{Lines, LinesConfig};

/// A file with this text.
fn file(text: &str) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("in");
    fs::write(&path, text).unwrap();
    (folder, path)
}

/// A place in the file that has the path now.
fn stand(path: &Path, offset: u64, unfinished: bool) -> Stand {
    Stand {
        offset,
        unfinished,
        ..Stand::start_of(input(path).identity)
    }
}

fn input(path: &Path) -> Input {
    Input::open(path).unwrap().unwrap()
}

fn following(path: PathBuf) -> LinesConfig {
    LinesConfig {
        path,
        follow: true,
        start_at: "beginning".to_owned(),
        max_line_bytes: 1 << 20,
        places_folder: "places".into(),
    }
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
            .go_to(&stand(&path, offset, unfinished))
            .unwrap();
        let expected = if fits {
            Ok(())
        } else {
            Err(Mismatch::OtherContent { offset })
        };
        assert_eq!(gone, expected, "{offset} {unfinished}");
    }
    let gone = input(&path).go_to(&stand(&path, 15, false)).unwrap();
    let (length, offset) = (14, 15);
    assert_eq!(gone, Err(Mismatch::Shorter { length, offset }));
    let other = Stand {
        head: Head::of(b"One\n"),
        ..stand(&path, 4, false)
    };
    let gone = input(&path).go_to(&other).unwrap();
    assert_eq!(gone, Err(Mismatch::OtherBeginning { length: 4 }));
}

#[test]
fn reading_goes_on_behind_the_place() {
    let (_folder, path) = file("one\ntwo\n");
    let mut input = input(&path);
    input.go_to(&stand(&path, 4, false)).unwrap().unwrap();
    assert_eq!(input.head().unwrap(), Head::of(b"one\ntwo\n"));
    let mut read = [0; 10];
    let length = input.read(&mut read).unwrap();
    assert_eq!(&read[..length], b"two\n");
}

#[cfg(unix)]
#[test]
fn another_file_of_the_same_name_is_no_place_to_go_on_from() {
    let (folder, path) = file("one\n");
    let old = stand(&path, 4, false);
    fs::rename(&path, folder.path().join("old")).unwrap();
    fs::write(&path, "one\ntwo\n").unwrap();
    let mut new = input(&path);
    let expected = Mismatch::OtherFile {
        now: new.identity,
        then: old.file,
    };
    assert_eq!(new.go_to(&old).unwrap(), Err(expected));
}

#[test]
fn the_end_is_behind_the_last_whole_line() {
    let long = "x".repeat(20_000);
    for (text, end) in [
        (String::new(), 0),
        ("one".to_owned(), 0),
        ("one\ntwo".to_owned(), 4),
        (format!("one\n{long}"), 4),
        (format!("{long}\n"), 20_001),
    ] {
        let (_folder, path) = file(&text);
        assert_eq!(input(&path).end().unwrap().offset, end, "{}", text.len());
    }
}

#[test]
fn what_is_no_position_is_refused() {
    let (_folder, path) = file("one\n");
    let refused = Lines::open(following(path), Some(&Position::from("1"))).unwrap_err();
    assert_eq!(refused.code(), "position.invalid");
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
        follow: false,
        ..following("no/such/file".into())
    };
    let refused = Lines::open(config, None).unwrap_err();
    assert_eq!(refused.code(), "file.not_found");
}

/// The text as a gzip file has it.
fn compressed(text: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut encoder, text).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn a_compressed_file_is_gone_on_with_in_its_text() {
    let (_folder, path) = file("");
    // Two members, as one file, are one text.
    fs::write(
        &path,
        [compressed(b"one\ntwo\n"), compressed(b"three")].concat(),
    )
    .unwrap();
    let mut input = input(&path);
    assert!(input.is_gzip());
    let end = input.end().unwrap();
    assert_eq!((end.offset, end.head), (8, Head::of(b"one\ntwo\nthree")));
    for (offset, rest) in [
        (4, &b"two\nthree"[..]),
        (0, b"one\ntwo\nthree"),
        (8, b"three"),
    ] {
        let stand = Stand { offset, ..end };
        input.go_to(&stand).unwrap().unwrap();
        let mut read = Vec::new();
        let mut block = [0; 3];
        while let length @ 1.. = input.read(&mut block).unwrap() {
            read.extend_from_slice(&block[..length]);
        }
        assert_eq!(read, rest, "{offset}");
    }
    for (offset, expected) in [
        (5, Mismatch::OtherContent { offset: 5 }),
        (
            14,
            Mismatch::Shorter {
                length: 13,
                offset: 14,
            },
        ),
    ] {
        let gone = input.go_to(&Stand { offset, ..end }).unwrap();
        assert_eq!(gone, Err(expected));
    }
}

#[test]
fn a_compressed_file_that_is_not_whole_yet_ends_where_it_does() {
    let text: Vec<u8> = (0..100_000_u32).flat_map(u32::to_le_bytes).collect();
    let whole = compressed(&text);
    let (_folder, path) = file("");
    fs::write(&path, &whole[..whole.len() / 2]).unwrap();
    let mut input = input(&path);
    let mut read = 0;
    let mut block = [0; 4096];
    while let length @ 1.. = input.read(&mut block).unwrap() {
        assert_eq!(block[..length], text[read..read + length]);
        read += length;
    }
    assert!(read > 0 && read < text.len(), "{read}");
    // The rest comes.
    fs::write(&path, &whole).unwrap();
    let head = input.head().unwrap();
    input.still_has(read as u64, head).unwrap().unwrap();
    let length = input.read(&mut block).unwrap();
    assert!(length > 0);
    assert_eq!(block[..length], text[read..read + length]);
}
