//! Damage: bytes of a good file that something else has overwritten.

use std::ops::Range;

use object::elf::{PT_LOAD, SHF_ALLOC, SHF_EXECINSTR, SHT_NOBITS, SHT_PROGBITS};
use object::read::elf::{FileHeader, ProgramHeader, SectionHeader};

use super::{ENDIAN, Library, narrow};
use crate::Random;

impl Library {
    /// Where in the file everything is that gets into memory.
    #[must_use]
    pub fn loaded_parts(&self) -> Vec<Range<usize>> {
        let view = self.view();
        let loads = view.elf_program_headers().iter();
        loads
            .filter(|segment| segment.p_type(ENDIAN) == PT_LOAD)
            .map(|segment| {
                let (start, size) = segment.file_range(ENDIAN);
                narrow(start)..narrow(start + size)
            })
            .collect()
    }

    /// Where in the file everything is that the dynamic loader follows: the ELF header and the
    /// segments, and every loaded section that is neither code nor a program's data.
    #[must_use]
    pub fn tables(&self) -> Vec<Range<usize>> {
        let view = self.view();
        let header = view.elf_header();
        let end = header.e_phoff(ENDIAN)
            + u64::from(header.e_phnum(ENDIAN)) * u64::from(header.e_phentsize(ENDIAN));
        let sections = view.elf_section_table().iter().filter(|section| {
            let flags = section.sh_flags(ENDIAN).0;
            flags & SHF_ALLOC.0 != 0
                && flags & SHF_EXECINSTR.0 == 0
                && !matches!(section.sh_type(ENDIAN), SHT_PROGBITS | SHT_NOBITS)
        });
        let sections = sections.filter_map(|section| section.file_range(ENDIAN));
        [(0, end)]
            .into_iter()
            .chain(sections)
            .map(|(start, size)| narrow(start)..narrow(start + size))
            .collect()
    }

    /// Overwrites some bytes at random places of these parts. None keeps its value.
    #[must_use]
    pub fn with_damage(
        mut self,
        parts: &[Range<usize>],
        bytes: usize,
        random: &mut Random,
    ) -> Self {
        let total = parts.iter().map(ExactSizeIterator::len).sum();
        for _ in 0..bytes {
            let mut skip = random.below(total);
            for part in parts {
                if skip < part.len() {
                    let change = u8::try_from(1 + random.below(255)).unwrap();
                    self.bytes[part.start + skip] ^= change;
                    break;
                }
                skip -= part.len();
            }
        }
        self
    }
}
