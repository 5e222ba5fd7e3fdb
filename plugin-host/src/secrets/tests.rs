use std::collections::BTreeMap;

use abi_stable::std_types::{RResult, RString};
use plugin_api::ffi::{ErrorKind, ParameterError, PluginError};
use plugin_api::{Parameter, ParameterType};

use super::{InstanceSecrets, REMEMBERED, REMEMBERED_BYTES, Secrets};

fn parameter(kind: ParameterType, default: &'static str, secret: bool) -> Parameter {
    Parameter {
        default: default.into(),
        kind,
        description: "".into(),
        validations: Vec::new().into(),
        secret,
    }
}

fn parameters() -> BTreeMap<String, Parameter> {
    let text = |secret| parameter(ParameterType::String, "", secret);
    [
        ("password", text(true)),
        ("other", text(true)),
        ("user", text(false)),
        ("headers.*", text(true)),
        ("headers.accept", text(false)),
        (
            "shown",
            parameter(ParameterType::String, "open sesame", true),
        ),
        ("flag", parameter(ParameterType::Bool, "", true)),
    ]
    .map(|(name, parameter)| (name.to_owned(), parameter))
    .into()
}

fn instance(secrets: &'static Secrets, given: &[(&str, &str)]) -> InstanceSecrets {
    let instance = InstanceSecrets::new(secrets, parameters());
    let given = given.iter();
    instance.learn(&[&given
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()]);
    instance
}

fn leaked() -> &'static Secrets {
    Box::leak(Box::default())
}

/// What is left of a text when these settings were handed over.
fn redacted(given: &[(&str, &str)], text: &str) -> String {
    let instance = instance(leaked(), given);
    instance.plugin().redact(text, usize::MAX).into_owned()
}

#[test]
fn a_secret_is_replaced_by_the_name_of_its_setting() {
    let given = [("password", "hunter2"), ("user", "anna")];
    assert_eq!(
        redacted(&given, "anna: hunter2, <hunter2>"),
        "anna: [secret password], <[secret password]>"
    );
    assert_eq!(redacted(&given, "hunter"), "hunter");
    assert_eq!(redacted(&[("user", "anna")], "anna"), "anna");
}

#[test]
fn a_star_names_the_setting_that_was_given() {
    let given = [
        ("headers.auth", "hunter2"),
        ("headers.accept", "text/plain"),
    ];
    assert_eq!(
        redacted(&given, "hunter2 text/plain"),
        "[secret headers.auth] text/plain"
    );
}

#[test]
fn what_is_public_or_too_short_stays() {
    let given = [
        ("shown", "open sesame"),
        ("flag", "true"),
        ("password", " ab1 "),
    ];
    let text = "open sesame, true,  ab1 ";
    assert_eq!(redacted(&given, text), text);
    assert_eq!(
        redacted(&[("shown", "ab12"), ("flag", "ab12")], "ab12"),
        "[secret shown]"
    );
}

#[test]
fn a_value_is_known_in_every_form_that_is_promised() {
    let value = " a\"b\\c\té/=@, d'e\u{1} ";
    let trimmed = value.trim();
    let json = serde_json::json!({ "key": trimmed }).to_string();
    for (form, text, rest) in [
        ("raw", value.to_owned(), ""),
        ("trimmed", trimmed.to_owned(), ""),
        ("debug", format!("{trimmed:?}"), "\"\""),
        (
            "debug of a pair",
            format!("{:?}", ("x", trimmed)),
            "(\"x\", \"\")",
        ),
        ("JSON", json, "{\"key\":\"\"}"),
        (
            "all percent-encoded",
            "x=%61%22%62%5C%63%09%C3%A9%2F%3D%40%2C%20%64%27%65%01&".to_owned(),
            "x=&",
        ),
        (
            "encoded as a form is",
            "x=+a%22b%5Cc%09%C3%A9%2F%3D%40%2C+d%27e%01+&y=a+b".to_owned(),
            "x=&y=a+b",
        ),
        (
            "percent-encoded in part, small digits",
            "a%22b%5cc%09%c3%a9/=%40,%20d'e%01%20%zz%".to_owned(),
            "%20%zz%",
        ),
    ] {
        let shown = redacted(&[("password", value)], &text);
        assert_eq!(shown.replace("[secret password]", ""), rest, "{form}");
        assert_ne!(shown, rest, "{form}");
    }
}

#[test]
fn the_entries_of_a_list_are_secrets_too() {
    let given = [("password", r"first\,one, second, ab")];
    assert_eq!(
        redacted(&given, r#"["first,one", "second", "ab"]"#),
        r#"["[secret password]", "[secret password]", "ab"]"#
    );
}

#[test]
fn of_secrets_in_each_other_nothing_is_left() {
    for (given, text, expected) in [
        // The longer one names it, wherever the shorter one is.
        (
            ["secret", "secret-too"],
            "a secret-too b",
            "a [secret password] b",
        ),
        (
            ["secret", "my-secret"],
            "a my-secret b",
            "a [secret password] b",
        ),
        (["secret", "secret-too"], "a secret b", "a [secret other] b"),
        // Overlapping.
        (["abcdef", "defghij"], "-abcdefghij-", "-[secret password]-"),
        (["aaaa", "bbbb"], "aaaaaaabbbb", "[secret other]"),
    ] {
        let given = [("other", given[0]), ("password", given[1])];
        assert_eq!(redacted(&given, text), expected, "{text}");
    }
}

#[test]
fn no_part_is_left_where_a_text_is_cut() {
    let instance = instance(leaked(), &[("password", "hunter2"), ("other", "1234")]);
    let secrets = instance.plugin();
    let encoded = "%68%75%6e%74%65%72%32";
    for secret in ["hunter2", encoded] {
        for before in 0..40 {
            let text = format!("{}{secret}x", ".".repeat(before));
            let shown = secrets.redact(&text, 20);
            let letters = shown.trim_matches('.');
            assert!(shown.len() <= 20, "{shown}");
            assert!("[secret password]x".starts_with(letters), "{shown}");
        }
    }
    // Marks that are longer than what they stand for don't make a text longer than it may be.
    assert_eq!(secrets.redact("1234 1234", 20), "[secret other] [secr");
    assert_eq!(secrets.redact("éé", 3), "é");
}

#[test]
fn all_texts_of_an_error_are_copied_without_secrets() {
    let instance = instance(leaked(), &[("password", "hunter2")]);
    let text = |text: &str| RString::from(text);
    let error = PluginError {
        kind: ErrorKind::INVALID_CONFIG,
        code: text("code.hunter2"),
        message: text("message hunter2"),
        causes: vec![text("cause hunter2"), text("\"hunter2\"")].into(),
        parameters: vec![ParameterError {
            name: text("name.hunter2"),
            code: text("code.hunter2"),
            message: text("said hunter2"),
        }]
        .into(),
        retry_after_ms: 0,
    };
    let error = instance.answer::<()>(RResult::RErr(error)).unwrap_err();
    let parameter = &error.parameters()[0];
    for (text, expected) in [
        (error.code(), "code.[secret password]"),
        (error.message(), "message [secret password]"),
        (&error.causes()[0], "cause [secret password]"),
        (&error.causes()[1], "\"[secret password]\""),
        (&parameter.name, "name.[secret password]"),
        (&parameter.code, "code.[secret password]"),
        (&parameter.message, "said [secret password]"),
    ] {
        assert_eq!(text, expected);
    }
}

#[test]
fn secrets_outlive_their_instance_but_not_for_ever() {
    let secrets = leaked();
    let shown = |text: &str| secrets.redact(text, usize::MAX).into_owned();
    let holds = instance(secrets, &[("password", "held-for-long")]);
    drop(instance(secrets, &[("password", "gone-at-once")]));
    // The same one again is no other one, however often.
    for _ in 0..2 * REMEMBERED {
        drop(instance(secrets, &[("password", "again and again")]));
    }
    assert_eq!(shown("gone-at-once"), "[secret password]");
    for number in 0..2 * REMEMBERED {
        drop(instance(
            secrets,
            &[("password", &format!("no. {number}."))],
        ));
    }
    assert_eq!(shown("gone-at-once"), "gone-at-once");
    assert_eq!(
        shown("no. 511. no. 400."),
        "[secret password] [secret password]"
    );
    assert_eq!(shown("held-for-long"), "[secret password]");
    assert!(secrets.known.lock().unwrap().len() <= REMEMBERED + 2);
    // A few long ones are as much to remember as many short ones.
    let long = |letter: &str| letter.repeat(REMEMBERED_BYTES / 2 - 10);
    for value in [long("a"), long("b"), long("c"), "short".to_owned()] {
        drop(instance(secrets, &[("password", &value)]));
    }
    assert_eq!(shown(&long("a")), long("a"));
    assert_eq!(shown(&long("b")), "[secret password]");
    assert_eq!(shown(&long("c")), "[secret password]");
    assert_eq!(shown("held-for-long"), "[secret password]");
    drop(holds);
    assert_eq!(shown("held-for-long"), "[secret password]");
}

#[test]
fn further_settings_replace_those_before() {
    let secrets = leaked();
    let instance = instance(secrets, &[("password", "before")]);
    instance.learn(&[&[("password".to_owned(), "after".to_owned())].into()]);
    let shown = || secrets.redact("before after", usize::MAX).into_owned();
    assert_eq!(shown(), "[secret password] [secret password]");
    for number in 0..=REMEMBERED {
        drop(self::instance(
            secrets,
            &[("other", &format!("no. {number}."))],
        ));
    }
    assert_eq!(shown(), "before [secret password]");
}
