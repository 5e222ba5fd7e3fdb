//! What may stand on the command line.
//!
//! Only says what was asked for; usage errors end the process with code 2 before anything runs.

use std::env;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum};
use log::LevelFilter;

use crate::output::Form;

/// The variable that names the plugin folders where no `--plugins` does.
const PLUGINS_VARIABLE: &str = "FOREBAY_PLUGINS";

/// What was asked for.
#[derive(Debug)]
pub(crate) struct Arguments {
    pub(crate) global: Global,
    pub(crate) command: Command,
}

/// What holds for every command.
#[derive(Debug)]
pub(crate) struct Global {
    plugins: Vec<PathBuf>,
    pub(crate) state: PathBuf,
    pub(crate) form: Form,
    pub(crate) verbose: u8,
    pub(crate) quiet: u8,
    pub(crate) log_level: Option<Level>,
    pub(crate) load_from: LoadFrom,
}

impl Arguments {
    /// Reads the command line of this process; ends it with help or with a usage error.
    pub(crate) fn of_process() -> Self {
        Line::parse().into()
    }

    #[cfg(test)]
    pub(crate) fn of_words(line: &str) -> Result<Self, clap::Error> {
        Line::try_parse_from(line.split_whitespace()).map(Self::from)
    }
}

/// Joins the flags that stand before and after the command: clap's own global flags would lose the
/// folders named before it.
impl From<Line> for Arguments {
    fn from(line: Line) -> Self {
        let Line { flags, command } = line;
        let later = match &command {
            Command::Run(run) => &run.flags,
            Command::List(list) => &list.flags,
            Command::Quickstart(quickstart) => &quickstart.flags,
        };
        let mut plugins = flags.plugins;
        plugins.extend_from_slice(&later.plugins);
        let state = later.state.clone().or(flags.state);
        let global = Global {
            plugins,
            state: state.unwrap_or_else(|| Path::new(".").join(".forebay")),
            form: if flags.json || later.json {
                Form::Json
            } else {
                Form::Human
            },
            verbose: flags.verbose.saturating_add(later.verbose),
            quiet: flags.quiet.saturating_add(later.quiet),
            log_level: later.log_level.or(flags.log_level),
            load_from: later
                .load_from
                .or(flags.load_from)
                .unwrap_or(LoadFrom::Memory),
        };
        Self { global, command }
    }
}

impl Global {
    /// The folders of `--plugins`, else of `FOREBAY_PLUGINS`, else `./plugins`.
    pub(crate) fn plugin_folders(&self) -> PluginFolders {
        self.plugin_folders_or(env::var_os(PLUGINS_VARIABLE))
    }

    fn plugin_folders_or(&self, variable: Option<OsString>) -> PluginFolders {
        let mut paths = self.plugins.clone();
        if paths.is_empty() {
            // An empty part would mean the current folder, which nobody meant.
            paths = env::split_paths(&variable.unwrap_or_default())
                .filter(|path| path != OsStr::new(""))
                .collect();
        }
        let named = !paths.is_empty();
        if !named {
            paths.push(Path::new(".").join("plugins"));
        }
        PluginFolders { paths, named }
    }
}

/// The plugin folders to look into.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct PluginFolders {
    /// An earlier one wins.
    pub(crate) paths: Vec<PathBuf>,
    /// The user named them, so that a missing one is an error; the default may be missing.
    pub(crate) named: bool,
}

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
  1  a pipeline failed while it ran
  2  the command line, a pipeline file or a setting is wrong
  3  a file, a folder or the machine isn't as needed

Begin with `forebay quickstart`."
)]
struct Line {
    #[command(flatten)]
    flags: Flags,

    #[command(subcommand)]
    command: Command,
}

/// Flags that may stand before and after every command.
#[derive(Debug, Args)]
#[command(next_help_heading = "Options of every command")]
struct Flags {
    /// Folder with plugin files; repeatable [default: ./plugins]
    ///
    /// Where two folders have the same version of a plugin, the folder named earlier wins, and
    /// `forebay list` says so.
    ///
    /// Without the flag, the folders are those of the environment variable `FOREBAY_PLUGINS`,
    /// separated as in PATH; without that, `./plugins`.
    #[arg(long, value_name = "DIR")]
    plugins: Vec<PathBuf>,

    /// Folder for the positions of pipelines [default: ./.forebay]
    ///
    /// Says how far each pipeline has come, so that the next run goes on from there. The folder is
    /// made when it is needed, and serves one process at a time.
    #[arg(long, value_name = "DIR")]
    state: Option<PathBuf>,

    /// Write results as JSON
    ///
    /// One document a line, on standard output. Log lines and messages stay plain text on standard
    /// error.
    #[arg(long)]
    json: bool,

    /// Log more; repeatable
    ///
    /// `-v` logs info, `-vv` debug, `-vvv` trace, on standard error. Without it there are warnings
    /// and errors, and where standard error is no terminal a line on each pipeline every 10
    /// seconds.
    #[arg(short, long, action = ArgAction::Count, conflicts_with = "quiet")]
    verbose: u8,

    /// Log less; repeatable
    ///
    /// `-q` logs only errors, `-qq` nothing, and both leave out the live lines. The result on
    /// standard output is written all the same, and so is the reason where a command fails.
    #[arg(short, long, action = ArgAction::Count)]
    quiet: u8,

    /// Log from this level on [default: warn]
    ///
    /// Overrides `-v` and `-q`.
    #[arg(long, value_name = "LEVEL", value_enum)]
    log_level: Option<Level>,

    /// How plugin files are loaded [default: memory]
    ///
    /// Where the platform can't load from memory, `memory` is the same as `copy`.
    #[arg(long, value_name = "HOW", value_enum)]
    load_from: Option<LoadFrom>,
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
    List(List),
    Quickstart(Quickstart),
}

/// Run pipelines until they are stopped or all their sources have ended
///
/// Nothing starts unless all files are right; what is wrong with any of them is told at once, with
/// file, line and column.
///
/// The first Ctrl-C or SIGTERM stops gracefully: what was read is delivered, and the positions are
/// stored. A second one stops at once; the next run then repeats some records.
///
/// On a terminal each pipeline has a live line with records, records a second, bytes, unanswered
/// records and errors. A summary follows at the end.
#[derive(Debug, Args)]
#[command(after_long_help = "\
With --json, one document at the end:
  {\"pipelines\": [{\"id\", \"status\", \"records\", \"bytes\", \"errors\", \"seconds\", \"error\"}]}
`status` is ended, stopped, failed or skipped, and `error` null or {\"code\", \"message\", \"help\"}.

Examples:
  forebay run pipeline.yaml
  forebay --plugins /opt/plugins --state /var/lib/forebay run a.yaml b.yaml
  forebay run --until-end backfill.yaml")]
pub(crate) struct Run {
    /// Pipeline files: YAML, Conduit's format 2.2
    #[arg(value_name = "PIPELINE.yaml", required = true)]
    pub(crate) files: Vec<PathBuf>,

    /// End at the present end of the data
    ///
    /// A source that would wait for more, such as one that follows a file, ends once it has read
    /// what is there now.
    #[arg(long)]
    pub(crate) until_end: bool,

    #[command(flatten)]
    flags: Flags,
}

/// Show every plugin, builtin and standalone
///
/// Files in the plugin folders that were refused are shown too, with the reason and how to mend it.
/// They are no failure of this command: it exits with 0.
#[derive(Debug, Args)]
#[command(after_long_help = "\
With --json, one document:
  {\"plugins\": [{\"name\", \"version\", \"kind\", \"path\", \"status\", \"reason\", \"specification\"}]}
`kind` is builtin or standalone, `status` ready or quarantined, and `reason` null or
{\"code\", \"stage\", \"message\", \"help\"}.")]
pub(crate) struct List {
    #[command(flatten)]
    flags: Flags,
}

/// Make a folder with plugins, data and a pipeline, and run it
///
/// The data is the list of all Unicode characters, 34,924 lines. Each line flows out of a file
/// through a shared library, and through a shared library into another file.
///
/// A folder that an earlier quickstart made is made anew. A folder with anything else in it is
/// left alone. The plugins and the positions are those in the folder, whatever `--plugins` and
/// `--state` say.
#[derive(Debug, Args)]
pub(crate) struct Quickstart {
    /// Folder to make
    #[arg(value_name = "DIR", default_value = "./forebay-quickstart")]
    pub(crate) folder: PathBuf,

    #[command(flatten)]
    flags: Flags,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;
    use clap::error::ErrorKind;

    use super::*;

    #[test]
    fn the_definition_is_consistent() {
        Line::command().debug_assert();
    }

    #[test]
    fn global_flags_stand_before_or_after_the_command() {
        for line in [
            "forebay --json --state s run a.yaml b.yaml --until-end",
            "forebay run --until-end a.yaml --json --state s b.yaml",
        ] {
            let arguments = Arguments::of_words(line).unwrap();
            assert_eq!(arguments.global.form, Form::Json);
            assert_eq!(arguments.global.state, Path::new("s"));
            let Command::Run(run) = arguments.command else {
                panic!("{line}");
            };
            assert!(run.until_end);
            assert_eq!(run.files, [Path::new("a.yaml"), Path::new("b.yaml")]);
        }
    }

    #[test]
    fn defaults_are_as_documented() {
        let arguments = Arguments::of_words("forebay quickstart").unwrap();
        assert_eq!(arguments.global.state, Path::new("./.forebay"));
        assert_eq!(arguments.global.load_from, LoadFrom::Memory);
        assert_eq!(arguments.global.form, Form::Human);
        let Command::Quickstart(quickstart) = arguments.command else {
            panic!();
        };
        assert_eq!(quickstart.folder, Path::new("./forebay-quickstart"));
    }

    #[test]
    fn usage_errors_exit_with_2() {
        for line in [
            "forebay",
            "forebay run",
            "forebay lists",
            "forebay list --load-from network",
            "forebay list -v -q",
            "forebay list --log-level loud",
            "forebay quickstart a b",
        ] {
            assert_eq!(
                Arguments::of_words(line).unwrap_err().exit_code(),
                2,
                "{line}"
            );
        }
        let help = Arguments::of_words("forebay --help").unwrap_err();
        assert_eq!(help.kind(), ErrorKind::DisplayHelp);
        assert_eq!(help.exit_code(), 0);
    }

    #[test]
    fn flags_then_the_variable_then_the_default_name_the_plugin_folders() {
        let folders = |line: &str, variable: Option<&[&str]>| {
            let variable = variable.map(|paths| env::join_paths(paths).unwrap());
            let global = Arguments::of_words(line).unwrap().global;
            let folders = global.plugin_folders_or(variable);
            (folders.paths, folders.named)
        };
        let paths = |paths: &[&str]| paths.iter().map(PathBuf::from).collect::<Vec<_>>();

        let flags = "forebay --plugins a list --plugins b";
        assert_eq!(
            folders("forebay list", None),
            (paths(&["./plugins"]), false)
        );
        assert_eq!(
            folders("forebay list", Some(&[])),
            (paths(&["./plugins"]), false)
        );
        assert_eq!(
            folders("forebay list", Some(&["x", "", "y"])),
            (paths(&["x", "y"]), true)
        );
        assert_eq!(
            folders("forebay --plugins a list", Some(&["x"])),
            (paths(&["a"]), true)
        );
        assert_eq!(folders(flags, None), (paths(&["a", "b"]), true));
    }
}
