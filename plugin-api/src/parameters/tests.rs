use std::borrow::Cow;
use std::fmt::Debug;
use std::path::PathBuf;
use std::time::Duration;

use super::*;
use crate::{ParameterType, Validation, ValidationType};

fn parameter(kind: ParameterType, default: &'static str) -> (&'static str, Parameter) {
    let parameter = Parameter {
        default: default.into(),
        kind,
        description: "What it does.".into(),
        validations: Cow::Borrowed(&[]),
        secret: false,
    };
    ("p", parameter)
}

fn required(kind: ParameterType) -> (&'static str, Parameter) {
    let (name, mut parameter) = parameter(kind, "");
    parameter.validations.to_mut().push(Validation {
        kind: ValidationType::Required,
        value: "".into(),
    });
    (name, parameter)
}

#[track_caller]
fn assert_parses<T: ParameterValue + PartialEq + Debug>(cases: &[(&str, T)]) {
    for (text, value) in cases {
        assert_eq!(T::parse(text).as_ref(), Ok(value), "{text}");
    }
}

#[track_caller]
fn assert_refuses<T: ParameterValue + Debug>(texts: &[&str], expected: &str) {
    for text in texts {
        let error = T::parse(text).expect_err(text);
        assert_eq!(error.to_string(), expected, "{text}");
    }
}

#[test]
fn integers_take_their_whole_range_and_no_more() {
    assert_parses::<u8>(&[("0", 0), ("+7", 7), ("255", 255)]);
    assert_parses::<i64>(&[("-9223372036854775808", i64::MIN), ("007", 7)]);
    assert_parses::<u64>(&[("18446744073709551615", u64::MAX)]);
    assert_refuses::<u8>(
        &["256", "-1", "", "x", "1.0", "0x10", "1_000", "1 0"],
        "expected an integer from 0 to 255",
    );
    assert_refuses::<i8>(&["128", "-129"], "expected an integer from -128 to 127");
}

#[test]
fn floats_take_infinity_only_by_name() {
    assert_parses::<f64>(&[
        ("1", 1.0),
        ("-2.5e-3", -0.0025),
        ("Inf", f64::INFINITY),
        ("-inf", f64::NEG_INFINITY),
        ("+Infinity", f64::INFINITY),
    ]);
    assert!(f32::parse("NaN").is_ok_and(f32::is_nan));
    assert_refuses::<f64>(&["", "x", "1,5", "0x1p3"], "expected a number");
    assert_refuses::<f32>(
        &["1e39", "-1e39"],
        "expected a number from -3.4028235e38 to 3.4028235e38",
    );
}

#[test]
fn bools_are_those_of_the_specification() {
    for text in ["1", "t", "T", "true", "TRUE", "True"] {
        assert_eq!(bool::parse(text), Ok(true), "{text}");
    }
    for text in ["0", "f", "F", "false", "FALSE", "False"] {
        assert_eq!(bool::parse(text), Ok(false), "{text}");
    }
    assert_refuses::<bool>(
        &["", "yes", "tRUE", "2", "on"],
        "expected `true` or `false`",
    );
}

#[test]
fn durations_are_those_of_go() {
    assert_parses(&[
        ("0", Duration::ZERO),
        ("1h30m", Duration::from_secs(5400)),
        ("1.5s", Duration::from_millis(1500)),
        ("250ms", Duration::from_millis(250)),
    ]);
    let expected = "expected a duration such as `1h30m` or `250ms`";
    assert_refuses::<Duration>(&["", "10", "1 s", "1x"], expected);
    assert_refuses::<Duration>(&["-1s"], "expected a duration of zero or more");
    assert_refuses::<Duration>(&["3000000h"], "expected a duration of at most 292 years");
}

#[test]
fn texts_and_paths_are_taken_as_they_are() {
    assert_parses(&[("", String::new()), ("a \"b\"", "a \"b\"".to_owned())]);
    assert_parses(&[("/tmp/a b", PathBuf::from("/tmp/a b"))]);
}

#[test]
fn kinds_are_those_of_the_specification() {
    assert_eq!(String::KIND, ParameterType::String);
    assert_eq!(u16::KIND, ParameterType::Int);
    assert_eq!(f32::KIND, ParameterType::Float);
    assert_eq!(bool::KIND, ParameterType::Bool);
    assert_eq!(PathBuf::KIND, ParameterType::File);
    assert_eq!(Duration::KIND, ParameterType::Duration);
}

#[test]
fn get_trims_and_takes_blank_for_missing() {
    let settings = Settings::new([
        (" a ", "  1 2\n"),
        ("b", " \t"),
        ("c", ""),
        ("d", "old"),
        ("d", "new"),
    ]);
    assert_eq!(settings.get("a"), Some("1 2"));
    assert_eq!(settings.get("b"), None);
    assert_eq!(settings.get("c"), None);
    assert_eq!(settings.get("d"), Some("new"));
    assert_eq!(settings.get("A"), None);
}

#[test]
fn value_falls_back_to_the_default() {
    let unset = Settings::new([("p", " ")]);
    let set = Settings::new([("p", "7")]);
    let parameter = parameter(ParameterType::Int, "5");
    assert_eq!(unset.value(&parameter, u32::parse), Ok(5));
    assert_eq!(set.value(&parameter, u32::parse), Ok(7));
}

#[test]
fn value_may_be_empty_unless_required() {
    let unset = Settings::default();
    let kind = ParameterType::String;
    assert_eq!(
        unset.value(&parameter(kind, ""), String::parse),
        Ok(String::new())
    );
    let error = unset.value(&required(kind), String::parse).unwrap_err();
    assert_eq!((&*error.name, &*error.code), ("p", "config.required"));
    assert_eq!(error.message, "a value is required");
}

#[test]
fn required_with_a_default_is_never_missing() {
    let (name, mut parameter) = required(ParameterType::Int);
    parameter.default = "5".into();
    let value = Settings::default().value(&(name, parameter), u32::parse);
    assert_eq!(value, Ok(5));
}

#[test]
fn optional_is_none_only_when_unset() {
    let parameter = parameter(ParameterType::Int, "");
    let optional = |text| Settings::new([("p", text)]).optional(&parameter, u32::parse);
    assert_eq!(optional(""), Ok(None));
    assert_eq!(optional("3"), Ok(Some(3)));
    assert_eq!(optional("x").unwrap_err().code, "config.type");
}

#[test]
fn wrong_type_is_told_with_what_was_found() {
    let settings = Settings::new([("p", "ten\u{1b}[0m")]);
    let parameter = parameter(ParameterType::Int, "");
    let error = settings.value(&parameter, u8::parse).unwrap_err();
    assert_eq!((&*error.name, &*error.code), ("p", "config.type"));
    assert_eq!(
        error.message,
        r"expected an integer from 0 to 255, found `ten\u{1b}[0m`"
    );
}

#[test]
fn secrets_stay_out_of_errors_and_debug_output() {
    /// A type whose error gives away what it was asked.
    #[derive(Debug)]
    struct Leaky;

    impl ParameterValue for Leaky {
        const KIND: ParameterType = ParameterType::String;

        fn parse(text: &str) -> Result<Self, InvalidValue> {
            Err(InvalidValue::expected(format!("something but {text}")))
        }
    }

    let settings = Settings::new([("p", "hunter2")]);
    let (name, mut parameter) = parameter(ParameterType::String, "");
    parameter.secret = true;
    let error = settings
        .value(&(name, parameter), Leaky::parse)
        .unwrap_err();
    assert_eq!(error.message, "`***` is not a valid string");
    assert_eq!(format!("{settings:?}"), r#"{"p": ..}"#);
}

#[test]
fn unit_has_no_parameters_and_takes_any_settings() {
    assert!(<()>::PARAMETERS.is_empty());
    assert!(<()>::from_settings(&Settings::new([("x", "y")])).is_ok());
}
