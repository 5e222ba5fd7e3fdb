//! Why a pipeline could not start, or has failed.

use std::error::Error as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use plugin_api::{Error, ErrorKind, Position};

use super::dead_letters::NackLimit;
use super::windows::CommitError;
use crate::loader::stuck_file;
use crate::parameters::ConfigError;
use crate::service::LookupError;
use crate::session::{Call, CallError};
use crate::store::StoreError;

/// Why a pipeline could not start, or has failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PipelineError {
    /// No plugin has the name and version.
    #[error("connector `{connector}`: {source}")]
    Lookup {
        /// Identity of the connector.
        connector: String,
        /// Why it was not found.
        source: LookupError,
    },
    /// The plugin has no connector of this side.
    #[error("connector `{connector}`: plugin `{plugin}` has no {side}")]
    NoSuchSide {
        /// Identity of the connector.
        connector: String,
        /// Full name of the plugin.
        plugin: String,
        /// `source` or `destination`.
        side: &'static str,
    },
    /// Settings are wrong.
    #[error("{}", of_connector(.connector, .source))]
    Config {
        /// Identity of the connector.
        connector: String,
        /// All that is wrong.
        source: ConfigError,
    },
    /// The pipeline has no source.
    #[error("the pipeline has no source")]
    NoSource,
    /// The pipeline has no destination.
    #[error("the pipeline has no destination")]
    NoDestination,
    /// The dead-letter queue's threshold lets every record of its window be refused.
    #[error(
        "dead-letter queue: the nack threshold {threshold} is not lower than the window size {window}"
    )]
    DeadLetterThreshold {
        /// Most refusals.
        threshold: u64,
        /// Number of records that are looked back on.
        window: u64,
    },
    /// The pipeline or a connector of it has an empty identity.
    #[error("{what} has an empty id")]
    EmptyId {
        /// What has none, such as `the pipeline`.
        what: String,
    },
    /// Two connectors of the pipeline have one identity.
    #[error("two connectors have the id `{connector}`")]
    DuplicateId {
        /// The identity.
        connector: String,
    },
    /// The pipeline was started before and isn't over.
    #[error("pipeline `{pipeline}` is running already")]
    AlreadyRunning {
        /// Identity of the pipeline.
        pipeline: String,
    },
    /// The position that is stored for a source was made by another plugin.
    #[error(
        "connector `{connector}`: the stored position was made by `{stored}`, and `{plugin}` can't know what it means"
    )]
    ForeignPosition {
        /// Identity of the source.
        connector: String,
        /// Full name of the plugin that made the position.
        stored: String,
        /// Full name of the plugin that is to go on from it.
        plugin: String,
    },
    /// Positions can't be read or stored.
    #[error("positions: {}", with_causes(.0))]
    Store(#[source] Arc<StoreError>),
    /// The position store was closed while the pipeline ran.
    #[error("the position store was closed while the pipeline ran")]
    StoreClosed,
    /// A connector's call failed.
    #[error("connector `{connector}`: {call}: {error:#}")]
    Connector {
        /// Identity of the connector.
        connector: String,
        /// The call that failed.
        call: String,
        /// What the plugin says.
        error: Error,
    },
    /// A plugin broke the contract of a call.
    #[error("connector `{connector}`: {call}: the plugin broke the contract: {fault}")]
    Contract {
        /// Identity of the connector.
        connector: String,
        /// The call.
        call: String,
        /// What it did.
        fault: String,
    },
    /// A destination refused a record, or its source could not read it whole, and no dead-letter queue took it.
    #[error("connector `{connector}`: {} was refused: {error:#}{}", record(*.sequence, .position.as_ref()), beyond(.limit.as_ref()))]
    Nack {
        /// Identity of the destination, or of the source where that has nacked it.
        connector: String,
        /// Number of the record among those of its source in the run, from 0.
        sequence: u64,
        /// The record's position.
        position: Option<Position>,
        /// What the connector says.
        error: Error,
        /// The dead-letter queue's limit, where there is a queue: it takes no more than that.
        limit: Option<NackLimit>,
    },
    /// The dead-letter queue has refused a letter.
    #[error("connector `{connector}`: the letter{} was refused: {error:#}", of_letter(.letter.as_ref()))]
    LetterRefused {
        /// Identity of the queue.
        connector: String,
        /// Position of the letter: the source's identity, a slash, and the position of the record.
        letter: Option<Position>,
        /// What the queue says.
        error: Error,
    },
    /// A destination has closed before the source has ended.
    #[error("connector `{connector}` takes no further records")]
    Closed {
        /// Identity of the destination.
        connector: String,
    },
    /// A source was asked to stop, has nothing more to read and doesn't end.
    #[error("connector `{connector}` did not end within {after:?} after its stop")]
    NotStopped {
        /// Identity of the source.
        connector: String,
        /// How long the host waited.
        after: Duration,
    },
    /// A destination has answered nothing for as long as a call may take, after its stop or while nothing
    /// more can be kept for the dead-letter queue.
    #[error("connector `{connector}` left {missing} records unanswered for {after:?}")]
    Unanswered {
        /// Identity of the destination.
        connector: String,
        /// Number of records without an answer.
        missing: u64,
        /// How long the host waited.
        after: Duration,
    },
    /// A call did not return within its budget.
    #[error(
        "connector `{connector}`: {call} did not return within {after:?}; the instance is detached"
    )]
    CallTimeout {
        /// Identity of the connector.
        connector: String,
        /// The call that hangs.
        call: String,
        /// How long it was given.
        after: Duration,
    },
    /// A plugin file hangs while it is opened, and with it the dynamic loader.
    #[error("`{}` hangs in the dynamic loader, and nothing can be started while it does", .file.display())]
    LoaderStuck {
        /// The file.
        file: PathBuf,
    },
    /// A thread could not be started.
    #[error("can't start a thread: {0}")]
    Thread(#[source] std::io::Error),
    /// A mistake of the host.
    #[error("internal error, please report it: {0}")]
    Internal(String),
}

/// Help where only the plugin's author can mend it.
const PLUGIN_DEFECT: &str =
    "a defect of the plugin, tell its author; what was not confirmed is read again by the next run";

impl PipelineError {
    /// Stable identifier for tests and tools.
    #[must_use]
    pub fn code(&self) -> &str {
        match self {
            Self::Lookup { source, .. } => source.code(),
            Self::NoSuchSide { .. } => "plugin.no_such_side",
            Self::Config { .. } => "config.invalid",
            Self::NoSource => "pipeline.no_source",
            Self::NoDestination => "pipeline.no_destination",
            Self::DeadLetterThreshold { .. } => "pipeline.dead_letter_threshold",
            Self::EmptyId { .. } => "pipeline.empty_id",
            Self::DuplicateId { .. } => "pipeline.duplicate_id",
            Self::AlreadyRunning { .. } => "pipeline.already_running",
            Self::ForeignPosition { .. } => "position.foreign",
            Self::Store(error) => error.code(),
            Self::StoreClosed => "store.closed",
            Self::Connector { error, .. } if !error.code().is_empty() => error.code(),
            Self::Connector { .. } if self.is_usage() => "config.invalid",
            Self::Connector { .. } => "connector.failed",
            Self::Contract { .. } => "connector.contract",
            Self::Nack { .. } => "record.refused",
            Self::LetterRefused { .. } => "letter.refused",
            Self::Closed { .. } => "connector.closed",
            Self::NotStopped { .. } => "connector.not_stopped",
            Self::Unanswered { .. } => "connector.unanswered",
            Self::CallTimeout { .. } => "connector.call_timeout",
            Self::LoaderStuck { .. } => "load.timed_out",
            Self::Thread(_) => "pipeline.thread",
            Self::Internal(_) => "internal",
        }
    }

    /// How to mend it; empty where nothing sensible can be said.
    #[must_use]
    pub fn help(&self) -> String {
        match self {
            Self::Lookup { source, .. } => source.help(),
            Self::NoSuchSide { side, .. } => {
                format!("choose a plugin with a {side}; `forebay list` shows what each one has")
            }
            Self::Config { .. } => "correct the settings; nothing was started".into(),
            Self::NoSource => "add a connector of type source".into(),
            Self::NoDestination => "add a connector of type destination".into(),
            Self::DeadLetterThreshold { .. } => {
                "lower the threshold, or set the window size to 0: then every refusal is taken".into()
            }
            Self::EmptyId { .. } => "positions, logs and errors go by ids: give it one".into(),
            Self::DuplicateId { .. } => {
                "positions, logs and errors go by ids: rename one of the two".into()
            }
            Self::AlreadyRunning { .. } => "stop it first, or give this one another id".into(),
            Self::ForeignPosition { stored, .. } => format!(
                "use `{stored}`, or forget the position with `forebay state reset` and begin anew"
            ),
            Self::Store(error) => error.help(),
            Self::Nack { limit, .. } => {
                let mend = "mend what it was refused for and start again: it is read again, nothing was lost";
                match limit {
                    None => format!("{mend}; or have a dead-letter queue take such records"),
                    Some(_) => format!("{mend}; or raise the dead-letter queue's nack threshold"),
                }
            }
            Self::LetterRefused { .. } => {
                "mend the dead-letter queue and start again: the record is read again, nothing was lost".into()
            }
            Self::CallTimeout { .. } => {
                "a longer `sdk.call.timeout` gives slow calls more time".into()
            }
            Self::Connector { error, .. } => match error.kind() {
                ErrorKind::InvalidConfig => "correct the setting; nothing was lost".into(),
                ErrorKind::Panic => PLUGIN_DEFECT.into(),
                ErrorKind::Retry | ErrorKind::Cancelled => {
                    "start again: what was not confirmed is read again".into()
                }
                _ => "mend what the message names, then start again: what was not confirmed is \
                      read again"
                    .into(),
            },
            Self::Contract { .. } | Self::NotStopped { .. } => PLUGIN_DEFECT.into(),
            Self::Unanswered { .. } => {
                "a longer `sdk.call.timeout` gives it more time; what was not confirmed is read again"
                    .into()
            }
            Self::LoaderStuck { .. } => {
                "remove the file from the plugin folder and start the host again".into()
            }
            Self::Closed { .. } => "what was not confirmed is read again by the next run".into(),
            Self::StoreClosed | Self::Thread(_) | Self::Internal(_) => {
                String::new()
            }
        }
    }

    /// Whether the user's input is wrong, rather than something that happened in a run.
    #[must_use]
    pub fn is_usage(&self) -> bool {
        match self {
            Self::Lookup { .. }
            | Self::NoSuchSide { .. }
            | Self::Config { .. }
            | Self::NoSource
            | Self::NoDestination
            | Self::DeadLetterThreshold { .. }
            | Self::EmptyId { .. }
            | Self::DuplicateId { .. }
            | Self::AlreadyRunning { .. }
            | Self::ForeignPosition { .. } => true,
            // A connector that runs has taken its settings.
            Self::Connector { call, error, .. } => {
                error.kind() == ErrorKind::InvalidConfig
                    && [Call::Configure, Call::Start]
                        .iter()
                        .any(|it| it.to_string() == *call)
            }
            _ => false,
        }
    }

    /// Whether another try may mend it.
    pub(super) fn is_transient(&self) -> bool {
        match self {
            Self::Connector { error, .. } => matches!(
                error.kind(),
                ErrorKind::Retry | ErrorKind::Panic | ErrorKind::Closed | ErrorKind::Cancelled
            ),
            // A disk that is full has room again, one that is read-only is mounted anew.
            Self::Store(error) => matches!(**error, StoreError::Io { .. }),
            _ => false,
        }
    }

    /// How long the plugin wants to be left alone before another try.
    pub(super) fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Connector { error, .. } => error.retry_after(),
            _ => None,
        }
    }

    /// Fails when nothing can be started because the dynamic loader hangs.
    pub(crate) fn check_loader() -> Result<(), Self> {
        stuck_file().map_or(Ok(()), |file| Err(Self::LoaderStuck { file }))
    }

    pub(crate) fn call_timeout(connector: &str, call: Call, after: Duration) -> Self {
        Self::CallTimeout {
            connector: connector.into(),
            call: call.to_string(),
            after,
        }
    }

    /// `None` for a detached instance: the supervisor has told that already.
    pub(crate) fn call(connector: &str, call: Call, error: CallError) -> Option<Self> {
        let (connector, call) = (connector.to_owned(), call.to_string());
        match error {
            CallError::Plugin(error) => Some(Self::Connector {
                connector,
                call,
                error,
            }),
            CallError::Contract(fault) => Some(Self::Contract {
                connector,
                call,
                fault,
            }),
            CallError::Detached => None,
        }
    }
}

/// All that is wrong with the settings of a connector: a line each, each with the connector.
fn of_connector(connector: &str, error: &ConfigError) -> String {
    let before = format!("connector `{connector}`: ");
    before.clone() + &error.to_string().replace('\n', &format!("\n{before}"))
}

fn with_causes(error: &StoreError) -> String {
    let causes = std::iter::successors(error.source(), |&cause| cause.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}

/// What the dead-letter queue would have taken.
fn beyond(limit: Option<&NackLimit>) -> String {
    limit.map_or_else(String::new, |NackLimit { window, threshold }| {
        format!("; the dead-letter queue takes {threshold} of {window} records")
    })
}

/// Which letter, where that is known.
fn of_letter(letter: Option<&Position>) -> String {
    letter.map_or_else(String::new, |position| format!(" `{position}`"))
}

/// A record by its number and, where that is known, its position.
fn record(sequence: u64, position: Option<&Position>) -> String {
    let number = sequence.saturating_add(1);
    match position {
        Some(position) => format!("record {number} of the run, position `{position}`,"),
        None => format!("record {number} of the run"),
    }
}

impl From<CommitError> for PipelineError {
    fn from(error: CommitError) -> Self {
        match error {
            CommitError::Store(error) => Self::Store(error),
            CommitError::Panicked => Self::Internal(error.to_string()),
            CommitError::Closed => Self::StoreClosed,
        }
    }
}
