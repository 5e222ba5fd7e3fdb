//! What the connectors and the store of a case share: the script of the round, and the journal.

use std::collections::BTreeMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use plugin_api::Error;
use plugin_host::Pipeline;

use super::case::{Case, Place, Round};

/// Something that has happened. What a connector answers is noted before the host can know, what is
/// stored before the store says so: whatever the host does because of it stands behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Entry {
    /// A source was opened behind this number.
    SourceOpened {
        source: usize,
        behind: u64,
    },
    DestinationOpened {
        destination: usize,
    },
    QueueOpened,
    /// A source has put a record into a batch.
    Read {
        source: usize,
        number: u64,
    },
    /// A destination was given a record.
    Given {
        destination: usize,
        sequence: u64,
        source: usize,
        number: u64,
    },
    /// It has answered it.
    Answered {
        destination: usize,
        source: usize,
        number: u64,
        ok: bool,
    },
    /// The dead-letter queue was given a letter.
    LetterGiven {
        sequence: u64,
    },
    /// It has confirmed the letter about this record.
    Letter {
        source: usize,
        number: u64,
    },
    /// A destination has failed, or has broken the rules.
    DestinationFailed {
        destination: usize,
    },
    /// The dead-letter queue has failed, or has refused a letter.
    QueueFailed,
    /// A stop was forced.
    Forced,
    /// A position is stored; the store may say that it isn't.
    Stored {
        source: usize,
        number: u64,
        ok: bool,
    },
    /// A source was told of a position.
    Acked {
        source: usize,
        number: u64,
    },
}

/// The surroundings of all connectors of a case.
pub(super) struct World {
    pub(super) case: Arc<Case>,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    journal: Vec<Entry>,
    round: Option<Round>,
    handle: Arc<OnceLock<Pipeline>>,
    /// How often each place was reached in this round.
    calls: BTreeMap<Place, usize>,
    /// Calls of all connectors in this round.
    steps: usize,
}

/// How long a slow commit waits at most for sources that read on.
const SLOW: Duration = Duration::from_millis(5);

impl World {
    pub(super) fn new(case: Arc<Case>) -> Self {
        Self {
            case,
            state: Mutex::default(),
            changed: Condvar::new(),
        }
    }

    /// Begins a round; returns where its pipeline belongs, by which connectors stop it.
    pub(super) fn begin(&self, round: &Round) -> Arc<OnceLock<Pipeline>> {
        let handle = Arc::new(OnceLock::new());
        *self.lock() = State {
            round: Some(round.clone()),
            handle: Arc::clone(&handle),
            ..State::default()
        };
        handle
    }

    pub(super) fn take_journal(&self) -> Vec<Entry> {
        std::mem::take(&mut self.lock().journal)
    }

    pub(super) fn note(&self, entry: Entry) {
        self.lock().journal.push(entry);
        self.changed.notify_all();
    }

    /// A connector is called: the call that is to stop the pipeline does so.
    pub(super) fn step(&self) {
        let stop = {
            let mut state = self.lock();
            let step = state.steps;
            state.steps += 1;
            let stop = state.round.as_ref().and_then(|round| round.stop);
            let due = stop.filter(|(at, _)| *at == step);
            due.map(|(_, forced)| (forced, Arc::clone(&state.handle)))
        };
        match stop {
            Some((true, handle)) => {
                handle.wait().force_stop();
                self.note(Entry::Forced);
            }
            Some((false, handle)) => handle.wait().stop(),
            None => {}
        }
    }

    /// Whether the script has this call fail, and with what.
    pub(super) fn fault(&self, place: Place) -> Option<Error> {
        let mut state = self.lock();
        let calls = state.calls.entry(place).or_default();
        let call = *calls;
        *calls += 1;
        let faults = state.round.iter().flat_map(|round| &round.faults);
        let mut here = faults.filter(|it| it.place == place && it.call == call);
        here.next().map(|fault| match fault.transient {
            true => std::io::Error::other("busy").into(),
            false => Error::fatal("broken"),
        })
    }

    /// Lets sources read on for a moment.
    pub(super) fn dawdle(&self) {
        let state = self.lock();
        let steps = state.steps;
        let waited = self
            .changed
            .wait_timeout_while(state, SLOW, |state| state.steps < steps + 4);
        drop(waited.unwrap_or_else(PoisonError::into_inner));
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
