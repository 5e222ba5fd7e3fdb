//! The host's half of a destination's answers.

use abi_stable::prefix_type::WithMetadata;
use abi_stable::staticref;
use plugin_api::ffi::{AckSink, AckSinkVTable, AckSinkVTable_Ref, PluginError};

use crate::pipeline::Answers;
use crate::secrets::Secrets;

/// What the sink leads to.
struct Sink<'a> {
    answers: &'a mut Answers,
    secrets: &'a Secrets,
}

/// Lends `answers` to one call as the sink that the plugin answers into. Errors come without the
/// plugin's secrets.
pub(crate) fn with_sink<R>(
    answers: &mut Answers,
    secrets: &Secrets,
    call: impl FnOnce(&mut AckSink) -> R,
) -> R {
    let mut lent = Sink { answers, secrets };
    let data = std::ptr::from_mut(&mut lent).cast::<()>();
    // SAFETY: `data` is a `Sink` that nobody else touches until `call` is over, and what is lent
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
    // SAFETY: `data` is the `Sink` of the running `with_sink`, which doesn't touch it meanwhile.
    let sink = unsafe { &mut *data.cast::<Sink<'_>>() };
    sink.answers.ok(from, to);
}

unsafe extern "C" fn nack(data: *mut (), sequence: u64, error: PluginError) {
    // SAFETY: as in `ok`.
    let sink = unsafe { &mut *data.cast::<Sink<'_>>() };
    // I6: the text is copied, bounded, before anything else; the plugin's copy is freed by its own
    // vtable when `error` is dropped.
    sink.answers.nack(sequence, sink.secrets.copy_error(&error));
}
