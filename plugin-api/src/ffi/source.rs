//! Makes an author's [`Source`] a [`SourcePlugin`](abi::SourcePlugin).

use abi_stable::sabi_trait::prelude::TD_Opaque;
use abi_stable::std_types::{ROption, RResult, RSlice, RVec};
use forebay_abi as abi;

use super::convert::to_abi;
use super::guard::{Guarded, guarded};
use super::instance::Instance;
use super::settings;
use crate::batch::BatchWriter;
use crate::context::Context;
use crate::error::{Error, ErrorKind, Result, StreamNotOpen};
use crate::record::Position;
use crate::source::{Progress, Source};

/// Makes a source object; what a module's `new_source` points to.
pub extern "C" fn new_source<S: Source>(
    host: abi::Host_Ref,
    _info: abi::InstanceInfo_Ref<'_>,
) -> RResult<abi::SourceObject, abi::PluginError> {
    to_abi(guarded(|| {
        let glue = SourceGlue::<S, _>::new(host, S::open);
        Ok(abi::SourceObject::from_value(glue, TD_Opaque))
    }))
}

/// A source that `O` opens.
pub(super) struct SourceGlue<S: Source, O> {
    state: Guarded<State<S, O>>,
    _instance: Instance,
}

impl<S: Source, O> SourceGlue<S, O>
where
    O: Fn(S::Config, Option<&Position>) -> Result<S>,
{
    pub(super) fn new(host: abi::Host_Ref, open: O) -> Self {
        Self {
            state: Guarded::new(State {
                open,
                settings: Vec::new(),
                stream: None,
            }),
            _instance: Instance::new(host),
        }
    }
}

struct State<S, O> {
    open: O,
    settings: Vec<(String, String)>,
    stream: Option<Stream<S>>,
}

/// An opened source.
struct Stream<S> {
    source: S,
    /// Position of the newest record that was handed out.
    last: Option<Vec<u8>>,
    /// An error that waits until the records before it are delivered.
    failed: Option<Error>,
    reading: Reading,
}

/// How far the source is to be read.
enum Reading {
    On,
    /// Up to the record with this position.
    UpTo(Position),
    Ended,
}

impl<S: Source, O> State<S, O> {
    fn config(&self) -> Result<S::Config> {
        settings::parse(&self.settings)
    }

    fn stream(&mut self) -> Result<&mut Stream<S>> {
        self.stream
            .as_mut()
            .ok_or_else(|| Error::new(ErrorKind::Closed, StreamNotOpen.to_string()))
    }
}

impl<S: Source> Stream<S> {
    fn read(&mut self, buffer: &mut abi::BatchBuffer, context: &Context) -> Result<Progress> {
        if let Some(error) = self.failed.take() {
            self.reading = Reading::Ended;
            return Err(error);
        }
        if matches!(self.reading, Reading::Ended) {
            return Ok(Progress::End);
        }
        let mut batch = BatchWriter::new(buffer);
        let result = self.source.read(&mut batch, context);
        let result = batch.into_fault().map_or(result, Err);
        let result = match result {
            Err(error) if buffer.index_length() > 0 => {
                self.failed = Some(error);
                Ok(Progress::More)
            }
            result => result,
        };
        if let Some(record) = buffer.records().last() {
            let span = record.position;
            let position = &buffer.written()[span.offset as usize..][..span.length as usize];
            let last = self.last.get_or_insert_default();
            last.clear();
            last.extend_from_slice(position);
        }
        self.end_at_stop(buffer);
        if matches!(result, Ok(Progress::End)) {
            self.reading = Reading::Ended;
        }
        result
    }

    fn end_at_stop(&mut self, buffer: &abi::BatchBuffer) {
        if let Reading::UpTo(position) = &self.reading {
            let bytes = buffer.written();
            let reached = buffer.records().iter().any(|record| {
                let span = record.position;
                bytes[span.offset as usize..][..span.length as usize] == *position.as_bytes()
            });
            if reached {
                self.reading = Reading::Ended;
            }
        }
    }

    fn stop(&mut self) -> Result<Option<Vec<u8>>> {
        let upto = self.source.stop()?;
        if matches!(self.reading, Reading::Ended) {
            return Ok(self.last.clone());
        }
        match upto {
            Some(position) if self.last.as_deref() != Some(position.as_bytes()) => {
                let bytes = position.as_bytes().to_vec();
                self.reading = Reading::UpTo(position);
                Ok(Some(bytes))
            }
            _ => {
                self.reading = Reading::Ended;
                Ok(self.last.clone())
            }
        }
    }
}

impl<S: Source, O> abi::SourcePlugin for SourceGlue<S, O>
where
    O: Fn(S::Config, Option<&Position>) -> Result<S> + Send,
{
    fn configure(
        &mut self,
        _context: &abi::Context,
        given: RSlice<'_, abi::Setting<'_>>,
    ) -> RResult<(), abi::PluginError> {
        to_abi(self.state.call(|state| {
            let given = settings::to_owned(given);
            S::validate(&settings::parse(&given)?)?;
            state.settings = given;
            Ok(())
        }))
    }

    fn start(
        &mut self,
        _context: &abi::Context,
        position: ROption<RSlice<'_, u8>>,
    ) -> RResult<(), abi::PluginError> {
        to_abi(self.state.call(|state| {
            if state.stream.is_some() {
                return Err(Error::new(
                    ErrorKind::Fatal,
                    "the source was already started",
                ));
            }
            let position = position
                .map(|bytes| Position::new(bytes.as_slice()))
                .into_option();
            let source = (state.open)(state.config()?, position.as_ref())?;
            state.stream = Some(Stream {
                source,
                last: None,
                failed: None,
                reading: Reading::On,
            });
            Ok(())
        }))
    }

    fn read(
        &mut self,
        context: &abi::Context,
        batch: &mut abi::BatchBuffer,
    ) -> RResult<abi::CallStatus, abi::PluginError> {
        let context = Context::new(context.clone());
        to_abi(self.state.call(|state| {
            Ok(match state.stream()?.read(batch, &context)? {
                Progress::More => abi::CallStatus::MORE,
                Progress::Idle => abi::CallStatus::IDLE,
                Progress::End => abi::CallStatus::END,
            })
        }))
    }

    fn ack(
        &mut self,
        _context: &abi::Context,
        acks: abi::AckBatch<'_>,
    ) -> RResult<(), abi::PluginError> {
        to_abi(self.state.call(|state| {
            let stream = state.stream()?;
            let arena = acks.arena.as_slice();
            for span in acks.positions.iter() {
                let bytes = arena
                    .get(span.offset as usize..)
                    .and_then(|rest| rest.get(..span.length as usize))
                    .ok_or_else(|| Error::new(ErrorKind::Fatal, "an ack lies outside its arena"))?;
                stream.source.ack(&Position::new(bytes))?;
            }
            Ok(())
        }))
    }

    fn stop(&mut self, _context: &abi::Context) -> RResult<ROption<RVec<u8>>, abi::PluginError> {
        to_abi(
            self.state
                .call(|state| Ok(state.stream()?.stop()?.map(RVec::from).into())),
        )
    }

    fn teardown(&mut self, _context: &abi::Context) -> RResult<(), abi::PluginError> {
        to_abi(self.state.finish(|state| match state.stream {
            Some(stream) => stream.source.close(),
            None => Ok(()),
        }))
    }

    fn lifecycle_on_created(
        &mut self,
        _context: &abi::Context,
        given: RSlice<'_, abi::Setting<'_>>,
    ) -> RResult<(), abi::PluginError> {
        to_abi(
            self.state
                .call(|_| S::created(&settings::parse(&settings::to_owned(given))?)),
        )
    }

    fn lifecycle_on_updated(
        &mut self,
        _context: &abi::Context,
        before: RSlice<'_, abi::Setting<'_>>,
        after: RSlice<'_, abi::Setting<'_>>,
    ) -> RResult<(), abi::PluginError> {
        // Not parsed: see `Source::updated`.
        let before = settings::lent(before);
        to_abi(self.state.call(|_| {
            let after = settings::parse(&settings::to_owned(after))?;
            S::updated(&before, &after)
        }))
    }

    fn lifecycle_on_deleted(
        &mut self,
        _context: &abi::Context,
        given: RSlice<'_, abi::Setting<'_>>,
    ) -> RResult<(), abi::PluginError> {
        let given = settings::lent(given);
        to_abi(self.state.call(|_| S::deleted(&given)))
    }
}
