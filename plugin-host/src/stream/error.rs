//! Why a call on a stream has no result.

use std::path::PathBuf;

use plugin_api::{Error, StreamNotOpen};

use super::context::ContextEnd;
use crate::session::CallError;

/// Why a call on a stream has no result.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StreamError {
    /// The call's context, or the one that the stream was started with, has ended.
    #[error(transparent)]
    Context(#[from] ContextEnd),
    /// The stream was not started, or is over.
    #[error(transparent)]
    NotOpen(#[from] StreamNotOpen),
    /// The stream was started before.
    #[error("plugin already running")]
    AlreadyRunning,
    /// The plugin has returned an error, or panicked.
    #[error("{0:#}")]
    Plugin(Error),
    /// The plugin broke the contract of the call.
    #[error("the plugin broke the contract: {0}")]
    Contract(String),
    /// An earlier call did not return before its context ended, so the instance was given up.
    #[error("the instance was given up because a call did not return in time")]
    Detached,
    /// The record is larger than a batch may be.
    #[error("a record of {bytes} bytes is larger than {limit} bytes")]
    TooLarge {
        /// Bytes of the record.
        bytes: usize,
        /// Most bytes of a record.
        limit: usize,
    },
    /// The record has structured data that can't be encoded.
    #[error("the record can't be encoded: {0:#}")]
    InvalidRecord(Error),
    /// A plugin file hangs while it is opened, and with it the dynamic loader.
    #[error("`{}` hangs in the dynamic loader, and nothing can be started while it does", .0.display())]
    LoaderStuck(PathBuf),
    /// The connector's thread could not be started.
    #[error("can't start a thread: {0}")]
    Thread(String),
}

impl StreamError {
    /// Whether the stream was not started, or is over.
    #[must_use]
    pub fn is_not_open(&self) -> bool {
        matches!(self, Self::NotOpen(_))
    }

    /// Stable identifier for tests and tools.
    #[must_use]
    pub fn code(&self) -> &str {
        match self {
            Self::Context(end) => end.code(),
            Self::NotOpen(_) => "stream.not_open",
            Self::AlreadyRunning => "stream.already_running",
            Self::Plugin(error) if !error.code().is_empty() => error.code(),
            Self::Plugin(_) => "connector.failed",
            Self::Contract(_) => "connector.contract",
            Self::Detached => "connector.call_timeout",
            Self::TooLarge { .. } => "record.too_large",
            Self::InvalidRecord(_) => "record.invalid",
            Self::LoaderStuck(_) => "load.timed_out",
            Self::Thread(_) => "stream.thread",
        }
    }

    /// How to mend it, in one line; empty where nothing sensible can be said.
    #[must_use]
    pub fn help(&self) -> &'static str {
        match self {
            Self::Context(_) | Self::Plugin(_) | Self::Thread(_) => "",
            Self::NotOpen(_) => "start the stream first; one that is over can't be started again",
            Self::AlreadyRunning => "dispense another connector: each is started once",
            Self::Contract(_) => "a defect of the plugin, tell its author",
            Self::Detached => "dispense another connector, and give its calls more time",
            Self::TooLarge { .. } | Self::InvalidRecord(_) => {
                "mend the record; nothing of it was written, and the stream goes on"
            }
            Self::LoaderStuck(_) => {
                "remove the file from the plugin folder and start the host again"
            }
        }
    }
}

impl From<CallError> for StreamError {
    fn from(error: CallError) -> Self {
        match error {
            CallError::Plugin(error) => Self::Plugin(error),
            CallError::Contract(fault) => Self::Contract(fault),
            CallError::Detached => Self::Detached,
        }
    }
}
