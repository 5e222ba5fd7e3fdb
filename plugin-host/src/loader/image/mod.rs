//! The image of a file: the very bytes that were looked at, in a form that dlopen takes.
//!
//! What lies at the file's own path may be another file by the time it is opened, and may change
//! under a running plugin. So the dynamic loader gets an image that nobody can change: sealed
//! memory, or a private copy on disk. This module makes images; it opens none and executes nothing.

mod copy;
#[cfg(target_os = "linux")]
mod memory;
#[cfg(test)]
#[cfg(unix)]
mod tests;

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use sha2::{Digest, Sha256};

use super::error::LoadError;

/// Where the dynamic loader takes a plugin's bytes from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum LoadFrom {
    /// Memory, where the system can do that; else a copy in the system's folder for such files.
    #[default]
    Memory,
    /// A copy in this folder, which is made if it isn't there. Debuggers and profilers find the
    /// code by its path; the folder must be on a file system that allows execution.
    Copy(PathBuf),
}

/// Bytes that dlopen can open and nobody can change.
#[derive(Debug)]
pub struct Image {
    path: PathBuf,
    hash: OnceLock<String>,
    #[cfg(target_os = "linux")]
    descriptor: Option<memory::Pinned>,
}

impl Image {
    /// Makes an image of the given bytes. The name is for people: it is what tools show for an
    /// image in memory.
    ///
    /// # Errors
    ///
    /// Returns [`LoadError::Image`] with the step that failed.
    pub fn from_bytes(name: &str, bytes: &[u8], from: &LoadFrom) -> Result<Self, LoadError> {
        match from {
            // Where memory can't be had (an old kernel, a sandbox), a copy serves as well.
            #[cfg(target_os = "linux")]
            LoadFrom::Memory => memory::image(name, bytes)
                .or_else(|error| copy::image(bytes, &copy::default_folder()).map_err(|_| error)),
            #[cfg(not(target_os = "linux"))]
            LoadFrom::Memory => {
                let _ = name;
                copy::image(bytes, &copy::default_folder())
            }
            LoadFrom::Copy(folder) => copy::image(bytes, folder),
        }
    }

    /// The path to give to dlopen.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether it is an image of these bytes; `false` also where it can't be read back.
    #[must_use]
    pub fn is_of(&self, bytes: &[u8]) -> bool {
        let length = std::fs::metadata(&self.path).map(|metadata| metadata.len());
        length.is_ok_and(|length| length == bytes.len() as u64)
            && std::fs::read(&self.path).is_ok_and(|ours| ours == bytes)
    }

    /// SHA-256 of the bytes in hexadecimal; computed when it is first asked for.
    ///
    /// # Errors
    ///
    /// Returns [`LoadError::Image`] if the image can't be read back.
    pub fn hash(&self) -> Result<&str, LoadError> {
        if let Some(hash) = self.hash.get() {
            return Ok(hash);
        }
        let bytes = std::fs::read(&self.path)
            .map_err(|error| LoadError::image("the image can't be read back", error))?;
        Ok(self.hash.get_or_init(|| hash_of(&bytes)))
    }

    /// Gives back what the image holds in memory. Only for an image that was never opened, or whose
    /// opening failed; dropping one that was opened keeps it for ever, and must.
    pub fn discard(self) {
        #[cfg(target_os = "linux")]
        if let Some(descriptor) = self.descriptor {
            descriptor.close();
        }
    }
}

pub(super) fn hash_of(bytes: &[u8]) -> String {
    Sha256::digest(bytes)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}
