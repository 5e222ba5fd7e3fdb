//! A plugin file as bytes, and the faults that can be put into it.
//!
//! Each method puts one fault into a good file and leaves everything else as the linker wrote it,
//! so that a test proves the check of that fault and no other one. Only 64-bit ELF files are known.

mod cut;
mod damage;
mod dynamic;
mod header;
mod marker;
mod tables;

pub use tables::SegmentField;

use std::ops::Range;
use std::path::Path;
use std::{fmt, fs};

use object::elf::SectionHeader64;
use object::read::elf::{ElfFile64, SectionHeader};
use object::{Object, ObjectSegment, ObjectSymbol};

/// A view of the file; made anew after each change.
type View<'data> = ElfFile64<'data, object::NativeEndian>;
const ENDIAN: object::NativeEndian = object::NativeEndian;

/// The bytes of a plugin file.
#[derive(Clone)]
pub struct Library {
    bytes: Vec<u8>,
}

impl Library {
    /// Reads a file.
    #[must_use]
    pub fn read(path: &Path) -> Self {
        Self {
            bytes: fs::read(path).unwrap(),
        }
    }

    /// The bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Names of the symbols that it exports.
    #[must_use]
    pub fn exports(&self) -> Vec<String> {
        let view = self.view();
        let exported = view.dynamic_symbols().filter(ObjectSymbol::is_definition);
        exported
            .map(|symbol| symbol.name().unwrap().to_owned())
            .collect()
    }

    /// Writes over what lies behind a symbol, `at` bytes from it.
    #[must_use]
    pub fn with_bytes_at(self, symbol: &str, at: usize, bytes: &[u8]) -> Self {
        let place = self.place_of(symbol) + at;
        self.with_bytes(place, bytes)
    }

    fn with_bytes(mut self, at: usize, bytes: &[u8]) -> Self {
        self.bytes[at..][..bytes.len()].copy_from_slice(bytes);
        self
    }

    fn view(&self) -> View<'_> {
        View::parse(&*self.bytes).unwrap()
    }

    /// Where in the file the section with this name and its entry in the section table are.
    fn section(&self, name: &str) -> (Range<usize>, usize) {
        let view = self.view();
        let (index, section) = view
            .elf_section_table()
            .section_by_name(ENDIAN, name.as_bytes())
            .unwrap_or_else(|| panic!("the library has no section `{name}`"));
        let (start, size) = section.file_range(ENDIAN).unwrap();
        let entry = view.elf_header().e_shoff.get(ENDIAN)
            + (index.0 * size_of::<SectionHeader64<object::NativeEndian>>()) as u64;
        (narrow(start)..narrow(start + size), narrow(entry))
    }

    /// Where in the file the content of a symbol is.
    fn place_of(&self, symbol: &str) -> usize {
        let view = self.view();
        let address = view
            .dynamic_symbols()
            .find(|found| found.name() == Ok(symbol))
            .unwrap_or_else(|| panic!("the library has no symbol `{symbol}`"))
            .address();
        self.place_of_address(address)
    }

    /// Where in the file the content of an address is.
    fn place_of_address(&self, address: u64) -> usize {
        let view = self.view();
        let segment = view
            .segments()
            .find(|segment| {
                (segment.address()..segment.address() + segment.size()).contains(&address)
            })
            .unwrap();
        narrow(segment.file_range().0 + address - segment.address())
    }
}

impl AsRef<[u8]> for Library {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl fmt::Debug for Library {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Library")
            .field("length", &self.bytes.len())
            .finish()
    }
}

fn narrow(offset: u64) -> usize {
    usize::try_from(offset).unwrap()
}
