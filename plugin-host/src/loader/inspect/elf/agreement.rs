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
};
use object::read::elf::{ProgramHeader, SectionHeader};

use super::{ENDIAN, Elf, LoadError, Section, damaged, vaddr, wide};

pub(super) fn check(elf: &Elf<'_>) -> Result<(), LoadError> {
    let dynamic = elf.segments.iter().find(|s| s.p_type(ENDIAN) == PT_DYNAMIC);
    let dynamic = dynamic.map(vaddr);
    let arrays = |tag, size| range(elf, tag, size);
    let rela = [arrays(DT_RELA, DT_RELASZ), arrays(DT_JMPREL, DT_PLTRELSZ)];
    let relr = [arrays(DT_RELR, DT_RELRSZ)];
    let init = [arrays(DT_INIT_ARRAY, DT_INIT_ARRAYSZ)];
    let fini = [arrays(DT_FINI_ARRAY, DT_FINI_ARRAYSZ)];
    for (index, section) in elf.sections.iter().enumerate() {
        if section.sh_flags(ENDIAN).0 & SHF_ALLOC.0 == 0 || wide(section.sh_size(ENDIAN)) == 0 {
            continue;
        }
        loaded(elf, index, section)?;
        let start = wide(section.sh_addr(ENDIAN));
        let whole = start..start.saturating_add(wide(section.sh_size(ENDIAN)));
        let among = |ranges: &[Range<u64>]| {
            ranges
                .iter()
                .any(|range| range.start <= whole.start && whole.end <= range.end)
        };
        let is_told = match section.sh_type(ENDIAN) {
            SHT_DYNAMIC => dynamic == Some(start),
            SHT_DYNSYM => elf.value(DT_SYMTAB) == Some(start),
            SHT_GNU_HASH => elf.value(DT_GNU_HASH) == Some(start),
            SHT_HASH => elf.value(DT_HASH) == Some(start),
            SHT_GNU_VERSYM => elf.value(DT_VERSYM) == Some(start),
            SHT_GNU_VERNEED => elf.value(DT_VERNEED) == Some(start),
            SHT_GNU_VERDEF => elf.value(DT_VERDEF) == Some(start),
            SHT_RELA => among(&rela),
            SHT_RELR => among(&relr),
            SHT_INIT_ARRAY => among(&init),
            SHT_FINI_ARRAY => among(&fini),
            _ => true,
        };
        if !is_told {
            return damaged(format!(
                "section {index} at {start:#x} is not what its dynamic section leads to"
            ));
        }
    }
    Ok(())
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
