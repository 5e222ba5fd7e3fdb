//! Scans plugin folders in a process of its own: for plugins that hang, for an environment of
//! their own, and for hosts of another ABI.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

/// Longest time for a scan, far more than any needs: a test must end.
const LIMIT: Duration = Duration::from_secs(60);

/// A scan to be made. The program is `src/bin/scan.rs`, or one that was built from it.
#[derive(Debug)]
pub struct Scan {
    command: Command,
}

/// What became of the files.
#[derive(Debug)]
pub struct Report {
    /// Full names of the plugins that were loaded.
    pub ready: Vec<String>,
    /// The files that were quarantined.
    pub quarantined: Vec<Refused>,
    /// Whether a plugin's code hangs.
    pub is_stuck: bool,
    /// How long the scan took.
    pub elapsed: Duration,
    /// What the process wrote to standard error.
    pub stderr: String,
}

/// A scan that didn't reach its end.
#[derive(Debug)]
pub struct Death {
    /// How the process ended.
    pub ended: ExitStatus,
    /// What it wrote to standard error.
    pub stderr: String,
}

/// A file that was quarantined.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// Name of the file.
    pub file: String,
    /// Code of the error.
    pub code: String,
    /// What is wrong.
    pub message: String,
}

impl Scan {
    /// A scan of these folders, each file within a time.
    #[must_use]
    pub fn new(program: &Path, timeout: Duration, folders: &[PathBuf]) -> Self {
        let mut command = Command::new(program);
        command.arg(timeout.as_millis().to_string()).args(folders);
        Self { command }
    }

    /// Sets a variable of the process's environment.
    #[must_use]
    pub fn env(mut self, name: &str, value: impl AsRef<std::ffi::OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// Runs it.
    #[must_use]
    pub fn run(self) -> Report {
        match self.end() {
            Ok(report) => report,
            Err(death) => panic!("the scan failed: {death:?}"),
        }
    }

    /// Runs it on files that may kill it.
    ///
    /// # Errors
    ///
    /// Returns how it died.
    pub fn end(mut self) -> Result<Report, Death> {
        let mut child = self
            .command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let stdout = read_all(child.stdout.take().unwrap());
        let stderr = read_all(child.stderr.take().unwrap());
        let ended = wait(&mut child);
        let stderr = stderr.join().unwrap();
        let stdout = stdout.join().unwrap();
        if ended.success() {
            return Ok(Report::parse(&stdout, stderr));
        }
        Err(Death { ended, stderr })
    }
}

impl Report {
    fn parse(stdout: &str, stderr: String) -> Self {
        let report: Value = serde_json::from_str(stdout)
            .unwrap_or_else(|error| panic!("{error} in {stdout:?}, beside {stderr:?}"));
        let list = |name: &str| report[name].as_array().unwrap().iter();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        Self {
            ready: list("ready").map(text).collect(),
            quarantined: list("quarantined")
                .map(|file| Refused {
                    file: text(&file["file"]),
                    code: text(&file["code"]),
                    message: text(&file["message"]),
                })
                .collect(),
            is_stuck: report["is_stuck"].as_bool().unwrap(),
            elapsed: Duration::from_millis(report["elapsed_ms"].as_u64().unwrap()),
            stderr,
        }
    }
}

/// Reads on a thread of its own, so that no pipe is ever full.
fn read_all(mut pipe: impl Read + Send + 'static) -> thread::JoinHandle<String> {
    thread::spawn(move || {
        // A damaged plugin may log anything.
        let mut text = Vec::new();
        pipe.read_to_end(&mut text).unwrap();
        String::from_utf8_lossy(&text).into_owned()
    })
}

/// How the process ends; one that doesn't is killed and fails the test.
fn wait(child: &mut Child) -> ExitStatus {
    let begun = Instant::now();
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status;
        }
        if begun.elapsed() > LIMIT {
            child.kill().unwrap();
            child.wait().unwrap();
            panic!("the scan did not end within {LIMIT:?}");
        }
        thread::sleep(Duration::from_millis(5));
    }
}
