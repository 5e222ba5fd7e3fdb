//! Plugins whose calls a test expects, one by one, with what they are given.
//!
//! Behind the same objects that a file's constructors return, so what is tested is what a plugin sees.
//! No guard catches a mock's panic: a call too many ends the process, and so does one too few, which
//! a mock notices when it is dropped. Tests set upper bounds only.

use abi_stable::sabi_trait::prelude::TD_Opaque;
use abi_stable::std_types::{ROption, RResult, RSlice, RVec};
use mockall::mock;
use plugin_api::ffi::{
    AckBatch, AckSink, BatchBuffer, BatchRef, CallStatus, Context, DestinationObject,
    DestinationPlugin, PluginError, Setting, SourceObject, SourcePlugin,
};

mock! {
    pub(crate) Source {}

    impl SourcePlugin for Source {
        fn configure<'a, 'b>(
            &mut self,
            context: &Context,
            settings: RSlice<'a, Setting<'b>>,
        ) -> RResult<(), PluginError>;
        fn start<'a>(
            &mut self,
            context: &Context,
            position: ROption<RSlice<'a, u8>>,
        ) -> RResult<(), PluginError>;
        fn read(
            &mut self,
            context: &Context,
            batch: &mut BatchBuffer,
        ) -> RResult<CallStatus, PluginError>;
        fn ack<'a>(&mut self, context: &Context, acks: AckBatch<'a>) -> RResult<(), PluginError>;
        fn stop(&mut self, context: &Context) -> RResult<ROption<RVec<u8>>, PluginError>;
        fn teardown(&mut self, context: &Context) -> RResult<(), PluginError>;
        fn lifecycle_on_created<'a, 'b>(
            &mut self,
            context: &Context,
            settings: RSlice<'a, Setting<'b>>,
        ) -> RResult<(), PluginError>;
        fn lifecycle_on_updated<'a, 'b, 'c, 'd>(
            &mut self,
            context: &Context,
            before: RSlice<'a, Setting<'b>>,
            after: RSlice<'c, Setting<'d>>,
        ) -> RResult<(), PluginError>;
        fn lifecycle_on_deleted<'a, 'b>(
            &mut self,
            context: &Context,
            settings: RSlice<'a, Setting<'b>>,
        ) -> RResult<(), PluginError>;
    }
}

mock! {
    pub(crate) Destination {}

    impl DestinationPlugin for Destination {
        fn configure<'a, 'b>(
            &mut self,
            context: &Context,
            settings: RSlice<'a, Setting<'b>>,
        ) -> RResult<(), PluginError>;
        fn start(&mut self, context: &Context) -> RResult<(), PluginError>;
        fn write<'a>(
            &mut self,
            context: &Context,
            batch: BatchRef<'a>,
            acks: &mut AckSink,
        ) -> RResult<CallStatus, PluginError>;
        fn flush(
            &mut self,
            context: &Context,
            acks: &mut AckSink,
        ) -> RResult<CallStatus, PluginError>;
        fn stop<'a>(
            &mut self,
            context: &Context,
            last: ROption<RSlice<'a, u8>>,
        ) -> RResult<(), PluginError>;
        fn teardown(&mut self, context: &Context) -> RResult<(), PluginError>;
        fn lifecycle_on_created<'a, 'b>(
            &mut self,
            context: &Context,
            settings: RSlice<'a, Setting<'b>>,
        ) -> RResult<(), PluginError>;
        fn lifecycle_on_updated<'a, 'b, 'c, 'd>(
            &mut self,
            context: &Context,
            before: RSlice<'a, Setting<'b>>,
            after: RSlice<'c, Setting<'d>>,
        ) -> RResult<(), PluginError>;
        fn lifecycle_on_deleted<'a, 'b>(
            &mut self,
            context: &Context,
            settings: RSlice<'a, Setting<'b>>,
        ) -> RResult<(), PluginError>;
    }
}

impl From<MockSource> for SourceObject {
    fn from(mock: MockSource) -> Self {
        Self::from_value(mock, TD_Opaque)
    }
}

impl From<MockDestination> for DestinationObject {
    fn from(mock: MockDestination) -> Self {
        Self::from_value(mock, TD_Opaque)
    }
}
