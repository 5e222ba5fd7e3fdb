use super::*;

#[test]
fn broken_rules_are_told_with_their_place() {
    let cases: &[(&[u8], &str, &str)] = &[
        (b"", "truncated", "is cut short after byte 0"),
        (b"\x81", "truncated", "is cut short after byte 1"),
        (b"\x81\xa1v", "truncated", "is cut short after byte 3"),
        (
            b"\x81\xa1v\xcd\x01",
            "truncated",
            "is cut short after byte 4",
        ),
        (
            b"\x81\xa1v\xa5four",
            "truncated",
            "is cut short after byte 4",
        ),
        (
            b"\x81\xa1v\xdb\xff\xff\xff\xff",
            "truncated",
            "is cut short after byte 8",
        ),
        (
            b"\x81\xa1v\xdd\xff\xff\xff\xff\xc0",
            "truncated",
            "is cut short after byte 8",
        ),
        (
            b"\xdf\xff\xff\xff\xff\xa1v\xc0",
            "truncated",
            "is cut short after byte 5",
        ),
        (
            b"\x81\xa1v\xc7\x0c\xff\x00",
            "truncated",
            "is cut short after byte 6",
        ),
        (b"\xc0", "not_a_map", "is no map: give its value a name"),
        (
            b"\x80\x80",
            "trailing_bytes",
            "goes on after its end at byte 1",
        ),
        (
            b"\x81\x01\x01",
            "key_not_text",
            "has a key that is no text at byte 1",
        ),
        (
            b"\x81\xc4\x01a\x01",
            "key_not_text",
            "has a key that is no text at byte 1",
        ),
        (
            b"\x82\xa1v\x01\xa1v\x02",
            "duplicate_key",
            "has the key `v` twice in one map, again at byte 4",
        ),
        (
            b"\x82\xa1\n\x01\xd9\x01\n\x02",
            "duplicate_key",
            "has the key `\\n` twice in one map, again at byte 4",
        ),
        (
            b"\x81\xa1v\xa2a\xff",
            "invalid_text",
            "has text that is no UTF-8 at byte 3: write it as bytes",
        ),
        (
            b"\x81\xa1\xff\x01",
            "invalid_text",
            "has text that is no UTF-8 at byte 1: write it as bytes",
        ),
        (
            b"\x81\xa1v\xc1",
            "invalid_byte",
            "has the invalid byte 0xc1 at byte 3",
        ),
        (
            b"\x81\xa1v\xd4\x05\x00",
            "unknown_extension",
            "has the extension 5 at byte 4, expected -1, the timestamp",
        ),
        (
            b"\x81\xa1v\xd6\xfe\x00\x00\x00\x00",
            "unknown_extension",
            "has the extension -2 at byte 4, expected -1, the timestamp",
        ),
        (
            b"\x81\xa1v\xd5\xff\x00\x00",
            "invalid_timestamp",
            "has an invalid timestamp at byte 4",
        ),
        (
            b"\x81\xa1v\xd7\xff\xff\xff\xff\xff\x00\x00\x00\x00",
            "invalid_timestamp",
            "has an invalid timestamp at byte 4",
        ),
        (
            b"\x81\xa1v\xc7\x0c\xff\x3b\x9a\xca\x00\x00\x00\x00\x00\x00\x00\x00\x00",
            "invalid_timestamp",
            "has an invalid timestamp at byte 5",
        ),
    ];
    for &(bytes, code, message) in cases {
        for error in [decode(bytes).unwrap_err(), json_of(bytes).unwrap_err()] {
            assert_eq!(error.code(), format!("structured.{code}"), "{bytes:x?}");
            assert_eq!(error.to_string(), format!("structured data {message}"));
        }
    }
}

#[test]
fn a_repeated_key_is_found_in_maps_of_any_size() {
    for count in [2, 15, 16, 17, 18, 64, 255, 256, 257, 258, 300] {
        for repeated in [0, (count - 2) / 2, count - 2] {
            let mut bytes = Vec::new();
            let mut map = MapEncoder::new(&mut bytes);
            for n in 0..count - 1 {
                map.entry(&format!("key {n}"), n);
            }
            map.entry("another", 0);
            map.finish().unwrap();
            assert_eq!(decode(&bytes).unwrap().len(), count);
            assert!(json_of(&bytes).is_ok());

            bytes.clear();
            let mut map = MapEncoder::new(&mut bytes);
            for n in 0..count - 1 {
                map.entry(&format!("key {n}"), n);
            }
            map.entry(&format!("key {repeated}"), 0);
            map.finish().unwrap();
            for error in [decode(&bytes).unwrap_err(), json_of(&bytes).unwrap_err()] {
                assert_eq!(error.code(), "structured.duplicate_key");
                assert!(error.to_string().contains(&format!("`key {repeated}`")));
            }
        }
    }
    // The same key in another map is another key.
    let mut bytes = Vec::new();
    let mut map = MapEncoder::new(&mut bytes);
    map.entry_map("a", |inner| {
        inner.entry("a", 1);
    });
    map.finish().unwrap();
    assert_eq!(json_of(&bytes).unwrap(), r#"{"a":{"a":1}}"#);
}
