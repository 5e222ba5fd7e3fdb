//! The parameters of a connector: from the texts of a configuration to a typed struct.
//!
//! Owns the traits that `#[derive(Parameters)]` implements and how settings become values. It
//! never checks a validation: that is the host's work, done before a connector is asked, and
//! leaves `regex` out of plugin files.

pub mod joined;
mod list;
mod settings;
#[cfg(test)]
mod tests;
mod value;

pub use list::list_entries;
pub use settings::Settings;
pub use value::{InvalidValue, ParameterValue};

use crate::{Parameter, Result};

/// A struct whose fields are the parameters of a connector.
///
/// `#[derive(Parameters)]` implements it for a struct with named fields. A field's doc comment is
/// the description of the parameter; its name, in camel case, that of the parameter. A value is
/// required unless the field is an [`Option`] or has a default.
///
/// | `#[parameter(...)]` | meaning |
/// |---|---|
/// | `name = "aws.region"` | the parameter's name, if it isn't the field's |
/// | `default = 10` | used where the configuration gives no value; durations and paths are text, a list is `["a", "b"]` |
/// | `greater_than = 0`, `less_than = 100` | bounds, which themselves are refused; an integer has those of its type |
/// | `inclusion = ["a", "b"]` | the values allowed |
/// | `exclusion = ["a", "b"]` | values refused |
/// | `regex = "^[a-z]+$"` | what a value must contain a match of |
/// | `secret` | the host never shows the value, in logs, errors and output; a connector must not either, and where it does the host looks for the value and replaces it |
///
/// Any type that is a [`ParameterValue`] can be a field's. `()` is for connectors without
/// parameters.
///
/// A struct that can't be right (a default of another type or beyond its bounds, a name twice, a regular
/// expression that is none) doesn't compile. Whether a default matches its `regex` is found when a host looks at
/// the file. The host checks settings against all of this before a connector sees them, and gives it
/// only what has passed; [`Parameters::from_settings`] by itself checks no validation but `required`.
///
/// # Lists, nested structs and maps
///
/// | field | attribute | parameters |
/// |---|---|---|
/// | `tables: Vec<String>` | | `tables`: entries with commas between them, as [`list_entries`] reads them |
/// | `format: Format` | `nested` | `format.x` for each parameter `x` of `Format`, which derives `Parameters` |
/// | `common: Common` | `flatten` | the parameters of `Common` as they are |
/// | `options: BTreeMap<String, u32>` | | `options.*`: what follows the dot is the key, further dots too |
/// | `collections: BTreeMap<String, Format>` | `nested` | `collections.*.x` for each `x`: the key is what lies between the dots |
///
/// A `*` stands in the name of a parameter for whatever a configuration has there: up to the next
/// dot, or to the end where the name ends with it. A default of such a parameter, and that its value
/// is required, hold for every key that occurs; without any the map is empty. A parameter without `*`
/// goes first.
///
/// ```
/// use std::collections::BTreeMap;
///
/// use plugin_api::{Parameters, Settings};
///
/// #[derive(Parameters)]
/// struct Config {
///     /// Servers to try, in this order.
///     servers: Vec<String>,
///     #[parameter(nested)]
///     tables: BTreeMap<String, Table>,
/// }
///
/// #[derive(Parameters)]
/// struct Table {
///     /// Column that orders the rows.
///     #[parameter(default = "id")]
///     key: String,
///     /// Rows of one fetch.
///     fetch: u32,
/// }
///
/// assert_eq!(Config::PARAMETERS[1].0, "tables.*.key");
/// let settings = Settings::new([("servers", "a, b"), ("tables.users.fetch", "10")]);
/// let config = Config::from_settings(&settings)?;
/// assert_eq!(config.servers, ["a", "b"]);
/// assert_eq!(config.tables["users"].key, "id");
/// # Ok::<(), plugin_api::Error>(())
/// ```
///
/// # Examples
///
/// ```
/// use std::path::PathBuf;
/// use std::time::Duration;
///
/// use plugin_api::{Parameters, Settings};
///
/// #[derive(Parameters)]
/// struct Config {
///     /// File to read.
///     path: PathBuf,
///     /// How often to look for new lines.
///     #[parameter(default = "100ms", greater_than = "0s")]
///     poll_interval: Duration,
///     /// Token for the service; none for anonymous access.
///     #[parameter(secret)]
///     token: Option<String>,
/// }
///
/// let config = Config::from_settings(&Settings::new([("path", "/tmp/a"), ("pollInterval", "1s")]))?;
/// assert_eq!(config.poll_interval, Duration::from_secs(1));
/// assert_eq!(config.token, None);
///
/// let error = Config::from_settings(&Settings::new([])).map(|_| ()).unwrap_err();
/// assert_eq!(error.to_string(), "parameter `path`: a value is required");
/// # Ok::<(), plugin_api::Error>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` doesn't hold a connector's parameters",
    label = "doesn't implement `Parameters`",
    note = "put `#[derive(Parameters)]` on the struct, or use `()` for a connector without parameters"
)]
pub trait Parameters: Sized + Send + 'static {
    /// Every parameter and its name: those of the fields in their order, then those of nested structs.
    const PARAMETERS: &'static [(&'static str, Parameter)];

    /// Makes the struct from the texts of a configuration.
    ///
    /// Missing values become defaults. Names that are no parameter are passed over; the host
    /// has refused them before.
    ///
    /// # Errors
    ///
    /// Tells of all missing values (`config.required`) and all that are not of their type
    /// (`config.type`) in one error of the kind [`InvalidConfig`](crate::ErrorKind::InvalidConfig).
    fn from_settings(settings: &Settings<'_>) -> Result<Self>;
}

/// No parameters.
impl Parameters for () {
    const PARAMETERS: &'static [(&'static str, Parameter)] = &[];

    fn from_settings(_: &Settings<'_>) -> Result<Self> {
        Ok(())
    }
}
