//! Names and the order of versions, against the tables of the system this follows.

use super::*;

fn parse(text: &str) -> Result<PluginName, NameError> {
    text.parse()
}

#[test]
fn names_parse_as_in_conduit() {
    use PluginKind::{Any, Builtin, Standalone};
    let exact = |version: &str| VersionRequest::Exact(version.into());
    let table = [
        ("my-plugin", Any, VersionRequest::Latest),
        ("builtin:my-plugin", Builtin, VersionRequest::Latest),
        ("my-plugin@v0.1.1", Any, exact("v0.1.1")),
        ("standalone:my-plugin@v0.1.1", Standalone, exact("v0.1.1")),
        ("any:my-plugin@non-semantic", Any, exact("non-semantic")),
        ("my-plugin@latest", Any, VersionRequest::Latest),
    ];
    for (text, kind, version) in table {
        let name = parse(text).unwrap();
        assert_eq!(name.kind(), kind, "{text}");
        assert_eq!(name.name(), "my-plugin", "{text}");
        assert_eq!(name.version(), &version, "{text}");
    }
}

/// Conduit takes all of these: the empty text is `any`, "" and `latest` there, `random:…` a type.
#[test]
fn what_conduit_takes_without_a_look_is_refused() {
    let table = [
        ("", "name.empty"),
        ("builtin:", "name.empty"),
        ("@v1", "name.empty"),
        ("any:@v1", "name.empty"),
        ("random:my-plugin@non-semantic", "name.prefix"),
        (":my-plugin", "name.prefix"),
        ("Builtin:my-plugin", "name.prefix"),
        ("a@b:c", "name.prefix"),
        ("my-plugin@", "name.empty_version"),
        ("my-plugin@v1@v2", "name.separator"),
        ("builtin:any:my-plugin", "name.separator"),
        ("builtin:my-plugin@v1:2", "name.separator"),
    ];
    for (text, code) in table {
        let error = parse(text).unwrap_err();
        assert_eq!(error.code(), code, "{text:?}");
        assert!(!error.help().is_empty());
    }
    let error = parse("mistake:my-plugin").unwrap_err();
    assert_eq!(error.to_string(), r#"invalid plugin name prefix "mistake""#);
    let error = parse("my-plugin@v1@v2").unwrap_err();
    let said = r#"plugin name "my-plugin@v1@v2" has a `@` too many"#;
    assert_eq!(error.to_string(), said);
}

#[test]
fn the_printed_form_has_all_three_parts_and_parses_back() {
    let table = [
        ("my-plugin", "any:my-plugin@latest"),
        ("builtin:my-plugin", "builtin:my-plugin@latest"),
        ("my-plugin@v0.1.1", "any:my-plugin@v0.1.1"),
        ("standalone:x@v1+b.2", "standalone:x@v1+b.2"),
    ];
    for (text, printed) in table {
        let name = parse(text).unwrap();
        assert_eq!(name.to_string(), printed);
        assert_eq!(parse(printed).unwrap(), name);
    }
}

#[test]
fn the_short_form_leaves_out_what_need_not_be_written() {
    for (text, short) in [
        ("my-plugin", "my-plugin"),
        ("any:my-plugin@latest", "my-plugin"),
        ("builtin:my-plugin", "builtin:my-plugin"),
        ("my-plugin@v0.1.1", "my-plugin@v0.1.1"),
        ("standalone:x@v1+b.2", "standalone:x@v1+b.2"),
    ] {
        let name = parse(text).unwrap();
        assert_eq!(name.short(), short);
        assert_eq!(parse(short).unwrap(), name);
    }
}

#[test]
fn a_registered_plugin_has_an_explicit_name() {
    let name = PluginName::explicit(PluginKind::Standalone, "file", "v0.1.0").unwrap();
    assert_eq!(name.to_string(), "standalone:file@v0.1.0");

    let refused = |kind, name, version| {
        PluginName::explicit(kind, name, version)
            .unwrap_err()
            .code()
    };
    use PluginKind::{Any, Builtin};
    assert_eq!(refused(Any, "file", "v0.1.0"), "name.prefix");
    assert_eq!(refused(Builtin, "file", "latest"), "name.version_latest");
    assert_eq!(refused(Builtin, "", "v0.1.0"), "name.empty");
    assert_eq!(refused(Builtin, "file", ""), "name.empty_version");
    assert_eq!(refused(Builtin, "a:b", "v1"), "name.separator");
    assert_eq!(refused(Builtin, "a@b", "v1"), "name.separator");
}

#[test]
fn an_exact_request_names_one_version_however_it_is_written() {
    let exact = |version: &str| VersionRequest::Exact(version.into());
    for written in ["v1.2.0", "1.2.0", "v1.2"] {
        assert!(exact(written).names("v1.2.0"), "{written}");
    }
    for other in ["v1.2.1", "v1.2.0-rc1", "v1.2.0+build", "v1"] {
        assert!(!exact(other).names("v1.2.0"), "{other}");
    }
    assert!(exact("nightly").names("nightly"));
    assert!(!exact("nightly").names("Nightly"));
    assert!(!VersionRequest::Latest.names("v1.2.0"));
}

#[test]
fn versions_are_read_with_v_and_with_missing_parts() {
    let version = |text| parse_version(text).map(|v| v.to_string());
    let table = [
        ("v1", Some("1.0.0")),
        ("v0.1", Some("0.1.0")),
        ("1.2.3", Some("1.2.3")),
        ("v1-beta", Some("1.0.0-beta")),
        ("v0.1-rc.1+linux", Some("0.1.0-rc.1+linux")),
        ("v1+a.b", Some("1.0.0+a.b")),
        ("vv1", None),
        ("v", None),
        ("", None),
        ("v1.", None),
        ("v1.2.3.4", None),
        ("v01.0.0", None),
        ("latest", None),
    ];
    for (text, expected) in table {
        assert_eq!(version(text).as_deref(), expected, "{text:?}");
    }
}

/// The whole table of Conduit's "left greater than right".
#[test]
fn versions_order_as_in_conduit() {
    let table = [
        ("v0.0.1", "v0.0.1", false),
        ("v0.1", "v0.0.1", true),
        ("v0.0.1", "v0.1.0", false),
        ("v1", "v0.1.0", true),
        ("v1", "v0.1", true),
        ("foo", "v0.0.1", false),
        ("v0.0.1", "foo", true),
        ("foo", "bar", false),
        ("bar", "foo", true),
        ("v0.0.1", "v0.0.1-dirty", true),
        ("zoo", "", true),
        ("v1", "", true),
        ("", "zoo", false),
        ("", "v1", false),
        ("", "", false),
    ];
    for (left, right, greater) in table {
        let order = compare_versions(left, right);
        assert_eq!(order == Ordering::Greater, greater, "{left:?} {right:?}");
        let reverse = compare_versions(right, left);
        assert_eq!(order, reverse.reverse(), "{left:?} {right:?}");
    }
    // Nothing reads back as `latest`, so the two are one.
    for other in ["v1", "zoo"] {
        assert_eq!(compare_versions("latest", other), Ordering::Less);
    }
    assert_eq!(compare_versions("", "latest"), Ordering::Equal);
    assert_eq!(compare_versions("v1", "v1.0.0+build"), Ordering::Equal);
}

/// A registry takes the greatest, so it must not matter in which order it meets them.
#[test]
fn the_order_of_versions_is_transitive() {
    let all = [
        "v2",
        "v1.0.0",
        "v1.0.0-rc1",
        "v0.1",
        "a",
        "b",
        "zoo",
        "latest",
    ];
    for (older, right) in all.iter().enumerate() {
        for left in &all[..older] {
            let order = compare_versions(left, right);
            assert_eq!(order, Ordering::Greater, "{left} {right}");
        }
    }
}
