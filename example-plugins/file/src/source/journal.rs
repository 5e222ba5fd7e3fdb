//! Where many files stand, on disk: for what doesn't fit into a position.
//!
//! A journal only grows, by an entry a line, so a position that names it and a length of it says for ever
//! what was in it then. It is on the disk before there is such a position. One that was opened again
//! isn't appended to: another source may have been given the same position.

use std::fs::{self, File};
use std::io::{self, Write};
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
    pub(super) fn begin(folder: &Path) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        let now = now.unwrap_or_default().as_nanos();
        let process = std::process::id();
        for attempt in 0_u32.. {
            let name = format!("{now}-{process}-{attempt}");
            let path = folder.join(&name);
            match File::options().write(true).create_new(true).open(path) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                file => {
                    let file = file?;
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

/// What a journal had in it when it had this length.
pub(super) fn read(folder: &Path, name: &str, length: u64) -> Result<String> {
    let path = folder.join(name);
    let missing = |what: String| {
        let text = format!(
            "the position needs the first {length} bytes of `{}`: {what}; put the file back, set \
             `placesFolder` to where it is, or remove the position to read all files anew",
            path.display()
        );
        Error::new(ErrorKind::Fatal, text).with_code("file.places")
    };
    let mut text = fs::read_to_string(&path).map_err(|error| missing(error.to_string()))?;
    let whole = usize::try_from(length)
        .ok()
        .filter(|end| *end <= text.len());
    let Some(end) = whole.filter(|end| text.is_char_boundary(*end)) else {
        return Err(missing(format!("it has {}", text.len())));
    };
    text.truncate(end);
    Ok(text)
}

/// Whether this is a name that [`Journal::begin`] gives: a position is no way to other files.
pub(super) fn is_name(name: &str) -> bool {
    !name.is_empty()
        && name
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'-')
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_in_a_journal_stays_readable_and_what_is_missing_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().join("places");
        let mut journal = Journal::begin(&folder).unwrap();
        assert!(is_name(&journal.name) && !is_name("../x"));
        journal.append("one\n").unwrap();
        let first = journal.length;
        journal.append("two\n").unwrap();
        assert_eq!(read(&folder, &journal.name, first).unwrap(), "one\n");
        assert_eq!(read(&folder, &journal.name, 8).unwrap(), "one\ntwo\n");
        for (name, length) in [(&*journal.name, 9), ("1-2-3", 0)] {
            let error = read(&folder, name, length).unwrap_err();
            assert_eq!(error.code(), "file.places");
            assert!(error.to_string().contains(name), "{error}");
        }
        assert_ne!(Journal::begin(&folder).unwrap().name, journal.name);
    }
}
