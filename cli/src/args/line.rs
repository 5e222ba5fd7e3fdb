//! The words of the command line, as clap reads them, with their help.

use std::path::PathBuf;

use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum};
use log::LevelFilter;

use super::run::Run;

/// Streams records between connector plugins.
///
/// A plugin is a shared library: put its file into a plugin folder and it is available. A pipeline
/// file says which source feeds which destinations.
#[derive(Debug, Parser)]
#[command(
    name = "forebay",
    version,
    max_term_width = 100,
    after_help = "Run `forebay --help` or `forebay COMMAND --help` for more.",
    after_long_help = "\
Exit codes:
  0  all was done, or whoever read the output had enough
  1  a pipeline failed while it ran, or was broken off by a second signal
  2  the command line, a pipeline file or a setting is wrong
  3  a file, a folder or the machine isn't as needed

Begin with `forebay run --help`: it shows a pipeline that runs as it is."
)]
pub(super) struct Line {
    #[command(flatten)]
    pub(super) flags: Flags,

    #[command(subcommand)]
    pub(super) command: Command,
}

impl Line {
    /// Refuses values that are well formed and contradict each other.
    pub(super) fn checked(self) -> Result<Self, clap::Error> {
        match &self.command {
            Command::Run(run) => run.check().map(|()| self),
            _ => Ok(self),
        }
    }
}

/// Flags that may stand before and after every command.
#[derive(Debug, Args)]
#[command(next_help_heading = "Options of every command")]
pub(super) struct Flags {
    /// Folder with plugin files; repeatable [default: ./plugins]
    ///
    /// Where two folders have the same version of a plugin, the folder named earlier wins, and
    /// `forebay list` says so.
    ///
    /// Without the flag, the folders are those of the environment variable `FOREBAY_PLUGINS`,
    /// separated as in PATH; without that, `./plugins`.
    #[arg(long, value_name = "DIR")]
    pub(super) plugins: Vec<PathBuf>,

    /// Folder for the positions of pipelines [default: ./.forebay]
    ///
    /// Says how far each pipeline has come, so that the next run goes on from there. The folder is
    /// made when it is needed, and serves one process at a time.
    #[arg(long, value_name = "DIR")]
    pub(super) state: Option<PathBuf>,

    /// Write results as JSON
    ///
    /// One document a line, on standard output. Log lines and messages stay plain text on standard
    /// error.
    #[arg(long)]
    pub(super) json: bool,

    /// Log more; repeatable
    ///
    /// `-v` logs info, `-vv` debug, `-vvv` trace, on standard error. Without it there are warnings
    /// and errors, the records of `log` destinations from info on, and where standard error is no
    /// terminal a line on each pipeline every 10 seconds.
    #[arg(short, long, action = ArgAction::Count, conflicts_with = "quiet")]
    pub(super) verbose: u8,

    /// Log less; repeatable
    ///
    /// `-q` logs only errors, `-qq` nothing, and both leave out the live lines. Results are written
    /// all the same, and so are the summary of a run and the reason where a command fails.
    #[arg(short, long, action = ArgAction::Count)]
    pub(super) quiet: u8,

    /// Log from this level on [default: warn]
    ///
    /// Overrides `-v` and `-q`.
    #[arg(long, value_name = "LEVEL", value_enum)]
    pub(super) log_level: Option<Level>,

    /// How plugin files are loaded [default: memory]
    ///
    /// Where the platform can't load from memory, `memory` is the same as `copy`.
    #[arg(long, value_name = "HOW", value_enum)]
    pub(super) load_from: Option<LoadFrom>,

    /// Load the files of this user too, a number; repeatable
    ///
    /// A plugin file and its folder must belong to the user that runs forebay, to root or to a user
    /// named here, and nobody else may write to them or to a folder on the way there. Root also
    /// trusts the owner of a folder named with `--plugins`. Whoever is trusted can run code as the
    /// user that runs forebay.
    #[arg(long, value_name = "UID")]
    pub(super) trust_owner: Vec<u32>,
}

/// How much is logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Level {
    Off,
    Error,
    Warn,
    Info,
    Debug,
    Trace,
}

impl From<Level> for LevelFilter {
    fn from(level: Level) -> Self {
        match level {
            Level::Off => Self::Off,
            Level::Error => Self::Error,
            Level::Warn => Self::Warn,
            Level::Info => Self::Info,
            Level::Debug => Self::Debug,
            Level::Trace => Self::Trace,
        }
    }
}

/// How plugin files are loaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum LoadFrom {
    /// From memory: the bytes that were checked, whatever happens to the file
    Memory,
    /// From a private copy on disk: debuggers and profilers find its path
    Copy,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Run(Run),
    Validate(Validate),
    List(List),
    Inspect(Inspect),
    State(State),
    Quickstart(Quickstart),
}

/// Tell all that is wrong with pipeline files, starting nothing
///
/// What `forebay run` checks before it starts anything: the form of the files, their variables, the
/// plugins and the settings. Everything that is wrong is told at once, each with file, line, column
/// and how to mend it, on standard error; then the exit code is 2, or 3 where a file can't be read.
///
/// Plugin files are opened, as for a run. What only a plugin itself can judge, such as whether a
/// host answers, comes up when it is started. So does what is wrong with an entry of a list: a
/// specification says of a list only that it is a text, not what its entries are.
#[derive(Debug, Args)]
#[command(after_long_help = "\
In every value of a pipeline file, `${NAME}` is the environment variable, `${NAME:-text}` the text
where it is unset or empty, and `$$` a dollar.

With --json, one document, whose list is empty if all is right:
  {\"problems\": [{\"severity\", \"code\", \"file\", \"line\", \"column\", \"message\", \"help\"}]}
`severity` is error or warning; only an error keeps a pipeline from running.

Examples:
  forebay validate pipeline.yaml
  forebay validate pipelines/*.yaml && forebay run pipelines/*.yaml")]
pub(crate) struct Validate {
    /// Pipeline files: YAML in Conduit's format 2.2
    #[arg(value_name = "PIPELINE.yaml", required = true)]
    pub(crate) files: Vec<PathBuf>,

    #[command(flatten)]
    pub(super) flags: Flags,
}

/// Show every plugin, builtin and standalone, and its sides
///
/// Files in the plugin folders that are not used are shown too, with the reason and how to mend it.
/// They are no failure of this command: it exits with 0.
///
/// Each file that passes the checks is opened, as for a run, so that what only shows then is told
/// too. `-v` logs a file before it is opened.
#[derive(Debug, Args)]
#[command(after_long_help = "\
With --json, one document:
  {\"plugins\": [{\"name\", \"version\", \"kind\", \"path\", \"status\", \"reason\", \"specification\"}]}
`kind` is builtin or standalone, `status` ready or quarantined, and `reason` null or
{\"code\", \"stage\", \"message\", \"help\"}. Only what is ready is used: a file that another one
goes before is quarantined too, with the code load.shadowed. `specification` has the parameters.")]
pub(crate) struct List {
    /// Show the parameters of each plugin too
    #[arg(short, long)]
    pub(crate) parameters: bool,

    #[command(flatten)]
    pub(super) flags: Flags,
}

/// Tell all about a plugin without executing its file
///
/// What it says about itself, its parameters, how it was built, and which libraries it needs. A file
/// that would be refused is told with the reason, how to mend it, and what could be read of it all
/// the same; then the exit code is 3.
///
/// The file is only read: what shows when it is opened, as `forebay list` and `forebay run` do,
/// isn't told. Of several files with the same plugin, `forebay list` says which one is used.
#[derive(Debug, Args)]
#[command(after_long_help = "\
With --json, one document:
  {\"plugins\": [{\"name\", \"kind\", \"path\", \"refusals\", \"specification\", \"build\", \"hash\",
                \"needed\", \"runPaths\", \"glibc\"}]}
`refusals` is a list of {\"code\", \"stage\", \"message\", \"help\"}, `build` has package, version, api,
rustc, abi, abiStable, target and panic, and `hash` is the file's SHA-256. What couldn't be read, or
doesn't apply to a builtin, is null or empty.

Examples:
  forebay inspect file
  forebay inspect standalone:file@v0.1.0
  forebay inspect target/release/libforebay_connector_counter.so")]
pub(crate) struct Inspect {
    /// Plugin name, for all plugins in the plugin folders and builtins that it may mean, or plugin file
    ///
    /// What has a folder or ends in `.so`, `.dylib` or `.dll` is a file.
    #[arg(value_name = "NAME|FILE")]
    pub(crate) plugin: PathBuf,

    #[command(flatten)]
    pub(super) flags: Flags,
}

/// Show what is stored of pipelines, forget positions, or delete connectors
///
/// A source goes on behind its stored position when its pipeline runs again, and the plugin of a
/// connector whose settings have changed since is told. Settings are never shown. The state folder serves
/// one process at a time: while a pipeline runs, it is told who has it, and the exit code is 3.
#[derive(Debug, Args)]
#[command(after_long_help = "\
With --json, one document, whose list has what is shown or was forgotten:
  {\"connectors\": [{\"pipeline\", \"connector\", \"side\", \"plugin\", \"hash\", \"position\", \"hex\"}]}
`position` is null where its bytes, in `hex`, are no text, and both are where none is stored. `hash` is
the SHA-256 of the plugin's file, null for a builtin.

Examples:
  forebay state list
  forebay state show copy-lines
  forebay state reset copy-lines/lines
  forebay state delete copy-lines")]
pub(crate) struct State {
    #[command(subcommand)]
    pub(crate) action: StateAction,

    #[command(flatten)]
    pub(super) flags: Flags,
}

/// What to do with what is stored.
#[derive(Debug, Subcommand)]
pub(crate) enum StateAction {
    /// Show every connector of which something is stored in a line
    List,
    /// Show all about the connectors of a pipeline
    Show {
        /// The pipeline, or one connector of it
        #[arg(value_name = "PIPELINE[/CONNECTOR]")]
        name: String,
    },
    /// Forget the positions of a pipeline, so that its sources begin at their beginning
    Reset {
        /// The pipeline, or one source of it
        #[arg(value_name = "PIPELINE[/CONNECTOR]")]
        name: String,
    },
    /// Delete the connectors of a pipeline: tell their plugins, then forget all that is stored
    ///
    /// A plugin may hold something for a connector at the other end, such as a replication slot. So it is
    /// told, with the settings that the connector last ran with, and can clear it away. Where the plugin
    /// fails or is not there in any version, what is stored is kept and the exit code is 1; the other
    /// connectors are deleted all the same. A connector that never ran has no settings, and goes without
    /// a call.
    ///
    /// No run deletes anything: a connector that was taken out of a pipeline file stays stored.
    #[command(after_long_help = "\
With --json, one document:
  {\"connectors\": [{\"pipeline\", \"connector\", \"deleted\", \"told\", \"error\"}]}
`told` is the full name of the plugin that was told, null where none was, and `error` null or
{\"code\", \"message\", \"help\"}: why it is kept, or with --force what the plugin couldn't be told for.")]
    Delete {
        /// The pipeline, or one connector of it
        #[arg(value_name = "PIPELINE[/CONNECTOR]")]
        name: String,

        /// Forget it also where its plugin can't be told
        ///
        /// What the plugin holds for it at the other end stays there.
        #[arg(long)]
        force: bool,
    },
}

/// Make a folder with plugins, data and a pipeline, and run it
///
/// The data is the list of all Unicode characters, 34,924 lines. Each line flows out of a file
/// through a shared library, and through a shared library into another file.
///
/// A folder that an earlier quickstart made is made anew, unless something in it was changed or
/// added: then it is left alone. The plugins and the positions are those in the folder, whatever `--plugins` and
/// `--state` say.
///
/// The files of the example plugins must be beside this program, as they are where it was built:
/// `cargo quickstart` in the repository builds them and runs this. `cargo install` doesn't bring
/// them.
#[derive(Debug, Args)]
pub(crate) struct Quickstart {
    /// Folder to make
    #[arg(value_name = "DIR", default_value = "./forebay-quickstart")]
    pub(crate) folder: PathBuf,

    #[command(flatten)]
    pub(super) flags: Flags,
}
