//! A look at the folders: what is where now, and what has to be read because of it.

use std::collections::BTreeSet;
use std::io;
use std::path::PathBuf;
use std::time::{Instant, SystemTime};

use super::super::input::Input;
use super::super::pattern::{Found, folder_of};
use super::super::position::{Identity, Stand};
use super::{Ending, Files, Known, LOOK_AGAIN, Visit};

/// Part of its time that a source spends looking, at most, where it has nothing to read.
const SHARE: u32 = 20;

impl Files {
    /// Finds out what there is, and which files have to be read. Returns whether one that can't be
    /// finished yet is waited for.
    pub(in super::super) fn look(&mut self, ending: Ending, now: SystemTime) -> io::Result<bool> {
        let begun = Instant::now();
        let found = self.pattern.find()?;
        let folders = self.folders(&found);
        let is_new = self.watch.cover(&folders);
        let mut new = Vec::new();
        let mut here = BTreeSet::new();
        for found in found {
            let file = found.identity();
            // One with several names is read once.
            if !here.insert(file) {
                continue;
            }
            match self.known.get_mut(&file) {
                Some(known) => known.is_at(&found, found.path.clone()),
                None => new.push(found),
            }
        }
        let moved: Vec<Identity> = self.known.keys().copied().collect();
        let moved: Vec<_> = moved
            .into_iter()
            .filter(|file| !here.contains(file))
            .collect();
        // What was found above comes first: so a file that is rotated meanwhile is known or found here.
        self.beside.clear();
        if !moved.is_empty() {
            self.beside = self.pattern.rotated(&folders)?;
            self.find_moved(moved, &new)?;
        }
        self.add(new, ending)?;
        self.has_looked = true;
        self.sort_series();
        self.end_lingering();
        let waits = self.fill_queue(ending, now);
        (self.last_look, self.look_anyway) = (begun, is_new || waits);
        // A run that is to end does little else.
        let share = if ending == Ending::Never { SHARE } else { 0 };
        self.next_look = Instant::now() + LOOK_AGAIN.max(begun.elapsed() * share);
        Ok(waits)
    }

    /// Folders in which files may lie that were rotated.
    fn folders(&self, found: &[Found]) -> Vec<PathBuf> {
        let known = self.known.values().filter(|known| known.is_there);
        let known = known.map(|known| folder_of(&known.path));
        let found = found.iter().map(|found| folder_of(&found.path));
        let folders: BTreeSet<_> = known.chain(found).chain([self.pattern.folder()]).collect();
        folders.into_iter().collect()
    }

    /// Looks for files that the pattern no longer names.
    fn find_moved(&mut self, moved: Vec<Identity>, new: &[Found]) -> io::Result<()> {
        for (found, series) in &self.beside {
            if let Some(known) = self.known.get_mut(&found.identity()) {
                known.is_at(found, series.clone());
            }
        }
        let beside: BTreeSet<_> = self
            .beside
            .iter()
            .map(|(found, _)| found.identity())
            .collect();
        for file in moved.into_iter().filter(|file| !beside.contains(file)) {
            let Some(known) = self.known.get_mut(&file) else {
                continue;
            };
            known.is_there = false;
            known.rotated = true;
            if let Some(input) = &known.input {
                known.note(&input.metadata()?);
            } else {
                self.is_gone(file, new)?;
            }
        }
        Ok(())
    }

    /// Sorts the files by the paths that they have or had.
    fn sort_series(&mut self) {
        self.series.clear();
        for (file, known) in &self.known {
            let series = self.series.entry(known.series.clone()).or_default();
            if known.rotated {
                series.rotated.push((known.age, *file));
            } else {
                series.present = Some(*file);
            }
        }
        for series in self.series.values_mut() {
            series.rotated.sort_unstable();
        }
    }

    /// Takes in files that weren't known.
    fn add(&mut self, new: Vec<Found>, ending: Ending) -> io::Result<()> {
        if self.has_looked && ending == Ending::AtOnce {
            return Ok(());
        }
        for found in new {
            let file = found.identity();
            if self.known.contains_key(&file) {
                continue;
            }
            if self.start_at_end
                && !self.has_looked
                && let Some(mut input) = Input::open(&found.path)?
            {
                let end = input.end()?;
                log::info!(
                    "`{}` is read from byte {} on",
                    found.path.display(),
                    end.offset
                );
                self.stands.set(end);
            } else {
                // Should it be rotated while the source doesn't run, the next run has to know it.
                self.stands.set(Stand::start_of(file));
            }
            let series = found.path.clone();
            self.known.insert(file, Known::new(&found, series));
        }
        Ok(())
    }

    /// Puts the files that have to be read into their order: by when they were written to last, so that
    /// older ones come first.
    fn fill_queue(&mut self, ending: Ending, now: SystemTime) -> bool {
        let mut waits = false;
        let mut visits = Vec::new();
        for (file, known) in &self.known {
            let series = self.series.get(&known.series);
            // The oldest that was rotated comes first; the others wait for it.
            let oldest = series.and_then(|series| series.rotated.first());
            if known.done || known.lingers || oldest.is_some_and(|(_, first)| first != file) {
                continue;
            }
            let leaves = known.may_be_left(series);
            let unfinished = leaves || (known.partial && ending == Ending::OnceSettled);
            let finish = ending == Ending::AtOnce || (unfinished && known.is_settled(now));
            if known.read != Some(known.length) || finish {
                let visit = Visit {
                    file: *file,
                    length: known.length,
                    finish,
                };
                visits.push((known.modified, visit));
            } else {
                waits |= unfinished;
            }
        }
        visits.sort_by_key(|(modified, visit)| (*modified, visit.file));
        self.queue = visits.into_iter().map(|(_, visit)| visit).collect();
        waits
    }
}
