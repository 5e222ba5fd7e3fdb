use plugin_api::Parameters;

#[derive(Parameters)]
struct Config {
    /// A path.
    path: String,
    #[parameter(flatten)]
    common: Common,
}

#[derive(Parameters)]
struct Common {
    /// A path.
    path: String,
}

fn main() {}
