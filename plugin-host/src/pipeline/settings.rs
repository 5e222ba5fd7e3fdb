//! A connector's settings on their way from the user to the plugin.

use std::collections::BTreeMap;
use std::time::Duration;

use plugin_api::{Parameter, duration};

use super::rate::Rate;
use crate::parameters::{
    BATCH_DELAY, BATCH_SIZE, CALL_TIMEOUT, ConfigError, IgnoredSetting, RATE_BURST,
    RATE_PER_SECOND, Side, set_aside, validate, with_reserved,
};

/// Settings that were checked against the specification, with defaults filled in.
pub(crate) struct Checked {
    /// What the plugin gets.
    pub(crate) settings: BTreeMap<String, String>,
    /// What has no effect here.
    pub(crate) ignored: Vec<IgnoredSetting>,
}

impl Checked {
    /// Checks settings against a specification's parameters and the host's own.
    pub(crate) fn new(
        params: &BTreeMap<String, Parameter>,
        side: Side,
        settings: &BTreeMap<String, String>,
    ) -> Result<Self, ConfigError> {
        let params = with_reserved(params, side);
        let (settings, ignored) = set_aside(settings, &params, side);
        let settings = validate(&params, &settings)?;
        Ok(Self { settings, ignored })
    }

    /// Longest time that a call may take.
    pub(crate) fn call_budget(&self) -> Duration {
        /// What a call gets where the plugin has a parameter of that name but of its own kind.
        const DEFAULT: Duration = Duration::from_secs(30);
        self.settings
            .get(CALL_TIMEOUT)
            .and_then(|text| duration::parse(text).ok())
            .unwrap_or(DEFAULT)
    }

    /// How long records are held back to fill a batch.
    pub(super) fn batch_delay(&self) -> Duration {
        let delay = self.settings.get(BATCH_DELAY);
        delay
            .and_then(|text| duration::parse(text).ok())
            .unwrap_or_default()
    }

    /// The limit of a destination.
    pub(super) fn rate(&self) -> Option<Rate> {
        let number = |name| self.settings.get(name);
        let per_second = number(RATE_PER_SECOND)?.parse().ok()?;
        let burst = number(RATE_BURST).and_then(|text| text.parse().ok());
        Rate::new(per_second, burst.unwrap_or(0))
    }

    /// Records of a batch; `None` leaves it to the driver.
    pub(crate) fn batch_size(&self) -> Option<u32> {
        self.settings
            .get(BATCH_SIZE)?
            .parse()
            .ok()
            .filter(|&records| records > 0)
    }
}
