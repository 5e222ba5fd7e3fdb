//! Settings that are checked before anything is started: against the specification, and by asking
//! the plugin.

use std::collections::BTreeMap;

use plugin_api::{Parameter, ValidationError};

use crate::parameters::{IgnoredSetting, Side};
use crate::pipeline::Checked;
use crate::service::{LookupError, PluginService};
use crate::stream::{Context, ContextEnd, StreamError};

impl PluginService {
    /// Checks a source's settings: against the specification, and by asking the plugin. Returns
    /// those that have no effect: the user should know of them.
    ///
    /// # Errors
    ///
    /// [`ValidateError::Invalid`] when they are wrong, else what has kept the plugin from being
    /// asked, the end of the context included.
    pub fn validate_source_config(
        &self,
        context: &Context,
        name: &str,
        settings: &BTreeMap<String, String>,
    ) -> Result<Vec<IgnoredSetting>, ValidateError> {
        let dispenser = self.new_dispenser(name)?;
        let parameters = dispenser.blueprint().specification().source_params.as_ref();
        let (settings, ignored) = checked(parameters, Side::Source, settings)?;
        let source = dispenser.dispense_source(context);
        let source = source.map_err(|error| undispensed(Side::Source, error))?;
        let configured = source.configure(context, &settings);
        judge(configured, source.teardown(context)).map(|()| ignored)
    }

    /// As [`validate_source_config`](Self::validate_source_config), for a destination.
    ///
    /// # Errors
    ///
    /// As there.
    pub fn validate_destination_config(
        &self,
        context: &Context,
        name: &str,
        settings: &BTreeMap<String, String>,
    ) -> Result<Vec<IgnoredSetting>, ValidateError> {
        let dispenser = self.new_dispenser(name)?;
        let specification = dispenser.blueprint().specification();
        let parameters = specification.destination_params.as_ref();
        let (settings, ignored) = checked(parameters, Side::Destination, settings)?;
        let destination = dispenser.dispense_destination(context);
        let destination = destination.map_err(|error| undispensed(Side::Destination, error))?;
        let configured = destination.configure(context, &settings);
        judge(configured, destination.teardown(context)).map(|()| ignored)
    }
}

/// Settings against what a plugin specifies for a side; whether it has that side is found out by
/// making one.
fn checked(
    parameters: Option<&BTreeMap<String, Parameter>>,
    side: Side,
    settings: &BTreeMap<String, String>,
) -> Result<(BTreeMap<String, String>, Vec<IgnoredSetting>), ValidateError> {
    let Some(parameters) = parameters else {
        return Ok((settings.clone(), Vec::new()));
    };
    let checked = Checked::new(parameters, side, settings)
        .map_err(|error| ValidateError::Invalid(ValidationError(Box::new(error))))?;
    Ok((checked.settings, checked.ignored))
}

fn undispensed(side: Side, source: StreamError) -> ValidateError {
    match source {
        StreamError::Context(end) => ValidateError::Context(end),
        source => ValidateError::Dispense { side, source },
    }
}

/// What `configure` has said: the plugin's word on the settings, or why it had none. What goes wrong
/// in the teardown counts only if they are right.
fn judge(
    configured: Result<(), StreamError>,
    torn_down: Result<(), StreamError>,
) -> Result<(), ValidateError> {
    match configured {
        Ok(()) => torn_down.map_err(ValidateError::Teardown),
        Err(StreamError::Context(end)) => Err(ValidateError::Context(end)),
        Err(error) => Err(ValidateError::Invalid(ValidationError(Box::new(error)))),
    }
}

fn with_cause(error: &ValidationError) -> String {
    format!("{error}: {}", error.0)
}

/// Why settings were not found to be right.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ValidateError {
    /// There is no such plugin.
    #[error("couldn't get dispenser: {0}")]
    Lookup(#[from] LookupError),
    /// The plugin can't make such a connector.
    #[error("could not dispense {side}: {source}")]
    Dispense {
        /// The side.
        side: Side,
        /// What the plugin says.
        source: StreamError,
    },
    /// The settings are wrong.
    #[error("{}", with_cause(.0))]
    Invalid(#[source] ValidationError),
    /// The settings are right, but the connector can't be torn down.
    #[error(transparent)]
    Teardown(StreamError),
    /// The context has ended before the plugin has answered.
    #[error(transparent)]
    Context(ContextEnd),
}

impl ValidateError {
    /// Stable identifier for tests and tools.
    #[must_use]
    pub fn code(&self) -> &str {
        match self {
            Self::Lookup(error) => error.code(),
            Self::Dispense { source, .. } => source.code(),
            Self::Invalid(_) => "config.invalid",
            Self::Teardown(error) => error.code(),
            Self::Context(end) => end.code(),
        }
    }

    /// How to mend it, in one line; empty where nothing sensible can be said.
    #[must_use]
    pub fn help(&self) -> String {
        match self {
            Self::Lookup(error) => error.help(),
            Self::Dispense { source, .. } => source.help().to_owned(),
            Self::Invalid(_) => "correct the settings; nothing was started".to_owned(),
            Self::Teardown(error) => error.help().to_owned(),
            Self::Context(_) => "give the plugin more time".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use plugin_api::Error;

    use super::*;

    fn failed(text: &str) -> Result<(), StreamError> {
        Err(StreamError::Plugin(Error::fatal(text)))
    }

    #[test]
    fn a_teardown_that_fails_counts_where_nothing_else_is_wrong() {
        let error = judge(Ok(()), failed("can't be closed")).expect_err("it has failed");
        assert_eq!(error.to_string(), "can't be closed");
        assert_eq!(error.code(), "connector.failed");
    }

    #[test]
    fn a_teardown_that_fails_hides_no_other_error() {
        let error = judge(failed("not red"), failed("can't be closed"));
        let error = error.expect_err("both have failed");
        assert_eq!(error.to_string(), "validation error: not red");
        let late = Err(ContextEnd::Cancelled.into());
        let error = judge(late, failed("can't be closed")).expect_err("both have failed");
        assert_eq!(error.to_string(), "context cancelled");
    }
}
