//! Files that aren't whole or aren't ours: a clear error, never an empty store.

use std::fs;

use tempfile::TempDir;

use super::{entry, filled, key};
use crate::store::{FileStore, PositionStore};

#[test]
fn a_file_cut_at_any_length_is_damaged_and_left_alone() {
    let folder = TempDir::new().unwrap();
    let good = filled(&folder);
    let path = folder.path().join("positions.redb");
    for length in (0..400).step_by(40).chain((400..good.len()).step_by(1999)) {
        fs::write(&path, &good[..length]).unwrap();
        let error = FileStore::open(folder.path()).unwrap_err();
        assert_eq!(error.code(), "store.damaged", "{length} bytes");
        assert_eq!(fs::read(&path).unwrap(), &good[..length]);
    }
    fs::write(&path, &good).unwrap();
    assert_eq!(
        FileStore::open(folder.path())
            .unwrap()
            .list()
            .unwrap()
            .len(),
        3
    );
}

#[test]
fn zeros_in_the_place_of_the_header_or_of_everything_are_damage() {
    let folder = TempDir::new().unwrap();
    let good = filled(&folder);
    let path = folder.path().join("positions.redb");
    for length in [9, 64, 320, 4096, good.len()] {
        let mut bad = good.clone();
        bad[..length].fill(0);
        fs::write(&path, &bad).unwrap();
        let error = FileStore::open(folder.path()).unwrap_err();
        assert_eq!(error.code(), "store.damaged", "{length} bytes");
        assert_eq!(fs::read(&path).unwrap(), bad);
    }
}

#[test]
fn a_changed_byte_is_found_or_does_no_harm() {
    let folder = TempDir::new().unwrap();
    let good = filled(&folder);
    let path = folder.path().join("positions.redb");
    let mut damaged = 0;
    for at in (0..320).step_by(16).chain((320..good.len()).step_by(1021)) {
        let mut bad = good.clone();
        bad[at] ^= 0x41;
        fs::write(&path, &bad).unwrap();
        match FileStore::open(folder.path()) {
            Ok(store) => {
                let expected = ["a", "b", "c"].map(|name| (key(name), entry(&[19])));
                assert_eq!(store.list().unwrap(), expected, "byte {at}");
            }
            Err(error) => {
                assert_eq!(error.code(), "store.damaged", "byte {at}");
                damaged += 1;
            }
        }
    }
    assert!(damaged > 10, "only {damaged} changes were found");
}

#[test]
fn a_foreign_file_is_damaged_and_says_how_to_go_on() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("positions.redb");
    fs::write(&path, "positions of my own making\n".repeat(300)).unwrap();
    let error = FileStore::open(folder.path()).unwrap_err();
    assert_eq!(error.code(), "store.damaged");
    assert!(error.help().contains("move it away"));

    fs::remove_file(&path).unwrap();
    drop(redb::Database::create(&path).unwrap());
    let error = FileStore::open(folder.path()).unwrap_err();
    assert_eq!(error.code(), "store.damaged");
}

#[test]
fn an_entry_of_a_newer_host_is_not_damage() {
    let folder = TempDir::new().unwrap();
    filled(&folder);
    let path = folder.path().join("positions.redb");
    let database = redb::Database::open(&path).unwrap();
    let table = redb::TableDefinition::<(&str, &str), &[u8]>::new("positions");
    let write = database.begin_write().unwrap();
    {
        let mut table = write.open_table(table).unwrap();
        table.insert(("orders", "a"), &[2, 1, 1][..]).unwrap();
        table.insert(("orders", "b"), &[1, 1, 1][..]).unwrap();
    }
    write.commit().unwrap();
    drop(database);

    let store = FileStore::open(folder.path()).unwrap();
    assert_eq!(store.load(&key("a")).unwrap_err().code(), "store.newer");
    let error = store.load(&key("b")).unwrap_err();
    assert_eq!(error.code(), "store.damaged");
    let said = "connector `b` of pipeline `orders` has an entry that is cut off";
    assert!(error.to_string().ends_with(said));
    assert_eq!(store.load(&key("c")).unwrap(), Some(entry(&[19])));
    assert!(store.list().is_err());
}

#[test]
fn a_start_that_died_while_making_the_file_is_made_good() {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("positions.redb.new"), "half a").unwrap();
    let store = FileStore::open(folder.path()).unwrap();
    assert_eq!(store.list().unwrap(), []);
    assert!(!folder.path().join("positions.redb.new").exists());
}
