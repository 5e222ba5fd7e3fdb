//! A tokio of the plugin's own, for connectors whose client is async. Feature `tokio`.
//!
//! A plugin file has its own copy of tokio with its own thread-locals: a runtime of the host would be
//! no runtime in here, and one plugin's is none in another. So a connector makes its own [`Runtime`],
//! which goes with it. Its client needs features of tokio such as `net`: the connector's crate depends
//! on `tokio` with these, and Cargo makes one tokio of both.
//!
//! | a connector wants | it calls |
//! |---|---|
//! | to read from a client that is async | [`Runtime::feed`] |
//! | to await something in a call | [`Runtime::block_on`] |
//! | to await something in `open`, which has no context, or to spawn a task | [`Runtime::handle`] |
//! | to acknowledge records when tasks have written them | [`Writes`] |

mod contained;
mod feeder;
mod runtime;
#[cfg(test)]
mod tests;
mod writes;

pub use feeder::AsyncFeeder;
pub use runtime::Runtime;
pub use writes::Writes;
