//! Errors of connectors, and the error values that hosts and plugins share.

use std::error::Error as StdError;
use std::fmt;
use std::time::Duration;

/// Result of a connector's call.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What the host should do about an error.
///
/// Every error ends the run, and the next run goes on behind the stored position. The kind says
/// whether a host that tries again (`plugin_host::Recovery`) should, and what the user is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// Trying again can't help.
    Fatal,
    /// Trying again may help. What `?` makes of any error.
    Retry,
    /// A setting is wrong; see [`Error::parameters`].
    InvalidConfig,
    /// The plugin doesn't have this call. Made by host and glue.
    Unimplemented,
    /// The stream is not open. Made by host and glue.
    Closed,
    /// The plugin panicked; only this instance is lost. Made by the glue.
    Panic,
    /// The call ended because its context was cancelled.
    Cancelled,
}

/// What is wrong with one parameter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParameterError {
    /// Name of the parameter.
    pub name: String,
    /// Stable identifier of the rule that was broken, such as `config.type`.
    pub code: String,
    /// What is wrong and what would be right.
    pub message: String,
}

/// Why a connector's call failed.
///
/// Any error becomes one by `?`, of the kind [`ErrorKind::Retry`]; [`Error::fatal`] and
/// [`Error::invalid_config`] make other kinds. Like `anyhow::Error` it is no `std::error::Error`
/// itself: only so can `?` convert them all.
///
/// The message says what was found and what was expected, in lower case and without a full stop: the host
/// puts connector and call before it. It keeps at most 64 KiB of text, 16 causes and 16 parameters.
///
/// # Examples
///
/// ```
/// use plugin_api::{Error, ErrorKind, Result};
///
/// fn port(text: &str) -> Result<u16> {
///     Ok(text.parse()?)
/// }
///
/// let error = port("http").unwrap_err();
/// assert_eq!(error.kind(), ErrorKind::Retry);
///
/// let error = Error::fatal("the server has no table `users`")
///     .context("the snapshot can't begin")
///     .with_code("db.table_missing");
/// assert_eq!(error.message(), "the snapshot can't begin");
/// assert_eq!(
///     format!("{error:#}"),
///     "the snapshot can't begin: the server has no table `users`"
/// );
///
/// let error = Error::invalid_config("table", "expected a name, found `*`");
/// assert_eq!(error.to_string(), "parameter `table`: expected a name, found `*`");
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Error(Box<ErrorParts>);

/// What an error is made of; behind a pointer, so that a result is no larger for what seldom is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ErrorParts {
    pub(crate) kind: ErrorKind,
    pub(crate) code: String,
    pub(crate) message: String,
    pub(crate) causes: Vec<String>,
    pub(crate) parameters: Vec<ParameterError>,
    pub(crate) retry_after: Option<Duration>,
}

impl Error {
    /// Makes an error of the given kind from a message.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self(Box::new(ErrorParts {
            kind,
            code: String::new(),
            message: message.into(),
            causes: Vec::new(),
            parameters: Vec::new(),
            retry_after: None,
        }))
    }

    /// Makes an error that no retry can help, from a text or an error and its causes.
    pub fn fatal(error: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self::from_std(ErrorKind::Fatal, &*error.into())
    }

    /// Makes an error that says one parameter's value is wrong: what
    /// [`Source::validate`](crate::Source::validate) returns. The parameter goes by its full name, so that
    /// the host can show its place in the pipeline file. The value of a secret doesn't belong into it.
    pub fn invalid_config(
        parameter: impl Into<String>,
        error: impl Into<Box<dyn StdError + Send + Sync>>,
    ) -> Self {
        let name = parameter.into();
        let cause = error.into();
        let mut this = Self::new(
            ErrorKind::InvalidConfig,
            format!("parameter `{name}`: {cause}"),
        );
        this.0.causes = causes_of(&*cause);
        this.0.parameters.push(ParameterError {
            name,
            code: "config.invalid".into(),
            message: cause.to_string(),
        });
        this
    }

    /// Joins what is wrong with several parameters into one error.
    #[must_use]
    pub fn invalid_parameters(parameters: Vec<ParameterError>) -> Self {
        let message = parameters
            .iter()
            .map(|p| format!("parameter `{}`: {}", p.name, p.message))
            .collect::<Vec<_>>()
            .join("; ");
        let mut this = Self::new(ErrorKind::InvalidConfig, message);
        this.0.parameters = parameters;
        this
    }

    /// Says what was being done, or what has failed by it; the message so far becomes the first cause.
    #[must_use]
    pub fn context(mut self, doing: impl Into<String>) -> Self {
        let cause = std::mem::replace(&mut self.0.message, doing.into());
        self.0.causes.insert(0, cause);
        self
    }

    /// Asks the host to wait this long before it tries again, once there is one that does.
    #[must_use]
    pub fn with_retry_after(mut self, delay: Duration) -> Self {
        self.0.retry_after = Some(delay);
        self
    }

    /// Gives the error a stable identifier for tests and tools, such as `s3.bucket_missing`.
    #[must_use]
    pub fn with_code(mut self, code: impl Into<String>) -> Self {
        self.0.code = code.into();
        self
    }

    /// What the host should do about it.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// Stable identifier; may be empty.
    #[must_use]
    pub fn code(&self) -> &str {
        &self.0.code
    }

    /// What went wrong, without its causes.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// The causes, outermost first.
    #[must_use]
    pub fn causes(&self) -> &[String] {
        &self.0.causes
    }

    /// What is wrong with which parameter.
    #[must_use]
    pub fn parameters(&self) -> &[ParameterError] {
        &self.0.parameters
    }

    /// How long to wait before the next try, where the connector knows.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }

    pub(crate) fn from_parts(parts: ErrorParts) -> Self {
        Self(Box::new(parts))
    }

    pub(crate) fn into_parts(self) -> ErrorParts {
        *self.0
    }

    fn from_std(kind: ErrorKind, error: &(dyn StdError + 'static)) -> Self {
        let mut this = Self::new(kind, error.to_string());
        this.0.causes = causes_of(error);
        this
    }
}

fn causes_of(error: &(dyn StdError + 'static)) -> Vec<String> {
    std::iter::successors(error.source(), |&cause| cause.source())
        .map(ToString::to_string)
        .collect()
}

impl<E: StdError + Send + Sync + 'static> From<E> for Error {
    fn from(error: E) -> Self {
        Self::from_std(ErrorKind::Retry, &error)
    }
}

/// The message, followed by the causes in the alternate form (`{:#}`).
impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.message())?;
        if f.alternate() {
            for cause in self.causes() {
                write!(f, ": {cause}")?;
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} error: {self:#}", self.kind())
    }
}

/// A call came while no stream was open, or after it had ended: what a host's stream says, and the glue
/// to hosts that call out of order. Authors never make one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StreamNotOpen;

impl fmt::Display for StreamNotOpen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("stream not open")
    }
}

impl StdError for StreamNotOpen {}

/// The plugin doesn't have the call that was made: what a host says of a plugin that isn't written with this
/// crate. Authors never make one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unimplemented;

impl fmt::Display for Unimplemented {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("method not implemented")
    }
}

impl StdError for Unimplemented {}

/// No plugin has the name and version that were asked for. A host's error; authors never make one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PluginNotFound;

impl fmt::Display for PluginNotFound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("plugin not found")
    }
}

impl StdError for PluginNotFound {}

/// A connector's configuration was refused; the source says why. A host's error: authors return
/// [`Error::invalid_config`].
#[derive(Debug)]
pub struct ValidationError(pub Box<dyn StdError + Send + Sync>);

impl fmt::Display for ValidationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("validation error")
    }
}

impl StdError for ValidationError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        Some(&*self.0)
    }
}
