//! A value that one thread at a time has; waiting for it ends with a context.

use std::ops::{Deref, DerefMut};

use crossbeam_channel::{Receiver, Sender, bounded};

use super::context::Context;
use super::wait::{Interrupted, receive};

/// A value that one thread at a time has; waiting for it ends with a context.
#[derive(Debug)]
pub(super) struct Turn<T> {
    give: Sender<T>,
    take: Receiver<T>,
}

impl<T> Turn<T> {
    pub(super) fn new(value: T) -> Self {
        let (give, take) = bounded(1);
        give.send(value).ok();
        Self { give, take }
    }

    pub(super) fn take(&self, contexts: &[&Context]) -> Result<Taken<'_, T>, Interrupted> {
        receive(contexts, &self.take).map(|value| Taken {
            value: Some(value),
            give: &self.give,
        })
    }
}

/// The value, until it is dropped.
pub(super) struct Taken<'a, T> {
    value: Option<T>,
    give: &'a Sender<T>,
}

impl<T> Deref for Taken<'_, T> {
    type Target = T;

    #[expect(clippy::expect_used, reason = "it is there until the drop")]
    fn deref(&self) -> &T {
        self.value.as_ref().expect("the value")
    }
}

impl<T> DerefMut for Taken<'_, T> {
    #[expect(clippy::expect_used, reason = "it is there until the drop")]
    fn deref_mut(&mut self) -> &mut T {
        self.value.as_mut().expect("the value")
    }
}

impl<T> Drop for Taken<'_, T> {
    fn drop(&mut self) {
        if let Some(value) = self.value.take() {
            // There is room: it was taken from there.
            self.give.send(value).ok();
        }
    }
}
