//! What the relocations of this processor do.

use object::elf::RelocationType;

use super::WORD;

/// What the dynamic loader writes where a relocation points to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Effect {
    /// Nothing.
    Nothing,
    /// The address of the library plus the addend.
    Relative,
    /// What a function at the addend returns.
    Resolved,
    /// Something of a symbol, in so many bytes.
    OfSymbol(u64),
    /// The address of a symbol, in a table of the linker's.
    Entry,
    /// The number of the file among those with thread variables, in a table of the linker's.
    ThreadModule,
    /// The place of a thread's variable.
    ThreadPlace,
    /// A function that finds a thread's variable, and what it is called with, in a table of the
    /// linker's.
    ThreadDescriptor,
}

impl Effect {
    /// Bytes that are written.
    pub(super) fn size(self) -> u64 {
        match self {
            Self::Nothing => 0,
            Self::OfSymbol(size) => size,
            Self::ThreadDescriptor => 2 * WORD,
            _ => WORD,
        }
    }

    /// Whether the place is a word of a table that the linker has made. Others can lie in the
    /// program's data, at any address.
    pub(super) fn is_in_table(self) -> bool {
        matches!(
            self,
            Self::Entry | Self::ThreadModule | Self::ThreadDescriptor
        )
    }
}

/// The effect of a relocation; `None` where a library has no such one.
#[cfg(target_arch = "x86_64")]
pub(super) fn effect(kind: RelocationType) -> Option<Effect> {
    use object::elf::{
        R_X86_64_32, R_X86_64_64, R_X86_64_DTPMOD64, R_X86_64_DTPOFF64, R_X86_64_GLOB_DAT,
        R_X86_64_IRELATIVE, R_X86_64_JUMP_SLOT, R_X86_64_NONE, R_X86_64_PC32, R_X86_64_RELATIVE,
        R_X86_64_SIZE32, R_X86_64_SIZE64, R_X86_64_TLSDESC, R_X86_64_TPOFF64,
    };
    Some(match kind {
        R_X86_64_NONE => Effect::Nothing,
        R_X86_64_RELATIVE => Effect::Relative,
        R_X86_64_IRELATIVE => Effect::Resolved,
        R_X86_64_64 | R_X86_64_SIZE64 => Effect::OfSymbol(8),
        R_X86_64_32 | R_X86_64_PC32 | R_X86_64_SIZE32 => Effect::OfSymbol(4),
        R_X86_64_GLOB_DAT | R_X86_64_JUMP_SLOT => Effect::Entry,
        R_X86_64_DTPMOD64 => Effect::ThreadModule,
        R_X86_64_DTPOFF64 | R_X86_64_TPOFF64 => Effect::ThreadPlace,
        R_X86_64_TLSDESC => Effect::ThreadDescriptor,
        // Among them R_X86_64_COPY, which writes as many bytes as somebody else's symbol has.
        _ => return None,
    })
}

/// Of other processors only the place and the symbol are judged.
#[cfg(not(target_arch = "x86_64"))]
pub(super) fn effect(_: RelocationType) -> Option<Effect> {
    Some(Effect::OfSymbol(WORD))
}
