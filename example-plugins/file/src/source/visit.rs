//! From file to file: which one is read, up to where, and what the source does when none has anything.

use std::io;
use std::time::{Duration, SystemTime};

use plugin_api::{BatchWriter, Context, Progress, Result};

use super::files::{Ending, Visit};
use super::input::{Input, Mismatch};
use super::position::{Identity, Place, Stand};
use super::{Lines, errors};

/// Longest time between two looks for something new.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// Bytes of a file from which on it has many records.
const MUCH: u64 = 16 << 10;

/// A file that was opened, where it stands, and whether it still has what was read of it.
type Opened = (Input, Stand, std::result::Result<(), Mismatch>);

impl Lines {
    /// Begins with the file whose turn it is, or goes on with it.
    pub(super) fn begin_next(&mut self, batch: &mut BatchWriter) -> Result<()> {
        let Some(visit) = self.files.next() else {
            return Ok(());
        };
        // Of the file that was read last the beginning of a line may be here.
        let here = self.at.as_ref().filter(|at| at.stand().file == visit.file);
        let begun = here.map(|at| (at.stand(), self.unread.length()));
        match self.open_again(visit.file, begun) {
            Ok(None) => Ok(()),
            Ok(Some((input, stand, Ok(())))) => {
                if begun.is_none() {
                    self.unread.clear();
                }
                self.begin(visit, input, stand)
            }
            Ok(Some((input, _, Err(why)))) => {
                self.begin_anew(visit, input, &why, begun.is_some(), batch)
            }
            Err(error) => self.pass_over_file(visit.file, &error),
        }
    }

    /// Opens a file and goes to where it stands, or behind what was read of its next line. `None` if
    /// it isn't at its path any more.
    fn open_again(
        &mut self,
        file: Identity,
        begun: Option<(Stand, u64)>,
    ) -> io::Result<Option<Opened>> {
        let Some(mut input) = self.files.open(file)? else {
            return Ok(None);
        };
        let stand = begun.map_or_else(|| self.files.stand(file), |(stand, _)| stand);
        let gone = match begun {
            Some((_, unread)) => input.still_has(stand.offset + unread, stand.head)?,
            None => input.go_to(&stand)?,
        };
        Ok(Some((input, stand, gone)))
    }

    fn begin(&mut self, visit: Visit, input: Input, stand: Stand) -> Result<()> {
        let few = visit.length.saturating_sub(stand.offset) < MUCH;
        let others = self.files.others(visit.file, few).map_err(|error| {
            let folder = self.config.places_folder.display().to_string();
            errors::failed(&folder, "can't be written", &error)
        })?;
        self.path = self.files.path(visit.file);
        self.at = Some(Place::new(stand, others));
        self.input = Some(input);
        self.visit = visit;
        self.has_read = false;
        Ok(())
    }

    /// A file has lost its place: its copy is read first, or it from its beginning.
    fn begin_anew(
        &mut self,
        visit: Visit,
        input: Input,
        why: &Mismatch,
        is_here: bool,
        batch: &mut BatchWriter,
    ) -> Result<()> {
        self.files.keep(input);
        let copied = match self.files.was_truncated(visit.file, why) {
            Ok(copied) => copied,
            Err(error) => return self.pass_over_file(visit.file, &error),
        };
        if is_here && !copied {
            self.hand_out_unfinished(batch);
        }
        if is_here {
            self.at = None;
        }
        if !copied {
            self.files.visit_first(visit);
        }
        Ok(())
    }

    /// The file that is being read can't be read on.
    pub(super) fn pass_over(&mut self, error: &io::Error) -> Result<()> {
        let file = self.visit.file;
        self.input = None;
        if let Some(at) = &self.at {
            self.files.set_stand(at.stand());
        }
        self.pass_over_file(file, error)
    }

    /// A file can't be read: one of a glob is passed over until it can be, so that the others are read.
    fn pass_over_file(&mut self, file: Identity, error: &io::Error) -> Result<()> {
        if self.files.one_path().is_some() {
            let path = self.files.path(file);
            return Err(errors::failed(&path, "can't be read", error));
        }
        self.files.pass_over(file, error);
        Ok(())
    }

    /// Whether the file was read as far as it has to be while others wait.
    pub(super) fn is_due(&self) -> bool {
        let read = self.at.as_ref().map_or(0, Place::offset) + self.unread.length();
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
        let read = self.at.as_ref().map_or(0, Place::offset) + self.unread.length();
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
        self.files.tell_of_passed_over();
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
