//! Where the source stands: behind which line and byte, and of which file.

use std::fmt;
use std::fs::Metadata;

use plugin_api::{DecimalCounter, Field, FieldWriter};

use super::head::Head;

/// Tells a file from the one that had its name before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(super) struct Identity {
    pub(super) device: u64,
    pub(super) inode: u64,
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

    /// Other systems have nothing of the kind in the standard library: the time of its birth has to do.
    #[cfg(not(unix))]
    pub(super) fn of(file: &Metadata) -> Self {
        let born = file.created().ok();
        let born = born.and_then(|born| born.duration_since(std::time::UNIX_EPOCH).ok());
        Self {
            device: 0,
            inode: born.map_or(0, |born| u64::try_from(born.as_nanos()).unwrap_or(0)),
        }
    }

    pub(super) fn parse(text: &str) -> Option<Self> {
        let (device, inode) = text.split_once(':')?;
        Some(Self {
            device: device.parse().ok()?,
            inode: inode.parse().ok()?,
        })
    }
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "device {}, inode {}", self.device, self.inode)
    }
}

/// Behind which line and byte of a file something ends.
///
/// As text it is `LINE:OFFSET@DEVICE:INODE#HEAD`, as in `56:1234@2049:131075#00ff00ff`,
/// with `:unfinished` behind it if it lies inside a line. The head is missing where nothing is known of
/// it, as in positions of the first version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stand {
    pub(super) line: u64,
    pub(super) offset: u64,
    pub(super) file: Identity,
    pub(super) head: Head,
    /// Whether it lies inside a line, the last one of its time. Should its newline come, the line is
    /// no longer by it.
    pub(super) unfinished: bool,
}

impl Stand {
    /// The beginning of a file.
    pub(super) fn start_of(file: Identity) -> Self {
        Self {
            line: 0,
            offset: 0,
            file,
            head: Head::default(),
            unfinished: false,
        }
    }

    pub(super) fn parse(text: &str) -> Option<Self> {
        let (text, unfinished) = match text.strip_suffix(":unfinished") {
            Some(text) => (text, true),
            None => (text, false),
        };
        let (place, file) = text.split_once('@')?;
        let (line, offset) = place.split_once(':')?;
        let (file, head) = match file.split_once('#') {
            Some((file, head)) => (file, Head::parse(head)?),
            None => (file, Head::default()),
        };
        Some(Self {
            line: line.parse().ok()?,
            offset: offset.parse().ok()?,
            file: Identity::parse(file)?,
            head,
            unfinished,
        })
    }

    /// All of the text that stays the same from line to line.
    fn suffix(&self) -> String {
        let Identity { device, inode } = self.file;
        let mut text = format!("@{device}:{inode}");
        if self.head.length() > 0 {
            text += &format!("#{}", self.head);
        }
        if self.unfinished {
            text += ":unfinished";
        }
        text
    }
}

impl fmt::Display for Stand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}{}", self.line, self.offset, self.suffix())
    }
}

/// A [`Stand`] that moves on line by line, and is the position of each: with the other files' behind it.
/// The line is the record's key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    line: DecimalCounter,
    offset: DecimalCounter,
    /// Its line and offset are those that it began with.
    begun: Stand,
    /// Where the other files stand, as text.
    others: String,
    /// What all positions end with until something but the line changes.
    suffix: Vec<u8>,
}

impl Place {
    pub(super) fn new(stand: Stand, others: String) -> Self {
        let mut place = Self {
            line: DecimalCounter::new(stand.line),
            offset: DecimalCounter::new(stand.offset),
            begun: stand,
            others,
            suffix: Vec::new(),
        };
        place.write_suffix();
        place
    }

    fn write_suffix(&mut self) {
        self.suffix = (self.begun.suffix() + &self.others).into_bytes();
    }

    /// Where it is now.
    pub(super) fn stand(&self) -> Stand {
        Stand {
            line: self.line.get(),
            offset: self.offset.get(),
            ..self.begun
        }
    }

    /// Digits of the line's number, which the position begins with.
    #[inline]
    pub(super) fn key_length(&self) -> usize {
        self.line.digits()
    }

    /// The number of bytes before it.
    pub(super) fn offset(&self) -> u64 {
        self.offset.get()
    }

    /// Length of the position without its numbers.
    pub(super) fn suffix_length(&self) -> usize {
        self.suffix.len()
    }

    pub(super) fn head(&self) -> Head {
        self.begun.head
    }

    pub(super) fn set_head(&mut self, head: Head) {
        self.begun.head = head;
        self.write_suffix();
    }

    pub(super) fn is_unfinished(&self) -> bool {
        self.begun.unfinished
    }

    pub(super) fn set_unfinished(&mut self, unfinished: bool) {
        self.begun.unfinished = unfinished;
        self.write_suffix();
    }

    /// Goes behind one line more, of this length.
    #[inline]
    pub(super) fn pass(&mut self, length: u64) {
        self.line.add(1);
        self.offset.add(length);
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
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stand_is_read_back_and_anything_else_refused() {
        let file = Identity {
            device: 2049,
            inode: 131_075,
        };
        let stand = Stand::parse("56:1234@2049:131075").unwrap();
        assert_eq!((stand.line, stand.offset, stand.file), (56, 1234, file));
        assert_eq!(stand.head, Head::default());
        for text in [
            "56:1234@2049:131075",
            "1:2@2049:131075:unfinished",
            "1:2@2049:131075#8.000000ff",
            "1:2@2049:131075#000000ff:unfinished",
        ] {
            let stand = Stand::parse(text).unwrap();
            assert_eq!(stand.to_string(), text);
            assert_eq!(stand.unfinished, text.ends_with("unfinished"));
        }
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
            "1:2@3:4#",
            "1:2@3:4#9999.0",
        ] {
            assert_eq!(Stand::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_place_moves_on_and_remembers_all_else() {
        let stand = Stand::parse("1:2@3:4").unwrap();
        let mut place = Place::new(stand, " 5:6@7:8".to_owned());
        place.pass(10);
        place.set_unfinished(true);
        assert_eq!(place.stand().to_string(), "2:12@3:4:unfinished");
        assert_eq!(place.suffix, b"@3:4:unfinished 5:6@7:8");
    }
}
