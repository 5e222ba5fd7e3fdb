//! Scans plugin folders and prints, as JSON, what became of the files in them.
//!
//!     forebay-scan MILLISECONDS FOLDER...
//!
//! For tests that need a process: it uses nothing but the host's public interface, so that it can
//! also be built against a host of another ABI.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program for tests, which print their result and end at the first thing that fails"
)]

use std::env;
use std::io::Write as _;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use plugin_host::{Registry, ScanOptions};
use serde_json::json;

/// Writes what the host logs to standard error: the last line tells where a file has killed it.
struct ToStderr;

impl log::Log for ToStderr {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        eprintln!("{}: {}", record.level(), record.args());
    }

    fn flush(&self) {}
}

fn main() {
    if env::var_os("FOREBAY_SCAN_LOG").is_some() {
        log::set_logger(&ToStderr).unwrap();
        log::set_max_level(log::LevelFilter::Debug);
    }
    let mut arguments = env::args_os().skip(1);
    let timeout = arguments.next().unwrap().into_string().unwrap();
    let folders: Vec<PathBuf> = arguments.map(PathBuf::from).collect();
    let options = ScanOptions {
        timeout: Duration::from_millis(timeout.parse().unwrap()),
        ..ScanOptions::default()
    };
    let begun = Instant::now();
    let mut registry = Registry::standalone(&folders, &options);
    let elapsed = begun.elapsed();
    // Frees what hangs by making the file that it waits for, and scans again.
    if let Some(path) = env::var_os("FOREBAY_SCAN_AGAIN") {
        assert!(plugin_host::is_stuck());
        std::fs::write(path, "").unwrap();
        while plugin_host::is_stuck() {
            std::thread::sleep(Duration::from_millis(5));
        }
        registry = registry.rescan();
    }
    let ready = registry.plugins().map(|plugin| plugin.name().to_string());
    let quarantined = registry.quarantined().iter().map(|file| {
        json!({
            "file": file.path.file_name().unwrap().to_string_lossy(),
            "code": file.error.code(),
            "message": file.error.to_string(),
        })
    });
    let report = json!({
        "ready": ready.collect::<Vec<_>>(),
        "quarantined": quarantined.collect::<Vec<_>>(),
        "is_stuck": plugin_host::is_stuck(),
        "elapsed_ms": u64::try_from(elapsed.as_millis()).unwrap(),
    });
    println!("{report}");
    std::io::stdout().flush().unwrap();
    // A static constructor that hangs holds the dynamic loader's lock, and `exit` would wait for it.
    signal_hook::low_level::exit(0);
}
