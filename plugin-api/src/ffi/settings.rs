//! Settings on their way from the host's text pairs to the author's struct.

use abi_stable::std_types::RSlice;
use forebay_abi as abi;

use crate::error::Result;
use crate::parameters::{Parameters, Settings};

/// Copies settings out of a call.
pub(super) fn to_owned(settings: RSlice<'_, abi::Setting<'_>>) -> Vec<(String, String)> {
    settings
        .iter()
        .map(|setting| {
            (
                setting.key.as_str().to_owned(),
                setting.value.as_str().to_owned(),
            )
        })
        .collect()
}

/// Settings as a call has them.
pub(super) fn lent<'a>(settings: RSlice<'a, abi::Setting<'a>>) -> Settings<'a> {
    let settings = settings.as_slice().iter();
    Settings::new(settings.map(|setting| (setting.key.as_str(), setting.value.as_str())))
}

/// Parses settings into the struct.
pub(super) fn parse<C: Parameters>(settings: &[(String, String)]) -> Result<C> {
    C::from_settings(&Settings::new(
        settings.iter().map(|(key, value)| (&**key, &**value)),
    ))
}

/// The value of a setting that the glue itself understands.
pub(super) fn get<'a>(settings: &'a [(String, String)], key: &str) -> Option<&'a str> {
    settings
        .iter()
        .find(|(name, _)| name == key)
        .map(|(_, value)| value.trim())
}
