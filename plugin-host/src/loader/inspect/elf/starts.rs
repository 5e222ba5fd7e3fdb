//! Where the dynamic loader jumps to: what a library has done when it is opened and when the
//! process ends.

use object::elf::{
    DT_FINI, DT_FINI_ARRAY, DT_FINI_ARRAYSZ, DT_INIT, DT_INIT_ARRAY, DT_INIT_ARRAYSZ,
};

use super::relocations::Relocations;
use super::{Elf, LoadError, WORD, damaged};

pub(super) fn check(elf: &Elf<'_>, relocations: &Relocations<'_>) -> Result<(), LoadError> {
    for tag in [DT_INIT, DT_FINI] {
        if let Some(address) = elf.value(tag)
            && !elf.memory.is_code(address)
        {
            return damaged(format!(
                "it starts or ends at {address:#x}, where no code is"
            ));
        }
    }
    for (address, size) in [
        (DT_INIT_ARRAY, DT_INIT_ARRAYSZ),
        (DT_FINI_ARRAY, DT_FINI_ARRAYSZ),
    ] {
        match (elf.value(address), elf.value(size)) {
            (None, None) => {}
            (Some(address), Some(size)) => functions(elf, relocations, address, size)?,
            _ => return damaged("it says only a part of where its constructors are"),
        }
    }
    Ok(())
}

/// Checks an array of functions. Each entry is called as it is after the relocations, 0 too.
fn functions(
    elf: &Elf<'_>,
    relocations: &Relocations<'_>,
    array: u64,
    size: u64,
) -> Result<(), LoadError> {
    if !size.is_multiple_of(WORD) || (size > 0 && elf.memory.content(array, size).is_none()) {
        return damaged(format!("its constructors at {array:#x} are not loaded"));
    }
    let words = relocations.written_to(elf, array..array + size);
    for (index, word) in words.into_iter().enumerate() {
        let is_code = match word {
            None => false,
            // Another library's function, which the dynamic loader has to find.
            Some(None) => true,
            Some(Some(function)) => elf.memory.is_code(function),
        };
        if !is_code {
            return damaged(format!(
                "constructor {index} of those at {array:#x} leads to no code"
            ));
        }
    }
    Ok(())
}
