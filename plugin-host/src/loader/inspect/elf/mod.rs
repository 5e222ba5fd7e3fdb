//! An ELF shared library as a view of its bytes.
//!
//! [`Elf::parse`] succeeds only for a library of this machine of which every part that the dynamic
//! loader maps or follows lies inside the file. The dynamic section is found as the dynamic loader
//! finds it, by the program headers: a file whose section headers tell another story is judged by
//! what would be executed.
//!
//! The dynamic loader trusts what it follows: a wrong address in a file that is whole kills the
//! process inside dlopen, by a fault or an assertion. [`Elf::check_for_opening`] follows all of it
//! first, one module for each kind of table. What it can't judge is what the bytes of the code and
//! the data mean.

mod agreement;
mod entries;
mod machine;
mod memory;
mod relocations;
mod segments;
mod starts;
mod symbols;
mod tables;
mod versions;

use object::elf::{
    DF_1_PIE, DT_FLAGS_1, DT_NULL, DT_STRSZ, DT_STRTAB, DynamicTag, PT_DYNAMIC, PT_TLS,
};
use object::read::elf::{Dyn, FileHeader, ProgramHeader, SectionHeader};
use object::{NativeEndian, pod};
use plugin_api::ffi::marker::SECTION;

use self::memory::Memory;
use self::relocations::Relocations;
use self::symbols::Symbols;
use self::tables::{check_inside, section_names, sections, segments};
use super::LoadError;
use super::kind::not_library;

#[cfg(target_pointer_width = "64")]
type Header = object::elf::FileHeader64<NativeEndian>;
#[cfg(not(target_pointer_width = "64"))]
type Header = object::elf::FileHeader32<NativeEndian>;
type Segment = <Header as FileHeader>::ProgramHeader;
type Section = <Header as FileHeader>::SectionHeader;
type Entry = <Header as FileHeader>::Dyn;
type Symbol = <Header as FileHeader>::Sym;
type Relocation = <Header as FileHeader>::Rela;

/// Bytes of an address.
const WORD: u64 = size_of::<usize>() as u64;

const ENDIAN: NativeEndian = NativeEndian;

/// Entries that a dynamic section may have; libraries have about 30.
const MAX_ENTRIES: usize = 4096;
/// Length of a string that is looked up, that of the longest path.
const MAX_STRING: usize = 4096;

/// A shared library for this machine, whole.
#[derive(Debug)]
pub(super) struct Elf<'data> {
    bytes: &'data [u8],
    segments: &'data [Segment],
    memory: Memory<'data>,
    sections: &'data [Section],
    section_names: &'data [u8],
    /// Tag and value of the dynamic section's entries.
    dynamic: Vec<(DynamicTag, u64)>,
    /// What the dynamic section's strings are offsets into.
    strings: &'data [u8],
}

impl<'data> Elf<'data> {
    /// Views a file whose first bytes are those of a library for this machine.
    pub(super) fn parse(bytes: &'data [u8]) -> Result<Self, LoadError> {
        check_inside(
            bytes,
            || "the ELF header".into(),
            0,
            size_of::<Header>() as u64,
        )?;
        let header = Header::parse(bytes).map_err(malformed)?;
        let sections = sections(bytes, header)?;
        let segments = segments(bytes, header)?;
        let mut elf = Self {
            bytes,
            segments,
            memory: Memory::new(bytes, segments, sections),
            sections,
            section_names: section_names(bytes, header, sections)?,
            dynamic: Vec::new(),
            strings: &[],
        };
        elf.read_dynamic()?;
        // glibc refuses these too, after a detour.
        if elf.value(DT_FLAGS_1).unwrap_or(0) & DF_1_PIE.0 != 0 {
            return Err(not_library("a program"));
        }
        Ok(elf)
    }

    /// The content of every marker section. There can be two if their flags differ.
    pub(super) fn marker_sections(&self) -> Result<Vec<&'data [u8]>, LoadError> {
        let is_marker = |section: &&Section| {
            let name = self.section_names.get(section.sh_name(ENDIAN) as usize..);
            name.and_then(|name| name.strip_prefix(SECTION.as_bytes()))
                .is_some_and(|rest| rest.first() == Some(&0))
        };
        let content = |section: &Section| section.data(ENDIAN, self.bytes).map_err(malformed);
        self.sections
            .iter()
            .filter(is_marker)
            .map(content)
            .collect()
    }

    /// The entries of the dynamic section.
    pub(super) fn entries(&self) -> impl Iterator<Item = (DynamicTag, u64)> + '_ {
        self.dynamic.iter().copied()
    }

    /// The value of the last entry with a tag, as the dynamic loader takes it.
    pub(super) fn value(&self, tag: DynamicTag) -> Option<u64> {
        self.dynamic
            .iter()
            .rfind(|entry| entry.0 == tag)
            .map(|entry| entry.1)
    }

    /// The string at an offset of the dynamic section's string table.
    pub(super) fn string(&self, offset: u64) -> Result<&'data str, LoadError> {
        let tail = usize::try_from(offset)
            .ok()
            .and_then(|offset| self.strings.get(offset..));
        let bytes = tail.and_then(|tail| {
            let end = tail.iter().take(MAX_STRING).position(|&byte| byte == 0)?;
            tail.get(..end)
        });
        let text = bytes.and_then(|bytes| std::str::from_utf8(bytes).ok());
        // Names of libraries and folders: shown, so nothing in them may drive a terminal.
        text.filter(|text| !text.contains(char::is_control))
            .ok_or_else(|| {
                LoadError::damaged(format!("no name at offset {offset} of its dynamic strings"))
            })
    }

    /// The bytes that the dynamic loader maps at an address, to the end of their segment.
    pub(super) fn at(&self, address: u64) -> Option<&'data [u8]> {
        self.memory.from(address)
    }

    /// Size of the block that each thread gets for the file's variables.
    fn thread_block(&self) -> u64 {
        let mut segments = self.segments.iter();
        let of_threads = segments.find(|segment| segment.p_type(ENDIAN) == PT_TLS);
        of_threads.map_or(0, |segment| wide(segment.p_memsz(ENDIAN)))
    }

    /// Follows everything that the dynamic loader would follow before any code of the file runs.
    ///
    /// # Errors
    ///
    /// Returns the first thing that would lead it astray.
    pub(super) fn check_for_opening(&self) -> Result<(), LoadError> {
        self.memory.check(self.bytes.len() as u64)?;
        segments::check(self)?;
        entries::check(self)?;
        let relocations = Relocations::read(self)?;
        let symbols = Symbols::read(self, || relocations.last_symbol())?;
        symbols.check(self)?;
        versions::check(self, &symbols)?;
        relocations.check(self, &symbols)?;
        starts::check(self, &relocations)?;
        agreement::check(self)
    }

    fn read_dynamic(&mut self) -> Result<(), LoadError> {
        let mut dynamics = self
            .segments
            .iter()
            .filter(|s| s.p_type(ENDIAN) == PT_DYNAMIC);
        let Some(segment) = dynamics.next() else {
            return Err(not_library("an ELF file that can't be linked dynamically"));
        };
        let mut rest = self.at(vaddr(segment)).ok_or_else(|| {
            LoadError::damaged("its dynamic section lies outside of its segments")
        })?;
        loop {
            let Ok((entry, tail)) = pod::from_bytes::<Entry>(rest) else {
                return Err(LoadError::damaged("its dynamic section has no end"));
            };
            let tag = entry.tag(ENDIAN);
            if tag == DT_NULL {
                break;
            }
            if self.dynamic.len() == MAX_ENTRIES {
                let what = format!("its dynamic section has more than {MAX_ENTRIES} entries");
                return Err(LoadError::damaged(what));
            }
            self.dynamic.push((tag, entry.val(ENDIAN)));
            rest = tail;
        }
        let table = self.value(DT_STRTAB).and_then(|address| self.at(address));
        let size = self
            .value(DT_STRSZ)
            .and_then(|size| usize::try_from(size).ok());
        self.strings = table
            .zip(size)
            .and_then(|(table, size)| table.get(..size))
            .ok_or_else(|| LoadError::damaged("its dynamic strings lie outside of its segments"))?;
        Ok(())
    }
}

fn vaddr(segment: &Segment) -> u64 {
    wide(segment.p_vaddr(ENDIAN))
}

fn damaged<T>(what: impl Into<String>) -> Result<T, LoadError> {
    Err(LoadError::damaged(what))
}

/// A word of the file, which has 32 or 64 bits by the file's class.
fn wide(word: impl Into<u64>) -> u64 {
    word.into()
}

fn malformed(error: object::read::Error) -> LoadError {
    LoadError::damaged(error.to_string())
}
