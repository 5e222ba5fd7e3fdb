//! Where the answers of a destination under test go.

use abi_stable::prefix_type::WithMetadata;
use abi_stable::staticref;
use forebay_abi as abi;

use crate::error::Error;

/// The answers in their order: the records, and why they were refused if so.
pub(crate) type Answers = Vec<(std::ops::Range<u64>, Option<Error>)>;

/// Lends `answers` to one call as the sink that the plugin answers into.
pub(crate) fn with_sink<R>(answers: &mut Answers, call: impl FnOnce(&mut abi::AckSink) -> R) -> R {
    let data = std::ptr::from_mut(answers).cast::<()>();
    // SAFETY: `data` is an `Answers` that nobody else touches until `call` is over, and the sink
    // doesn't outlive this function.
    let mut sink = unsafe { abi::AckSink::from_raw(data, vtable()) };
    call(&mut sink)
}

struct VTable;

impl VTable {
    staticref!(const STATIC: WithMetadata<abi::AckSinkVTable> =
        WithMetadata::new(abi::AckSinkVTable { ok, nack }));
}

fn vtable() -> abi::AckSinkVTable_Ref {
    abi::AckSinkVTable_Ref(VTable::STATIC.as_prefix())
}

unsafe extern "C" fn ok(data: *mut (), from: u64, to: u64) {
    // SAFETY: `data` is the `Answers` of the running `with_sink`, which doesn't touch it meanwhile.
    let answers = unsafe { &mut *data.cast::<Answers>() };
    answers.push((from..to, None));
}

unsafe extern "C" fn nack(data: *mut (), sequence: u64, error: abi::PluginError) {
    // SAFETY: as in `ok`.
    let answers = unsafe { &mut *data.cast::<Answers>() };
    let error = Error::from_plugin(&error);
    answers.push((sequence..sequence.saturating_add(1), Some(error)));
}
