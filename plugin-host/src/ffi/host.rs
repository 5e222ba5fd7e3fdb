//! What a plugin gets from its host: the log and the count of its objects.

use std::borrow::Cow;
use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use abi_stable::prefix_type::WithMetadata;
use abi_stable::std_types::{RResult, RStr};
use plugin_api::Error;
use plugin_api::ffi::{
    Host, Host_Ref, InstanceInfo, InstanceInfo_Ref, LogLevel, LogRecord, PluginError,
};

use crate::secrets::Secrets;

/// Longest message of a log record that is kept.
const LOG_TEXT: usize = 64 * 1024;
/// Most key-values of a log record that are kept.
const LOG_VALUES: usize = 64;

thread_local! {
    /// The connector whose call runs on this thread.
    static CONNECTOR: Cell<Option<ConnectorTag>> = const { Cell::new(None) };
    /// Whether a plugin's record is being logged on this thread.
    static LOGGING: Cell<bool> = const { Cell::new(false) };
}

/// Says which connector the calls on this thread belong to from now on.
#[inline]
pub(crate) fn attribute_log(connector: ConnectorTag) {
    CONNECTOR.set(Some(connector));
}

/// Stands for a connector's identity in the log: cheap to pass on with every call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ConnectorTag(&'static str);

impl ConnectorTag {
    /// The tag of this identity. Texts are interned and never freed: their number is that of
    /// different connectors, not of runs.
    pub(crate) fn new(connector: &str) -> Self {
        static NAMES: Mutex<BTreeSet<&'static str>> = Mutex::new(BTreeSet::new());
        let mut names = NAMES.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(name) = names.get(connector) {
            return Self(name);
        }
        let name: &'static str = Box::leak(connector.to_owned().into_boxed_str());
        names.insert(name);
        Self(name)
    }

    pub(crate) fn as_str(self) -> &'static str {
        self.0
    }
}

/// A plugin's services, and what is known of it. Like the plugin's code it lives for ever.
#[derive(Clone, Copy)]
pub(crate) struct HostServices {
    data: &'static Data,
    services: Host_Ref,
}

struct Data {
    plugin: String,
    secrets: Secrets,
    live: AtomicI64,
    dropped_records: AtomicU64,
}

impl Data {
    /// A text of a log record as it may be logged.
    fn shown<'a>(&self, text: RStr<'a>) -> Cow<'a, str> {
        self.secrets.redact(text.into(), LOG_TEXT)
    }
}

/// The services of all plugins that are linked in.
static BUILTINS: Mutex<BTreeMap<String, HostServices>> = Mutex::new(BTreeMap::new());

/// What the plugins that are linked in must not show.
pub(crate) fn secrets_of_builtins() -> Vec<&'static Secrets> {
    let builtins = BUILTINS.lock().unwrap_or_else(PoisonError::into_inner);
    builtins.values().map(|host| host.secrets()).collect()
}

impl HostServices {
    /// Makes the services of a plugin, known in the log by this name.
    pub(crate) fn new(plugin: String) -> Self {
        let data: &'static Data = Box::leak(Box::new(Data {
            plugin,
            secrets: Secrets::default(),
            live: AtomicI64::new(0),
            dropped_records: AtomicU64::new(0),
        }));
        // SAFETY: the functions take `data` as the `Data` that it is; it lives for ever and is
        // `Sync`, so any thread may call them.
        let host = unsafe {
            Host::new(
                std::ptr::from_ref(data).cast(),
                log_record,
                live_objects,
                extension,
            )
        };
        let services: &'static WithMetadata<Host> = Box::leak(Box::new(WithMetadata::new(host)));
        Self {
            data,
            services: Host_Ref(services.static_as_prefix()),
        }
    }

    /// The services of a plugin that is linked in: the same ones however often it is registered.
    pub(crate) fn of_builtin(plugin: String) -> Self {
        let mut builtins = BUILTINS.lock().unwrap_or_else(PoisonError::into_inner);
        *builtins
            .entry(plugin)
            .or_insert_with_key(|plugin| Self::new(plugin.clone()))
    }

    /// What is passed to the plugin.
    pub(crate) fn services(self) -> Host_Ref {
        self.services
    }

    /// What the plugin's texts must not show.
    pub(crate) fn secrets(self) -> &'static Secrets {
        &self.data.secrets
    }

    /// Number of objects of the plugin that are alive.
    pub(crate) fn live_objects(self) -> i64 {
        self.data.live.load(Ordering::Relaxed)
    }
}

impl fmt::Debug for HostServices {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HostServices")
            .field("plugin", &self.data.plugin)
            .field("live_objects", &self.live_objects())
            .finish_non_exhaustive()
    }
}

/// What an instance is told of its place.
#[derive(Debug, Clone)]
pub(crate) struct Place<'a> {
    pub(crate) pipeline: &'a str,
    pub(crate) connector: &'a str,
    pub(crate) max_record_bytes: u32,
}

/// Calls a plugin's constructor.
pub(crate) fn construct<T>(
    constructor: impl FnOnce(Host_Ref, InstanceInfo_Ref<'_>) -> RResult<T, PluginError>,
    host: HostServices,
    place: &Place<'_>,
) -> Result<T, Error> {
    let info = WithMetadata::new(InstanceInfo {
        pipeline_id: RStr::from(place.pipeline),
        connector_id: RStr::from(place.connector),
        log_level: max_level(),
        max_record_bytes: u64::from(place.max_record_bytes),
    });
    // SAFETY: `info` outlives the call, and the constructor may keep nothing that is lent.
    let info = InstanceInfo_Ref(unsafe { info.as_prefix() });
    match constructor(host.services(), info) {
        RResult::ROk(object) => Ok(object),
        RResult::RErr(error) => Err(host.secrets().copy_error(&error)),
    }
}

/// The level from which on the host logs.
pub(crate) fn max_level() -> LogLevel {
    LogLevel(log::max_level() as u32)
}

unsafe extern "C" fn live_objects(data: *const (), difference: i64) {
    // SAFETY: `data` is the `Data` that `HostServices::new` has put there; it lives for ever.
    let data = unsafe { &*data.cast::<Data>() };
    data.live.fetch_add(difference, Ordering::Relaxed);
}

unsafe extern "C" fn extension(_data: *const (), _id: RStr<'_>) -> *const () {
    std::ptr::null()
}

unsafe extern "C" fn log_record(data: *const (), record: &LogRecord<'_>) {
    // SAFETY: as in `live_objects`.
    let data = unsafe { &*data.cast::<Data>() };
    if LOGGING.replace(true) {
        // The host's logger has called into the plugin, which logs: dropped, or it never ends.
        data.dropped_records.fetch_add(1, Ordering::Relaxed);
        return;
    }
    // A logger that panics must not unwind into the plugin.
    let logged = std::panic::catch_unwind(|| forward(data, record));
    LOGGING.set(false);
    if logged.is_err() {
        data.dropped_records.fetch_add(1, Ordering::Relaxed);
    }
}

fn forward(data: &Data, record: &LogRecord<'_>) {
    let level = match record.level.0 {
        0 | 1 => log::Level::Error,
        2 => log::Level::Warn,
        3 => log::Level::Info,
        4 => log::Level::Debug,
        _ => log::Level::Trace,
    };
    let target = data.shown(record.target);
    let metadata = log::Metadata::builder()
        .level(level)
        .target(&target)
        .build();
    if level > log::max_level() || !log::logger().enabled(&metadata) {
        return;
    }
    let mut values: Vec<(&str, &str)> = vec![("plugin", &data.plugin)];
    if let Some(connector) = CONNECTOR.get() {
        values.push(("connector", connector.as_str()));
    }
    let given = record.key_values.iter().take(LOG_VALUES);
    let given: Vec<_> = given
        .map(|it| (data.shown(it.key), data.shown(it.value)))
        .collect();
    values.extend(given.iter().map(|(key, value)| (&**key, &**value)));
    let (module_path, file) = (data.shown(record.module_path), data.shown(record.file));
    log::logger().log(
        &log::Record::builder()
            .metadata(metadata)
            .args(format_args!("{}", data.shown(record.message)))
            .module_path(Some(&*module_path).filter(|text| !text.is_empty()))
            .file(Some(&*file).filter(|text| !text.is_empty()))
            .line(Some(record.line).filter(|&line| line > 0))
            .key_values(&values.as_slice())
            .build(),
    );
}

/// Asks a specifier; its answer and its errors are copied, the errors without secrets.
pub(crate) fn specify(
    specifier: &mut plugin_api::ffi::SpecifierObject,
    secrets: &Secrets,
) -> Result<plugin_api::Specification, Error> {
    match specifier.specify() {
        RResult::ROk(specification) => specification.try_into(),
        RResult::RErr(error) => Err(secrets.copy_error(&error)),
    }
}
