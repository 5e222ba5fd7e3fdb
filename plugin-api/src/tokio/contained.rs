//! Keeps the panics of an author's future from a task, which would end without a word.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll};

use crate::error::Result;
use crate::ffi::guarded;

/// Polls the future to its end and drops it; a panic of either becomes an error.
pub(super) async fn contained<F>(
    future: F,
    mut poll: impl FnMut(Pin<&mut F>, &mut Context<'_>) -> Poll<Result<()>>,
) -> Result<()> {
    let mut future = Box::pin(future);
    let result = poll_fn(|context| {
        guarded(|| Ok(poll(future.as_mut(), context)))
            .unwrap_or_else(|panic| Poll::Ready(Err(panic)))
    })
    .await;
    let dropped = guarded(|| {
        drop(future);
        Ok(())
    });
    result.and(dropped)
}
