//! Where nothing tells of changes, as outside Linux: whoever asks looks for himself.

use std::path::Path;

use super::Changes;

/// Can never be had.
#[derive(Debug)]
pub(super) enum System {}

impl System {
    pub(super) fn new() -> Option<Self> {
        None
    }

    pub(super) fn add(&mut self, _: &Path) -> bool {
        match *self {}
    }

    pub(super) fn changes(&mut self) -> Changes {
        match *self {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_can_be_had_that_tells_of_changes() {
        assert!(System::new().is_none());
        // Has the form that `Watch` needs, also where it isn't what `Watch` uses.
        let _add: fn(&mut System, &Path) -> bool = System::add;
        let _changes: fn(&mut System) -> Changes = System::changes;
    }
}
