//! The marker of a plugin file: what it is, how it was built, and its specification.
//!
//! Reads the content of the marker section and picks the marker that counts. It doesn't judge what
//! the marker says: whether this host can load such a plugin is the inspection's question.

#[cfg(test)]
pub(super) mod sample;
#[cfg(test)]
mod tests;

use plugin_api::Specification;
use plugin_api::ffi::marker::{FORMAT, HEADER_LEN, MAGIC, crc32};
use semver::Version;
use serde_json::{Map, Value};

use super::error::LoadError;
use crate::specification;

/// What a plugin file says about itself before any of its code runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Marker {
    /// Version of the ABI that the plugin speaks.
    pub abi: Version,
    /// Version of the author layer that it was built with.
    pub api: String,
    /// Version of `abi_stable` that lays its types out.
    pub abi_stable: Version,
    /// Compiler that built it.
    pub rustc: String,
    /// Target triple that it was built for.
    pub target: String,
    /// Panic strategy: `unwind` or `abort`.
    pub panic: String,
    /// Name of the symbol that leads to the root module.
    pub symbol: String,
    /// Name of the plugin's package.
    pub package: String,
    /// Version of the plugin's package.
    pub version: String,
    /// What the plugin says about itself.
    pub specification: Specification,
}

impl Marker {
    /// Reads the marker that counts from the marker sections of a file.
    ///
    /// A plugin that links another one carries the markers of both; then the package counts that
    /// cargo named the file after.
    pub(super) fn read(sections: &[&[u8]], file_stem: &str) -> Result<Self, LoadError> {
        let mut markers = Vec::new();
        for section in sections {
            read_section(section, &mut markers)?;
        }
        match markers.len() {
            0 => Err(LoadError::NoMarker),
            1 => Ok(markers.swap_remove(0)),
            _ => choose(markers, file_stem),
        }
    }

    fn from_json(json: &[u8]) -> Result<Self, LoadError> {
        let value: Value = serde_json::from_slice(json)
            .map_err(|error| damaged(format!("its content is no JSON ({error})")))?;
        let Value::Object(fields) = value else {
            return Err(damaged("its content is no JSON object"));
        };
        Ok(Self {
            abi: version(&fields, "abi")?,
            api: text(&fields, "api")?,
            abi_stable: version(&fields, "abi_stable")?,
            rustc: text(&fields, "rustc")?,
            target: text(&fields, "target")?,
            panic: text(&fields, "panic")?,
            symbol: text(&fields, "symbol")?,
            package: text(&fields, "package")?,
            version: text(&fields, "version")?,
            specification: read_specification(&fields)?,
        })
    }
}

/// Reads every marker of one section. The linker puts them in a row and may pad them with zeros.
fn read_section(section: &[u8], markers: &mut Vec<Marker>) -> Result<(), LoadError> {
    let mut rest = section;
    loop {
        let padding = rest.iter().take_while(|&&byte| byte == 0).count();
        rest = &rest[padding..];
        if rest.is_empty() {
            return Ok(());
        }
        let at = section.len() - rest.len();
        let Some(numbers) = rest.strip_prefix(&MAGIC[..]) else {
            return Err(damaged(format!(
                "no marker starts at byte {at} of its section"
            )));
        };
        // The format comes first: what follows it may have another shape in another format.
        match number(numbers, 0) {
            Some(FORMAT) => {}
            Some(found) if found < FORMAT => {
                return Err(LoadError::PrereleaseAbi {
                    found,
                    expected: FORMAT,
                });
            }
            Some(found) => {
                return Err(LoadError::NewerFormat {
                    found,
                    expected: FORMAT,
                });
            }
            None => return Err(damaged("its header is cut off")),
        }
        let (Some(length), Some(crc)) = (number(numbers, 4), number(numbers, 8)) else {
            return Err(damaged("its header is cut off"));
        };
        let content = &rest[HEADER_LEN..];
        let Some((json, tail)) = content.split_at_checked(length as usize) else {
            let present = content.len();
            return Err(damaged(format!(
                "{length} bytes announced, {present} present"
            )));
        };
        let computed = crc32(json);
        if computed != crc {
            return Err(damaged(format!(
                "checksum {crc:08x} announced, {computed:08x} computed"
            )));
        }
        markers.push(Marker::from_json(json)?);
        rest = tail;
    }
}

fn number(bytes: &[u8], at: usize) -> Option<u32> {
    bytes
        .get(at..)?
        .first_chunk()
        .copied()
        .map(u32::from_le_bytes)
}

fn choose(markers: Vec<Marker>, file_stem: &str) -> Result<Marker, LoadError> {
    let packages = markers
        .iter()
        .map(|marker| marker.package.clone())
        .collect();
    let names_file = |marker: &Marker| {
        let name = marker.package.replace('-', "_");
        name == file_stem || Some(&*name) == file_stem.strip_prefix("lib")
    };
    let mut named: Vec<_> = markers.into_iter().filter(names_file).collect();
    match (named.pop(), named.pop()) {
        (Some(marker), None) => Ok(marker),
        _ => Err(LoadError::TwoPlugins {
            packages,
            file_stem: file_stem.to_owned(),
        }),
    }
}

fn text(fields: &Map<String, Value>, key: &str) -> Result<String, LoadError> {
    match fields.get(key) {
        // These are shown and compared; nothing in them may start a new line or drive a terminal.
        Some(Value::String(text)) if text.contains(char::is_control) => {
            Err(field(key, "holds control characters"))
        }
        Some(Value::String(text)) if text.is_empty() => Err(field(key, "empty")),
        Some(Value::String(text)) => Ok(text.clone()),
        Some(_) => Err(field(key, "expected a text")),
        None => Err(field(key, "missing")),
    }
}

fn version(fields: &Map<String, Value>, key: &str) -> Result<Version, LoadError> {
    let text = text(fields, key)?;
    Version::parse(&text).map_err(|error| field(key, format!("{text:?} is no version ({error})")))
}

fn read_specification(fields: &Map<String, Value>) -> Result<Specification, LoadError> {
    let value = fields.get("specification").unwrap_or(&Value::Null);
    specification::from_json(value).map_err(|error| {
        let dot = if error.field.is_empty() { "" } else { "." };
        field(&format!("specification{dot}{}", error.field), error.why)
    })
}

fn damaged(why: impl Into<String>) -> LoadError {
    LoadError::MarkerDamaged { why: why.into() }
}

fn field(path: &str, why: impl Into<String>) -> LoadError {
    LoadError::MarkerField {
        // A parameter's name is part of the path and may be anything.
        field: path.escape_debug().to_string(),
        why: why.into(),
    }
}
