//! What Linux tells of folders.

use std::io;
use std::path::Path;

use ::inotify::{EventMask, Inotify, WatchMask};

use super::Changes;

/// An instance of inotify: one descriptor, however many folders it watches.
#[derive(Debug)]
pub(super) struct System(Inotify);

impl System {
    pub(super) fn new() -> Option<Self> {
        let inotify = Inotify::init();
        inotify
            .inspect_err(|error| log::info!("inotify can't be had, looking instead: {error}"))
            .ok()
            .map(Self)
    }

    pub(super) fn add(&mut self, folder: &Path) -> bool {
        let content = WatchMask::MODIFY | WatchMask::ATTRIB;
        let names = WatchMask::CREATE | WatchMask::DELETE | WatchMask::MOVE;
        self.0.watches().add(folder, content | names).is_ok()
    }

    pub(super) fn changes(&mut self) -> Changes {
        let mut changes = Changes::None;
        let mut buffer = [0; 4096];
        loop {
            match self.0.read_events(&mut buffer) {
                Ok(events) => {
                    let mut any = false;
                    for event in events {
                        any = true;
                        if event.mask.contains(EventMask::IGNORED) {
                            changes = Changes::Folders;
                        }
                    }
                    if !any {
                        return changes;
                    }
                    if !matches!(changes, Changes::Folders) {
                        changes = Changes::Some;
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return changes,
                Err(_) => return Changes::Some,
            }
        }
    }
}
