use plugin_api::Parameters;

#[derive(Parameters)]
enum Mode {
    Fast,
    Safe,
}

#[derive(Parameters)]
struct Generic<'a, T> {
    /// What it does.
    field: &'a T,
}

fn is_parameters<T: Parameters>() {}

fn main() {
    is_parameters::<Mode>();
    is_parameters::<Generic<'static, u8>>();
}
