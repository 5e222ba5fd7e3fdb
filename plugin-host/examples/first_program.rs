//! Lists the plugins in the folder `plugins`, and copies `in.txt` to `out.txt` by one of them.
#![expect(clippy::print_stdout, reason = "a program tells its user")]
use std::{error::Error, path::Path, sync::Arc};

use plugin_host::store::FileStore;
use plugin_host::{
    ConnectorConfig, Engine, Outcome, PipelineConfig, PluginService, Registry, RunOptions,
    ScanOptions,
};

fn main() -> Result<(), Box<dyn Error>> {
    let files = Registry::standalone(&["plugins".into()], &ScanOptions::default());
    let service = Arc::new(PluginService::new(Registry::default(), files));
    for (name, specification) in service.list() {
        println!("{name}: {}", specification.summary);
    }
    let lines = ConnectorConfig::new("lines", "file")?.with("path", "in.txt");
    let copy = ConnectorConfig::new("copy", "file")?.with("path", "out.txt");
    let config = PipelineConfig::new("copy-lines", lines.with("follow", "false")).to(copy);
    let engine = Engine::new(service, Arc::new(FileStore::open(Path::new("state"))?))?;
    println!("settings without effect: {:?}", engine.validate(&config)?);
    let pipeline = engine.start(&config, RunOptions::default())?;
    if let Outcome::Failed(error) = pipeline.wait() {
        return Err(error.into());
    }
    println!("{:?}", pipeline.progress());
    Ok(())
}
