//! Lengths at which a file can be cut.

use std::collections::BTreeSet;

use object::read::elf::{FileHeader, ProgramHeader, SectionHeader};

use super::{ENDIAN, Library, narrow};

/// What the dynamic loader maps at a time.
const PAGE: usize = 4096;

impl Library {
    /// The first `length` bytes.
    #[must_use]
    pub fn cut(&self, length: usize) -> &[u8] {
        &self.bytes[..length]
    }

    /// Lengths, each shorter than the file, at which a cut falls into something else: around every
    /// page's border, around both ends of every header, segment and section.
    #[must_use]
    pub fn cuts(&self) -> BTreeSet<usize> {
        let whole = self.bytes.len();
        let view = self.view();
        let header = view.elf_header();
        let tables = [
            (0, header.e_ehsize(ENDIAN), 1),
            (
                header.e_phoff(ENDIAN),
                header.e_phentsize(ENDIAN),
                header.e_phnum(ENDIAN),
            ),
            (
                header.e_shoff(ENDIAN),
                header.e_shentsize(ENDIAN),
                header.e_shnum(ENDIAN),
            ),
        ];
        let entries = tables.iter().flat_map(|&(start, size, count)| {
            (0..=u64::from(count)).map(move |entry| start + entry * u64::from(size))
        });
        let segments = view.elf_program_headers().iter().flat_map(|segment| {
            let (start, size) = segment.file_range(ENDIAN);
            [start, start + size]
        });
        let sections = view.elf_section_table().iter().flat_map(|section| {
            let (start, size) = section.file_range(ENDIAN).unwrap_or_default();
            [start, start + size]
        });
        let ends = entries.chain(segments).chain(sections).map(narrow);
        ends.chain((0..whole).step_by(PAGE))
            .chain([whole])
            .flat_map(|at| [at.saturating_sub(1), at, at + 1])
            .filter(|&length| length < whole)
            .collect()
    }
}
