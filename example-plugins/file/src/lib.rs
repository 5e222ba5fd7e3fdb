//! The `file` connectors: lines of a file as records, and records as lines of a file.
//!
//! The source reads one file from where it stands to its end and, unless told otherwise, waits for
//! more. The destination appends; it never changes what it finds.
#![forbid(unsafe_code)]

mod destination;
mod source;

pub use destination::{Append, AppendConfig};
pub use source::{Lines, LinesConfig};

plugin_api::export_plugin! { source: Lines, destination: Append }

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_source_keeps_the_contract() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("in");
        std::fs::write(&path, "one\n\ntwo\r\nthree\n").unwrap();
        let path = path.to_str().unwrap();
        plugin_api::testing::source(plugin(), &[("path", path), ("follow", "false")]);
        plugin_api::testing::source(plugin(), &[("path", path)]);
    }

    #[test]
    fn the_destination_keeps_the_contract() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out");
        plugin_api::testing::destination(plugin(), &[("path", path.to_str().unwrap())]);
    }
}
