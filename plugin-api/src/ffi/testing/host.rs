//! The services of a host for tests.

use std::sync::atomic::{AtomicI64, Ordering};

use abi_stable::prefix_type::WithMetadata;
use abi_stable::std_types::{RResult, RStr};
use forebay_abi as abi;

use crate::error::{Error, Result};

/// Services that write no log and count the plugin's objects.
#[derive(Clone, Copy)]
pub(crate) struct TestHost {
    live: &'static AtomicI64,
    services: abi::Host_Ref,
}

impl TestHost {
    /// Makes services; like a plugin's code they live for ever.
    pub(crate) fn new() -> Self {
        let live: &'static AtomicI64 = Box::leak(Box::default());
        // SAFETY: the functions take `data` as the `AtomicI64` that it is, or not at all; it lives
        // for ever and is `Sync`.
        let host = unsafe {
            abi::Host::new(
                std::ptr::from_ref(live).cast(),
                log,
                live_objects,
                extension,
            )
        };
        let services: &'static WithMetadata<abi::Host> =
            Box::leak(Box::new(WithMetadata::new(host)));
        Self {
            live,
            services: abi::Host_Ref(services.static_as_prefix()),
        }
    }

    /// Number of the plugin's objects that are alive.
    pub(crate) fn live_objects(self) -> i64 {
        self.live.load(Ordering::SeqCst)
    }

    /// Calls a constructor.
    pub(crate) fn construct<T>(
        self,
        constructor: impl FnOnce(
            abi::Host_Ref,
            abi::InstanceInfo_Ref<'_>,
        ) -> RResult<T, abi::PluginError>,
    ) -> Result<T> {
        let info = WithMetadata::new(abi::InstanceInfo {
            pipeline_id: RStr::from("test"),
            connector_id: RStr::from("test:connector"),
            log_level: abi::LogLevel(0),
            max_record_bytes: 64 << 20,
        });
        // SAFETY: `info` outlives the call, and the constructor may keep nothing that is lent.
        let info = abi::InstanceInfo_Ref(unsafe { info.as_prefix() });
        match constructor(self.services, info) {
            RResult::ROk(object) => Ok(object),
            RResult::RErr(error) => Err(Error::from_plugin(&error)),
        }
    }
}

unsafe extern "C" fn log(_data: *const (), _record: &abi::LogRecord<'_>) {}

unsafe extern "C" fn live_objects(data: *const (), difference: i64) {
    // SAFETY: `data` is the `AtomicI64` that `TestHost::new` has put there; it lives for ever.
    let live = unsafe { &*data.cast::<AtomicI64>() };
    live.fetch_add(difference, Ordering::SeqCst);
}

unsafe extern "C" fn extension(_data: *const (), _id: RStr<'_>) -> *const () {
    std::ptr::null()
}
