//! A look at the folders: what is where now, and what has to be read because of it.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Instant, SystemTime};

use super::super::found::Found;
use super::super::input::Input;
use super::super::pattern::folder_of;
use super::super::position::{Identity, Stand};
use super::{Ending, Files, Known, LOOK_AGAIN, Series, Visit};

/// Part of its time that a source spends looking, at most, where it has nothing to read.
const SHARE: u32 = 20;

impl Files {
    /// Finds out what there is, and which files have to be read. Returns whether one that can't be
    /// finished yet is waited for.
    pub(in super::super) fn look(&mut self, ending: Ending, now: SystemTime) -> io::Result<bool> {
        let begun = Instant::now();
        self.passed.begin();
        let found = self.pattern.find(&mut self.passed)?;
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
            self.beside = self.pattern.rotated(&folders, &mut self.passed)?;
            self.find_moved(moved, &new)?;
        }
        self.add(new, ending)?;
        self.has_looked = true;
        self.sort_series();
        self.end_lingering();
        self.passed.tell();
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
        let mut gone = Vec::new();
        for file in moved.into_iter().filter(|file| !beside.contains(file)) {
            let Some(known) = self.known.get_mut(&file) else {
                continue;
            };
            let path = Some(&*known.path).filter(|path| !path.as_os_str().is_empty());
            if self.passed.may_hide(path) {
                continue;
            }
            known.is_there = false;
            known.rotated = true;
            if let Some(input) = &known.input {
                known.note(&input.metadata()?);
            } else {
                gone.extend(self.is_gone(file)?);
            }
        }
        self.tell_of_gone(&gone, new);
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
        let mut from_end = Vec::new();
        for found in new {
            let file = found.identity();
            if self.known.contains_key(&file) {
                continue;
            }
            // Should it be rotated while the source doesn't run, the next run has to know it.
            let mut stand = Stand::start_of(file);
            let at_end = self.start_at_end && !self.has_looked;
            match at_end.then(|| end_of(&found.path)).transpose() {
                Ok(end) => {
                    if let Some(end) = end.flatten() {
                        stand = end;
                        from_end.push((found.path.clone(), end.offset));
                    }
                }
                Err(error) if self.pattern.one().is_none() => {
                    self.passed.hidden(&found.path, &error);
                }
                Err(error) => return Err(error),
            }
            self.stands.set(stand);
            let series = found.path.clone();
            self.known.insert(file, Known::new(&found, series));
        }
        match &*from_end {
            [] => {}
            [(path, offset)] => {
                log::info!("`{}` is read from byte {offset} on", path.display());
            }
            all => log::info!("{} files are read from their ends on", all.len()),
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
            let oldest = series.and_then(|series| self.oldest(series));
            let waits_for_older = oldest.is_some_and(|first| first != *file);
            if known.done || known.lingers || (waits_for_older && !known.unreadable) {
                continue;
            }
            // Tried once where the run is to end, else again and again. One that isn't anywhere is hidden.
            let tried = known.unreadable && ending != Ending::Never;
            if tried || !(known.is_there || known.input.is_some()) {
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

    /// The file of a series that was rotated first, of those that can be read.
    fn oldest(&self, series: &Series) -> Option<Identity> {
        let mut rotated = series.rotated.iter().map(|(_, file)| *file);
        rotated.find(|file| !self.known.get(file).is_some_and(|known| known.unreadable))
    }
}

/// Where the last line of a file ends; `None` if there is no file.
fn end_of(path: &Path) -> io::Result<Option<Stand>> {
    match Input::open(path)? {
        Some(mut input) => input.end().map(Some),
        None => Ok(None),
    }
}
