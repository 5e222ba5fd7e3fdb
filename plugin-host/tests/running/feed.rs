//! A source on a feed, under the driver: its client is the standard output of a child process.
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use crate::support::{connector, engine, note, noted, pipeline};
use plugin_api::{
    Acks, Batch, BatchWriter, Context, Destination, Feed, Parameters, Plugin, Position, Progress,
    Record, Result, Source,
};
use plugin_host::{Outcome, Pipeline, RunOptions};
use tempfile::tempdir;

#[derive(Parameters)]
struct OutputConfig {
    /// What the shell is to run.
    script: String,
}

/// Reads the lines that a shell's script prints.
struct Output {
    feed: Feed,
}

impl Source for Output {
    type Config = OutputConfig;

    fn open(config: OutputConfig, _: Option<&Position>) -> Result<Self> {
        let feed = Feed::spawn(move |feeder| {
            let mut child = Command::new("sh")
                .args(["-c", &config.script])
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .spawn()?;
            let lines = child.stdout.take().map(BufReader::new);
            for (number, line) in (1..).zip(lines.into_iter().flat_map(BufRead::lines)) {
                feeder.push(Record::create(number).with_payload(line?))?;
            }
            child.wait()?;
            Ok(())
        })?;
        Ok(Self { feed })
    }

    fn read(&mut self, batch: &mut BatchWriter, context: &Context) -> Result<Progress> {
        self.feed.read(batch, context)
    }
}

#[derive(Parameters)]
struct NotesConfig {
    /// Name under which payloads are noted.
    journal: String,
}

/// Notes the payload of every record.
struct Notes(String);

impl Destination for Notes {
    type Config = NotesConfig;

    fn open(config: NotesConfig) -> Result<Self> {
        Ok(Self(config.journal))
    }

    fn write(&mut self, batch: &Batch, _: &mut Acks, _: &Context) -> Result<()> {
        for record in batch {
            note(
                &self.0,
                String::from_utf8_lossy(record.after()).into_owned(),
            );
        }
        Ok(())
    }
}

/// Runs a pipeline that notes what the script prints.
fn start(state: &std::path::Path, script: &str, journal: &str, options: RunOptions) -> Pipeline {
    let plugins = [
        Plugin::from_source("output", Output::open),
        Plugin::from_destination("notes", Notes::open),
    ];
    let config = pipeline(
        connector("src", "output", &[("script", script)]),
        connector("dst", "notes", &[("journal", journal)]),
    );
    engine(plugins, state).start(&config, options).unwrap()
}

#[test]
fn a_run_until_the_end_waits_for_a_client_that_takes_its_time() {
    let state = tempdir().unwrap();
    // Each pause is longer than any wait of a read.
    let script = "for line in 1 2 3; do sleep 0.3; echo $line; done";
    let options = RunOptions {
        until_end: true,
        ..RunOptions::default()
    };
    let pipeline = start(state.path(), script, "feed slow", options);
    let outcome = pipeline.wait();
    assert!(matches!(outcome, Outcome::Ended), "{outcome:?}");
    assert_eq!(noted("feed slow"), ["1", "2", "3"]);
}

#[test]
fn a_run_is_stopped_whose_client_hangs() {
    let state = tempdir().unwrap();
    // Its input ends with this process.
    let script = "echo 1; exec cat";
    let pipeline = start(state.path(), script, "feed hangs", RunOptions::default());
    while noted("feed hangs").is_empty() {
        std::thread::yield_now();
    }
    pipeline.stop();
    let outcome = pipeline.wait();
    assert!(matches!(outcome, Outcome::Stopped), "{outcome:?}");
    assert_eq!(noted("feed hangs"), ["1"]);
}
