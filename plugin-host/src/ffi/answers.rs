//! The host's half of a destination's answers.

use abi_stable::prefix_type::WithMetadata;
use abi_stable::staticref;
use plugin_api::Error;
use plugin_api::ffi::{AckSink, AckSinkVTable, AckSinkVTable_Ref, PluginError};

use crate::pipeline::Answers;

/// Lends `answers` to one call as the sink that the plugin answers into.
pub(crate) fn with_sink<R>(answers: &mut Answers, call: impl FnOnce(&mut AckSink) -> R) -> R {
    let data = std::ptr::from_mut(answers).cast::<()>();
    // SAFETY: `data` is an `Answers` that nobody else touches until `call` is over, and the sink
    // doesn't outlive this function.
    let mut sink = unsafe { AckSink::from_raw(data, vtable()) };
    call(&mut sink)
}

struct VTable;

impl VTable {
    staticref!(const STATIC: WithMetadata<AckSinkVTable> =
        WithMetadata::new(AckSinkVTable { ok, nack }));
}

fn vtable() -> AckSinkVTable_Ref {
    AckSinkVTable_Ref(VTable::STATIC.as_prefix())
}

unsafe extern "C" fn ok(data: *mut (), from: u64, to: u64) {
    // SAFETY: `data` is the `Answers` of the running `with_sink`, which doesn't touch it meanwhile.
    let answers = unsafe { &mut *data.cast::<Answers>() };
    answers.ok(from, to);
}

unsafe extern "C" fn nack(data: *mut (), sequence: u64, error: PluginError) {
    // SAFETY: as in `ok`.
    let answers = unsafe { &mut *data.cast::<Answers>() };
    // I6: the text is copied, bounded, before anything else; the plugin's copy is freed by its own
    // vtable when `error` is dropped.
    answers.nack(sequence, Error::from_plugin(&error));
}
