//! Faults in what the file asks of the dynamic loader.

use std::cmp::Reverse;

use object::elf::{DT_RELACOUNT, DynamicTag, hash};
use object::{Object, ObjectSymbol};

use super::Library;

impl Library {
    /// Adds an entry with a text, such as a library that is needed, to the dynamic section.
    ///
    /// The section has no room for one more, so the entry takes the place of `DT_RELACOUNT`, which
    /// only saves time, and its text that of a weak symbol's name, which need not be found.
    #[must_use]
    pub fn with_dynamic(self, tag: DynamicTag, text: &str) -> Self {
        let (strings, _) = self.section(".dynstr");
        let name = self.weak_symbol(text.len());
        let at = self.string(&name);
        let (dynamic, _) = self.section(".dynamic");
        let entry = dynamic
            .step_by(16)
            .find(|&entry| self.word(entry) == DT_RELACOUNT.0)
            .unwrap_or_else(|| panic!("the linker has left no DT_RELACOUNT"));
        let value = (at - strings.start) as u64;
        self.with_string_at(at, name.len(), text)
            .with_bytes(entry, &tag.0.to_le_bytes())
            .with_bytes(entry + 8, &value.to_le_bytes())
    }

    /// Gives something that the dynamic section names, such as a symbol that another library has to
    /// define, another name that is no longer.
    #[must_use]
    pub fn with_renamed(self, name: &str, other: &str) -> Self {
        assert!(other.len() <= name.len());
        let at = self.string(name);
        self.with_string_at(at, name.len(), other)
    }

    /// Makes it need a version of glibc, instead of one with a name of the same length.
    #[must_use]
    pub fn with_needed_glibc(self, version: &str) -> Self {
        let (needs, _) = self.section(".gnu.version_r");
        let (strings, _) = self.section(".dynstr");
        let (name, entry) = needs
            .step_by(16)
            .filter_map(|entry| {
                // A version's hash, flags and number, its name, the step to the next one.
                let hash_of_name = self.half_word(entry);
                let at = strings.start + self.half_word(entry + 8) as usize;
                let name = self.text(at)?;
                let is_glibc = name.starts_with("GLIBC_2.") && name.len() == version.len();
                (is_glibc && hash(name.as_bytes()) == hash_of_name)
                    .then(|| (name.to_owned(), entry))
            })
            .min_by_key(|(name, _)| Reverse(name.clone()))
            .unwrap_or_else(|| panic!("nothing of glibc is needed"));
        self.with_renamed(&name, version)
            .with_bytes(entry, &hash(version.as_bytes()).to_le_bytes())
    }

    fn weak_symbol(&self, length: usize) -> String {
        let view = self.view();
        view.dynamic_symbols()
            .filter(|symbol| symbol.is_undefined() && symbol.is_weak())
            .filter_map(|symbol| symbol.name().ok())
            .max_by_key(|name| name.len())
            .filter(|name| name.len() >= length)
            .unwrap_or_else(|| panic!("no weak symbol has a name of {length} bytes"))
            .to_owned()
    }

    /// Where in the file a string of the dynamic section is.
    fn string(&self, text: &str) -> usize {
        let (strings, _) = self.section(".dynstr");
        let wanted = [b"\0", text.as_bytes(), b"\0"].concat();
        let mut places = self.bytes[strings.clone()]
            .windows(wanted.len())
            .enumerate()
            .filter(|(_, window)| *window == wanted);
        match (places.next(), places.next()) {
            (Some((place, _)), None) => strings.start + place + 1,
            (None, _) => panic!("`{text}` is no dynamic string"),
            (Some(_), Some(_)) => panic!("`{text}` is there twice"),
        }
    }

    fn with_string_at(self, at: usize, length: usize, text: &str) -> Self {
        let mut padded = text.as_bytes().to_vec();
        padded.resize(length, 0);
        self.with_bytes(at, &padded)
    }

    fn text(&self, at: usize) -> Option<&str> {
        let tail = self.bytes.get(at..)?;
        let end = tail.iter().position(|&byte| byte == 0)?;
        std::str::from_utf8(&tail[..end]).ok()
    }

    pub(super) fn half_word(&self, at: usize) -> u32 {
        u32::from_le_bytes(self.bytes[at..][..4].try_into().unwrap())
    }

    pub(super) fn word(&self, at: usize) -> i64 {
        i64::from_le_bytes(self.bytes[at..][..8].try_into().unwrap())
    }
}
