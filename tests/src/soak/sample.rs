//! What a process uses at one time, as Linux tells it in `/proc`.

use std::fmt;
use std::fs;
use std::path::Path;

/// One row of the measurements.
#[derive(Debug, Clone, Copy)]
pub struct Sample {
    /// Seconds since the beginning.
    pub seconds: f64,
    /// Resident memory in KiB.
    pub resident: u64,
    /// Threads.
    pub threads: u64,
    /// Open descriptors.
    pub descriptors: u64,
    /// Bytes of the files that the process keeps for itself: stored positions, journals.
    pub stored: u64,
    /// Lines that were written to the input.
    pub written: u64,
    /// Lines that have come out.
    pub arrived: u64,
}

impl Sample {
    /// The names of the columns.
    pub const HEADER: &str = "seconds,rss_kib,threads,descriptors,stored_bytes,written,arrived";

    /// Measures the process, and the folders that are its own.
    #[must_use]
    pub fn take(process: u32, own: &[&Path], seconds: f64, written: u64, arrived: u64) -> Self {
        let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap();
        let field = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name));
            let value = line.and_then(|rest| rest.split_whitespace().next());
            value.unwrap().parse().unwrap()
        };
        let descriptors = fs::read_dir(format!("/proc/{process}/fd")).unwrap();
        Self {
            seconds,
            resident: field("VmRSS:"),
            threads: field("Threads:"),
            descriptors: descriptors.count() as u64,
            stored: own.iter().map(|folder| bytes_in(folder)).sum(),
            written,
            arrived,
        }
    }
}

impl fmt::Display for Sample {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:.1},{},{},{},{},{},{}",
            self.seconds,
            self.resident,
            self.threads,
            self.descriptors,
            self.stored,
            self.written,
            self.arrived
        )
    }
}

/// Bytes of the files in a folder; none where it isn't there. What goes meanwhile doesn't count.
fn bytes_in(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .map(|entry| match entry.file_type() {
            Ok(kind) if kind.is_dir() => bytes_in(&entry.path()),
            _ => entry.metadata().map_or(0, |metadata| metadata.len()),
        })
        .sum()
}
