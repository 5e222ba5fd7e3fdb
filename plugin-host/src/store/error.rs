//! Why positions couldn't be read or kept.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// Why a position store couldn't do what it was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// Somebody else, usually another process, has the store open.
    #[error("`{}` is in use by {}", path.display(), Holder(*.holder))]
    Locked {
        /// The state folder, or the file in it.
        path: PathBuf,
        /// The process that holds it, where it says so.
        holder: Option<u32>,
    },

    /// What is there isn't what was written.
    #[error("position store `{}` is damaged: {reason}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },

    /// An entry has a form that this host doesn't know.
    #[error(
        "position store `{}` holds an entry in form {found}, this host knows up to form {known}",
        path.display()
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// The form that was found.
        found: u8,
        /// The newest form that this host reads.
        known: u8,
    },

    /// The operating system refused; the source says why.
    #[error("can't {doing} `{}`", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What was tried, such as `commit to`.
        doing: &'static str,
        /// Why it failed.
        source: io::Error,
    },
}

impl StoreError {
    /// Stable identifier for tests and tools.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Locked { .. } => "store.locked",
            Self::Damaged { .. } => "store.damaged",
            Self::Newer { .. } => "store.newer",
            Self::Io { .. } => "store.io",
        }
    }

    /// One line that says how to mend it.
    #[must_use]
    pub fn help(&self) -> String {
        match self {
            Self::Locked { .. } => {
                "stop the process that uses it, or give this one a state folder of its own".into()
            }
            Self::Damaged { path, .. } => format!(
                "restore `{}` from a backup, or move it away: every source then starts from its \
                 beginning, and every connector is taken for a new one",
                path.display()
            ),
            Self::Newer { .. } => "use the newer host that wrote it".into(),
            Self::Io { path, source, .. }
                if matches!(
                    source.kind(),
                    io::ErrorKind::AlreadyExists | io::ErrorKind::NotADirectory
                ) =>
            {
                format!(
                    "a file is in the way of `{}`: name another folder",
                    path.display()
                )
            }
            Self::Io { path, .. } => format!(
                "check that there is space and that this user may write to `{}`, then start again",
                match path.parent() {
                    Some(above) if !above.as_os_str().is_empty() => above.display(),
                    _ => Path::new(".").display(),
                }
            ),
        }
    }

    /// Sorts an error of the database into ours.
    pub(super) fn from_redb(
        path: &Path,
        doing: &'static str,
        error: impl Into<redb::Error>,
    ) -> Self {
        use redb::Error as E;

        let path = path.to_path_buf();
        match error.into() {
            E::DatabaseAlreadyOpen | E::LockProtocolMismatch => Self::Locked { path, holder: None },
            // redb says by these two kinds that a file is too short or not one of its own.
            E::Io(e)
                if matches!(
                    e.kind(),
                    io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof
                ) =>
            {
                let reason = e.to_string();
                Self::Damaged { path, reason }
            }
            E::Io(source) => Self::Io {
                path,
                doing,
                source,
            },
            // Only between the failure of one use and the end of those at the same time.
            E::PreviousIo => Self::Io {
                path,
                doing,
                source: io::Error::other("another use of it has failed just now"),
            },
            E::Corrupted(reason) => Self::Damaged { path, reason },
            e @ (E::TableDoesNotExist(_)
            | E::TableIsMultimap(_)
            | E::TableTypeMismatch { .. }
            | E::TypeDefinitionChanged { .. }
            | E::UpgradeRequired(_)
            | E::RepairAborted) => {
                let reason = e.to_string();
                Self::Damaged { path, reason }
            }
            e => Self::Io {
                path,
                doing,
                source: io::Error::other(e),
            },
        }
    }
}

struct Holder(Option<u32>);

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(process) if process == std::process::id() => f.write_str("this process"),
            Some(process) => write!(f, "process {process}"),
            None => f.write_str("another process"),
        }
    }
}
