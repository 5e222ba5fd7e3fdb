//! Stage 1: whether a file may be loaded at all.
//!
//! A plugin's code can do whatever the host can, so whoever can change its file can run code as the
//! host. This module owns the question who that is: it follows a path folder by folder and link by
//! link, and asks each handle that it has opened, never a path a second time. It judges nobody's
//! intentions, and no bytes.
//!
//! Trusted are the user that the host runs as, root, and whoever `trust_owners` names; if the host
//! runs as root, also the owner of a plugin folder that the user has named. On the way from `/` to
//! the file
//!
//! - the file, the folder that holds it and each link belong to somebody who is trusted. Of a folder
//!   further up it is enough that only its owner can write to it: whatever is put in its place, what
//!   is loaded belongs to somebody who is trusted;
//! - nobody else may write to a folder or the file. A folder with the sticky bit, such as `/tmp`,
//!   is passed through, as nobody can replace another's entry there; it holds no plugin itself;
//! - a group may only if it is the owner's own one, and then a warning says so.
//!
//! The folders of a file's run paths are judged so too, and all that lead there must belong to
//! somebody who is trusted, as nobody asks the libraries in them.
//!
//! An access list shows as the rights of the group, and is judged so. Where there is no Unix, owners
//! and modes mean nothing, and only the kind of the file is looked at.

#[cfg(unix)]
mod groups;
#[cfg(unix)]
#[path = "unix.rs"]
mod system;
#[cfg(test)]
#[cfg(unix)]
mod tests;
#[cfg(unix)]
mod way;

#[cfg(not(unix))]
#[path = "elsewhere.rs"]
mod system;

use std::fmt;
use std::path::PathBuf;

pub(crate) use system::Trust;

use super::error::LoadError;

/// Something on the way to a file: the file itself, a folder or a link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waypoint {
    /// `file`, `folder` or `link`.
    pub what: &'static str,
    /// Its path, without links.
    pub path: PathBuf,
    /// The run path of the file that leads there; `None` on the way to the file itself.
    pub run_path: Option<PathBuf>,
}

impl Waypoint {
    /// The path as a shell takes it.
    pub(super) fn quoted(&self) -> String {
        quoted(&self.path.to_string_lossy())
    }
}

impl fmt::Display for Waypoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.path.display().to_string();
        write!(f, "the {} `{}`", self.what, path.escape_debug())?;
        match &self.run_path {
            Some(entry) => write!(f, ", on the way to its run path `{}`", entry.display()),
            None => Ok(()),
        }
    }
}

/// A path as one word of a shell.
fn quoted(path: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "/._-+@%:,".contains(c);
    if path.chars().all(plain) {
        path.to_owned()
    } else {
        format!("'{}'", path.replace('\'', r"'\''"))
    }
}
