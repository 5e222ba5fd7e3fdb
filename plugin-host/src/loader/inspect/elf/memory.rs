//! The memory that the dynamic loader makes of a file: its loadable segments.

use std::ops::Range;

use object::elf::{PF_R, PF_W, PF_X, PT_LOAD, SHF_ALLOC, SHF_EXECINSTR, SectionFlags};
use object::read::elf::{ProgramHeader, SectionHeader};

use super::{ENDIAN, LoadError, Section, Segment, damaged, wide};

/// The smallest page of any system; the dynamic loader maps whole pages.
const PAGE: u64 = 4096;

/// A part of the file in memory.
#[derive(Debug, Clone)]
pub(super) struct Load<'data> {
    /// The addresses, relative to where the library lies.
    pub(super) addresses: Range<u64>,
    /// What the file has for the first of them; the others are 0.
    pub(super) content: &'data [u8],
    offset: u64,
    align: u64,
    flags: u32,
}

impl Load<'_> {
    pub(super) fn is_writable(&self) -> bool {
        self.flags & PF_W.0 != 0
    }

    pub(super) fn is_executable(&self) -> bool {
        self.flags & PF_X.0 != 0
    }

    /// Whether all of these bytes are in it.
    pub(super) fn holds(&self, address: u64, size: u64) -> bool {
        let end = address.checked_add(size);
        address >= self.addresses.start && end.is_some_and(|end| end <= self.addresses.end)
    }

    /// The end of its last page, up to which it can be protected.
    pub(super) fn end_of_pages(&self) -> u64 {
        self.addresses
            .end
            .checked_next_multiple_of(PAGE)
            .unwrap_or(u64::MAX)
    }

    /// Where in the file an address comes from.
    pub(super) fn offset_of(&self, address: u64) -> Option<u64> {
        let skip = address.checked_sub(self.addresses.start)?;
        (skip <= self.content.len() as u64).then(|| self.offset + skip)
    }
}

/// The loadable segments, in the order of the file.
#[derive(Debug)]
pub(super) struct Memory<'data> {
    loads: Vec<Load<'data>>,
    /// Where code is: an executable segment may hold the tables too. `None` in a file that has no
    /// sections.
    code: Option<Vec<Range<u64>>>,
}

impl<'data> Memory<'data> {
    /// Views the segments, whose content lies in the file.
    pub(super) fn new(
        bytes: &'data [u8],
        segments: &'data [Segment],
        sections: &[Section],
    ) -> Self {
        let loads = segments.iter().filter(|s| s.p_type(ENDIAN) == PT_LOAD);
        let load = |segment: &'data Segment| {
            let start = wide(segment.p_vaddr(ENDIAN));
            Load {
                addresses: start..start.saturating_add(wide(segment.p_memsz(ENDIAN))),
                content: segment.data(ENDIAN, bytes).unwrap_or_default(),
                offset: wide(segment.p_offset(ENDIAN)),
                align: wide(segment.p_align(ENDIAN)),
                flags: segment.p_flags(ENDIAN).0,
            }
        };
        let is_code = |section: &&Section| {
            let has = |flag: SectionFlags| section.sh_flags(ENDIAN).0 & flag.0 != 0;
            has(SHF_ALLOC) && has(SHF_EXECINSTR)
        };
        let code = sections.iter().filter(is_code).map(addresses_of);
        Self {
            loads: loads.map(load).collect(),
            code: (!sections.is_empty()).then(|| code.collect()),
        }
    }

    /// Checks that the segments can be mapped as they say.
    pub(super) fn check(&self, length: u64) -> Result<(), LoadError> {
        let mut end = 0;
        for load in &self.loads {
            let start = load.addresses.start;
            if !load.align.is_power_of_two() || load.align < PAGE {
                let align = load.align;
                return damaged(format!("a segment is aligned to {align}, which is no page"));
            }
            if start % load.align != load.offset % load.align {
                return damaged(format!(
                    "the segment at {start:#x} lies at byte {:#x}, in another place of its page",
                    load.offset
                ));
            }
            // Behind the content the dynamic loader writes zeros to the end of its last page, and
            // a page that isn't in the file can't be written to.
            if load.offset > length {
                return damaged(format!("the segment at {start:#x} begins behind the file"));
            }
            if load.flags & PF_R.0 == 0 {
                return damaged(format!("the segment at {start:#x} can't be read"));
            }
            if start < end || load.addresses.end > i64::MAX as u64 {
                return damaged(format!("the segment at {start:#x} is out of order"));
            }
            end = load.addresses.end;
        }
        Ok(())
    }

    pub(super) fn loads(&self) -> impl Iterator<Item = &Load<'data>> {
        self.loads.iter()
    }

    /// The segment that has all of these bytes.
    #[inline]
    pub(super) fn load(&self, address: u64, size: u64) -> Option<&Load<'data>> {
        self.loads.iter().find(|load| load.holds(address, size))
    }

    /// The file's bytes from an address to the end of their segment.
    pub(super) fn from(&self, address: u64) -> Option<&'data [u8]> {
        self.loads.iter().find_map(|load| {
            let skip = usize::try_from(address.checked_sub(load.addresses.start)?).ok()?;
            load.content.get(skip..).filter(|tail| !tail.is_empty())
        })
    }

    /// The file's bytes at an address.
    pub(super) fn content(&self, address: u64, size: u64) -> Option<&'data [u8]> {
        self.from(address)?.get(..usize::try_from(size).ok()?)
    }

    /// Whether an address can be a pointer into the library; one behind the end of an array can.
    #[inline]
    pub(super) fn is_pointer(&self, address: u64) -> bool {
        self.loads
            .iter()
            .any(|load| load.addresses.start <= address && address <= load.addresses.end)
    }

    /// Whether code of the file lies at an address.
    pub(super) fn is_code(&self, address: u64) -> bool {
        let mut loads = self.loads.iter();
        let is_executable = loads.any(|load| {
            let skip = address.checked_sub(load.addresses.start);
            load.is_executable() && skip.is_some_and(|skip| skip < load.content.len() as u64)
        });
        let code = self.code.as_deref();
        is_executable && code.is_none_or(|code| code.iter().any(|range| range.contains(&address)))
    }
}

/// The addresses that a section says it has.
pub(super) fn addresses_of(section: &Section) -> Range<u64> {
    let start = wide(section.sh_addr(ENDIAN));
    start..start.saturating_add(wide(section.sh_size(ENDIAN)))
}
