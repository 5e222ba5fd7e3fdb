//! Library files for tests, built byte by byte so that each fault can be put where it belongs.
#![expect(clippy::cast_possible_truncation, reason = "files for tests are small")]

use object::elf::{
    DT_FLAGS_1, DT_NEEDED, DT_NULL, DT_RPATH, DT_RUNPATH, DT_STRSZ, DT_STRTAB, DT_SYMENT,
    DT_SYMTAB, DT_VERDEF, DT_VERDEFNUM, DT_VERNEED, DT_VERNEEDNUM, DT_VERSYM, DynamicTag,
};

/// Length of an ELF64 file header, program header and section header.
pub(super) const HEADER: usize = 64;
pub(super) const SEGMENT: usize = 56;
pub(super) const SECTION: usize = 64;

/// A shared library of this machine's processor in 64-bit, little-endian ELF.
#[derive(Clone, Default)]
pub(super) struct SampleElf {
    /// Sections with content, beside those that every library has.
    pub(super) sections: Vec<(&'static str, Vec<u8>)>,
    pub(super) needed: Vec<&'static str>,
    pub(super) rpath: Option<&'static str>,
    pub(super) runpath: Option<&'static str>,
    /// Libraries and the versions needed of them.
    pub(super) versions: Vec<(&'static str, Vec<&'static str>)>,
    /// Versions that the library defines.
    pub(super) defined: Vec<&'static str>,
    pub(super) flags_1: u64,
}

impl SampleElf {
    /// A plugin that this host accepts.
    pub(super) fn plugin() -> Self {
        Self {
            sections: vec![
                (".text", vec![0xc3; 32]),
                (
                    ".forebay",
                    super::super::marker::sample::of_package("conn-a"),
                ),
            ],
            needed: vec!["libgcc_s.so.1", "libc.so.6"],
            versions: vec![
                ("libgcc_s.so.1", vec!["GCC_3.0"]),
                ("libc.so.6", vec!["GLIBC_2.2.5", "GLIBC_2.17"]),
            ],
            ..Self::default()
        }
    }

    pub(super) fn with_marker(marker: Vec<u8>) -> Self {
        Self {
            sections: vec![(".forebay", marker)],
            ..Self::plugin()
        }
    }

    /// The file. Addresses in it are offsets; one segment maps all but the section table.
    pub(super) fn build(&self) -> Vec<u8> {
        let mut strings = Strings(vec![0]);
        let mut dynamic: Vec<(DynamicTag, u64)> = Vec::new();
        for name in &self.needed {
            dynamic.push((DT_NEEDED, strings.add(name)));
        }
        for (tag, list) in [(DT_RPATH, self.rpath), (DT_RUNPATH, self.runpath)] {
            if let Some(list) = list {
                dynamic.push((tag, strings.add(list)));
            }
        }
        let needs = self.needs(&mut strings);
        let definitions = self.definitions(&mut strings);

        let mut file = vec![0; HEADER + 2 * SEGMENT];
        let mut sections: Vec<(&str, u32, usize, usize)> = vec![("", 0, 0, 0)];
        let mut add = |file: &mut Vec<u8>, name, kind, content: &[u8]| {
            file.resize(file.len().next_multiple_of(8), 0);
            sections.push((name, kind, file.len(), content.len()));
            file.extend_from_slice(content);
            (file.len() - content.len()) as u64
        };
        dynamic.push((DT_STRTAB, add(&mut file, ".dynstr", 3, &strings.0)));
        dynamic.push((DT_STRSZ, strings.0.len() as u64));
        if !self.versions.is_empty() {
            dynamic.push((
                DT_VERNEED,
                add(&mut file, ".gnu.version_r", 0x6fff_fffe, &needs),
            ));
            dynamic.push((DT_VERNEEDNUM, self.versions.len() as u64));
        }
        if !self.defined.is_empty() {
            dynamic.push((
                DT_VERDEF,
                add(&mut file, ".gnu.version_d", 0x6fff_fffd, &definitions),
            ));
            dynamic.push((DT_VERDEFNUM, self.defined.len() as u64));
        }
        // One symbol, which is none, and its version.
        dynamic.push((DT_SYMTAB, add(&mut file, ".dynsym", 11, &[0; 24])));
        dynamic.push((DT_SYMENT, 24));
        if !self.versions.is_empty() || !self.defined.is_empty() {
            dynamic.push((
                DT_VERSYM,
                add(&mut file, ".gnu.version", 0x6fff_ffff, &[0; 2]),
            ));
        }
        dynamic.push((DT_FLAGS_1, self.flags_1));
        dynamic.push((DT_NULL, 0));
        let entries: Vec<u8> = dynamic
            .iter()
            .flat_map(|(tag, value)| [tag.0.to_le_bytes(), value.to_le_bytes()].concat())
            .collect();
        let dynamic_at = add(&mut file, ".dynamic", 6, &entries);
        for (name, content) in &self.sections {
            add(&mut file, name, 1, content);
        }
        let mut names = Strings(vec![0]);
        for name in self
            .sections
            .iter()
            .map(|s| s.0)
            .chain([".bss", ".shstrtab"])
        {
            names.add(name);
        }
        for (name, ..) in &sections {
            names.add(name);
        }
        let names_at = file.len();
        sections.push((".shstrtab", 3, names_at, names.0.len()));
        file.extend_from_slice(&names.0);
        let mapped = file.len() as u64;
        // As in a real file: a section without content in it, of any size.
        sections.push((".bss", 8, usize::MAX / 2, usize::MAX / 4));

        file.resize(file.len().next_multiple_of(8), 0);
        let table_at = file.len() as u64;
        for (name, kind, at, size) in &sections {
            file.extend_from_slice(&u32::try_from(names.find(name)).unwrap().to_le_bytes());
            file.extend_from_slice(&kind.to_le_bytes());
            for word in [0, 0, *at as u64, *size as u64, 0, 1, 0] {
                file.extend_from_slice(&u64::to_le_bytes(word));
            }
        }
        file[..HEADER].copy_from_slice(&header(table_at, sections.len()));
        file[HEADER..][..SEGMENT].copy_from_slice(&segment(1, 0, mapped));
        let dynamic = segment(2, dynamic_at, entries.len() as u64);
        file[HEADER + SEGMENT..][..SEGMENT].copy_from_slice(&dynamic);
        file
    }

    fn needs(&self, strings: &mut Strings) -> Vec<u8> {
        let mut table = Vec::new();
        for (i, (library, versions)) in self.versions.iter().enumerate() {
            let last = i + 1 == self.versions.len();
            let next = if last {
                0
            } else {
                16 + 16 * versions.len() as u64
            };
            let library = strings.add(library);
            table.extend(
                [1_u16, versions.len() as u16]
                    .map(u16::to_le_bytes)
                    .concat(),
            );
            table.extend(
                [library, 16, next]
                    .map(|n| (n as u32).to_le_bytes())
                    .concat(),
            );
            for (j, version) in versions.iter().enumerate() {
                let next = if j + 1 == versions.len() { 0 } else { 16 };
                let name = strings.add(version);
                table.extend([0; 8]);
                table.extend([name, next].map(|n| (n as u32).to_le_bytes()).concat());
            }
        }
        table
    }

    fn definitions(&self, strings: &mut Strings) -> Vec<u8> {
        let mut table = Vec::new();
        for (i, version) in self.defined.iter().enumerate() {
            let next = if i + 1 == self.defined.len() { 0 } else { 28 };
            let name = strings.add(version);
            table.extend([1_u16, 0, 2, 1].map(u16::to_le_bytes).concat());
            table.extend([0, 20, next].map(u32::to_le_bytes).concat());
            table.extend([name as u32, 0].map(u32::to_le_bytes).concat());
        }
        table
    }
}

struct Strings(Vec<u8>);

impl Strings {
    fn add(&mut self, text: &str) -> u64 {
        let at = self.0.len() as u64;
        self.0.extend_from_slice(text.as_bytes());
        self.0.push(0);
        at
    }

    fn find(&self, text: &str) -> usize {
        let text = [text.as_bytes(), b"\0"].concat();
        self.0
            .windows(text.len())
            .position(|window| window == text)
            .unwrap()
    }
}

/// The number of this machine's processor in an ELF header.
pub(super) fn machine() -> u16 {
    match std::env::consts::ARCH {
        "x86_64" => 62,
        "aarch64" => 183,
        "riscv64" => 243,
        other => panic!("add the ELF number of {other} here"),
    }
}

fn header(table_at: u64, sections: usize) -> Vec<u8> {
    let mut header = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0".to_vec();
    header.extend([3, machine()].map(u16::to_le_bytes).concat());
    header.extend(1_u32.to_le_bytes());
    header.extend([0, HEADER as u64, table_at].map(u64::to_le_bytes).concat());
    header.extend(0_u32.to_le_bytes());
    let names = sections as u16 - 2;
    let counts = [
        HEADER as u16,
        SEGMENT as u16,
        2,
        SECTION as u16,
        sections as u16,
        names,
    ];
    header.extend(counts.map(u16::to_le_bytes).concat());
    header
}

fn segment(kind: u32, at: u64, size: u64) -> Vec<u8> {
    let mut segment = [kind, 4].map(u32::to_le_bytes).concat();
    segment.extend(
        [at, at, at, size, size, 4096]
            .map(u64::to_le_bytes)
            .concat(),
    );
    segment
}

/// A Mach-O library with one section, for the given processor number.
pub(super) fn mach_o(processor: u32, kind: u32, content: &[u8]) -> Vec<u8> {
    const HEADERS: u32 = 32 + 72 + 80;
    let size = content.len() as u64;
    let name = |text: &str| {
        let mut name = text.as_bytes().to_vec();
        name.resize(16, 0);
        name
    };
    let words = |words: &[u32]| {
        words
            .iter()
            .flat_map(|word| word.to_le_bytes())
            .collect::<Vec<_>>()
    };
    [
        words(&[0xfeed_facf, processor, 0, kind, 1, 72 + 80, 0, 0]),
        words(&[0x19, 72 + 80]),
        name("__DATA"),
        [0, size, u64::from(HEADERS), size]
            .map(u64::to_le_bytes)
            .concat(),
        words(&[3, 3, 1, 0]),
        name("__forebay"),
        name("__DATA"),
        [0, size].map(u64::to_le_bytes).concat(),
        words(&[HEADERS, 0, 0, 0, 0, 0, 0, 0]),
        content.to_vec(),
    ]
    .concat()
}

/// A 64-bit PE library with one section, for the given processor number.
pub(super) fn pe(processor: u16, content: &[u8]) -> Vec<u8> {
    const CONTENT_AT: u32 = 512;
    let size = u32::try_from(content.len()).unwrap();
    let mut file = b"MZ".to_vec();
    file.resize(60, 0);
    file.extend(64_u32.to_le_bytes());
    file.extend(b"PE\0\0");
    file.extend([processor, 1].map(u16::to_le_bytes).concat());
    file.extend([0; 12]);
    // 0x2022: executable image, large addresses, DLL.
    file.extend([240_u16, 0x2022].map(u16::to_le_bytes).concat());
    file.extend(0x20b_u16.to_le_bytes());
    file.resize(64 + 24 + 108, 0);
    file.extend(16_u32.to_le_bytes());
    file.resize(64 + 24 + 240, 0);
    file.extend(b".forebay");
    file.extend(
        [size, 4096, size, CONTENT_AT, 0, 0, 0, 0x4000_0040]
            .map(u32::to_le_bytes)
            .concat(),
    );
    file.resize(CONTENT_AT as usize, 0);
    file.extend(content);
    file
}
