//! Why a driver's loop ends early.

use super::error::PipelineError;
use crate::session::{Call, CallError};

/// Why the loop ends early.
pub(super) enum Halt {
    /// Something has failed. Boxed: each batch passes through results with this in them.
    Failed(Box<PipelineError>),
    /// Another thread of the pipeline has failed, and has told why.
    Elsewhere,
    /// The pipeline was stopped by force.
    Forced,
    /// The supervisor has taken the run over: this thread must touch nothing any more.
    Abandoned,
}

impl From<PipelineError> for Halt {
    fn from(error: PipelineError) -> Self {
        Self::Failed(Box::new(error))
    }
}

/// A failed call as a reason to end.
pub(super) fn halt_on<T>(
    connector: &str,
    call: Call,
    result: Result<T, CallError>,
) -> Result<T, Halt> {
    result.map_err(|error| {
        PipelineError::call(connector, call, error).map_or(Halt::Abandoned, Halt::from)
    })
}

/// Goes on with `step` after a failure, which stays what the run has ended with; nothing follows a
/// forced stop or a takeover.
pub(super) fn and_also<T>(
    before: Result<T, Halt>,
    step: impl FnOnce() -> Result<(), Halt>,
) -> Result<T, Halt> {
    match before {
        Ok(value) => step().map(|()| value),
        Err(Halt::Failed(error)) => match step() {
            Err(Halt::Abandoned) => {
                // The outcome is that of the call that hangs, so this is told here.
                log::error!(target: "plugin_host::pipeline", "before that: {error}");
                Err(Halt::Abandoned)
            }
            Ok(()) | Err(Halt::Failed(_) | Halt::Elsewhere | Halt::Forced) => {
                Err(Halt::Failed(error))
            }
        },
        // What is confirmed can be stored, whoever has failed.
        Err(Halt::Elsewhere) => match step() {
            Err(Halt::Abandoned) => Err(Halt::Abandoned),
            _ => Err(Halt::Elsewhere),
        },
        Err(halt) => Err(halt),
    }
}
