use std::collections::HashMap;

use plugin_api::Parameters;

#[derive(Parameters)]
struct Config {
    /// Files to read.
    paths: HashMap<String, String>,
}

fn main() {}
