//! All that keeps a pipeline from being started, in one error.

use std::fmt;

use super::error::PipelineError;

/// Why a pipeline was not started, or can't be: all that is wrong with it.
///
/// Display writes one line for each error.
#[derive(Debug)]
pub struct NotStarted {
    /// At least one.
    pub errors: Vec<PipelineError>,
}

impl NotStarted {
    /// Stable identifier of the first error.
    #[must_use]
    pub fn code(&self) -> &str {
        self.errors.first().map_or("internal", PipelineError::code)
    }

    /// How to mend the first error.
    #[must_use]
    pub fn help(&self) -> String {
        self.errors
            .first()
            .map(PipelineError::help)
            .unwrap_or_default()
    }
}

impl fmt::Display for NotStarted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (line, error) in self.errors.iter().enumerate() {
            if line > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{error}")?;
        }
        Ok(())
    }
}

impl std::error::Error for NotStarted {}

impl From<PipelineError> for NotStarted {
    fn from(error: PipelineError) -> Self {
        Self {
            errors: vec![error],
        }
    }
}
