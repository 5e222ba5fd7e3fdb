use plugin_api::{BatchWriter, Context, Position, Progress, Result, Source, export_plugin};

struct Counter;

impl Source for Counter {
    type Config = ();

    fn open(_: (), _: Option<&Position>) -> Result<Self> {
        Ok(Self)
    }

    fn read(&mut self, _: &mut BatchWriter, _: &Context) -> Result<Progress> {
        Ok(Progress::End)
    }
}

export_plugin! {}
export_plugin! { Counter }
export_plugin! { source: Counter destination: Counter }
export_plugin! { name: "counter" }
export_plugin! { source: Counter, source: Counter }

// The version is always the package's.
export_plugin! { source: Counter, version: "v1.0.0" }

fn main() {}
