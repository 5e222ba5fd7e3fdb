//! What sources and destinations have in common: settings that are taken, and settings that are not.

use abi_stable::std_types::{RResult, RStr};

use super::Settings;
use super::limit::Steps;
use crate::ffi::{PluginError, Setting};
use crate::{Error, ErrorKind, Result};

/// A connector before it is started.
pub(super) trait Connector {
    /// Hands the settings over.
    fn configure(&mut self, settings: &[Setting<'_>]) -> Result<()>;

    /// Ends its life.
    fn teardown(&mut self) -> Result<()>;
}

/// Settings as they are lent.
pub(super) fn lend(settings: &Settings) -> Vec<Setting<'_>> {
    let settings = settings.iter();
    settings
        .map(|(name, value)| Setting {
            key: RStr::from(&**name),
            value: RStr::from(&**value),
        })
        .collect()
}

/// The result of a call.
pub(super) fn from_abi<T>(result: RResult<T, PluginError>) -> Result<T> {
    match result {
        RResult::ROk(value) => Ok(value),
        RResult::RErr(error) => Err(Error::from_plugin(&error)),
    }
}

/// Fails the test with what a call says.
pub(super) fn expect<T>(call: &str, result: Result<T>) -> T {
    result.unwrap_or_else(|error| panic!("{call} has failed: {error:#}"))
}

/// Makes a connector that has taken the settings.
pub(super) fn configured<C: Connector>(
    make: &impl Fn() -> C,
    settings: &Settings,
    steps: &Steps,
) -> C {
    let mut connector = make();
    steps.begin("`configure`");
    expect("`configure`", connector.configure(&lend(settings)));
    connector
}

/// Tears a connector down.
pub(super) fn torn_down<C: Connector>(mut connector: C, steps: &Steps) {
    steps.begin("`teardown`");
    expect("`teardown`", connector.teardown());
}

/// Tests the settings, and that what was never started can be torn down.
pub(super) fn test_settings<C: Connector>(
    make: &impl Fn() -> C,
    settings: &Settings,
    required: &[&str],
    steps: &Steps,
) {
    torn_down(make(), steps);
    torn_down(configured(make, settings, steps), steps);

    let mut more = settings.clone();
    more.insert("sdk.not.known".to_owned(), "x".to_owned());
    torn_down(configured(make, &more, steps), steps);

    for name in required {
        let mut fewer = settings.clone();
        let given = fewer.remove(*name);
        assert!(
            given.is_some(),
            "the test's settings lack {name:?}, which is required"
        );
        let mut connector = make();
        steps.begin("`configure`");
        let Err(error) = connector.configure(&lend(&fewer)) else {
            panic!("`configure` takes settings without {name:?}, which is required");
        };
        let mut parameters = error.parameters().iter();
        assert!(
            error.kind() == ErrorKind::InvalidConfig && parameters.any(|wrong| wrong.name == *name),
            "without {name:?}, which is required, `configure` says {error:?}; expected an error of \
             the kind `InvalidConfig` that names it"
        );
        torn_down(connector, steps);
    }
}
