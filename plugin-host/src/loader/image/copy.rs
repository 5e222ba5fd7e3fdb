//! An image as a file of its own, named by its content, in a folder that only this user can enter.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use super::{Image, LoadError, hash_of};

/// Makes an image in a folder; the one that is there from an earlier time, if it is still good.
pub(super) fn image(bytes: &[u8], folder: &Path) -> Result<Image, LoadError> {
    access::make_private(folder)?;
    let hash = hash_of(bytes);
    let path = folder.join(format!("{hash}{}", std::env::consts::DLL_SUFFIX));
    match fs::symlink_metadata(&path) {
        Ok(metadata) => verify(&path, &metadata, bytes)?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            write(&path, folder, bytes).map_err(|error| failed("write", &path, &error))?;
        }
        Err(error) => return Err(failed("look at", &path, &error)),
    }
    Ok(Image {
        path,
        hash: OnceLock::from(hash),
        #[cfg(target_os = "linux")]
        descriptor: None,
    })
}

/// Where copies go if no folder was named.
pub(super) fn default_folder() -> PathBuf {
    std::env::temp_dir().join(format!("forebay-images-{}", access::user()))
}

fn verify(path: &Path, metadata: &fs::Metadata, bytes: &[u8]) -> Result<(), LoadError> {
    let is_ours = metadata.is_file() && access::is_read_only(metadata);
    let present = if is_ours {
        fs::read(path)
    } else {
        Ok(Vec::new())
    };
    match present {
        Ok(present) if is_ours && present == bytes => Ok(()),
        Ok(_) => Err(LoadError::image(
            format!("`{}` was changed since it was written", path.display()),
            "remove it",
        )),
        Err(error) => Err(failed("read", path, &error)),
    }
}

/// Writes beside the file and renames, so that a half-written image is never found.
fn write(path: &Path, folder: &Path, bytes: &[u8]) -> io::Result<()> {
    let (temporary, mut file) = create_temporary(folder)?;
    let result = file
        .write_all(bytes)
        // Else a power cut could leave the name with no content.
        .and_then(|()| file.sync_all())
        .and_then(|()| fs::rename(&temporary, path));
    if result.is_err() {
        // The first error is the one to tell.
        drop(fs::remove_file(&temporary));
    }
    result
}

fn create_temporary(folder: &Path) -> io::Result<(PathBuf, File)> {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    loop {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = folder.join(format!(".{}.{number}.part", std::process::id()));
        match access::create_read_only(&path) {
            // Left by a process of the same number that was killed here.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
            Ok(file) => return Ok((path, file)),
        }
    }
}

fn failed(step: &str, path: &Path, error: &io::Error) -> LoadError {
    LoadError::image(
        format!("can't {step} the image `{}`", path.display()),
        error,
    )
}

/// Owners and permissions as Unix has them.
#[cfg(unix)]
mod access {
    use std::fs::{DirBuilder, File, Metadata, OpenOptions, symlink_metadata};
    use std::io;
    use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
    use std::path::Path;

    use super::{LoadError, failed};

    pub(super) fn user() -> u32 {
        rustix::process::geteuid().as_raw()
    }

    /// Makes the folder, or sees that it is one that nobody else can put files into.
    pub(super) fn make_private(folder: &Path) -> Result<(), LoadError> {
        let made = DirBuilder::new().recursive(true).mode(0o700).create(folder);
        made.map_err(|error| failed("make the folder of", folder, &error))?;
        // The folder itself, not what a link leads to.
        let metadata = symlink_metadata(folder)
            .map_err(|error| failed("look at the folder of", folder, &error))?;
        let (owner, mode) = (metadata.uid(), metadata.mode() & 0o7777);
        let refuse = |what: String| {
            let folder = folder.display();
            Err(LoadError::image(
                format!("`{folder}` can't hold images"),
                what,
            ))
        };
        if !metadata.is_dir() {
            return refuse("expected a folder, found a link or file".into());
        }
        if owner != user() {
            return refuse(format!("it belongs to user {owner}, expected {}", user()));
        }
        if mode != 0o700 {
            return refuse(format!("its mode is {mode:04o}, expected 0700 (chmod 700)"));
        }
        Ok(())
    }

    pub(super) fn is_read_only(metadata: &Metadata) -> bool {
        metadata.uid() == user() && metadata.mode() & 0o377 == 0
    }

    pub(super) fn create_read_only(path: &Path) -> io::Result<File> {
        OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o400)
            .open(path)
    }
}

/// Elsewhere a user's folder for temporary files is private by the system's own rules.
#[cfg(not(unix))]
mod access {
    use std::fs::{File, Metadata, OpenOptions, create_dir_all};
    use std::io;
    use std::path::Path;

    use super::{LoadError, failed};

    pub(super) fn user() -> u32 {
        0
    }

    pub(super) fn make_private(folder: &Path) -> Result<(), LoadError> {
        create_dir_all(folder).map_err(|error| failed("make the folder of", folder, &error))
    }

    pub(super) fn is_read_only(_: &Metadata) -> bool {
        true
    }

    pub(super) fn create_read_only(path: &Path) -> io::Result<File> {
        OpenOptions::new().write(true).create_new(true).open(path)
    }
}
