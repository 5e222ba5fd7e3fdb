//! What a pipeline is doing or how it has ended, and the stream of these changes.

use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, TrySendError, bounded};

use super::error::PipelineError;

/// What a pipeline is doing.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Status {
    /// Its connectors are being opened.
    Starting,
    /// Records flow, or are waited for.
    Running,
    /// It was asked to stop and isn't over yet.
    Stopping,
    /// It has failed and waits to be tried again.
    Recovering {
        /// Why it has failed.
        error: Arc<PipelineError>,
        /// Number of the try to come, from 1.
        attempt: u32,
        /// How long it waits.
        delay: Duration,
    },
    /// It is over; of a failed one the outcome says why.
    Over(Outcome),
}

/// How a pipeline's run has ended.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Outcome {
    /// Every source has ended, and all of its records are written and their positions stored.
    Ended,
    /// The pipeline was stopped; what it has read is written and its positions stored, but for what a
    /// rate still held back then: that is read again.
    Stopped,
    /// The pipeline was stopped by force; what was not confirmed is read again.
    Forced,
    /// The pipeline has failed; what was not confirmed is read again.
    Failed(Arc<PipelineError>),
}

/// The status of a pipeline has changed.
#[derive(Debug, Clone)]
pub struct Event {
    /// Identity of the pipeline.
    pub pipeline: String,
    /// What it does from now on.
    pub status: Status,
}

/// Most events that wait for one who listens (I5).
const WAITING: usize = 1024;

/// The events of an engine's pipelines, from when they were asked for: an iterator that waits.
///
/// It ends when the engine and the last of its pipelines are gone. One who doesn't listen loses the
/// oldest events once 1,024 wait, never the newest; nobody else waits for him.
#[derive(Debug)]
pub struct Events {
    incoming: Receiver<Event>,
    /// Tells that somebody listens.
    _listening: Arc<()>,
}

impl Events {
    /// Waits for the next event, at most for the time given; `None` when there was none.
    pub fn next_timeout(&self, timeout: Duration) -> Option<Event> {
        self.incoming.recv_timeout(timeout).ok()
    }
}

impl Iterator for Events {
    type Item = Event;

    fn next(&mut self) -> Option<Event> {
        self.incoming.recv().ok()
    }
}

/// Passes events on to all who listen.
#[derive(Debug, Default)]
pub(super) struct Listeners(Mutex<Vec<Listener>>);

#[derive(Debug)]
struct Listener {
    events: Sender<Event>,
    /// The other end, to make room.
    waiting: Receiver<Event>,
    listening: Weak<()>,
}

impl Listeners {
    pub(super) fn add(&self) -> Events {
        let (events, incoming) = bounded(WAITING);
        let listening = Arc::new(());
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.push(Listener {
            events,
            waiting: incoming.clone(),
            listening: Arc::downgrade(&listening),
        });
        Events {
            incoming,
            _listening: listening,
        }
    }

    pub(super) fn tell(&self, pipeline: &str, status: &Status) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|listener| listener.listening.strong_count() > 0);
        for listener in &*all {
            let mut event = Event {
                pipeline: pipeline.to_owned(),
                status: status.clone(),
            };
            while let Err(TrySendError::Full(full)) = listener.events.try_send(event) {
                listener.waiting.try_recv().ok();
                event = full;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_does_not_listen_loses_the_oldest() {
        let listeners = Listeners::default();
        let slow = listeners.add();
        for number in 0..WAITING + 2 {
            listeners.tell(&number.to_string(), &Status::Running);
        }
        drop(listeners);
        let heard: Vec<_> = slow.map(|event| event.pipeline).collect();
        assert_eq!((heard.len(), &*heard[0]), (WAITING, "2"));
        assert_eq!(heard[WAITING - 1], (WAITING + 1).to_string());
    }

    #[test]
    fn who_has_gone_is_forgotten() {
        let listeners = Listeners::default();
        let stays = listeners.add();
        drop(listeners.add());
        listeners.tell("p", &Status::Starting);
        assert_eq!(listeners.0.lock().unwrap().len(), 1);
        assert!(stays.next_timeout(Duration::ZERO).is_some());
        assert!(stays.next_timeout(Duration::ZERO).is_none());
    }
}
