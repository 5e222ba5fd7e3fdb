//! Where the source stands: behind which line and byte, and of which file.

use std::fmt;
use std::fs::Metadata;

use plugin_api::{DecimalCounter, Error, ErrorKind, Field, FieldWriter, Position, Result};

/// Tells a file from the one that had its name before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Identity {
    device: u64,
    inode: u64,
}

impl Identity {
    #[cfg(unix)]
    pub(super) fn of(file: &Metadata) -> Self {
        use std::os::unix::fs::MetadataExt;
        Self {
            device: file.dev(),
            inode: file.ino(),
        }
    }

    /// Other systems have nothing of the kind in the standard library: all files are alike.
    #[cfg(not(unix))]
    pub(super) fn of(_: &Metadata) -> Self {
        Self {
            device: 0,
            inode: 0,
        }
    }
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "device {}, inode {}", self.device, self.inode)
    }
}

/// Behind which line and byte of a file a record ends.
///
/// As a position it is `LINE:OFFSET@DEVICE:INODE`, as in `56:1234@2049:131075`, with `:unfinished`
/// behind it if the line was handed out without its newline. The line is the record's key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    line: DecimalCounter,
    offset: DecimalCounter,
    pub(super) file: Identity,
    /// What all positions in this file end with.
    suffix: Vec<u8>,
    /// Whether it lies inside a line, the last one of its time. Should its newline come, the line is
    /// no longer by it.
    pub(super) unfinished: bool,
}

impl Place {
    /// The beginning of a file.
    pub(super) fn start_of(file: Identity) -> Self {
        Self::new(0, 0, file)
    }

    fn new(line: u64, offset: u64, file: Identity) -> Self {
        Self {
            line: DecimalCounter::new(line),
            offset: DecimalCounter::new(offset),
            file,
            suffix: format!("@{}:{}", file.device, file.inode).into_bytes(),
            unfinished: false,
        }
    }

    pub(super) fn from_position(position: &Position) -> Result<Self> {
        let text = std::str::from_utf8(position.as_bytes()).ok();
        text.and_then(Self::parse).ok_or_else(|| {
            let text = format!(
                "invalid position `{position}`, expected `LINE:OFFSET@DEVICE:INODE`; remove it to \
                 read the file from its beginning"
            );
            Error::new(ErrorKind::Fatal, text).with_code("position.invalid")
        })
    }

    fn parse(text: &str) -> Option<Self> {
        let (text, unfinished) = match text.strip_suffix(":unfinished") {
            Some(text) => (text, true),
            None => (text, false),
        };
        let (place, file) = text.split_once('@')?;
        let (line, offset) = place.split_once(':')?;
        let (device, inode) = file.split_once(':')?;
        let file = Identity {
            device: device.parse().ok()?,
            inode: inode.parse().ok()?,
        };
        Some(Self {
            unfinished,
            ..Self::new(line.parse().ok()?, offset.parse().ok()?, file)
        })
    }

    /// The number of the line.
    pub(super) fn line(&self) -> u64 {
        self.line.get()
    }

    /// Digits of that number, which the position begins with.
    #[inline]
    pub(super) fn key_length(&self) -> usize {
        self.line.digits()
    }

    /// The number of bytes before it.
    pub(super) fn offset(&self) -> u64 {
        self.offset.get()
    }

    /// Goes behind one line more, of this length.
    #[inline]
    pub(super) fn pass(&mut self, length: usize) {
        self.line.add(1);
        self.offset.add(length as u64);
    }

    /// Goes behind the newline of the line that was unfinished.
    pub(super) fn pass_newline(&mut self) {
        self.offset.add(1);
    }
}

impl Field for Place {
    #[inline(always)]
    fn write(&self, out: &mut FieldWriter<'_>) {
        out.append_pair([&self.line, &self.offset], b':', &self.suffix);
        if self.unfinished {
            out.append(b":unfinished");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_are_read_back_and_others_refused() {
        let file = Identity {
            device: 2049,
            inode: 131_075,
        };
        let place = Place::from_position(&Position::from("56:1234@2049:131075")).unwrap();
        assert_eq!(place, Place::new(56, 1234, file));
        let place = Place::from_position(&Position::from("1:2@2049:131075:unfinished")).unwrap();
        assert!(place.unfinished && place.file == file);
        for wrong in [
            "",
            "12",
            "1:2",
            "1:2@",
            "1:2@3",
            "1:2@3:",
            ":2@3:4",
            "1:@3:4",
            "a:1@3:4",
            "1:2@3:-4",
            "1:2:3@4:5",
            "1:2@3:4:5",
            "1:2@3:4:unfinished:",
            "1@2:3",
        ] {
            let error = Place::from_position(&Position::from(wrong)).unwrap_err();
            assert_eq!(error.code(), "position.invalid", "{wrong}");
            assert!(error.to_string().contains(&format!("`{wrong}`")), "{error}");
        }
    }
}
