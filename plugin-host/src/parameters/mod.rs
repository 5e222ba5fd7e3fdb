//! Settings against the parameters of a specification, checked here so that no plugin has to.
//!
//! A configuration is a map of texts. [`validate`](fn@validate) turns it into the map that a connector gets:
//! trimmed, defaults filled in, every value of its type and past its validations, or *all* that is
//! wrong at once. The texts stay texts; making them numbers is the plugin's work, by the same rules
//! (`plugin_api::Settings`). Nothing here asks a plugin anything, and no value of a secret
//! parameter ever gets into an error.
//!
//! The host has parameters of its own, `sdk.…`: [`with_reserved`] adds them to a specification's,
//! [`set_aside`] picks out those that Conduit knows and this host doesn't heed. [`check_defaults`] and
//! the validations themselves are checked when a plugin is loaded, by `specification`.
//!
//! ```text
//! let params = with_reserved(&specification_params, Side::Source);
//! let (settings, ignored) = set_aside(&settings, &params, Side::Source);   // tell of each
//! let settings = validate(&params, &settings)?;
//! ```

mod declared;
mod error;
mod names;
mod reserved;
mod rules;
mod suggest;
#[cfg(test)]
mod tests;
mod validate;

pub use declared::check_defaults;
pub use error::ConfigError;
pub(crate) use names::find;
pub use reserved::{
    BATCH_DELAY, BATCH_SIZE, CALL_TIMEOUT, IgnoredSetting, RATE_BURST, RATE_PER_SECOND,
    RECORD_FORMAT, Side, set_aside, with_reserved,
};
pub(crate) use rules::check_validation;
pub use validate::validate;
