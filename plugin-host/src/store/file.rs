//! Positions and last active settings in one file of this machine: `positions.redb` in the state
//! folder.
//!
//! What is asked of the store as transactions on its two tables. How the file is made, opened and
//! verified is in `database`, how it heals in `reopen`, whose it is in `folder`, and what an entry looks like in `stored` and
//! `active`.

use std::fmt;
use std::fs;
use std::path::Path;

use redb::{Database, Durability, ReadableDatabase, ReadableTable, WriteTransaction};

use super::database::{ACTIVES, FILE, POSITIONS, Table};
use super::folder::StateFolder;
use super::form::FormError;
use super::reopen::Reopening;
use super::{Active, PositionStore, StoreError, StoreKey, Stored};

/// Keeps positions and last active settings in the file `positions.redb` of a state folder.
///
/// The folder belongs to one store at a time, in this process or any other. The settings include
/// secret ones, in plain: on Unix the file is for its user alone (mode 0600).
///
/// After an error of the system, such as a full disk, the next call opens the file again, so it goes
/// on as soon as the system allows it: what was answered `Ok` before is there.
pub struct FileStore {
    database: Reopening,
}

impl FileStore {
    /// Opens the store in the state folder `folder`, and makes both where they are missing.
    ///
    /// # Errors
    /// [`StoreError::Locked`] while somebody else has the folder, [`StoreError::Damaged`] for a
    /// file that isn't whole, [`StoreError::Io`] for what the system refuses. None of them leaves
    /// an emptied store behind.
    pub fn open(folder: &Path) -> Result<Self, StoreError> {
        Ok(Self {
            database: Reopening::open(StateFolder::open(folder)?)?,
        })
    }

    /// Whether there is a store in the state folder; opening makes one.
    #[must_use]
    pub fn exists(folder: &Path) -> bool {
        fs::symlink_metadata(folder.join(FILE)).is_ok()
    }

    /// The file that holds the positions.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.database.path
    }

    /// Closes the store; dropping it does the same, but tells of no error.
    ///
    /// # Errors
    /// [`StoreError::Io`] if the file couldn't be closed in order. Nothing is lost by it: what was
    /// committed is durable, and the next opening repairs the rest.
    pub fn close(self) -> Result<(), StoreError> {
        self.database.close()
    }

    fn get<T>(
        &self,
        table: Table,
        key: &StoreKey,
        read: Decode<T>,
    ) -> Result<Option<T>, StoreError> {
        let bytes = |database: &Database| {
            let table = database.begin_read()?.open_table(table)?;
            let entry = ReadableTable::get(&table, parts(key))?;
            Ok(entry.map(|entry| entry.value().to_vec()))
        };
        self.database
            .with("read", bytes)?
            .map(|bytes| self.decode(key, &bytes, read))
            .transpose()
    }

    fn all<T>(&self, table: Table, read: Decode<T>) -> Result<Vec<(StoreKey, T)>, StoreError> {
        let bytes = |database: &Database| {
            let table = database.begin_read()?.open_table(table)?;
            let mut all = Vec::new();
            for item in ReadableTable::iter(&table)? {
                let (key, entry) = item?;
                let (pipeline, connector) = key.value();
                all.push((StoreKey::new(pipeline, connector), entry.value().to_vec()));
            }
            Ok(all)
        };
        let all = self.database.with("read", bytes)?.into_iter();
        all.map(|(key, bytes)| {
            let entry = self.decode(&key, &bytes, read)?;
            Ok((key, entry))
        })
        .collect()
    }

    fn write<T>(
        &self,
        body: impl FnOnce(&WriteTransaction) -> Result<T, redb::Error>,
    ) -> Result<T, StoreError> {
        self.database.with("commit to", |database| {
            let mut transaction = database.begin_write()?;
            // I1: the commit below returns when the file system has it, not before.
            transaction.set_durability(Durability::Immediate)?;
            let answer = body(&transaction)?;
            transaction.commit()?;
            Ok(answer)
        })
    }

    fn decode<T>(&self, key: &StoreKey, bytes: &[u8], read: Decode<T>) -> Result<T, StoreError> {
        let path = self.database.path.clone();
        read(bytes).map_err(|error| match error {
            FormError::Newer { found, known } => StoreError::Newer { path, found, known },
            FormError::Malformed(what) => StoreError::Damaged {
                path,
                reason: format!(
                    "connector `{}` of pipeline `{}` has {what}",
                    key.connector, key.pipeline
                ),
            },
        })
    }
}

/// Reads the byte form of an entry.
type Decode<T> = fn(&[u8]) -> Result<T, FormError>;

fn parts(key: &StoreKey) -> (&str, &str) {
    (&key.pipeline, &key.connector)
}

fn remove(from: &WriteTransaction, table: Table, key: &StoreKey) -> Result<bool, redb::Error> {
    let removed = from.open_table(table)?.remove(parts(key))?.is_some();
    Ok(removed)
}

impl PositionStore for FileStore {
    fn load(&self, key: &StoreKey) -> Result<Option<Stored>, StoreError> {
        self.get(POSITIONS, key, Stored::from_bytes)
    }

    fn commit(&self, entries: &[(StoreKey, Stored)]) -> Result<(), StoreError> {
        if entries.is_empty() {
            return Ok(());
        }
        self.write(|transaction| {
            let mut table = transaction.open_table(POSITIONS)?;
            for (key, stored) in entries {
                table.insert(parts(key), stored.to_bytes().as_slice())?;
            }
            Ok(())
        })
    }

    fn list(&self) -> Result<Vec<(StoreKey, Stored)>, StoreError> {
        self.all(POSITIONS, Stored::from_bytes)
    }

    fn remove(&self, key: &StoreKey) -> Result<bool, StoreError> {
        self.write(|transaction| remove(transaction, POSITIONS, key))
    }

    fn active(&self, key: &StoreKey) -> Result<Option<Active>, StoreError> {
        self.get(ACTIVES, key, Active::from_bytes)
    }

    fn activate(&self, key: &StoreKey, active: &Active) -> Result<(), StoreError> {
        self.write(|transaction| {
            let mut table = transaction.open_table(ACTIVES)?;
            table.insert(parts(key), active.to_bytes().as_slice())?;
            Ok(())
        })
    }

    fn actives(&self) -> Result<Vec<(StoreKey, Active)>, StoreError> {
        self.all(ACTIVES, Active::from_bytes)
    }

    fn forget(&self, key: &StoreKey) -> Result<bool, StoreError> {
        self.write(|transaction| {
            let position = remove(transaction, POSITIONS, key)?;
            let active = remove(transaction, ACTIVES, key)?;
            Ok(position || active)
        })
    }
}

impl fmt::Debug for FileStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FileStore")
            .field("path", &self.database.path)
            .finish_non_exhaustive()
    }
}
