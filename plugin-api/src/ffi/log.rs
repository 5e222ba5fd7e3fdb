//! Leads a plugin file's log records and panic messages to the host.
//!
//! Every plugin file has its own copy of the `log` crate's globals and of the panic hook. Only the
//! loader installs this bridge, and only into files: a builtin shares the host's logger.

use std::panic;
use std::sync::OnceLock;

use abi_stable::std_types::{RSlice, RStr};
use forebay_abi as abi;

static BRIDGE: OnceLock<Bridge> = OnceLock::new();

struct Bridge {
    host: abi::Host_Ref,
}

/// Installs the bridge; a second call only changes the level.
pub(super) extern "C" fn install(host: abi::Host_Ref, level: abi::LogLevel) {
    let bridge = BRIDGE.get_or_init(|| Bridge { host });
    if log::set_logger(bridge).is_ok() {
        panic::set_hook(Box::new(log_panic));
    }
    set_level(level);
}

/// Changes the level from which on the plugin logs.
pub(super) extern "C" fn set_level(level: abi::LogLevel) {
    log::set_max_level(match level.0 {
        0 => log::LevelFilter::Off,
        1 => log::LevelFilter::Error,
        2 => log::LevelFilter::Warn,
        3 => log::LevelFilter::Info,
        4 => log::LevelFilter::Debug,
        _ => log::LevelFilter::Trace,
    });
}

fn log_panic(info: &panic::PanicHookInfo<'_>) {
    let text = info.payload_as_str().unwrap_or("a value that is no text");
    match info.location() {
        Some(place) => {
            log::error!(target: "panic", "panicked at {}:{}: {text}", place.file(), place.line());
        }
        None => log::error!(target: "panic", "panicked: {text}"),
    }
}

impl log::Log for Bridge {
    fn enabled(&self, metadata: &log::Metadata<'_>) -> bool {
        metadata.level() <= log::max_level()
    }

    fn log(&self, record: &log::Record<'_>) {
        if !self.enabled(record.metadata()) {
            return;
        }
        let message = record.args().to_string();
        let mut values = Values::default();
        // A value that can't be visited is left out; the message counts.
        let visited = record.key_values().visit(&mut values);
        let values: &[(String, String)] = if visited.is_ok() { &values.0 } else { &[] };
        let values: Vec<_> = values
            .iter()
            .map(|(key, value)| abi::KeyValue {
                key: RStr::from(&**key),
                value: RStr::from(&**value),
            })
            .collect();
        self.host.log_record(&abi::LogRecord {
            level: abi::LogLevel(record.level() as u32),
            line: record.line().unwrap_or(0),
            target: RStr::from(record.target()),
            message: RStr::from(&*message),
            module_path: RStr::from(record.module_path().unwrap_or("")),
            file: RStr::from(record.file().unwrap_or("")),
            key_values: RSlice::from_slice(&values),
        });
    }

    fn flush(&self) {}
}

#[derive(Default)]
struct Values(Vec<(String, String)>);

impl<'kvs> log::kv::VisitSource<'kvs> for Values {
    fn visit_pair(
        &mut self,
        key: log::kv::Key<'kvs>,
        value: log::kv::Value<'kvs>,
    ) -> Result<(), log::kv::Error> {
        self.0.push((key.to_string(), value.to_string()));
        Ok(())
    }
}
