//! The code for Mach-O and PE, on whatever machine the test runs.

use super::super::sample::{mach_o, pe};
use super::*;

fn cpus() -> (u32, u16) {
    if ARCH == "aarch64" {
        (0x0100_000c, 0xaa64)
    } else {
        (0x0100_0007, 0x8664)
    }
}

fn package(file: &[u8]) -> Result<String, LoadError> {
    Ok(Marker::read(&portable::marker_sections(file)?, "x")?.package)
}

#[test]
fn the_marker_of_mach_o_and_pe_is_found() {
    let content = marker::of_package("conn-a");
    assert_eq!(package(&mach_o(cpus().0, 6, &content)).unwrap(), "conn-a");
    assert_eq!(package(&pe(cpus().1, &content)).unwrap(), "conn-a");
}

#[test]
fn their_faults_are_told() {
    let content = marker::of_package("conn-a");
    let (mach, pe_cpu) = cpus();
    assert_eq!(
        package(&mach_o(mach, 2, &content)).unwrap_err().code(),
        "load.not_library"
    );
    assert_eq!(
        package(&mach_o(12, 6, &content)).unwrap_err().code(),
        "load.foreign_cpu"
    );
    assert_eq!(
        package(&pe(0x01c4, &content)).unwrap_err().code(),
        "load.foreign_cpu"
    );
    for file in [mach_o(mach, 6, &content), pe(pe_cpu, &content)] {
        let error = package(&file[..file.len() - 1]).unwrap_err();
        assert_eq!(error.code(), "load.truncated", "{error}");
        for length in 0..file.len() {
            assert!(package(&file[..length]).is_err(), "{length}");
        }
    }
}
