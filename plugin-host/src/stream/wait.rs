//! Waiting on a channel until a context ends.

use crossbeam_channel::{Receiver, Select, TryRecvError};

use super::context::{Context, ContextEnd};

/// Why a wait on a channel had no result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Interrupted {
    /// One of the contexts has ended.
    Ended(ContextEnd),
    /// The other side of the channel is gone.
    Closed,
}

/// Receives, until one of the contexts ends. What is there already comes before their end.
pub(super) fn receive<T>(contexts: &[&Context], from: &Receiver<T>) -> Result<T, Interrupted> {
    match from.try_recv() {
        Ok(value) => return Ok(value),
        Err(TryRecvError::Disconnected) => return Err(Interrupted::Closed),
        Err(TryRecvError::Empty) => {}
    }
    let mut select = Select::new();
    let from_index = select.recv(from);
    let tokens: Vec<_> = contexts.iter().flat_map(|it| it.cancelled()).collect();
    for token in &tokens {
        select.recv(token);
    }
    let earliest = contexts.iter().filter_map(|it| it.deadline()).min();
    let operation = match earliest {
        Some(deadline) => select.select_deadline(deadline),
        None => Ok(select.select()),
    };
    let end = match operation {
        Err(_) => ContextEnd::DeadlineExceeded,
        Ok(operation) if operation.index() == from_index => {
            return operation.recv(from).map_err(|_| Interrupted::Closed);
        }
        Ok(operation) => {
            let token = tokens[operation.index() - 1];
            // Nothing is ever sent: it is closed.
            operation.recv(token).ok();
            ContextEnd::Cancelled
        }
    };
    // Of what is ready at once the selection takes any.
    from.try_recv().map_err(|_| Interrupted::Ended(end))
}

/// Waits until something is there to be selected, or the context ends.
pub(super) fn ready<'a>(context: &'a Context, mut select: Select<'a>) {
    for token in context.cancelled() {
        select.recv(token);
    }
    match context.deadline() {
        Some(deadline) => select.ready_deadline(deadline).ok(),
        None => Some(select.ready()),
    };
}

#[cfg(test)]
mod tests {
    use std::thread;
    use std::time::Duration;

    use crossbeam_channel::bounded;

    use super::*;

    #[test]
    fn a_wait_ends_with_any_of_its_contexts() {
        let (_sender, receiver) = bounded::<()>(0);
        let (first, handle) = Context::background().with_cancel();
        let second = Context::background().with_timeout(Duration::from_secs(60));
        let waiter = thread::spawn(move || receive(&[&second, &first], &receiver));
        handle.cancel();
        assert_eq!(
            waiter.join().expect("the waiter"),
            Err(Interrupted::Ended(ContextEnd::Cancelled))
        );
    }

    #[test]
    fn what_is_there_comes_before_the_end() {
        let (sender, receiver) = bounded(1);
        let (context, handle) = Context::background().with_cancel();
        handle.cancel();
        sender.send(7).expect("room");
        assert_eq!(receive(&[&context], &receiver), Ok(7));
        assert_eq!(
            receive(&[&context], &receiver),
            Err(Interrupted::Ended(ContextEnd::Cancelled))
        );
        drop(sender);
        assert_eq!(receive(&[&context], &receiver), Err(Interrupted::Closed));
    }

    #[test]
    fn what_is_there_or_the_end_of_the_context_ends_a_rest() {
        let (sender, receiver) = bounded::<()>(1);
        let selecting = || {
            let mut select = Select::new();
            select.recv(&receiver);
            select
        };
        let (cancelled, handle) = Context::background().with_cancel();
        handle.cancel();
        ready(&cancelled, selecting());
        let short = Context::background().with_timeout(Duration::from_millis(10));
        ready(&short, selecting());
        assert!(short.end().is_some());
        sender.send(()).expect("room");
        ready(&Context::background(), selecting());
    }
}
