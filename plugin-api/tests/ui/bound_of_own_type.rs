use plugin_api::{InvalidValue, ParameterType, ParameterValue, Parameters};

struct Mode;

impl ParameterValue for Mode {
    const KIND: ParameterType = ParameterType::String;

    fn parse(_: &str) -> Result<Self, InvalidValue> {
        Ok(Self)
    }
}

#[derive(Parameters)]
struct Config {
    /// How to go about it.
    #[parameter(greater_than = 1)]
    mode: Mode,
}

fn main() {}
