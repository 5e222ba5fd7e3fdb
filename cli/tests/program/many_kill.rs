//! Killed while pipelines with several connectors run: two sources and three destinations, and a
//! destination that refuses records, whose letters go to a dead-letter queue.

use std::fs::File;
use std::io::Write as _;
use std::path::PathBuf;
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use rustix::process::Signal;
use serde_json::Value;

use crate::kill::{LINE, line};
use crate::repeats::{check_jumps, jumps, numbers};
use crate::support::{Place, Random, length, wait_until};

/// Lines of each source that are there at least when a run begins.
const AHEAD: u64 = 60_000;

/// Kills of a test that every change has to pass.
const FEW: u64 = 4;

/// The input: files `in-0.txt`, `in-1.txt` and so on. The lines of each are those whose numbers have its
/// own remainder.
struct Inputs {
    files: Vec<File>,
    /// Number of the first line that isn't there yet.
    end: u64,
}

impl Inputs {
    fn new(place: &Place, sources: u64) -> Self {
        let create = |number| File::create(place.path(&format!("in-{number}.txt"))).unwrap();
        Self {
            files: (0..sources).map(create).collect(),
            end: 0,
        }
    }

    /// Appends lines until there are so many.
    fn extend_to(&mut self, end: u64) {
        let sources = self.files.len() as u64;
        let mut texts = vec![String::new(); self.files.len()];
        while self.end < end {
            for text in &mut texts {
                text.push_str(&line(self.end));
                self.end += 1;
            }
        }
        assert_eq!(self.end % sources, 0);
        for (file, text) in self.files.iter_mut().zip(texts) {
            file.write_all(text.as_bytes()).unwrap();
        }
    }
}

/// Kills runs of `pipeline.yaml` so many times, each after a random growth of one of the outputs, while
/// there is always more input. Then a run goes to the end.
fn kill_while_lines_flow(place: &Place, inputs: &mut Inputs, outputs: &[PathBuf], kills: u64) {
    let mut random = Random::new();
    let sources = inputs.files.len() as u64;
    for _ in 0..kills {
        // What has come out at most.
        let lines = outputs.iter().map(|output| length(output) / LINE as u64);
        inputs.extend_to(lines.max().unwrap_or(0) + AHEAD * sources);
        let one = usize::try_from(random.below(outputs.len() as u64)).unwrap();
        let growth = 1 + random.below(AHEAD / 2 * LINE as u64);
        let enough = length(&outputs[one]) + growth;
        let mut running = place.start(&["run", "pipeline.yaml", "-q"]);
        wait_until(|| {
            let status = running.ended();
            assert_eq!(status, None, "it has ended before it was killed");
            (length(&outputs[one]) >= enough).then_some(())
        });
        running.signal(Signal::KILL);
        assert_eq!(running.finish().code, None, "killed");
    }
    place
        .run(&["run", "pipeline.yaml", "-q", "--until-end"])
        .expect_code(0);
}

/// Two sources, each of whose lines go to three files.
fn two_sources_to_three_destinations(plugin: &str, kills: u64) {
    const SOURCES: u64 = 2;
    let place = Place::new();
    place.install(&["forebay_connector_file"]);
    let source = |number: u64| {
        format!(
            "{{id: in-{number}, type: source, plugin: \"{plugin}:file\", settings: {{path: in-{number}.txt}}}}"
        )
    };
    let outputs = ["out-0.txt", "out-1.txt", "out-2.txt"];
    let destination = |output: &&str| {
        // The last one is slower than the others, so that there is always something that it hasn't
        // confirmed for longer than a window is open.
        let rate = match *output == outputs[2] {
            true => ", sdk.rate.perSecond: 100000, sdk.rate.burst: 500",
            false => "",
        };
        format!(
            "{{id: {output}, type: destination, plugin: \"{plugin}:file\", \
             settings: {{path: {output}, sdk.record.format: raw{rate}}}}}"
        )
    };
    let connectors = (0..SOURCES).map(source);
    let connectors = connectors.chain(outputs.iter().map(destination));
    place.write("pipeline.yaml", yaml(connectors, ""));

    let mut inputs = Inputs::new(&place, SOURCES);
    let paths = outputs.map(|output| place.path(output));
    kill_while_lines_flow(&place, &mut inputs, &paths, kills);

    for output in outputs {
        let (found, fragments) = numbers(&place.read(output));
        assert!(fragments <= kills, "{fragments} fragments in {output}");
        for source in 0..SOURCES {
            let of_source = |number: &u64| number % SOURCES == source;
            let found = found.iter().copied().filter(of_source);
            let jumps = jumps(found, inputs.end, |number| of_source(&number));
            let worst = check_jumps(&jumps, kills, &format!("in-{source} in {output}"));
            println!("in-{source} in {output}: {kills} kills, at most {worst} lines repeated");
        }
    }
}

/// What the destination `picky` refuses.
fn is_refused(number: u64) -> bool {
    matches!(number % 100, 13 | 14 | 57 | 58)
}

/// Two sources, whose lines all go to one file and those that aren't refused to another; of the others a
/// third one gets letters.
fn refused_lines_to_a_queue(plugin: &str, kills: u64) {
    const SOURCES: u64 = 2;
    let place = Place::new();
    place.install(&["forebay_connector_file", "forebay_fixture_picky"]);
    let source = |number: u64| {
        format!(
            "{{id: in-{number}, type: source, plugin: \"{plugin}:file\", settings: {{path: in-{number}.txt}}}}"
        )
    };
    let connectors = (0..SOURCES).map(source).chain([
        format!("{{id: all, type: destination, plugin: \"{plugin}:file\", settings: {{path: all.txt, sdk.record.format: raw}}}}"),
        "{id: picky, type: destination, plugin: \"standalone:picky\", settings: {path: taken.txt}}".to_owned(),
    ]);
    let queue = format!(
        "dead-letter-queue: {{plugin: \"{plugin}:file\", settings: {{path: letters.txt}}, \
         window-size: 100, window-nack-threshold: 50}}"
    );
    place.write("pipeline.yaml", yaml(connectors, &queue));

    let mut inputs = Inputs::new(&place, SOURCES);
    let paths = ["all.txt", "taken.txt"].map(|output| place.path(output));
    kill_while_lines_flow(&place, &mut inputs, &paths, kills);

    let (letters, torn) = letters_of(&place.read("letters.txt"));
    let letters: Vec<_> = letters.into_iter().map(|(number, _)| number).collect();
    assert!(torn <= kills, "{torn} letters are torn");
    let (all, _) = numbers(&place.read("all.txt"));
    let (taken, _) = numbers(&place.read("taken.txt"));
    for source in 0..SOURCES {
        let of_source = |number: u64| number % SOURCES == source;
        let jumps_of = |found: &[u64], belongs: fn(u64) -> bool| {
            let found = found.iter().copied().filter(|number| of_source(*number));
            jumps(found, inputs.end, |number| {
                of_source(number) && belongs(number)
            })
        };
        for (what, jumps) in [
            ("all lines", jumps_of(&all, |_| true)),
            ("taken", jumps_of(&taken, |number| !is_refused(number))),
            ("letters", jumps_of(&letters, is_refused)),
        ] {
            let worst = check_jumps(&jumps, kills, what);
            println!("in-{source}, {what}: {kills} kills, at most {worst} repeated");
        }
    }
}

/// The numbers of the lines that letters tell of and when they were made, and how many letters a kill has
/// torn.
pub(crate) fn letters_of(output: &[u8]) -> (Vec<(u64, Duration)>, u64) {
    let mut letters = Vec::new();
    let mut torn = 0;
    for letter in output.split(|byte| *byte == b'\n') {
        let Ok(letter) = serde_json::from_slice::<Value>(letter) else {
            torn += u64::from(!letter.is_empty());
            continue;
        };
        let metadata = |name: &str| letter["metadata"][name].as_str().unwrap();
        assert_eq!(metadata("conduit.dlq.nack.error"), "not this one");
        assert_eq!(metadata("conduit.dlq.nack.node.id"), "p:picky");
        let created = metadata("opencdc.createdAt").parse().unwrap();
        let refused = letter["payload"]["after"]["payload"]["after"].as_str();
        let refused = BASE64_STANDARD.decode(refused.unwrap()).unwrap();
        let number = std::str::from_utf8(&refused[..10]).unwrap();
        letters.push((number.parse().unwrap(), Duration::from_nanos(created)));
    }
    (letters, torn)
}

/// A pipeline of these connectors, and one more field.
pub(crate) fn yaml(connectors: impl IntoIterator<Item = String>, more: &str) -> String {
    let connectors = connectors.into_iter().map(|it| format!("      - {it}\n"));
    let connectors: String = connectors.collect();
    format!(
        "version: \"2.2\"\npipelines:\n  - id: p\n    connectors:\n{connectors}{}",
        match more {
            "" => String::new(),
            field => format!("    {field}\n"),
        }
    )
}

#[test]
fn killed_with_two_sources_and_three_destinations_nothing_is_lost() {
    two_sources_to_three_destinations("standalone", FEW);
    two_sources_to_three_destinations("builtin", FEW);
}

#[test]
fn killed_while_lines_are_refused_each_is_written_or_has_its_letter() {
    refused_lines_to_a_queue("standalone", FEW);
    refused_lines_to_a_queue("builtin", FEW);
}

/// `cargo test --release -p forebay --test program -- --ignored killed_200_times`
#[test]
#[ignore = "takes minutes; .ci/full runs it"]
fn killed_200_times_with_two_sources_and_three_destinations_nothing_is_lost() {
    two_sources_to_three_destinations("standalone", 200);
    two_sources_to_three_destinations("builtin", 200);
}

#[test]
#[ignore = "takes minutes; .ci/full runs it"]
fn killed_200_times_while_lines_are_refused_each_is_written_or_has_its_letter() {
    refused_lines_to_a_queue("standalone", 200);
    refused_lines_to_a_queue("builtin", 200);
}
