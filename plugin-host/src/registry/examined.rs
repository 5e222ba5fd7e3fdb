//! What a scan would make of some folders, as far as that can be told without opening any file.
//!
//! The rules for several files with the same plugin are those of `scan`; what it finds by opening a
//! file stays unknown, so one that would be refused then still goes before the others.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use super::{PluginKind, PluginName, ScanOptions, explicit_name, plugin_files};
use crate::loader::{Examined, LoadError, examine};

/// Looks at every plugin file of some folders as [`examine`] does at one, and tells also which of
/// them would not be used because of the others. An earlier folder goes before a later one.
///
/// A folder that can't be read has no plugins. The result has the order of the folders, and in them
/// that of the files' names.
#[must_use]
pub fn examine_folders(folders: &[PathBuf], options: &ScanOptions) -> Vec<Examined> {
    let mut all = Vec::new();
    let mut used: HashMap<PluginName, PathBuf> = HashMap::new();
    for folder in folders {
        let files = plugin_files(folder).unwrap_or_default();
        let mut files: Vec<_> = files.iter().map(|file| examine(file, options)).collect();
        for (name, group) in groups(&files) {
            match used.get(&name) {
                Some(by) => refuse(&mut files, &group, |_| shadowed(by, false)),
                None => {
                    judge(&mut files, &group, &name);
                    let first = &files[group[0]];
                    if first.refusals.is_empty() {
                        used.insert(name, first.path.clone());
                    }
                }
            }
        }
        all.append(&mut files);
    }
    all
}

/// The files with nothing wrong, by the plugin that they say they are.
fn groups(files: &[Examined]) -> HashMap<PluginName, Vec<usize>> {
    let mut groups: HashMap<_, Vec<_>> = HashMap::new();
    for (i, file) in files.iter().enumerate() {
        let marker = file.marker.as_ref().filter(|_| file.refusals.is_empty());
        let name =
            marker.and_then(|it| explicit_name(PluginKind::Standalone, &it.specification).ok());
        if let Some(name) = name {
            groups.entry(name).or_default().push(i);
        }
    }
    groups
}

/// Judges the files of one folder that are the same plugin in the same version.
fn judge(files: &mut [Examined], group: &[usize], name: &PluginName) {
    let first = &files[group[0]];
    let (path, hash) = (first.path.clone(), first.hash.clone());
    let mut others = group.iter().map(|&i| &files[i]);
    let other = others.find(|file| file.hash != hash);
    match other.map(|other| other.path.clone()) {
        Some(other) => refuse(files, group, |file| LoadError::Duplicate {
            name: name.to_string(),
            other: if file == path { &other } else { &path }.clone(),
        }),
        None => refuse(files, &group[1..], |_| shadowed(&path, true)),
    }
}

fn refuse(files: &mut [Examined], group: &[usize], why: impl Fn(&Path) -> LoadError) {
    for &i in group {
        let error = why(&files[i].path);
        files[i].refusals.push(error);
    }
}

fn shadowed(by: &Path, is_copy: bool) -> LoadError {
    LoadError::Shadowed {
        by: by.to_owned(),
        is_copy,
    }
}
