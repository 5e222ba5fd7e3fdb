use super::*;
use crate::ErrorKind;

#[test]
fn position_reads_back_what_it_was_made_of() {
    assert_eq!(Position::from(42_u64).as_bytes(), b"42");
    assert_eq!(Position::from(-7_i64).as_bytes(), b"-7");
    assert_eq!(Position::from(u64::MAX).parse::<u64>().unwrap(), u64::MAX);
    assert_eq!(Position::from("ab").parse::<String>().unwrap(), "ab");
    assert_eq!(Position::new(*b"ab"), Position::from(&b"ab"[..]));
    assert_eq!(Position::new("ab").into_bytes(), b"ab");
}

#[test]
fn position_of_another_form_is_a_fatal_error() {
    let error = Position::from("seven").parse::<u64>().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Fatal);
    assert_eq!(error.code(), "position.invalid");
    assert_eq!(error.message(), "invalid position `seven`, expected a u64");

    let error = Position::new(vec![0xff, b'\n']).parse::<i64>().unwrap_err();
    assert_eq!(
        error.message(),
        "invalid position `\u{fffd}\\n`, expected an i64"
    );

    let error = Position::from("x").parse::<std::net::IpAddr>().unwrap_err();
    assert_eq!(error.message(), "invalid position `x`, expected an IpAddr");

    let error = Position::from("x").parse::<Never<u8>>().unwrap_err();
    assert!(error.message().ends_with("expected a Never<u8>"), "{error}");
    // The path that is cut off is that of the type, not that of its argument.
    let error = Position::from("x").parse::<Never<Change>>().unwrap_err();
    assert!(error.message().contains("expected a Never<"), "{error}");
}

/// A text is never one.
#[derive(Debug)]
struct Never<T>(std::marker::PhantomData<T>);

impl<T> std::str::FromStr for Never<T> {
    type Err = ();

    fn from_str(_: &str) -> Result<Self, ()> {
        Err(())
    }
}

#[test]
fn position_is_cut_in_errors_but_not_when_displayed() {
    let position = Position::from("é".repeat(1000));
    assert_eq!(position.to_string(), "é".repeat(1000));
    let message = position.parse::<u8>().unwrap_err().message().to_owned();
    assert!(
        message.contains("`éé") && message.contains("é…`"),
        "{message}"
    );
    assert!(message.len() < 200, "{message}");
    let odd = Position::new(vec![b'a', 0xff]);
    assert_eq!(odd.to_string(), "a\u{fffd}");
    assert_eq!(format!("{odd:?}"), "Position(\"a\\xff\")");
}

#[test]
fn operations_have_fixed_numbers_and_words() {
    let words = ["create", "update", "delete", "snapshot"];
    for (operation, (number, word)) in Operation::ALL.into_iter().zip((1..).zip(words)) {
        assert_eq!(Operation::from_u8(number), Some(operation));
        assert_eq!(operation as u8, number);
        assert_eq!(operation.to_string(), word);
        assert_eq!(word.parse(), Ok(operation));
    }
    assert_eq!(Operation::from_u8(0), None);
    assert_eq!(Operation::from_u8(5), None);
    let error = "Create".parse::<Operation>().unwrap_err();
    assert_eq!(
        error.to_string(),
        "unknown operation `Create`, expected create, update, delete or snapshot"
    );
}

#[test]
fn metadata_keeps_order_and_one_value_a_key() {
    let mut metadata: Metadata = [("b", "1"), ("a", "2"), ("b", "3")].into_iter().collect();
    assert_eq!(
        metadata.iter().collect::<Vec<_>>(),
        [("b", "3"), ("a", "2")]
    );
    assert_eq!(metadata.get("b"), Some("3"));
    assert_eq!(metadata.get("c"), None);
    assert_eq!(metadata.insert("a", "4"), Some("2".to_owned()));
    assert_eq!(metadata.remove("b"), Some("3".to_owned()));
    assert_eq!(metadata.remove("b"), None);
    assert_eq!(metadata.len(), 1);
    assert!(!metadata.is_empty());
}

#[test]
fn builders_set_what_they_say() {
    let map: Map = [("id", 5)].into_iter().collect();
    let record = Record::update(7_u64)
        .with_key("k")
        .with_before(b"old")
        .with_payload(map.clone())
        .with_metadata(metadata::COLLECTION, "users");
    assert_eq!(record.position, Position::from("7"));
    assert_eq!(record.operation, Operation::Update);
    assert_eq!(record.metadata.get("opencdc.collection"), Some("users"));
    assert_eq!(record.key.unwrap().as_raw(), Some(&b"k"[..]));
    assert_eq!(record.payload.before, Some(Data::Raw(b"old".to_vec())));
    assert_eq!(record.payload.after.unwrap().as_structured(), Some(&map));

    let empty = Record::delete("p");
    assert_eq!((empty.key, empty.payload), (None, Change::default()));
    assert_eq!(Record::create("p").operation, Operation::Create);
    assert_eq!(Record::snapshot("p").operation, Operation::Snapshot);
}
