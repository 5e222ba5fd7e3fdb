//! Whether a group is one user's own.
//!
//! Many systems give each user a group of the same name with nobody else in it, and let it write to
//! the user's files. What is known is what `/etc/passwd` and `/etc/group` say; users and groups of
//! a directory service aren't seen, and a group that isn't in the files is nobody's.

use std::fs;

/// Whether nobody but the user is in the group.
pub(super) fn is_private(group: u32, user: u32) -> bool {
    let read = |path| fs::read(path).map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    let (Ok(users), Ok(groups)) = (read("/etc/passwd"), read("/etc/group")) else {
        return false;
    };
    is_private_in(&users, &groups, group, user)
}

pub(super) fn is_private_in(users: &str, groups: &str, group: u32, user: u32) -> bool {
    let number = |field: Option<&&str>| field.and_then(|text| text.parse::<u32>().ok());
    let mut names = Vec::new();
    for line in users.lines() {
        // name:password:user:group:…
        let fields: Vec<_> = line.split(':').collect();
        if number(fields.get(3)) != Some(group) {
            continue;
        }
        if number(fields.get(2)) != Some(user) {
            return false;
        }
        names.push(fields[0]);
    }
    let mut is_there = false;
    for line in groups.lines() {
        // name:password:group:member,member
        let fields: Vec<_> = line.split(':').collect();
        if number(fields.get(2)) != Some(group) {
            continue;
        }
        is_there = true;
        let members = fields.get(3).copied().unwrap_or_default();
        let mut members = members.split(',').map(str::trim);
        if members.any(|name| !name.is_empty() && !names.contains(&name)) {
            return false;
        }
    }
    is_there && !names.is_empty()
}
