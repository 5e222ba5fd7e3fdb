//! What an ELF library asks of the dynamic loader: other libraries, folders to search, versions.

use std::path::{Path, PathBuf};

use object::elf::{
    DT_AUXILIARY, DT_FILTER, DT_NEEDED, DT_RPATH, DT_RUNPATH, DT_VERDEF, DT_VERNEED, DynamicTag,
    VER_FLG_WEAK, VERSYM_VERSION, Verdaux, Verdef, Vernaux, Verneed,
};
use object::{NativeEndian, pod};

use super::LoadError;
use super::elf::Elf;
use super::glibc::GlibcVersion;

const ENDIAN: NativeEndian = NativeEndian;
const LIBC: &str = "libc.so.6";

/// Versions that a library may need or define: their index has 15 bits.
const MAX_VERSIONS: usize = 1 << 15;

/// What a library asks of the dynamic loader.
#[derive(Debug, Default)]
pub(super) struct Facts {
    /// Libraries that it needs.
    pub(super) needed: Vec<String>,
    /// Folders to search for them, each with `RPATH` or `RUNPATH`; an empty one is the current
    /// folder.
    pub(super) run_paths: Vec<(&'static str, String)>,
    /// The newest glibc version that it needs of any library of glibc.
    pub(super) glibc: Option<GlibcVersion>,
    /// The newest glibc version that it needs of libc itself.
    pub(super) libc: Option<GlibcVersion>,
}

/// Reads what a library asks of the dynamic loader.
pub(super) fn facts(elf: &Elf<'_>) -> Result<Facts, LoadError> {
    let mut facts = Facts::default();
    for (tag, value) in elf.entries() {
        match tag {
            DT_NEEDED | DT_AUXILIARY | DT_FILTER => {
                facts.needed.push(elf.string(value)?.to_owned());
            }
            DT_RPATH => facts.add_run_paths("RPATH", elf.string(value)?),
            DT_RUNPATH => facts.add_run_paths("RUNPATH", elf.string(value)?),
            _ => {}
        }
    }
    for needed in needed_versions(elf)? {
        // The dynamic loader goes on without it.
        if needed.is_weak {
            continue;
        }
        let Some(version) = GlibcVersion::parse(needed.name) else {
            continue;
        };
        facts.glibc = facts.glibc.max(Some(version));
        if needed.library == LIBC {
            facts.libc = facts.libc.max(Some(version));
        }
    }
    Ok(facts)
}

impl Facts {
    fn add_run_paths(&mut self, tag: &'static str, list: &str) {
        // An empty list is none; an empty entry among others is the current folder.
        let entries = list.split(':').filter(|_| !list.is_empty());
        self.run_paths
            .extend(entries.map(|entry| (tag, entry.to_owned())));
    }

    /// Judges what would lead the dynamic loader past its own folders. Returns the absolute folders
    /// that it would search.
    pub(super) fn accept(&self) -> Result<Vec<PathBuf>, LoadError> {
        // A path, also one that comes from `$ORIGIN`, is opened without any search.
        if let Some(entry) = self.needed.iter().find(|name| name.contains(['/', '$'])) {
            return Err(LoadError::NeededPath {
                entry: entry.clone(),
            });
        }
        let mut folders: Vec<PathBuf> = Vec::new();
        for (tag, entry) in &self.run_paths {
            // `$LIB` and `$PLATFORM` are refused with `$ORIGIN`: what they lead to can't be checked.
            if !entry.starts_with('/') || entry.contains('$') {
                return Err(LoadError::RunPath {
                    tag,
                    entry: entry.clone(),
                });
            }
            let folder = Path::new(entry);
            if !folders.iter().any(|known| known == folder) {
                folders.push(folder.to_owned());
            }
        }
        Ok(folders)
    }
}

/// A version of a library.
#[derive(Debug)]
pub(super) struct Version<'data> {
    /// The library that must have it; for a version that the file defines itself, empty.
    pub(super) library: &'data str,
    pub(super) name: &'data str,
    /// The number by which symbols name it.
    pub(super) index: u16,
    /// Whether the library need not have it.
    pub(super) is_weak: bool,
}

/// The versions that are needed of other libraries. The tables are chains, and the dynamic loader
/// follows them to their ends, whatever the numbers beside them say.
pub(super) fn needed_versions<'data>(elf: &Elf<'data>) -> Result<Vec<Version<'data>>, LoadError> {
    let mut versions = Vec::new();
    let Some(table) = table(elf, DT_VERNEED)? else {
        return Ok(versions);
    };
    let mut at = 0;
    loop {
        let of_library: &Verneed<NativeEndian> = view(table, at)?;
        check_form(of_library.vn_version.get(ENDIAN))?;
        let library = elf.string(of_library.vn_file.get(ENDIAN).into())?;
        let mut aux_at = after(at, of_library.vn_aux.get(ENDIAN));
        loop {
            let version: &Vernaux<NativeEndian> = view(table, aux_at)?;
            push(
                &mut versions,
                Version {
                    library,
                    name: elf.string(version.vna_name.get(ENDIAN).into())?,
                    index: version.vna_other.get(ENDIAN).0 & VERSYM_VERSION,
                    is_weak: version.vna_flags.get(ENDIAN).0 & VER_FLG_WEAK.0 != 0,
                },
            )?;
            match version.vna_next.get(ENDIAN) {
                0 => break,
                next => aux_at = after(aux_at, next),
            }
        }
        match of_library.vn_next.get(ENDIAN) {
            0 => return Ok(versions),
            next => at = after(at, next),
        }
    }
}

/// The versions that a library defines.
pub(super) fn defined_versions<'data>(elf: &Elf<'data>) -> Result<Vec<Version<'data>>, LoadError> {
    let mut versions = Vec::new();
    let Some(table) = table(elf, DT_VERDEF)? else {
        return Ok(versions);
    };
    let mut at = 0;
    loop {
        let version: &Verdef<NativeEndian> = view(table, at)?;
        check_form(version.vd_version.get(ENDIAN))?;
        // The first name is the version's own, the others those of its predecessors.
        let name: &Verdaux<NativeEndian> = view(table, after(at, version.vd_aux.get(ENDIAN)))?;
        push(
            &mut versions,
            Version {
                library: "",
                name: elf.string(name.vda_name.get(ENDIAN).into())?,
                index: version.vd_ndx.get(ENDIAN).0 & VERSYM_VERSION,
                is_weak: false,
            },
        )?;
        match version.vd_next.get(ENDIAN) {
            0 => return Ok(versions),
            next => at = after(at, next),
        }
    }
}

/// A version table to the end of its segment, if there is one.
fn table<'data>(elf: &Elf<'data>, address: DynamicTag) -> Result<Option<&'data [u8]>, LoadError> {
    let Some(address) = elf.value(address) else {
        return Ok(None);
    };
    let table = elf.at(address);
    table
        .map(Some)
        .ok_or_else(|| LoadError::damaged("a version table lies outside of its segments"))
}

fn check_form(form: u16) -> Result<(), LoadError> {
    if form == 1 {
        return Ok(());
    }
    Err(LoadError::damaged(format!(
        "a version table of form {form}, where only 1 is known"
    )))
}

/// Chains may share their ends, so their number is bounded here, not by the table.
fn push<'data>(
    versions: &mut Vec<Version<'data>>,
    version: Version<'data>,
) -> Result<(), LoadError> {
    if versions.len() == MAX_VERSIONS {
        return Err(LoadError::damaged(format!(
            "more than {MAX_VERSIONS} symbol versions"
        )));
    }
    versions.push(version);
    Ok(())
}

fn view<T: pod::Pod>(table: &[u8], at: usize) -> Result<&T, LoadError> {
    table
        .get(at..)
        .and_then(|tail| pod::from_bytes(tail).ok())
        .map(|(value, _)| value)
        .ok_or_else(|| LoadError::damaged(format!("no entry at byte {at} of a version table")))
}

fn after(at: usize, step: u32) -> usize {
    at.saturating_add(step as usize)
}
