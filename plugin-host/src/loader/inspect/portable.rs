//! Mach-O and PE libraries, through the part of `object` that is the same for both.
//!
//! What these formats say about needed libraries isn't judged: their loaders tell it well.

use object::{Architecture, File, Object, ObjectKind, ObjectSection};
use plugin_api::ffi::marker::{SECTION, SECTION_MACHO};

use super::LoadError;
use super::kind::{accept_cpu, not_library};

/// The content of every marker section of a library for this machine, whole.
pub(super) fn marker_sections(bytes: &[u8]) -> Result<Vec<&[u8]>, LoadError> {
    let file = File::parse(bytes).map_err(malformed)?;
    let bits = if file.is_64() { 64 } else { 32 };
    let cpu = cpu(file.architecture());
    if bits != usize::BITS {
        return Err(LoadError::WrongBitness {
            found: bits,
            cpu,
            expected: usize::BITS,
        });
    }
    accept_cpu(&cpu)?;
    if file.kind() != ObjectKind::Dynamic {
        return Err(not_library("a program or an object file"));
    }
    sections(&file, bytes)
}

/// The same of any library that can be read, also an ELF file, for whatever machine.
pub(super) fn any_marker_sections(bytes: &[u8]) -> Result<Vec<&[u8]>, LoadError> {
    sections(&File::parse(bytes).map_err(malformed)?, bytes)
}

fn sections<'data>(file: &File<'data>, bytes: &[u8]) -> Result<Vec<&'data [u8]>, LoadError> {
    let mut found = Vec::new();
    for section in file.sections() {
        if let Some((offset, size)) = section.file_range() {
            let (end, length) = (offset.saturating_add(size), bytes.len() as u64);
            if end > length {
                let part = format!("section {}", section.index());
                return Err(LoadError::Truncated { part, end, length });
            }
        }
        let segment = section.segment_name().map_err(malformed)?;
        let is_marker = match section.name().map_err(malformed)? {
            name if segment.is_some() => {
                (segment, name) == (Some(SECTION_MACHO.0), SECTION_MACHO.1)
            }
            name => name == SECTION,
        };
        if is_marker {
            found.push(section.data().map_err(malformed)?);
        }
    }
    Ok(found)
}

/// The name of a processor as Rust names it.
fn cpu(architecture: Architecture) -> String {
    let name = match architecture {
        Architecture::Aarch64 => "aarch64",
        Architecture::Arm => "arm",
        Architecture::I386 => "x86",
        Architecture::X86_64 => "x86_64",
        other => return format!("{other:?}"),
    };
    name.to_owned()
}

fn malformed(error: object::read::Error) -> LoadError {
    LoadError::damaged(error.to_string())
}
