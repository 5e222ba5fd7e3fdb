//! Calls that block in the plugin, whatever their context says.

use std::thread;

use plugin_host::{Context, ContextEnd, StreamError};
use serde_json::json;

use super::Case;

/// A call that blocks is pending until its context is cancelled; then it has exactly that error,
/// though the plugin still blocks. What the plugin returns in the end does no harm.
pub(super) fn block(
    case: &Case,
    name: &str,
    call: impl FnOnce(&Context) -> Result<(), StreamError> + Send,
) {
    let held = case.script.hold(name);
    let (context, handle) = Context::background().with_cancel();
    thread::scope(|scope| {
        let calling = scope.spawn(move || call(&context));
        held.wait();
        assert!(!calling.is_finished(), "{name} did not wait for the plugin");
        handle.cancel();
        let result = calling.join().unwrap();
        assert_eq!(result, Err(ContextEnd::Cancelled.into()), "{name}");
    });
    held.release(json!({}));
}
