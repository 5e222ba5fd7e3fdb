//! Where every file stands, as one position: that of the file which is being read, and the others'.
//!
//! A position is the [`Stand`] of its record and, behind it and each with a space before it, what is
//! known of other files: their stands, or `-DEVICE:INODE` for one that is done with. What isn't in it is
//! read from its beginning.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use plugin_api::{Error, ErrorKind, Position, Result};

use super::position::{Identity, Stand};

/// The files that were begun, but for the one that is being read.
#[derive(Debug, Default)]
pub(super) struct Stands {
    listed: BTreeMap<Identity, Stand>,
}

impl Stands {
    /// Reads a position: all that were begun, also the one that it is of.
    pub(super) fn read(position: &Position) -> Result<Self> {
        let text = std::str::from_utf8(position.as_bytes()).ok();
        text.and_then(Self::parse).ok_or_else(|| {
            let text = format!(
                "invalid position `{position}`, expected `LINE:OFFSET@DEVICE:INODE`; remove it to \
                 read the files from their beginning"
            );
            Error::new(ErrorKind::Fatal, text).with_code("position.invalid")
        })
    }

    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split(' ');
        let own = Stand::parse(parts.next()?)?;
        let mut stands = Self::default();
        for part in parts {
            stands.set(Stand::parse(part)?);
        }
        stands.set(own);
        Some(stands)
    }

    /// Notes where a file stands.
    pub(super) fn set(&mut self, stand: Stand) {
        self.listed.insert(stand.file, stand);
    }

    pub(super) fn get(&self, file: Identity) -> Option<Stand> {
        self.listed.get(&file).copied()
    }

    /// Forgets a file: it is done with, or isn't there any more.
    pub(super) fn remove(&mut self, file: Identity) {
        self.listed.remove(&file);
    }

    pub(super) fn files(&self) -> Vec<Identity> {
        self.listed.keys().copied().collect()
    }

    /// What stands behind the positions of this file.
    pub(super) fn others(&self, than: Identity) -> String {
        let mut text = String::new();
        for (_, stand) in self.listed.iter().filter(|(file, _)| **file != than) {
            // Writing to a string can't fail.
            let _written = write!(text, " {stand}");
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_tells_of_every_file() {
        let position = "56:1234@1:2 7:8@1:3 9:10@1:4#3.00000000000000aa:unfinished";
        let stands = Stands::read(&Position::from(position)).unwrap();
        assert_eq!(stands.files().len(), 3);
        let own = Identity::parse("1:2")
            .and_then(|file| stands.get(file))
            .unwrap();
        assert_eq!(own.to_string(), "56:1234@1:2");
        let again = own.to_string() + &stands.others(own.file);
        assert_eq!(again, position);
    }

    #[test]
    fn what_is_no_position_is_refused() {
        for wrong in ["", "12", "1:2@3:4 ", "1:2@3:4 x", " 1:2@3:4"] {
            let error = Stands::read(&Position::from(wrong)).unwrap_err();
            assert_eq!(error.code(), "position.invalid", "{wrong}");
            assert!(error.to_string().contains(&format!("`{wrong}`")), "{error}");
        }
    }
}
