//! The flags that say how a pipeline that has failed is tried again.
//!
//! Owns what their values may be, and what holds where none is given; which failures another try may mend is
//! the library's to say.

use std::time::Duration;

use clap::error::ErrorKind;
use clap::{Args, CommandFactory};
use plugin_api::duration;
use plugin_host::Recovery;

use super::line::Line;

/// How a pipeline that has failed is tried again.
#[derive(Debug, Args)]
#[command(next_help_heading = "Tries after a failure")]
pub(crate) struct RecoveryFlags {
    /// Times in a row that a failed pipeline is tried again [default: unlimited]
    ///
    /// Only failures that another try may mend count, such as a full disk or a server that is away. A try
    /// opens the connectors anew and goes on behind the last stored position. Ctrl-C or SIGTERM ends the
    /// wait before a try, and the pipeline has failed.
    ///
    /// With `--until-end` the default is 0: a batch job has its exit code at once.
    #[arg(long, value_name = "N|unlimited", value_parser = retries, allow_negative_numbers = true)]
    retries: Option<Retries>,

    /// Longest wait before the first try [default: 1s]
    ///
    /// Each wait is shortened by up to a half, by chance, so that pipelines which have failed together
    /// don't all come back together. Durations are written as in Go: 500ms, 90s, 1h30m.
    #[arg(long, value_name = "DURATION", value_parser = some_time)]
    retry_min_delay: Option<Duration>,

    /// Longest wait before any try [default: 10m]
    #[arg(long, value_name = "DURATION", value_parser = some_time)]
    retry_max_delay: Option<Duration>,

    /// Growth of the wait from try to try [default: 2]
    #[arg(long, value_name = "FACTOR", value_parser = factor, allow_negative_numbers = true)]
    retry_factor: Option<f64>,

    /// A pipeline that ran as long as this before it failed begins its count of tries anew [default: 5m]
    #[arg(long, value_name = "DURATION", value_parser = duration::parse)]
    healthy_after: Option<Duration>,
}

/// How often a pipeline is tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Retries {
    Limited(u32),
    Unlimited,
}

impl RecoveryFlags {
    /// What was asked for; `None` where a first failure is the end.
    pub(super) fn recovery(&self, until_end: bool) -> Option<Recovery> {
        let max_retries = match self.retries {
            None if until_end => return None,
            Some(Retries::Limited(0)) => return None,
            Some(Retries::Limited(most)) => Some(most),
            Some(Retries::Unlimited) | None => None,
        };
        Some(Recovery {
            max_retries,
            ..self.delays()
        })
    }

    fn delays(&self) -> Recovery {
        let default = Recovery::default();
        Recovery {
            min_delay: self.retry_min_delay.unwrap_or(default.min_delay),
            max_delay: self.retry_max_delay.unwrap_or(default.max_delay),
            factor: self.retry_factor.unwrap_or(default.factor),
            healthy_after: self.healthy_after.unwrap_or(default.healthy_after),
            ..default
        }
    }

    /// Refuses values that contradict each other.
    pub(super) fn check(&self) -> Result<(), clap::Error> {
        let Recovery {
            min_delay,
            max_delay,
            ..
        } = self.delays();
        if min_delay <= max_delay {
            return Ok(());
        }
        let text = format!(
            "the wait before the first try, --retry-min-delay {}, is longer than the longest one, \
             --retry-max-delay {}",
            duration::format(min_delay),
            duration::format(max_delay)
        );
        Err(Line::command().error(ErrorKind::ValueValidation, text))
    }
}

fn retries(text: &str) -> Result<Retries, &'static str> {
    match text {
        "unlimited" => Ok(Retries::Unlimited),
        _ => text
            .parse()
            .map(Retries::Limited)
            .map_err(|_| "write a number of tries, 0 for none, or `unlimited`"),
    }
}

/// A duration that isn't zero: without a wait the tries would keep a processor busy.
fn some_time(text: &str) -> Result<Duration, String> {
    match duration::parse(text) {
        Ok(Duration::ZERO) => Err("no wait at all; the shortest one is 1ns".to_owned()),
        Ok(time) => Ok(time),
        Err(error) => Err(error.to_string()),
    }
}

fn factor(text: &str) -> Result<f64, &'static str> {
    let factor = text.parse().ok();
    let factor = factor.filter(|factor: &f64| factor.is_finite() && *factor >= 1.0);
    factor.ok_or("write a number from 1 on, such as 1.5")
}

#[cfg(test)]
mod tests {
    use super::super::{Arguments, Command};
    use super::*;

    fn recovery(flags: &str) -> Result<Option<Recovery>, clap::Error> {
        let arguments = Arguments::of_words(&format!("forebay run a.yaml {flags}"))?;
        let Command::Run(run) = arguments.command else {
            panic!("{flags}");
        };
        Ok(run.options().recovery)
    }

    #[test]
    fn a_pipeline_is_tried_again_without_end_and_a_batch_job_is_not() {
        assert_eq!(recovery("").unwrap(), Some(Recovery::default()));
        for none in [
            "--until-end",
            "--retries 0",
            "--until-end --healthy-after 1s",
        ] {
            assert_eq!(recovery(none).unwrap(), None, "{none}");
        }
        for (flags, max_retries) in [
            ("--until-end --retries 3", Some(3)),
            ("--until-end --retries unlimited", None),
        ] {
            let recovery = recovery(flags).unwrap().unwrap();
            assert_eq!(recovery.max_retries, max_retries, "{flags}");
        }
    }

    #[test]
    fn every_flag_has_its_place() {
        let flags = "--retries 7 --retry-min-delay 250ms --retry-max-delay 1m30s \
                     --retry-factor 1.5 --healthy-after 1h";
        let expected = Recovery {
            min_delay: Duration::from_millis(250),
            max_delay: Duration::from_secs(90),
            factor: 1.5,
            max_retries: Some(7),
            healthy_after: Duration::from_secs(3600),
        };
        assert_eq!(recovery(flags).unwrap(), Some(expected));
    }

    #[test]
    fn what_a_value_may_be_is_told() {
        for (flags, told) in [
            ("--retries -1", "write a number of tries"),
            ("--retries many", "0 for none, or `unlimited`"),
            ("--retries 4294967296", "write a number of tries"),
            ("--retry-min-delay 5", "`5` has no unit"),
            ("--retry-min-delay 0s", "no wait at all"),
            ("--retry-max-delay 0", "no wait at all"),
            ("--retry-factor 0.5", "a number from 1 on"),
            ("--retry-factor -2", "a number from 1 on"),
            ("--retry-factor NaN", "a number from 1 on"),
            ("--retry-factor inf", "a number from 1 on"),
            ("--healthy-after soon", "no number before `soon`"),
            (
                "--retry-min-delay 20m",
                "--retry-min-delay 20m0s, is longer than the longest one, --retry-max-delay 10m0s",
            ),
            ("--retry-max-delay 9ms", "is longer than the longest one"),
        ] {
            let error = recovery(flags).unwrap_err();
            assert_eq!(error.exit_code(), 2, "{flags}");
            let text = error.to_string();
            assert!(text.contains(told), "no {told} in {text}");
        }
    }
}
