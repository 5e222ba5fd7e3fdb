//! The calls of a destination.

use abi_stable::std_types::{ROption, RSlice};
use plugin_api::ffi::{BatchRef, CallStatus, DestinationObject};

use super::{Call, CallError, Session};
use crate::ffi::with_sink;
use crate::pipeline::Answers;

/// A destination's session.
pub(crate) type DestinationSession = Session<DestinationObject>;

impl DestinationSession {
    /// Opens the destination.
    pub(crate) fn start(&self) -> Result<(), CallError> {
        Ok(self.call(Call::Start, |destination, context| {
            self.secrets.answer(destination.start(context))
        })??)
    }

    /// Writes a batch; answers go to `answers`. `false` when the destination takes no more.
    #[inline]
    pub(crate) fn write(
        &self,
        batch: BatchRef<'_>,
        answers: &mut Answers,
    ) -> Result<bool, CallError> {
        let result = self.call(Call::Write, |destination, context| {
            with_sink(answers, self.secrets.plugin(), |sink| {
                self.secrets.answer(destination.write(context, batch, sink))
            })
        });
        goes_on(result??)
    }

    /// Fetches answers. `false` when the destination takes no more.
    pub(crate) fn flush(&self, answers: &mut Answers) -> Result<bool, CallError> {
        let result = self.call(Call::Flush, |destination, context| {
            with_sink(answers, self.secrets.plugin(), |sink| {
                self.secrets.answer(destination.flush(context, sink))
            })
        });
        goes_on(result??)
    }

    /// Says that the record with this position was the last.
    pub(crate) fn stop(&self, last: Option<&[u8]>) -> Result<(), CallError> {
        let last: ROption<_> = last.map(RSlice::from_slice).into();
        let result = self.call(Call::Stop, |destination, context| {
            self.secrets.answer(destination.stop(context, last))
        });
        Ok(result??)
    }
}

fn goes_on(status: CallStatus) -> Result<bool, CallError> {
    match status {
        CallStatus::MORE => Ok(true),
        CallStatus::CLOSED => Ok(false),
        other => Err(CallError::Contract(format!(
            "the call returned {}",
            other.0
        ))),
    }
}
