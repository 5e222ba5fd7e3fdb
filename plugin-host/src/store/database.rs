//! The database file: made whole, for its user alone, and verified when it is opened.
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
//!
//! Knows which tables there are, and nothing of what is in them.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::Path;

use redb::{Builder, Database, ReadableDatabase, TableDefinition, TableError};

use super::StoreError;
use super::folder::StateFolder;

pub(super) const FILE: &str = "positions.redb";
const UNFINISHED: &str = "positions.redb.new";

/// (pipeline, connector) -> byte form of what is kept for it.
pub(super) type Table = TableDefinition<'static, (&'static str, &'static str), &'static [u8]>;

/// Byte forms of [`Stored`](super::Stored).
pub(super) const POSITIONS: Table = TableDefinition::new("positions");
/// Byte forms of [`Active`](super::Active).
pub(super) const ACTIVES: Table = TableDefinition::new("active_settings");

/// Bytes of pages kept in memory. An entry is small, so this holds all of them.
const CACHE: usize = 4 << 20;

/// Opens the file in the folder, and makes it where it is missing.
pub(super) fn open(folder: &StateFolder) -> Result<Database, StoreError> {
    let path = folder.join(FILE);
    match fs::symlink_metadata(&path) {
        Ok(_) => {}
        Err(e) if e.kind() == io::ErrorKind::NotFound => {
            create(folder, &path)?;
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
    #[cfg(unix)]
    keep_private(&path)?;
    let open = || {
        let database = builder().set_check_integrity_on_open(true).open(&path)?;
        make_tables(&database)?;
        Ok::<_, redb::Error>(database)
    };
    open().map_err(|e| StoreError::from_redb(&path, "open", e))
}

/// Finds a database of somebody else now rather than at the first position, and adds what an
/// earlier version of this host didn't have.
fn make_tables(database: &Database) -> Result<(), redb::Error> {
    let transaction = database.begin_read()?;
    transaction.open_table(POSITIONS)?;
    match transaction.open_table(ACTIVES) {
        Err(TableError::TableDoesNotExist(_)) => {}
        other => return Ok(other.map(drop)?),
    }
    let transaction = database.begin_write()?;
    transaction.open_table(ACTIVES)?;
    Ok(transaction.commit()?)
}

fn builder() -> Builder {
    let mut builder = Builder::new();
    builder.set_cache_size(CACHE);
    builder
}

/// Makes an empty store.
fn create(folder: &StateFolder, path: &Path) -> Result<(), StoreError> {
    replace(folder, path, "create", |unfinished| {
        make_file(unfinished)?;
        let database = builder().create(unfinished)?;
        let transaction = database.begin_write()?;
        transaction.open_table(POSITIONS)?;
        transaction.open_table(ACTIVES)?;
        transaction.commit()?;
        Ok(database.close()?)
    })
}

/// Writes the file anew, as it reads.
///
/// After an error of the system the cache may show what never got to the disk, and the system won't
/// try again to bring it there. What is then built on it would be lost with it when the power goes.
pub(super) fn rewrite(folder: &StateFolder) -> Result<(), StoreError> {
    let path = folder.join(FILE);
    replace(folder, &path, "rewrite", |unfinished| {
        let mut copy = make_file(unfinished)?;
        io::copy(&mut File::open(&path)?, &mut copy)?;
        Ok(copy.sync_all()?)
    })
}

/// Makes a file under another name and moves it into place once it is whole.
fn replace(
    folder: &StateFolder,
    path: &Path,
    doing: &'static str,
    make: impl FnOnce(&Path) -> Result<(), redb::Error>,
) -> Result<(), StoreError> {
    let unfinished = folder.join(UNFINISHED);
    // Left by a process that died in here. The folder's lock says that nobody is at it now.
    let made = remove(&unfinished)
        .map_err(redb::Error::from)
        .and_then(|()| make(&unfinished))
        .and_then(|()| Ok(fs::rename(&unfinished, path)?))
        .and_then(|()| Ok(folder.sync()?));
    made.map_err(|error| {
        // Best effort: a full disk is the likely reason, and the next try removes it first.
        remove(&unfinished).ok();
        StoreError::from_redb(path, doing, error)
    })
}

/// Makes an empty file that nobody else may read at any time: settings in it may be secret.
fn make_file(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, PRIVATE);
    options.open(path)
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

#[cfg(unix)]
const PRIVATE: u32 = 0o600;

/// Takes the file from everybody but its user: versions before there were settings in it made it
/// as wide as the process's files are.
#[cfg(unix)]
fn keep_private(path: &Path) -> Result<(), StoreError> {
    use std::os::unix::fs::PermissionsExt;

    let io_error = |source| StoreError::Io {
        path: path.to_path_buf(),
        doing: "take from other users",
        source,
    };
    let mode = fs::metadata(path).map_err(io_error)?.permissions().mode() & 0o777;
    if mode & !PRIVATE == 0 {
        return Ok(());
    }
    fs::set_permissions(path, fs::Permissions::from_mode(mode & PRIVATE)).map_err(io_error)?;
    log::warn!(
        "took `{}` from other users, which had the mode {mode:04o}: settings that it holds may be \
         secret",
        path.display()
    );
    Ok(())
}
