//! The file of the destination: what is found, what a failed write leaves, names.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use plugin_api::{ErrorKind, Parameters, Settings};
use tempfile::TempDir;

use super::AppendConfig;
use super::output::Output;

/// A folder, and settings for the file `out` in it.
struct Place {
    folder: TempDir,
    settings: Vec<(&'static str, &'static str)>,
}

impl Place {
    fn new(settings: &[(&'static str, &'static str)]) -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            settings: settings.to_vec(),
        }
    }

    fn try_open(&self) -> plugin_api::Result<Output> {
        open(&self.folder.path().join("out"), &self.settings)
    }

    fn open(&self) -> Output {
        self.try_open().unwrap()
    }

    fn write(&self, name: &str, text: impl AsRef<[u8]>) {
        fs::write(self.folder.path().join(name), text).unwrap();
    }

    /// Names and texts of all files, in the order of the names.
    fn files(&self) -> Vec<(String, String)> {
        let entries = fs::read_dir(self.folder.path()).unwrap();
        let mut files: Vec<_> = entries
            .map(|entry| {
                let entry = entry.unwrap();
                let text = fs::read_to_string(entry.path()).unwrap();
                (entry.file_name().into_string().unwrap(), text)
            })
            .collect();
        files.sort();
        files
    }

    #[track_caller]
    fn expect(&self, files: &[(&str, &str)]) {
        let found = self.files();
        let found: Vec<_> = found.iter().map(|(a, b)| (&**a, &**b)).collect();
        assert_eq!(found, files);
    }
}

fn open(path: &Path, settings: &[(&str, &str)]) -> plugin_api::Result<Output> {
    let path = [("path", path.to_str().unwrap())];
    let all = path.into_iter().chain(settings.iter().copied());
    Output::open(&AppendConfig::from_settings(&Settings::new(all))?)
}

fn write(output: &mut Output, text: &str) {
    output.make_room(text.len() as u64).unwrap();
    output
        .write(|file| file.write_all(text.as_bytes()))
        .unwrap();
}

/// A write that fails with this much of it written.
fn fail_after(output: &mut Output, text: &str) -> plugin_api::Error {
    let failed = output.write(|file| {
        file.write_all(text.as_bytes())?;
        Err(io::ErrorKind::StorageFull.into())
    });
    failed.unwrap_err()
}

#[test]
fn what_is_there_stays_and_gets_its_newline() {
    for (before, after) in [
        ("", "new\n"),
        ("old\n", "old\nnew\n"),
        ("par", "par\nnew\n"),
        ("\n", "\nnew\n"),
        ("p", "p\nnew\n"),
    ] {
        let place = Place::new(&[]);
        place.write("out", before);
        write(&mut place.open(), "new\n");
        place.expect(&[("out", after)]);
    }
}

#[test]
fn a_missing_file_is_made_and_a_missing_folder_is_waited_for() {
    let place = Place::new(&[]);
    place.open();
    place.expect(&[("out", "")]);
    for settings in [&[][..], &[("maxBytes", "9")], &[("atomic", "true")]] {
        for (wrong, kind) in [
            ("none/out", ErrorKind::Retry),
            (".", ErrorKind::Fatal),
            ("out/none", ErrorKind::Fatal),
            (&*"x".repeat(300), ErrorKind::Fatal),
        ] {
            let error = open(&place.folder.path().join(wrong), settings).unwrap_err();
            assert_eq!((error.kind(), error.code()), (kind, "file.io"), "{wrong}");
        }
    }
    place.expect(&[("out", "")]);
}

#[test]
fn what_another_try_may_mend_is_of_that_kind() {
    let place = Place::new(&[]);
    let mut output = place.open();
    for kind in [
        io::ErrorKind::StorageFull,
        io::ErrorKind::QuotaExceeded,
        io::ErrorKind::ReadOnlyFilesystem,
        io::ErrorKind::PermissionDenied,
        io::ErrorKind::StaleNetworkFileHandle,
        io::ErrorKind::Other,
    ] {
        let error = output.write(|_| Err(kind.into())).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Retry, "{kind}");
    }
}

#[test]
fn a_failed_write_leaves_no_part_of_a_record() {
    let place = Place::new(&[]);
    place.write("out", "par");
    let mut output = place.open();
    write(&mut output, "one\n");
    let error = fail_after(&mut output, "two\nthr");
    assert_eq!(
        (error.kind(), error.code()),
        (ErrorKind::Retry, "file.full")
    );
    place.expect(&[("out", "par\none\n")]);
    // There is space again.
    write(&mut output, "two\n");
    write(&mut place.open(), "three\n");
    place.expect(&[("out", "par\none\ntwo\nthree\n")]);
}

#[test]
fn what_others_have_appended_is_not_cut_off() {
    let place = Place::new(&[]);
    let (mut output, mut other) = (place.open(), place.open());
    write(&mut output, "one\n");
    write(&mut other, "other\n");
    fail_after(&mut output, "tw");
    place.expect(&[("out", "one\nother\ntw")]);
    write(&mut place.open(), "two\n");
    place.expect(&[("out", "one\nother\ntw\ntwo\n")]);
}

#[test]
fn a_full_file_gets_the_next_number() {
    let place = Place::new(&[("maxBytes", "8")]);
    place.write("out.3", "old\n");
    let mut output = place.open();
    for text in ["one\n", "two\n", "three\n", "four, too long\n", "5\n"] {
        write(&mut output, text);
    }
    // A later run goes on in the last file, with the numbers behind those that are there.
    let mut output = place.open();
    for text in ["6\n", "seven\n"] {
        write(&mut output, text);
    }
    place.expect(&[
        ("out", "seven\n"),
        ("out.3", "old\n"),
        ("out.4", "one\ntwo\n"),
        ("out.5", "three\n"),
        ("out.6", "four, too long\n"),
        ("out.7", "5\n6\n"),
    ]);
}

#[test]
fn a_number_that_somebody_takes_is_passed_over_and_a_file_that_is_gone_is_no_failure() {
    let place = Place::new(&[("maxBytes", "4")]);
    let mut output = place.open();
    write(&mut output, "one\n");
    place.write("out.1", "of others");
    write(&mut output, "two\n");
    fs::remove_file(place.folder.path().join("out")).unwrap();
    write(&mut output, "4\n");
    place.expect(&[("out", "4\n"), ("out.1", "of others"), ("out.2", "one\n")]);
}

#[test]
fn an_atomic_file_has_its_name_when_it_is_finished() {
    let place = Place::new(&[("atomic", "true"), ("sync", "data")]);
    let mut output = place.open();
    write(&mut output, "one\n");
    place.expect(&[("out.part", "one\n")]);
    // A run that was killed.
    drop(output);
    let mut output = place.open();
    write(&mut output, "two\n");
    output.finish().unwrap();
    place.expect(&[("out", "one\ntwo\n")]);
    // A later run.
    let mut output = place.open();
    write(&mut output, "three\n");
    place.expect(&[("out.part", "one\ntwo\nthree\n")]);
    output.finish().unwrap();
    place.expect(&[("out", "one\ntwo\nthree\n")]);
}

#[test]
fn a_finished_and_an_unfinished_file_are_not_mixed() {
    let place = Place::new(&[("atomic", "true")]);
    place.write("out", "one\n");
    place.write("out.part", "two\n");
    let error = place.try_open().unwrap_err();
    assert_eq!(
        (error.kind(), error.code()),
        (ErrorKind::Fatal, "file.both")
    );
    place.expect(&[("out", "one\n"), ("out.part", "two\n")]);
    // The name is only claimed, by a run that was killed before it had it.
    place.write("out", "");
    let output = place.open();
    place.expect(&[("out.part", "two\n")]);
    // Somebody else takes the name meanwhile.
    place.write("out", "one\n");
    assert!(output.finish().is_err());
    place.expect(&[("out", "one\n"), ("out.part", "two\n")]);
}

#[test]
fn an_atomic_file_is_also_rotated_under_its_own_name() {
    let place = Place::new(&[("atomic", "true"), ("maxBytes", "4")]);
    let mut output = place.open();
    write(&mut output, "one\n");
    write(&mut output, "two\n");
    place.expect(&[("out.1", "one\n"), ("out.part", "two\n")]);
    output.finish().unwrap();
    place.expect(&[("out", "two\n"), ("out.1", "one\n")]);
}

#[test]
fn lines_and_gzip_are_not_mixed() {
    for (settings, text) in [
        (&[][..], &b"\x1f\x8b\x08"[..]),
        (&[("compression", "gzip")], b"line\n"),
    ] {
        let place = Place::new(settings);
        place.write("out", text);
        let error = place.try_open().unwrap_err();
        assert_eq!(
            (error.kind(), error.code()),
            (ErrorKind::Fatal, "file.foreign")
        );
        assert_eq!(fs::read(place.folder.path().join("out")).unwrap(), text);
    }
}

#[cfg(unix)]
#[test]
fn what_is_no_file_is_written_to_and_neither_rotated_nor_synced() {
    let null = Path::new("/dev/null");
    for compression in ["none", "gzip"] {
        write(
            &mut open(null, &[("compression", compression)]).unwrap(),
            "a line\n",
        );
    }
    for (name, value) in [("sync", "data"), ("maxBytes", "9"), ("atomic", "true")] {
        let error = open(null, &[(name, value)]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidConfig);
        assert_eq!(error.parameters()[0].name, name);
    }
}

/// Files of the kernel look like any others, and can't be synced.
#[cfg(target_os = "linux")]
#[test]
fn a_sync_that_fails_is_told() {
    let name = Path::new("/proc/thread-self/comm");
    open(name, &[]).unwrap();
    let error = open(name, &[("sync", "data")]).unwrap_err();
    assert_eq!((error.kind(), error.code()), (ErrorKind::Retry, "file.io"));
    let expected = "`/proc/thread-self/comm` can't be synced: ";
    assert!(error.message().starts_with(expected), "{error:#}");
}

#[cfg(unix)]
#[test]
fn a_link_is_followed_and_stays() {
    let place = Place::new(&[("maxBytes", "4"), ("atomic", "true")]);
    let link = tempfile::tempdir().unwrap();
    let link = link.path().join("link");
    place.write("out", "one\n");
    std::os::unix::fs::symlink(place.folder.path().join("out"), &link).unwrap();
    let mut output = open(&link, &place.settings).unwrap();
    write(&mut output, "two\n");
    output.finish().unwrap();
    place.expect(&[("out", "two\n"), ("out.1", "one\n")]);
    assert!(link.is_symlink());
}
