use plugin_api::Parameters;

#[derive(Parameters)]
struct Config {
    /// Files to read.
    paths: Vec<String>,
}

fn main() {}
