use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

use super::*;

const BYTES: &[u8] = b"not a library, but bytes";
/// `printf 'not a library, but bytes' | sha256sum`
const HASH: &str = "544182521d5dbdbf06db84f7dd3eb80f1884c29a082475c636fb40b701886a6e";

fn copy_to(folder: &Path) -> Result<Image, LoadError> {
    Image::from_bytes("x", BYTES, &LoadFrom::Copy(folder.to_owned()))
}

#[cfg(target_os = "linux")]
mod in_memory {
    use super::*;

    fn image(name: &str, bytes: &[u8]) -> Image {
        Image::from_bytes(name, bytes, &LoadFrom::Memory).unwrap()
    }

    #[test]
    fn it_holds_the_bytes_and_shows_the_name() {
        let image = image("libconn_a.so", BYTES);
        assert_eq!(fs::read(image.path()).unwrap(), BYTES);
        assert_eq!(image.hash().unwrap(), HASH);
        let link = fs::read_link(image.path()).unwrap();
        assert!(link.to_str().unwrap().contains("libconn_a.so"), "{link:?}");
        // Longer than the kernel takes, with characters of three bytes.
        let long = Image::from_bytes(&"長".repeat(300), BYTES, &LoadFrom::Memory).unwrap();
        assert_eq!(fs::read(long.path()).unwrap(), BYTES);
    }

    #[test]
    fn nobody_can_change_it() {
        let image = image("sealed", BYTES);
        let file = fs::OpenOptions::new()
            .write(true)
            .open(image.path())
            .unwrap();
        for error in [
            io::Write::write_all(&mut &file, b"x").unwrap_err(),
            file.set_len(3).unwrap_err(),
            file.set_len(300).unwrap_err(),
        ] {
            assert_eq!(error.kind(), io::ErrorKind::PermissionDenied);
        }
        assert_eq!(fs::read(image.path()).unwrap(), BYTES);
    }

    #[test]
    fn its_path_is_never_used_again_once_it_is_dropped() {
        let first = image("first-of-two", BYTES);
        let path = first.path().to_owned();
        drop(first);
        assert_eq!(fs::read(&path).unwrap(), BYTES);
        assert_ne!(image("second-of-two", BYTES).path(), path);
    }

    #[test]
    fn a_discarded_one_is_gone() {
        let discarded = image("to-be-discarded", BYTES);
        let path = discarded.path().to_owned();
        discarded.discard();
        // Another test may have been given the number.
        let link = fs::read_link(&path).unwrap_or_default();
        assert!(
            !link.to_str().unwrap().contains("to-be-discarded"),
            "{link:?}"
        );
    }

    #[test]
    fn the_dynamic_loader_executes_it() {
        let (name, bytes) = library();
        let image = image(&name, &bytes);
        // Another process sees this one's descriptor under another path.
        let seen = image
            .path()
            .to_str()
            .unwrap()
            .replace("self", &std::process::id().to_string());
        preload(&seen);
    }

    use std::io;
}

mod copied {
    use super::*;

    #[test]
    fn it_is_read_only_in_a_private_folder_under_its_hash() {
        let temporary = tempfile::tempdir().unwrap();
        let folder = temporary.path().join("state/images");
        let image = copy_to(&folder).unwrap();
        assert_eq!(image.hash().unwrap(), HASH);
        assert_eq!(
            image.path(),
            folder.join(format!("{HASH}{}", std::env::consts::DLL_SUFFIX))
        );
        assert_eq!(fs::read(image.path()).unwrap(), BYTES);
        assert_eq!(fs::metadata(&folder).unwrap().mode() & 0o7777, 0o700);
        assert_eq!(fs::metadata(image.path()).unwrap().mode() & 0o7777, 0o400);
        assert_eq!(
            fs::read_dir(&folder).unwrap().count(),
            1,
            "nothing else is left there"
        );
    }

    #[test]
    fn the_same_bytes_are_written_once() {
        let folder = private_folder();
        let inode = |image: &Image| fs::metadata(image.path()).unwrap().ino();
        let first = copy_to(folder.path()).unwrap();
        let second = copy_to(folder.path()).unwrap();
        assert_eq!(
            (first.path(), inode(&first)),
            (second.path(), inode(&second))
        );
        first.discard();
        assert!(second.path().exists());
    }

    #[test]
    fn a_changed_file_is_not_loaded() {
        let folder = private_folder();
        let path = copy_to(folder.path()).unwrap().path().to_owned();
        fs::remove_file(&path).unwrap();
        fs::write(&path, b"not a library, but BYTES").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o400)).unwrap();
        assert!(
            copy_to(folder.path())
                .unwrap_err()
                .to_string()
                .contains("was changed")
        );
        // The right content, but others could change it; then the right content behind a link.
        fs::remove_file(&path).unwrap();
        fs::write(&path, BYTES).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o420)).unwrap();
        assert!(
            copy_to(folder.path())
                .unwrap_err()
                .to_string()
                .contains("was changed")
        );
        fs::set_permissions(&path, fs::Permissions::from_mode(0o400)).unwrap();
        copy_to(folder.path()).unwrap();
        fs::rename(&path, folder.path().join("other")).unwrap();
        symlink("other", &path).unwrap();
        assert!(
            copy_to(folder.path())
                .unwrap_err()
                .to_string()
                .contains("was changed")
        );
    }

    #[test]
    fn a_folder_that_others_can_enter_is_refused() {
        let folder = private_folder();
        for mode in [0o755, 0o770, 0o701, 0o1777] {
            fs::set_permissions(folder.path(), fs::Permissions::from_mode(mode)).unwrap();
            let error = copy_to(folder.path()).unwrap_err();
            assert_eq!(error.code(), "load.image");
            assert!(
                error
                    .to_string()
                    .contains(&format!("its mode is {mode:04o}")),
                "{error}"
            );
        }
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o700)).unwrap();
        let link = folder.path().join("link");
        symlink(tempfile::tempdir().unwrap().keep(), &link).unwrap();
        assert!(
            copy_to(&link)
                .unwrap_err()
                .to_string()
                .contains("found a link")
        );
        let file = folder.path().join("file");
        fs::write(&file, "").unwrap();
        assert_eq!(copy_to(&file).unwrap_err().code(), "load.image");
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn the_dynamic_loader_executes_it() {
        let folder = private_folder();
        let (name, bytes) = library();
        let from = LoadFrom::Copy(folder.path().to_owned());
        let image = Image::from_bytes(&name, &bytes, &from).unwrap();
        preload(image.path().to_str().unwrap());
    }

    fn private_folder() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o700)).unwrap();
        folder
    }
}

/// A real library: one that this process runs on.
#[cfg(target_os = "linux")]
fn library() -> (String, Vec<u8>) {
    let maps = fs::read_to_string("/proc/self/maps").unwrap();
    let paths = maps
        .lines()
        .filter_map(|line| line.find('/').map(|at| &line[at..]));
    let path = paths
        .into_iter()
        .find(|path| path.contains(".so"))
        .expect("tests are linked dynamically");
    (
        path.rsplit('/').next().unwrap().to_owned(),
        fs::read(path).unwrap(),
    )
}

/// Has the dynamic loader of a process of its own map and start the library at a path. It says so if
/// it can't, and goes on.
#[cfg(target_os = "linux")]
fn preload(path: &str) {
    let run = |path: &str| {
        let output = std::process::Command::new("/bin/true")
            .env("LD_PRELOAD", path)
            .output()
            .unwrap();
        assert!(output.status.success());
        String::from_utf8(output.stderr).unwrap()
    };
    assert_eq!(run(path), "");
    assert_ne!(
        run(&format!("{path}-missing")),
        "",
        "the test can't tell success from failure"
    );
}
