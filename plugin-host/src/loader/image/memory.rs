//! An image in sealed memory, opened by the path of its descriptor.

use std::fs::File;
use std::io::{self, Write};
use std::mem::ManuallyDrop;
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::PathBuf;
use std::sync::OnceLock;

use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, memfd_create};
use rustix::io::Errno;

use super::{Image, LoadError};

/// A descriptor that stays open when it is dropped.
///
/// The dynamic loader knows an open library by its path. Were the descriptor closed, its number
/// would be given to another file, `/proc/self/fd/N` would lead there, and dlopen of that path would
/// return the *old* library without a look at the file.
#[derive(Debug)]
pub(super) struct Pinned(ManuallyDrop<OwnedFd>);

impl Pinned {
    /// Closes it after all; its path must not be known to the dynamic loader.
    pub(super) fn close(self) {
        drop(ManuallyDrop::into_inner(self.0));
    }
}

/// Makes an image in memory.
pub(super) fn image(name: &str, bytes: &[u8]) -> Result<Image, LoadError> {
    let failed = |error: io::Error| LoadError::image("no image could be made in memory", error);
    let descriptor = sealed(name, bytes).map_err(failed)?;
    let path = PathBuf::from(format!("/proc/self/fd/{}", descriptor.as_raw_fd()));
    if !path.exists() {
        return Err(LoadError::image(
            "an image in memory has no path",
            "/proc is not mounted",
        ));
    }
    Ok(Image {
        path,
        hash: OnceLock::new(),
        descriptor: Some(Pinned(ManuallyDrop::new(descriptor))),
    })
}

fn sealed(name: &str, bytes: &[u8]) -> io::Result<OwnedFd> {
    let mut file = File::from(create(name)?);
    file.write_all(bytes)?;
    // Also against this process itself: a plugin can't change another plugin's code this way.
    let seals = SealFlags::WRITE | SealFlags::GROW | SealFlags::SHRINK | SealFlags::SEAL;
    fcntl_add_seals(&file, seals)?;
    Ok(file.into())
}

fn create(name: &str) -> rustix::io::Result<OwnedFd> {
    // The kernel takes 249 bytes.
    let name: String = name.chars().take(60).collect();
    let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
    // Since 6.3 a system can be set to make memory files without the right to execute, unless that
    // is asked for; before, the flag for asking was an error.
    match memfd_create(&*name, flags | MemfdFlags::EXEC) {
        Err(Errno::INVAL) => memfd_create(&*name, flags),
        result => result,
    }
}
