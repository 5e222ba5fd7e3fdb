//! The log: one plain line a record on standard error.
//!
//! Owns the level and the form of a line; where lines go is `output`'s. Plugins' records come
//! through the same logger, so that what they say is kept from breaking out of its line.

use std::fmt::{self, Display, Write as _};
use std::io::{self, Write};

use env_logger::{Builder, Target, WriteStyle};
use log::kv::{self, Key, VisitSource};
use log::{Level, LevelFilter, Record};

use crate::args::Global;
use crate::output;

/// Where the lines of running pipelines come from that stand in for live lines.
pub(crate) const PROGRESS_TARGET: &str = "forebay::progress";

/// Where the lines of the `log` destination come from, linked in or loaded: showing records is all
/// that it is for.
const RECORDS_TARGET: &str = "forebay_connector_log";

/// Of a record that is not written.
const WARM_UP: &str = "forebay::warm_up";

/// The level that was asked for: `--log-level`, else `-v` and `-q`, else `warn`.
pub(crate) fn level(arguments: &Global) -> LevelFilter {
    if let Some(level) = arguments.log_level {
        return level.into();
    }
    match (arguments.quiet, arguments.verbose) {
        (0, 0) => LevelFilter::Warn,
        (0, 1) => LevelFilter::Info,
        (0, 2) => LevelFilter::Debug,
        (0, _) => LevelFilter::Trace,
        (1, _) => LevelFilter::Error,
        (_, _) => LevelFilter::Off,
    }
}

/// Starts the log. Call it once, before anything else.
pub(crate) fn start(arguments: &Global) {
    let level = level(arguments);
    let mut builder = Builder::new();
    builder
        .filter_level(level)
        .write_style(WriteStyle::Never)
        .target(Target::Pipe(Box::new(Lines)))
        .format(|out, record| {
            if record.target() == WARM_UP {
                return Ok(());
            }
            let timestamp = out.timestamp_seconds();
            write_record(out, &timestamp, record)
        });
    if level == LevelFilter::Warn && arguments.log_level.is_none() {
        // Without a terminal, how a run is going is told even if nobody asked. Who has a pipeline log
        // its records has asked.
        builder
            .filter_module(PROGRESS_TARGET, LevelFilter::Info)
            .filter_module(RECORDS_TARGET, LevelFilter::Info);
    }
    builder.init();
    // The first record of a thread registers the destructor of a thread-local, which takes the
    // dynamic loader's lock. When a plugin file hangs in there it is too late for that.
    log::logger().log(
        &Record::builder()
            .level(Level::Error)
            .target(WARM_UP)
            .build(),
    );
}

/// What is quarantined stands in the list, with its reason: a warning of each would tell it twice.
pub(crate) fn leave_warnings_to_the_list(arguments: &Global) {
    if level(arguments) == LevelFilter::Warn && arguments.log_level.is_none() {
        log::set_max_level(LevelFilter::Error);
    }
}

/// Hands whole lines to `output`.
struct Lines;

impl Write for Lines {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        output::write_lines(&String::from_utf8_lossy(line));
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// `2026-11-24T08:00:00Z INFO  target: message key=value`
fn write_record(
    out: &mut impl Write,
    timestamp: &dyn Display,
    record: &Record<'_>,
) -> io::Result<()> {
    let mut line = format!("{timestamp} {:<5} {}: ", record.level(), record.target());
    line += &record.args().to_string();
    let mut pairs = Pairs(String::new());
    // The visitor itself fails never; a source that does has given what it could.
    record.key_values().visit(&mut pairs).ok();
    line += &pairs.0;
    // A line that goes on is indented: it can't pass for a record of its own.
    let line = line.trim_end().replace('\n', "\n    ");
    // What a builtin logs comes straight here.
    writeln!(out, "{}", plugin_host::redacted(&line))
}

/// ` key=value` of each pair; a value that is no single word in quotes.
struct Pairs(String);

impl<'kvs> VisitSource<'kvs> for Pairs {
    fn visit_pair(&mut self, key: Key<'kvs>, value: kv::Value<'kvs>) -> Result<(), kv::Error> {
        let text = value.to_string();
        let is_word = !text.is_empty()
            && text
                .chars()
                .all(|c| !c.is_whitespace() && !c.is_control() && c != '"' && c != '=');
        let result: fmt::Result = if is_word {
            write!(self.0, " {key}={text}")
        } else {
            write!(self.0, " {key}={text:?}")
        };
        result.map_err(kv::Error::from)
    }
}

#[cfg(test)]
mod tests {
    use log::Level;

    use super::*;
    use crate::args::Arguments;

    fn line(message: &str, pairs: &[(&str, &str)]) -> String {
        let mut out = Vec::new();
        let timestamp = "2026-11-24T08:00:00Z";
        write_record(
            &mut out,
            &timestamp,
            &Record::builder()
                .level(Level::Info)
                .target("forebay")
                .args(format_args!("{message}"))
                .key_values(&pairs)
                .build(),
        )
        .unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_record_is_one_plain_line() {
        assert_eq!(
            line(
                "started",
                &[("pipeline", "copy"), ("path", "a b"), ("x", "")]
            ),
            "2026-11-24T08:00:00Z INFO  forebay: started pipeline=copy path=\"a b\" x=\"\"\n"
        );
    }

    #[test]
    fn a_message_cannot_pass_for_two_records() {
        let forged = line("a\n2026-11-24T08:00:00Z ERROR forebay: b", &[("k", "1\n2")]);
        assert_eq!(
            forged,
            "2026-11-24T08:00:00Z INFO  forebay: a\n    \
             2026-11-24T08:00:00Z ERROR forebay: b k=\"1\\n2\"\n"
        );
    }

    #[test]
    fn flags_set_the_level() {
        for (flags, expected) in [
            ("", LevelFilter::Warn),
            ("-v", LevelFilter::Info),
            ("-vv", LevelFilter::Debug),
            ("-v -v -v", LevelFilter::Trace),
            ("-q", LevelFilter::Error),
            ("-qq", LevelFilter::Off),
            ("--log-level trace", LevelFilter::Trace),
            ("-q --log-level off", LevelFilter::Off),
            ("-vv --log-level error", LevelFilter::Error),
        ] {
            let line = format!("forebay {flags} list");
            let arguments = Arguments::of_words(&line).unwrap();
            assert_eq!(level(&arguments.global), expected, "{flags}");
        }
    }
}
