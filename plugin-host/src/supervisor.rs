//! The supervisor: one thread of the process that watches the calls of every running pipeline.
//!
//! Drivers read no clock. Every tick the supervisor samples which call each session is in; one that
//! has been in the same call for longer than its budget is detached and its pipeline told. It also
//! gives the pipelines their time for commits. The thread sleeps while no pipeline runs.

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::thread;
use std::time::{Duration, Instant};

use plugin_api::ffi::Wakeups;

use crate::pipeline::Run;

/// Time between two samples.
pub(crate) const TICK: Duration = Duration::from_millis(25);

/// How long a call may go on after its pipeline was stopped by force.
pub(crate) const FORCED_GRACE: Duration = Duration::from_millis(500);

static SUPERVISOR: Supervisor = Supervisor {
    started: Mutex::new(false),
    runs: Mutex::new(Vec::new()),
    added: Condvar::new(),
};

struct Supervisor {
    started: Mutex<bool>,
    runs: Mutex<Vec<Weak<Run>>>,
    added: Condvar,
}

/// Watches this run until it is dropped or over.
///
/// # Errors
///
/// Fails when the thread can't be started; nobody would notice a call that hangs.
pub(crate) fn watch(run: &Arc<Run>) -> io::Result<()> {
    SUPERVISOR.start()?;
    SUPERVISOR.runs().push(Arc::downgrade(run));
    SUPERVISOR.added.notify_one();
    Ok(())
}

/// The call that a session was seen in, and since when by the supervisor's clock.
struct Seen {
    ticket: u64,
    since: Duration,
    /// Since when its pipeline is stopped by force, as far as this call has seen it.
    forced: Option<Duration>,
    /// The last round in which it was seen.
    round: u64,
}

/// Counts the time in which calls could work. A process that was stopped, or a machine that was
/// paused, comes back to a round that is much too late; of that only a few ticks count, or a call
/// that needs a moment more would be taken for one that hangs.
struct Clock {
    last: Instant,
    time: Duration,
}

impl Clock {
    /// Longest round that counts in full.
    const ROUND: Duration = Duration::from_millis(100);

    fn new(now: Instant) -> Self {
        Self {
            last: now,
            time: Duration::ZERO,
        }
    }

    fn advance(&mut self, now: Instant) -> Duration {
        self.time += now.saturating_duration_since(self.last).min(Self::ROUND);
        self.last = now;
        self.time
    }
}

impl Supervisor {
    fn start(&'static self) -> io::Result<()> {
        let mut started = self.started.lock().unwrap_or_else(PoisonError::into_inner);
        if !*started {
            thread::Builder::new()
                .name("forebay-watch".to_owned())
                .spawn(|| self.serve())?;
            *started = true;
        }
        Ok(())
    }

    fn runs(&self) -> MutexGuard<'_, Vec<Weak<Run>>> {
        self.runs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn serve(&self) {
        let mut seen: HashMap<u64, Seen> = HashMap::new();
        let mut clock = Clock::new(Instant::now());
        for round in 0.. {
            let runs = self.wait_for_runs();
            let now = clock.advance(Instant::now());
            for run in runs {
                run.tick();
                sample(&run, &mut seen, round, now);
            }
            seen.retain(|_, seen| seen.round == round);
            thread::sleep(TICK);
        }
    }

    /// The runs that are not over, as soon as there is one.
    fn wait_for_runs(&self) -> Vec<Arc<Run>> {
        let mut runs = self.runs();
        loop {
            runs.retain(|run| run.upgrade().is_some_and(|run| !run.is_over()));
            let alive: Vec<Arc<Run>> = runs.iter().filter_map(Weak::upgrade).collect();
            if !alive.is_empty() {
                return alive;
            }
            runs = self
                .added
                .wait(runs)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }
}

fn sample(run: &Arc<Run>, seen: &mut HashMap<u64, Seen>, round: u64, now: Duration) {
    for session in run.sessions() {
        let Some((call, ticket)) = session.watch().running() else {
            continue;
        };
        let new = Seen {
            ticket,
            since: now,
            forced: None,
            round,
        };
        let id = session.watch().id();
        if seen.get(&id).is_none_or(|seen| seen.ticket != ticket) {
            session
                .context()
                .set_call_end(Instant::now() + session.budget());
            seen.insert(id, new);
        }
        let Some(seen) = seen.get_mut(&id) else {
            continue;
        };
        seen.round = round;
        if run.is_forced() {
            seen.forced.get_or_insert(now);
        }
        let mut end = seen.since.saturating_add(session.budget());
        if let Some(forced) = seen.forced {
            end = end.min(forced + FORCED_GRACE);
        }
        if now >= end && session.watch().detach(ticket) {
            // A plugin that waits in a loop of its own learns that nobody wants its result.
            session
                .context()
                .signal(Wakeups(Wakeups::CANCEL.0 | Wakeups::STOP.0));
            run.detached(session.connector(), call, now - seen.since);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_pause_of_the_process_only_a_round_counts() {
        let begun = Instant::now();
        let mut clock = Clock::new(begun);
        assert_eq!(clock.advance(begun + TICK), TICK);
        let resumed = begun + Duration::from_secs(3600);
        assert_eq!(clock.advance(resumed), TICK + Clock::ROUND);
        assert_eq!(clock.advance(resumed + TICK), 2 * TICK + Clock::ROUND);
    }
}
