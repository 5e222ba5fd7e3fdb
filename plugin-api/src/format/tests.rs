use super::*;
use crate::structured::{Map, MapEncoder};

/// A record as a batch has it.
struct Lent<'a> {
    metadata: &'a [(&'a [u8], &'a [u8])],
    key: Option<DataRef<'a>>,
    after: Option<DataRef<'a>>,
}

impl RecordParts for Lent<'_> {
    fn position(&self) -> &[u8] {
        b"\0\xff"
    }

    fn operation(&self) -> Operation {
        Operation::Snapshot
    }

    fn metadata(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.metadata.iter().copied()
    }

    fn key(&self) -> Option<impl DataParts> {
        self.key
    }

    fn before(&self) -> Option<impl DataParts> {
        None::<DataRef<'_>>
    }

    fn after(&self) -> Option<impl DataParts> {
        self.after
    }
}

fn written(format: Format, record: &impl RecordParts) -> Result<String> {
    let mut out = b"before".to_vec();
    let result = write(format, record, &mut out);
    let text = String::from_utf8(out).unwrap().split_off("before".len());
    if result.is_err() {
        assert_eq!(text, "", "a half-written record remains");
    }
    result.map(|()| text)
}

fn user() -> Map {
    [("id", 5)].into_iter().collect()
}

#[test]
fn settings_name_the_formats() {
    for format in Format::ALL {
        assert_eq!(Format::from_setting(format.as_setting()), Some(format));
    }
    assert_eq!(
        Format::from_setting("opencdc/json"),
        Some(Format::default())
    );
    assert_eq!(Format::from_setting("raw"), Some(Format::Raw));
    assert_eq!(Format::from_setting("RAW"), None);
}

#[test]
fn opencdc_json_has_every_field_in_its_order() {
    let record = Record::update("42")
        .with_metadata("opencdc.collection", "us\"ers")
        .with_metadata("a", "é")
        .with_key(user())
        .with_before(b"\xff\xfe\xfd\xfc")
        .with_payload(user());
    assert_eq!(
        written(Format::OpencdcJson, &record).unwrap(),
        concat!(
            r#"{"position":"NDI=","operation":"update","#,
            r#""metadata":{"opencdc.collection":"us\"ers","a":"é"},"key":{"id":5},"#,
            r#""payload":{"before":"//79/A==","after":{"id":5}}}"#,
        )
    );
    assert_eq!(
        written(Format::OpencdcJson, &Record::delete("")).unwrap(),
        concat!(
            r#"{"position":"","operation":"delete","metadata":{},"key":null,"#,
            r#""payload":{"before":null,"after":null}}"#,
        )
    );
}

#[test]
fn lent_record_is_written_like_an_owned_one() {
    let mut bytes = Vec::new();
    let mut map = MapEncoder::new(&mut bytes);
    map.entry("id", 5);
    map.finish().unwrap();
    let lent = Lent {
        metadata: &[(b"k", b"v")],
        key: Some(DataRef::Raw(b"")),
        after: Some(DataRef::Structured(&bytes)),
    };
    let owned = Record::snapshot(&b"\0\xff"[..])
        .with_metadata("k", "v")
        .with_key("")
        .with_payload(user());
    for format in Format::ALL {
        assert_eq!(written(format, &lent), written(format, &owned));
    }
    let json = written(Format::OpencdcJson, &lent).unwrap();
    let read: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(read["position"], "AP8=");
    // Empty is not absent.
    assert_eq!(read["key"], "");
    assert_eq!(read["payload"]["after"]["id"], 5);
}

#[test]
fn raw_is_the_data_after_the_change() {
    let record = Record::create("1").with_key("k");
    assert_eq!(written(Format::Raw, &record).unwrap(), "");
    let record = record.with_before("old").with_payload("a \"line\"");
    assert_eq!(written(Format::Raw, &record).unwrap(), "a \"line\"");
    let record = record.with_payload(user());
    assert_eq!(written(Format::Raw, &record).unwrap(), r#"{"id":5}"#);
}

#[test]
fn invalid_parts_are_fatal_errors_that_name_them() {
    let lent = Lent {
        metadata: &[],
        key: None,
        after: None,
    };
    let cases = [
        (
            Lent {
                metadata: &[(b"a", b"1"), (b"b", b"2"), (b"a", b"3")],
                ..lent
            },
            "metadata.duplicate_key",
            "record's metadata key `a` occurs twice",
        ),
        (
            Lent {
                metadata: &[(b"a\xff", b"1")],
                ..lent
            },
            "metadata.invalid_text",
            "record's metadata key `a\u{fffd}` is no UTF-8",
        ),
        (
            Lent {
                metadata: &[(b"a", b"\xff")],
                ..lent
            },
            "metadata.invalid_text",
            "record's metadata key `a` has a value that is no UTF-8",
        ),
        (
            Lent {
                key: Some(DataRef::Structured(b"\xc0")),
                ..lent
            },
            "structured.not_a_map",
            "record's `key`: structured data is no map: give its value a name",
        ),
        (
            Lent {
                after: Some(DataRef::Structured(b"\x81\xa1v")),
                ..lent
            },
            "structured.truncated",
            "record's `payload.after`: structured data is cut short after byte 3",
        ),
    ];
    for (record, code, message) in cases {
        let error = written(Format::OpencdcJson, &record).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Fatal);
        assert_eq!((error.code(), error.message()), (code, message));
        // The raw form looks at nothing but the data after the change.
        let raw = written(Format::Raw, &record);
        assert_eq!(raw.is_err(), record.after.is_some());
    }
}
