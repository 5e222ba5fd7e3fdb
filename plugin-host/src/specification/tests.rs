use std::collections::BTreeMap;

use plugin_api::{AckMode, Parameter, ParameterType, Validation, ValidationType};
use serde_json::json;

use super::*;

fn sample() -> Specification {
    let path = Parameter {
        default: "".into(),
        kind: ParameterType::File,
        description: "Where the \"file\" is.\nSecond line.".into(),
        validations: vec![
            Validation {
                kind: ValidationType::Required,
                value: "".into(),
            },
            Validation {
                kind: ValidationType::Regex,
                value: r"^/\w+".into(),
            },
        ]
        .into(),
        secret: false,
    };
    let wait = Parameter {
        default: "1s".into(),
        kind: ParameterType::Duration,
        description: "".into(),
        validations: vec![Validation {
            kind: ValidationType::LessThan,
            value: "1h".into(),
        }]
        .into(),
        secret: true,
    };
    Specification {
        name: "file".into(),
        summary: "Reads lines".into(),
        description: "Longer".into(),
        version: "v1.2.3-rc.1+b".into(),
        author: "Ada".into(),
        acks: AckMode::Each,
        source_params: Some(BTreeMap::from([
            ("path".into(), path),
            ("wait".into(), wait),
        ])),
        destination_params: None,
    }
}

fn of_parameter(kind: ParameterType, validation: ValidationType, value: &str) -> Specification {
    let parameter = Parameter {
        default: "".into(),
        kind,
        description: "".into(),
        validations: vec![Validation {
            kind: validation,
            value: value.to_owned().into(),
        }]
        .into(),
        secret: false,
    };
    Specification {
        source_params: Some(BTreeMap::from([("p".into(), parameter)])),
        ..sample()
    }
}

#[test]
fn json_has_the_shape_of_the_marker() {
    let expected = json!({
        "name": "file",
        "summary": "Reads lines",
        "description": "Longer",
        "version": "v1.2.3-rc.1+b",
        "author": "Ada",
        "acks": "each",
        "sourceParams": {
            "path": {
                "default": "",
                "type": "file",
                "description": "Where the \"file\" is.\nSecond line.",
                "validations": [
                    { "type": "required", "value": "" },
                    { "type": "regex", "value": r"^/\w+" },
                ],
                "secret": false,
            },
            "wait": {
                "default": "1s",
                "type": "duration",
                "description": "",
                "validations": [{ "type": "less-than", "value": "1h" }],
                "secret": true,
            },
        },
        "destinationParams": null,
    });
    // As text: the order of the fields counts too.
    assert_eq!(to_json(&sample()).to_string(), expected.to_string());
}

#[test]
fn json_goes_there_and_back() {
    let mut specification = sample();
    assert_eq!(from_json(&to_json(&specification)).unwrap(), specification);
    for kind in ParameterType::ALL {
        for validation in ValidationType::ALL {
            specification = of_parameter(kind, validation, "\u{0} ü");
            assert_eq!(from_json(&to_json(&specification)).unwrap(), specification);
        }
    }
    // No parameters is not the same as no source.
    specification.source_params = Some(BTreeMap::new());
    specification.destination_params = Some(BTreeMap::new());
    assert_eq!(from_json(&to_json(&specification)).unwrap(), specification);
}

#[test]
fn unknown_keys_are_ignored_and_the_rest_has_defaults() {
    let value = json!({
        "name": "n", "version": "v1.0.0", "colour": "red",
        "sourceParams": { "a": { "type": "int", "unit": "kg" } },
    });
    let specification = from_json(&value).unwrap();
    assert_eq!(specification.acks, AckMode::Last);
    let parameter = &specification.source_params.unwrap()["a"];
    assert_eq!((&*parameter.default, parameter.secret), ("", false));
    assert!(parameter.validations.is_empty() && specification.destination_params.is_none());
}

#[test]
fn what_cannot_be_read_is_named() {
    let of = |value| from_json(&value).unwrap_err().to_string();
    let with =
        |parameter| of(json!({ "name": "n", "version": "v1", "sourceParams": { "a": parameter } }));
    assert_eq!(
        of(json!([])),
        "specification field ``: expected a JSON object"
    );
    assert_eq!(
        of(json!({ "version": "v1" })),
        "specification field `name`: missing"
    );
    assert_eq!(
        of(json!({ "name": 3 })),
        "specification field `name`: expected a text"
    );
    assert_eq!(
        of(json!({ "name": "n", "version": "v1", "acks": "some" })),
        "specification field `acks`: unknown word \"some\""
    );
    assert_eq!(
        of(json!({ "name": "n", "version": "v1", "sourceParams": 3 })),
        "specification field `sourceParams`: expected a JSON object"
    );
    assert_eq!(
        with(json!({ "type": "colour" })),
        "specification field `sourceParams.a.type`: unknown word \"colour\""
    );
    assert_eq!(
        with(json!({ "type": "int", "secret": "yes" })),
        "specification field `sourceParams.a.secret`: expected true or false"
    );
    assert_eq!(
        with(json!({ "type": "int", "validations": {} })),
        "specification field `sourceParams.a.validations`: expected a list"
    );
    assert_eq!(
        with(
            json!({ "type": "int", "validations": [{ "type": "required" }, { "type": "prime" }] })
        ),
        "specification field `sourceParams.a.validations[1].type`: unknown word \"prime\""
    );
}

#[test]
fn difference_names_the_field_and_both_values() {
    let left = sample();
    assert_eq!(difference(&left, &left), None);
    let of = |change: fn(&mut Specification)| {
        let mut right = left.clone();
        change(&mut right);
        let d = difference(&left, &right).expect("they differ");
        format!("{}: {} / {}", d.field, d.left, d.right)
    };
    assert_eq!(of(|s| s.name = "fil".into()), r#"name: "file" / "fil""#);
    assert_eq!(of(|s| s.acks = AckMode::Last), r#"acks: "each" / "last""#);
    assert_eq!(
        of(|s| s.destination_params = Some(BTreeMap::new())),
        "destinationParams: absent / {}"
    );
    assert_eq!(
        of(|s| {
            s.source_params.as_mut().unwrap().remove("wait");
        }),
        r#"sourceParams.wait: {"default":"1s","type":"duration","description":"","validati… / absent"#
    );
    let more = of(|s| {
        let parameters = s.source_params.as_mut().unwrap();
        parameters.insert("zone".into(), parameters["path"].clone());
    });
    assert!(more.starts_with("sourceParams.zone: absent / {"), "{more}");
    assert_eq!(
        of(|s| s
            .source_params
            .as_mut()
            .unwrap()
            .get_mut("path")
            .unwrap()
            .secret = true),
        "sourceParams.path.secret: false / true"
    );
    assert_eq!(
        of(|s| {
            let path = s.source_params.as_mut().unwrap().get_mut("path").unwrap();
            path.validations.to_mut().pop();
        }),
        r#"sourceParams.path.validations[1]: {"type":"regex","value":"^/\\w+"} / absent"#
    );
}

#[test]
fn name_and_version_must_be_usable_in_a_full_name() {
    check(&sample()).unwrap();
    for name in ["", "a:b", "a@b", "a b", "a\nb", "a\u{7}"] {
        let specification = Specification {
            name: name.into(),
            ..sample()
        };
        assert_eq!(check(&specification).unwrap_err().field, "name", "{name:?}");
    }
    for version in [
        "", "latest", "v", "1.2.3", "v1.2", "v1.2.3.4", "V1.2.3", "v01.2.3", "vlatest",
    ] {
        let specification = Specification {
            version: version.into(),
            ..sample()
        };
        assert_eq!(
            check(&specification).unwrap_err().field,
            "version",
            "{version:?}"
        );
    }
}

#[test]
fn parameter_names_must_be_usable_as_keys() {
    let named = |name: &str| {
        let mut specification = sample();
        let parameters = specification.source_params.as_mut().unwrap();
        let parameter = parameters["path"].clone();
        parameters.insert(name.into(), parameter);
        check(&specification)
    };
    for name in [
        "", " ", "a ", "a\nb", ".", "a.", ".a", "a..b", "a.b*", "a.**.c",
    ] {
        assert_eq!(named(name).unwrap_err().field, "sourceParams", "{name:?}");
    }
    for name in ["a", "a.b", "*", "*.a", "a.*", "a.*.b.*", "a b"] {
        assert_eq!(named(name), Ok(()), "{name:?}");
    }
}

#[test]
fn bounds_are_numbers_or_durations_by_the_parameters_type() {
    use ParameterType::{Duration, Float, Int, String};
    let ok = |kind, value| check(&of_parameter(kind, ValidationType::GreaterThan, value)).is_ok();
    for value in ["0", "-1", "+2.5", "1e3", "inf"] {
        assert!(
            ok(Int, value) && ok(Float, value) && ok(String, value),
            "{value}"
        );
    }
    for value in ["", "one", "NaN", "1s", "1,5", " 1"] {
        assert!(!ok(Int, value) && !ok(Float, value), "{value}");
    }
    for value in [
        "0", "-1", "-1s", "1h30m", "250ms", ".5s", "1.5h", "3µs", "+0", "1s1s",
    ] {
        assert!(ok(Duration, value), "{value}");
    }
    for value in [
        "", "-", "1", "s", "1 s", "1d", "1.2.3s", ".s", "1s1", "--1s", "1S", "NaN",
    ] {
        assert!(!ok(Duration, value), "{value}");
    }
    let error = check(&of_parameter(Duration, ValidationType::LessThan, "90")).unwrap_err();
    assert!(error.why.contains("has no unit"), "{error}");
    let error = check(&of_parameter(Int, ValidationType::LessThan, "ten")).unwrap_err();
    assert_eq!(error.field, "sourceParams.p.validations[0].value");
    assert_eq!(error.why, "expected a number, found \"ten\"");
}

#[test]
fn regular_expressions_must_compile() {
    let of = |value| {
        check(&of_parameter(
            ParameterType::String,
            ValidationType::Regex,
            value,
        ))
    };
    of("^a|b$").unwrap();
    let error = of("a(b").unwrap_err();
    assert_eq!(
        error.why,
        "\"a(b\" is no regular expression: unclosed group"
    );
    // A pattern that would need gigabytes is refused, not compiled.
    let error = of(r"((\w{1000}){1000}){1000}").unwrap_err();
    assert!(error.why.contains("size limit"), "{error}");
}
