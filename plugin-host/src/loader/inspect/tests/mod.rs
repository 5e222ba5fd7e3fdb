//! Stage 2 on files made by hand, on this test's own executable, and on thousands of broken ones.
#![expect(
    clippy::cast_possible_truncation,
    reason = "in tests, numbers are small"
)]

#[cfg(all(
    target_os = "linux",
    target_pointer_width = "64",
    target_endian = "little"
))]
mod any_bytes;
#[cfg(all(
    target_os = "linux",
    target_pointer_width = "64",
    target_endian = "little"
))]
mod elf_file;
mod foreign;
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
mod portable_file;

use super::sample::SampleElf;
use super::*;
use crate::loader::marker::sample as marker;

fn code(bytes: &[u8]) -> &'static str {
    inspect(bytes, "libconn_a").map_or_else(|error| error.code(), |_| "ok")
}

fn error(bytes: &[u8]) -> String {
    inspect(bytes, "libconn_a").unwrap_err().to_string()
}

fn with_field(field: &str, value: serde_json::Value) -> Vec<u8> {
    SampleElf::with_marker(marker::with_field("conn-a", field, value)).build()
}

/// A copy with the bytes at an offset replaced.
fn patched(bytes: &[u8], at: usize, new: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    bytes[at..at + new.len()].copy_from_slice(new);
    bytes
}

fn own_executable() -> Vec<u8> {
    std::fs::read(std::env::current_exe().unwrap()).unwrap()
}

#[test]
fn what_is_no_library_is_told_by_what_it_looks_like() {
    assert_eq!(code(b""), "load.empty");
    for (bytes, looks_like) in [
        (&b"#!/bin/sh\n"[..], "a script"),
        (b"!<arch>\nx", "a static library (ar archive)"),
        (
            b"version https://git-lfs.github.com/spec/v1\n",
            "a Git LFS pointer, not the file that it stands for",
        ),
        (b"hello\n", "a text file"),
        ("x".repeat(511).as_bytes(), "a text file"),
        // The last character is cut in two where the looking stops.
        (format!("{}ü", "x".repeat(511)).as_bytes(), "a text file"),
        (&[0; 4096], "a file of zeros"),
        (b"\0", "a file of zeros"),
        (b"\x01\x02\xff", "data of an unknown kind"),
        (b"\x7fELX", "data of an unknown kind"),
    ] {
        let expected = format!("expected a shared library, found {looks_like}");
        assert_eq!(error(bytes), expected);
        assert_eq!(code(bytes), "load.not_library");
    }
}
