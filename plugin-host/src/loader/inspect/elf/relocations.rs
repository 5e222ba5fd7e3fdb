//! Relocations: where the dynamic loader writes, and what.

use std::ops::Range;

use object::elf::{
    DT_JMPREL, DT_PLTRELSZ, DT_RELA, DT_RELACOUNT, DT_RELASZ, DT_RELR, DT_RELRSZ, DT_STRSZ,
    DT_STRTAB, DT_SYMTAB, DT_VERSYM, PT_DYNAMIC, SHN_UNDEF, STT_TLS,
};
use object::pod;
use object::read::elf::{FileHeader, ProgramHeader, Rela, RelrIterator, Sym};

use super::machine::{Effect, effect};
use super::segments::MAX_THREAD_BLOCK;
use super::symbols::Symbols;
use super::{ENDIAN, Elf, Header, LoadError, Relocation, Symbol, WORD, damaged, vaddr, wide};

type Packed = <Header as FileHeader>::Relr;

/// Every relocation of a file.
#[derive(Debug)]
pub(super) struct Relocations<'data> {
    /// In the order of the dynamic loader: the others, then those of calls.
    tables: [&'data [Relocation]; 2],
    /// Of places that hold an address already, to which that of the library is added.
    packed: &'data [Packed],
}

impl<'data> Relocations<'data> {
    pub(super) fn read(elf: &Elf<'data>) -> Result<Self, LoadError> {
        let bytes = |address, size| {
            let place = elf.value(address).zip(elf.value(size));
            place
                .and_then(|(address, size)| elf.memory.content(address, size))
                .unwrap_or_default()
        };
        let table = |address, size| {
            pod::slice_from_all_bytes(bytes(address, size))
                .map_err(|()| LoadError::damaged("its relocations end within one"))
        };
        let tables = [table(DT_RELA, DT_RELASZ)?, table(DT_JMPREL, DT_PLTRELSZ)?];
        let packed = pod::slice_from_all_bytes(bytes(DT_RELR, DT_RELRSZ))
            .map_err(|()| LoadError::damaged("its packed relocations end within one"))?;
        Ok(Self { tables, packed })
    }

    /// The highest number of a symbol.
    pub(super) fn last_symbol(&self) -> u32 {
        let all = self.tables.iter().copied().flatten();
        all.map(|relocation| relocation.r_sym(ENDIAN, false))
            .max()
            .unwrap_or(0)
    }

    fn packed(&self) -> impl Iterator<Item = u64> {
        RelrIterator::<Header>::new(ENDIAN, self.packed).map(wide)
    }

    /// What the words of an array point to when all is done: `None` where nothing is written,
    /// `Some(None)` where that depends on other libraries.
    pub(super) fn written_to(&self, elf: &Elf<'_>, array: Range<u64>) -> Vec<Option<Option<u64>>> {
        let mut words: Vec<_> = array
            .clone()
            .step_by(size_of::<usize>())
            .map(|_| None)
            .collect();
        let mut write = |at: u64, value| {
            let index = at.checked_sub(array.start).map(|skip| skip / WORD);
            let index = index.and_then(|index| usize::try_from(index).ok());
            if let Some(word) = index.and_then(|index| words.get_mut(index)) {
                *word = Some(value);
            }
        };
        for at in self.packed() {
            write(at, in_place(elf, at));
        }
        for table in self.tables {
            for relocation in table {
                let is_relative =
                    || effect(relocation.r_type(ENDIAN, false)) == Some(Effect::Relative);
                let at = wide(relocation.r_offset(ENDIAN));
                if array.contains(&at) {
                    write(at, is_relative().then(|| addend(relocation)));
                }
            }
        }
        words
    }

    /// Checks the place and the source of every relocation.
    pub(super) fn check(&self, elf: &Elf<'_>, symbols: &Symbols<'_>) -> Result<(), LoadError> {
        let counted = elf.value(DT_RELACOUNT).unwrap_or(0);
        let thread_block = elf.thread_block();
        let places = Places::new(elf, symbols);
        for (table, counted) in self.tables.into_iter().zip([counted, 0]) {
            let mut before = 0..0;
            for (index, relocation) in table.iter().enumerate() {
                let kind = relocation.r_type(ENDIAN, false);
                let at = wide(relocation.r_offset(ENDIAN));
                let symbol = relocation.r_sym(ENDIAN, false);
                let Some(effect) = effect(kind) else {
                    return damaged(format!(
                        "relocation {index} is of the unknown kind {}",
                        kind.0
                    ));
                };
                // It doesn't look at the kind of these, but asserts it.
                let is_counted = (index as u64) < counted && cfg!(target_arch = "x86_64");
                if is_counted && effect != Effect::Relative {
                    return damaged(format!(
                        "relocation {index} is counted as relative and isn't"
                    ));
                }
                let addend = addend(relocation);
                let is_sound = match effect {
                    Effect::Nothing => continue,
                    Effect::Relative => symbol == 0 && elf.memory.is_pointer(addend),
                    Effect::Resolved => symbol == 0 && elf.memory.is_code(addend),
                    Effect::OfSymbol(_) => symbols.get(symbol).is_some(),
                    Effect::Entry => {
                        let found = symbols.get(symbol).filter(|_| symbol != 0);
                        found.is_some_and(|found| found.st_type() != STT_TLS)
                    }
                    Effect::ThreadModule => of_thread(symbols, symbol, thread_block).is_some(),
                    Effect::ThreadPlace | Effect::ThreadDescriptor => {
                        of_thread(symbols, symbol, thread_block)
                            .is_some_and(|(place, block)| place.wrapping_add(addend) <= block)
                    }
                };
                if !is_sound {
                    return damaged(format!("relocation {index} of {at:#x} leads nowhere"));
                }
                if !places.allow(at, effect.size()) {
                    return places.refuse(at);
                }
                if effect.is_in_table() && !at.is_multiple_of(WORD) {
                    return damaged(format!(
                        "the relocation of {at:#x} is of parts of two words"
                    ));
                }
                // Most linkers sort them by place, so that two of one place follow each other.
                let place = at..at + effect.size();
                if overlap(&before, &place) {
                    return damaged(format!("two relocations change what is at {at:#x}"));
                }
                before = place;
            }
        }
        for at in self.packed() {
            if !places.allow(at, WORD) {
                return places.refuse(at);
            }
            if !in_place(elf, at).is_some_and(|value| elf.memory.is_pointer(value)) {
                return damaged(format!("the packed relocation of {at:#x} leads nowhere"));
            }
        }
        Ok(())
    }
}

/// Where in a thread's block the variable of a symbol begins, and how large the block is; `None` if
/// the symbol is no such variable. Symbol 0 stands for the file's own block.
fn of_thread(symbols: &Symbols<'_>, index: u32, block: u64) -> Option<(u64, u64)> {
    let symbol = symbols.get(index)?;
    if index == 0 {
        return (block > 0).then_some((0, block));
    }
    if symbol.st_type() != STT_TLS {
        return None;
    }
    Some(match symbol.st_shndx(ENDIAN) {
        // Another file's block can have any size.
        SHN_UNDEF => (0, MAX_THREAD_BLOCK),
        _ => (wide(symbol.st_value(ENDIAN)), block),
    })
}

fn addend(relocation: &Relocation) -> u64 {
    /// A word of the file, which has 32 or 64 bits by the file's class.
    fn wide(word: impl Into<i64>) -> u64 {
        word.into().cast_unsigned()
    }
    wide(relocation.r_addend(ENDIAN))
}

/// The address that stands at a place of the file.
fn in_place(elf: &Elf<'_>, place: u64) -> Option<u64> {
    let bytes = elf.memory.content(place, WORD)?;
    let bytes = bytes.first_chunk().copied()?;
    Some(usize::from_ne_bytes(bytes) as u64)
}

/// Where relocations may write.
struct Places {
    writable: Vec<Range<u64>>,
    /// What the dynamic loader still reads while it relocates.
    tables: Vec<Range<u64>>,
}

impl Places {
    fn new(elf: &Elf<'_>, symbols: &Symbols<'_>) -> Self {
        let dynamic = elf
            .segments
            .iter()
            .filter(|s| s.p_type(ENDIAN) == PT_DYNAMIC);
        let dynamic = dynamic.map(|s| (vaddr(s), wide(s.p_memsz(ENDIAN))));
        let count = symbols.len() as u64;
        let sized = [
            (DT_SYMTAB, Some(count * size_of::<Symbol>() as u64)),
            (DT_VERSYM, Some(count * 2)),
            (DT_STRTAB, elf.value(DT_STRSZ)),
            (DT_RELA, elf.value(DT_RELASZ)),
            (DT_JMPREL, elf.value(DT_PLTRELSZ)),
            (DT_RELR, elf.value(DT_RELRSZ)),
        ];
        let sized = sized
            .into_iter()
            .filter_map(|(address, size)| elf.value(address).zip(size));
        let writable = elf.memory.loads().filter(|load| load.is_writable());
        let writable: Vec<_> = writable.map(|load| load.addresses.clone()).collect();
        // Most tables can't be written to anyway.
        let is_writable = |table: &Range<u64>| writable.iter().any(|range| overlap(range, table));
        let tables = dynamic.chain(sized);
        let tables = tables.map(|(address, size)| address..address.saturating_add(size));
        Self {
            tables: tables.filter(is_writable).collect(),
            writable,
        }
    }

    /// Whether a relocation may write so many bytes at a place.
    #[inline]
    fn allow(&self, at: u64, size: u64) -> bool {
        let place = at..at.saturating_add(size);
        let mut writable = self.writable.iter();
        writable.any(|range| range.start <= place.start && place.end <= range.end)
            && !self.tables.iter().any(|table| overlap(table, &place))
    }

    fn refuse(&self, at: u64) -> Result<(), LoadError> {
        let is_table = self.tables.iter().any(|table| table.contains(&at));
        damaged(if is_table {
            format!("the relocation of {at:#x} changes what relocations are made by")
        } else {
            format!("the relocation of {at:#x} is outside of what can be written to")
        })
    }
}

fn overlap(left: &Range<u64>, right: &Range<u64>) -> bool {
    left.start < right.end && right.start < left.end
}
