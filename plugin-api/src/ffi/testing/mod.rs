//! What a host lends to a plugin, made for tests: services, contexts, batches and sinks for answers;
//! and the mark of the threads that a connector starts.
//!
//! Owns all that needs `unsafe` of a host that only tests one connector; what is tested is
//! [`testing`](crate::testing)'s.

mod buffer;
mod context;
#[cfg(feature = "testing")]
mod host;
#[cfg(feature = "testing")]
mod mark;
#[cfg(any(feature = "testing", all(test, feature = "tokio")))]
mod sink;

pub(crate) use buffer::TestBuffer;
pub(crate) use context::TestContext;
#[cfg(feature = "testing")]
pub(crate) use host::TestHost;
#[cfg(feature = "testing")]
pub(crate) use mark::Mark;
#[cfg(any(feature = "testing", all(test, feature = "tokio")))]
pub(crate) use sink::with_sink;
