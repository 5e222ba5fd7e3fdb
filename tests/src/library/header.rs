//! Faults in the ELF header: a file for another machine.

use object::elf::{ELFCLASS32, ELFOSABI_FREEBSD, EM_386, EM_AARCH64, EM_X86_64};

use super::Library;

// Where in the header the word size, the operating system and the processor stand.
const EI_CLASS: usize = 4;
const EI_OSABI: usize = 7;
const E_MACHINE: usize = 18;

impl Library {
    /// Makes it a library for 32-bit x86.
    #[must_use]
    pub fn for_32_bit(self) -> Self {
        self.with_bytes(EI_CLASS, &[ELFCLASS32.0])
            .with_bytes(E_MACHINE, &EM_386.0.to_le_bytes())
    }

    /// Makes it a library for a 64-bit processor that this machine doesn't have.
    #[must_use]
    pub fn for_foreign_cpu(self) -> Self {
        let machine = if cfg!(target_arch = "aarch64") {
            EM_X86_64
        } else {
            EM_AARCH64
        };
        self.with_bytes(E_MACHINE, &machine.0.to_le_bytes())
    }

    /// Makes it a library for another operating system with this processor.
    #[must_use]
    pub fn for_freebsd(self) -> Self {
        self.with_bytes(EI_OSABI, &[ELFOSABI_FREEBSD.0])
    }

    /// Makes the word size something that doesn't exist.
    #[must_use]
    pub fn with_unknown_class(self) -> Self {
        self.with_bytes(EI_CLASS, &[9])
    }
}
