//! The dead-letter queue of a pipeline: its fields, with Conduit's defaults.
//!
//! Owns what its numbers may be. That it is a destination with a plugin and settings like any other is
//! checked with the others.

use plugin_host::{DeadLetterQueue, PipelineError};

use super::fields::{Fields, Scope};
use super::pipeline::{plugin, settings};
use super::values::count;
use super::{ConnectorEntry, ConnectorKind, DeadLetterEntry};

pub(super) const FIELD: &str = "dead-letter-queue";

const FIELDS: &[&str] = &["plugin", "settings", "window-size", "window-nack-threshold"];

/// Conduit's defaults: the first refusal ends the pipeline.
const PLUGIN: &str = "builtin:log";
const WINDOW_SIZE: u64 = 1;
const NACK_THRESHOLD: u64 = 0;

/// The queue of a pipeline with these fields, if it has one. What is wrong with it is told.
pub(super) fn dead_letters(
    pipeline: &Fields<'_>,
    scope: &mut Scope<'_>,
) -> Option<DeadLetterEntry> {
    let (node, key) = pipeline.get(FIELD)?;
    let fields = Fields::of(node, "a dead-letter queue", FIELDS, scope)?;
    let plugin = match fields.get("plugin") {
        Some(_) => plugin(&fields, scope),
        None => Some((PLUGIN.to_owned(), key.clone())),
    };
    let settings = settings(&fields, scope);
    let window_size = number(&fields, "window-size", WINDOW_SIZE, scope);
    let nack_threshold = number(&fields, "window-nack-threshold", NACK_THRESHOLD, scope);
    let (window_size, nack_threshold) = window_size.zip(nack_threshold).unwrap_or_default();
    if window_size > 0 && nack_threshold >= window_size {
        let place = match fields.get("window-nack-threshold") {
            Some((node, _)) => &node.place,
            None => key,
        };
        let error = PipelineError::DeadLetterThreshold {
            threshold: nack_threshold,
            window: window_size,
        };
        let (text, help) = (error.to_string(), error.help());
        scope
            .report
            .problem(place, "pipeline.dead_letter_threshold", text, help);
    } else if window_size > 0 && nack_threshold == 0 {
        scope.report.warning(
            key,
            "pipeline.unused_queue",
            "the dead-letter queue gets no record: with `window-nack-threshold: 0` the first one that is \
             refused ends the pipeline",
            "let the queue take some of the records, as with `window-size: 100` and \
             `window-nack-threshold: 10`, or all with `window-size: 0`",
        );
    }
    let (plugin, plugin_place) = plugin?;
    Some(DeadLetterEntry {
        connector: ConnectorEntry {
            id: DeadLetterQueue::ID.to_owned(),
            kind: Some(ConnectorKind::Destination),
            plugin,
            plugin_place,
            name: DeadLetterQueue::ID.to_owned(),
            settings,
            place: node.place.clone(),
        },
        window_size,
        nack_threshold,
    })
}

/// A number of records; nothing where it was refused.
fn number(fields: &Fields<'_>, name: &str, default: u64, scope: &mut Scope<'_>) -> Option<u64> {
    match fields.get(name) {
        Some(_) => count(fields, name, scope),
        None => Some(default),
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{places, read_texts, with_connectors};
    use super::super::{PipelineFiles, Rejected, to_config};

    /// Reads a pipeline with this field in line 7.
    fn read(field: &str) -> Result<PipelineFiles, Rejected> {
        let connectors = "      - {id: s, type: source, plugin: x}
      - {id: d, type: destination, plugin: x}
    ";
        read_texts(&[&with_connectors(&format!("{connectors}{field}\n"))])
    }

    #[test]
    fn a_queue_is_read_with_its_settings_and_limits() {
        let files = read(
            "dead-letter-queue: {plugin: file, settings: {path: dead.txt}, \
             window-size: 100, window-nack-threshold: 10}",
        )
        .unwrap();
        assert_eq!(files.warnings, []);
        let config = to_config(&files.pipelines[0]).unwrap();
        let queue = config.dead_letters.unwrap();
        assert_eq!(queue.plugin.to_string(), "any:file@latest");
        assert_eq!(queue.settings["path"], "dead.txt");
        assert_eq!((queue.window_size, queue.nack_threshold), (100, 10));
        // The queue is none of the destinations that get every record.
        assert_eq!(config.destinations.len(), 1);
    }

    #[test]
    fn what_is_left_out_is_as_in_conduit_and_no_field_is_no_queue() {
        let files = read("dead-letter-queue: {}").unwrap();
        // So it never gets anything, which who wrote it should know.
        assert_eq!(places(&files.warnings), ["0:7:5 pipeline.unused_queue"]);
        let queue = to_config(&files.pipelines[0]).unwrap().dead_letters;
        let queue = queue.unwrap();
        assert_eq!(queue.plugin.to_string(), "builtin:log@latest");
        assert_eq!((queue.window_size, queue.nack_threshold), (1, 0));
        for none in ["dead-letter-queue:", "pump: split"] {
            let files = read(none).unwrap();
            assert_eq!(files.warnings, [], "{none}");
            let config = to_config(&files.pipelines[0]).unwrap();
            assert!(config.dead_letters.is_none(), "{none}");
        }
        let files = read("dead-letter-queue: {window-size: 0}").unwrap();
        assert_eq!(files.warnings, []);
    }

    #[test]
    fn all_that_is_wrong_with_a_queue_is_told_at_once() {
        let rejected = read(
            "dead-letter-queue:
      plugin: ''
      settings: [1]
      windowsize: 9
      window-size: -1
      window-nack-threshold: few",
        )
        .unwrap_err();
        assert_eq!(
            places(&rejected.problems),
            [
                "0:8:15 pipeline.missing_field",
                "0:9:17 pipeline.wrong_kind",
                "0:11:20 pipeline.invalid_value",
                "0:12:30 pipeline.invalid_value",
            ]
        );
        assert_eq!(
            places(&rejected.warnings),
            ["0:10:7 pipeline.unknown_field"]
        );
        assert_eq!(rejected.warnings[0].help, "did you mean `window-size`?");
    }

    #[test]
    fn the_threshold_is_lower_than_the_window_unless_there_is_no_limit() {
        for (limits, place) in [
            ("window-nack-threshold: 1", "0:7:48"),
            ("window-nack-threshold: 5, window-size: 5", "0:7:48"),
            ("window-size: 5, window-nack-threshold: 9", "0:7:64"),
        ] {
            let rejected = read(&format!("dead-letter-queue: {{{limits}}}")).unwrap_err();
            let expected = format!("{place} pipeline.dead_letter_threshold");
            assert_eq!(places(&rejected.problems), [expected], "{limits}");
        }
        for limits in [
            "window-size: 5, window-nack-threshold: 4",
            "window-size: 0, window-nack-threshold: 9",
        ] {
            let files = read(&format!("dead-letter-queue: {{{limits}}}")).unwrap();
            assert_eq!(files.warnings, [], "{limits}");
        }
    }

    #[test]
    fn a_connector_may_have_the_queues_id_only_where_there_is_no_queue() {
        let pipeline = |queue: &str| {
            with_connectors(&format!(
                "      - {{id: s, type: source, plugin: x}}
      - {{type: destination, id: dead-letter-queue, plugin: x}}
    dead-letter-queue: {queue}\n"
            ))
        };
        let rejected = read_texts(&[&pipeline("{window-size: 0}")]).unwrap_err();
        let [problem] = &rejected.problems[..] else {
            panic!("{:?}", rejected.problems);
        };
        assert_eq!(
            problem.to_string().split_once("yaml:").unwrap().1,
            "6:33: the id `dead-letter-queue` is that of the pipeline's dead-letter queue"
        );
        assert!(read_texts(&[&pipeline("")]).is_ok());
    }
}
