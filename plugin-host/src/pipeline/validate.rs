//! Checking one connector, of a pipeline that may not be whole yet.

use super::plan::Planned;
use super::{ConnectorConfig, PipelineError};
use crate::parameters::{IgnoredSetting, Side};
use crate::service::PluginService;

impl ConnectorConfig {
    /// Checks the plugin and the settings of a connector on one side of a pipeline, as
    /// [`Engine::validate`](super::Engine::validate) does for all of them. Nothing is started, and
    /// the plugin isn't asked. Returns the settings that have no effect: the user should know of
    /// them.
    ///
    /// # Errors
    ///
    /// Returns that there is no such plugin, that it has no such side, or all that is wrong with
    /// the settings.
    pub fn validate(
        &self,
        service: &PluginService,
        side: Side,
    ) -> Result<Vec<IgnoredSetting>, PipelineError> {
        Planned::new(service, self, side).map(|planned| planned.checked.ignored)
    }
}
