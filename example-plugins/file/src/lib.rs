//! The `file` connectors: lines of a file as records, and records as lines of a file.
//!
//! The source reads a file, or all of a glob, from where each stands to its end and, unless told otherwise,
//! waits for more and follows their rotation. The destination appends; it never changes the
//! records that it finds.
#![forbid(unsafe_code)]

mod destination;
mod source;

pub use destination::{Append, AppendConfig};
pub use source::{Lines, LinesConfig};

plugin_api::export_plugin! { source: Lines, destination: Append }

#[cfg(test)]
mod tests {
    use std::io::Write;

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
    fn the_source_keeps_the_contract_over_a_glob() {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in [
            ("a.log", "one\ntwo\n"),
            ("b.log", ""),
            ("c.log", "3\n4\n5\nsix"),
        ] {
            std::fs::write(folder.path().join(name), text).unwrap();
        }
        let path = folder.path().join("*.log");
        let path = path.to_str().unwrap();
        plugin_api::testing::source(plugin(), &[("path", path), ("follow", "false")]);
        plugin_api::testing::source(plugin(), &[("path", path)]);
    }

    #[test]
    fn the_source_keeps_the_contract_over_compressed_files() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["a.gz", "b.gz"] {
            let file = std::fs::File::create(folder.path().join(name)).unwrap();
            let mut file = flate2::write::GzEncoder::new(file, flate2::Compression::fast());
            file.write_all(b"one\ntwo\nthree\n").unwrap();
            file.finish().unwrap();
        }
        for path in ["a.gz", "*.gz"] {
            let path = folder.path().join(path);
            let path = path.to_str().unwrap();
            plugin_api::testing::source(plugin(), &[("path", path), ("follow", "false")]);
            plugin_api::testing::source(plugin(), &[("path", path)]);
        }
    }

    #[test]
    fn the_destination_keeps_the_contract_in_each_mode() {
        for settings in [
            &[][..],
            &[("sync", "data")],
            &[("maxBytes", "50")],
            &[("compression", "gzip")],
            &[("atomic", "true")],
            &[
                ("sync", "data"),
                ("maxBytes", "200"),
                ("compression", "gzip"),
                ("atomic", "true"),
            ],
        ] {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("out");
            let path = [("path", path.to_str().unwrap())];
            plugin_api::testing::destination(plugin(), &[&path, settings].concat());
        }
    }
}
