//! Why something was not written, with what it was.

use std::fmt;

use super::error::StreamError;

/// Why a record, or a batch, was not written; it is given back, so that it can be written again.
///
/// It becomes a [`StreamError`] by `?`, where what was to be written is wanted no more.
///
/// ```
/// use plugin_api::Record;
/// use plugin_host::{Context, DestinationStream, StreamError};
///
/// /// Writes a record when there is room, and does something else until then.
/// fn write(
///     destination: &DestinationStream,
///     mut record: Record,
///     short: impl Fn() -> Context,
///     mut otherwise: impl FnMut(),
/// ) -> Result<(), StreamError> {
///     loop {
///         let context = short();
///         let Err(refused) = destination.write(&context, record) else {
///             return Ok(());
///         };
///         match refused.error {
///             // Not that of the stream, which no further try would outlive.
///             StreamError::Context(_) if context.end().is_some() => otherwise(),
///             error => return Err(error),
///         }
///         record = *refused.value;
///     }
/// }
/// ```
#[derive(Clone, PartialEq)]
pub struct WriteError<T> {
    /// Why it was not.
    pub error: StreamError,
    /// What was to be written, unchanged.
    pub value: Box<T>,
}

impl<T> WriteError<T> {
    /// Whether the stream was not started, or is over.
    #[must_use]
    pub fn is_not_open(&self) -> bool {
        self.error.is_not_open()
    }

    /// Stable identifier for tests and tools.
    #[must_use]
    pub fn code(&self) -> &str {
        self.error.code()
    }

    /// How to mend it, in one line; empty where nothing sensible can be said.
    #[must_use]
    pub fn help(&self) -> &'static str {
        self.error.help()
    }
}

impl<T> From<WriteError<T>> for StreamError {
    fn from(refused: WriteError<T>) -> Self {
        refused.error
    }
}

impl<T> fmt::Display for WriteError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

/// Without the value: it may be large, and its data are nobody's business in a log.
impl<T> fmt::Debug for WriteError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WriteError")
            .field("error", &self.error)
            .finish_non_exhaustive()
    }
}

impl<T> std::error::Error for WriteError<T> {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.error.source()
    }
}
