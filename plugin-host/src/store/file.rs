//! Positions in one file of this machine: `positions.redb` in the state folder.
//!
//! redb writes a new tree beside the old one and flips between them with one `fdatasync`, so a
//! commit that was cut off leaves the one before it. Two of its habits are not ours, and are dealt
//! with here:
//!
//! - it takes an empty file for a new database, which would make a truncated one a silent restart
//!   from zero. So a new file is made whole under another name and renamed: a file of the right
//!   name that isn't whole is always damage;
//! - it trusts a file that was closed in order. A changed byte then shows late or, in a page that
//!   it parses, ends the process. So the checksum of every page is verified at each opening, which
//!   costs little in a file of a few pages.
//!
//! What is left: a file that was *not* closed in order and whose newest commit is damaged can't be
//! told from one whose newest commit was cut off, so it opens with the commit before, at most one
//! window back.

use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use redb::{
    Builder, Database, Durability, ReadableDatabase, ReadableTable, TableDefinition,
    WriteTransaction,
};

use super::folder::StateFolder;
use super::stored::{FORM, FormError};
use super::{PositionStore, StoreError, StoreKey, Stored};

const FILE: &str = "positions.redb";
const UNFINISHED: &str = "positions.redb.new";

/// (pipeline, connector) -> byte form of [`Stored`].
const POSITIONS: TableDefinition<'_, (&str, &str), &[u8]> = TableDefinition::new("positions");

/// Bytes of pages kept in memory. A position is a few dozen bytes, so this holds all of them.
const CACHE: usize = 4 << 20;

/// Keeps positions in the file `positions.redb` of a state folder.
///
/// The folder belongs to one store at a time, in this process or any other.
pub struct FileStore {
    // Before the folder: fields drop in this order, and the lock must outlive the database.
    database: Database,
    path: PathBuf,
    _folder: StateFolder,
}

impl FileStore {
    /// Opens the store in the state folder `folder`, and makes both where they are missing.
    ///
    /// # Errors
    /// [`StoreError::Locked`] while somebody else has the folder, [`StoreError::Damaged`] for a
    /// file that isn't whole, [`StoreError::Io`] for what the system refuses. None of them leaves
    /// an emptied store behind.
    pub fn open(folder: &Path) -> Result<Self, StoreError> {
        let folder = StateFolder::open(folder)?;
        let path = folder.join(FILE);
        match fs::symlink_metadata(&path) {
            Ok(_) => {}
            Err(e) if e.kind() == io::ErrorKind::NotFound => {
                create(&folder, &path)?;
                log::info!("made a new position store `{}`", path.display());
            }
            Err(source) => {
                let doing = "look at";
                return Err(StoreError::Io {
                    path,
                    doing,
                    source,
                });
            }
        }
        let database = builder()
            .set_check_integrity_on_open(true)
            .open(&path)
            .map_err(|e| StoreError::from_redb(&path, "open", e))?;
        let store = Self {
            database,
            path,
            _folder: folder,
        };
        // A database without our table is somebody else's: found now, not at the first position.
        store.read(|_| Ok(()))?;
        Ok(store)
    }

    /// Whether there is a store in the state folder; opening makes one.
    #[must_use]
    pub fn exists(folder: &Path) -> bool {
        fs::symlink_metadata(folder.join(FILE)).is_ok()
    }

    /// The file that holds the positions.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Closes the store; dropping it does the same, but tells of no error.
    ///
    /// # Errors
    /// [`StoreError::Io`] if the file couldn't be closed in order. Nothing is lost by it: what was
    /// committed is durable, and the next opening repairs the rest.
    pub fn close(self) -> Result<(), StoreError> {
        self.database
            .close()
            .map_err(|e| StoreError::from_redb(&self.path, "close", e))
    }

    fn read<T>(&self, body: impl FnOnce(&Table) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let table = self
            .database
            .begin_read()
            .map_err(redb::Error::from)
            .and_then(|transaction| Ok(transaction.open_table(POSITIONS)?))
            .map_err(self.refused("read"))?;
        body(&table)
    }

    fn write<T>(
        &self,
        body: impl FnOnce(&WriteTransaction) -> Result<T, redb::Error>,
    ) -> Result<T, StoreError> {
        let run = || {
            let mut transaction = self.database.begin_write()?;
            // I1: the commit below returns when the file system has it, not before.
            transaction.set_durability(Durability::Immediate)?;
            let answer = body(&transaction)?;
            transaction.commit()?;
            Ok(answer)
        };
        run().map_err(self.refused("commit to"))
    }

    fn refused(&self, doing: &'static str) -> impl Fn(redb::Error) -> StoreError {
        move |error| StoreError::from_redb(&self.path, doing, error)
    }

    fn decode(&self, key: (&str, &str), bytes: &[u8]) -> Result<Stored, StoreError> {
        Stored::from_bytes(bytes).map_err(|error| match error {
            FormError::Newer(found) => StoreError::Newer {
                path: self.path.clone(),
                found,
                known: FORM,
            },
            FormError::Malformed(what) => StoreError::Damaged {
                path: self.path.clone(),
                reason: format!("connector `{}` of pipeline `{}` has {what}", key.1, key.0),
            },
        })
    }
}

type Table = redb::ReadOnlyTable<(&'static str, &'static str), &'static [u8]>;

impl PositionStore for FileStore {
    fn load(&self, key: &StoreKey) -> Result<Option<Stored>, StoreError> {
        let key = (key.pipeline.as_str(), key.connector.as_str());
        self.read(|table| {
            ReadableTable::get(table, key)
                .map_err(|e| self.refused("read")(e.into()))?
                .map(|entry| self.decode(key, entry.value()))
                .transpose()
        })
    }

    fn commit(&self, entries: &[(StoreKey, Stored)]) -> Result<(), StoreError> {
        if entries.is_empty() {
            return Ok(());
        }
        self.write(|transaction| {
            let mut table = transaction.open_table(POSITIONS)?;
            for (key, stored) in entries {
                let key = (key.pipeline.as_str(), key.connector.as_str());
                table.insert(key, stored.to_bytes().as_slice())?;
            }
            Ok(())
        })
    }

    fn list(&self) -> Result<Vec<(StoreKey, Stored)>, StoreError> {
        self.read(|table| {
            ReadableTable::iter(table)
                .map_err(|e| self.refused("read")(e.into()))?
                .map(|item| {
                    let (key, entry) = item.map_err(|e| self.refused("read")(e.into()))?;
                    let (pipeline, connector) = key.value();
                    let stored = self.decode((pipeline, connector), entry.value())?;
                    Ok((StoreKey::new(pipeline, connector), stored))
                })
                .collect()
        })
    }

    fn remove(&self, key: &StoreKey) -> Result<bool, StoreError> {
        self.write(|transaction| {
            let mut table = transaction.open_table(POSITIONS)?;
            let key = (key.pipeline.as_str(), key.connector.as_str());
            let removed = table.remove(key)?.is_some();
            Ok(removed)
        })
    }
}

impl fmt::Debug for FileStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FileStore")
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

fn builder() -> Builder {
    let mut builder = Builder::new();
    builder.set_cache_size(CACHE);
    builder
}

/// Makes an empty store under another name and moves it into place once it is whole.
fn create(folder: &StateFolder, path: &Path) -> Result<(), StoreError> {
    let unfinished = folder.join(UNFINISHED);
    let io_error = |source| StoreError::Io {
        path: path.to_path_buf(),
        doing: "create",
        source,
    };
    // Left by a process that died in here. The folder's lock says that nobody is at it now.
    match fs::remove_file(&unfinished) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(io_error(e)),
        _ => {}
    }
    let make = || {
        let database = builder().create(&unfinished)?;
        let transaction = database.begin_write()?;
        transaction.open_table(POSITIONS)?;
        transaction.commit()?;
        database.close()?;
        Ok::<_, redb::Error>(())
    };
    make().map_err(|e| StoreError::from_redb(path, "create", e))?;
    fs::rename(&unfinished, path)
        .and_then(|()| folder.sync())
        .map_err(io_error)
}
