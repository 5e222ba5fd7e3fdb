//! What came of a run: one entry a pipeline, for people and as JSON.

use std::fmt;
use std::time::Duration;

use serde_json::{Value, json};

use super::figures;
use crate::output::Exit;
use crate::pipeline_file::Place;

/// How a pipeline ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Status {
    /// Every source came to its end.
    Ended,
    /// The user stopped it, and it has done what it had begun.
    Stopped,
    /// The user stopped it by force: it was broken off.
    Forced,
    /// It broke off with an error.
    Failed,
    /// Its file says `status: stopped`, so that it wasn't started.
    Skipped,
}

impl Status {
    fn name(self) -> &'static str {
        match self {
            Self::Ended => "ended",
            Self::Stopped => "stopped",
            Self::Forced => "forced",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
        }
    }
}

/// What came of one pipeline.
#[derive(Debug, Clone)]
pub(crate) struct Outcome {
    pub(crate) pipeline: String,
    pub(crate) status: Status,
    /// The exit code that it calls for.
    pub(crate) exit: Exit,
    pub(crate) records: u64,
    /// Records that were read and not answered.
    pub(crate) unacked: u64,
    pub(crate) bytes: u64,
    /// Those that another try has mended count, too.
    pub(crate) errors: u64,
    /// Records that went to the dead-letter queue.
    pub(crate) dead_letters: u64,
    /// Tries after the first one.
    pub(crate) retries: u64,
    /// What `forebay state reset` names, where it went on behind a stored position.
    pub(crate) behind: Option<String>,
    pub(crate) elapsed: Duration,
    pub(crate) error: Option<RunError>,
    /// The error was told when it happened.
    pub(crate) is_told: bool,
}

/// Why a pipeline failed.
#[derive(Debug, Clone)]
pub(crate) struct RunError {
    /// Stable identifier.
    pub(crate) code: String,
    /// The message with its causes.
    pub(crate) message: String,
    /// Where in a pipeline file it comes from, where it comes from one.
    pub(crate) place: Option<Place>,
    /// How to mend it.
    pub(crate) help: Option<String>,
}

impl RunError {
    /// `file`, `line` and `column` are null where no text of a pipeline file is to blame.
    fn to_json(&self) -> Value {
        let place = self.place.as_ref();
        json!({
            "code": self.code,
            "message": self.message,
            "help": self.help,
            "file": place.map(|place| place.file.display().to_string()),
            "line": place.and_then(Place::line),
            "column": place.and_then(Place::column),
        })
    }
}

/// The place, the message and the help in a line of its own.
impl fmt::Display for RunError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(place) = &self.place {
            write!(f, "{place}: ")?;
        }
        f.write_str(&self.message)?;
        match &self.help {
            Some(help) => write!(f, "\nhelp: {help}"),
            None => Ok(()),
        }
    }
}

/// A line a pipeline, and beneath it why it failed or what a forced stop has left.
pub(crate) fn summary_text(outcomes: &[Outcome]) -> String {
    let width = super::name_width(outcomes.iter().map(|outcome| outcome.pipeline.as_str()));
    let mut text = String::new();
    for outcome in outcomes {
        let (records, errors) = (outcome.records, outcome.errors);
        let rate = figures::rate(outcome.records, outcome.elapsed);
        text += &format!(
            "{:width$}  {:7}  {}  {}  {}{}  {}{}{}\n",
            outcome.pipeline,
            outcome.status.name(),
            super::counted(records, &figures::exact(records), "record"),
            figures::bytes(outcome.bytes),
            figures::time(outcome.elapsed),
            rate.map(|rate| format!("  {rate}")).unwrap_or_default(),
            super::counted(errors, &figures::exact(errors), "error"),
            super::dead_letters(outcome.dead_letters, figures::exact),
            match outcome.retries {
                0 => String::new(),
                1 => "  1 retry".to_owned(),
                retries => format!("  {} retries", figures::exact(retries)),
            },
        );
        if let Some(error) = &outcome.error {
            text += &match outcome.is_told {
                true => format!("    error: {}, told when it failed\n", error.code),
                false => format!("    error: {}\n", error.to_string().replace('\n', "\n    ")),
            };
        }
        let is_good = matches!(outcome.status, Status::Ended | Status::Stopped);
        if let Some(source) = &outcome.behind
            && is_good
            && records == 0
        {
            text += &format!(
                "    0 records came behind the stored position; `forebay state reset {source}` \
                 forgets it\n"
            );
        }
        if outcome.status == Status::Forced {
            text += &format!(
                "    broken off, {} unanswered; the next run reads again what was not stored\n",
                figures::exact(outcome.unacked)
            );
        }
    }
    text
}

/// `{"pipelines": [{"id", "status", "records", "bytes", "deadLetters", "errors", "retries", "seconds",
/// "error"}]}`
pub(crate) fn summary_json(outcomes: &[Outcome]) -> Value {
    let pipelines: Vec<_> = outcomes
        .iter()
        .map(|outcome| {
            json!({
                "id": outcome.pipeline,
                "status": outcome.status.name(),
                "records": outcome.records,
                "bytes": outcome.bytes,
                "deadLetters": outcome.dead_letters,
                "errors": outcome.errors,
                "retries": outcome.retries,
                "seconds": outcome.elapsed.as_secs_f64(),
                "error": outcome.error.as_ref().map(RunError::to_json),
            })
        })
        .collect();
    json!({ "pipelines": pipelines })
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::Arc;

    use super::*;

    fn outcomes() -> Vec<Outcome> {
        vec![
            Outcome {
                pipeline: "copy-lines".into(),
                status: Status::Ended,
                exit: Exit::Ok,
                records: 34_924,
                unacked: 0,
                bytes: 1_913_704,
                errors: 0,
                dead_letters: 0,
                retries: 0,
                behind: Some("copy-lines/lines".into()),
                elapsed: Duration::from_millis(250),
                error: None,
                is_told: false,
            },
            Outcome {
                pipeline: "b".into(),
                status: Status::Failed,
                exit: Exit::RunFailed,
                records: 0,
                unacked: 0,
                bytes: 0,
                errors: 3,
                dead_letters: 1_200,
                retries: 2,
                behind: Some("b/lines".into()),
                elapsed: Duration::from_secs(2),
                error: Some(RunError {
                    code: "connector.open".into(),
                    message: "can't open `x`: no such file".into(),
                    place: None,
                    help: Some("make `x`".into()),
                }),
                is_told: false,
            },
        ]
    }

    #[test]
    fn the_text_has_a_line_a_pipeline_and_the_error_beneath() {
        assert_eq!(
            summary_text(&outcomes()),
            "copy-lines  ended    34,924 records  1.9 MB  0.250 s  139.7 k/s  0 errors\n\
             b           failed   0 records  0 B  2.000 s  0/s  3 errors  1,200 dead letters  2 retries\n    \
             error: can't open `x`: no such file\n    \
             help: make `x`\n"
        );
    }

    #[test]
    fn an_error_that_was_told_is_only_named() {
        let [ended, mut failed] = <[Outcome; 2]>::try_from(outcomes()).unwrap();
        failed.is_told = true;
        failed.retries = 1;
        failed.dead_letters = 1;
        let text = summary_text(&[ended, failed]);
        let (_, of_failed) = text.split_once('\n').unwrap();
        assert_eq!(
            of_failed,
            "b           failed   0 records  0 B  2.000 s  0/s  3 errors  1 dead letter  1 retry\n    \
             error: connector.open, told when it failed\n"
        );
    }

    #[test]
    fn a_forced_stop_says_what_it_left_and_a_wrong_setting_where_it_stands() {
        let [ended, mut failed] = <[Outcome; 2]>::try_from(outcomes()).unwrap();
        let forced = Outcome {
            status: Status::Forced,
            unacked: 1_024,
            ..ended
        };
        if let Some(error) = &mut failed.error {
            error.place = Some(Place::at(&Arc::from(Path::new("p.yaml")), 5, 7));
        }
        let text = summary_text(&[forced, failed]);
        assert!(text.starts_with("copy-lines  forced "), "{text}");
        for part in ["broken off, 1,024 unanswered;", "error: p.yaml:5:7: can't"] {
            assert!(text.contains(part), "{part} in {text}");
        }
    }

    #[test]
    fn the_json_has_exactly_the_documented_keys() {
        assert_eq!(
            summary_json(&outcomes()),
            json!({"pipelines": [
                {
                    "id": "copy-lines", "status": "ended", "records": 34_924,
                    "bytes": 1_913_704, "deadLetters": 0, "errors": 0, "retries": 0, "seconds": 0.25, "error": null,
                },
                {
                    "id": "b", "status": "failed", "records": 0,
                    "bytes": 0, "deadLetters": 1_200, "errors": 3, "retries": 2, "seconds": 2.0,
                    "error": {
                        "code": "connector.open",
                        "message": "can't open `x`: no such file",
                        "help": "make `x`",
                        "file": null,
                        "line": null,
                        "column": null,
                    },
                },
            ]})
        );
    }
}
