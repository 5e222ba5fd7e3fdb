//! Catches panics before they reach the boundary.
//!
//! A panic that crosses would end the process: `abi_stable` calls `exit(1)`, plain `extern "C"`
//! aborts. It has to be caught in the plugin's own copy of the standard library; the host's copy
//! would see a foreign exception.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::error::{Error, ErrorKind, Result};

/// Runs a connector's code; a panic becomes an error of kind [`ErrorKind::Panic`].
pub(crate) fn guarded<T>(call: impl FnOnce() -> Result<T>) -> Result<T> {
    // The caller poisons the instance after a panic and never touches its state again but to drop
    // it, so a broken invariant stays unseen: that is what `AssertUnwindSafe` asserts.
    catch_unwind(AssertUnwindSafe(call)).unwrap_or_else(|payload| Err(panic_error(payload)))
}

fn panic_error(payload: Box<dyn Any + Send>) -> Error {
    let text = match payload.downcast::<&'static str>() {
        Ok(text) => (*text).to_owned(),
        Err(payload) => match payload.downcast::<String>() {
            Ok(text) => *text,
            Err(payload) => {
                // Its drop is unknown code that could panic again.
                #[expect(clippy::mem_forget, reason = "dropping an unknown payload may panic")]
                std::mem::forget(payload);
                "a value that is no text".to_owned()
            }
        },
    };
    Error::new(ErrorKind::Panic, format!("panic: {text}")).with_code("plugin.panic")
}

/// One connector's state and whether it may still be used.
///
/// A panic poisons this instance and no other one. Dropping works all the same, and a panic in a
/// drop is caught too.
#[derive(Debug)]
pub(super) struct Guarded<T> {
    state: Option<T>,
    poisoned: bool,
}

impl<T> Guarded<T> {
    pub(super) fn new(state: T) -> Self {
        Self {
            state: Some(state),
            poisoned: false,
        }
    }

    /// Calls into the connector.
    pub(super) fn call<R>(&mut self, call: impl FnOnce(&mut T) -> Result<R>) -> Result<R> {
        if self.poisoned {
            return Err(Error::new(
                ErrorKind::Panic,
                "the instance is unusable because it has panicked before",
            )
            .with_code("plugin.poisoned"));
        }
        let Some(state) = &mut self.state else {
            return Err(Error::new(ErrorKind::Closed, "the instance was torn down"));
        };
        // Not by the error's kind: a connector may hand on the panic of another thread.
        let mut has_returned = false;
        let result = guarded(|| {
            let result = call(state);
            has_returned = true;
            result
        });
        self.poisoned = !has_returned;
        result
    }

    /// Takes the state out and consumes it; nothing happens the second time. A poisoned state is
    /// only dropped.
    pub(super) fn finish(&mut self, finish: impl FnOnce(T) -> Result<()>) -> Result<()> {
        match self.state.take() {
            None => Ok(()),
            Some(state) if self.poisoned => guarded(|| {
                drop(state);
                Ok(())
            }),
            Some(state) => guarded(|| finish(state)),
        }
    }
}

impl<T> Drop for Guarded<T> {
    fn drop(&mut self) {
        let dropped = self.finish(|state| {
            drop(state);
            Ok(())
        });
        if let Err(error) = dropped {
            log::error!("a connector panicked while it was dropped: {error:#}");
        }
    }
}
