//! Why a driver's loop ends early.

use super::error::PipelineError;
use crate::session::{Call, CallError};

/// Why the loop ends early.
pub(super) enum Halt {
    /// Something has failed.
    Failed(PipelineError),
    /// The pipeline was stopped by force.
    Forced,
    /// The supervisor has taken the run over: this thread must touch nothing any more.
    Abandoned,
}

impl From<PipelineError> for Halt {
    fn from(error: PipelineError) -> Self {
        Self::Failed(error)
    }
}

/// A failed call as a reason to end.
pub(super) fn halt_on<T>(
    connector: &str,
    call: Call,
    result: Result<T, CallError>,
) -> Result<T, Halt> {
    result.map_err(|error| {
        PipelineError::call(connector, call, error).map_or(Halt::Abandoned, Halt::Failed)
    })
}

/// Goes on with `step` after a failure, of which the first counts; nothing follows the other two.
pub(super) fn and_also<T>(
    before: Result<T, Halt>,
    step: impl FnOnce() -> Result<(), Halt>,
) -> Result<T, Halt> {
    match before {
        Ok(value) => step().map(|()| value),
        Err(Halt::Failed(error)) => match step() {
            Ok(()) | Err(Halt::Failed(_)) => Err(Halt::Failed(error)),
            Err(halt) => Err(halt),
        },
        Err(halt) => Err(halt),
    }
}
