//! Everything the command line writes: results to standard output, the rest to standard error.
//!
//! The only place that writes to either, so that results stay whole, log lines and live lines
//! don't mix, and text that comes from plugins can't drive the terminal. A closed pipe is no error:
//! whoever reads has read enough.

mod failure;
mod stderr;

use std::borrow::Cow;
use std::fmt::Write as _;
use std::io::{self, ErrorKind, Write};

use log::LevelFilter;
use serde_json::{Value, json};

use crate::pipeline_file::Problem;
pub(crate) use failure::{Exit, Failure};
pub(crate) use stderr::{clear_live, live_lines_work, show_live, write_lines};

/// How results are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// Lines for people.
    Human,
    /// One JSON document a line.
    Json,
}

/// Writes lines of a result to standard output.
///
/// # Errors
///
/// Returns why standard output takes nothing, unless its reader has gone.
pub(crate) fn print(text: &str) -> Result<(), Failure> {
    written(write_result(&mut io::stdout().lock(), &printable(text)))
}

/// Writes a result as one line of JSON to standard output.
///
/// # Errors
///
/// Returns why standard output takes nothing, unless its reader has gone.
pub(crate) fn print_json(value: &Value) -> Result<(), Failure> {
    written(write_result(&mut io::stdout().lock(), &value.to_string()))
}

/// Tells what is wrong with pipeline files on standard error, warnings first.
pub(crate) fn write_problems(problems: &[Problem], warnings: &[Problem]) {
    let mut text = String::new();
    // Whoever asked for less than warnings gets none on the screen.
    let hidden = if log::max_level() < LevelFilter::Warn {
        warnings.len()
    } else {
        0
    };
    for (severity, problem) in by_severity(problems, warnings).skip(hidden) {
        text += &format!("{severity}: {problem}\nhelp: {}\n", problem.help);
    }
    write_lines(&text);
}

/// `{"problems": [{"severity", "code", "file", "line", "column", "message", "help"}]}`
pub(crate) fn problems_json(problems: &[Problem], warnings: &[Problem]) -> Value {
    let list: Vec<_> = by_severity(problems, warnings)
        .map(|(severity, problem)| {
            json!({
                "severity": severity,
                "code": problem.code,
                "file": problem.place.file.display().to_string(),
                "line": problem.place.line(),
                "column": problem.place.column(),
                "message": problem.message,
                "help": problem.help,
            })
        })
        .collect();
    json!({ "problems": list })
}

fn by_severity<'a>(
    problems: &'a [Problem],
    warnings: &'a [Problem],
) -> impl Iterator<Item = (&'static str, &'a Problem)> {
    let warnings = warnings.iter().map(|warning| ("warning", warning));
    warnings.chain(problems.iter().map(|problem| ("error", problem)))
}

/// Tells why the command failed, and returns the exit code to leave with.
pub(crate) fn print_failure(failure: &Failure, form: Form) -> Exit {
    write_lines(&failure.to_string());
    if form == Form::Json && !failure.is_of_stdout() {
        // Standard error has the failure already; another one here adds nothing to it.
        print_json(&failure.to_json()).ok();
    }
    failure.exit()
}

/// Replaces what a terminal would act on; text of plugins reaches people only through this.
pub(crate) fn printable(text: &str) -> Cow<'_, str> {
    let acts = |c: char| c.is_control() && c != '\n';
    if !text.contains(acts) {
        return Cow::Borrowed(text);
    }
    let mut plain = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        if c == '\t' {
            plain.push(' ');
        } else if acts(c) {
            // Writing to a String can't fail.
            write!(plain, "{}", c.escape_default()).ok();
        } else {
            plain.push(c);
        }
    }
    Cow::Owned(plain)
}

/// Writes a text, with a newline at its end, in one go.
fn write_result(out: &mut impl Write, text: &str) -> io::Result<()> {
    let mut line = text.to_owned();
    if !line.ends_with('\n') {
        line.push('\n');
    }
    let result = out.write_all(line.as_bytes()).and_then(|()| out.flush());
    match result {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        result => result,
    }
}

fn written(result: io::Result<()>) -> Result<(), Failure> {
    result.map_err(Failure::of_stdout)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Fails as it is told to.
    struct Refusing(ErrorKind);

    impl Write for Refusing {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(self.0.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_result_ends_with_one_newline() {
        let mut out = Vec::new();
        write_result(&mut out, "a").unwrap();
        write_result(&mut out, "b\n").unwrap();
        assert_eq!(out, b"a\nb\n");
    }

    #[test]
    fn a_closed_pipe_is_no_error_and_a_full_disk_is() {
        assert!(write_result(&mut Refusing(ErrorKind::BrokenPipe), "a").is_ok());
        let full = write_result(&mut Refusing(ErrorKind::StorageFull), "a");
        let failure = written(full).unwrap_err();
        assert_eq!(failure.exit(), Exit::Environment);
    }

    #[test]
    fn text_cannot_drive_the_terminal() {
        assert_eq!(printable("a é\nb"), "a é\nb");
        assert_eq!(
            printable("\x1b[2Jgone\r\t\u{9b}x"),
            "\\u{1b}[2Jgone\\r \\u{9b}x"
        );
    }
}
