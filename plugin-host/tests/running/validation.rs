//! Settings that are checked without a run.

use std::collections::BTreeMap;
use std::error::Error as _;
use std::time::Duration;

use plugin_api::{
    Acks, Batch, BatchWriter, Context as PluginContext, Destination, Error, Parameters, Plugin,
    Position, Progress, Result, Source, ValidationError,
};
use plugin_host::parameters::{IgnoredSetting, Side};
use plugin_host::{
    ConfigError, Context, ContextEnd, PluginService, Registry, StreamError, ValidateError,
};
use tempfile::tempdir;

use crate::gate::{hang, release, turn, wait_for_a_hang};
use crate::support::{connector, engine, pipeline};

#[derive(Parameters)]
struct Config {
    /// Which of them.
    color: String,
}

/// A source that refuses one colour, and thinks about another one as long as the test likes.
struct Picky;

impl Source for Picky {
    type Config = Config;

    fn validate(config: &Config) -> Result<()> {
        match &*config.color {
            "red" => Err(Error::invalid_config("color", "not red")),
            "grey" => {
                hang();
                Ok(())
            }
            "black" => panic!("no black"),
            _ => Ok(()),
        }
    }

    fn open(_: Config, _: Option<&Position>) -> Result<Self> {
        Err(Error::fatal("nothing may be started"))
    }

    fn read(&mut self, _: &mut BatchWriter, _: &PluginContext) -> Result<Progress> {
        Ok(Progress::End)
    }
}

struct PickyDestination;

impl Destination for PickyDestination {
    type Config = Config;

    fn validate(config: &Config) -> Result<()> {
        Picky::validate(config)
    }

    fn open(_: Config) -> Result<Self> {
        Err(Error::fatal("nothing may be started"))
    }

    fn write(&mut self, _: &Batch, _: &mut Acks, _: &PluginContext) -> Result<()> {
        Ok(())
    }
}

/// Checks one colour against the source, and against the destination, which has to say the same.
fn validate(color: Option<&str>) -> std::result::Result<Vec<IgnoredSetting>, ValidateError> {
    let builtin = Registry::builtin([
        Plugin::from_source("picky", Picky::open),
        Plugin::from_destination("picky-destination", PickyDestination::open),
    ]);
    let service = PluginService::new(builtin, Registry::default());
    let settings: BTreeMap<String, String> = color
        .map(|color| ("color".to_owned(), color.to_owned()))
        .into_iter()
        .collect();
    let source = service.validate_source_config(&long(), "picky", &settings);
    let destination = service.validate_destination_config(&long(), "picky-destination", &settings);
    assert_eq!(
        source.as_ref().map_err(ToString::to_string),
        destination.as_ref().map_err(ToString::to_string)
    );
    source
}

fn long() -> Context {
    Context::background().with_timeout(Duration::from_secs(60))
}

/// The cause of an error that says that settings are wrong.
fn cause<E: std::error::Error + Clone + 'static>(error: &ValidateError) -> E {
    assert!(matches!(error, ValidateError::Invalid(_)), "{error}");
    let kind = error.source().and_then(|it| it.downcast_ref());
    let kind: &ValidationError = kind.unwrap_or_else(|| panic!("{error:?} has another source"));
    let cause = kind.source().and_then(|it| it.downcast_ref::<E>());
    cause
        .cloned()
        .unwrap_or_else(|| panic!("{kind:?} has another cause"))
}

#[test]
fn right_settings_are_right_and_nothing_is_started() {
    assert_eq!(validate(Some("blue")).unwrap(), []);
}

#[test]
fn settings_without_effect_are_returned_by_whatever_checks_them() {
    let plugins = || {
        [
            Plugin::from_source("picky", Picky::open),
            Plugin::from_destination("picky-destination", PickyDestination::open),
        ]
    };
    let source = [("color", "blue"), ("sdk.schema.context.name", "x")];
    let destination = [("color", "blue"), ("sdk.record.format.options", "x")];
    let state = tempdir().unwrap();
    let engine = engine(plugins(), state.path());
    let config = pipeline(
        connector("in", "picky", &source),
        connector("out", "picky-destination", &destination),
    );
    let told = engine.validate(&config).unwrap();
    let told: Vec<_> = told.iter().map(|(id, it)| (&**id, &*it.name)).collect();
    let expected = [("in", source[1].0), ("out", destination[1].0)];
    assert_eq!(told, expected);
    let service = engine.service();
    let alone = [
        config.sources[0].validate(service, Side::Source).unwrap(),
        service
            .validate_source_config(&long(), "picky", &config.sources[0].settings)
            .unwrap(),
    ];
    for ignored in alone {
        assert_eq!(ignored.len(), 1);
        assert_eq!(ignored[0].name, source[1].0);
    }
    let settings = &config.destinations[0].settings;
    let ignored = service.validate_destination_config(&long(), "picky-destination", settings);
    assert_eq!(ignored.unwrap()[0].name, destination[1].0);
}

#[test]
fn the_instance_that_was_asked_is_torn_down_whatever_it_has_said() {
    // Of a name of its own: instances are counted by it.
    let builtin = Registry::builtin([Plugin::from_source("picky-alone", Picky::open)]);
    let service = PluginService::new(builtin, Registry::default());
    for (color, is_right) in [("blue", true), ("red", false), ("black", false)] {
        let settings = BTreeMap::from([("color".to_owned(), color.to_owned())]);
        let validated = service.validate_source_config(&long(), "picky-alone", &settings);
        assert_eq!(validated.is_ok(), is_right);
        for plugin in service.builtin().plugins() {
            assert_eq!(plugin.live_objects(), 0);
        }
    }
}

#[test]
fn the_specification_is_asked_before_the_plugin() {
    let error = validate(None).unwrap_err();
    let cause: ConfigError = cause(&error);
    assert_eq!(cause.errors[0].code, "config.required");
    assert_eq!(error.to_string(), format!("validation error: {cause}"));
    assert_eq!(error.code(), "config.invalid");
}

#[test]
fn what_the_plugin_says_is_a_validation_error_around_it() {
    let error = validate(Some("red")).unwrap_err();
    assert_eq!(
        error.to_string(),
        "validation error: parameter `color`: not red"
    );
    let cause: StreamError = cause(&error);
    assert!(matches!(cause, StreamError::Plugin(error) if error.parameters()[0].name == "color"));
    let error = validate(Some("black")).unwrap_err();
    assert_eq!(error.to_string(), "validation error: panic: no black");
}

#[test]
fn what_is_no_word_on_the_settings_is_no_validation_error() {
    let service = PluginService::new(
        Registry::builtin([Plugin::from_source("picky", Picky::open)]),
        Registry::default(),
    );
    let none = BTreeMap::new();
    let missing = service.validate_source_config(&long(), "other", &none);
    let missing = missing.unwrap_err();
    assert!(matches!(missing, ValidateError::Lookup(_)), "{missing}");
    assert!(missing.to_string().starts_with("couldn't get dispenser: "));
    assert_eq!(missing.code(), "plugin.not_found");
    let sideless = service.validate_destination_config(&long(), "picky", &none);
    assert_eq!(
        sideless.unwrap_err().to_string(),
        "could not dispense destination: the plugin has no such side"
    );
}

#[test]
fn a_plugin_that_thinks_too_long_is_given_up() {
    // What is stuck is counted by the process.
    let _turn = turn();
    let service = PluginService::new(
        Registry::builtin([Plugin::from_source("picky", Picky::open)]),
        Registry::default(),
    );
    let grey = BTreeMap::from([("color".to_owned(), "grey".to_owned())]);
    let (context, handle) = Context::background().with_cancel();
    let late = std::thread::scope(|scope| {
        let validating = scope.spawn(|| service.validate_source_config(&context, "picky", &grey));
        wait_for_a_hang();
        handle.cancel();
        validating.join().unwrap().unwrap_err()
    });
    assert!(
        matches!(late, ValidateError::Context(ContextEnd::Cancelled)),
        "{late}"
    );
    assert!(plugin_host::is_stuck());
    release();
    while plugin_host::is_stuck() {
        std::thread::yield_now();
    }
}
