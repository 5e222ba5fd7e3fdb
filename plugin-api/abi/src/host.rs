//! What a plugin gets from its host.

use abi_stable::StableAbi;
use abi_stable::std_types::RStr;

use crate::{LogLevel, LogRecord};

/// The host's services, the same for every instance of one plugin. Any thread may call them.
#[repr(C)]
#[derive(Debug, StableAbi)]
#[sabi(kind(Prefix))]
#[sabi(missing_field(option))]
pub struct Host {
    /// Passed back as the first argument of each function.
    data: *const (),
    /// Writes one record to the host's log. A record logged while another one is written on the
    /// same thread is dropped and counted.
    log: unsafe extern "C" fn(data: *const (), record: &LogRecord<'_>),
    /// Counts objects that the plugin has made (+1) and dropped (-1).
    live_objects: unsafe extern "C" fn(data: *const (), difference: i64),
    /// A further service by its name: a pointer to a prefix type, or null where the host doesn't
    /// have it.
    #[sabi(last_prefix_field)]
    extension: unsafe extern "C" fn(data: *const (), id: RStr<'_>) -> *const (),
}

impl Host {
    /// Makes a host's services.
    ///
    /// # Safety
    ///
    /// Every function may be called with `data`, from any thread, for ever: a plugin's code and what
    /// it keeps are never unloaded.
    #[must_use]
    pub const unsafe fn new(
        data: *const (),
        log: unsafe extern "C" fn(*const (), &LogRecord<'_>),
        live_objects: unsafe extern "C" fn(*const (), i64),
        extension: unsafe extern "C" fn(*const (), RStr<'_>) -> *const (),
    ) -> Self {
        Self {
            data,
            log,
            live_objects,
            extension,
        }
    }
}

/// What an instance may know of its place; lent to a constructor for the call.
#[repr(C)]
#[derive(Debug, StableAbi)]
#[sabi(kind(Prefix))]
#[sabi(missing_field(option))]
pub struct InstanceInfo<'a> {
    /// Identity of the pipeline; empty outside of one.
    pub pipeline_id: RStr<'a>,
    /// Identity of the connector, as `pipeline:connector`; empty outside of a pipeline.
    pub connector_id: RStr<'a>,
    /// From which level on the host wants to see log records.
    pub log_level: LogLevel,
    /// Largest record in bytes that the host takes.
    #[sabi(last_prefix_field)]
    pub max_record_bytes: u64,
}

// SAFETY: `Host::new` was promised that every function may be called from any thread.
unsafe impl Send for Host_Ref {}
// SAFETY: as for `Send`.
unsafe impl Sync for Host_Ref {}

impl Host_Ref {
    /// Writes one record to the host's log.
    pub fn log_record(&self, record: &LogRecord<'_>) {
        // SAFETY: `Host::new` was promised that the functions may be called with `data`.
        unsafe { self.log()(self.data(), record) }
    }

    /// A further service of the host: a pointer to a prefix type, or null where it has none.
    #[must_use]
    pub fn find_extension(&self, id: &str) -> *const () {
        // SAFETY: as in `log_record`.
        unsafe { self.extension()(self.data(), RStr::from(id)) }
    }

    /// Counts objects that the plugin has made or dropped.
    pub fn count_objects(&self, difference: i64) {
        // SAFETY: as in `log_record`.
        unsafe { self.live_objects()(self.data(), difference) }
    }
}
