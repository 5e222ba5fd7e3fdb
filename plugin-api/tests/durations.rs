//! Durations mean the same at compile time and at run time.
//!
//! The derive macro can't call this library, so it has the rules once more.

#[path = "../derive/src/go_duration.rs"]
mod go_duration;

use plugin_api::duration;

/// What durations are made of, and what they aren't.
const PIECES: [&str; 17] = [
    "",
    "0",
    "1",
    "007",
    "9223372036854775807",
    "9223372036854775808",
    "3000000",
    ".",
    "ns",
    "µs",
    "ms",
    "s",
    "m",
    "h",
    "-",
    "+",
    " ",
];

#[test]
fn derive_and_run_time_agree() {
    let mut durations = 0;
    for a in PIECES {
        for b in PIECES {
            for c in PIECES {
                for d in PIECES {
                    let text = [a, b, c, d].concat();
                    let nanos = duration::parse_nanos(&text).ok();
                    assert_eq!(go_duration::nanos(&text), nanos, "{text}");
                    durations += u32::from(nanos.is_some());
                }
            }
        }
    }
    assert!(durations > 1000, "only {durations} texts are durations");
}

#[test]
fn derive_and_run_time_agree_on_fractions() {
    for fraction in [
        "5",
        "3333333333333333333333",
        "000000001",
        "9999999999",
        "1e3",
        "",
    ] {
        for unit in ["ns", "us", "μs", "s", "h", "d", ""] {
            let text = format!("1.{fraction}{unit}.{fraction}{unit}");
            let nanos = duration::parse_nanos(&text).ok();
            assert_eq!(go_duration::nanos(&text), nanos, "{text}");
        }
    }
}
