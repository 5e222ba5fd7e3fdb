//! The calls of a source.

use abi_stable::std_types::{ROption, RSlice};
use plugin_api::ffi::{AckBatch, CallStatus, SourceObject};

use super::{Call, CallError, Session};
use crate::ffi::Buffer;

/// A source's session.
pub(crate) type SourceSession = Session<SourceObject>;

/// What a read says of the stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ReadStatus {
    More,
    Idle,
    End,
}

impl SourceSession {
    /// Opens the source behind the position.
    pub(crate) fn start(&self, position: Option<&[u8]>) -> Result<(), CallError> {
        let position: ROption<_> = position.map(RSlice::from_slice).into();
        let result = self.call(Call::Start, |source, context| {
            self.secrets.answer(source.start(context, position))
        });
        Ok(result??)
    }

    /// Reads at most so many records into the buffer, which then holds the checked ones.
    #[inline]
    pub(crate) fn read(
        &self,
        buffer: &mut Buffer,
        most: usize,
    ) -> Result<(ReadStatus, usize), CallError> {
        let (result, filled) = self.call(Call::Read, |source, context| {
            buffer.lend(most, |lent| self.secrets.answer(source.read(context, lent)))
        })?;
        let status = match result? {
            CallStatus::MORE => ReadStatus::More,
            CallStatus::IDLE => ReadStatus::Idle,
            CallStatus::END => ReadStatus::End,
            other => return Err(CallError::Contract(format!("`read` returned {}", other.0))),
        };
        let records = buffer
            .accept(filled)
            .map_err(|fault| CallError::Contract(fault.to_string()))?;
        Ok((status, records))
    }

    /// Tells the source which positions are durable.
    pub(crate) fn ack(&self, acks: AckBatch<'_>) -> Result<(), CallError> {
        Ok(self.call(Call::Ack, |source, context| {
            self.secrets.answer(source.ack(context, acks))
        })??)
    }

    /// Asks the source to end; returns the position of its last record.
    pub(crate) fn stop(&self) -> Result<Option<Vec<u8>>, CallError> {
        let result = self.call(Call::Stop, |source, context| {
            self.secrets.answer(source.stop(context))
        });
        Ok(result??.into_option().map(Into::into))
    }
}
