//! Everything that is wrong with a configuration, in one error.

use std::fmt;

use plugin_api::ParameterError;

/// What is wrong with the settings of one connector; at least one thing.
///
/// The errors are in the order of the parameters' names. Display writes one line for each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError {
    /// What is wrong with which parameter.
    pub errors: Vec<ParameterError>,
}

impl ConfigError {
    /// Stable identifier of the whole; each error in it has its own.
    #[must_use]
    pub fn code(&self) -> &'static str {
        "config.invalid"
    }

    /// `Ok` if nothing is wrong.
    pub(super) fn unless_empty(mut errors: Vec<ParameterError>) -> Result<(), Self> {
        if errors.is_empty() {
            return Ok(());
        }
        // Stable: what is wrong with one parameter stays in the order of its checks.
        errors.sort_by(|left, right| left.name.cmp(&right.name));
        Err(Self { errors })
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (line, error) in self.errors.iter().enumerate() {
            if line > 0 {
                f.write_str("\n")?;
            }
            write!(f, "error validating {:?}: {}", error.name, error.message)?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigError {}

/// One error, its code from the part after `config.`.
pub(super) fn parameter_error(name: &str, code: &str, message: String) -> ParameterError {
    ParameterError {
        name: name.into(),
        code: format!("config.{code}"),
        message,
    }
}
