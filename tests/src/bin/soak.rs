//! Runs `forebay` for a long time over files that grow and are rotated, and says whether it stays as it
//! was: every line came out exactly once and in order, and memory, threads and descriptors are flat.
//!
//!     forebay-soak FOREBAY PLUGIN SECONDS FOLDER
//!
//! FOREBAY is the program, PLUGIN the file of the connector `file`. FOLDER is made, and gets `soak.csv`
//! with a row each 5 seconds and `soak.svg` with its curve. `.ci/soak` builds and starts it.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a program for tests, which print their result and end at the first thing that fails"
)]

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use forebay_tests::soak::{Arrivals, Curve, Sample, Writer};
use rustix::process::{Pid, Signal, kill_process};

/// Time between two writes, and the lines that each file gets: 20,000 lines a second of four files.
const STEP: Duration = Duration::from_millis(50);
const LINES: u64 = 250;

/// Time between two samples.
const SAMPLE: Duration = Duration::from_secs(5);

/// Longest time from a line to its copy, once nothing more is written.
const PATIENCE: Duration = Duration::from_secs(60);

/// Most KiB that memory may grow in the second half. The allocator gives and takes some pages, within a
/// hundred KiB. What is lost each time adds up to more in half an hour: 36 million lines, 1,600
/// rotated files of the input and 400 of the output, 18,000 windows. So 512 KiB are 0.015 bytes a line, 30
/// bytes a window, or 260 bytes a file.
const GROWTH: f64 = 512.0;

const PIPELINE: &str = r#"version: "2.2"
pipelines:
  - id: soak
    connectors:
      - {id: logs, type: source, plugin: "standalone:file", settings: {path: "logs/*.log"}}
      - {id: copy, type: destination, plugin: "standalone:file",
         settings: {path: out.txt, maxBytes: 8000000, sdk.record.format: raw}}
"#;

/// The process, which ends with this program however that ends.
struct Forebay(Child);

impl Drop for Forebay {
    fn drop(&mut self) {
        // Fails when it has ended, which is what is wanted.
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let [forebay, plugin, seconds, folder] = &arguments[..] else {
        println!("usage: forebay-soak FOREBAY PLUGIN SECONDS FOLDER");
        return ExitCode::from(2);
    };
    let folder = PathBuf::from(folder);
    for inner in ["logs", "plugins"] {
        fs::create_dir_all(folder.join(inner)).unwrap();
    }
    let plugin = Path::new(plugin);
    let name = plugin.file_name().unwrap();
    fs::copy(plugin, folder.join("plugins").join(name)).unwrap();
    fs::write(folder.join("pipeline.yaml"), PIPELINE).unwrap();

    let time = Duration::from_secs(seconds.parse().unwrap());
    match run(Path::new(forebay), &folder, time) {
        Ok(()) => ExitCode::SUCCESS,
        Err(what) => {
            println!("soak: {what}; see {}", folder.join("run.log").display());
            ExitCode::FAILURE
        }
    }
}

/// Starts the program, has lines flow for the time, and stops it.
fn run(forebay: &Path, folder: &Path, time: Duration) -> Result<(), String> {
    let mut writer = Writer::new(&folder.join("logs"));
    let mut arrivals = Arrivals::new(folder.to_owned());
    let child = Command::new(fs::canonicalize(forebay).unwrap())
        .args(["run", "pipeline.yaml"])
        .current_dir(folder)
        .env_remove("FOREBAY_PLUGINS")
        // What is large goes back to the system when it is freed. Else what the start has used stays, and
        // a leak fills it for long before memory grows: of the files that are hashed, tens of megabytes.
        .env("MALLOC_MMAP_THRESHOLD_", "131072")
        .stdin(Stdio::null())
        .stderr(File::create(folder.join("run.log")).unwrap())
        .spawn();
    let mut forebay = Forebay(child.unwrap());

    let own = [".forebay", ".forebay-places"].map(|name| folder.join(name));
    let own = own.each_ref().map(PathBuf::as_path);
    let mut samples = Vec::new();
    let mut csv = File::create(folder.join("soak.csv")).unwrap();
    writeln!(csv, "{}", Sample::HEADER).unwrap();

    let begun = Instant::now();
    let mut next_write = begun;
    let mut next_sample = begun + SAMPLE;
    while begun.elapsed() < time {
        writer.write(LINES, &arrivals);
        arrivals.check()?;
        still_runs(&mut forebay)?;
        if Instant::now() >= next_sample {
            let (seconds, process) = (begun.elapsed().as_secs_f64(), forebay.0.id());
            let lines = (writer.lines(), arrivals.lines());
            let sample = Sample::take(process, &own, seconds, lines.0, lines.1);
            writeln!(csv, "{sample}").unwrap();
            samples.push(sample);
            next_sample += SAMPLE;
        }
        // After a pause of the machine the lines don't come all at once.
        next_write = (next_write + STEP).max(Instant::now());
        std::thread::sleep(next_write.saturating_duration_since(Instant::now()));
    }

    let end = Instant::now();
    while arrivals.lines() < writer.lines() {
        arrivals.check()?;
        still_runs(&mut forebay)?;
        if end.elapsed() > PATIENCE {
            let missing = writer.lines() - arrivals.lines();
            return Err(format!("{missing} lines don't come"));
        }
        std::thread::sleep(STEP);
    }
    kill_process(Pid::from_child(&forebay.0), Signal::INT).unwrap();
    let status = forebay.0.wait().unwrap();
    if !status.success() {
        return Err(format!("after its stop: {status}"));
    }
    arrivals.check()?;
    if arrivals.lines() != writer.lines() || !arrivals.is_whole() {
        return Err("lines came after the stop".to_owned());
    }
    println!(
        "{} lines of {} input files and {} output files, each exactly once",
        arrivals.lines(),
        writer.rotations(),
        arrivals.full_files()
    );
    judge(&samples, folder)
}

fn still_runs(forebay: &mut Forebay) -> Result<(), String> {
    match forebay.0.try_wait().unwrap() {
        Some(status) => Err(format!("forebay has ended: {status}")),
        None => Ok(()),
    }
}

/// Draws the curve, and fails if something grows.
fn judge(samples: &[Sample], folder: &Path) -> Result<(), String> {
    let [.., last] = samples else {
        return Err("too short for a sample".to_owned());
    };
    let curve = Curve(samples);
    let title = format!(
        "forebay run, file to file with rotation: {:.1} million lines in {:.0} minutes",
        last.arrived as f64 / 1e6,
        last.seconds / 60.0
    );
    fs::write(folder.join("soak.svg"), curve.to_svg(&title)).unwrap();
    let growth = curve.growth();
    let (threads, descriptors) = (
        curve.range(|it| it.threads),
        curve.range(|it| it.descriptors),
    );
    let (resident, stored) = (curve.range(|it| it.resident), curve.range(|it| it.stored));
    println!(
        "second half: memory {} to {} KiB, growing by {growth:.0} KiB (most: {GROWTH}); threads {} to {}; \
         descriptors {} to {}; stored {} to {} bytes",
        resident.0,
        resident.1,
        threads.0,
        threads.1,
        descriptors.0,
        descriptors.1,
        stored.0,
        stored.1
    );
    if growth > GROWTH {
        return Err(format!("memory grows by {growth:.0} KiB"));
    }
    // The same ones are there at all times, and files that have been read are closed.
    let first = samples[samples.len() / 2];
    if threads.1 > first.threads + 1 || descriptors.1 > first.descriptors + 8 {
        return Err("threads or descriptors grow".to_owned());
    }
    Ok(())
}
