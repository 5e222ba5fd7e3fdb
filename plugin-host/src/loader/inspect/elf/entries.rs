//! The dynamic section's entries: what belongs together is there together, and every table that
//! one of them leads to lies in the loaded part of the file, whole.

use object::elf::{
    DT_HASH, DT_JMPREL, DT_PLTGOT, DT_PLTREL, DT_PLTRELSZ, DT_REL, DT_RELA, DT_RELAENT, DT_RELASZ,
    DT_RELENT, DT_RELR, DT_RELRENT, DT_RELRSZ, DT_RELSZ, DT_SONAME, DT_STRSZ, DT_STRTAB, DT_SYMENT,
    DT_SYMTAB, DT_TEXTREL, DT_VERDEF, DT_VERNEED, DT_VERSYM, DynamicTag,
};

use super::{Elf, LoadError, Relocation, Symbol, WORD, damaged};

/// Address, size and size of an entry, and what the entry's size must be.
const TABLES: [(DynamicTag, DynamicTag, DynamicTag, u64, &str); 3] = [
    (
        DT_RELA,
        DT_RELASZ,
        DT_RELAENT,
        size_of::<Relocation>() as u64,
        "relocations",
    ),
    (
        DT_REL,
        DT_RELSZ,
        DT_RELENT,
        2 * WORD,
        "relocations without addends",
    ),
    (DT_RELR, DT_RELRSZ, DT_RELRENT, WORD, "relative relocations"),
];

pub(super) fn check(elf: &Elf<'_>) -> Result<(), LoadError> {
    for (address, size, entry, expected, what) in TABLES {
        if together(elf, [address, size, entry], what)? {
            let found = elf.value(entry).unwrap_or(0);
            if found != expected {
                return damaged(format!(
                    "an entry of its {what} has {found} bytes, not {expected}"
                ));
            }
            table(elf, address, size, expected, what)?;
        }
    }
    let what = "relocations of calls";
    if together(elf, [DT_JMPREL, DT_PLTRELSZ, DT_PLTREL], what)? {
        let kind = elf.value(DT_PLTREL);
        if kind != Some(DT_RELA.0.cast_unsigned()) {
            return damaged("its relocations of calls are of an unknown kind");
        }
        table(
            elf,
            DT_JMPREL,
            DT_PLTRELSZ,
            size_of::<Relocation>() as u64,
            what,
        )?;
    }
    if !together(elf, [DT_SYMTAB, DT_SYMENT], "symbols")? {
        return damaged("it has no symbols");
    }
    if elf.value(DT_SYMENT) != Some(size_of::<Symbol>() as u64) {
        return damaged("its symbols have another size");
    }
    if elf.value(DT_TEXTREL).is_some() {
        return damaged("its relocations change its code");
    }
    strings(elf)?;
    if let Some(address) = elf.value(DT_PLTGOT) {
        let load = elf.memory.load(address, 3 * WORD);
        if !load.is_some_and(super::memory::Load::is_writable) {
            return damaged(format!(
                "its table of calls at {address:#x} can't be written to"
            ));
        }
    }
    for tag in [DT_HASH, DT_VERSYM, DT_VERNEED, DT_VERDEF] {
        if let Some(address) = elf.value(tag)
            && elf.at(address).is_none()
        {
            return damaged(format!(
                "the table at {address:#x} (entry {}) is not loaded",
                tag.0
            ));
        }
    }
    Ok(())
}

/// Whether these entries are there; `false` if none is.
fn together<const N: usize>(
    elf: &Elf<'_>,
    tags: [DynamicTag; N],
    what: &str,
) -> Result<bool, LoadError> {
    match tags.iter().filter(|tag| elf.value(**tag).is_some()).count() {
        0 => Ok(false),
        all if all == N => Ok(true),
        _ => damaged(format!(
            "its dynamic section says only a part of where its {what} are"
        )),
    }
}

fn table(
    elf: &Elf<'_>,
    address: DynamicTag,
    size: DynamicTag,
    entry: u64,
    what: &str,
) -> Result<(), LoadError> {
    let (address, size) = (
        elf.value(address).unwrap_or(0),
        elf.value(size).unwrap_or(0),
    );
    if !size.is_multiple_of(entry) {
        return damaged(format!("its {what} end within an entry"));
    }
    // One that is empty is not looked at.
    if size > 0 && elf.memory.content(address, size).is_none() {
        return damaged(format!("its {what} at {address:#x} are not loaded"));
    }
    Ok(())
}

/// The dynamic loader reads every string up to its zero, wherever that is.
fn strings(elf: &Elf<'_>) -> Result<(), LoadError> {
    let (Some(address), Some(size)) = (elf.value(DT_STRTAB), elf.value(DT_STRSZ)) else {
        return damaged("it has no dynamic strings");
    };
    if elf.memory.content(address, size).and_then(<[u8]>::last) != Some(&0) {
        return damaged("its dynamic strings don't end");
    }
    if let Some(name) = elf.value(DT_SONAME) {
        elf.string(name)?;
    }
    Ok(())
}
