//! A connector's settings on their way from the user to the plugin.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use plugin_api::{Parameter, duration};

use super::destination::rate::Rate;
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
    /// Names of the host's that the plugin has declared itself: theirs isn't obeyed here.
    declared: BTreeSet<String>,
}

impl Checked {
    /// Checks settings against a specification's parameters and the host's own.
    pub(crate) fn new(
        params: &BTreeMap<String, Parameter>,
        side: Side,
        settings: &BTreeMap<String, String>,
    ) -> Result<Self, ConfigError> {
        let declared = params.keys().filter(|it| it.starts_with("sdk."));
        let declared = declared.cloned().collect();
        let params = with_reserved(params, side);
        let (settings, ignored) = set_aside(settings, &params, side);
        let settings = validate(&params, &settings)?;
        Ok(Self {
            settings,
            ignored,
            declared,
        })
    }

    /// Settings that were checked when the connector last ran, for a plugin with these parameters.
    pub(crate) fn accepted(
        params: &BTreeMap<String, Parameter>,
        settings: &BTreeMap<String, String>,
    ) -> Self {
        let declared = params.keys().filter(|it| it.starts_with("sdk."));
        Self {
            settings: settings.clone(),
            ignored: Vec::new(),
            declared: declared.cloned().collect(),
        }
    }

    /// The value of one of the host's own parameters.
    fn own(&self, name: &str) -> Option<&str> {
        let value = self.settings.get(name).map(String::as_str);
        value.filter(|_| !self.declared.contains(name))
    }

    /// Longest time that a call may take.
    pub(crate) fn call_budget(&self) -> Duration {
        /// What a call gets where the plugin has a parameter of that name.
        const DEFAULT: Duration = Duration::from_secs(30);
        self.own(CALL_TIMEOUT)
            .and_then(|text| duration::parse(text).ok())
            .unwrap_or(DEFAULT)
    }

    /// How long records are held back to fill a batch.
    pub(super) fn batch_delay(&self) -> Duration {
        let delay = self.own(BATCH_DELAY);
        delay
            .and_then(|text| duration::parse(text).ok())
            .unwrap_or_default()
    }

    /// The limit of a destination.
    pub(super) fn rate(&self) -> Option<Rate> {
        let per_second = self.own(RATE_PER_SECOND)?.parse().ok()?;
        let burst = self.own(RATE_BURST).and_then(|text| text.parse().ok());
        Rate::new(per_second, burst.unwrap_or(0))
    }

    /// Records of a batch; `None` leaves it to the driver.
    pub(crate) fn batch_size(&self) -> Option<u32> {
        self.own(BATCH_SIZE)?
            .parse()
            .ok()
            .filter(|&records| records > 0)
    }
}

#[cfg(test)]
mod tests {
    use plugin_api::ParameterType;

    use super::*;

    #[test]
    fn what_a_plugin_declares_itself_is_not_obeyed_by_the_host() {
        let own = Parameter {
            default: "7".into(),
            kind: ParameterType::Int,
            description: "the plugin's".into(),
            validations: Vec::new().into(),
            secret: false,
        };
        let all = [
            BATCH_SIZE,
            BATCH_DELAY,
            RATE_PER_SECOND,
            RATE_BURST,
            CALL_TIMEOUT,
        ];
        let given: BTreeMap<_, _> = all
            .map(|name| (name.to_owned(), "60000000".to_owned()))
            .into();
        let declared = all.map(|name| (name.to_owned(), own.clone())).into();
        let checked = Checked::new(&declared, Side::Destination, &given).unwrap();
        assert_eq!(checked.settings.get(BATCH_SIZE).unwrap(), "60000000");
        assert_eq!(checked.batch_size(), None);
        assert_eq!(checked.batch_delay(), Duration::ZERO);
        assert_eq!(checked.call_budget(), Duration::from_secs(30));
        assert!(checked.rate().is_none());
    }
}
