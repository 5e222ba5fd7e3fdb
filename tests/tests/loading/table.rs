//! All faults at once: each gets its own error, and the plugins between them load.

use std::collections::BTreeSet;
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;

use forebay_tests::{Folder, plugin_file};
use plugin_host::loader::LoadFrom;
use plugin_host::{Registry, ScanOptions};

use super::faults::{self, Fault};
use super::{DESTINATION, SOURCE, file_name, full_name, ready, refused};

fn every_fault_is_told_apart(load_from: LoadFrom) {
    let folder = Folder::new();
    // One before all the others, one after.
    folder.copy("1-good.so", &plugin_file(SOURCE));
    folder.copy("z-good.so", &plugin_file(DESTINATION));
    let faults = faults::put_all(&folder);
    let options = ScanOptions {
        load_from,
        ..ScanOptions::default()
    };
    let registry = Registry::standalone(&[folder.path()], &options);

    let alone = |fault: &Fault| Registry::standalone(&[folder.at(fault.name())], &options);
    let mut wrong: Vec<String> = faults
        .iter()
        .filter_map(|fault| match fault.is_opened() {
            true => check(fault, &alone(fault)),
            false => check(fault, &registry),
        })
        .collect();
    let expected: BTreeSet<_> = faults.iter().map(|fault| &*fault.file).collect();
    let unexpected = refused(&registry)
        .into_iter()
        .filter(|(file, _)| !expected.contains(file));
    wrong.extend(unexpected.map(|(file, code)| format!("{file}: refused with {code}")));
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
    assert_eq!(
        ready(&registry),
        [full_name(DESTINATION), full_name(SOURCE)]
    );
    assert!(registry.shadowed().is_empty());
}

/// What is wrong with the error of a file, if anything.
fn check(fault: &Fault, registry: &Registry) -> Option<String> {
    let file = &fault.file;
    let mut found = registry
        .quarantined()
        .iter()
        .filter(|quarantined| file_name(&quarantined.path) == file);
    let (Some(quarantined), None) = (found.next(), found.next()) else {
        return Some(format!("{file}: not quarantined once"));
    };
    let error = &quarantined.error;
    let (message, help) = (error.to_string(), error.help());
    let is_as_expected = error.code() == fault.code
        && error.stage() == fault.stage
        && fault.says.iter().all(|text| message.contains(text))
        && fault.helps.iter().all(|text| help.contains(text))
        && ![&message, &help].iter().any(|line| line.contains('\n'));
    (!is_as_expected).then(|| {
        format!(
            "{file}: expected {} in stage {}, {:?}, help {:?}\n    found {} in stage {}: {message}\n    help: {help}",
            fault.code,
            fault.stage,
            fault.says,
            fault.helps,
            error.code(),
            error.stage(),
        )
    })
}

#[test]
fn every_fault_has_its_own_error_when_loaded_from_memory() {
    every_fault_is_told_apart(LoadFrom::Memory);
}

#[test]
fn every_fault_has_its_own_error_when_loaded_from_a_copy() {
    let copies = Folder::new();
    let images = copies.at("images");
    every_fault_is_told_apart(LoadFrom::Copy(images.clone()));
    // The two good ones, and those that were opened before they were refused.
    assert!(std::fs::read_dir(images).unwrap().count() > 2);
}

#[test]
fn a_folder_that_others_can_write_to_holds_no_copies() {
    let (folder, copies) = (Folder::new(), Folder::new());
    folder.copy("good.so", &plugin_file(SOURCE));
    std::fs::set_permissions(copies.path(), Permissions::from_mode(0o777)).unwrap();
    let options = ScanOptions {
        load_from: LoadFrom::Copy(copies.path()),
        ..ScanOptions::default()
    };
    let registry = Registry::standalone(&[folder.path()], &options);
    assert_eq!(refused(&registry), [("good.so", "load.image")]);
    let message = registry.quarantined()[0].error.to_string();
    assert!(message.contains("0777, expected 0700"), "{message}");
}
