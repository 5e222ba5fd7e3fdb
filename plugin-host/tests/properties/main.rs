//! What holds for every pipeline, whatever its connectors do: properties over generated scripts.
//!
//! `PROPTEST_CASES=2000 cargo test -p forebay-plugin-host --test properties` runs more than the few that
//! every test run does. docs/reliability.md says what is proven.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test's helper functions may fail the test"
)]

mod delivery;
mod states;

use proptest::test_runner::Config;

/// So many cases, or as many as the environment wants. A failure is shrunk and printed, not kept in a file.
fn cases(cases: u32) -> Config {
    let wanted = std::env::var("PROPTEST_CASES").ok();
    Config {
        cases: wanted.and_then(|it| it.parse().ok()).unwrap_or(cases),
        failure_persistence: None,
        max_shrink_iters: 100,
        ..Config::default()
    }
}
