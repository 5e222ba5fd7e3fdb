//! Full disks: a file system of a few blocks, in a namespace where it may be mounted.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

use tempfile::TempDir;

use super::{active, entry, key};
use crate::store::{FileStore, PositionStore, StoreError};

/// Runs [`in_a_process_of_its_own`] as the given role with a small disk; says so where that isn't
/// permitted.
fn on_a_small_disk(role: &str) {
    let folder = TempDir::new().unwrap();
    let in_namespace = |script: &str| {
        let (_, module) = module_path!().split_once("::").unwrap();
        Command::new("unshare")
            .args(["-rm", "sh", "-euc", script])
            .arg(std::env::current_exe().unwrap())
            .args(["--exact", "--ignored", "--nocapture"])
            .arg(format!("{module}::in_a_process_of_its_own"))
            .env("STORE_TEST_ROLE", role)
            .env("STORE_TEST_FOLDER", folder.path())
            .output()
    };
    let mount = "mount -t tmpfs -o size=6m none \"$STORE_TEST_FOLDER\"";
    match in_namespace(mount) {
        Ok(output) if output.status.success() => {}
        refused => {
            println!("skipped, as no file system can be mounted in a user namespace: {refused:?}");
            return;
        }
    }
    let output = in_namespace(&format!("{mount}; exec \"$0\" \"$@\"")).unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && said.contains("1 passed"),
        "{said}{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

#[test]
fn after_a_full_disk_it_goes_on_once_there_is_space() {
    on_a_small_disk("goes on");
}

#[test]
fn a_store_that_can_t_be_made_whole_isn_t_there() {
    on_a_small_disk("made");
}

#[test]
fn a_lock_that_can_t_be_written_is_told_and_released() {
    on_a_small_disk("locked");
}

#[test]
#[ignore = "started by other tests as a process of its own, on a small disk"]
fn in_a_process_of_its_own() {
    let disk = PathBuf::from(std::env::var("STORE_TEST_FOLDER").unwrap());
    match std::env::var("STORE_TEST_ROLE").unwrap().as_str() {
        "goes on" => goes_on(&disk),
        "made" => made(&disk),
        "locked" => locked(&disk),
        role => panic!("{role}"),
    }
}

/// Says that it is over, also where that is a panic.
struct Over<'a>(&'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// A file that takes what space there is.
fn fill(disk: &Path) -> PathBuf {
    let path = disk.join("filler");
    let mut file = File::create(&path).unwrap();
    while file.write_all(&[1; 4096]).is_ok() {}
    path
}

fn is_full(error: &StoreError) {
    assert_eq!(error.code(), "store.io");
    assert!(error.help().contains("there is space"));
    let source = std::error::Error::source(error).unwrap();
    assert!(source.to_string().contains("No space left"), "{source}");
}

fn goes_on(disk: &Path) {
    let folder = disk.join("state");
    let store = FileStore::open(&folder).unwrap();
    store.activate(&key("source"), &active("kept")).unwrap();
    let (answered, over) = (AtomicU64::new(0), AtomicBool::new(false));
    // What a commit needs more than the one before it makes the file grow.
    let commit = |number: u64| {
        let mut position = number.to_le_bytes().to_vec();
        position.resize(8 + usize::try_from(number).unwrap() * 5000, 7);
        let done = store.commit(&[(key("source"), entry(&position))]);
        done.inspect(|()| answered.store(number, Ordering::SeqCst))
    };
    let load = || {
        let least = answered.load(Ordering::SeqCst);
        let stored = store.load(&key("source"))?.map(|it| it.position);
        let stored = stored.map_or(0, |it| u64::from_le_bytes(*it.first_chunk().unwrap()));
        assert!(stored >= least, "{least} was answered, {stored} is there");
        Ok::<_, StoreError>(stored)
    };
    thread::scope(|scope| {
        scope.spawn(|| {
            while !over.load(Ordering::SeqCst) {
                if let Err(error) = load() {
                    assert_eq!(error.code(), "store.io", "{error}");
                }
            }
        });
        let _over = Over(&over);
        let mut number = 1;
        for _ in 0..5 {
            commit(number).unwrap();
            let filler = fill(disk);
            let error = loop {
                number += 1;
                match commit(number) {
                    Ok(()) => {}
                    Err(error) => break error,
                }
            };
            assert_eq!(error.code(), "store.io");
            assert_eq!(commit(number).unwrap_err().code(), "store.io");
            fs::remove_file(filler).unwrap();
            commit(number).unwrap();
            assert_eq!(load().unwrap(), number);
            number += 1;
        }
    });
    commit(3).unwrap();
    drop(store);
    let store = FileStore::open(&folder).unwrap();
    let positions = store.list().unwrap();
    assert_eq!(positions.len(), 1);
    assert_eq!(positions[0].1.position[..8], 3_u64.to_le_bytes());
    let settings = store.active(&key("source")).unwrap();
    assert_eq!(settings, Some(active("kept")));
}

fn made(disk: &Path) {
    let folder = disk.join("state");
    // The folder and its lock are there: what fails is the file.
    drop(FileStore::open(&folder).unwrap());
    fs::remove_file(folder.join("positions.redb")).unwrap();
    let filler = fill(disk);
    File::options()
        .write(true)
        .open(&filler)
        .unwrap()
        .set_len(filler.metadata().unwrap().len() - 8192)
        .unwrap();
    is_full(&FileStore::open(&folder).unwrap_err());
    assert!(!FileStore::exists(&folder));
    let left: Vec<_> = fs::read_dir(&folder)
        .unwrap()
        .map(|it| it.unwrap().file_name())
        .collect();
    assert_eq!(left, ["lock"]);
    fs::remove_file(filler).unwrap();
    assert_eq!(FileStore::open(&folder).unwrap().list().unwrap(), []);
}

fn locked(disk: &Path) {
    let folder = disk.join("state");
    let store = FileStore::open(&folder).unwrap();
    store.commit(&[(key("source"), entry(b"1"))]).unwrap();
    drop(store);
    File::create(folder.join("lock")).unwrap();
    let filler = fill(disk);
    let error = FileStore::open(&folder).unwrap_err();
    is_full(&error);
    assert!(error.to_string().starts_with("can't lock `"), "{error}");
    fs::remove_file(filler).unwrap();
    let store = FileStore::open(&folder).unwrap();
    assert_eq!(store.list().unwrap(), [(key("source"), entry(b"1"))]);
}
