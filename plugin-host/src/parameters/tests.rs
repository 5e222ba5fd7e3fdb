//! Validation through its public face, against the table of the system this follows.

use std::collections::BTreeMap;

use plugin_api::{Parameter, ParameterType, Validation, ValidationType};

use super::*;

use ParameterType::{Bool, Duration, File, Float, Int, String as Text};
use ValidationType::{Exclusion, GreaterThan, Inclusion, LessThan, Regex, Required};

fn parameter(kind: ParameterType, checks: &[(ValidationType, &str)]) -> Parameter {
    let validations = checks.iter().map(|(kind, value)| Validation {
        kind: *kind,
        value: (*value).to_owned().into(),
    });
    Parameter {
        default: "".into(),
        kind,
        description: "What it does.".into(),
        validations: validations.collect(),
        secret: false,
    }
}

/// A parameter that takes anything.
pub(super) fn text() -> Parameter {
    parameter(Text, &[])
}

fn with_default(mut parameter: Parameter, default: &'static str) -> Parameter {
    parameter.default = default.into();
    parameter
}

fn secret(mut parameter: Parameter) -> Parameter {
    parameter.secret = true;
    parameter
}

fn params<const N: usize>(all: [(&str, Parameter); N]) -> BTreeMap<String, Parameter> {
    all.map(|(name, parameter)| (name.to_owned(), parameter))
        .into()
}

fn settings<const N: usize>(all: [(&str, &str); N]) -> BTreeMap<String, String> {
    all.map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into()
}

/// Codes and messages of what is wrong with one value.
fn wrong(parameter: &Parameter, value: &str) -> Vec<(String, String)> {
    let params = params([("p", parameter.clone())]);
    match validate(&params, &settings([("p", value)])) {
        Ok(_) => Vec::new(),
        Err(error) => error
            .errors
            .into_iter()
            .map(|e| (e.code, e.message))
            .collect(),
    }
}

#[track_caller]
fn assert_fine(parameter: &Parameter, values: &[&str]) {
    for value in values {
        assert_eq!(wrong(parameter, value), [], "{value}");
    }
}

#[track_caller]
fn assert_wrong(parameter: &Parameter, value: &str, code: &str, message: &str) {
    let expected = [(code.to_owned(), message.to_owned())];
    assert_eq!(wrong(parameter, value), expected, "{value}");
}

// Types.

#[test]
fn integers_have_64_bits_and_base_10() {
    let p = parameter(Int, &[]);
    let large = ["-9223372036854775808", "18446744073709551615"];
    assert_fine(&p, &["0", "-5", "+5", "007", " 12\n", large[0], large[1]]);
    for value in ["1.0", "0x10", "1_000", "abc", "1e3", "-", "--1"] {
        let message = format!("{value:?} value is not an integer: invalid parameter type");
        assert_wrong(&p, value, "config.type", &message);
    }
    for value in ["18446744073709551616", "-9223372036854775809"] {
        let message = format!(
            "{value:?} value is not an integer: invalid parameter type, it has more than 64 bits"
        );
        assert_wrong(&p, value, "config.type", &message);
    }
}

#[test]
fn floats_take_exponents_infinity_and_nan() {
    let p = parameter(Float, &[]);
    assert_fine(&p, &["1", "-2.5e-3", ".5", "5.", "Inf", "-inf", "NaN"]);
    // Conduit takes hexadecimal floats; no plugin here could read one.
    for value in ["abc", "1,5", "1e999", "0x1p-2"] {
        let message = format!("{value:?} value is not a float: invalid parameter type");
        assert_wrong(&p, value, "config.type", &message);
    }
}

#[test]
fn booleans_are_those_of_go() {
    let p = parameter(Bool, &[]);
    assert_fine(&p, &["1", "t", "T", "true", "TRUE", "True"]);
    assert_fine(&p, &["0", "f", "F", "false", "FALSE", "False"]);
    for value in ["yes", "tRUE", "2", "on"] {
        let message =
            format!("{value:?} value is not a boolean: invalid parameter type, use true or false");
        assert_wrong(&p, value, "config.type", &message);
    }
}

#[test]
fn durations_are_those_of_go() {
    let p = parameter(Duration, &[]);
    assert_fine(&p, &["0", "1h30m", "250ms", "-1.5µs", "1.5h"]);
    assert_wrong(
        &p,
        "10",
        "config.type",
        "\"10\" value is not a duration: invalid parameter type, \
         `10` has no unit: use ns, us, ms, s, m or h",
    );
}

#[test]
fn text_and_paths_are_taken_as_they_are() {
    assert_fine(&parameter(Text, &[]), &["anything", "1\u{0}2"]);
    assert_fine(&parameter(File, &[]), &["/no/such/file"]);
}

// Validations.

#[test]
fn required_is_about_being_there() {
    let p = parameter(Text, &[(Required, "")]);
    assert_fine(&p, &["x"]);
    let message = "required parameter is not provided";
    assert_wrong(&p, "", "config.required", message);
    assert_wrong(&p, " \t\n", "config.required", message);

    let missing = validate(&params([("p", p.clone())]), &settings([])).unwrap_err();
    assert_eq!(missing.errors[0].code, "config.required");
    // Defaults come first, so with one it can't be violated.
    assert_fine(&with_default(p, "x"), &["", " "]);
}

#[test]
fn bounds_are_strict_and_numeric_whatever_the_type() {
    for kind in [Int, Float, Text] {
        let p = parameter(kind, &[(GreaterThan, "-1"), (LessThan, "10")]);
        assert_fine(&p, &["0", "9", "+9"]);
        let message = "\"-1\" should be greater than -1: greater-than validation failed";
        assert_wrong(&p, "-1", "config.greater_than", message);
        let message = "\"10\" should be less than 10: less-than validation failed";
        assert_wrong(&p, "10", "config.less_than", message);
    }
    let p = parameter(Float, &[(GreaterThan, "0.5"), (LessThan, "Inf")]);
    assert_fine(&p, &["0.50001", "1e300"]);
    assert_eq!(wrong(&p, "Inf")[0].0, "config.less_than");
    // NaN lies nowhere.
    assert_eq!(wrong(&p, "NaN").len(), 2);

    let p = parameter(Text, &[(LessThan, "10")]);
    let message = "\"many\" value should be a number: invalid parameter value";
    assert_wrong(&p, "many", "config.value", message);
}

#[test]
fn large_integers_compare_exactly() {
    // As floats these are the same number.
    let p = parameter(Int, &[(GreaterThan, "9007199254740992")]);
    assert_fine(&p, &["9007199254740993"]);
    assert_eq!(wrong(&p, "9007199254740992")[0].0, "config.greater_than");
}

#[test]
fn bounds_of_a_duration_are_durations() {
    let p = parameter(Duration, &[(GreaterThan, "0s"), (LessThan, "1h")]);
    assert_fine(&p, &["1ns", "59m59.999s", "3599s"]);
    let message = "\"0\" should be greater than 0s: greater-than validation failed";
    assert_wrong(&p, "0", "config.greater_than", message);
    let message = "\"60m\" should be less than 1h: less-than validation failed";
    assert_wrong(&p, "60m", "config.less_than", message);
}

/// Conduit shipped this bound on `sdk.batch.delay`, where it refused every value with a unit.
#[test]
fn a_duration_bound_from_zero_down_needs_no_unit() {
    let p = parameter(Duration, &[(GreaterThan, "-1")]);
    assert_fine(&p, &["0", "1s"]);
    assert_eq!(wrong(&p, "-1ns")[0].0, "config.greater_than");

    let p = parameter(Duration, &[(GreaterThan, "5")]);
    let message = "its validation greater-than can't be applied: expected a duration, found \"5\" \
                   (`5` has no unit: use ns, us, ms, s, m or h)";
    assert_wrong(&p, "1h", "config.specification", message);
}

#[test]
fn lists_compare_as_text() {
    let p = parameter(Text, &[(Inclusion, "a,1")]);
    assert_fine(&p, &["a", "1"]);
    let message = "\"01\" value must be included in the list [a,1]: inclusion validation failed";
    assert_wrong(&p, "01", "config.inclusion", message);
    assert_eq!(wrong(&p, "a,1")[0].0, "config.inclusion");

    let p = parameter(Text, &[(Exclusion, "a,1")]);
    assert_fine(&p, &["A", "01"]);
    let message = "\"a\" value must be excluded from the list [a,1]: exclusion validation failed";
    assert_wrong(&p, "a", "config.exclusion", message);
}

#[test]
fn an_entry_of_a_list_may_hold_a_comma_and_a_backslash() {
    let p = parameter(Text, &[(Inclusion, r"a\,b,c\\d")]);
    assert_fine(&p, &["a,b", r"c\d"]);
    assert_eq!(wrong(&p, "a")[0].0, "config.inclusion");
    assert_eq!(wrong(&p, r"a\,b")[0].0, "config.inclusion");
}

#[test]
fn a_regex_may_match_anywhere() {
    let p = parameter(Text, &[(Regex, "[a-z]-[1-9]")]);
    assert_fine(&p, &["a-1", "xxa-1xx"]);
    let message = "\"a-0\" should match the regex \"[a-z]-[1-9]\": regex validation failed";
    assert_wrong(&p, "a-0", "config.regex", message);

    let p = parameter(Text, &[(Regex, "[a-z")]);
    let message = "its validation regex can't be applied: \"[a-z\" is no regular expression: unclosed \
                   character class";
    assert_wrong(&p, "a", "config.specification", message);
}

#[test]
fn a_value_of_the_wrong_type_is_told_once_and_an_empty_one_not_at_all() {
    let p = parameter(
        Int,
        &[(GreaterThan, "1"), (Inclusion, "2,3"), (Regex, "^2")],
    );
    assert_eq!(wrong(&p, "x").len(), 1);
    let codes: Vec<_> = wrong(&p, "1").into_iter().map(|(code, _)| code).collect();
    assert_eq!(
        codes,
        ["config.greater_than", "config.inclusion", "config.regex"]
    );
    assert_fine(&p, &["", "  "]);
}

// The whole map.

#[test]
fn the_answer_has_every_value_and_nothing_else() {
    let params = params([
        ("given", parameter(Text, &[])),
        ("filled", with_default(parameter(Int, &[]), "5")),
        ("replaced", with_default(parameter(Int, &[]), "5")),
        ("blank", with_default(parameter(Text, &[]), "\t")),
        ("absent", parameter(Duration, &[])),
    ]);
    let settings = settings([
        (" given ", "\u{a0}a b\n"),
        ("replaced", "6"),
        ("blank", "  "),
        ("absent", " "),
    ]);
    let expected = BTreeMap::from(
        [
            ("given", "a b"),
            ("filled", "5"),
            ("replaced", "6"),
            ("blank", "\t"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned())),
    );
    assert_eq!(validate(&params, &settings), Ok(expected));
}

#[test]
fn all_errors_come_at_once_in_the_order_of_the_names() {
    let params = params([
        ("path", parameter(File, &[(Required, "")])),
        ("count", parameter(Int, &[])),
        (
            "zone",
            parameter(Int, &[(GreaterThan, "0"), (Inclusion, "1")]),
        ),
    ]);
    let settings = settings([("zone", "-1"), ("count", "x"), ("pth", "/a"), ("url", "b")]);
    let error = validate(&params, &settings).unwrap_err();
    assert_eq!(error.code(), "config.invalid");
    let expected = r#"error validating "count": "x" value is not an integer: invalid parameter type
error validating "path": required parameter is not provided
error validating "pth": unrecognized parameter, did you mean "path"?
error validating "url": unrecognized parameter, known are "count", "path", "zone"
error validating "zone": "-1" should be greater than 0: greater-than validation failed
error validating "zone": "-1" value must be included in the list [1]: inclusion validation failed"#;
    assert_eq!(error.to_string(), expected);
}

#[test]
fn a_name_given_twice_is_no_guess() {
    let params = params([("path", parameter(File, &[]))]);
    let error = validate(&params, &settings([("path", "/a"), (" path", "/b")])).unwrap_err();
    assert_eq!(error.errors[0].code, "config.duplicate");
    assert_eq!(error.errors.len(), 1);
}

#[test]
fn unknown_names_are_refused_even_without_a_value() {
    let error = validate(&BTreeMap::new(), &settings([("x", "")])).unwrap_err();
    let said = "error validating \"x\": unrecognized parameter, there are no parameters";
    assert_eq!(error.to_string(), said);

    let names = ["a1", "b2", "c3", "d4", "e5", "f6", "g7", "h8", "i9"];
    let params = params(names.map(|name| (name, parameter(Text, &[]))));
    let error = validate(&params, &settings([("xyz", "1")])).unwrap_err();
    assert!(error.to_string().ends_with("\"h8\" and 1 more"), "{error}");
}

#[test]
fn a_text_in_the_place_of_a_map_is_told_how_to_give_one() {
    let told = |params: &[&str], name: &str| {
        let params = params.iter().map(|name| ((*name).to_owned(), text()));
        let error = validate(&params.collect(), &settings([(name, "zzz")])).unwrap_err();
        error.errors[0].message.clone()
    };
    for (known, name, map) in [
        (&["options.*"][..], "options", "`options: {KEY: VALUE}`"),
        (&["burst.time", "rate"], "burst", "`burst: {time: VALUE}`"),
        (&["a.*.b"], "a", "`a: {KEY: {b: VALUE}}`"),
        (&["a.*.b.*"], "a.x.b", "`a.x.b: {KEY: VALUE}`"),
    ] {
        let expected = format!("unrecognized parameter, it is a map: give {map}");
        assert_eq!(told(known, name), expected);
    }
    assert!(told(&["options.*"], "opt").contains("known are"));
    assert!(told(&["options.*"], "options.").contains("did you mean"));
}

#[test]
fn a_destinations_setting_on_a_source_is_told_as_that() {
    let params = with_reserved(&params([]), Side::Source);
    for name in ["sdk.record.format", "sdk.rate.perSecond", "sdk.rate.burst"] {
        let error = validate(&params, &settings([(name, "1")])).unwrap_err();
        let expected = "unrecognized parameter, it is a setting of destinations";
        assert_eq!(error.errors[0].message, expected);
    }
    let error = validate(&params, &settings([("sdk.batch.sise", "1")])).unwrap_err();
    assert!(error.to_string().contains("did you mean"), "{error}");
}

#[test]
fn a_secret_never_gets_into_an_error() {
    let checks = [
        (GreaterThan, "1"),
        (LessThan, "-9"),
        (Inclusion, "a,b"),
        (Exclusion, "hunter2,-7,-7s"),
        (Regex, "^x"),
    ];
    for (kind, value) in [
        (Int, "hunter2"),
        (Float, "hunter2"),
        (Bool, "hunter2"),
        (Duration, "hunter2"),
        (Text, "hunter2"),
        (Int, "-7"),
    ] {
        for check in checks {
            // The list itself is no secret: the plugin's specification shows it.
            if check.0 == Exclusion && kind == Text {
                continue;
            }
            let p = secret(parameter(kind, &[check]));
            for (_, message) in wrong(&p, value) {
                let own = message.replace(check.1, "");
                assert!(!own.contains(value) && own.contains("\"***\""), "{message}");
            }
        }
    }
    let p = secret(parameter(Duration, &[]));
    let message = "\"***\" value is not a duration: invalid parameter type";
    assert_wrong(&p, "5 hunter2", "config.type", message);
}

#[test]
fn a_secret_under_a_wrong_name_is_not_told_either() {
    let params = params([("password", secret(parameter(Text, &[])))]);
    let error = validate(&params, &settings([("pasword", "hunter2")])).unwrap_err();
    let said = "error validating \"pasword\": unrecognized parameter, did you mean \"password\"?";
    assert_eq!(error.to_string(), said);
}

#[test]
fn a_long_or_many_lined_value_stays_on_one_short_line() {
    let p = parameter(Int, &[]);
    let (_, message) = &wrong(&p, &"ä\n".repeat(1000))[0];
    assert!(message.len() < 300 && !message.contains('\n'), "{message}");
    assert!(message.contains("\"… value is not an integer"), "{message}");
}

// Names with `*`.

fn collections() -> BTreeMap<String, Parameter> {
    params([
        ("path", parameter(File, &[])),
        ("collections.*.count", parameter(Int, &[(Required, "")])),
        (
            "collections.*.format.type",
            with_default(parameter(Text, &[(Inclusion, "raw,file")]), "raw"),
        ),
        (
            "collections.*.format.options.*",
            parameter(Text, &[(Regex, "^(int|time)$")]),
        ),
        ("collections.*.format.options.path", parameter(File, &[])),
    ])
}

#[test]
fn a_star_has_its_default_for_every_key_that_occurs() {
    let given = settings([
        ("collections.users.count", "1"),
        (" collections.orders.count ", " 2"),
        ("collections.orders.format.options.a.b", "time"),
        ("collections.orders.format.options.path", "not a type"),
    ]);
    let expected = settings([
        ("collections.users.count", "1"),
        ("collections.users.format.type", "raw"),
        ("collections.orders.count", "2"),
        ("collections.orders.format.type", "raw"),
        ("collections.orders.format.options.a.b", "time"),
        ("collections.orders.format.options.path", "not a type"),
    ]);
    assert_eq!(validate(&collections(), &given), Ok(expected));
    assert_eq!(validate(&collections(), &settings([])), Ok(settings([])));
}

#[test]
fn all_errors_under_a_star_come_at_once_by_their_full_names() {
    let given = settings([
        ("collections.users.fromat.type", "raw"),
        ("collections.orders.count", "many"),
        ("collections.orders.format.type", "xml"),
        ("collections.orders.format.options.id", "uuid"),
        ("colections.users.count", "1"),
        ("collections.users", "1"),
        ("collections..count", "1"),
    ]);
    let error = validate(&collections(), &given).unwrap_err();
    let expected = r#"error validating "colections.users.count": unrecognized parameter, did you mean "collections.users.count"?
error validating "collections..count": unrecognized parameter, did you mean "collections.*.count"?
error validating "collections.orders.count": "many" value is not an integer: invalid parameter type
error validating "collections.orders.format.options.id": "uuid" should match the regex "^(int|time)$": regex validation failed
error validating "collections.orders.format.type": "xml" value must be included in the list [raw,file]: inclusion validation failed
error validating "collections.users": unrecognized parameter, it is a map: give `collections.users: {count: VALUE}`
error validating "collections.users.fromat.type": unrecognized parameter, did you mean "collections.users.format.type"?"#;
    assert_eq!(error.to_string(), expected);
}

#[test]
fn a_key_that_occurs_must_have_what_is_required() {
    let given = settings([("collections.users.format.type", "")]);
    let error = validate(&collections(), &given).unwrap_err();
    let said = "error validating \"collections.users.count\": required parameter is not provided";
    assert_eq!(error.to_string(), said);
}

#[test]
fn a_secret_under_a_star_stays_one() {
    let params = params([("headers.*", secret(parameter(Int, &[])))]);
    let error = validate(&params, &settings([("headers.auth", "hunter2")])).unwrap_err();
    assert!(!format!("{error:?}{error}").contains("hunter2"), "{error}");
}

// What a plugin declares.

#[test]
fn defaults_must_pass_their_own_checks() {
    let fine = params([
        (
            "a",
            with_default(parameter(Int, &[(Required, ""), (LessThan, "9")]), "5"),
        ),
        (
            "b",
            parameter(Duration, &[(Required, ""), (GreaterThan, "1s")]),
        ),
    ]);
    assert_eq!(check_defaults(&fine), Ok(()));

    let bad = params([
        ("b", with_default(parameter(Text, &[(Inclusion, "x")]), "y")),
        (
            "a",
            with_default(parameter(Int, &[(LessThan, "3")]), "five"),
        ),
        (
            "c",
            secret(with_default(parameter(Int, &[(LessThan, "3")]), "5")),
        ),
    ]);
    let error = check_defaults(&bad).unwrap_err();
    let expected = r#"error validating "a": default "five" value is not an integer: invalid parameter type
error validating "b": default "y" value must be included in the list [x]: inclusion validation failed
error validating "c": default "***" should be less than 3: less-than validation failed"#;
    assert_eq!(error.to_string(), expected);
}

// The host's own.

#[test]
fn the_host_adds_its_parameters_to_each_side() {
    let own = params([("path", parameter(File, &[]))]);
    let names = |side| with_reserved(&own, side).into_keys().collect::<Vec<_>>();
    let source = ["path", BATCH_DELAY, BATCH_SIZE, CALL_TIMEOUT];
    assert_eq!(names(Side::Source), source);
    let more = [RATE_BURST, RATE_PER_SECOND, RECORD_FORMAT];
    let destination = [&source[..], &more].concat();
    assert_eq!(names(Side::Destination), destination);
    for side in [Side::Source, Side::Destination] {
        let all = with_reserved(&own, side);
        for parameter in all.values() {
            for validation in &*parameter.validations {
                assert_eq!(check_validation(parameter, validation), Ok(()));
            }
        }
        assert_eq!(check_defaults(&all), Ok(()));
    }
}

#[test]
fn the_host_s_parameters_have_defaults_and_limits() {
    let all = with_reserved(&BTreeMap::new(), Side::Destination);
    let values = validate(&all, &settings([])).unwrap();
    assert_eq!(values[BATCH_SIZE], "0");
    assert_eq!(values[CALL_TIMEOUT], "30s");
    assert_eq!(values[RECORD_FORMAT], "opencdc/json");

    for (name, good, bad) in [
        (BATCH_SIZE, "65536", "65537"),
        (BATCH_SIZE, "0", "-1"),
        (CALL_TIMEOUT, "1ns", "0s"),
        (RECORD_FORMAT, "raw", "template"),
        (BATCH_DELAY, "5s", "5"),
        (BATCH_DELAY, "0", "-1s"),
        (RATE_PER_SECOND, "0.5", "-1"),
        (RATE_BURST, "0", "-1"),
        (RATE_BURST, "10", "1.5"),
    ] {
        assert!(validate(&all, &settings([(name, good)])).is_ok(), "{name}");
        let error = validate(&all, &settings([(name, bad)])).unwrap_err();
        assert_eq!(error.errors.len(), 1, "{name}");
    }
}

#[test]
fn a_plugin_s_own_reserved_name_counts() {
    let own = params([
        (BATCH_SIZE, with_default(parameter(Int, &[]), "7")),
        ("sdk.record.format.options", parameter(Text, &[])),
    ]);
    let all = with_reserved(&own, Side::Destination);
    assert_eq!(all[BATCH_SIZE].default, "7");
    let given_to = |pattern: &str| {
        let own = params([(pattern, parameter(Text, &[]))]);
        let given = settings([("sdk.schema.extract.type", "avro")]);
        let (kept, _) = set_aside(&given, &with_reserved(&own, Side::Source), Side::Source);
        kept.len()
    };
    assert_eq!((given_to("sdk.schema.*"), given_to("*")), (1, 0));
    let given = settings([("sdk.record.format.options", "5")]);
    let (kept, ignored) = set_aside(&given, &all, Side::Destination);
    assert_eq!((kept, ignored), (given, Vec::new()));
}

#[test]
fn settings_of_conduit_are_set_aside_with_a_word() {
    let all = with_reserved(&BTreeMap::new(), Side::Destination);
    let given = settings([
        (BATCH_SIZE, "10"),
        (" sdk.record.format.options", "5"),
        ("sdk.schema.extract.payload.enabled", " "),
        ("sdk.schema.extract.key.enabled", "true"),
        ("sdk.schema.context.name", "x"),
    ]);
    let (kept, ignored) = set_aside(&given, &all, Side::Destination);
    let said: Vec<_> = ignored.iter().map(ToString::to_string).collect();
    let expected = [
        "setting \"sdk.record.format.options\" has no effect: the record formats have no options",
        "setting \"sdk.schema.context.name\" has no effect: \
         there is no schema registry, records keep the form they have",
        "setting \"sdk.schema.extract.key.enabled\" has no effect: \
         there is no schema registry, records keep the form they have",
    ];
    assert_eq!(said, expected);
    let names: Vec<_> = kept.keys().map(String::as_str).collect();
    assert_eq!(names, [BATCH_SIZE]);

    // All of schemas, whatever side Conduit has it on, and what a later version adds.
    let given = settings([
        ("sdk.schema.context.name", "x"),
        ("sdk.schema.extract.type", "avro"),
        ("sdk.schema.foo", "x"),
    ]);
    for side in [Side::Source, Side::Destination] {
        let all = with_reserved(&BTreeMap::new(), side);
        let (kept, ignored) = set_aside(&given, &all, side);
        assert!(kept.is_empty(), "{kept:?}");
        let names: Vec<_> = ignored.iter().map(|it| &*it.name).collect();
        assert_eq!(names, given.keys().collect::<Vec<_>>(), "{side}");
    }

    // No schema, no option, or another side's.
    let given = settings([
        ("sdk.schema", "x"),
        ("sdk.schemas.x", "x"),
        ("sdk.record.format.options", "x"),
    ]);
    let all = with_reserved(&BTreeMap::new(), Side::Source);
    let (kept, ignored) = set_aside(&given, &all, Side::Source);
    assert_eq!((kept, ignored), (given, Vec::new()));
}
