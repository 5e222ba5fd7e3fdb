//! What a file is, judged by its first bytes.

use std::env::consts::{ARCH, OS};

use super::LoadError;

/// Formats of shared libraries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Linux and most of Unix.
    Elf,
    /// macOS.
    MachO,
    /// Windows.
    Pe,
}

impl Kind {
    /// The kind of a file; an error that says what it looks like if it is no library.
    pub(super) fn of(bytes: &[u8]) -> Result<Self, LoadError> {
        let kind = match bytes {
            [] => return Err(LoadError::Empty),
            [0x7f, b'E', b'L', b'F', ..] => Self::Elf,
            [0xcf | 0xce, 0xfa, 0xed, 0xfe, ..]
            | [0xfe, 0xed, 0xfa, 0xcf | 0xce, ..]
            | [0xca, 0xfe, 0xba, 0xbe | 0xbf, ..] => Self::MachO,
            [b'M', b'Z', ..] => Self::Pe,
            // Cut within the four bytes that would tell.
            [0x7f] | [0x7f, b'E'] | [0x7f, b'E', b'L'] => {
                return Err(truncated("the ELF magic number", 4, bytes));
            }
            _ => {
                return Err(not_library(looks_like(bytes)));
            }
        };
        Ok(kind)
    }

    /// The kind that this host can load.
    pub(super) fn of_host() -> Self {
        match OS {
            "macos" | "ios" => Self::MachO,
            "windows" => Self::Pe,
            _ => Self::Elf,
        }
    }

    /// Where libraries of this kind come from.
    pub(super) fn platform(self) -> &'static str {
        match self {
            Self::Elf => "linux or another Unix (ELF)",
            Self::MachO => "macos (Mach-O)",
            Self::Pe => "windows (PE)",
        }
    }
}

/// Names what was put among the plugins by mistake.
fn looks_like(bytes: &[u8]) -> &'static str {
    const SIGNATURES: [(&[u8], &str); 12] = [
        (b"#!", "a script"),
        (b"!<arch>\n", "a static library (ar archive)"),
        (b"!<thin>\n", "a static library (thin ar archive)"),
        (
            b"version https://git-lfs",
            "a Git LFS pointer, not the file that it stands for",
        ),
        (b"\0asm", "a WebAssembly file"),
        (b"PK\x03\x04", "a zip archive"),
        (b"\x1f\x8b", "a gzip file"),
        (b"\xfd7zXZ\0", "an xz file"),
        (b"\x28\xb5\x2f\xfd", "a zstd file"),
        (b"BZh", "a bzip2 file"),
        (b"<!DOCTYPE", "a web page"),
        (b"<html", "a web page"),
    ];
    if let Some((_, name)) = SIGNATURES
        .iter()
        .find(|(start, _)| bytes.starts_with(start))
    {
        return name;
    }
    let head = &bytes[..bytes.len().min(512)];
    // A text may be cut in the middle of a character.
    let text = match std::str::from_utf8(head) {
        Ok(text) => Some(text),
        Err(error) if error.error_len().is_none() => {
            std::str::from_utf8(&head[..error.valid_up_to()]).ok()
        }
        Err(_) => None,
    };
    let printable = |c: char| !c.is_control() || c.is_whitespace();
    match text {
        Some(text) if !text.is_empty() && text.chars().all(printable) => "a text file",
        _ if head.iter().all(|&byte| byte == 0) => "a file of zeros",
        _ => "data of an unknown kind",
    }
}

/// Checks what can be told from the first 20 bytes: for which machine the file is, and what for.
pub(super) fn check_elf_identity(bytes: &[u8]) -> Result<(), LoadError> {
    let Some(head) = bytes.first_chunk::<20>() else {
        return Err(truncated("the start of the ELF header", 20, bytes));
    };
    let (bits, big_endian) = match (head[4], head[5]) {
        (1, order @ (1 | 2)) => (32, order == 2),
        (2, order @ (1 | 2)) => (64, order == 2),
        (class, order) => {
            return Err(LoadError::damaged(format!(
                "unknown ELF class {class} or byte order {order}"
            )));
        }
    };
    let number = |at: usize| {
        let pair = [head[at], head[at + 1]];
        if big_endian {
            u16::from_be_bytes(pair)
        } else {
            u16::from_le_bytes(pair)
        }
    };
    let mut cpu = elf_cpu(number(18), bits == 64);
    if bits != usize::BITS {
        return Err(LoadError::WrongBitness {
            found: bits,
            cpu,
            expected: usize::BITS,
        });
    }
    if big_endian != cfg!(target_endian = "big") {
        cpu.push_str(if big_endian {
            " (big endian)"
        } else {
            " (little endian)"
        });
    }
    accept_cpu(&cpu)?;
    // Byte 7 tells the system only where a file uses extensions of it; 0 and 3 stand for Linux.
    let system = match head[7] {
        2 => "netbsd",
        6 => "solaris",
        9 => "freebsd",
        12 => "openbsd",
        _ => OS,
    };
    if system != OS {
        return Err(LoadError::ForeignPlatform {
            found: format!("{system} (ELF)"),
            expected: OS.to_owned(),
        });
    }
    match number(16) {
        1 => Err(not_library("an object file that isn't linked (.o)")),
        2 => Err(not_library("a program")),
        3 => Ok(()),
        4 => Err(not_library("a core dump")),
        other => Err(LoadError::damaged(format!("unknown ELF type {other}"))),
    }
}

/// The name of a processor by its number in an ELF header, as Rust names it.
pub(super) fn elf_cpu(machine: u16, is_64: bool) -> String {
    let name = match (machine, is_64) {
        (3, _) => "x86",
        (62, true) => "x86_64",
        (62, false) => "x86_64 (x32)",
        (40, _) => "arm",
        (183, _) => "aarch64",
        (243, true) => "riscv64",
        (243, false) => "riscv32",
        (20, _) => "powerpc",
        (21, _) => "powerpc64",
        (22, _) => "s390x",
        (8, true) => "mips64",
        (8, false) => "mips",
        (258, true) => "loongarch64",
        (258, false) => "loongarch32",
        (2 | 18, _) => "sparc",
        (43, _) => "sparc64",
        (4, _) => "m68k",
        _ => return format!("processor number {machine}"),
    };
    name.to_owned()
}

/// Refuses a file for another processor than this one.
pub(super) fn accept_cpu(found: &str) -> Result<(), LoadError> {
    if found == ARCH {
        return Ok(());
    }
    Err(LoadError::ForeignCpu {
        found: found.to_owned(),
        expected: ARCH.to_owned(),
    })
}

fn truncated(part: &str, end: u64, bytes: &[u8]) -> LoadError {
    LoadError::Truncated {
        part: part.to_owned(),
        end,
        length: bytes.len() as u64,
    }
}

/// Makes the error for a file of a library's format that is none.
pub(super) fn not_library(looks_like: &str) -> LoadError {
    LoadError::NotLibrary {
        looks_like: looks_like.to_owned(),
    }
}
