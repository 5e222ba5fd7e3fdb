use proptest::prelude::*;

use super::*;

fn timestamps() -> impl Strategy<Value = Timestamp> {
    let seconds = prop_oneof![
        any::<i64>(),
        -10_000_000_000..20_000_000_000_i64,
        0..1_i64 << 35
    ];
    (seconds, prop_oneof![Just(0), 0..1_000_000_000_u32])
        .prop_map(|(seconds, nanoseconds)| instant(seconds, nanoseconds))
}

/// All but NaN, which isn't equal to itself.
fn floats() -> impl Strategy<Value = f64> {
    use prop::num::f64::{INFINITE, NEGATIVE, NORMAL, POSITIVE, SUBNORMAL, ZERO};
    NORMAL | SUBNORMAL | ZERO | INFINITE | POSITIVE | NEGATIVE
}

fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<i16>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        floats().prop_map(Value::from),
        ".{0,40}".prop_map(Value::from),
        prop::collection::vec(any::<u8>(), 0..40).prop_map(Value::from),
        timestamps().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 64, 20, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..20).prop_map(Value::from),
            maps_of(inner).prop_map(Value::from),
        ]
    })
}

fn maps_of(value: impl Strategy<Value = Value>) -> impl Strategy<Value = Map> {
    prop::collection::vec((".{0,12}", value), 0..20)
        .prop_map(|entries| entries.into_iter().collect())
}

fn maps() -> impl Strategy<Value = Map> {
    maps_of(values())
}

proptest! {
    #[test]
    fn what_was_encoded_is_decoded(map in maps()) {
        let mut bytes = Vec::new();
        encode(&map, &mut bytes).unwrap();
        prop_assert_eq!(decode(&bytes), Ok(map));
    }

    #[test]
    fn whole_data_only_is_read(
        map in maps(),
        cut in any::<prop::sample::Index>(),
        follower in any::<u8>(),
    ) {
        let mut bytes = Vec::new();
        encode(&map, &mut bytes).unwrap();
        let part = &bytes[..cut.index(bytes.len())];
        prop_assert_eq!(decode(part).unwrap_err().code(), "structured.truncated");
        prop_assert_eq!(json_of(part).unwrap_err().code(), "structured.truncated");
        bytes.push(follower);
        prop_assert_eq!(decode(&bytes).unwrap_err().code(), "structured.trailing_bytes");
        prop_assert_eq!(json_of(&bytes).unwrap_err().code(), "structured.trailing_bytes");
    }

    #[test]
    fn hostile_bytes_are_an_error_or_data(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        check_hostile(&bytes)?;
        check_hostile(&[&[0x8f], &bytes[..]].concat())?;
    }

    #[test]
    fn damaged_data_is_an_error_or_data(
        map in maps(),
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let mut bytes = Vec::new();
        encode(&map, &mut bytes).unwrap();
        for (at, byte) in damage {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        check_hostile(&bytes)?;
    }
}

/// Both ways to read agree, and what they accept is valid.
fn check_hostile(bytes: &[u8]) -> Result<(), TestCaseError> {
    match (decode(bytes), json_of(bytes)) {
        (Ok(map), Ok(json)) => {
            let mut same = Vec::new();
            write_map_json(&map, &mut same).unwrap();
            prop_assert_eq!(json.as_bytes(), same);
            prop_assert!(
                serde_json::from_str::<serde_json::Value>(&json).is_ok(),
                "{}",
                json
            );
        }
        (Err(tree), Err(json)) => prop_assert_eq!(tree, json),
        (tree, json) => prop_assert!(false, "{:?} but {:?}", tree, json),
    }
    Ok(())
}
