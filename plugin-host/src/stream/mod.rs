//! Streams: one connector, read or written by blocking calls over a thread of its own.
//!
//! The split driver: [`Worker`](worker::Worker) has the thread, a *pump* says what it does between
//! the calls of the host, and [`Life`](life::Life) keeps how far the stream is. Every queue between
//! the two sides is bounded in records and in bytes (I5), and every wait ends with a [`Context`].

mod batch;
mod budget;
mod context;
mod destination;
mod error;
mod life;
mod source;
mod task;
#[cfg(test)]
mod tests;

mod turn;
mod wait;
mod worker;
mod write_error;

pub use batch::RecordBatch;
pub use context::{CancelHandle, Context, ContextEnd};
pub use destination::DestinationStream;
pub use error::StreamError;
pub use source::SourceStream;
pub use write_error::WriteError;
