//! Markers for tests.

use plugin_api::ffi::marker::{FORMAT, MAGIC, crc32};
use plugin_api::ffi::{ABI_STABLE_VERSION, ABI_VERSION};
use serde_json::{Value, json};

/// A marker's JSON that this host accepts.
pub(in crate::loader) fn json_of(package: &str) -> Value {
    let target = format!(
        "{}-unknown-{}-gnu",
        std::env::consts::ARCH,
        std::env::consts::OS
    );
    json!({
        "abi": ABI_VERSION,
        "api": "0.1.0",
        "abi_stable": ABI_STABLE_VERSION,
        "rustc": "rustc 1.95.0",
        "target": target,
        "panic": "unwind",
        "symbol": format!("forebay_{}_0_1_0", package.replace('-', "_")),
        "package": package,
        "version": "0.1.0",
        "specification": {
            "name": package,
            "summary": "Does it",
            "description": "",
            "version": "v0.1.0",
            "author": "Ada",
            "acks": "last",
            "sourceParams": { "path": { "default": "", "type": "file", "description": "" } },
            "destinationParams": null,
        },
    })
}

/// A marker with the given content, whatever it is.
pub(in crate::loader) fn encode(json: &[u8]) -> Vec<u8> {
    let length = u32::try_from(json.len()).unwrap();
    [
        &MAGIC[..],
        &FORMAT.to_le_bytes(),
        &length.to_le_bytes(),
        &crc32(json).to_le_bytes(),
        json,
    ]
    .concat()
}

/// The marker of a package.
pub(in crate::loader) fn of_package(package: &str) -> Vec<u8> {
    encode(json_of(package).to_string().as_bytes())
}

/// The marker of a package with one field set to another value.
pub(in crate::loader) fn with_field(package: &str, field: &str, value: Value) -> Vec<u8> {
    let mut json = json_of(package);
    json[field] = value;
    encode(json.to_string().as_bytes())
}
