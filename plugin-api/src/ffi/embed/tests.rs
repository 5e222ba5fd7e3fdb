use std::collections::BTreeMap;

use forebay_abi::marker::{FORMAT, HEADER_LEN, MAGIC, crc32};
use serde_json::{Value, json};

use super::*;
use crate::{ParameterType, ValidationType};

/// Every character that JSON has escaped, and neighbours that it has not.
const AWKWARD: &str = "\0\x01\x08\t\n\x0b\x0c\r\x1f \"quoted\" back\\slash / \x7f é 日本 🦀";

const PARAMS: &[Named] = &[
    (
        "path",
        Parameter {
            default: Cow::Borrowed(""),
            kind: ParameterType::File,
            description: Cow::Borrowed("File to read."),
            validations: Cow::Borrowed(&[Validation {
                kind: ValidationType::Required,
                value: Cow::Borrowed(""),
            }]),
            secret: false,
        },
    ),
    (
        "awkward\"name",
        Parameter {
            default: Cow::Borrowed(AWKWARD),
            kind: ParameterType::String,
            description: Cow::Borrowed(AWKWARD),
            validations: Cow::Borrowed(&[
                Validation {
                    kind: ValidationType::Inclusion,
                    value: Cow::Borrowed(r"a,b\,c,\\"),
                },
                Validation {
                    kind: ValidationType::Regex,
                    value: Cow::Borrowed(r#"^\w+ "x"$"#),
                },
            ]),
            secret: true,
        },
    ),
];

const FACTS: MarkerFacts = MarkerFacts {
    abi: "1.0.0",
    api: "0.1.0",
    abi_stable: "0.11.3",
    rustc: "rustc 1.95.0 (abc 2026-01-01)",
    target: "x86_64-unknown-linux-gnu",
    panic: "unwind",
    symbol: "forebay_file_0_1_0",
    package: "forebay-connector-file",
    version: "0.1.0",
    specification: SpecificationFacts {
        name: "file",
        summary: "Reads and appends files",
        description: AWKWARD,
        version: "v0.1.0",
        author: "A \"B\" <c@d>",
        acks: AckMode::Each,
        source_params: Some(PARAMS),
        destination_params: None,
    },
};

static MARKER: [u8; len(&FACTS)] = build(&FACTS);

/// Reads a marker as a host does, past the header's checks.
fn json_of(marker: &[u8]) -> Value {
    let u32_at = |at: usize| u32::from_le_bytes(marker[at..at + 4].try_into().unwrap());
    let json = &marker[HEADER_LEN..];
    assert_eq!(marker[..16], MAGIC);
    assert_eq!(u32_at(16), FORMAT);
    assert_eq!(u32_at(20) as usize, json.len());
    assert_eq!(u32_at(24), crc32(json));
    serde_json::from_slice(json).unwrap()
}

#[test]
fn marker_holds_every_fact() {
    let expected = json!({
        "abi": "1.0.0",
        "api": "0.1.0",
        "abi_stable": "0.11.3",
        "rustc": "rustc 1.95.0 (abc 2026-01-01)",
        "target": "x86_64-unknown-linux-gnu",
        "panic": "unwind",
        "symbol": "forebay_file_0_1_0",
        "package": "forebay-connector-file",
        "version": "0.1.0",
        "specification": {
            "name": "file",
            "summary": "Reads and appends files",
            "description": AWKWARD,
            "version": "v0.1.0",
            "author": "A \"B\" <c@d>",
            "acks": "each",
            "sourceParams": {
                "path": {
                    "default": "",
                    "type": "file",
                    "description": "File to read.",
                    "validations": [{"type": "required", "value": ""}],
                    "secret": false,
                },
                "awkward\"name": {
                    "default": AWKWARD,
                    "type": "string",
                    "description": AWKWARD,
                    "validations": [
                        {"type": "inclusion", "value": r"a,b\,c,\\"},
                        {"type": "regex", "value": r#"^\w+ "x"$"#},
                    ],
                    "secret": true,
                },
            },
            "destinationParams": null,
        },
    });
    assert_eq!(json_of(&MARKER), expected);
}

#[test]
fn marker_and_specify_say_the_same() {
    let json = json_of(&MARKER);
    assert_eq!(parse(&json["specification"]), FACTS.specification());
}

#[test]
fn no_parameters_differ_from_no_connector() {
    let facts = MarkerFacts {
        specification: SpecificationFacts {
            source_params: None,
            destination_params: Some(&[]),
            ..FACTS.specification
        },
        ..FACTS
    };
    let json = json_at_run_time(&facts);
    assert_eq!(json["specification"]["sourceParams"], Value::Null);
    assert_eq!(json["specification"]["destinationParams"], json!({}));
    assert_eq!(parse(&json["specification"]), facts.specification());
}

#[test]
fn every_character_survives_at_every_place() {
    // Escapes are searched eight bytes at a time: try each place in and around a turn.
    for special in (0..0x80_u8).map(char::from).chain(['é', '日', '🦀']) {
        for at in 0..20 {
            let text = format!("{}{special}{}", "x".repeat(at), "y".repeat(20 - at));
            let summary: &'static str = text.clone().leak();
            let facts = MarkerFacts {
                specification: SpecificationFacts {
                    summary,
                    ..FACTS.specification
                },
                ..FACTS
            };
            let json = json_at_run_time(&facts);
            assert_eq!(json["specification"]["summary"], text.as_str());
        }
    }
}

#[test]
fn owned_texts_are_taken_too() {
    let (name, parameter) = &PARAMS[1];
    let owned = Parameter {
        default: Cow::Owned(parameter.default.to_string()),
        validations: Cow::Owned(parameter.validations.to_vec()),
        ..parameter.clone()
    };
    let facts = MarkerFacts {
        specification: SpecificationFacts {
            source_params: Some(vec![PARAMS[0].clone(), (name, owned)].leak()),
            ..FACTS.specification
        },
        ..FACTS
    };
    assert_eq!(json_at_run_time(&facts), json_of(&MARKER));
}

#[test]
fn large_specification_is_within_the_compilers_limit() {
    // The lint on long evaluations is an error; that this compiles is the test.
    static LARGE: [u8; len(&LARGE_FACTS)] = build(&LARGE_FACTS);
    assert!(LARGE.len() > 20_000);
    assert_eq!(json_of(&LARGE)["package"], FACTS.package);
}

const LARGE_FACTS: MarkerFacts = MarkerFacts {
    specification: SpecificationFacts {
        source_params: Some(&[const { LARGE_PARAMETER }; 60]),
        ..FACTS.specification
    },
    ..FACTS
};

const LARGE_PARAMETER: Named = (
    "parameter",
    Parameter {
        default: Cow::Borrowed("10s"),
        kind: ParameterType::Duration,
        description: Cow::Borrowed(
            "How long to wait for the other side before the attempt is given up and the next \
             one begins.\nA short time finds a dead server sooner, a long one is kinder to a \
             server that is only busy; see \"timeouts\" in the manual for what the server \
             itself does, and for how this goes together with the number of attempts.",
        ),
        validations: Cow::Borrowed(&[Validation {
            kind: ValidationType::GreaterThan,
            value: Cow::Borrowed("0s"),
        }]),
        secret: false,
    },
);

#[test]
#[should_panic(expected = "a marker's N must be `len` of its facts")]
fn build_refuses_a_length_that_is_not_its_own() {
    const TOO_LONG: usize = len(&FACTS) + 1;
    std::hint::black_box(build::<TOO_LONG>(&FACTS));
}

/// The marker's JSON for facts that no constant holds.
fn json_at_run_time(facts: &MarkerFacts) -> Value {
    const ROOM: usize = 4096;
    let mut output = Output::<ROOM>::new();
    write_marker(&mut output, facts);
    let end = output.len();
    assert_eq!(HEADER_LEN + end, len(facts));
    serde_json::from_slice(&output.into_bytes()[..end]).unwrap()
}

fn parse(json: &Value) -> Specification {
    let text = |key: &str| json[key].as_str().unwrap().to_owned();
    Specification {
        name: text("name"),
        summary: text("summary"),
        description: text("description"),
        version: text("version"),
        author: text("author"),
        acks: match json["acks"].as_str().unwrap() {
            "last" => AckMode::Last,
            "each" => AckMode::Each,
            other => panic!("acks: {other}"),
        },
        source_params: parse_params(&json["sourceParams"]),
        destination_params: parse_params(&json["destinationParams"]),
    }
}

fn parse_params(json: &Value) -> Option<BTreeMap<String, Parameter>> {
    let params = json.as_object()?.iter().map(|(name, json)| {
        let text = |key: &str| Cow::Owned(json[key].as_str().unwrap().to_owned());
        let validations = json["validations"].as_array().unwrap().iter().map(|json| {
            let mut kinds = ValidationType::ALL.into_iter();
            Validation {
                kind: kinds.find(|kind| json["type"] == kind.as_str()).unwrap(),
                value: json["value"].as_str().unwrap().to_owned().into(),
            }
        });
        let mut kinds = ParameterType::ALL.into_iter();
        let parameter = Parameter {
            default: text("default"),
            kind: kinds.find(|kind| json["type"] == kind.as_str()).unwrap(),
            description: text("description"),
            validations: validations.collect(),
            secret: json["secret"].as_bool().unwrap(),
        };
        (name.clone(), parameter)
    });
    Some(params.collect())
}
