//! The store through its public face: round trips, ownership, sudden death.

mod damage;
#[cfg(target_os = "linux")]
mod disk;

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use tempfile::TempDir;

use super::*;
use crate::parameters::Side;

fn key(connector: &str) -> StoreKey {
    StoreKey::new("orders", connector)
}

fn entry(position: &[u8]) -> Stored {
    Stored {
        position: position.to_vec(),
        plugin: "standalone:file@v0.1.0".into(),
        hash: Some("9f86d081".into()),
    }
}

fn active(value: &str) -> Active {
    Active {
        side: Side::Source,
        plugin: "standalone:file@v0.1.0".into(),
        hash: None,
        settings: [("path".to_owned(), value.to_owned())].into(),
    }
}

/// A closed store with three positions, and its bytes.
fn filled(folder: &TempDir) -> Vec<u8> {
    let store = FileStore::open(folder.path()).unwrap();
    for round in 0..20_u8 {
        let entries = ["a", "b", "c"].map(|name| (key(name), entry(&[round])));
        store.commit(&entries).unwrap();
    }
    let path = store.path().to_path_buf();
    store.close().unwrap();
    fs::read(path).unwrap()
}

#[test]
fn what_is_committed_is_there_after_opening_again() {
    let folder = TempDir::new().unwrap();
    let store = FileStore::open(folder.path()).unwrap();
    assert_eq!(store.load(&key("source")).unwrap(), None);
    store.commit(&[(key("source"), entry(b"1"))]).unwrap();
    store
        .commit(&[(key("source"), entry(b"2")), (key("other"), entry(b""))])
        .unwrap();
    drop(store);

    let store = FileStore::open(folder.path()).unwrap();
    assert_eq!(store.load(&key("source")).unwrap(), Some(entry(b"2")));
    assert_eq!(store.load(&key("sourc")).unwrap(), None);
    let all = vec![(key("other"), entry(b"")), (key("source"), entry(b"2"))];
    assert_eq!(store.list().unwrap(), all);
}

#[test]
fn keys_don_t_run_into_each_other() {
    let folder = TempDir::new().unwrap();
    let store = FileStore::open(folder.path()).unwrap();
    let (left, right) = (StoreKey::new("ab", "c"), StoreKey::new("a", "bc"));
    store
        .commit(&[
            (left.clone(), entry(b"left")),
            (right.clone(), entry(b"right")),
        ])
        .unwrap();
    assert_eq!(store.load(&left).unwrap(), Some(entry(b"left")));
    assert_eq!(store.load(&right).unwrap(), Some(entry(b"right")));
}

#[test]
fn a_large_position_and_an_empty_commit_are_kept_too() {
    let folder = TempDir::new().unwrap();
    let store = FileStore::open(folder.path()).unwrap();
    let large = entry(&vec![7; 3 << 20]);
    store.commit(&[(key("source"), large.clone())]).unwrap();
    store.commit(&[]).unwrap();
    assert_eq!(store.load(&key("source")).unwrap(), Some(large));
}

#[test]
fn a_removed_position_stays_removed() {
    let folder = TempDir::new().unwrap();
    let store = FileStore::open(folder.path()).unwrap();
    let entries = [(key("a"), entry(b"1")), (key("b"), entry(b"2"))];
    store.commit(&entries).unwrap();
    assert!(store.remove(&key("a")).unwrap());
    assert!(!store.remove(&key("a")).unwrap());
    drop(store);

    let store = FileStore::open(folder.path()).unwrap();
    assert_eq!(store.list().unwrap(), [(key("b"), entry(b"2"))]);
}

#[test]
fn last_active_settings_are_replaced_and_outlive_the_position() {
    let folder = TempDir::new().unwrap();
    let store = FileStore::open(folder.path()).unwrap();
    assert_eq!(store.active(&key("a")).unwrap(), None);
    store.commit(&[(key("a"), entry(b"1"))]).unwrap();
    store.activate(&key("a"), &active("first")).unwrap();
    store.activate(&key("a"), &active("second")).unwrap();
    store.activate(&key("b"), &active("other")).unwrap();
    assert!(store.remove(&key("a")).unwrap());
    drop(store);

    let store = FileStore::open(folder.path()).unwrap();
    assert_eq!(store.active(&key("a")).unwrap(), Some(active("second")));
    assert_eq!(store.list().unwrap(), []);
    let all = [(key("a"), active("second")), (key("b"), active("other"))];
    assert_eq!(store.actives().unwrap(), all);
}

#[test]
fn what_is_forgotten_has_neither_position_nor_settings() {
    let folder = TempDir::new().unwrap();
    let store = FileStore::open(folder.path()).unwrap();
    let entries = ["both", "position", "stays"].map(|name| (key(name), entry(b"1")));
    store.commit(&entries).unwrap();
    for name in ["both", "settings", "stays"] {
        store.activate(&key(name), &active(name)).unwrap();
    }
    for name in ["both", "position", "settings"] {
        assert!(store.forget(&key(name)).unwrap(), "{name}");
        assert!(!store.forget(&key(name)).unwrap(), "{name}");
    }
    drop(store);

    let store = FileStore::open(folder.path()).unwrap();
    assert_eq!(store.list().unwrap(), [(key("stays"), entry(b"1"))]);
    let all = [(key("stays"), active("stays"))];
    assert_eq!(store.actives().unwrap(), all);
}

#[test]
fn a_store_of_the_version_before_settings_opens() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("positions.redb");
    let database = redb::Database::create(&path).unwrap();
    let table = redb::TableDefinition::<(&str, &str), &[u8]>::new("positions");
    let write = database.begin_write().unwrap();
    write
        .open_table(table)
        .unwrap()
        .insert(("orders", "a"), &entry(b"7").to_bytes()[..])
        .unwrap();
    write.commit().unwrap();
    drop(database);

    let store = FileStore::open(folder.path()).unwrap();
    assert_eq!(store.list().unwrap(), [(key("a"), entry(b"7"))]);
    assert_eq!(store.actives().unwrap(), []);
    store.activate(&key("a"), &active("new")).unwrap();
    assert_eq!(store.active(&key("a")).unwrap(), Some(active("new")));
}

#[cfg(unix)]
#[test]
fn the_file_is_for_its_user_alone_also_where_it_was_not() {
    use std::os::unix::fs::PermissionsExt;

    let folder = TempDir::new().unwrap();
    let path = folder.path().join("positions.redb");
    let mode = || path.metadata().unwrap().permissions().mode() & 0o777;
    drop(FileStore::open(folder.path()).unwrap());
    assert_eq!(mode(), 0o600);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o664)).unwrap();
    drop(FileStore::open(folder.path()).unwrap());
    assert_eq!(mode(), 0o600);
}

#[test]
fn the_state_folder_is_made_for_its_user_alone() {
    let folder = TempDir::new().unwrap();
    let deep = folder.path().join("var").join("state");
    FileStore::open(&deep).unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(deep.metadata().unwrap().permissions().mode() & 0o777, 0o700);
    }
    assert!(deep.join("positions.redb").is_file());
}

#[test]
fn what_the_system_refuses_is_an_io_error_with_its_cause() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    let error = FileStore::open(&file.join("state")).unwrap_err();
    assert_eq!(error.code(), "store.io");
    assert!(
        error
            .to_string()
            .starts_with("can't create the state folder `")
    );
    assert!(std::error::Error::source(&error).is_some());

    let folder = TempDir::new().unwrap();
    fs::create_dir(folder.path().join("positions.redb")).unwrap();
    assert_eq!(
        FileStore::open(folder.path()).unwrap_err().code(),
        "store.io"
    );
}

#[test]
fn the_store_is_a_shared_object_and_its_error_travels() {
    fn shared<T: Send + Sync + 'static>() {}
    shared::<Box<dyn PositionStore>>();
    shared::<FileStore>();
    shared::<StoreError>();
}

// Ownership.

#[test]
fn a_second_store_is_locked_out_until_the_first_is_gone() {
    let folder = TempDir::new().unwrap();
    let first = FileStore::open(folder.path()).unwrap();
    let error = FileStore::open(folder.path()).unwrap_err();
    assert_eq!(error.code(), "store.locked");
    assert!(error.to_string().ends_with("is in use by this process"));

    let other = child("open", folder.path()).output().unwrap();
    let said = String::from_utf8(other.stdout).unwrap();
    let expected = format!("is in use by process {}", std::process::id());
    assert!(
        said.contains("store.locked") && said.contains(&expected),
        "{said}"
    );

    drop(first);
    FileStore::open(folder.path()).unwrap();
}

#[test]
fn a_file_that_another_program_has_open_is_locked_too() {
    let folder = TempDir::new().unwrap();
    filled(&folder);
    let path = folder.path().join("positions.redb");
    let stranger = redb::Database::open(&path).unwrap();
    let error = FileStore::open(folder.path()).unwrap_err();
    assert_eq!(error.code(), "store.locked");
    drop(stranger);
    FileStore::open(folder.path()).unwrap();
}

// Sudden death.

#[test]
fn a_killed_process_leaves_every_answered_commit_and_no_lock() {
    let folder = TempDir::new().unwrap();
    let mut newest = 0;
    for commits in [1, 40, 7, 120, 15] {
        let mut process = child("commit", folder.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let answered = lines
            .map_while(Result::ok)
            .filter_map(|line| line.strip_prefix("committed ")?.parse::<u64>().ok())
            .take(commits)
            .last()
            .unwrap();
        process.kill().unwrap();
        process.wait().unwrap();
        assert!(answered > newest);

        let store = FileStore::open(folder.path()).unwrap();
        let position = store.load(&key("source")).unwrap().unwrap().position;
        newest = u64::from_le_bytes(position.try_into().unwrap());
        assert!(
            newest >= answered,
            "{answered} was answered, {newest} is there"
        );
    }
}

/// Runs [`in_a_process_of_its_own`] as the given role.
fn child(role: &str, folder: &Path) -> Command {
    let (_, module) = module_path!().split_once("::").unwrap();
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["--exact", "--ignored", "--nocapture"])
        .arg(format!("{module}::in_a_process_of_its_own"))
        .env("STORE_TEST_ROLE", role)
        .env("STORE_TEST_FOLDER", folder);
    command
}

#[test]
#[ignore = "started by other tests as a process of its own"]
fn in_a_process_of_its_own() {
    let Ok(role) = std::env::var("STORE_TEST_ROLE") else {
        return;
    };
    let folder = std::env::var("STORE_TEST_FOLDER").unwrap();
    let store = match FileStore::open(Path::new(&folder)) {
        Ok(store) => store,
        Err(error) => return println!("{}: {error}", error.code()),
    };
    if role == "commit" {
        let stored = store.load(&key("source")).unwrap();
        let start = stored.map_or(0, |s| u64::from_le_bytes(s.position.try_into().unwrap()));
        for number in start + 1..start + 100_000 {
            store
                .commit(&[(key("source"), entry(&number.to_le_bytes()))])
                .unwrap();
            println!("committed {number}");
        }
    }
}
