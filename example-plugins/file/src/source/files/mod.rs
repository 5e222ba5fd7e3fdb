//! The files that are known: where each is and stands, and which of them have to be read next.
//!
//! A file is known by its inode, so a rename doesn't change what is known of it. It is *rotated* once
//! the pattern no longer names it: then it is read to its end before the file that has its path now, and
//! behind it the other files that were rotated away from that path later.

mod known;
mod look;
mod rotation;

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use plugin_api::Position;

use super::found::{Age, Found};
use super::input::Input;
use super::passed_over::PassedOver;
use super::pattern::Pattern;
use super::position::{Identity, Stand};
use super::stands::Stands;
use super::watch::Watch;
use known::Known;

/// Least time between two looks.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// Longest time between two looks, where nothing has told of a change.
const LOOK_ANYWAY: Duration = Duration::from_secs(1);

/// Most files that are kept open while others are read. An open file can be read to its end even when
/// it was removed.
const KEPT_OPEN: usize = 256;

/// When a file is done with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    /// Where it ends at present; new files aren't looked for.
    AtOnce,
    /// Where it ends once it was not written to for a while.
    OnceSettled,
    /// Never, but for one that was rotated.
    Never,
}

/// The known files that have or had one path.
#[derive(Debug, Default)]
struct Series {
    /// The one that has it.
    present: Option<Identity>,
    /// The others, the oldest first.
    rotated: Vec<(Option<Age>, Identity)>,
}

/// A file that has to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Visit {
    pub(super) file: Identity,
    /// It need not be read further than this while others wait.
    pub(super) length: u64,
    /// Whether it is finished where it ends: a line without its newline is one then.
    pub(super) finish: bool,
}

/// All of them.
#[derive(Debug)]
pub(super) struct Files {
    pattern: Pattern,
    known: BTreeMap<Identity, Known>,
    /// Where each stands; that of the file that is being read is brought up to date before a look.
    stands: Stands,
    /// What the last look found beside them that was rotated, and the files of each path.
    beside: Vec<(Found, PathBuf)>,
    series: BTreeMap<PathBuf, Series>,
    queue: VecDeque<Visit>,
    passed: PassedOver,
    next_look: Instant,
    last_look: Instant,
    watch: Watch,
    /// Whether a folder is watched only since the last look, or a file is waited for.
    look_anyway: bool,
    /// Files that aren't known yet begin at their end, not at their beginning.
    start_at_end: bool,
    /// Whether it was looked at all.
    has_looked: bool,
    open: usize,
}

impl Files {
    /// Nothing is looked for yet. The stands are those of the position.
    pub(super) fn new(pattern: Pattern, stands: Stands, start_at_end: bool) -> Self {
        let known = stands.files().into_iter();
        Self {
            // To look at one file is no more work than to ask.
            watch: Watch::new(pattern.one().is_none()),
            look_anyway: true,
            last_look: Instant::now(),
            pattern,
            known: known.map(|file| (file, Known::missing())).collect(),
            stands,
            beside: Vec::new(),
            series: BTreeMap::new(),
            queue: VecDeque::new(),
            passed: PassedOver::default(),
            next_look: Instant::now(),
            start_at_end,
            has_looked: false,
            open: 0,
        }
    }

    /// Whether there is none at all.
    pub(super) fn is_empty(&self) -> bool {
        self.known.is_empty()
    }

    /// The next file to read.
    pub(super) fn next(&mut self) -> Option<Visit> {
        self.queue.pop_front()
    }

    /// Whether another one waits.
    pub(super) fn others_wait(&self) -> bool {
        !self.queue.is_empty()
    }

    /// Puts a file that turned out to be another one than thought before all that wait.
    pub(super) fn visit_first(&mut self, visit: Visit) {
        self.queue.push_front(visit);
    }

    /// Time until it may be worth looking again.
    pub(super) fn until_look(&self) -> Duration {
        self.next_look.saturating_duration_since(Instant::now())
    }

    /// Whether there may be something new. Where there isn't, the next question is worth a while.
    pub(super) fn may_have_changed(&mut self) -> bool {
        let may =
            self.watch.has_changed() || self.look_anyway || self.last_look.elapsed() >= LOOK_ANYWAY;
        if !may {
            self.next_look = Instant::now() + LOOK_AGAIN;
        }
        may
    }

    /// Where a file was found last.
    pub(super) fn path(&self, file: Identity) -> String {
        let known = self.known.get(&file);
        known.map_or_else(String::new, |known| known.path.display().to_string())
    }

    /// The path that the source was given, if it isn't a glob.
    pub(super) fn one_path(&self) -> Option<&Path> {
        self.pattern.one()
    }

    /// Notes where a file stands that was read.
    pub(super) fn set_stand(&mut self, stand: Stand) {
        self.stands.set(stand);
    }

    /// What is behind the positions of this file, of which few or many will be needed.
    pub(super) fn others(&mut self, than: Identity, few: bool) -> io::Result<String> {
        self.stands.others(than, few)
    }

    /// A position is durable.
    pub(super) fn is_durable(&mut self, position: &Position) {
        self.stands.is_durable(position);
    }

    /// Where a file stands: at its beginning if it wasn't begun.
    pub(super) fn stand(&self, file: Identity) -> Stand {
        self.stands
            .get(file)
            .unwrap_or_else(|| Stand::start_of(file))
    }

    /// Opens a file, or takes it open as it was left. `None` if there is another one at its path
    /// meanwhile; then the next look finds where it is.
    pub(super) fn open(&mut self, file: Identity) -> io::Result<Option<Input>> {
        let Some(known) = self.known.get_mut(&file) else {
            return Ok(None);
        };
        if let Some(input) = known.input.take() {
            self.open -= 1;
            return Ok(Some(input));
        }
        let input = Input::open(&known.path)?;
        Ok(input.filter(|input| input.identity == file))
    }

    /// Takes a file back, while another one is read or looked for.
    pub(super) fn keep(&mut self, input: Input) {
        if let Some(known) = self.known.get_mut(&input.identity)
            && (self.open < KEPT_OPEN || !known.is_there)
        {
            known.input = Some(input);
            self.open += 1;
        }
    }

    /// Whether a file was read up to here before.
    pub(super) fn had_read(&self, file: Identity, read: u64) -> bool {
        let known = self.known.get(&file);
        known.is_some_and(|known| known.read == Some(read))
    }

    /// Notes that a file was read up to its present end, and no more.
    pub(super) fn was_read(&mut self, file: Identity, read: u64, partial: bool, done: bool) {
        if let Some(known) = self.known.get_mut(&file) {
            known.read = Some(read);
            known.partial = partial;
            known.done = done;
            known.unreadable = false;
        }
    }

    /// Notes that a file can't be read at present. It stands where it stood, and is tried again.
    pub(super) fn pass_over(&mut self, file: Identity, error: &io::Error) {
        if let Some(known) = self.known.get_mut(&file)
            && !known.unreadable
        {
            known.unreadable = true;
            self.passed.untold(&known.path, error);
        }
    }

    /// Tells the log of paths that are passed over and weren't before.
    pub(super) fn tell_of_passed_over(&mut self) {
        self.passed.tell();
    }
}
