//! Faults in what the dynamic loader follows: segments, dynamic entries, and the tables behind them.

use object::NativeEndian;
use object::elf::{DynamicTag, ProgramHeader64, ProgramType};
use object::read::elf::{FileHeader, ProgramHeader};

use super::{ENDIAN, Library, narrow};

/// A field of a segment's header, by its place there.
#[derive(Debug, Clone, Copy)]
pub enum SegmentField {
    /// What it is for.
    Kind = 0,
    /// Which access its memory allows.
    Flags = 4,
    /// Where in the file it begins.
    Offset = 8,
    /// Where in memory it begins.
    Address = 16,
    /// Bytes in the file.
    FileSize = 32,
    /// Bytes in memory.
    MemorySize = 40,
    /// The alignment.
    Align = 48,
}

impl Library {
    /// The value of a dynamic entry.
    #[must_use]
    pub fn entry(&self, tag: DynamicTag) -> u64 {
        let at = self.place_of_entry(tag) + 8;
        u64::from_le_bytes(self.bytes[at..][..8].try_into().unwrap())
    }

    /// Gives a dynamic entry another value.
    #[must_use]
    pub fn with_entry(self, tag: DynamicTag, value: u64) -> Self {
        let at = self.place_of_entry(tag) + 8;
        self.with_bytes(at, &value.to_le_bytes())
    }

    /// Makes a dynamic entry one of another kind.
    #[must_use]
    pub fn with_tag(self, tag: DynamicTag, other: DynamicTag) -> Self {
        let at = self.place_of_entry(tag);
        self.with_bytes(at, &other.0.to_le_bytes())
    }

    /// Makes a dynamic entry one that nobody knows.
    #[must_use]
    pub fn without_entry(self, tag: DynamicTag) -> Self {
        self.with_tag(tag, DynamicTag(0x6000_0000))
    }

    /// Changes a field of the segment with this number among those of a kind.
    #[must_use]
    pub fn with_segment(
        self,
        kind: ProgramType,
        nth: usize,
        field: SegmentField,
        value: u64,
    ) -> Self {
        let view = self.view();
        let header = view.elf_header();
        let segments = view.elf_program_headers().iter().enumerate();
        let mut of_kind = segments.filter(|(_, segment)| segment.p_type(ENDIAN) == kind);
        let (index, _) = of_kind.nth(nth).unwrap();
        let entry = header.e_phoff(ENDIAN) + index as u64 * u64::from(header.e_phentsize(ENDIAN));
        let at = narrow(entry) + field as usize;
        match field {
            SegmentField::Kind | SegmentField::Flags => {
                self.with_bytes(at, &value.to_le_bytes()[..4])
            }
            _ => self.with_bytes(at, &value.to_le_bytes()),
        }
    }

    /// Address and size of the segment with this number of a kind.
    #[must_use]
    pub fn segment(&self, kind: ProgramType, nth: usize) -> (u64, u64) {
        let segment = self.header_of(kind, nth);
        (segment.p_vaddr(ENDIAN), segment.p_memsz(ENDIAN))
    }

    /// Offset and size in the file of the segment with this number of a kind.
    #[must_use]
    pub fn segment_in_file(&self, kind: ProgramType, nth: usize) -> (u64, u64) {
        self.header_of(kind, nth).file_range(ENDIAN)
    }

    fn header_of(&self, kind: ProgramType, nth: usize) -> ProgramHeader64<NativeEndian> {
        let view = self.view();
        let segments = view.elf_program_headers().iter();
        let mut of_kind = segments.filter(|segment| segment.p_type(ENDIAN) == kind);
        *of_kind.nth(nth).unwrap()
    }

    /// Writes over what is loaded at an address.
    #[must_use]
    pub fn with_content(self, address: u64, bytes: &[u8]) -> Self {
        let at = self.place_of_address(address);
        self.with_bytes(at, bytes)
    }

    /// The number of four bytes that is loaded at an address.
    #[must_use]
    pub fn number(&self, address: u64) -> u32 {
        self.half_word(self.place_of_address(address))
    }

    fn place_of_entry(&self, tag: DynamicTag) -> usize {
        let (dynamic, _) = self.section(".dynamic");
        dynamic
            .step_by(16)
            .find(|&entry| self.word(entry) == tag.0)
            .unwrap_or_else(|| panic!("the library has no dynamic entry {tag:?}"))
    }
}
