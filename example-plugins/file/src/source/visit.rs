//! From file to file: which one is read, up to where, and what the source does when none has anything.

use std::io;
use std::time::{Duration, SystemTime};

use plugin_api::{BatchWriter, Context, Progress, Result};

use super::Lines;
use super::files::Ending;
use super::input::Input;
use super::position::Place;

/// Longest time between two looks for something new.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// Bytes of a file from which on it has many records.
const MUCH: u64 = 16 << 10;

impl Lines {
    /// Begins with the file whose turn it is, or goes on with it.
    pub(super) fn begin_next(&mut self, batch: &mut BatchWriter) -> Result<()> {
        let Some(visit) = self.files.next() else {
            return Ok(());
        };
        let file = visit.file;
        let opened = self.files.open(file);
        let path = self.files.path(file);
        let failed = |error: io::Error| super::failed(&path, "can't be read", &error);
        let Some(mut input) = opened.map_err(failed)? else {
            return Ok(());
        };
        // Of the file that was read last the beginning of a line may be here.
        let here = self.at.as_ref().filter(|at| at.stand().file == file);
        let stand = here.map_or_else(|| self.files.stand(file), Place::stand);
        let gone = if here.is_some() {
            let read = stand.offset + self.unread.bytes().len() as u64;
            input.still_has(read, stand.head)
        } else {
            input.go_to(&stand)
        };
        let is_here = here.is_some();
        match gone.map_err(failed)? {
            Ok(()) => {
                if !is_here {
                    self.unread.clear();
                }
                let few = visit.length.saturating_sub(stand.offset) < MUCH;
                let others = self.files.others(file, few).map_err(|error| {
                    super::failed(
                        &self.config.places_folder.display().to_string(),
                        "can't be written",
                        &error,
                    )
                })?;
                self.path = path;
                self.at = Some(Place::new(stand, others));
                self.input = Some(input);
                self.visit = visit;
                self.has_read = false;
            }
            Err(why) => {
                self.files.keep(input);
                let copied = self.files.was_truncated(file, &why).map_err(failed)?;
                if is_here && !copied {
                    self.hand_out_unfinished(batch);
                }
                if is_here {
                    self.at = None;
                }
                if !copied {
                    self.files.visit_first(visit);
                }
            }
        }
        Ok(())
    }

    /// Whether the file was read as far as it has to be while others wait.
    pub(super) fn is_due(&self) -> bool {
        let read = self.at.as_ref().map_or(0, Place::offset) + self.unread.bytes().len() as u64;
        let compressed = self.input.as_ref().is_some_and(Input::is_gzip);
        self.files.others_wait() && self.has_read && read >= self.visit.length && !compressed
    }

    /// Leaves the file for a while.
    pub(super) fn put_aside(&mut self) {
        if let (Some(input), Some(at)) = (self.input.take(), &self.at) {
            self.files.set_stand(at.stand());
            self.files.keep(input);
        }
    }

    /// The file has no further bytes at present.
    pub(super) fn at_end(&mut self, batch: &mut BatchWriter) {
        let at_once = !self.config.follow;
        let read = self.at.as_ref().map_or(0, Place::offset) + self.unread.bytes().len() as u64;
        // Of a compressed file, what it had when it was looked at.
        let compressed = self.input.as_ref().is_some_and(Input::is_gzip);
        let read = if compressed { self.visit.length } else { read };
        let file = self.visit.file;
        // What has come since it was found to be settled says that it isn't.
        let finish = self.visit.finish && (at_once || self.files.had_read(file, read));
        if finish {
            self.hand_out_unfinished(batch);
        }
        let (Some(input), Some(at)) = (self.input.take(), &self.at) else {
            return;
        };
        self.files.set_stand(at.stand());
        if finish && self.files.leave(file, &input) {
            self.at = None;
            self.unread.clear();
            return;
        }
        let partial = !self.unread.bytes().is_empty();
        self.files.was_read(file, read, partial, at_once);
        self.files.keep(input);
    }

    /// Looks for something to read. `None` if there is something, or the progress of a read that found
    /// nothing.
    pub(super) fn look(&mut self, context: &Context) -> Result<Option<Progress>> {
        let ending = match (self.config.follow, context.until_end()) {
            (false, _) => Ending::AtOnce,
            (true, true) => Ending::OnceSettled,
            (true, false) => Ending::Never,
        };
        let wait = self.files.until_look();
        let looks = match ending {
            Ending::AtOnce => true,
            Ending::OnceSettled => wait.is_zero(),
            Ending::Never => wait.is_zero() && self.files.may_have_changed(),
        };
        if looks {
            let looked = self.files.look(ending, SystemTime::now());
            let waits = looked.map_err(|error| self.error("can't be looked for", &error))?;
            if self.files.others_wait() {
                return Ok(None);
            }
            if self.files.is_empty() && self.files.one_path().is_some() {
                self.check_kind()?;
                if ending != Ending::Never {
                    return Err(self.not_there());
                }
                self.say_waiting();
            }
            if ending == Ending::AtOnce || (ending == Ending::OnceSettled && !waits) {
                return Ok(Some(Progress::End));
            }
        }
        let _why = context.wait(self.files.until_look().min(LOOK_AGAIN));
        // Idle would be the end of the data for a run that ends with it.
        Ok(Some(if context.until_end() {
            Progress::More
        } else {
            Progress::Idle
        }))
    }

    /// The file isn't there: says so, once.
    fn say_waiting(&mut self) {
        if !self.said_waiting {
            self.said_waiting = true;
            log::warn!(
                "`{}` isn't there, waiting for it",
                self.config.path.display()
            );
        }
    }
}
