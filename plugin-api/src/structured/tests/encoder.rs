use std::time::{Duration, UNIX_EPOCH};

use super::*;

#[test]
fn streamed_map_reads_back() {
    let mut bytes = b"before".to_vec();
    let mut map = MapEncoder::new(&mut bytes);
    map.entry("int", 5)
        .entry("long", -5_000_000_000_i64)
        .entry("unsigned", u64::MAX)
        .entry("size", 7_usize)
        .entry("float", 0.5)
        .entry("yes", true)
        .entry("nothing", ())
        .entry("text", "x")
        .entry("owned", &"y".to_owned())
        .entry("bytes", b"\xff")
        .entry("time", UNIX_EPOCH + Duration::from_secs(1))
        .entry("some", Some("z"))
        .entry("none", None::<i64>)
        .entry("tree", &Value::from(vec![Value::from(1)]));
    map.entry_map("map", |inner| {
        inner.entry("a", 1).entry_array("list", |_| {});
    });
    map.entry_array("array", |items| {
        items.item(1).item("two");
        items.item_map(|inner| {
            inner.entry("b", 2);
        });
        items.item_array(|inner| {
            inner.item(3);
        });
    });
    map.finish().unwrap();

    let nested: Map = [("b", 2)].into_iter().collect();
    let expected: Map = [
        ("int", Value::Int(5)),
        ("long", Value::Int(-5_000_000_000)),
        ("unsigned", Value::UInt(u64::MAX)),
        ("size", Value::Int(7)),
        ("float", Value::Float(0.5)),
        ("yes", Value::Bool(true)),
        ("nothing", Value::Null),
        ("text", Value::String("x".to_owned())),
        ("owned", Value::String("y".to_owned())),
        ("bytes", Value::Bytes(vec![0xff])),
        ("time", Value::Timestamp(instant(1, 0))),
        ("some", Value::String("z".to_owned())),
        ("none", Value::Null),
        ("tree", Value::Array(vec![Value::Int(1)])),
        (
            "map",
            Value::Map(
                [("a", Value::Int(1)), ("list", Value::Array(vec![]))]
                    .into_iter()
                    .collect(),
            ),
        ),
        (
            "array",
            Value::Array(vec![
                1.into(),
                "two".into(),
                nested.into(),
                Value::Array(vec![3.into()]),
            ]),
        ),
    ]
    .into_iter()
    .collect();
    assert_eq!(bytes[..6], *b"before");
    assert_eq!(decode(&bytes[6..]), Ok(expected));
}
