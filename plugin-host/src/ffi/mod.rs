//! Everything unsafe of the host: dlopen, and the memory and functions that plugins are lent.
//!
//! What is exported from here is safe to use; each file states the rule that makes it so.
#![expect(
    unsafe_code,
    reason = "one of the folders that the unsafe policy confines it to"
)]

mod answers;
mod buffer;
mod context;
mod host;
mod layout;
mod open;
mod waitable;

pub(crate) use answers::with_sink;
pub(crate) use buffer::{BATCH_RECORDS, Buffer, RECORD_BYTES, position};
pub(crate) use context::{ContextState, MAX_WAIT};
pub(crate) use host::{
    ConnectorTag, HostServices, Place, attribute_log, construct, secrets_of_builtins, specify,
};
pub(crate) use open::open;
