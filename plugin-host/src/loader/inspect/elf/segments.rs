//! The segments that lie within the loaded ones and tell the dynamic loader what to do with them.

use object::elf::{
    PF_W, PT_DYNAMIC, PT_GNU_EH_FRAME, PT_GNU_PROPERTY, PT_GNU_RELRO, PT_NOTE, PT_PHDR, PT_TLS,
    ProgramType,
};
use object::read::elf::ProgramHeader;

use super::{ENDIAN, Elf, LoadError, Segment, damaged, vaddr, wide};

/// Largest block that each thread may need for its variables. Nobody needs a thousandth of it, and
/// the dynamic loader ends the process where the memory can't be had.
pub(super) const MAX_THREAD_BLOCK: u64 = 1 << 30;
/// Largest alignment of a thread's variables: that of a page of any system.
const MAX_THREAD_ALIGN: u64 = 1 << 16;

pub(super) fn check(elf: &Elf<'_>) -> Result<(), LoadError> {
    for segment in elf.segments {
        match segment.p_type(ENDIAN) {
            PT_DYNAMIC => {
                in_file(elf, segment, "the dynamic section")?;
                // The dynamic loader writes to it where the segment says that it can.
                let says_writable = segment.p_flags(ENDIAN).0 & PF_W.0 != 0;
                let load = elf.memory.load(vaddr(segment), 1);
                if says_writable && !load.is_some_and(super::memory::Load::is_writable) {
                    return damaged("its dynamic section can't be written to");
                }
            }
            PT_PHDR => segment_table(elf, segment)?,
            PT_TLS => thread_variables(elf, segment)?,
            PT_GNU_RELRO => protected(elf, segment)?,
            PT_NOTE | PT_GNU_PROPERTY => in_file(elf, segment, "a note")?,
            PT_GNU_EH_FRAME => in_file(elf, segment, "the table for unwinding")?,
            _ => {}
        }
    }
    only_one_of(elf, PT_DYNAMIC, "dynamic sections")?;
    only_one_of(elf, PT_TLS, "segments of thread variables")
}

/// Checks that a segment's bytes are those of the file that are mapped at its address.
fn in_file(elf: &Elf<'_>, segment: &Segment, what: &str) -> Result<(), LoadError> {
    let (address, size) = (vaddr(segment), wide(segment.p_memsz(ENDIAN)));
    let load = elf.memory.load(address, size);
    let place = load.and_then(|load| load.offset_of(address));
    if place != Some(wide(segment.p_offset(ENDIAN)))
        || elf.memory.content(address, size).is_none()
        || wide(segment.p_filesz(ENDIAN)) != size
    {
        return damaged(format!(
            "{what} at {address:#x} is not what is loaded there"
        ));
    }
    Ok(())
}

/// The unwinder walks the table through this address.
fn segment_table(elf: &Elf<'_>, segment: &Segment) -> Result<(), LoadError> {
    in_file(elf, segment, "the segment table")?;
    let table = elf.segments.as_ptr_range();
    let here = elf.at(vaddr(segment)).map(<[u8]>::as_ptr_range);
    if here.map(|bytes| bytes.start) != Some(table.start.cast()) {
        return damaged("its segment table is loaded at another address than it says");
    }
    Ok(())
}

fn thread_variables(elf: &Elf<'_>, segment: &Segment) -> Result<(), LoadError> {
    let (size, align) = (wide(segment.p_memsz(ENDIAN)), wide(segment.p_align(ENDIAN)));
    let initial = wide(segment.p_filesz(ENDIAN));
    if initial > size || size > MAX_THREAD_BLOCK {
        return damaged(format!("its thread variables take {size} bytes"));
    }
    if !align.is_power_of_two() || align > MAX_THREAD_ALIGN {
        return damaged(format!("its thread variables are aligned to {align}"));
    }
    let address = vaddr(segment);
    let load = elf.memory.load(address, initial);
    let place = load.and_then(|load| load.offset_of(address));
    if initial > 0 && place != Some(wide(segment.p_offset(ENDIAN))) {
        return damaged(format!(
            "its thread variables at {address:#x} are not loaded there"
        ));
    }
    Ok(())
}

/// What is made read-only after the relocations: only what could be written to before, and not
/// what belongs to somebody else. The dynamic loader protects whole pages, and there are linkers
/// that count the last one to its end.
fn protected(elf: &Elf<'_>, segment: &Segment) -> Result<(), LoadError> {
    let (address, size) = (vaddr(segment), wide(segment.p_memsz(ENDIAN)));
    let end = address.checked_add(size);
    match elf.memory.load(address, size.min(1)) {
        Some(load) if load.is_writable() && end.is_some_and(|end| end <= load.end_of_pages()) => {
            Ok(())
        }
        _ => damaged(format!(
            "what is to be protected at {address:#x} is no data of the file"
        )),
    }
}

/// The dynamic loader takes the last one; other tools take the first.
fn only_one_of(elf: &Elf<'_>, kind: ProgramType, what: &str) -> Result<(), LoadError> {
    let of_kind = |segment: &&Segment| segment.p_type(ENDIAN) == kind;
    match elf.segments.iter().filter(of_kind).count() {
        0 | 1 => Ok(()),
        count => damaged(format!("it has {count} {what}")),
    }
}
