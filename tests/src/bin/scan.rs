//! Scans plugin folders and prints, as JSON, what became of the files in them.
//!
//!     forebay-scan MILLISECONDS FOLDER...
//!
//! For tests that need a process: it uses nothing but the host's public interface, so that it can
//! also be built against a host of another ABI.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a program for tests, which print their result and end at the first thing that fails"
)]

use std::env;
use std::io::Write as _;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use plugin_host::{Registry, ScanOptions};
use serde_json::json;

fn main() {
    let mut arguments = env::args_os().skip(1);
    let timeout = arguments.next().unwrap().into_string().unwrap();
    let folders: Vec<PathBuf> = arguments.map(PathBuf::from).collect();
    let options = ScanOptions {
        timeout: Duration::from_millis(timeout.parse().unwrap()),
        ..ScanOptions::default()
    };
    let begun = Instant::now();
    let registry = Registry::standalone(&folders, &options);
    let elapsed = begun.elapsed();
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
