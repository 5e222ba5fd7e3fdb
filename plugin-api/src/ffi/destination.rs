//! Makes an author's [`Destination`] a [`DestinationPlugin`](abi::DestinationPlugin).

use abi_stable::sabi_trait::prelude::TD_Opaque;
use abi_stable::std_types::{ROption, RResult, RSlice};
use forebay_abi as abi;

use super::convert::to_abi;
use super::guard::{Guarded, guarded};
use super::instance::Instance;
use super::settings;
use crate::batch::Batch;
use crate::context::Context;
use crate::destination::{Acks, Destination};
use crate::error::{Error, ErrorKind, Result, StreamNotOpen};
use crate::format::Format;

/// Makes a destination object; what a module's `new_destination` points to.
pub extern "C" fn new_destination<D: Destination>(
    host: abi::Host_Ref,
    _info: abi::InstanceInfo_Ref<'_>,
) -> RResult<abi::DestinationObject, abi::PluginError> {
    to_abi(guarded(|| {
        let glue = DestinationGlue::<D, _>::new(host, D::open);
        Ok(abi::DestinationObject::from_value(glue, TD_Opaque))
    }))
}

/// A destination that `O` opens.
pub(super) struct DestinationGlue<D: Destination, O> {
    state: Guarded<State<D, O>>,
    _instance: Instance,
}

impl<D: Destination, O: Fn(D::Config) -> Result<D>> DestinationGlue<D, O> {
    pub(super) fn new(host: abi::Host_Ref, open: O) -> Self {
        Self {
            state: Guarded::new(State {
                open,
                settings: Vec::new(),
                format: Format::default(),
                destination: None,
            }),
            _instance: Instance::new(host),
        }
    }
}

struct State<D, O> {
    open: O,
    settings: Vec<(String, String)>,
    format: Format,
    destination: Option<D>,
}

impl<D: Destination, O> State<D, O> {
    fn destination(&mut self) -> Result<&mut D> {
        self.destination
            .as_mut()
            .ok_or_else(|| Error::new(ErrorKind::Closed, StreamNotOpen.to_string()))
    }
}

/// The setting, added by the host to every destination, that chooses the records' format.
const FORMAT_SETTING: &str = "sdk.record.format";

fn format(settings: &[(String, String)]) -> Result<Format> {
    match settings::get(settings, FORMAT_SETTING) {
        None | Some("") => Ok(Format::default()),
        Some(name) => Format::from_setting(name).ok_or_else(|| {
            let error = format!("`{name}` is not a record format; use `opencdc/json` or `raw`");
            Error::invalid_config(FORMAT_SETTING, error)
        }),
    }
}

fn status(acks: &Acks<'_>) -> abi::CallStatus {
    if acks.is_closed() {
        abi::CallStatus::CLOSED
    } else {
        abi::CallStatus::MORE
    }
}

impl<D, O> abi::DestinationPlugin for DestinationGlue<D, O>
where
    D: Destination,
    O: Fn(D::Config) -> Result<D> + Send,
{
    fn configure(
        &mut self,
        _context: &abi::Context,
        given: RSlice<'_, abi::Setting<'_>>,
    ) -> RResult<(), abi::PluginError> {
        to_abi(self.state.call(|state| {
            let given = settings::to_owned(given);
            state.format = format(&given)?;
            D::validate(&settings::parse(&given)?)?;
            state.settings = given;
            Ok(())
        }))
    }

    fn start(&mut self, _context: &abi::Context) -> RResult<(), abi::PluginError> {
        to_abi(self.state.call(|state| {
            if state.destination.is_some() {
                return Err(Error::new(
                    ErrorKind::Fatal,
                    "the destination was already started",
                ));
            }
            state.destination = Some((state.open)(settings::parse(&state.settings)?)?);
            Ok(())
        }))
    }

    fn write(
        &mut self,
        context: &abi::Context,
        batch: abi::BatchRef<'_>,
        sink: &mut abi::AckSink,
    ) -> RResult<abi::CallStatus, abi::PluginError> {
        let context = Context::new(context.clone());
        to_abi(self.state.call(|state| {
            let batch = Batch::new(batch, state.format);
            let mut acks = Acks::new(sink);
            state.destination()?.write(&batch, &mut acks, &context)?;
            let status = status(&acks);
            acks.acknowledge_rest(batch.sequences());
            Ok(status)
        }))
    }

    fn flush(
        &mut self,
        context: &abi::Context,
        sink: &mut abi::AckSink,
    ) -> RResult<abi::CallStatus, abi::PluginError> {
        let context = Context::new(context.clone());
        to_abi(self.state.call(|state| {
            let mut acks = Acks::new(sink);
            state.destination()?.flush(&mut acks, &context)?;
            Ok(status(&acks))
        }))
    }

    fn stop(
        &mut self,
        _context: &abi::Context,
        _last: ROption<RSlice<'_, u8>>,
    ) -> RResult<(), abi::PluginError> {
        to_abi(self.state.call(|state| state.destination()?.stop()))
    }

    fn teardown(&mut self, _context: &abi::Context) -> RResult<(), abi::PluginError> {
        to_abi(self.state.finish(|state| match state.destination {
            Some(destination) => destination.close(),
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
                .call(|_| D::created(&settings::parse(&settings::to_owned(given))?)),
        )
    }

    fn lifecycle_on_updated(
        &mut self,
        _context: &abi::Context,
        before: RSlice<'_, abi::Setting<'_>>,
        after: RSlice<'_, abi::Setting<'_>>,
    ) -> RResult<(), abi::PluginError> {
        // Not parsed: see `Destination::updated`.
        let before = settings::lent(before);
        to_abi(self.state.call(|_| {
            let after = settings::parse(&settings::to_owned(after))?;
            D::updated(&before, &after)
        }))
    }

    fn lifecycle_on_deleted(
        &mut self,
        _context: &abi::Context,
        given: RSlice<'_, abi::Setting<'_>>,
    ) -> RResult<(), abi::PluginError> {
        let given = settings::lent(given);
        to_abi(self.state.call(|_| D::deleted(&given)))
    }
}
