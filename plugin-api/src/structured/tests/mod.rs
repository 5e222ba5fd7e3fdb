//! Tests of structured data as a whole: every form, every broken rule, any tree, any bytes.

mod broken;
mod depth;
mod encoder;
mod forms;
mod properties;

use super::*;

/// `{"v": …}` around the encoding of a value.
fn named(value: &[u8]) -> Vec<u8> {
    [b"\x81\xa1v", value].concat()
}

fn instant(seconds: i64, nanoseconds: u32) -> Timestamp {
    Timestamp::new(seconds, nanoseconds).unwrap()
}

fn json_of(bytes: &[u8]) -> Result<String, StructuredError> {
    let mut out = b"before".to_vec();
    let written = write_json(bytes, &mut out);
    let json = String::from_utf8(out).unwrap().split_off("before".len());
    if written.is_err() {
        assert_eq!(json, "", "half-written JSON remains");
    }
    written.map(|()| json)
}

#[test]
fn map_keeps_order_and_one_value_a_key() {
    let mut map: Map = [("b", 1), ("a", 2), ("b", 3)].into_iter().collect();
    assert_eq!(
        map.iter().map(|entry| entry.0).collect::<Vec<_>>(),
        ["b", "a"]
    );
    assert_eq!(map.insert("b", "x"), Some(Value::Int(3)));
    assert_eq!(map.get("b"), Some(&Value::String("x".to_owned())));
    assert_eq!(map.remove("b"), Some("x".into()));
    assert_eq!(
        (map.remove("b"), map.len(), map.is_empty()),
        (None, 1, false)
    );
    assert_eq!(
        map.into_iter().next(),
        Some(("a".to_owned(), Value::Int(2)))
    );
}
