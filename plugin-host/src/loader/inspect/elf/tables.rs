//! The tables that the ELF header leads to: segments and sections, each whole in the file.

use object::elf::{PT_DYNAMIC, PT_LOAD, SHT_NOBITS, SHT_NULL};
use object::read::elf::{FileHeader, ProgramHeader, SectionHeader};

use super::{ENDIAN, Header, LoadError, Section, Segment, malformed, wide};

pub(super) fn segments<'data>(
    bytes: &'data [u8],
    header: &Header,
) -> Result<&'data [Segment], LoadError> {
    let count = u64::from(header.phnum(ENDIAN, bytes).map_err(malformed)?);
    let size = count * size_of::<Segment>() as u64;
    check_inside(
        bytes,
        || "the segment table".into(),
        wide(header.e_phoff(ENDIAN)),
        size,
    )?;
    let segments = header.program_headers(ENDIAN, bytes).map_err(malformed)?;
    for (i, segment) in segments.iter().enumerate() {
        let (offset, size) = segment.file_range(ENDIAN);
        if segment.p_type(ENDIAN) != PT_LOAD && segment.p_type(ENDIAN) != PT_DYNAMIC {
            continue;
        }
        check_inside(bytes, || format!("segment {i}"), offset, size)?;
        let size_in_memory = wide(segment.p_memsz(ENDIAN));
        if size > size_in_memory {
            return Err(LoadError::damaged(format!(
                "segment {i} is larger in the file than in memory"
            )));
        }
    }
    Ok(segments)
}

pub(super) fn sections<'data>(
    bytes: &'data [u8],
    header: &Header,
) -> Result<&'data [Section], LoadError> {
    let table = wide(header.e_shoff(ENDIAN));
    let part = || "the section table".into();
    // The number of sections may itself stand in the first one.
    let first = if table == 0 {
        0
    } else {
        size_of::<Section>() as u64
    };
    check_inside(bytes, part, table, first)?;
    let count = u64::from(header.shnum(ENDIAN, bytes).map_err(malformed)?);
    check_inside(bytes, part, table, count * size_of::<Section>() as u64)?;
    let sections = header.section_headers(ENDIAN, bytes).map_err(malformed)?;
    for (i, section) in sections.iter().enumerate() {
        if matches!(section.sh_type(ENDIAN), SHT_NULL | SHT_NOBITS) {
            continue;
        }
        let (offset, size) = (
            wide(section.sh_offset(ENDIAN)),
            wide(section.sh_size(ENDIAN)),
        );
        check_inside(bytes, || format!("section {i}"), offset, size)?;
    }
    Ok(sections)
}

pub(super) fn section_names<'data>(
    bytes: &'data [u8],
    header: &Header,
    sections: &'data [Section],
) -> Result<&'data [u8], LoadError> {
    if sections.is_empty() {
        return Ok(&[]);
    }
    let index = header.shstrndx(ENDIAN, bytes).map_err(malformed)?;
    let section = sections
        .get(index as usize)
        .ok_or_else(|| LoadError::damaged("its section names are in no section"))?;
    section.data(ENDIAN, bytes).map_err(malformed)
}

/// Checks that a part of the file ends before the file does.
pub(super) fn check_inside(
    bytes: &[u8],
    part: impl FnOnce() -> String,
    offset: u64,
    size: u64,
) -> Result<(), LoadError> {
    let (end, length) = (offset.saturating_add(size), bytes.len() as u64);
    if size == 0 || end <= length {
        return Ok(());
    }
    Err(LoadError::Truncated {
        part: part(),
        end,
        length,
    })
}
