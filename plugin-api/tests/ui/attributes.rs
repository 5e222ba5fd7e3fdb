use std::time::Duration;

use plugin_api::{
    BatchWriter, Context, Parameters, Position, Progress, Result, Source, export_plugin,
};

#[derive(Parameters)]
struct Config {
    path: String,
    /// Unknown attribute.
    #[parameter(defualt = 1)]
    misspelt: u32,
    /// Default of the wrong type.
    #[parameter(default = "ten")]
    count: u32,
    /// Default out of range.
    #[parameter(default = -1)]
    size: u8,
    /// Default beyond its own bound.
    #[parameter(default = "5m", less_than = "1m")]
    delay: Duration,
    /// A bound on what has no order.
    #[parameter(greater_than = 1)]
    text: String,
    /// Broken regular expression.
    #[parameter(regex = "[a-z")]
    word: String,
    /// Nothing wrong.
    limit: u32,
    /// A name that is there already.
    #[parameter(name = "limit")]
    number: u32,
}

// Only the mistakes above are told of, not what follows from them.

struct Plugin;

impl Source for Plugin {
    type Config = Config;

    fn open(_: Config, _: Option<&Position>) -> Result<Self> {
        Ok(Self)
    }

    fn read(&mut self, _: &mut BatchWriter, _: &Context) -> Result<Progress> {
        Ok(Progress::End)
    }
}

export_plugin! { source: Plugin }

fn main() {}
