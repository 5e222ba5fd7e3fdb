use super::*;

/// An encoding with a length or count of 1, 2 or 4 bytes.
fn long(tag: u8, length: &[u8], content: &[u8]) -> Vec<u8> {
    [&[tag], length, content].concat()
}

fn array<const N: usize>(items: [Value; N]) -> Value {
    Value::Array(items.into())
}

fn encoded(value: impl Into<Value>) -> Vec<u8> {
    let map: Map = [("v", value.into())].into_iter().collect();
    let mut bytes = Vec::new();
    encode(&map, &mut bytes).unwrap();
    bytes
}

#[test]
fn every_form_of_every_type_is_read() {
    let forms: Vec<(Vec<u8>, Value, &str)> = vec![
        (vec![0xc0], Value::Null, "null"),
        (vec![0xc2], false.into(), "false"),
        (vec![0xc3], true.into(), "true"),
        // Integers: fixint, uint 8 to 64, int 8 to 64, also longer than need be.
        (vec![0x00], 0.into(), "0"),
        (vec![0x7f], 127.into(), "127"),
        (vec![0xff], (-1).into(), "-1"),
        (vec![0xe0], (-32).into(), "-32"),
        (vec![0xcc, 5], 5.into(), "5"),
        (vec![0xcc, 255], 255.into(), "255"),
        (vec![0xcd, 1, 0], 256.into(), "256"),
        (vec![0xce, 1, 0, 0, 0], (1 << 24).into(), "16777216"),
        (long(0xcf, &[0; 7], &[9]), 9.into(), "9"),
        (
            long(0xcf, &[0xff; 8], &[]),
            u64::MAX.into(),
            "18446744073709551615",
        ),
        (vec![0xd0, 0x80], (-128).into(), "-128"),
        (vec![0xd0, 5], 5.into(), "5"),
        (vec![0xd1, 0x80, 0], i16::MIN.into(), "-32768"),
        (vec![0xd2, 0x80, 0, 0, 0], i32::MIN.into(), "-2147483648"),
        (
            long(0xd3, &[0x80], &[0; 7]),
            i64::MIN.into(),
            "-9223372036854775808",
        ),
        // Floats.
        (vec![0xca, 0x3f, 0xc0, 0, 0], 1.5.into(), "1.5"),
        (long(0xcb, &[0x3f, 0xf8], &[0; 6]), 1.5.into(), "1.5"),
        (long(0xcb, &0.1_f64.to_be_bytes(), &[]), 0.1.into(), "0.1"),
        (
            long(0xca, &f32::INFINITY.to_be_bytes(), &[]),
            f64::INFINITY.into(),
            "null",
        ),
        // Text and bytes, each with every length.
        (vec![0xa0], "".into(), r#""""#),
        (b"\xa2ab".to_vec(), "ab".into(), r#""ab""#),
        (long(0xd9, &[2], b"ab"), "ab".into(), r#""ab""#),
        (long(0xda, &[0, 2], b"ab"), "ab".into(), r#""ab""#),
        (long(0xdb, &[0, 0, 0, 2], b"ab"), "ab".into(), r#""ab""#),
        (
            long(0xc4, &[2], b"\0\xff"),
            b"\0\xff"[..].into(),
            r#""AP8=""#,
        ),
        (long(0xc5, &[0, 1], b"x"), b"x"[..].into(), r#""eA==""#),
        (long(0xc6, &[0, 0, 0, 0], b""), b""[..].into(), r#""""#),
        // Timestamps of 32, 64 and 96 bits; the extension's length in every form.
        (
            vec![0xd6, 0xff, 0, 0, 0, 60],
            instant(60, 0).into(),
            r#""1970-01-01T00:01:00Z""#,
        ),
        (
            long(0xd7, &[0xff], &(500_000_000_u64 << 34 | 61).to_be_bytes()),
            instant(61, 500_000_000).into(),
            r#""1970-01-01T00:01:01.5Z""#,
        ),
        (
            [&[0xc7, 12, 0xff, 0, 0, 0, 1][..], &[0xff; 8]].concat(),
            instant(-1, 1).into(),
            r#""1969-12-31T23:59:59.000000001Z""#,
        ),
        (
            long(0xc8, &[0, 4, 0xff], &[0, 0, 0, 60]),
            instant(60, 0).into(),
            r#""1970-01-01T00:01:00Z""#,
        ),
        (
            long(0xc9, &[0, 0, 0, 4, 0xff], &[0, 0, 0, 60]),
            instant(60, 0).into(),
            r#""1970-01-01T00:01:00Z""#,
        ),
        // Arrays and maps, each with every length; keys too.
        (vec![0x90], Value::Array(vec![]), "[]"),
        (
            vec![0x92, 1, 0xc0],
            vec![1.into(), Value::Null].into(),
            "[1,null]",
        ),
        (vec![0xdc, 0, 1, 7], array([7.into()]), "[7]"),
        (vec![0xdd, 0, 0, 0, 1, 7], array([7.into()]), "[7]"),
        (vec![0x80], Map::new().into(), "{}"),
        (
            long(0xde, &[0, 1], b"\xd9\x01a\x01"),
            Value::Map([("a", 1)].into_iter().collect()),
            r#"{"a":1}"#,
        ),
        (
            long(0xdf, &[0, 0, 0, 2], b"\xda\0\x01b\x01\xdb\0\0\0\x01a\x02"),
            Value::Map([("b", 1), ("a", 2)].into_iter().collect()),
            r#"{"b":1,"a":2}"#,
        ),
    ];
    for (bytes, value, json) in forms {
        let bytes = named(&bytes);
        let map = decode(&bytes).unwrap();
        assert_eq!(map.get("v"), Some(&value), "{bytes:x?}");
        assert_eq!(json_of(&bytes).unwrap(), format!(r#"{{"v":{json}}}"#));
    }
}

#[test]
fn values_are_written_in_their_shortest_form() {
    let forms: Vec<(Value, Vec<u8>)> = vec![
        (().into(), vec![0xc0]),
        (true.into(), vec![0xc3]),
        (127.into(), vec![0x7f]),
        (128.into(), vec![0xcc, 128]),
        (255.into(), vec![0xcc, 255]),
        (256.into(), vec![0xcd, 1, 0]),
        (65_535.into(), vec![0xcd, 255, 255]),
        (65_536.into(), vec![0xce, 0, 1, 0, 0]),
        (u32::MAX.into(), vec![0xce, 255, 255, 255, 255]),
        ((1_i64 << 32).into(), vec![0xcf, 0, 0, 0, 1, 0, 0, 0, 0]),
        (
            u64::MAX.into(),
            vec![0xcf; 1].into_iter().chain([255; 8]).collect(),
        ),
        (Value::UInt(5), vec![5]),
        ((-32).into(), vec![0xe0]),
        ((-33).into(), vec![0xd0, 0xdf]),
        ((-128).into(), vec![0xd0, 0x80]),
        ((-129).into(), vec![0xd1, 0xff, 0x7f]),
        ((-32_769).into(), vec![0xd2, 0xff, 0xff, 0x7f, 0xff]),
        (i64::MIN.into(), long(0xd3, &[0x80], &[0; 7])),
        (1.5.into(), long(0xcb, &[0x3f, 0xf8], &[0; 6])),
        (1.5_f32.into(), long(0xcb, &[0x3f, 0xf8], &[0; 6])),
        ("x".repeat(31).into(), long(0xbf, &[], &[b'x'; 31])),
        ("x".repeat(32).into(), long(0xd9, &[32], &[b'x'; 32])),
        ("x".repeat(255).into(), long(0xd9, &[255], &[b'x'; 255])),
        ("x".repeat(256).into(), long(0xda, &[1, 0], &[b'x'; 256])),
        (
            "x".repeat(65_536).into(),
            long(0xdb, &[0, 1, 0, 0], &[b'x'; 65_536]),
        ),
        (vec![7_u8; 255].into(), long(0xc4, &[255], &[7; 255])),
        (vec![7_u8; 256].into(), long(0xc5, &[1, 0], &[7; 256])),
        (
            vec![7_u8; 65_536].into(),
            long(0xc6, &[0, 1, 0, 0], &[7; 65_536]),
        ),
        (vec![Value::Null; 15].into(), long(0x9f, &[], &[0xc0; 15])),
        (
            vec![Value::Null; 16].into(),
            long(0xdc, &[0, 16], &[0xc0; 16]),
        ),
        (
            vec![Value::Null; 65_536].into(),
            long(0xdd, &[0, 1, 0, 0], &[0xc0; 65_536]),
        ),
        (instant(60, 0).into(), vec![0xd6, 0xff, 0, 0, 0, 60]),
        (
            instant(60, 1).into(),
            long(0xd7, &[0xff], &(1_u64 << 34 | 60).to_be_bytes()),
        ),
        (
            instant(1 << 33, 0).into(),
            long(0xd7, &[0xff], &(1_u64 << 33).to_be_bytes()),
        ),
        (
            instant(1 << 34, 0).into(),
            long(0xc7, &[12, 0xff, 0, 0, 0, 0], &(1_u64 << 34).to_be_bytes()),
        ),
        (
            instant(-1, 0).into(),
            long(0xc7, &[12, 0xff, 0, 0, 0, 0], &[0xff; 8]),
        ),
    ];
    for (value, bytes) in forms {
        assert_eq!(encoded(value), named(&bytes));
    }
    let map: Map = (0..16).map(|n| (format!("{n:x}"), n)).collect();
    assert_eq!(encoded(map)[3..6], [0xde, 0, 16]);
}
