//! Faults in the marker: a file that says something else about itself.

use plugin_api::ffi::marker::{FORMAT, HEADER_LEN, MAGIC, SECTION, crc32};
use serde_json::Value;

use super::Library;

impl Library {
    /// The marker's content.
    #[must_use]
    pub fn marker(&self) -> Value {
        let (section, _) = self.section(SECTION);
        serde_json::from_slice(&self.bytes[section][HEADER_LEN..]).unwrap()
    }

    /// Writes another marker, whole and with the right checksum. The code keeps what it says.
    #[must_use]
    pub fn with_marker(self, edit: impl FnOnce(&mut Value)) -> Self {
        let mut content = self.marker();
        edit(&mut content);
        self.with_marker_content(content.to_string().as_bytes())
    }

    /// Sets one field of the marker.
    #[must_use]
    pub fn with_marker_field(self, field: &str, value: impl Into<Value>) -> Self {
        self.with_marker(|marker| marker[field] = value.into())
    }

    /// Names the root module that `abi_stable`'s own macro has exported, instead of the first one.
    #[must_use]
    pub fn with_second_root(self) -> Self {
        self.with_marker_field("symbol", "_1as_0lib_1header_0root_bmodule_bloader")
    }

    /// Writes a marker with any content, under the right checksum.
    #[must_use]
    pub fn with_marker_content(self, content: &[u8]) -> Self {
        self.with_marker_section(&encode(FORMAT, content))
    }

    /// Writes a marker of another format.
    #[must_use]
    pub fn with_marker_format(self, format: u32) -> Self {
        let content = self.marker().to_string();
        self.with_marker_section(&encode(format, content.as_bytes()))
    }

    /// Changes one character of the marker and leaves its checksum.
    #[must_use]
    pub fn with_wrong_checksum(self) -> Self {
        let (section, _) = self.section(SECTION);
        let last = section.end - 1;
        self.with_bytes(last, b" ")
    }

    /// Gives the marker's section another name.
    #[must_use]
    pub fn without_marker(self) -> Self {
        let (names, _) = self.section(".shstrtab");
        let name = [b"\0", SECTION.as_bytes(), b"\0"].concat();
        let at = find(&self.bytes[names.clone()], &name);
        self.with_bytes(names.start + at + 1, b".example")
    }

    /// Puts the section's content behind everything else in the file, and lets the section table
    /// lead there: it may have any length, and nothing moves. It is no longer loaded, which nobody
    /// needs.
    fn with_marker_section(mut self, content: &[u8]) -> Self {
        let (_, entry) = self.section(SECTION);
        let at = self.bytes.len() as u64;
        self.bytes.extend_from_slice(content);
        // `sh_flags`, `sh_addr`, `sh_offset` and `sh_size` follow each other.
        let place = [0, 0, at, content.len() as u64]
            .map(u64::to_ne_bytes)
            .concat();
        self.with_bytes(entry + 8, &place)
    }
}

fn encode(format: u32, content: &[u8]) -> Vec<u8> {
    let length = u32::try_from(content.len()).unwrap();
    [
        &MAGIC[..],
        &format.to_le_bytes(),
        &length.to_le_bytes(),
        &crc32(content).to_le_bytes(),
        content,
    ]
    .concat()
}

fn find(bytes: &[u8], wanted: &[u8]) -> usize {
    bytes
        .windows(wanted.len())
        .position(|window| window == wanted)
        .unwrap()
}
