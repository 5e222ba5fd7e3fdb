//! What is known of one file: where it was found, how much it had then, and how far it was read.

use std::fs::Metadata;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use super::Series;
use crate::source::found::{Age, Found};
use crate::source::input::Input;

/// A file that was not written to for so long is taken to be finished by whoever wrote it.
const SETTLED: Duration = Duration::from_secs(1);

/// What is known of a file, but for where it stands.
#[derive(Debug)]
pub(super) struct Known {
    /// Where it was found last; empty until it was.
    pub(super) path: PathBuf,
    /// The path that the pattern names: the same, or what it was before it was rotated.
    pub(super) series: PathBuf,
    pub(super) rotated: bool,
    /// Whether it was found in its folder.
    pub(super) is_there: bool,
    /// Its length when it was last looked at, and when it was last read to its end.
    pub(super) length: u64,
    pub(super) read: Option<u64>,
    /// Whether a line without its newline was read behind where it stands.
    pub(super) partial: bool,
    /// Whether it is done with: see [`Ending::AtOnce`](super::Ending).
    pub(super) done: bool,
    pub(super) modified: Option<SystemTime>,
    pub(super) age: Option<Age>,
    /// Whether it couldn't be read when that was tried last.
    pub(super) unreadable: bool,
    /// Whether it was rotated and read to its end, but has no successor with anything in it yet. It
    /// stays known, so that those are found that come and go while the source doesn't run.
    pub(super) lingers: bool,
    /// Open, while another one is read.
    pub(super) input: Option<Input>,
}

impl Known {
    pub(super) fn new(found: &Found, series: PathBuf) -> Self {
        let mut known = Self::missing();
        known.is_at(found, series);
        known
    }

    /// A file of the position, which wasn't found yet.
    pub(super) fn missing() -> Self {
        Self {
            path: PathBuf::new(),
            series: PathBuf::new(),
            rotated: false,
            is_there: false,
            length: 0,
            read: None,
            partial: false,
            done: false,
            modified: None,
            age: None,
            unreadable: false,
            lingers: false,
            input: None,
        }
    }

    /// Notes where it was found.
    pub(super) fn is_at(&mut self, found: &Found, series: PathBuf) {
        self.rotated = found.path != series;
        self.path.clone_from(&found.path);
        self.series = series;
        self.is_there = true;
        self.age = Some(found.age());
        self.note(&found.metadata);
    }

    pub(super) fn note(&mut self, metadata: &Metadata) {
        self.length = metadata.len();
        self.modified = metadata.modified().ok();
    }

    /// Whether nothing was written to it for a while before `now`. A clock that was set back says so,
    /// too.
    pub(super) fn is_settled(&self, now: SystemTime) -> bool {
        let age = self.modified.and_then(|then| now.duration_since(then).ok());
        age.is_none_or(|age| age >= SETTLED)
    }

    /// Whether nothing more will come into a file that was rotated, so that it may be left once it was
    /// read to its end: there is another one at its path, or it was removed. While there is none, this
    /// is the one that is written to.
    pub(super) fn may_be_left(&self, series: Option<&Series>) -> bool {
        let present = series.is_some_and(|series| series.present.is_some());
        let removed = || self.input.as_ref().is_some_and(Input::is_removed);
        self.rotated && (present || removed())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_settled_a_second_after_it_was_written() {
        let written = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000);
        let known = Known {
            modified: Some(written),
            ..Known::missing()
        };
        for (age, settled) in [(0, false), (999, false), (1000, true)] {
            let now = written + Duration::from_millis(age);
            assert_eq!(known.is_settled(now), settled, "{age}");
        }
        let clock_set_back = written - Duration::from_secs(3600);
        assert!(known.is_settled(clock_set_back));
    }
}
