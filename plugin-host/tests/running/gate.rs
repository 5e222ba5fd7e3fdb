//! Calls that hang until their test lets them go.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// Calls that hang wait here until the test lets them go.
static GATE: (Mutex<Gate>, Condvar) = (
    Mutex::new(Gate {
        open: false,
        waiting: 0,
    }),
    Condvar::new(),
);

struct Gate {
    open: bool,
    waiting: usize,
}

/// The gate is one for the whole process, and so is what is told of stuck calls: tests of them take turns.
pub(crate) fn turn() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    close();
    turn
}

/// Calls hang from now on.
pub(crate) fn close() {
    GATE.0.lock().unwrap_or_else(PoisonError::into_inner).open = false;
}

/// Hangs until the test lets it go.
pub(crate) fn hang() {
    let mut gate = GATE.0.lock().unwrap_or_else(PoisonError::into_inner);
    gate.waiting += 1;
    GATE.1.notify_all();
    while !gate.open {
        gate = GATE.1.wait(gate).unwrap_or_else(PoisonError::into_inner);
    }
    gate.waiting -= 1;
    GATE.1.notify_all();
}

/// Waits until a call hangs.
pub(crate) fn wait_for_a_hang() {
    let mut gate = GATE.0.lock().unwrap_or_else(PoisonError::into_inner);
    while gate.waiting == 0 {
        gate = GATE.1.wait(gate).unwrap_or_else(PoisonError::into_inner);
    }
}

/// Lets go what hangs, and waits until it has gone on.
pub(crate) fn release() {
    let mut gate = GATE.0.lock().unwrap_or_else(PoisonError::into_inner);
    gate.open = true;
    GATE.1.notify_all();
    while gate.waiting > 0 {
        gate = GATE.1.wait(gate).unwrap_or_else(PoisonError::into_inner);
    }
}
