//! The queue for tasks, which wait by a [`task::Waker`](Waker) and never block.
//!
//! Nothing in here knows which runtime they run on.

use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use super::feeder::FeedClosed;
use super::queue::{Entry, Queue, State};
use super::size;
use crate::error::Result;
use crate::record::Record;

impl Queue {
    /// Pushes the record, which is taken then, as soon as there is room.
    pub(crate) fn poll_push(
        &self,
        record: &mut Option<Record>,
        context: &mut Context<'_>,
    ) -> Poll<Result<(), FeedClosed>> {
        let Some(bytes) = record.as_ref().map(size::of) else {
            return Poll::Ready(Ok(()));
        };
        let mut state = self.lock();
        if !state.is_closed && state.is_full(self.capacity, bytes) {
            state.wait(context.waker());
            return Poll::Pending;
        }
        let entry = record.take().map(|record| Entry { record, bytes });
        Poll::Ready(entry.map_or(Ok(()), |entry| Self::add(state, entry)))
    }

    /// Whether the run ends where the data ends, as soon as that is known.
    pub(crate) fn poll_until_end(
        &self,
        context: &mut Context<'_>,
    ) -> Poll<Result<bool, FeedClosed>> {
        let mut state = self.lock();
        match state.open_run() {
            Err(closed) => Poll::Ready(Err(closed)),
            Ok(Some(run)) => Poll::Ready(Ok(run.until_end)),
            Ok(None) => {
                state.wait(context.waker());
                Poll::Pending
            }
        }
    }

    /// Polls what feeds the queue, unless that is closed.
    pub(crate) fn poll_feeding<F: Future<Output = Result<()>>>(
        &self,
        feeding: Pin<&mut F>,
        context: &mut Context<'_>,
    ) -> Poll<Result<()>> {
        let mut state = self.lock();
        if state.is_closed {
            return Poll::Ready(Err(FeedClosed.into()));
        }
        state.feeding = Some(context.waker().clone());
        drop(state);
        feeding.poll(context)
    }
}

impl State {
    fn wait(&mut self, waker: &Waker) {
        if !self.waiting.iter().any(|other| other.will_wake(waker)) {
            self.waiting.push(waker.clone());
        }
    }
}
