//! Pipelines from async code, here on tokio: the library blocks, so its calls go to threads for that.
//!
//! It copies a file by the plugin `file`, loaded from the folder, tries again what fails, tells what
//! the pipeline does, and stops it gracefully on Ctrl-C.
//!
//! ```sh
//! cargo run --package forebay-plugin-host --example from_async -- plugins state in.txt out.txt
//! ```
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program tells its user"
)]

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use plugin_host::store::FileStore;
use plugin_host::{
    ConnectorConfig, Engine, Event, Outcome, Pipeline, PipelineConfig, PluginService, Recovery,
    Registry, RunOptions, ScanOptions, Status,
};
use tokio::sync::mpsc;
use tokio::task::spawn_blocking;

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

#[tokio::main]
async fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let [plugins, state, input, output] = &arguments[..] else {
        eprintln!("usage: from_async PLUGIN_FOLDER STATE_FOLDER INPUT OUTPUT");
        return ExitCode::FAILURE;
    };
    match run(plugins, state, input, output).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(plugins: &str, state: &str, input: &str, output: &str) -> Result<()> {
    let lines = ConnectorConfig::new("in", "file")?.with("path", input);
    let copy = ConnectorConfig::new("out", "file")?
        .with("path", output)
        .with("sdk.record.format", "raw");
    let config = PipelineConfig::new("copy", lines).to(copy);
    let (plugins, state) = (PathBuf::from(plugins), PathBuf::from(state));
    // Loading files and opening the store wait for the disk.
    let engine = spawn_blocking(move || engine(&plugins, &state)).await??;
    let events = forward(&engine);
    let options = RunOptions {
        until_end: true,
        recovery: Some(Recovery::default()),
    };
    // Starting waits for the disk once, to read the stored position.
    let pipeline = spawn_blocking(move || engine.start(&config, options)).await??;
    watch(&pipeline, events).await
}

fn engine(plugins: &Path, state: &Path) -> Result<Engine> {
    let files = Registry::standalone(&[plugins.to_owned()], &ScanOptions::default());
    let service = PluginService::new(Registry::default(), files);
    service.check()?; // fails with what can't be loaded, and why
    let store = FileStore::open(state)?;
    Ok(Engine::new(Arc::new(service), Arc::new(store))?)
}

/// Passes the engine's events on to where they can be awaited, by a thread of its own.
fn forward(engine: &Engine) -> mpsc::UnboundedReceiver<Event> {
    let (sender, events) = mpsc::unbounded_channel();
    let heard = engine.events();
    std::thread::spawn(move || heard.into_iter().try_for_each(|event| sender.send(event)));
    events
}

/// Tells what the pipeline does until it is over. Asking it to stop doesn't wait.
async fn watch(pipeline: &Pipeline, mut events: mpsc::UnboundedReceiver<Event>) -> Result<()> {
    loop {
        tokio::select! {
            stopped = tokio::signal::ctrl_c() => {
                stopped?;
                pipeline.stop();
            }
            event = events.recv() => match event.map(|event| event.status) {
                Some(Status::Recovering { error, attempt, delay }) => {
                    println!("{error}; try {attempt} in {delay:?}");
                }
                Some(Status::Over(Outcome::Failed(error))) => return Err(error.to_string().into()),
                Some(Status::Over(outcome)) => {
                    println!("{outcome:?}: {} records", pipeline.progress().committed);
                    return Ok(());
                }
                Some(status) => println!("{status:?}"),
                None => return Ok(()),
            },
        }
    }
}
