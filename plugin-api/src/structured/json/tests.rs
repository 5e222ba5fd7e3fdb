use std::time::{Duration, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use proptest::num::f64::{NEGATIVE, NORMAL, POSITIVE, SUBNORMAL};
use proptest::prelude::*;

use super::*;
use crate::structured::encode;

/// The JSON of a map's encoding, which must be that of the map.
fn json_of(map: &Map) -> String {
    let mut bytes = Vec::new();
    encode(map, &mut bytes).unwrap();
    let (mut json, mut of_tree) = (Vec::new(), Vec::new());
    write_json(&bytes, &mut json).unwrap();
    write_map_json(map, &mut of_tree).unwrap();
    assert_eq!(json, of_tree);
    String::from_utf8(json).unwrap()
}

fn value_json(value: impl Into<Value>) -> String {
    let json = json_of(&[("v", value)].into_iter().collect());
    let value = json.strip_prefix(r#"{"v":"#).unwrap().strip_suffix('}');
    value.unwrap().to_owned()
}

/// The JSON string of a text, whichever way it is written.
fn text_json(text: &str) -> String {
    let (mut json, mut of_str, mut name) = (Vec::new(), Vec::new(), Vec::new());
    write_text(text.as_bytes(), &mut json).unwrap();
    write_str(text, &mut of_str);
    assert_eq!(json, of_str);
    write_name(b'{', text.as_bytes(), &mut name).unwrap();
    assert_eq!(name, [b"{", &json[..], b":"].concat());
    String::from_utf8(json).unwrap()
}

#[test]
fn object_has_its_members_in_order_and_no_spaces() {
    let inner: Map = [("", Value::Array(vec![1.into(), Map::new().into()]))]
        .into_iter()
        .collect();
    let map: Map = [("b", Value::Map(inner)), ("a", Value::Null)]
        .into_iter()
        .collect();
    assert_eq!(json_of(&map), r#"{"b":{"":[1,{}]},"a":null}"#);
    assert_eq!(json_of(&Map::new()), "{}");
}

#[test]
fn scalars_have_the_nearest_form() {
    assert_eq!(value_json(()), "null");
    assert_eq!(value_json(true), "true");
    assert_eq!(value_json(i64::MIN), "-9223372036854775808");
    assert_eq!(value_json(u64::MAX), "18446744073709551615");
    assert_eq!(value_json(b"\0\xff"[..].to_vec()), r#""AP8=""#);
    assert_eq!(
        value_json(UNIX_EPOCH + Duration::from_millis(1)),
        r#""1970-01-01T00:00:00.001Z""#
    );
    assert_eq!(value_json(0.1), "0.1");
    assert_eq!(value_json(1.0), "1.0");
    assert_eq!(value_json(-0.0), "-0.0");
    assert_eq!(value_json(f64::NAN), "null");
    assert_eq!(value_json(f64::INFINITY), "null");
    assert_eq!(value_json(f64::NEG_INFINITY), "null");
}

#[test]
fn each_ascii_character_is_escaped_at_each_place_if_it_must_be() {
    for length in 1..20 {
        for at in 0..length {
            for byte in 0..=127_u8 {
                let mut text = vec![b' '; length];
                text[at] = byte;
                let text = String::from_utf8(text).unwrap();
                assert_eq!(text_json(&text), serde_json::to_string(&text).unwrap());
            }
        }
    }
}

#[test]
fn text_that_is_no_utf_8_is_refused_at_each_place() {
    for length in 1..20 {
        for at in 0..length {
            let mut text = vec![b'x'; length];
            text[at] = 0x80;
            assert!(write_text(&text, &mut Vec::new()).is_err(), "{text:x?}");
        }
    }
}

#[test]
fn base64_has_padding_for_each_length() {
    for length in 0..100_u8 {
        let bytes: Vec<u8> = (0..length).map(|n| n.wrapping_mul(37)).collect();
        let mut json = b"x".to_vec();
        write_base64(&bytes, &mut json);
        assert_eq!(json, format!("x\"{}\"", STANDARD.encode(&bytes)).as_bytes());
    }
}

proptest! {
    #[test]
    fn text_is_as_serde_json_writes_it(text in "(.|\\PC|[\\x00-\\x20\"\\\\]){0,40}") {
        prop_assert_eq!(text_json(&text), serde_json::to_string(&text).unwrap());
    }

    #[test]
    fn floats_read_back_the_same(number in NORMAL | SUBNORMAL | POSITIVE | NEGATIVE) {
        let read: f64 = value_json(number).parse().unwrap();
        prop_assert_eq!(read.to_bits(), number.to_bits());
    }

    #[test]
    fn integers_read_back_the_same(number in any::<i64>()) {
        prop_assert_eq!(value_json(number).parse(), Ok(number));
    }
}
