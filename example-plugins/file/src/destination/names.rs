//! The names that a destination's file has: while it is written, when it is full, when the run is over.
//!
//! Owns how a file gets a name without taking it from another one, and what makes a name survive a power
//! cut. It never opens a file to write to it.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

/// The path with links followed, also where the file isn't there: what is renamed has to be the file, and
/// not a link to it.
pub(super) fn resolve(path: &Path) -> io::Result<PathBuf> {
    match fs::canonicalize(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        resolved => return resolved,
    }
    let name = path.file_name().ok_or(ErrorKind::InvalidFilename)?;
    Ok(fs::canonicalize(folder_of(path))?.join(name))
}

/// The name of a file that is still being written: `PATH.part`.
pub(super) fn part_of(path: &Path) -> PathBuf {
    with_ending(path, "part")
}

/// Gives the file at `from` the name `PATH.N`, where N is `number` or the next that is free; returns N.
pub(super) fn number(from: &Path, path: &Path, mut number: u64) -> io::Result<u64> {
    loop {
        match rename_new(from, &with_ending(path, &number.to_string())) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => number += 1,
            renamed => return renamed.map(|()| number),
        }
    }
}

/// One more than the highest N of all `PATH.N`, so that numbers ascend in the order of the records also
/// where somebody has taken files away.
pub(super) fn next_number(path: &Path) -> io::Result<u64> {
    /// So that one more fits.
    const DIGITS: usize = 18;
    let mut highest = 0;
    let start = with_ending(path, "");
    let start = start.file_name().unwrap_or_default().as_encoded_bytes();
    for entry in fs::read_dir(folder_of(path))? {
        let name = entry?.file_name();
        let number = name.as_encoded_bytes().strip_prefix(start);
        let number = number.filter(|digits| digits.len() <= DIGITS);
        let number = number.filter(|digits| digits.iter().all(u8::is_ascii_digit));
        let number = number.and_then(|digits| str::from_utf8(digits).ok()?.parse().ok());
        highest = highest.max(number.unwrap_or(0));
    }
    Ok(highest + 1)
}

/// Renames a file, and fails with [`ErrorKind::AlreadyExists`] where the new name is taken.
pub(super) fn rename_new(from: &Path, to: &Path) -> io::Result<()> {
    #[cfg(target_os = "linux")]
    {
        use rustix::fs::{CWD, RenameFlags, renameat_with};
        use rustix::io::Errno;
        match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
            // A file system that doesn't have it, such as NFS.
            Err(Errno::INVAL | Errno::NOSYS) => {}
            renamed => return Ok(renamed?),
        }
    }
    rename_claimed(from, to)
}

/// As [`rename_new`], in two steps: an empty file takes the name, and then gives way. It has the name
/// for an instant, and keeps it where the process is killed in between.
fn rename_claimed(from: &Path, to: &Path) -> io::Result<()> {
    File::create_new(to)?;
    fs::rename(from, to).inspect_err(|_| {
        // Should it stay, a number is left out, or the next run removes it.
        fs::remove_file(to).ok();
    })
}

/// Makes the names in the file's folder survive a power cut.
pub(super) fn sync_folder(path: &Path) -> io::Result<()> {
    match cfg!(unix) {
        true => File::open(folder_of(path))?.sync_all(),
        // Elsewhere a folder can't be opened like this, and names are the file system's own affair.
        false => Ok(()),
    }
}

fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    }
}

fn with_ending(path: &Path, ending: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(".");
    name.push(ending);
    name.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_above_all_that_are_there() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out");
        assert_eq!(next_number(&path).unwrap(), 1);
        for other in ["out.", "out.7x", "out.part", "out.+9", "xout.9", "out.9.gz"] {
            fs::write(folder.path().join(other), "").unwrap();
        }
        fs::write(folder.path().join(format!("out.{}", u64::MAX)), "").unwrap();
        assert_eq!(next_number(&path).unwrap(), 1);
        fs::write(folder.path().join("out.2"), "").unwrap();
        fs::write(folder.path().join("out.10"), "").unwrap();
        assert_eq!(next_number(&path).unwrap(), 11);
    }

    #[test]
    fn no_file_loses_its_name_to_another() {
        let folder = tempfile::tempdir().unwrap();
        let [from, to] = ["from", "to"].map(|name| folder.path().join(name));
        for rename in [rename_new, rename_claimed] {
            fs::write(&from, "new").unwrap();
            fs::write(&to, "old").unwrap();
            let error = rename(&from, &to).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::AlreadyExists);
            assert_eq!(fs::read_to_string(&to).unwrap(), "old");
            fs::remove_file(&to).unwrap();
            rename(&from, &to).unwrap();
            assert_eq!(fs::read_to_string(&to).unwrap(), "new");
            fs::remove_file(&to).unwrap();
            assert_eq!(rename(&from, &to).unwrap_err().kind(), ErrorKind::NotFound);
            assert!(!to.exists());
        }
    }

    #[test]
    fn a_taken_number_is_passed_over() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out");
        fs::write(&path, "new").unwrap();
        fs::write(folder.path().join("out.3"), "old").unwrap();
        assert_eq!(number(&path, &path, 3).unwrap(), 4);
        assert_eq!(
            fs::read_to_string(folder.path().join("out.3")).unwrap(),
            "old"
        );
    }

    #[cfg(unix)]
    #[test]
    fn links_are_followed() {
        let folder = tempfile::tempdir().unwrap();
        let real = fs::canonicalize(folder.path()).unwrap();
        fs::write(real.join("file"), "").unwrap();
        std::os::unix::fs::symlink("file", real.join("link")).unwrap();
        assert_eq!(
            resolve(&folder.path().join("link")).unwrap(),
            real.join("file")
        );
        assert_eq!(
            resolve(&folder.path().join("none")).unwrap(),
            real.join("none")
        );
        assert!(resolve(&folder.path().join("none/none")).is_err());
    }
}
