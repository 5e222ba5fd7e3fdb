//! The section table against what the dynamic loader goes by.
//!
//! The linker writes twice where everything is: for the dynamic loader, into segments and dynamic
//! entries, and for all other tools, into sections. The dynamic loader would take any of it; where
//! the two differ, one of them isn't what the linker wrote.

use std::ops::Range;

use object::elf::{
    DT_FINI_ARRAY, DT_FINI_ARRAYSZ, DT_GNU_HASH, DT_HASH, DT_INIT_ARRAY, DT_INIT_ARRAYSZ,
    DT_JMPREL, DT_PLTRELSZ, DT_RELA, DT_RELASZ, DT_RELR, DT_RELRSZ, DT_SYMTAB, DT_VERDEF,
    DT_VERNEED, DT_VERSYM, DynamicTag, PT_DYNAMIC, SHF_ALLOC, SHF_EXECINSTR, SHF_TLS, SHF_WRITE,
    SHT_DYNAMIC, SHT_DYNSYM, SHT_FINI_ARRAY, SHT_GNU_HASH, SHT_GNU_VERDEF, SHT_GNU_VERNEED,
    SHT_GNU_VERSYM, SHT_HASH, SHT_INIT_ARRAY, SHT_NOBITS, SHT_RELA, SHT_RELR, SectionFlags,
    SectionType,
};
use object::read::elf::{ProgramHeader, SectionHeader};

use super::memory::addresses_of;
use super::{ENDIAN, Elf, LoadError, Section, damaged, vaddr, wide};

/// The tables whose size the dynamic section tells, and the kind of the sections that they are of.
const TABLES: [(SectionType, DynamicTag, DynamicTag); 5] = [
    (SHT_RELA, DT_RELA, DT_RELASZ),
    (SHT_RELA, DT_JMPREL, DT_PLTRELSZ),
    (SHT_RELR, DT_RELR, DT_RELRSZ),
    (SHT_INIT_ARRAY, DT_INIT_ARRAY, DT_INIT_ARRAYSZ),
    (SHT_FINI_ARRAY, DT_FINI_ARRAY, DT_FINI_ARRAYSZ),
];

pub(super) fn check(elf: &Elf<'_>) -> Result<(), LoadError> {
    let dynamic = elf.segments.iter().find(|s| s.p_type(ENDIAN) == PT_DYNAMIC);
    let dynamic = dynamic.map(vaddr);
    let tables = TABLES.map(|(kind, address, size)| (kind, range(elf, address, size)));
    for (index, section) in loaded_sections(elf) {
        loaded(elf, index, section)?;
        let kind = section.sh_type(ENDIAN);
        let place = addresses_of(section);
        let start = place.start;
        let is_told = match kind {
            SHT_DYNAMIC => dynamic == Some(start),
            SHT_DYNSYM => elf.value(DT_SYMTAB) == Some(start),
            SHT_GNU_HASH => elf.value(DT_GNU_HASH) == Some(start),
            SHT_HASH => elf.value(DT_HASH) == Some(start),
            SHT_GNU_VERSYM => elf.value(DT_VERSYM) == Some(start),
            SHT_GNU_VERNEED => elf.value(DT_VERNEED) == Some(start),
            SHT_GNU_VERDEF => elf.value(DT_VERDEF) == Some(start),
            SHT_RELA | SHT_RELR | SHT_INIT_ARRAY | SHT_FINI_ARRAY => {
                tables.iter().any(|(of_kind, table)| {
                    *of_kind == kind && table.start <= start && place.end <= table.end
                })
            }
            _ => true,
        };
        if !is_told {
            return damaged(format!(
                "section {index} at {start:#x} is not what its dynamic section leads to"
            ));
        }
    }
    tables
        .iter()
        .try_for_each(|(kind, table)| whole(elf, *kind, table))
}

/// Checks that a table begins and ends where sections of its kind do. It can be of several ones:
/// some linkers count the relocations of calls to the others too.
fn whole(elf: &Elf<'_>, kind: SectionType, table: &Range<u64>) -> Result<(), LoadError> {
    let sections = || {
        let of_kind = loaded_sections(elf).filter(|(_, s)| s.sh_type(ENDIAN) == kind);
        of_kind.map(|(_, section)| addresses_of(section))
    };
    // One that is empty is not looked at. Without a section of its kind there is no second word.
    if table.is_empty()
        || sections().next().is_none()
        || (sections().any(|section| section.start == table.start)
            && sections().any(|section| section.end == table.end))
    {
        return Ok(());
    }
    damaged(format!(
        "the table at {:#x} that its dynamic section leads to is not that of its sections",
        table.start
    ))
}

/// The sections that are in memory, with their numbers.
fn loaded_sections<'elf>(elf: &'elf Elf<'_>) -> impl Iterator<Item = (usize, &'elf Section)> {
    let sections = elf.sections.iter().enumerate();
    sections.filter(|(_, section)| {
        section.sh_flags(ENDIAN).0 & SHF_ALLOC.0 != 0 && wide(section.sh_size(ENDIAN)) != 0
    })
}

/// Checks that a section is loaded from its place in the file to its address, and may there be
/// used as it says.
fn loaded(elf: &Elf<'_>, index: usize, section: &Section) -> Result<(), LoadError> {
    let has = |flag: SectionFlags| section.sh_flags(ENDIAN).0 & flag.0 != 0;
    let (address, size) = (wide(section.sh_addr(ENDIAN)), wide(section.sh_size(ENDIAN)));
    let is_empty = section.sh_type(ENDIAN) == SHT_NOBITS;
    // The variables of a thread that begin as 0 are nowhere.
    if is_empty && has(SHF_TLS) {
        return Ok(());
    }
    let fits = elf.memory.load(address, size).is_some_and(|load| {
        let place = load.offset_of(address);
        (is_empty || place == Some(wide(section.sh_offset(ENDIAN))))
            && (load.is_writable() || !has(SHF_WRITE))
            && (load.is_executable() || !has(SHF_EXECINSTR))
    });
    if fits {
        return Ok(());
    }
    damaged(format!(
        "section {index} at {address:#x} is not loaded as it says"
    ))
}

fn range(elf: &Elf<'_>, address: DynamicTag, size: DynamicTag) -> Range<u64> {
    let start = elf.value(address).unwrap_or(0);
    start..start.saturating_add(elf.value(size).unwrap_or(0))
}
