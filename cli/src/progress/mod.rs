//! How far running pipelines have come: live lines on a terminal, log lines elsewhere.
//!
//! Owns when something is shown and what it says; knows pipelines only by their figures. The
//! caller may bring samples as often as it likes.

mod figures;
mod summary;

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use crate::logging::PROGRESS_TARGET;
use crate::output;
pub(crate) use figures::exact;
pub(crate) use summary::{Outcome, RunError, Status, summary_json, summary_text};

/// Shortest time between two drawings of the live lines: five a second.
const LIVE_INTERVAL: Duration = Duration::from_millis(200);

/// Time between two log lines of a pipeline.
const LOG_INTERVAL: Duration = Duration::from_secs(10);

/// The live rate is that of the last second: steady enough to read, quick enough to tell.
const RATE_WINDOW: Duration = Duration::from_secs(1);

/// Names up to this length are aligned; a longer one only moves its own line.
const NAME_WIDTH_MAX: usize = 32;

/// The figures of one pipeline at one moment, all counted since its start.
#[derive(Debug, Clone)]
pub(crate) struct Sample {
    pub(crate) pipeline: String,
    pub(crate) records: u64,
    pub(crate) bytes: u64,
    /// Records that were read and not answered yet.
    pub(crate) unacked: u64,
    pub(crate) errors: u64,
    /// Records that went to the dead-letter queue.
    pub(crate) dead_letters: u64,
    /// The try that it waits for, where it has failed.
    pub(crate) retry: Option<Retry>,
}

/// A try to come of a pipeline that has failed.
#[derive(Debug, Clone)]
pub(crate) struct Retry {
    /// Its number among the tries in a row, from 1.
    pub(crate) attempt: u32,
    /// How long the pipeline still waits.
    pub(crate) left: Duration,
    /// Why it has failed.
    pub(crate) error: String,
}

/// Shows samples to whoever watches.
#[derive(Debug)]
pub(crate) struct Progress {
    mode: Mode,
    /// When something was shown last.
    shown: Option<Duration>,
    /// Records of each pipeline at earlier moments, the oldest first.
    history: HashMap<String, VecDeque<(Duration, u64)>>,
}

/// Where progress is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    Live,
    Log,
    Quiet,
}

impl Progress {
    /// Shows live lines where standard error is a terminal, log lines where it isn't, nothing
    /// where the user wants quiet.
    pub(crate) fn new(quiet: bool) -> Self {
        Self::with_mode(match quiet {
            true => Mode::Quiet,
            false if output::live_lines_work() => Mode::Live,
            false => Mode::Log,
        })
    }

    fn with_mode(mode: Mode) -> Self {
        Self {
            mode,
            shown: None,
            history: HashMap::new(),
        }
    }

    /// Takes the figures of all pipelines, and shows them if it is time. `elapsed` is the time
    /// since the run began.
    pub(crate) fn show(&mut self, samples: &[Sample], elapsed: Duration) {
        let Some(lines) = self.due_lines(samples, elapsed) else {
            return;
        };
        match self.mode {
            Mode::Live => output::show_live(lines),
            Mode::Log => {
                for line in lines {
                    log::info!(target: PROGRESS_TARGET, "{line}");
                }
            }
            Mode::Quiet => {}
        }
    }

    /// Removes the live lines; the summary takes their place.
    pub(crate) fn finish(self) {
        if self.mode == Mode::Live {
            output::clear_live();
        }
    }

    /// The lines to show now, if it is time.
    fn due_lines(&mut self, samples: &[Sample], elapsed: Duration) -> Option<Vec<String>> {
        let (interval, window) = match self.mode {
            Mode::Live => (LIVE_INTERVAL, RATE_WINDOW),
            Mode::Log => (LOG_INTERVAL, LOG_INTERVAL),
            Mode::Quiet => return None,
        };
        // The first live line comes at once, the first log line when there is something to tell.
        let due = match (self.shown, self.mode) {
            (None, Mode::Live) => Duration::ZERO,
            (None, _) => interval,
            (Some(shown), _) => shown + interval,
        };
        if elapsed < due {
            return None;
        }
        self.shown = Some(elapsed);
        let width = name_width(samples.iter().map(|sample| sample.pipeline.as_str()));
        let lines = samples
            .iter()
            .map(|sample| {
                let (records, time) = self.recent(sample, elapsed, window);
                let rate = figures::rate(records, time);
                line(sample, rate.as_deref().unwrap_or("-/s"), width)
            })
            .collect();
        Some(lines)
    }

    /// Records that came in the last `window`, and the time in which they came.
    fn recent(&mut self, sample: &Sample, now: Duration, window: Duration) -> (u64, Duration) {
        let history = match self.history.get_mut(&sample.pipeline) {
            Some(history) => history,
            None => self
                .history
                .entry(sample.pipeline.clone())
                .or_insert_with(|| VecDeque::from([(Duration::ZERO, 0)])),
        };
        // The oldest moment that is kept is the last one outside the window.
        while history
            .get(1)
            .is_some_and(|&(then, _)| then + window <= now)
        {
            history.pop_front();
        }
        history.push_back((now, sample.records));
        let (then, before) = history[0];
        (sample.records.saturating_sub(before), now - then)
    }
}

/// `1 record`, `2 errors`.
fn counted(count: u64, figure: &str, thing: &str) -> String {
    format!("{figure} {thing}{}", if count == 1 { "" } else { "s" })
}

/// `  7 dead letters`; nothing where there are none, as most pipelines have no queue.
fn dead_letters(count: u64, figure: fn(u64) -> String) -> String {
    match count {
        0 => String::new(),
        _ => format!("  {}", counted(count, &figure(count), "dead letter")),
    }
}

/// `copy-lines  12.3 M records  4.1 M/s  1.2 GB  0 unacked  0 errors`, or for one that waits
/// `copy-lines  try 3 in 4 s  12.3 M records  1.2 GB  3 errors, the last: can't write`
fn line(sample: &Sample, rate: &str, width: usize) -> String {
    let records = figures::count(sample.records);
    let errors = figures::count(sample.errors);
    if let Some(retry) = &sample.retry {
        return format!(
            "{:width$}  try {} in {}  {}  {}  {}, the last: {}",
            sample.pipeline,
            retry.attempt,
            figures::wait(retry.left),
            counted(sample.records, &records, "record"),
            figures::bytes(sample.bytes),
            counted(sample.errors, &errors, "error"),
            retry.error.replace('\n', " "),
        );
    }
    format!(
        "{:width$}  {}  {rate}  {}  {} unacked  {}{}",
        sample.pipeline,
        counted(sample.records, &records, "record"),
        figures::bytes(sample.bytes),
        figures::count(sample.unacked),
        counted(sample.errors, &errors, "error"),
        dead_letters(sample.dead_letters, figures::count),
    )
}

/// Width of the column that holds these names.
fn name_width<'a>(names: impl Iterator<Item = &'a str>) -> usize {
    names
        .map(|name| name.chars().count())
        .filter(|&width| width <= NAME_WIDTH_MAX)
        .max()
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(pipeline: &str, records: u64) -> Sample {
        Sample {
            pipeline: pipeline.into(),
            records,
            bytes: records * 100,
            unacked: 0,
            errors: 0,
            dead_letters: 0,
            retry: None,
        }
    }

    fn at(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    #[test]
    fn a_line_tells_the_five_figures() {
        let sample = Sample {
            unacked: 256,
            errors: 1,
            ..sample("copy-lines", 12_300_000)
        };
        assert_eq!(
            line(&sample, "4.1 M/s", 10),
            "copy-lines  12.3 M records  4.1 M/s  1.2 GB  256 unacked  1 error"
        );
        let sample = Sample {
            dead_letters: 7_000,
            ..sample
        };
        assert!(line(&sample, "0/s", 10).ends_with("  1 error  7.0 k dead letters"));
    }

    #[test]
    fn a_line_tells_which_try_is_waited_for_and_why() {
        let sample = Sample {
            errors: 3,
            retry: Some(Retry {
                attempt: 3,
                left: at(3_001),
                error: "`a` can't be written:\nno space left".into(),
            }),
            ..sample("copy-lines", 12_300_000)
        };
        assert_eq!(
            line(&sample, "0/s", 10),
            "copy-lines  try 3 in 4 s  12.3 M records  1.2 GB  3 errors, the last: \
             `a` can't be written: no space left"
        );
    }

    #[test]
    fn live_lines_come_at_most_five_times_a_second() {
        let mut progress = Progress::with_mode(Mode::Live);
        let shown = (0..=1_000)
            .filter(|&millis| progress.due_lines(&[sample("a", 1)], at(millis)).is_some());
        assert_eq!(shown.collect::<Vec<_>>(), [0, 200, 400, 600, 800, 1_000]);
    }

    #[test]
    fn log_lines_come_every_ten_seconds() {
        let mut progress = Progress::with_mode(Mode::Log);
        let shown = (0..=25).filter(|&s| {
            progress
                .due_lines(&[sample("a", 1)], at(s * 1_000))
                .is_some()
        });
        assert_eq!(shown.collect::<Vec<_>>(), [10, 20]);
        let mut quiet = Progress::with_mode(Mode::Quiet);
        assert_eq!(quiet.due_lines(&[sample("a", 1)], at(60_000)), None);
    }

    #[test]
    fn the_live_rate_is_that_of_the_last_second() {
        let mut progress = Progress::with_mode(Mode::Live);
        let mut last = String::new();
        // 1,000 records a second for five seconds, then none.
        for step in 0..=50 {
            let records = (step * 200).min(5_000);
            let lines = progress.due_lines(&[sample("a", records)], at(step * 200));
            last = lines.unwrap().remove(0);
            if step == 20 {
                assert_eq!(
                    last,
                    "a  4.0 k records  1.0 k/s  400.0 kB  0 unacked  0 errors"
                );
            }
        }
        assert_eq!(last, "a  5.0 k records  0/s  500.0 kB  0 unacked  0 errors");
        assert!(progress.history["a"].len() <= 7, "the history is bounded");
    }

    #[test]
    fn names_are_aligned_unless_one_is_long() {
        assert_eq!(name_width(["a", "copy-lines"].into_iter()), 10);
        assert_eq!(name_width(["a", "x".repeat(200).as_str()].into_iter()), 1);
        assert_eq!(name_width([].into_iter()), 0);
    }
}
