//! The dynamic symbols, and the hash tables by which the dynamic loader finds one.

use object::elf::{DT_GNU_HASH, DT_HASH, DT_SYMTAB, SHN_ABS, SHN_UNDEF, STT_GNU_IFUNC, STT_TLS};
use object::read::elf::Sym;
use object::{U32, pod};

use super::{ENDIAN, Elf, LoadError, Symbol, damaged, wide};

type Number = U32<object::NativeEndian>;

/// The symbol table.
#[derive(Debug)]
pub(super) struct Symbols<'data> {
    all: &'data [Symbol],
}

impl<'data> Symbols<'data> {
    /// Views the table. Its length stands nowhere: it follows from the hash table, as the last
    /// symbol is in the last chain. Where no symbol can be found, those of relocations count.
    pub(super) fn read(
        elf: &Elf<'data>,
        last_used: impl FnOnce() -> u32,
    ) -> Result<Self, LoadError> {
        let address = elf.value(DT_SYMTAB).unwrap_or(0);
        let lost = || LoadError::damaged("its symbols are not loaded");
        let bytes = elf.at(address).ok_or_else(lost)?;
        let by_gnu_hash = gnu_hash(elf)?;
        let by_hash = hash(elf)?;
        let count = by_hash.into_iter().chain(by_gnu_hash).max();
        let count = count.unwrap_or_else(|| last_used() as usize + 1);
        let (all, _) = pod::slice_from_bytes(bytes, count).map_err(|()| lost())?;
        if by_hash.is_some_and(|count| count < all.len()) {
            return damaged("its two hash tables have different symbols");
        }
        Ok(Self { all })
    }

    pub(super) fn len(&self) -> usize {
        self.all.len()
    }

    pub(super) fn get(&self, index: u32) -> Option<&'data Symbol> {
        self.all.get(index as usize)
    }

    /// Checks every symbol's name and place.
    pub(super) fn check(&self, elf: &Elf<'_>) -> Result<(), LoadError> {
        let thread_block = elf.thread_block();
        // Relocations of no symbol name the first one, and count with its value.
        let first = self.all.first().map(pod::bytes_of);
        if first.is_some_and(|bytes| bytes.iter().any(|&byte| byte != 0)) {
            return damaged("symbol 0, which stands for none, is not empty");
        }
        for (index, symbol) in self.all.iter().enumerate() {
            if symbol.st_name(ENDIAN) as usize >= elf.strings.len() {
                return damaged(format!("symbol {index} has its name behind the strings"));
            }
            if matches!(symbol.st_shndx(ENDIAN), SHN_UNDEF | SHN_ABS) {
                continue;
            }
            let (value, size) = (wide(symbol.st_value(ENDIAN)), wide(symbol.st_size(ENDIAN)));
            let is_inside = match symbol.st_type() {
                STT_TLS => value
                    .checked_add(size)
                    .is_some_and(|end| end <= thread_block),
                // The dynamic loader calls it to learn the address.
                STT_GNU_IFUNC => elf.memory.is_code(value),
                _ if size == 0 => elf.memory.is_pointer(value),
                _ => elf.memory.load(value, size).is_some(),
            };
            if !is_inside {
                return damaged(format!(
                    "symbol {index} lies at {value:#x}, outside of the file"
                ));
            }
        }
        Ok(())
    }
}

/// Number of symbols by the GNU hash table: none if it has no symbol.
fn gnu_hash(elf: &Elf<'_>) -> Result<Option<usize>, LoadError> {
    let Some(address) = elf.value(DT_GNU_HASH) else {
        return Ok(None);
    };
    let broken = || LoadError::damaged("its GNU hash table leads nowhere");
    let table = elf.at(address).ok_or_else(broken)?;
    let (header, table) = pod::slice_from_bytes::<Number>(table, 4).map_err(|()| broken())?;
    let [buckets, first, words] = [0, 1, 2].map(|i| header[i].get(ENDIAN) as usize);
    // The dynamic loader takes the number less one as a mask.
    if !words.is_power_of_two() {
        return damaged(format!("its GNU hash table has a filter of {words} words"));
    }
    let filter = words.saturating_mul(size_of::<usize>());
    let table = table.get(filter..).ok_or_else(broken)?;
    let (buckets, chains) =
        pod::slice_from_bytes::<Number>(table, buckets).map_err(|()| broken())?;
    let mut last = None;
    for bucket in buckets.iter().map(|bucket| bucket.get(ENDIAN) as usize) {
        match bucket {
            0 => {}
            bucket if bucket < first => return Err(broken()),
            bucket => last = last.max(Some(bucket)),
        }
    }
    let Some(last) = last else {
        return Ok(None);
    };
    // Every chain ends at the latest where the last one does.
    let all = chains.len() / size_of::<Number>();
    let (chains, _) = pod::slice_from_bytes::<Number>(chains, all).map_err(|()| broken())?;
    let chain = chains.get(last - first..).ok_or_else(broken)?;
    let end = chain.iter().position(|hash| hash.get(ENDIAN) & 1 == 1);
    Ok(Some(last + end.ok_or_else(broken)? + 1))
}

/// Number of symbols by the old hash table.
fn hash(elf: &Elf<'_>) -> Result<Option<usize>, LoadError> {
    let Some(address) = elf.value(DT_HASH) else {
        return Ok(None);
    };
    let broken = || LoadError::damaged("its hash table leads nowhere");
    let table = elf.at(address).ok_or_else(broken)?;
    let (header, table) = pod::slice_from_bytes::<Number>(table, 2).map_err(|()| broken())?;
    let [buckets, symbols] = [0, 1].map(|i| header[i].get(ENDIAN) as usize);
    let (numbers, _) = pod::slice_from_bytes::<Number>(table, buckets.saturating_add(symbols))
        .map_err(|()| broken())?;
    let (buckets, chain) = numbers.split_at(buckets);
    let next = |number: &Number| number.get(ENDIAN) as usize;
    // A symbol is in one chain. A longer walk than that turns in a circle.
    let mut steps = 0;
    for bucket in buckets {
        let mut symbol = next(bucket);
        while symbol != 0 {
            symbol = chain.get(symbol).map(next).ok_or_else(broken)?;
            steps += 1;
            if steps > symbols {
                return Err(broken());
            }
        }
    }
    Ok(Some(symbols))
}
