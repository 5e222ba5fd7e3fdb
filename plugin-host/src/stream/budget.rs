//! Bounds what waits in a queue, in records and in bytes (I5).

use std::sync::{Mutex, PoisonError};

use crossbeam_channel::{Receiver, Sender, bounded};

use super::context::Context;
use super::wait::{Interrupted, receive};

/// Room for records.
#[derive(Debug)]
pub(super) struct Budget {
    taken: Mutex<Amount>,
    most: Amount,
    /// Full when room was given back since somebody has looked last.
    freed: (Sender<()>, Receiver<()>),
}

/// So many records of so many bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Amount {
    pub(super) records: usize,
    pub(super) bytes: usize,
}

impl Budget {
    pub(super) fn new(most: Amount) -> Self {
        Self {
            taken: Mutex::default(),
            most,
            freed: bounded(1),
        }
    }

    /// Takes room, waiting for it until one of the contexts ends. What is larger than all of it has
    /// it to itself. Who waits for more than was given back may keep others waiting until there is
    /// more: each return of room wakes one.
    pub(super) fn take(&self, contexts: &[&Context], amount: Amount) -> Result<(), Interrupted> {
        loop {
            if self.try_take(amount) {
                // There may be more room than one of those who wait needs.
                self.note_freed();
                return Ok(());
            }
            receive(contexts, &self.freed.1)?;
        }
    }

    fn try_take(&self, amount: Amount) -> bool {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let records = taken.records.saturating_add(amount.records);
        let bytes = taken.bytes.saturating_add(amount.bytes);
        let fits = records <= self.most.records && bytes <= self.most.bytes;
        let fits = fits || *taken == Amount::default();
        if fits {
            *taken = Amount { records, bytes };
        }
        fits
    }

    /// Gives room back.
    pub(super) fn give(&self, amount: Amount) {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        taken.records = taken.records.saturating_sub(amount.records);
        taken.bytes = taken.bytes.saturating_sub(amount.bytes);
        drop(taken);
        self.note_freed();
    }

    fn note_freed(&self) {
        // Fails when it is noted already.
        self.freed.0.try_send(()).ok();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::thread;
    use std::time::Duration;

    use super::super::context::ContextEnd;
    use super::*;

    fn amount(records: usize, bytes: usize) -> Amount {
        Amount { records, bytes }
    }

    #[test]
    fn both_bounds_hold_and_what_is_too_large_goes_alone() {
        let budget = Budget::new(amount(3, 10));
        assert!(budget.try_take(amount(1, 9)));
        assert!(!budget.try_take(amount(1, 2)));
        assert!(budget.try_take(amount(2, 1)));
        assert!(!budget.try_take(amount(1, 0)));
        budget.give(amount(3, 10));
        assert!(budget.try_take(amount(1, 1000)));
        assert!(!budget.try_take(amount(1, 0)));
    }

    #[test]
    fn whoever_waits_gets_what_is_given_back() {
        let budget = Arc::new(Budget::new(amount(2, 100)));
        assert!(budget.try_take(amount(2, 2)));
        let waiting: Vec<_> = (0..2)
            .map(|_| {
                let budget = Arc::clone(&budget);
                thread::spawn(move || budget.take(&[], amount(1, 1)))
            })
            .collect();
        budget.give(amount(2, 2));
        for waiter in waiting {
            assert_eq!(waiter.join().expect("a waiter"), Ok(()));
        }
    }

    #[test]
    fn a_wait_ends_with_its_context() {
        let budget = Budget::new(amount(1, 1));
        assert!(budget.try_take(amount(1, 1)));
        let context = Context::background().with_timeout(Duration::from_millis(10));
        let ended = budget.take(&[&context], amount(1, 1));
        assert_eq!(ended, Err(Interrupted::Ended(ContextEnd::DeadlineExceeded)));
    }
}
