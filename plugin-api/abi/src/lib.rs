//! Every type that crosses between a host and a plugin file, and nothing else.
//!
//! A plugin file outlives the host it was built for, so what stands here is frozen: this crate's
//! major version *is* the ABI number. `abi_stable` compares the name and version of the crate that
//! defines a type, so the crate is never renamed either. The rules of growth:
//!
//! - plain `#[repr(C)]` structs never change;
//! - prefix types (the module, the vtables) grow only at the end, behind `last_prefix_field`, with
//!   `missing_field(option)`; the traits grow only at the end, with a default body;
//! - no Rust enum with data crosses, except `RResult` and `ROption`; numbers that name something
//!   are transparent structs with constants, so an unknown one is a value, not undefined behaviour.
//!
//! Who owns what, on which thread, in which order: `docs/abi.md`, the normative text. Connector
//! authors never see these types: the author layer (`plugin_api`) wraps them.
#![expect(
    unsafe_code,
    reason = "this crate is the boundary; `unsafe` is confined to it by policy"
)]
#![allow(
    non_local_definitions,
    non_camel_case_types,
    unused_qualifications,
    clippy::mem_forget,
    reason = "names and items that abi_stable's macros make"
)]

mod answer;
mod batch;
mod context;
mod error;
mod host;
mod log;
pub mod marker;
mod module;
mod plugin;
mod specification;

pub use answer::{AckBatch, AckSink, AckSinkVTable, AckSinkVTable_Ref};
pub use batch::{
    Arena, BatchBuffer, BatchRef, DataKind, Draft, Operation, RecordIndex, Span, copy_field,
};
pub use context::{Context, ContextVTable, ContextVTable_Ref, RunFlags, Wakeups};
pub use error::{ErrorKind, ParameterError, PluginError};
pub use host::{Host, Host_Ref, InstanceInfo, InstanceInfo_Ref};
pub use log::{KeyValue, LogLevel, LogRecord};
pub use module::{PluginModule, PluginModule_Ref};
pub use plugin::{
    CallStatus, DestinationObject, DestinationPlugin, Setting, SourceObject, SourcePlugin,
    SpecifierObject, SpecifierPlugin,
};
pub use specification::{
    AckMode, NamedParameter, Parameter, ParameterType, Specification, Validation, ValidationType,
};

/// Version of this crate, and so of the ABI.
pub const ABI_VERSION: &str = env!("CARGO_PKG_VERSION");

/// Version of `abi_stable` that lays the types out.
pub const ABI_STABLE_VERSION: &str = "0.11.3";

/// The pointers that `abi_stable`'s macros make, and the handles that hold one, print as their name.
macro_rules! debug_as_name {
    ($($name:ident $(<$life:lifetime>)?),* $(,)?) => {$(
        impl std::fmt::Debug for $name $(<$life>)? {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.debug_struct(stringify!($name)).finish_non_exhaustive()
            }
        }
    )*};
}

debug_as_name! {
    AckSink, AckSinkVTable_Ref, Context, ContextVTable_Ref, Host_Ref, InstanceInfo_Ref<'_>,
    PluginModule_Ref,
}
