//! Where many files stand, on disk: for what doesn't fit into a position.
//!
//! A journal only grows, by an entry a line, so a position that names it and a length of it says for ever
//! what was in it then. It is on the disk before there is such a position. One that was opened again
//! isn't appended to: another source may have been given the same position.
//!
//! Its name begins with what its owner reads ([`owner`]). A source that begins without a position, the first
//! time or after `forebay state reset`, removes what its owner has left ([`remove_all`]), unless a source that
//! runs holds it: whoever writes or has read a journal has a shared lock on it.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use plugin_api::{Error, ErrorKind, Result};

/// A journal that this source has begun.
#[derive(Debug)]
pub(super) struct Journal {
    file: File,
    pub(super) name: String,
    pub(super) length: u64,
}

impl Journal {
    /// Begins one in a folder, which is made if it isn't there.
    pub(super) fn begin(folder: &Path, owner: &str) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        let now = now.unwrap_or_default().as_nanos();
        let process = std::process::id();
        for attempt in 0_u32.. {
            let name = format!("{owner}-{now}-{process}-{attempt}");
            let path = folder.join(&name);
            match File::options().write(true).create_new(true).open(path) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                file => {
                    let file = file?;
                    hold(&file);
                    // The name has to last as well.
                    #[cfg(unix)]
                    File::open(folder)?.sync_all()?;
                    return Ok(Self {
                        file,
                        name,
                        length: 0,
                    });
                }
            }
        }
        Err(io::ErrorKind::AlreadyExists.into())
    }

    /// Adds entries, each with its newline. When it returns the disk has them.
    pub(super) fn append(&mut self, entries: &str) -> io::Result<()> {
        self.file.write_all(entries.as_bytes())?;
        self.file.sync_data()?;
        self.length += entries.len() as u64;
        Ok(())
    }
}

/// What the names of a source's journals begin with: its path decides.
pub(super) fn owner(path: &Path) -> String {
    // FNV-1a: the same for ever.
    let bytes = path.as_os_str().as_encoded_bytes().iter();
    let hash = bytes.fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    });
    format!("{hash:016x}")
}

/// Keeps others from removing a journal while it is open. Where files can't be locked, none is removed.
fn hold(file: &File) {
    if let Err(error) = file.try_lock_shared() {
        log::debug!("a journal can't be locked: {error}");
    }
}

/// What a journal had in it when it had this length, and what holds the journal.
pub(super) fn read(folder: &Path, name: &str, length: u64) -> Result<(String, File)> {
    let path = folder.join(name);
    let missing = |what: String| {
        let text = format!(
            "the position needs the first {length} bytes of `{}`: {what}; put the file back, set \
             `placesFolder` to where it is, or remove the position to read all files anew",
            path.display()
        );
        Error::new(ErrorKind::Fatal, text).with_code("file.places")
    };
    let opened = File::open(&path).and_then(|mut file| {
        hold(&file);
        let mut text = String::new();
        file.read_to_string(&mut text)?;
        Ok((text, file))
    });
    let (mut text, file) = opened.map_err(|error| missing(error.to_string()))?;
    let whole = usize::try_from(length)
        .ok()
        .filter(|end| *end <= text.len());
    let Some(end) = whole.filter(|end| text.is_char_boundary(*end)) else {
        return Err(missing(format!("it has {}", text.len())));
    };
    text.truncate(end);
    Ok((text, file))
}

/// Whether this is a name that [`Journal::begin`] gives: a position is no way to other files.
pub(super) fn is_name(name: &str) -> bool {
    !name.is_empty()
        && name
            .bytes()
            .all(|byte| byte.is_ascii_hexdigit() || byte == b'-')
}

/// Removes journals that no position needs any more.
pub(super) fn remove(folder: &Path, names: &mut Vec<String>) {
    for name in names.drain(..) {
        let path: PathBuf = folder.join(name);
        if let Err(error) = fs::remove_file(&path) {
            log::warn!("`{}` can't be removed: {error}", path.display());
        }
    }
}

/// Removes all journals of an owner that nobody holds: it begins without a position.
pub(super) fn remove_all(folder: &Path, owner: &str) {
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let behind = name.strip_prefix(owner);
        if !behind.is_some_and(|behind| behind.starts_with('-') && is_name(behind)) {
            continue;
        }
        let path = entry.path();
        // Whoever holds it runs, and needs it.
        let is_free = File::open(&path).is_ok_and(|file| file.try_lock().is_ok());
        if is_free {
            log::info!(
                "`{}` is removed: nothing is stored any more",
                path.display()
            );
            remove(folder, &mut vec![name.into_owned()]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_in_a_journal_stays_readable_and_what_is_missing_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().join("places");
        let mut journal = Journal::begin(&folder, &owner(Path::new("*.log"))).unwrap();
        assert!(is_name(&journal.name) && !is_name("../x"));
        journal.append("one\n").unwrap();
        let first = journal.length;
        journal.append("two\n").unwrap();
        assert_eq!(read(&folder, &journal.name, first).unwrap().0, "one\n");
        assert_eq!(read(&folder, &journal.name, 8).unwrap().0, "one\ntwo\n");
        for (name, length) in [(&*journal.name, 9), ("1-2-3", 0)] {
            let error = read(&folder, name, length).unwrap_err();
            assert_eq!(error.code(), "file.places");
            assert!(error.to_string().contains(name), "{error}");
        }
        let another = Journal::begin(&folder, &owner(Path::new("*.log"))).unwrap();
        assert_ne!(another.name, journal.name);
    }

    #[test]
    fn what_an_owner_has_left_is_removed_and_nothing_of_another_or_of_one_that_runs() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        let mine = owner(Path::new("logs/*.log"));
        let other = owner(Path::new("logs/*.txt"));
        // It is stored in names: the same for ever.
        assert_eq!(owner(Path::new("foobar")), "85944171f73967e8");
        fs::write(folder.join(format!("{mine}-notes")), "").unwrap();
        let left = Journal::begin(folder, &mine).unwrap().name;
        let written = Journal::begin(folder, &mine).unwrap();
        let read_by = Journal::begin(folder, &mine).unwrap().name;
        let reader = read(folder, &read_by, 0).unwrap();
        let others = Journal::begin(folder, &other).unwrap().name;
        remove_all(folder, &mine);
        let is_there = |name: &String| folder.join(name).exists();
        assert!(!is_there(&left));
        for kept in [&written.name, &read_by, &others, &format!("{mine}-notes")] {
            assert!(is_there(kept), "{kept}");
        }
        drop((written, reader));
        remove_all(folder, &mine);
        assert!(!is_there(&read_by) && is_there(&others));
    }
}
