//! Where every file stands, as one position: that of the file which is being read, and the others'.
//!
//! A position is the [`Stand`] of its record and, behind it and each with a space before it, what is
//! known of other files: their stands, `-DEVICE:INODE` for one that is done with, and `+NAME:LENGTH` for
//! what a [`journal`] says of all the rest. What is in none of them is read from its
//! beginning.
//!
//! Every record carries a position, and only the newest is stored. So one has to say where all files
//! stand, and 10,000 don't fit: their lengths are independent of each other, so nothing shorter than a list
//! says it. A position lists up to [`LISTED`] of them that have changed lately; when there are more, they
//! all go to the journal: at once where many records would carry them, later where few do. A glob of few files needs none.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::File;
use std::io;
use std::path::PathBuf;

use plugin_api::{Error, ErrorKind, Position, Result};

use super::journal::{self, Journal};
use super::position::{Identity, Stand};

/// Most files that the positions of many records list, beside their own, and those of few.
///
/// Each record pays for what its position lists, each writing of the journal for a sync of the disk.
const LISTED: usize = 16;
const LISTED_BY_FEW: usize = 128;

/// Entries that a journal has, at most, for each file there is, and beside these.
const ENTRIES: (usize, usize) = (4, 1000);

/// The files that are known.
#[derive(Debug)]
pub(super) struct Stands {
    all: BTreeMap<Identity, Stand>,
    /// Those that the journal doesn't have as they are; `None` is one that is done with.
    listed: BTreeMap<Identity, Option<Stand>>,
    folder: PathBuf,
    /// Whose journals these are.
    owner: String,
    journal: Option<Journal>,
    /// Holds the journal of the position that was read.
    held: Option<File>,
    /// As positions name the journal that has the rest.
    named: Option<String>,
    entries: usize,
    /// Journals that stored positions may name still.
    old: Vec<String>,
}

impl Stands {
    /// Those of no file, where there is no position. Journals that the owner has left are removed.
    pub(super) fn begin(folder: PathBuf, owner: String) -> Self {
        journal::remove_all(&folder, &owner);
        Self::new(folder, owner)
    }

    fn new(folder: PathBuf, owner: String) -> Self {
        Self {
            all: BTreeMap::new(),
            listed: BTreeMap::new(),
            folder,
            owner,
            journal: None,
            held: None,
            named: None,
            entries: 0,
            old: Vec::new(),
        }
    }

    /// Reads a position: all that were begun, also the one that it is of. The folder is where journals are.
    pub(super) fn read(position: &Position, folder: PathBuf, owner: String) -> Result<Self> {
        let mut stands = Self::new(folder, owner);
        let text = std::str::from_utf8(position.as_bytes()).ok();
        let parts = text.and_then(|text| {
            let (own, others) = text.split_once(' ').unwrap_or((text, ""));
            let others: Vec<&str> = match others {
                "" if text.contains(' ') => return None,
                "" => Vec::new(),
                others => others.split(' ').collect(),
            };
            Some((Stand::parse(own)?, others))
        });
        let invalid = || {
            let text = format!(
                "invalid position `{position}`, expected `LINE:OFFSET@DEVICE:INODE`; remove it to \
                 read the files from their beginning"
            );
            Error::new(ErrorKind::Fatal, text).with_code("position.invalid")
        };
        let (own, others) = parts.ok_or_else(invalid)?;
        for part in &others {
            if let Some(named) = part.strip_prefix('+') {
                let (name, length) = named.split_once(':').ok_or_else(invalid)?;
                let length = length.parse().ok().filter(|_| journal::is_name(name));
                let length = length.ok_or_else(invalid)?;
                let (text, held) = journal::read(&stands.folder, name, length)?;
                stands.held = Some(held);
                let entries = text.lines().try_for_each(|entry| stands.take(entry));
                entries.ok_or_else(invalid)?;
                stands.listed.clear();
                stands.named = Some((*named).to_owned());
                stands.old.push(name.to_owned());
            }
        }
        for part in others.into_iter().filter(|part| !part.starts_with('+')) {
            stands.take(part).ok_or_else(invalid)?;
        }
        stands.set(own);
        Ok(stands)
    }

    fn take(&mut self, entry: &str) -> Option<()> {
        match entry.strip_prefix('-') {
            Some(file) => self.remove(Identity::parse(file)?),
            None => self.set(Stand::parse(entry)?),
        }
        Some(())
    }

    /// Notes where a file stands.
    pub(super) fn set(&mut self, stand: Stand) {
        if self.all.insert(stand.file, stand) != Some(stand) {
            self.listed.insert(stand.file, Some(stand));
        }
    }

    pub(super) fn get(&self, file: Identity) -> Option<Stand> {
        self.all.get(&file).copied()
    }

    /// Forgets a file: it is done with, or isn't there any more.
    pub(super) fn remove(&mut self, file: Identity) {
        self.all.remove(&file);
        if self.named.is_some() {
            self.listed.insert(file, None);
        } else {
            self.listed.remove(&file);
        }
    }

    pub(super) fn files(&self) -> Vec<Identity> {
        self.all.keys().copied().collect()
    }

    /// What stands behind the positions of this file. Writes the journal if that would be too long for
    /// many records, or few.
    pub(super) fn others(&mut self, than: Identity, few: bool) -> io::Result<String> {
        let most = if few { LISTED_BY_FEW } else { LISTED };
        if self.listed.len() > most + 1 {
            self.write_journal()?;
        }
        let mut text = String::new();
        for entry in self.listed.iter().filter(|(file, _)| **file != than) {
            text.push(' ');
            write_entry(&mut text, entry);
        }
        if let Some(named) = &self.named {
            text = text + " +" + named;
        }
        Ok(text)
    }

    fn write_journal(&mut self) -> io::Result<()> {
        let mut text = String::new();
        let most = ENTRIES.0 * self.all.len() + ENTRIES.1;
        let grown = self.journal.take().filter(|_| self.entries < most);
        let mut journal = match grown {
            Some(journal) => {
                for entry in &self.listed {
                    write_entry(&mut text, entry);
                    text.push('\n');
                }
                self.entries += self.listed.len();
                journal
            }
            None => {
                for (file, stand) in &self.all {
                    write_entry(&mut text, (file, &Some(*stand)));
                    text.push('\n');
                }
                self.entries = self.all.len();
                Journal::begin(&self.folder, &self.owner)?
            }
        };
        journal.append(&text)?;
        let named = format!("{}:{}", journal.name, journal.length);
        if !self.old.contains(&journal.name) {
            self.old.push(journal.name.clone());
        }
        self.named = Some(named);
        self.journal = Some(journal);
        self.listed.clear();
        Ok(())
    }

    /// A position is durable: removes the journals before the one that it names.
    pub(super) fn is_durable(&mut self, position: &Position) {
        let text = String::from_utf8_lossy(position.as_bytes());
        let named = text
            .rsplit_once(" +")
            .and_then(|(_, named)| named.split_once(':'));
        let named = named.and_then(|(name, _)| self.old.iter().position(|old| old == name));
        if let Some(at) = named.filter(|at| *at > 0) {
            let mut done: Vec<_> = self.old.drain(..at).collect();
            journal::remove(&self.folder, &mut done);
        }
    }
}

fn write_entry(text: &mut String, (file, stand): (&Identity, &Option<Stand>)) {
    // Writing to a string can't fail.
    let _written = match stand {
        Some(stand) => write!(text, "{stand}"),
        None => write!(text, "-{}:{}", file.device, file.inode),
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stand(inode: u64, offset: u64) -> Stand {
        let file = Identity { device: 1, inode };
        Stand {
            offset,
            ..Stand::start_of(file)
        }
    }

    fn read(position: &str, folder: &TempDir) -> Result<Stands> {
        let folder = folder.path().join("places");
        Stands::read(&Position::from(position), folder, "0".to_owned())
    }

    /// The position of this file.
    fn position(stands: &mut Stands, own: u64) -> String {
        let own = stands.get(stand(own, 0).file).unwrap();
        own.to_string()
            + &stands
                .others(own.file, own.offset.is_multiple_of(2))
                .unwrap()
    }

    use tempfile::TempDir;

    #[test]
    fn a_position_tells_of_every_file() {
        let folder = tempfile::tempdir().unwrap();
        let text = "56:1234@1:2 7:8@1:3 9:10@1:4#3.000000aa:unfinished";
        let mut stands = read(text, &folder).unwrap();
        assert_eq!(stands.files().len(), 3);
        assert_eq!(position(&mut stands, 2), text);
        assert!(!folder.path().join("places").exists());
    }

    #[test]
    fn positions_of_many_files_stay_short_and_tell_of_all() {
        let folder = tempfile::tempdir().unwrap();
        let mut stands = read("0:1@1:0", &folder).unwrap();
        let mut kept = Vec::new();
        for turn in 0..3_u64 {
            for inode in 0..1000 {
                stands.set(stand(inode, turn * 1000 + inode));
                if inode % 100 == 99 {
                    stands.remove(stand(inode - 50, 0).file);
                }
                let position = position(&mut stands, inode);
                assert!(
                    position.len() < if inode.is_multiple_of(2) { 4000 } else { 400 },
                    "{position}"
                );
                kept.push((position, stands.all.clone()));
            }
        }
        // Each says what was known then, until a later one is durable.
        for (position, all) in kept.iter().rev().step_by(37) {
            assert_eq!(read(position, &folder).unwrap().all, *all, "{position}");
        }
        let mut again = read(&kept.last().unwrap().0, &folder).unwrap();
        for inode in 0..20 {
            again.set(stand(inode, 7));
        }
        let newest = position(&mut again, 5);
        let files = || {
            std::fs::read_dir(folder.path().join("places"))
                .unwrap()
                .count()
        };
        assert_eq!(files(), 2);
        again.is_durable(&Position::from(&*kept[0].0));
        assert_eq!(files(), 2);
        again.is_durable(&Position::from(&*newest));
        assert_eq!(files(), 1);
        assert_eq!(read(&newest, &folder).unwrap().all, again.all);
    }

    #[test]
    fn what_is_no_position_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        for wrong in [
            "",
            "12",
            "1:2@3:4 ",
            "1:2@3:4 x",
            " 1:2@3:4",
            "1:2@3:4 +x:1",
            "1:2@3:4 +../1:1",
        ] {
            let error = read(wrong, &folder).unwrap_err();
            assert_eq!(error.code(), "position.invalid", "{wrong}");
            assert!(error.to_string().contains(&format!("`{wrong}`")), "{error}");
        }
        let error = read("1:2@3:4 +1-2-3:10", &folder).unwrap_err();
        assert_eq!(error.code(), "file.places");
    }
}
