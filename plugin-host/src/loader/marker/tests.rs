use serde_json::json;

use super::*;

fn read(section: &[u8]) -> Result<Marker, LoadError> {
    Marker::read(&[section], "libany")
}

#[test]
fn reads_every_field() {
    let mut json = sample::json_of("connector-x");
    json["unknown"] = json!({ "to": ["this", "host"] });
    let marker = read(&sample::encode(json.to_string().as_bytes())).unwrap();
    assert_eq!(marker.abi.to_string(), plugin_api::ffi::ABI_VERSION);
    assert_eq!(
        marker.abi_stable.to_string(),
        plugin_api::ffi::ABI_STABLE_VERSION
    );
    assert_eq!(
        [
            &*marker.api,
            &*marker.rustc,
            &*marker.panic,
            &*marker.version
        ],
        ["0.1.0", "rustc 1.95.0", "unwind", "0.1.0"]
    );
    assert_eq!(marker.symbol, "forebay_connector_x_0_1_0");
    assert_eq!(
        (&*marker.package, &*marker.specification.name),
        ("connector-x", "connector-x")
    );
    assert!(
        marker
            .specification
            .source_params
            .unwrap()
            .contains_key("path")
    );
}

#[test]
fn a_section_without_a_marker_has_none() {
    assert_eq!(Marker::read(&[], "x").unwrap_err(), LoadError::NoMarker);
    assert_eq!(
        Marker::read(&[&[], &[0; 40]], "x").unwrap_err(),
        LoadError::NoMarker
    );
}

#[test]
fn a_format_that_is_not_ours_is_told_before_anything_else_is_read() {
    let mut bytes = sample::of_package("x");
    bytes[16..20].copy_from_slice(&(FORMAT + 1).to_le_bytes());
    let newer = LoadError::NewerFormat {
        found: FORMAT + 1,
        expected: FORMAT,
    };
    assert_eq!(read(&bytes).unwrap_err(), newer);
    assert_eq!(read(&bytes[..20]).unwrap_err(), newer);
    bytes[16..20].copy_from_slice(&(FORMAT - 1).to_le_bytes());
    assert_eq!(
        read(&bytes).unwrap_err(),
        LoadError::PrereleaseAbi {
            found: FORMAT - 1,
            expected: FORMAT
        }
    );
}

#[test]
fn every_cut_and_every_flipped_bit_is_seen() {
    let whole = sample::of_package("x");
    for length in 1..whole.len() {
        let error = read(&whole[..length]).unwrap_err();
        assert_eq!(error.code(), "load.marker_damaged", "{length}: {error}");
    }
    for bit in 0..whole.len() * 8 {
        let mut bytes = whole.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        let code = read(&bytes).unwrap_err().code();
        let in_format = (16 * 8..20 * 8).contains(&bit);
        let newer_or_older = ["load.newer_format", "load.prerelease_abi"].contains(&code);
        assert!(
            if in_format {
                newer_or_older
            } else {
                code == "load.marker_damaged"
            },
            "{bit} {code}"
        );
    }
}

#[test]
fn damage_is_described() {
    let text = |bytes: &[u8]| read(bytes).unwrap_err().to_string();
    assert_eq!(
        text(b"\0\0x"),
        "the plugin marker is damaged: no marker starts at byte 2 of its section"
    );
    let mut long = sample::of_package("x");
    long[20..24].copy_from_slice(&u32::MAX.to_le_bytes());
    assert!(
        text(&long).contains("4294967295 bytes announced"),
        "{}",
        text(&long)
    );
    assert!(
        text(&sample::encode(b"{")).contains("is no JSON (EOF"),
        "{}",
        text(&sample::encode(b"{"))
    );
    assert!(text(&sample::encode(b"[]")).ends_with("its content is no JSON object"));
    // Deeper than any stack: serde_json stops by itself.
    let deep = sample::encode("[".repeat(100_000).as_bytes());
    assert!(text(&deep).contains("recursion limit"), "{}", text(&deep));
}

#[test]
fn fields_that_are_missing_or_unknown_are_named() {
    let of = |field, value| {
        read(&sample::with_field("x", field, value))
            .unwrap_err()
            .to_string()
    };
    assert_eq!(
        of("abi", json!("one")),
        "field `abi` of the plugin marker: \"one\" is no version (unexpected character 'o' while parsing major version number)"
    );
    assert_eq!(
        of("symbol", json!(null)),
        "field `symbol` of the plugin marker: expected a text"
    );
    assert_eq!(
        of("symbol", json!("")),
        "field `symbol` of the plugin marker: empty"
    );
    assert_eq!(
        of("package", json!("a\u{1b}[2J")),
        "field `package` of the plugin marker: holds control characters"
    );
    assert_eq!(
        of("specification", json!({})),
        "field `specification.name` of the plugin marker: missing"
    );
    let parameters = json!({ "a\nb": { "type": "colour" } });
    let specification = json!({ "name": "n", "version": "v1.0.0", "sourceParams": parameters });
    assert_eq!(
        of("specification", specification),
        "field `specification.sourceParams.a\\nb.type` of the plugin marker: unknown word \"colour\""
    );
    let mut json = sample::json_of("x");
    json.as_object_mut().unwrap().remove("target");
    let error = read(&sample::encode(json.to_string().as_bytes())).unwrap_err();
    assert_eq!(
        error.to_string(),
        "field `target` of the plugin marker: missing"
    );
}

#[test]
fn of_several_plugins_the_one_that_names_the_file_counts() {
    let (a, b) = (sample::of_package("conn-a"), sample::of_package("conn-b"));
    let padded = [&[0; 3], &*a, &[0; 5], &*b, &[0; 9]].concat();
    let package = |sections: &[&[u8]], stem| Marker::read(sections, stem).map(|m| m.package);
    for sections in [&[&*padded][..], &[&*a, &*b], &[&[], &*b, &*a]] {
        assert_eq!(package(sections, "libconn_a").unwrap(), "conn-a");
        assert_eq!(package(sections, "conn_b").unwrap(), "conn-b");
        let error = package(sections, "libboth").unwrap_err();
        assert_eq!(error.code(), "load.two_plugins");
        assert!(error.to_string().contains("`conn-a`") && error.to_string().contains("`conn-b`"));
    }
    // One alone may be in a file of any name; twice the same package is no choice.
    assert_eq!(package(&[&a], "other").unwrap(), "conn-a");
    assert_eq!(
        package(&[&a, &a], "conn_a").unwrap_err().code(),
        "load.two_plugins"
    );
}
