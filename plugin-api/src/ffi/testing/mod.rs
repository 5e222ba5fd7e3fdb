//! What a host lends to a plugin, made for tests: services, contexts, batches and sinks for answers.
//!
//! Owns all that needs `unsafe` of a host that only tests one connector; what is tested is
//! [`testing`](crate::testing)'s.

mod buffer;
mod context;
#[cfg(feature = "testing")]
mod host;
#[cfg(any(feature = "testing", all(test, feature = "tokio")))]
mod sink;

pub(crate) use buffer::TestBuffer;
pub(crate) use context::TestContext;
#[cfg(feature = "testing")]
pub(crate) use host::TestHost;
#[cfg(any(feature = "testing", all(test, feature = "tokio")))]
pub(crate) use sink::with_sink;
