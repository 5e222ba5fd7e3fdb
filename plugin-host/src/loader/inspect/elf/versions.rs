//! Symbol versions: which version of which library each symbol asks for.

use object::elf::{DT_NEEDED, DT_VERDEF, DT_VERNEED, DT_VERSYM, VERSYM_VERSION};
use object::{U16, pod};

use super::super::dynamic::{defined_versions, needed_versions};
use super::symbols::Symbols;
use super::{ENDIAN, Elf, LoadError, damaged};

pub(super) fn check(elf: &Elf<'_>, symbols: &Symbols<'_>) -> Result<(), LoadError> {
    let has_versions = elf.value(DT_VERNEED).is_some() || elf.value(DT_VERDEF).is_some();
    let Some(address) = elf.value(DT_VERSYM) else {
        return if has_versions {
            damaged("its versions belong to no symbols")
        } else {
            Ok(())
        };
    };
    if !has_versions {
        return damaged("its symbols have versions that it doesn't tell");
    }
    let mut newest = 0;
    for version in needed_versions(elf)? {
        // The dynamic loader asserts that the library is one of those that it has just loaded.
        let is_needed = |&(tag, value)| {
            tag == DT_NEEDED && elf.string(value).is_ok_and(|name| name == version.library)
        };
        if !elf.dynamic.iter().any(is_needed) {
            return damaged(format!(
                "a version of `{}`, which it doesn't need",
                version.library
            ));
        }
        newest = newest.max(version.index);
    }
    for version in defined_versions(elf)? {
        newest = newest.max(version.index);
    }
    let lost = || LoadError::damaged("the versions of its symbols are not loaded");
    let table = elf.at(address).ok_or_else(lost)?;
    let (indexes, _) = pod::slice_from_bytes::<U16<object::NativeEndian>>(table, symbols.len())
        .map_err(|()| lost())?;
    let mut indexes = indexes
        .iter()
        .map(|index| index.get(ENDIAN) & VERSYM_VERSION);
    match indexes.position(|index| index > newest.max(1)) {
        Some(symbol) => damaged(format!(
            "symbol {symbol} has a version that it doesn't tell"
        )),
        None => Ok(()),
    }
}
