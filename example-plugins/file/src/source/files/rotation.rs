//! Files that have lost their path or their content: where the rest of what was in them is now.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Instant;

use super::super::found::{Found, is_made_of, is_numbered};
use super::super::input::{Input, Mismatch};
use super::super::pattern::folder_of;
use super::super::position::{Identity, Stand};
use super::{Files, Known};

impl Files {
    /// A file has less, or something else, than what was read of it. Where a copy was made before
    /// (copytruncate), that one is read from where this one stood; then this one from its beginning.
    /// Returns whether there is one.
    pub(in super::super) fn was_truncated(
        &mut self,
        file: Identity,
        why: &Mismatch,
    ) -> io::Result<bool> {
        let Some(known) = self.known.get_mut(&file) else {
            return Ok(false);
        };
        (known.read, known.partial) = (None, false);
        let (path, series) = (known.path.clone(), known.series.clone());
        let folders = [folder_of(&series)];
        let mut beside = self.pattern.rotated(&folders, &mut self.passed)?;
        beside.retain(|(_, of)| *of == series);
        let copied = self.take_copy(self.stand(file), beside.iter().collect())?;
        self.stands.remove(file);
        let what = match &copied {
            Some(copy) => format!("its copy `{}` first", copy.display()),
            None => "it from its beginning, so that nothing is skipped".to_owned(),
        };
        log::warn!("`{}` {why}; reading {what}", path.display());
        Ok(copied.is_some())
    }

    /// A file isn't anywhere: goes on with its copy (a compressed one, as a rule), or forgets it. Returns
    /// where it stood if there is nothing of it any more.
    pub(super) fn is_gone(&mut self, file: Identity) -> io::Result<Option<Stand>> {
        let Some(known) = self.known.get(&file) else {
            return Ok(None);
        };
        let (done, series) = (known.done, known.series.clone());
        let stand = self.stand(file);
        let mut copied = None;
        if !done {
            // After a restart nobody knows what path it had.
            let of_any = series.as_os_str().is_empty();
            let beside = std::mem::take(&mut self.beside);
            let of_it = beside.iter().filter(|(_, of)| of_any || *of == series);
            let taken = self.take_copy(stand, of_it.collect());
            self.beside = beside;
            copied = taken?;
        }
        self.known.remove(&file);
        self.stands.remove(file);
        if let Some(copy) = &copied {
            log::info!("`{}` is a copy of the file read before", copy.display());
        }
        Ok((!done && copied.is_none()).then_some(stand))
    }

    /// Tells of files of which there is nothing any more, of all in one.
    pub(super) fn tell_of_gone(&self, gone: &[Stand], new: &[Found]) {
        match (self.pattern.one(), gone, new) {
            (_, [], _) => {}
            (Some(path), [stand], [found]) => log::warn!(
                "`{}` {}; reading it from its beginning, so that nothing is skipped",
                path.display(),
                Mismatch::OtherFile {
                    now: found.identity(),
                    then: stand.file
                }
            ),
            (_, [stand], _) => log::warn!(
                "the file ({}) that was read up to byte {} isn't there any more",
                stand.file,
                stand.offset
            ),
            (_, [stand, ..], _) => log::warn!(
                "{} files that were read aren't there any more; the first ({}) was read up to byte {}",
                gone.len(),
                stand.file,
                stand.offset
            ),
        }
    }

    /// Goes on in a copy of a file that stood here, the newest if there are several.
    fn take_copy(
        &mut self,
        stand: Stand,
        mut beside: Vec<&(Found, PathBuf)>,
    ) -> io::Result<Option<PathBuf>> {
        // Without a head anything would be a copy.
        if stand.head.length() == 0 {
            return Ok(None);
        }
        beside.sort_by_key(|(found, _)| found.age());
        for (found, series) in beside.into_iter().rev() {
            let copy = found.identity();
            if self.known.contains_key(&copy) {
                continue;
            }
            let stand = Stand {
                file: copy,
                ..stand
            };
            match is_continued(&found.path, &stand) {
                Ok(false) => {}
                Ok(true) => {
                    self.known.insert(copy, Known::new(found, series.clone()));
                    self.stands.set(stand);
                    return Ok(Some(found.path.clone()));
                }
                Err(error) if self.pattern.one().is_none() => {
                    self.passed.hidden(&found.path, &error);
                }
                Err(error) => return Err(error),
            }
        }
        Ok(None)
    }

    /// A file that was rotated is done with: takes in its successors. Returns whether it was, and nothing
    /// more is to be known of it.
    pub(in super::super) fn leave(&mut self, file: Identity, input: &Input) -> bool {
        let Some(known) = self.known.get(&file) else {
            return false;
        };
        let removed = known.rotated && input.is_removed();
        if !known.may_be_left(self.series.get(&known.series)) && !removed {
            return false;
        }
        let later = self.later(known);
        let later =
            later.map(|(found, series)| (found.identity(), Known::new(found, series.clone())));
        let later: Vec<_> = later.collect();
        if !removed && later.is_empty() && !self.has_successor(file, known) {
            if let Some(known) = self.known.get_mut(&file) {
                known.lingers = true;
            }
            return false;
        }
        log::info!(
            "`{}` is another file now; the one before ({file}) was read to its end",
            known.series.display()
        );
        self.known.remove(&file);
        self.stands.remove(file);
        // Its successors wait.
        self.next_look = Instant::now();
        for (file, known) in later {
            log::info!("`{}` was rotated meanwhile", known.path.display());
            // The pattern doesn't name it, so it is listed although it wasn't begun.
            self.stands.set(Stand::start_of(file));
            self.known.insert(file, known);
        }
        true
    }

    /// Has those files left that were waiting for a successor with something in it.
    pub(super) fn end_lingering(&mut self) {
        let lingering = self.known.iter().filter(|(_, known)| known.lingers);
        let ended = lingering.filter(|(file, known)| {
            self.has_successor(**file, known) || self.later(known).next().is_some()
        });
        let ended: Vec<_> = ended.map(|(file, _)| *file).collect();
        for file in ended {
            if let Some(known) = self.known.get_mut(&file) {
                known.lingers = false;
            }
        }
    }

    /// Whether a file is known that has, or had, the same path later, and isn't empty.
    fn has_successor(&self, file: Identity, known: &Known) -> bool {
        let Some(series) = self.series.get(&known.series) else {
            return false;
        };
        let present = series.present.and_then(|present| self.known.get(&present));
        present.is_some_and(|known| known.length > 0)
            || series.rotated.iter().any(|(_, other)| *other != file)
    }

    /// Files that aren't known and were rotated away from the same path later.
    fn later<'f>(&'f self, than: &'f Known) -> impl Iterator<Item = &'f (Found, PathBuf)> {
        self.beside.iter().filter(|(found, series)| {
            *series == than.series
                && is_numbered(&found.path, series)
                && Some(found.age()) > than.age
                && !is_made_of(&found.path, &than.path)
                && !self.known.contains_key(&found.identity())
        })
    }
}

/// Whether a file has what was read up to there.
fn is_continued(path: &Path, stand: &Stand) -> io::Result<bool> {
    match Input::open(path)? {
        Some(mut input) => Ok(input.go_to(stand)?.is_ok()),
        None => Ok(false),
    }
}
