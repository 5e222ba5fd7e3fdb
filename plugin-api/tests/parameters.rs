//! `#[derive(Parameters)]` as an author uses it, under the lints that an author may have.

#![forbid(unsafe_code)]
#![deny(missing_docs, unused_qualifications, clippy::pedantic)]

use std::borrow::Cow;
use std::path::PathBuf;
use std::time::Duration;

use plugin_api::{
    ErrorKind, InvalidValue, Parameter, ParameterType, ParameterValue, Parameters, Settings,
    Validation, ValidationType,
};

/// Settings with a field of every kind.
#[derive(Debug, PartialEq, Parameters)]
pub struct Config {
    /// File to read.
    pub path: PathBuf,
    /// How many records to read,
    /// all together.
    ///
    /// None reads on for ever.
    #[parameter(greater_than = 0)]
    pub record_count: Option<u64>,
    /// Records a second.
    #[parameter(default = 1.5, greater_than = -1, less_than = 1e6)]
    pub rate: f64,
    /// How long to wait.
    #[parameter(default = "1m30s", greater_than = "0s")]
    pub delay: Duration,
    /// Whether to go on at the end of the file.
    #[parameter(default = true)]
    pub follow: bool,
    /// What separates the fields.
    #[parameter(
        name = "format.separator",
        default = ";",
        inclusion = [";", ",", r"\"],
        exclusion = ["\n"],
        regex = "^.$"
    )]
    pub separator: String,
    /// Token for the service.
    #[parameter(secret)]
    pub token: u32,
    /// What to do with bad lines.
    #[parameter(default = "skip")]
    pub on_error: OnError,
    /// A name that is a keyword.
    pub r#type: Option<String>,
}

/// A type of the author's.
#[derive(Debug, PartialEq)]
pub enum OnError {
    /// Leave them out.
    Skip,
    /// Give up.
    Stop,
}

impl ParameterValue for OnError {
    const KIND: ParameterType = ParameterType::String;

    fn parse(text: &str) -> Result<Self, InvalidValue> {
        match text {
            "skip" => Ok(Self::Skip),
            "stop" => Ok(Self::Stop),
            _ => Err(InvalidValue::expected("`skip` or `stop`")),
        }
    }
}

fn parameter(name: &str) -> &'static Parameter {
    let mut parameters = Config::PARAMETERS.iter();
    let found = parameters.find(|(key, _)| *key == name);
    found.map(|(_, parameter)| parameter).expect(name)
}

#[test]
fn parameters_are_listed_in_the_order_of_the_fields() {
    let listed: Vec<_> = Config::PARAMETERS
        .iter()
        .map(|(name, parameter)| (*name, parameter.kind, &*parameter.default))
        .collect();
    let expected = [
        ("path", ParameterType::File, ""),
        ("recordCount", ParameterType::Int, ""),
        ("rate", ParameterType::Float, "1.5"),
        ("delay", ParameterType::Duration, "1m30s"),
        ("follow", ParameterType::Bool, "true"),
        ("format.separator", ParameterType::String, ";"),
        ("token", ParameterType::Int, ""),
        ("onError", ParameterType::String, "skip"),
        ("type", ParameterType::String, ""),
    ];
    assert_eq!(listed, expected);
}

#[test]
fn parameters_hold_what_the_attributes_say() {
    let validation = |kind, value| Validation {
        kind,
        value: Cow::Borrowed(value),
    };
    let path = parameter("path");
    assert_eq!(path.description, "File to read.");
    assert_eq!(
        *path.validations,
        [validation(ValidationType::Required, "")]
    );
    assert!(!path.secret);
    assert!(parameter("token").secret);
    assert_eq!(
        parameter("recordCount").description,
        "How many records to read, all together.\nNone reads on for ever."
    );
    assert_eq!(
        *parameter("rate").validations,
        [
            validation(ValidationType::GreaterThan, "-1"),
            validation(ValidationType::LessThan, "1e6"),
        ]
    );
    assert_eq!(
        *parameter("format.separator").validations,
        [
            validation(ValidationType::Inclusion, r";,\,,\\"),
            validation(ValidationType::Exclusion, "\n"),
            validation(ValidationType::Regex, "^.$"),
        ]
    );
}

#[test]
fn settings_become_values_and_the_rest_defaults() {
    let settings = [
        ("path", "/tmp/a"),
        ("token", " 7 "),
        ("delay", ""),
        ("other", "x"),
    ];
    let config = Config::from_settings(&Settings::new(settings)).unwrap();
    let expected = Config {
        path: "/tmp/a".into(),
        record_count: None,
        rate: 1.5,
        delay: Duration::from_secs(90),
        follow: true,
        separator: ";".into(),
        token: 7,
        on_error: OnError::Skip,
        r#type: None,
    };
    assert_eq!(config, expected);

    let settings = [
        ("path", "b"),
        ("recordCount", "3"),
        ("rate", "-2e1"),
        ("delay", "0"),
        ("follow", "F"),
        ("format.separator", ","),
        ("token", "8"),
        ("onError", "stop"),
        ("type", "x"),
    ];
    let config = Config::from_settings(&Settings::new(settings)).unwrap();
    let expected = Config {
        path: "b".into(),
        record_count: Some(3),
        rate: -20.0,
        delay: Duration::ZERO,
        follow: false,
        separator: ",".into(),
        token: 8,
        on_error: OnError::Stop,
        r#type: Some("x".into()),
    };
    assert_eq!(config, expected);
}

#[test]
fn everything_wrong_is_told_at_once_and_no_secret() {
    let settings = [("rate", "fast"), ("token", "hunter2"), ("onError", "panic")];
    let error = Config::from_settings(&Settings::new(settings)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidConfig);
    let told: Vec<_> = error
        .parameters()
        .iter()
        .map(|wrong| (&*wrong.name, &*wrong.code, &*wrong.message))
        .collect();
    let expected = [
        ("path", "config.required", "a value is required"),
        ("rate", "config.type", "expected a number, found `fast`"),
        ("token", "config.type", "`***` is not a valid int"),
        (
            "onError",
            "config.type",
            "expected `skip` or `stop`, found `panic`",
        ),
    ];
    assert_eq!(told, expected);
    assert!(!format!("{error:?}").contains("hunter2"));
}

#[test]
fn struct_without_fields_takes_any_settings() {
    #[derive(Parameters)]
    struct Nothing {}

    assert!(Nothing::PARAMETERS.is_empty());
    assert!(Nothing::from_settings(&Settings::new([("x", "y")])).is_ok());
}

#[test]
fn bounds_of_own_types_go_by_their_kind() {
    #[derive(Debug)]
    struct Percent(u8);

    impl ParameterValue for Percent {
        const KIND: ParameterType = ParameterType::Int;

        fn parse(text: &str) -> Result<Self, InvalidValue> {
            u8::parse(text).map(Self)
        }
    }

    #[derive(Parameters)]
    struct Config {
        /// How full.
        #[parameter(default = 80, less_than = 101)]
        fill: Percent,
    }

    let config = Config::from_settings(&Settings::default()).unwrap();
    assert_eq!(config.fill.0, 80);
    assert_eq!(*Config::PARAMETERS[0].1.validations[0].value, *"101");
}

#[test]
fn compile_errors_say_what_to_write() {
    let cases = trybuild::TestCases::new();
    cases.compile_fail("tests/ui/*.rs");
}
