//! Why a command failed, and the exit code that says so.

use std::fmt;
use std::io;
use std::process::ExitCode;

use serde_json::{Value, json};

/// The exit codes of every command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// All was done.
    Ok = 0,
    /// A pipeline failed while it ran, or was broken off.
    RunFailed = 1,
    /// The command line, a pipeline file or a setting is wrong.
    Usage = 2,
    /// A file, a folder or the machine isn't as needed.
    Environment = 3,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// Why a command didn't do what was asked.
#[derive(Debug)]
pub(crate) struct Failure {
    exit: Exit,
    code: &'static str,
    error: anyhow::Error,
    help: Option<String>,
}

/// Code of a failure to write results.
const STDOUT: &str = "cli.stdout";

impl Failure {
    /// Makes a failure with a stable identifier, such as `quickstart.not_empty`.
    pub(crate) fn new(exit: Exit, code: &'static str, error: impl Into<anyhow::Error>) -> Self {
        Self {
            exit,
            code,
            error: error.into(),
            help: None,
        }
    }

    /// Adds the line that says how to mend it.
    #[must_use]
    pub(crate) fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    pub(super) fn of_stdout(error: io::Error) -> Self {
        let error = anyhow::Error::new(error).context("can't write to standard output");
        Self::new(Exit::Environment, STDOUT, error)
            .with_help("make room, or send the output somewhere else")
    }

    pub(super) fn is_of_stdout(&self) -> bool {
        self.code == STDOUT
    }

    /// The exit code to leave with.
    pub(crate) fn exit(&self) -> Exit {
        self.exit
    }

    /// `{"error": {"code", "message", "causes", "help"}}`
    pub(crate) fn to_json(&self) -> Value {
        let causes: Vec<_> = self
            .error
            .chain()
            .skip(1)
            .map(ToString::to_string)
            .collect();
        json!({
            "error": {
                "code": self.code,
                "message": self.error.to_string(),
                "causes": causes,
                "help": self.help,
            }
        })
    }
}

/// The message, its causes and the help, a line each.
impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "error: {}", self.error)?;
        for (index, cause) in self.error.chain().skip(1).enumerate() {
            if index == 0 {
                writeln!(f, "Caused by:")?;
            }
            writeln!(f, "    {cause}")?;
        }
        if let Some(help) = &self.help {
            writeln!(f, "help: {help}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use anyhow::anyhow;

    use super::*;

    #[test]
    fn a_failure_shows_message_causes_and_help() {
        let error = anyhow!("no such file")
            .context("can't open `a`")
            .context("can't start");
        let failure = Failure::new(Exit::Environment, "run.start", error).with_help("make `a`");
        assert_eq!(
            failure.to_string(),
            "error: can't start\n\
             Caused by:\n    can't open `a`\n    no such file\n\
             help: make `a`\n"
        );
        assert_eq!(
            failure.to_json().to_string(),
            r#"{"error":{"code":"run.start","message":"can't start","causes":["can't open `a`","no such file"],"help":"make `a`"}}"#
        );
    }

    #[test]
    fn a_failure_without_cause_or_help_is_one_line() {
        let failure = Failure::new(Exit::RunFailed, "run.failed", anyhow!("2 pipelines failed"));
        assert_eq!(failure.to_string(), "error: 2 pipelines failed\n");
        assert_eq!(failure.exit() as u8, 1);
    }
}
