//! Files for other machines.

use super::super::sample::{SampleElf, mach_o, pe};
use super::*;

#[test]
#[cfg(target_os = "linux")]
fn other_platforms_are_named() {
    let mach = mach_o(0x0100_000c, 6, b"");
    assert_eq!(code(&mach), "load.foreign_platform");
    assert_eq!(
        error(&mach),
        "a library for macos (Mach-O), this host runs on linux"
    );
    assert_eq!(
        error(&pe(0x8664, b"")),
        "a library for windows (PE), this host runs on linux"
    );
    // Two bytes of a file that is being copied are enough.
    assert_eq!(code(b"MZ"), "load.foreign_platform");
    let freebsd = patched(&SampleElf::plugin().build(), 7, &[9]);
    assert_eq!(
        error(&freebsd),
        "a library for freebsd (ELF), this host runs on linux"
    );
}

#[test]
#[cfg(target_os = "linux")]
fn other_processors_are_named_even_if_the_file_is_cut_behind_the_first_bytes() {
    let good = SampleElf::plugin().build();
    let (number, name) = if ARCH == "aarch64" {
        (62_u16, "x86_64")
    } else {
        (183, "aarch64")
    };
    let foreign = patched(&good, 18, &number.to_le_bytes());
    for bytes in [&foreign[..], &foreign[..20]] {
        assert_eq!(code(bytes), "load.foreign_cpu");
        assert_eq!(
            error(bytes),
            format!("a library for {name}, this host runs on {ARCH}")
        );
    }
    let unknown = patched(&good, 18, &0xffff_u16.to_le_bytes());
    assert!(error(&unknown).starts_with("a library for processor number 65535"));
    let narrow = patched(&patched(&good, 4, &[1]), 18, &3_u16.to_le_bytes());
    assert_eq!(code(&narrow[..20]), "load.wrong_bitness");
    assert_eq!(
        error(&narrow),
        format!("a 32-bit library for x86, this host is 64-bit {ARCH}")
    );
    let swapped = patched(&patched(&good, 5, &[2]), 18, &21_u16.to_be_bytes());
    assert!(
        error(&swapped).starts_with("a library for powerpc64 (big endian)"),
        "{}",
        error(&swapped)
    );
}

#[test]
fn other_targets_are_told_by_the_marker() {
    assert!(
        is_our_target(&format!(
            "{ARCH}-unknown-{}",
            our_target().split_once('-').unwrap().1
        )) || OS == "macos"
    );
    for triple in [
        "x86_64-unknown-freebsd",
        "",
        "linux",
        "x86_64-linux-android",
        "wasm32-wasip1",
    ] {
        assert!(!is_our_target(triple), "{triple}");
    }
    if cfg!(all(target_os = "linux", target_env = "gnu")) {
        assert!(is_our_target("armv7-unknown-linux-gnueabihf"));
        assert!(!is_our_target("x86_64-unknown-linux-musl"));
    }
}
