//! A program that is a source and a destination itself, beside the plugins of a folder.
//!
//! Its lines of standard input go to the plugin `file`, loaded from the folder, and to a destination
//! of its own, which counts words. What another pipeline needs (a web server's requests, a client's
//! messages) is sent into such a channel in the same way.
//!
//! ```sh
//! cargo build --release && mkdir -p plugins && cp target/release/libforebay_connector_file.so plugins/
//! printf 'one line\nanother\n' | cargo run --package forebay-plugin-host --example own_connectors -- plugins state copy.txt
//! ```
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program tells its user"
)]

use std::collections::BTreeMap;
use std::error::Error;
use std::io::BufRead;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use crossbeam_channel::bounded;
use plugin_api::{Acks, Batch, Context, Record};
use plugin_host::store::FileStore;
use plugin_host::{
    ConnectorConfig, Engine, Outcome, PipelineConfig, PluginService, Registry, RunOptions,
    ScanOptions, embedded,
};

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    let [plugins, state, copy] = &arguments[..] else {
        eprintln!("usage: own_connectors PLUGIN_FOLDER STATE_FOLDER FILE");
        return ExitCode::FAILURE;
    };
    match run(plugins, state, copy) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(plugins: &Path, state: &Path, copy: &Path) -> Result<(), Box<dyn Error>> {
    let (lines, taken) = bounded(256);
    let own = Registry::builtin([
        embedded::channel_source("lines", taken),
        embedded::destination("words", count_words()),
    ]);
    let files = Registry::standalone(&[plugins.to_owned()], &ScanOptions::default());
    let service = Arc::new(PluginService::new(own, files));
    service.check()?; // fails with what can't be loaded, and why
    let engine = Engine::new(service, Arc::new(FileStore::open(state)?))?;

    let to_file = ConnectorConfig::new("copy", "standalone:file")?
        .with("path", copy.to_string_lossy())
        .with("sdk.record.format", "raw");
    let config = PipelineConfig::new("stdin", ConnectorConfig::new("in", "builtin:lines")?)
        .to(to_file)
        .to(ConnectorConfig::new("words", "builtin:words")?);
    let pipeline = engine.start(&config, RunOptions::default())?;

    'lines: for (number, line) in std::io::stdin().lock().lines().enumerate() {
        let mut record = Record::create(number).with_payload(line?);
        // The channel stays open for a next run, so a send doesn't fail when the pipeline is over.
        while let Err(full) = lines.send_timeout(record, Duration::from_millis(100)) {
            if pipeline.wait_timeout(Duration::ZERO).is_some() {
                break 'lines;
            }
            record = full.into_inner();
        }
    }
    drop(lines); // ends the source, and with it the pipeline
    match pipeline.wait() {
        Outcome::Failed(error) => Err(format!("{error}; {}", error.help()).into()),
        _ => {
            println!("{} lines", pipeline.progress().committed);
            Ok(())
        }
    }
}

/// A destination that prints, after each batch, how often each word has come.
fn count_words() -> impl FnMut(&Batch<'_>, &mut Acks<'_>, &Context) -> plugin_api::Result<()> + Send
{
    let mut words: BTreeMap<String, u64> = BTreeMap::new();
    move |batch, _, _| {
        for record in batch {
            let line = String::from_utf8_lossy(record.after());
            for word in line.split_whitespace() {
                *words.entry(word.to_owned()).or_default() += 1;
            }
        }
        println!("{words:?}");
        Ok(()) // acknowledges every record of the batch
    }
}
