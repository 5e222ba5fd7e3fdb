use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, lchown, symlink};
use std::path::PathBuf;
use std::process::Command;

use tempfile::TempDir;

use super::super::error::LoadError;
use super::groups::{is_private, is_private_in};
use super::*;

/// A number that no user of this machine has.
const STRANGER: u32 = 54_321;

/// A folder with a file that nothing is wrong with.
struct Place {
    folder: TempDir,
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let place = Self { folder };
        fs::create_dir(place.at("plugins")).unwrap();
        fs::write(place.at("plugins/a.so"), "content").unwrap();
        place.set_mode("", 0o755);
        place.set_mode("plugins", 0o755);
        place.set_mode("plugins/a.so", 0o644);
        place
    }

    /// Without links, as errors name it.
    fn at(&self, name: &str) -> PathBuf {
        let folder = self.folder.path().canonicalize().unwrap();
        if name.is_empty() {
            folder
        } else {
            folder.join(name)
        }
    }

    fn set_mode(&self, name: &str, mode: u32) {
        fs::set_permissions(self.at(name), Permissions::from_mode(mode)).unwrap();
    }

    fn link(&self, name: &str, target: &str) {
        symlink(target, self.at(name)).unwrap();
    }

    fn trust(&self) -> Trust {
        Trust::new(&self.at("plugins"), true, &[])
    }

    fn open(&self, name: &str) -> Result<(), LoadError> {
        let file = self.trust().open(&self.at(name))?;
        assert_eq!(std::io::read_to_string(file).unwrap(), "content");
        Ok(())
    }

    /// The code of the refusal, and what of the path is refused.
    fn refusal(&self, name: &str) -> (&'static str, PathBuf) {
        refusal(&self.open(name).unwrap_err())
    }

    fn run_path(&self, name: &str) -> Result<(), LoadError> {
        self.trust().check_run_paths(&[self.at(name)])
    }
}

fn refusal(error: &LoadError) -> (&'static str, PathBuf) {
    let at = match error {
        LoadError::ForeignOwner { at, .. }
        | LoadError::WorldWritable { at, .. }
        | LoadError::GroupWritable { at, .. } => at.path.clone(),
        _ => PathBuf::new(),
    };
    (error.code(), at)
}

/// Runs the command that a help line gives, as a user would.
fn do_as_told(error: &LoadError) {
    let help = error.help();
    let command = help.split('`').nth(1).unwrap();
    let status = Command::new("sh").args(["-c", command]).status().unwrap();
    assert!(status.success(), "{command}");
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

#[test]
fn what_only_its_owner_can_write_to_is_opened() {
    let place = Place::new();
    place.open("plugins/a.so").unwrap();
    place.open("plugins/../plugins/./a.so").unwrap();
    place.set_mode("plugins/a.so", 0o400);
    place.set_mode("plugins", 0o700);
    place.open("plugins/a.so").unwrap();
}

#[test]
fn what_everybody_can_write_to_is_refused_until_the_command_has_run() {
    for (name, mode) in [
        ("plugins/a.so", 0o646),
        ("plugins/a.so", 0o1646),
        ("plugins", 0o757),
        ("", 0o777),
    ] {
        let place = Place::new();
        place.set_mode(name, mode);
        let error = place.open("plugins/a.so").unwrap_err();
        let expected = ("load.world_writable", place.at(name));
        assert_eq!(refusal(&error), expected, "{mode:o}");
        let message = error.to_string();
        for said in [format!("{mode:04o}"), format!("{:04o}", mode & !0o022)] {
            assert!(message.contains(&said), "{message}");
        }
        do_as_told(&error);
        place.open("plugins/a.so").unwrap();
    }
}

#[test]
fn a_sticky_folder_is_passed_through_and_holds_no_plugin() {
    let place = Place::new();
    place.set_mode("", 0o1777);
    place.open("plugins/a.so").unwrap();
    place.set_mode("plugins", 0o1777);
    let error = place.open("plugins/a.so").unwrap_err();
    let folder = place.at("plugins");
    assert_eq!(refusal(&error), ("load.world_writable", folder.clone()));
    // Nobody should take the rights from a folder that is meant for all.
    do_as_told(&error);
    fs::rename(folder.join("a.so"), folder.join("plugins/a.so")).unwrap();
    place.open("plugins/plugins/a.so").unwrap();
}

#[test]
fn a_stranger_owns_neither_the_file_nor_its_folder_nor_a_link() {
    let place = Place::new();
    let ours = fs::metadata(place.at("")).unwrap().uid();
    // Nobody is trusted but the stranger.
    let trust = Trust::of_owners(vec![STRANGER, STRANGER]);
    let error = trust.open(&place.at("plugins/a.so")).unwrap_err();
    let folder = place.at("plugins");
    assert_eq!(refusal(&error), ("load.foreign_owner", folder));
    let sides = format!("belongs to user {ours}, expected {STRANGER}");
    assert!(error.to_string().ends_with(&sides), "{error}");
    // Libraries aren't asked, so every folder on the way to them is.
    let folders = [place.at("plugins")];
    let error = trust.check_run_paths(&folders).unwrap_err();
    assert_eq!(refusal(&error), ("load.foreign_owner", "/".into()));
    // Only root can give files away.
    if !is_root() {
        return;
    }
    place.link("plugins/link.so", "a.so");
    for (name, way) in [
        ("plugins/a.so", "plugins/a.so"),
        ("plugins/link.so", "plugins/link.so"),
        ("plugins", "plugins/a.so"),
    ] {
        let own = |trusted: &[u32]| Trust::new(&place.at("plugins"), false, trusted);
        lchown(place.at(name), Some(STRANGER), None).unwrap();
        let error = own(&[]).open(&place.at(way)).unwrap_err();
        assert_eq!(refusal(&error), ("load.foreign_owner", place.at(name)));
        let message = error.to_string();
        let sides = format!("belongs to user {STRANGER}, expected {ours}");
        assert!(message.contains(&sides), "{message}");
        assert!(error.help().contains("--trust-owner 54321"));
        own(&[STRANGER]).open(&place.at(way)).unwrap();
        do_as_told(&error);
        own(&[]).open(&place.at(way)).unwrap();
    }
    // Further up it is enough that nobody else can write there.
    chown(place.at(""), Some(STRANGER), None).unwrap();
    place.open("plugins/a.so").unwrap();
    let error = place.run_path("plugins").unwrap_err();
    assert_eq!(refusal(&error), ("load.foreign_owner", place.at("")));
}

#[test]
fn root_trusts_the_owner_of_a_folder_that_was_named() {
    if !is_root() {
        return;
    }
    let place = Place::new();
    for name in ["plugins", "plugins/a.so"] {
        chown(place.at(name), Some(STRANGER), None).unwrap();
    }
    place.open("plugins/a.so").unwrap();
    for (folder, is_named) in [(place.at("plugins"), false), ("/".into(), true)] {
        let trust = Trust::new(&folder, is_named, &[]);
        let error = trust.open(&place.at("plugins/a.so")).unwrap_err();
        assert_eq!(error.code(), "load.foreign_owner", "{is_named}");
    }
}

#[test]
fn a_group_may_write_only_if_it_is_the_owners_own() {
    let place = Place::new();
    let metadata = fs::metadata(place.at("plugins/a.so")).unwrap();
    for (name, mode) in [("plugins/a.so", 0o664), ("plugins", 0o775)] {
        place.set_mode(name, mode);
        let trust = place.trust();
        let opened = trust.open(&place.at("plugins/a.so"));
        match opened {
            Ok(_) => {
                assert!(is_private(metadata.gid(), metadata.uid()));
                assert!(trust.lax_contains(&place.at(name)));
            }
            Err(error) => {
                assert!(!is_private(metadata.gid(), metadata.uid()));
                assert_eq!(refusal(&error), ("load.group_writable", place.at(name)));
            }
        }
        if is_root() {
            chown(place.at(name), None, Some(STRANGER)).unwrap();
            let error = place.open("plugins/a.so").unwrap_err();
            assert_eq!(refusal(&error), ("load.group_writable", place.at(name)));
            assert!(error.to_string().contains("group 54321"), "{error}");
            do_as_told(&error);
            place.open("plugins/a.so").unwrap();
        }
    }
}

#[test]
fn a_private_group_has_one_member() {
    let users = "root:x:0:0:root:/root:/bin/sh\n\
                 ann:x:1000:1000::/home/ann:/bin/sh\n\
                 bob:x:1001:100::/home/bob:/bin/sh\n\
                 cy:x:1002:100::/home/cy:/bin/sh\n\
                 dee:x:1003:1003\n";
    let groups = "root:x:0:\nann:x:1000:ann\nusers:x:100:\nstaff:x:50:\ndee:x:1003:ann,dee\n";
    for (group, user, expected) in [
        (0, 0, true),
        (1000, 1000, true),
        // Two have it as their first group; another member; not the owner's; nobody's.
        (100, 1001, false),
        (1003, 1003, false),
        (1000, 0, false),
        (50, 0, false),
        (7, 7, false),
    ] {
        let found = is_private_in(users, groups, group, user);
        assert_eq!(found, expected, "{group} of {user}");
    }
    // A group that only a directory service knows.
    assert!(!is_private_in(users, "", 1000, 1000));
}

#[test]
fn a_link_is_followed_and_what_it_leads_to_is_judged() {
    let place = Place::new();
    for (name, target) in [
        ("plugins/relative.so", "../plugins/a.so"),
        ("plugins/twice.so", "relative.so"),
        ("elsewhere", "plugins"),
        ("plugins/loop.so", "loop.so"),
        ("plugins/folder.so", "../plugins"),
        ("plugins/nothing.so", "nowhere/a.so"),
        ("linked", "plugins"),
    ] {
        place.link(name, target);
    }
    symlink(place.at("plugins/a.so"), place.at("plugins/absolute.so")).unwrap();
    place.open("plugins/twice.so").unwrap();
    place.open("elsewhere/absolute.so").unwrap();
    let folder = place.open("plugins/folder.so").unwrap_err();
    assert_eq!(
        folder.to_string(),
        "expected a regular file, found a directory"
    );
    for (name, said) in [
        ("plugins/loop.so", "levels of symbolic links"),
        (
            "plugins/nothing.so",
            "plugins/nowhere/a.so`, which is not there",
        ),
        (
            "linked/nothing.so",
            "plugins/nowhere/a.so`, which is not there",
        ),
        // The folder's link is fine, whatever isn't in it.
        ("linked/missing.so", "can't be read: No such file"),
    ] {
        let error = place.open(name).unwrap_err();
        assert!(error.to_string().contains(said), "{error}");
    }

    fs::create_dir(place.at("open")).unwrap();
    fs::write(place.at("open/b.so"), "content").unwrap();
    place.link("plugins/b.so", "../open/b.so");
    place.open("plugins/b.so").unwrap();
    place.set_mode("open", 0o777);
    let expected = ("load.world_writable", place.at("open"));
    assert_eq!(place.refusal("plugins/b.so"), expected);
    // A link that lies there leads into a folder that is fine; somebody may make it lead elsewhere.
    place.link("open/c.so", "../plugins/a.so");
    place.link("plugins/c.so", "../open/c.so");
    assert_eq!(place.refusal("plugins/c.so"), expected);
}

#[test]
fn what_is_no_file_is_told_without_opening_it() {
    let place = Place::new();
    let path = place.at("plugins/pipe.so");
    let (kind, mode) = (rustix::fs::FileType::Fifo, rustix::fs::Mode::RWXU);
    rustix::fs::mknodat(rustix::fs::CWD, &path, kind, mode, 0).unwrap();
    let error = place.open("plugins/pipe.so").unwrap_err();
    assert!(error.to_string().contains("pipe"), "{error}");
    for name in ["plugins", "/", "plugins/.."] {
        let error = place.open(name).unwrap_err();
        assert_eq!(error.code(), "load.not_regular_file", "{name}");
    }
    let error = place.open("plugins/a.so/b.so").unwrap_err();
    assert!(error.to_string().contains("Not a directory"), "{error}");
}

#[test]
fn a_run_path_is_judged_whether_it_is_there_or_not() {
    let place = Place::new();
    place.run_path("plugins").unwrap();
    place.run_path("plugins/none/such").unwrap();
    place.run_path("plugins/a.so").unwrap();

    place.set_mode("plugins", 0o1777);
    fs::create_dir(place.at("plugins/lib")).unwrap();
    place.run_path("plugins/lib").unwrap();
    // Whoever comes first makes the folder.
    for name in ["plugins", "plugins/none/such", "plugins/a.so"] {
        let error = place.run_path(name).unwrap_err();
        assert_eq!(
            refusal(&error),
            ("load.world_writable", place.at("plugins"))
        );
        let message = error.to_string();
        let run_path = format!("run path `{}`", place.at(name).display());
        assert!(message.contains(&run_path), "{message}");
        assert!(error.help().contains("--remove-rpath"));
    }
    // So does who owns what a link leads to.
    place.link("lib", "plugins/none");
    assert!(place.run_path("lib").is_err());
}

#[test]
fn a_path_is_one_word_of_a_shell() {
    for (path, word) in [
        ("/opt/a-b_1.so", "/opt/a-b_1.so"),
        ("/a b", "'/a b'"),
        ("/it's;", r"'/it'\''s;'"),
        ("/$HOME", "'/$HOME'"),
    ] {
        assert_eq!(quoted(path), word);
    }
}
