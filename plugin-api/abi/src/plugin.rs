//! The plugin traits: the calls that a host makes into a plugin.
//!
//! Calls on one object are serialised, each happens-before the next; the thread may change between
//! calls, so objects are `Send` and not `Sync`. All arguments belong to the driver that calls, and
//! are valid for the call. No call may unwind: the glue that implements these traits catches every
//! panic (`abi_stable` would call `exit(1)`). `docs/abi.md` gives the order of calls.

use abi_stable::StableAbi;
use abi_stable::sabi_trait;
use abi_stable::std_types::{RBox, ROption, RResult, RSlice, RStr, RVec};

use crate::{AckBatch, AckSink, BatchBuffer, BatchRef, Context, PluginError, Specification};

/// A plugin's specifier, behind a pointer.
pub type SpecifierObject = SpecifierPlugin_TO<'static, RBox<()>>;
/// A plugin's source, behind a pointer.
pub type SourceObject = SourcePlugin_TO<'static, RBox<()>>;
/// A plugin's destination, behind a pointer.
pub type DestinationObject = DestinationPlugin_TO<'static, RBox<()>>;

/// One setting of a connector, lent for a call.
#[repr(C)]
#[derive(Debug, Clone, Copy, StableAbi)]
pub struct Setting<'a> {
    /// Name of the parameter.
    pub key: RStr<'a>,
    /// Its value.
    pub value: RStr<'a>,
}

/// What a successful `read`, `write` or `flush` says of the stream.
#[repr(transparent)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, StableAbi)]
pub struct CallStatus(pub u32);

impl CallStatus {
    /// `read`: there is more; call again at once. `write`, `flush`: go on.
    pub const MORE: Self = Self(0);
    /// `read`: there is nothing more at present. `write`, `flush`: the stream is closed.
    pub const IDLE: Self = Self(1);
    /// `write`, `flush`: the destination takes no further record.
    pub const CLOSED: Self = Self(1);
    /// `read`: there will never be more.
    pub const END: Self = Self(2);
}

/// Tells what the plugin is.
#[sabi_trait]
pub trait SpecifierPlugin: Send {
    /// Returns the specification. `[state: any] [blocks: no] [owns: host]`
    #[sabi(last_prefix_field)]
    fn specify(&mut self) -> RResult<Specification, PluginError>;
}

/// Reads records from somewhere.
#[sabi_trait]
pub trait SourcePlugin: Send {
    /// Takes the settings and checks them; no I/O is needed. `[state: initial]`
    fn configure(
        &mut self,
        context: &Context,
        settings: RSlice<'_, Setting<'_>>,
    ) -> RResult<(), PluginError>;

    /// Opens the source behind the position, or at its beginning. `[state: configured]`
    fn start(
        &mut self,
        context: &Context,
        position: ROption<RSlice<'_, u8>>,
    ) -> RResult<(), PluginError>;

    /// Appends records, waiting for data at most `context.max_wait()`. Records appended before an
    /// error are delivered before it. `[state: started, stopping]`
    fn read(
        &mut self,
        context: &Context,
        batch: &mut BatchBuffer,
    ) -> RResult<CallStatus, PluginError>;

    /// Says that records are done and their positions durable. `[state: started, stopping, ended]`
    fn ack(&mut self, context: &Context, acks: AckBatch<'_>) -> RResult<(), PluginError>;

    /// Asks the source to end; returns the position of the last record that it has returned or
    /// still will return, none when there is none. `[state: started]`
    fn stop(&mut self, context: &Context) -> RResult<ROption<RVec<u8>>, PluginError>;

    /// Releases everything; the last call. `[state: any]`
    fn teardown(&mut self, context: &Context) -> RResult<(), PluginError>;

    /// The connector runs for the first time. `[state: any before started]`
    fn lifecycle_on_created(
        &mut self,
        context: &Context,
        settings: RSlice<'_, Setting<'_>>,
    ) -> RResult<(), PluginError>;

    /// The connector's settings have changed since its last run. `[state: any before started]`
    fn lifecycle_on_updated(
        &mut self,
        context: &Context,
        before: RSlice<'_, Setting<'_>>,
        after: RSlice<'_, Setting<'_>>,
    ) -> RResult<(), PluginError>;

    /// The connector was removed. `[state: any before started]`
    #[sabi(last_prefix_field)]
    fn lifecycle_on_deleted(
        &mut self,
        context: &Context,
        settings: RSlice<'_, Setting<'_>>,
    ) -> RResult<(), PluginError>;
}

/// Writes records to somewhere.
#[sabi_trait]
pub trait DestinationPlugin: Send {
    /// Takes the settings and checks them; no I/O is needed. `[state: initial]`
    fn configure(
        &mut self,
        context: &Context,
        settings: RSlice<'_, Setting<'_>>,
    ) -> RResult<(), PluginError>;

    /// Opens the destination. `[state: configured]`
    fn start(&mut self, context: &Context) -> RResult<(), PluginError>;

    /// Takes records, lent for the call. Answers come now or in a later call. An error ends the
    /// stream: answers given before it stand. `[state: started]`
    fn write(
        &mut self,
        context: &Context,
        batch: BatchRef<'_>,
        acks: &mut AckSink,
    ) -> RResult<CallStatus, PluginError>;

    /// Answers what it can, waiting at most `context.max_wait()`. `[state: started, stopping]`
    fn flush(&mut self, context: &Context, acks: &mut AckSink) -> RResult<CallStatus, PluginError>;

    /// Says that the record with this position was the last; none when there was none. What is
    /// cached must be written; answers are fetched by `flush`. `[state: started]`
    fn stop(
        &mut self,
        context: &Context,
        last: ROption<RSlice<'_, u8>>,
    ) -> RResult<(), PluginError>;

    /// Releases everything; the last call. `[state: any]`
    fn teardown(&mut self, context: &Context) -> RResult<(), PluginError>;

    /// The connector runs for the first time. `[state: any before started]`
    fn lifecycle_on_created(
        &mut self,
        context: &Context,
        settings: RSlice<'_, Setting<'_>>,
    ) -> RResult<(), PluginError>;

    /// The connector's settings have changed since its last run. `[state: any before started]`
    fn lifecycle_on_updated(
        &mut self,
        context: &Context,
        before: RSlice<'_, Setting<'_>>,
        after: RSlice<'_, Setting<'_>>,
    ) -> RResult<(), PluginError>;

    /// The connector was removed. `[state: any before started]`
    #[sabi(last_prefix_field)]
    fn lifecycle_on_deleted(
        &mut self,
        context: &Context,
        settings: RSlice<'_, Setting<'_>>,
    ) -> RResult<(), PluginError>;
}
