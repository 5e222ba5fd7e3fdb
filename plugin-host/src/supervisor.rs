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

/// The call that a session was seen in, and since when.
struct Seen {
    ticket: u64,
    since: Instant,
    /// The last round in which it was seen.
    round: u64,
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
        for round in 0.. {
            for run in self.wait_for_runs() {
                run.tick();
                sample(&run, &mut seen, round);
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

fn sample(run: &Arc<Run>, seen: &mut HashMap<u64, Seen>, round: u64) {
    let now = Instant::now();
    for session in run.sessions() {
        let Some((call, ticket)) = session.watch().running() else {
            continue;
        };
        let entry = seen.entry(session.watch().id()).or_insert(Seen {
            ticket: 0,
            since: now,
            round,
        });
        if entry.ticket != ticket {
            *entry = Seen {
                ticket,
                since: now,
                round,
            };
            session.context().set_call_end(now + session.budget());
        }
        entry.round = round;
        let mut end = entry.since + session.budget();
        if let Some(forced) = run.forced_at() {
            end = end.min(forced.max(entry.since) + FORCED_GRACE);
        }
        if now >= end && session.watch().detach(ticket) {
            // A plugin that waits in a loop of its own learns that nobody wants its result.
            session
                .context()
                .signal(Wakeups(Wakeups::CANCEL.0 | Wakeups::STOP.0));
            run.detached(session.connector(), call, now - entry.since);
        }
    }
}
