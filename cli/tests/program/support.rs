//! What the tests of the built `forebay` share: a folder with pipelines, and the process in it.

use std::fmt::{self, Write as _};
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// Longest time that any single step of a test may take; only a hang exceeds it.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);

/// A folder in which `forebay` runs.
pub(crate) struct Place {
    folder: TempDir,
}

impl Place {
    pub(crate) fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
        }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        fs::write(self.path(name), content).unwrap();
    }

    pub(crate) fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).unwrap()
    }

    /// What cargo reads of a plugin's manifest, which must have no key that it doesn't know.
    pub(crate) fn package(&self, manifest: &str) -> serde_json::Value {
        fs::create_dir(self.path("src")).unwrap();
        self.write("src/lib.rs", "");
        self.write("Cargo.toml", manifest);
        let read = Command::new(env!("CARGO"))
            .args(["metadata", "--no-deps", "--offline", "--format-version=1"])
            .arg("--manifest-path")
            .arg(self.path("Cargo.toml"))
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&read.stderr);
        assert!(read.status.success(), "{said}");
        // It is only a warning.
        assert!(!said.contains("unused manifest key"), "{said}");
        let read: serde_json::Value = serde_json::from_slice(&read.stdout).unwrap();
        read["packages"][0].clone()
    }

    /// Puts copies of these plugins into the folder `plugins`.
    pub(crate) fn install(&self, libraries: &[&str]) {
        fs::create_dir_all(self.path("plugins")).unwrap();
        for library in libraries {
            let file = library_file(library);
            fs::copy(&file, self.path("plugins").join(file.file_name().unwrap())).unwrap();
        }
    }

    /// Writes `pipeline.yaml` with one source and one destination, each given as its plugin and its
    /// settings.
    pub(crate) fn pipeline(
        &self,
        source: (&str, &[(&str, &str)]),
        destination: (&str, &[(&str, &str)]),
    ) {
        let mut text = "version: \"2.2\"\npipelines:\n  - id: p\n    connectors:\n".to_owned();
        for (id, kind, (plugin, settings)) in [
            ("src", "source", source),
            ("dst", "destination", destination),
        ] {
            write!(
                text,
                "      - id: {id}\n        type: {kind}\n        plugin: {plugin}\n"
            )
            .unwrap();
            if !settings.is_empty() {
                text.push_str("        settings:\n");
            }
            for (name, value) in settings {
                writeln!(text, "          {name}: \"{value}\"").unwrap();
            }
        }
        self.write("pipeline.yaml", text);
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_forebay"));
        command
            .args(arguments)
            .current_dir(self.folder.path())
            .env_remove("FOREBAY_PLUGINS");
        command
    }

    /// Starts `forebay`; it is killed should the test fail.
    pub(crate) fn start(&self, arguments: &[&str]) -> Running {
        self.spawn(self.command(arguments))
    }

    /// Starts a command made by [`Place::command`].
    pub(crate) fn spawn(&self, mut command: Command) -> Running {
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        Running::new(command.spawn().unwrap())
    }

    /// Runs `forebay` to its end.
    pub(crate) fn run(&self, arguments: &[&str]) -> Finished {
        self.start(arguments).finish()
    }
}

/// The file of a library that was built beside this test.
pub(crate) fn library_file(library: &str) -> PathBuf {
    use std::env::consts::{DLL_PREFIX, DLL_SUFFIX};
    let test = std::env::current_exe().unwrap();
    let file = test
        .parent()
        .unwrap()
        .join(format!("{DLL_PREFIX}{library}{DLL_SUFFIX}"));
    assert!(file.is_file(), "{} was not built", file.display());
    file
}

/// A `forebay` that runs.
pub(crate) struct Running {
    child: Child,
    begun: Instant,
    stdout: Printed,
    stderr: Printed,
}

impl Running {
    fn new(mut child: Child) -> Self {
        let (stdout, stderr) = (
            Printed::of(child.stdout.take()),
            Printed::of(child.stderr.take()),
        );
        Self {
            child,
            begun: Instant::now(),
            stdout,
            stderr,
        }
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn signal(&self, signal: rustix::process::Signal) {
        let process = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(process, signal).unwrap();
    }

    /// The exit status, if it has ended.
    pub(crate) fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().unwrap()
    }

    /// Waits until it has told this, and returns all that it has told.
    pub(crate) fn wait_for_stderr(&self, part: &str) -> String {
        wait_until(|| Some(self.stderr.text()).filter(|text| text.contains(part)))
    }

    /// Waits for its end and takes what it has printed.
    pub(crate) fn finish(mut self) -> Finished {
        let status = wait_until(|| self.ended());
        Finished {
            code: status.code(),
            status,
            elapsed: self.begun.elapsed(),
            stdout: self.stdout.whole(),
            stderr: self.stderr.whole(),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Fails when it has ended, which is what is wanted.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// What comes out of a pipe, while it comes.
struct Printed {
    text: Arc<Mutex<Vec<u8>>>,
    reader: Option<JoinHandle<()>>,
}

impl Printed {
    fn of(pipe: Option<impl Read + Send + 'static>) -> Self {
        let text = Arc::new(Mutex::new(Vec::new()));
        let sink = Arc::clone(&text);
        let mut pipe = pipe.expect("a pipe");
        let reader = std::thread::spawn(move || {
            let mut block = [0; 4096];
            while let Ok(length @ 1..) = pipe.read(&mut block) {
                sink.lock().unwrap().extend_from_slice(&block[..length]);
            }
        });
        Self {
            text,
            reader: Some(reader),
        }
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.text.lock().unwrap()).into_owned()
    }

    /// All of it, once the process has ended.
    fn whole(&mut self) -> String {
        if let Some(reader) = self.reader.take() {
            reader.join().unwrap();
        }
        self.text()
    }
}

/// A `forebay` that has ended.
pub(crate) struct Finished {
    pub(crate) code: Option<i32>,
    pub(crate) status: ExitStatus,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pub(crate) elapsed: Duration,
}

/// Everything, as a failing test should show it.
impl fmt::Debug for Finished {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} after {:?}", self.status, self.elapsed)?;
        writeln!(f, "--- stdout\n{}--- stderr\n{}", self.stdout, self.stderr)
    }
}

impl Finished {
    #[track_caller]
    pub(crate) fn expect_code(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{self:?}");
        self
    }
}

/// Asks again until there is an answer; only a hang lasts longer than [`PATIENCE`].
#[track_caller]
pub(crate) fn wait_until<T>(mut ask: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(
            begun.elapsed() < PATIENCE,
            "nothing happened for {PATIENCE:?}"
        );
        std::thread::yield_now();
    }
}

/// Length of a file; 0 where there is none.
pub(crate) fn length(path: &Path) -> u64 {
    fs::metadata(path).map_or(0, |metadata| metadata.len())
}

/// Random numbers that a seed repeats (xorshift64*).
pub(crate) struct Random(u64);

impl Random {
    /// Takes `FOREBAY_TEST_SEED`, or a seed that is told so that a failure can be repeated.
    pub(crate) fn new() -> Self {
        let seed = std::env::var("FOREBAY_TEST_SEED")
            .ok()
            .and_then(|seed| seed.parse().ok());
        let seed = seed.unwrap_or_else(|| {
            let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
            u64::from(now.unwrap().subsec_nanos())
        });
        println!("FOREBAY_TEST_SEED={seed}");
        Self(seed.max(1))
    }

    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 11) % bound
    }
}
