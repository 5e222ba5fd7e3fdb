use plugin_api::Parameters;

#[derive(Parameters)]
enum Mode {
    Fast,
    Safe,
}

fn main() {}
