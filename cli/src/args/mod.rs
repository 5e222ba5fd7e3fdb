//! What may stand on the command line.
//!
//! Only says what was asked for; usage errors end the process with code 2 before anything runs.

mod line;
mod recovery;
mod run;

use std::env;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use anyhow::anyhow;
use clap::Parser;

use crate::output::{self, Exit, Failure, Form};
use line::Line;
pub(crate) use line::{Command, Level, LoadFrom, StateAction};

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
    pub(crate) trust_owners: Vec<u32>,
}

impl Arguments {
    /// Reads the command line of this process; ends it with help or with a usage error.
    pub(crate) fn of_process() -> Self {
        let line = Line::try_parse().and_then(Line::checked);
        line.map_or_else(|error| leave(&error), Self::from)
    }

    #[cfg(test)]
    pub(crate) fn of_words(line: &str) -> Result<Self, clap::Error> {
        let line = Line::try_parse_from(line.split_whitespace()).and_then(Line::checked);
        line.map(Self::from)
    }
}

/// Ends the process with help, or with what is wrong with the words.
fn leave(error: &clap::Error) -> ! {
    // The words could not be read, so the wish for JSON is looked for among them.
    if error.use_stderr() && env::args_os().any(|word| word == "--json") {
        // Standard error has the message in any case.
        output::print_json(&usage_failure(error).to_json()).ok();
    }
    error.exit()
}

/// The first paragraph of clap's message, in one line.
fn usage_failure(error: &clap::Error) -> Failure {
    let text = error.to_string();
    let lines = text.lines().map(str::trim);
    let words: Vec<_> = lines.take_while(|line| !line.is_empty()).collect();
    let message = words.join(" ");
    let message = message.strip_prefix("error: ").unwrap_or(&message);
    Failure::new(Exit::Usage, "cli.usage", anyhow!("{message}"))
        .with_help("run `forebay --help` or `forebay COMMAND --help`")
}

/// Joins the flags that stand before and after the command: clap's own global flags would lose the
/// folders named before it.
impl From<Line> for Arguments {
    fn from(line: Line) -> Self {
        let Line { flags, command } = line;
        let later = match &command {
            Command::Run(run) => &run.flags,
            Command::Validate(validate) => &validate.flags,
            Command::List(list) => &list.flags,
            Command::Inspect(inspect) => &inspect.flags,
            Command::State(state) => &state.flags,
            Command::Quickstart(quickstart) => &quickstart.flags,
        };
        let mut plugins = flags.plugins;
        plugins.extend_from_slice(&later.plugins);
        let state = later.state.clone().or(flags.state);
        let mut trust_owners = flags.trust_owner;
        trust_owners.extend_from_slice(&later.trust_owner);
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
            trust_owners,
        };
        Self { global, command }
    }
}

impl Global {
    /// The folders of `--plugins`, else of `FOREBAY_PLUGINS`, else `./plugins`.
    pub(crate) fn plugin_folders(&self) -> PluginFolders {
        self.plugin_folders_or(env::var_os(PLUGINS_VARIABLE))
    }

    /// The same, with other folders for plugins and state.
    pub(crate) fn within(&self, plugins: &Path, state: &Path) -> Self {
        Self {
            plugins: vec![plugins.to_owned()],
            state: state.to_owned(),
            trust_owners: self.trust_owners.clone(),
            ..*self
        }
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
            assert!(run.options().until_end);
            assert_eq!(run.files, [Path::new("a.yaml"), Path::new("b.yaml")]);
        }
    }

    #[test]
    fn owners_are_trusted_before_and_after_the_command() {
        let line = "forebay --trust-owner 7 list --trust-owner 8 --trust-owner 9";
        let arguments = Arguments::of_words(line).unwrap();
        assert_eq!(arguments.global.trust_owners, [7, 8, 9]);
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
            "forebay validate",
            "forebay inspect",
            "forebay inspect a b",
            "forebay list --load-from network",
            "forebay list -v -q",
            "forebay list --log-level loud",
            "forebay list --trust-owner ann",
            "forebay quickstart a b",
            "forebay state",
            "forebay state reset",
            "forebay state reset a --force",
            "forebay state delete",
            "forebay state show a b",
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
