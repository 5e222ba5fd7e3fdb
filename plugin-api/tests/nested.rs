//! Lists, nested structs and maps in `#[derive(Parameters)]`, as an author uses them.

#![forbid(unsafe_code)]
#![deny(missing_docs, unused_qualifications, clippy::pedantic)]

use std::collections::BTreeMap;
use std::time::Duration;

use plugin_api::{Parameters, Settings, ValidationType};

/// Settings with all that can be nested.
#[derive(Debug, PartialEq, Parameters)]
pub struct Config {
    #[parameter(nested)]
    burst: Burst,
    /// What to make.
    #[parameter(default = ["create"])]
    operations: Vec<String>,
    #[parameter(flatten)]
    format: Format,
    #[parameter(nested)]
    collections: BTreeMap<String, Collection>,
    /// Ports to try.
    ports: Option<Vec<u16>>,
}

#[derive(Debug, PartialEq, Parameters)]
struct Burst {
    /// How long to sleep.
    #[parameter(default = "0s")]
    sleep_time: Duration,
}

#[derive(Debug, PartialEq, Parameters)]
struct Format {
    /// Its type.
    #[parameter(name = "format.type")]
    kind: String,
    /// A file.
    #[parameter(name = "format.options.path")]
    path: Option<String>,
    /// Lengths of fields.
    #[parameter(name = "format.options", secret)]
    options: BTreeMap<String, u8>,
}

#[derive(Debug, PartialEq, Parameters)]
struct Collection {
    /// How many.
    count: u32,
    #[parameter(flatten)]
    format: Format,
    #[parameter(nested)]
    deep: BTreeMap<String, Burst>,
}

#[test]
fn names_are_joined_at_compile_time() {
    const NAMES: [&str; 11] = [
        "operations",
        "ports",
        "burst.sleepTime",
        "format.type",
        "format.options.path",
        "format.options.*",
        "collections.*.count",
        "collections.*.format.type",
        "collections.*.format.options.path",
        "collections.*.format.options.*",
        "collections.*.deep.*.sleepTime",
    ];
    let names: Vec<_> = Config::PARAMETERS.iter().map(|(name, _)| *name).collect();
    assert_eq!(names, NAMES);
    let by_name: BTreeMap<_, _> = Config::PARAMETERS.iter().cloned().collect();
    let options = &by_name["collections.*.format.options.*"];
    assert!(options.secret && &*options.description == "Lengths of fields.");
    assert_eq!(by_name["collections.*.deep.*.sleepTime"].default, "0s");
    let count = &by_name["collections.*.count"];
    assert_eq!(count.validations[0].kind, ValidationType::Required);
}

#[test]
fn settings_find_their_struct() {
    let settings = [
        ("burst.sleepTime", "1s"),
        ("format.type", "file"),
        ("format.options.path", "/a"),
        ("format.options.id", "1"),
        ("format.options.a.b", "2"),
        ("format.options.blank", " "),
        ("collections.users.count", "7"),
        ("collections.users.format.type", "raw"),
        ("collections.users.format.options.id", "3"),
        ("collections.users.deep.x.sleepTime", "2s"),
        ("operations", r" create, up\,date"),
        ("ports", "80,443"),
    ];
    let config = Config::from_settings(&Settings::new(settings)).unwrap();
    let burst = |seconds| Burst {
        sleep_time: Duration::from_secs(seconds),
    };
    let map = |pairs: &[(&str, u8)]| {
        let pairs = pairs.iter();
        pairs
            .map(|(key, value)| ((*key).to_owned(), *value))
            .collect()
    };
    let users = Collection {
        count: 7,
        format: Format {
            kind: "raw".into(),
            path: None,
            options: map(&[("id", 3)]),
        },
        deep: [("x".to_owned(), burst(2))].into(),
    };
    let expected = Config {
        burst: burst(1),
        operations: vec!["create".into(), "up,date".into()],
        format: Format {
            kind: "file".into(),
            path: Some("/a".into()),
            options: map(&[("a.b", 2), ("id", 1)]),
        },
        collections: [("users".to_owned(), users)].into(),
        ports: Some(vec![80, 443]),
    };
    assert_eq!(config, expected);
}

#[test]
fn what_is_not_given_is_empty_or_its_default() {
    let settings = Settings::new([("format.type", "raw")]);
    let config = Config::from_settings(&settings).unwrap();
    assert_eq!(config.operations, ["create"]);
    assert_eq!(config.burst.sleep_time, Duration::ZERO);
    assert!(config.collections.is_empty() && config.format.options.is_empty());
    assert_eq!(config.ports, None);
}

#[test]
fn all_errors_come_at_once_by_their_full_names_and_without_secrets() {
    let settings = [
        ("burst.sleepTime", "soon"),
        ("format.options.id", "hunter2"),
        ("collections.users.count", "x"),
        ("collections.orders.format.type", "raw"),
        ("collections.orders.format.options.id", "hunter2"),
        ("ports", "80, x"),
    ];
    let error = Config::from_settings(&Settings::new(settings)).unwrap_err();
    let told: Vec<_> = error
        .parameters()
        .iter()
        .map(|wrong| (&*wrong.name, &*wrong.message))
        .collect();
    let expected = [
        (
            "ports",
            "expected an integer from 0 to 65535 as each entry of a list, found `80, x`",
        ),
        (
            "burst.sleepTime",
            "expected a duration such as `1h30m` or `250ms`, found `soon`",
        ),
        ("format.type", "a value is required"),
        ("format.options.id", "`***` is not a valid int"),
        ("collections.orders.count", "a value is required"),
        (
            "collections.orders.format.options.id",
            "`***` is not a valid int",
        ),
        (
            "collections.users.count",
            "expected an integer from 0 to 4294967295, found `x`",
        ),
        ("collections.users.format.type", "a value is required"),
    ];
    assert_eq!(told, expected);
    assert!(!format!("{error:?}").contains("hunter2"));
}
