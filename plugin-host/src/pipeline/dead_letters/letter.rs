//! The record that tells a dead-letter queue of another one.

use std::time::SystemTime;

use plugin_api::record::metadata::{
    CREATED_AT, DLQ_NACK_ERROR, DLQ_NACK_NODE_ID, OPENCDC_VERSION, SOURCE_CONNECTOR_ID,
};
use plugin_api::structured::{self, Map, Value};
use plugin_api::{Data, Record};

use crate::pipeline::destination::refusals::Nack;

/// Makes the record, in the form that Conduit gives it: a new one whose position begins with the source's
/// identity and whose payload is the refused record as a map.
pub(super) fn letter(source: &str, nack: &Nack, now: SystemTime) -> Record {
    let mut position = format!("{source}/").into_bytes();
    position.extend_from_slice(nack.record.position.as_bytes());
    // A clock before 1970 is wrong, and nobody is helped by a failure because of it.
    let since = now.duration_since(SystemTime::UNIX_EPOCH);
    let since = since.unwrap_or_default().as_nanos();
    Record::create(position)
        .with_metadata(OPENCDC_VERSION, "v1")
        .with_metadata(CREATED_AT, since.to_string())
        .with_metadata(SOURCE_CONNECTOR_ID, source)
        .with_metadata(DLQ_NACK_ERROR, format!("{:#}", nack.error))
        .with_metadata(DLQ_NACK_NODE_ID, nack.connector)
        .with_payload(Data::Structured(as_map(&nack.record)))
}

fn as_map(record: &Record) -> Map {
    let metadata = record.metadata.iter();
    let metadata = metadata.map(|(key, value)| (key, Value::String(value.to_owned())));
    let position = record.position.as_bytes().to_vec();
    let payload = [
        ("before", value(record.payload.before.as_ref())),
        ("after", value(record.payload.after.as_ref())),
    ];
    [
        ("position", Value::Bytes(position)),
        ("operation", Value::String(record.operation.to_string())),
        ("metadata", Value::Map(metadata.collect())),
        ("key", value(record.key.as_ref())),
        ("payload", Value::Map(payload.into_iter().collect())),
    ]
    .into_iter()
    .collect()
}

fn value(data: Option<&Data>) -> Value {
    match data {
        None => Value::Null,
        Some(Data::Raw(bytes)) => Value::Bytes(bytes.clone()),
        Some(Data::Structured(map)) => {
            // Two maps lie around it in the letter.
            let around = |inner: &Map| {
                let inner = Value::Map(inner.clone());
                Map::from_iter([("", Value::Map(Map::from_iter([("", inner)])))])
            };
            let mut encoded = Vec::new();
            match structured::encode(&around(map), &mut encoded) {
                Ok(()) => Value::Map(map.clone()),
                // Too deep for that: then it is what it was in the batch.
                Err(_) => {
                    encoded.clear();
                    structured::encode(map, &mut encoded).ok();
                    Value::Bytes(encoded)
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use plugin_api::{Error, Position};

    use super::*;

    fn nack(record: Record) -> Nack {
        Nack {
            connector: "p:out",
            error: Error::fatal("no such table").context("row 7"),
            record,
        }
    }

    fn payload(letter: &Record) -> &Map {
        letter
            .payload
            .after
            .as_ref()
            .unwrap()
            .as_structured()
            .unwrap()
    }

    #[test]
    fn it_says_what_was_refused_by_whom_and_why() {
        let refused = Record::update("7")
            .with_metadata("opencdc.collection", "users")
            .with_key("alice")
            .with_before(Data::Structured(Map::from_iter([("age", 7_i64)])));
        let now = SystemTime::UNIX_EPOCH + Duration::from_nanos(5);
        let letter = letter("p:in", &nack(refused), now);
        assert_eq!(letter.position, Position::from("p:in/7"));
        assert_eq!(letter.operation, plugin_api::Operation::Create);
        let metadata: Vec<_> = letter.metadata.iter().collect();
        assert_eq!(
            metadata,
            [
                ("opencdc.version", "v1"),
                ("opencdc.createdAt", "5"),
                ("conduit.source.connector.id", "p:in"),
                ("conduit.dlq.nack.error", "row 7: no such table"),
                ("conduit.dlq.nack.node.id", "p:out"),
            ]
        );
        let map = payload(&letter);
        assert_eq!(map.get("position"), Some(&Value::Bytes(b"7".to_vec())));
        assert_eq!(map.get("operation"), Some(&Value::String("update".into())));
        assert_eq!(map.get("key"), Some(&Value::Bytes(b"alice".to_vec())));
        let Some(Value::Map(change)) = map.get("payload") else {
            panic!("{map:?}");
        };
        assert_eq!(change.get("after"), Some(&Value::Null));
        let before = Map::from_iter([("age", 7_i64)]);
        assert_eq!(change.get("before"), Some(&Value::Map(before)));
    }

    #[test]
    fn what_lies_too_deep_is_told_by_its_bytes() {
        let mut map = Map::from_iter([("leaf", 1_i64)]);
        for _ in 0..structured::MAX_DEPTH - 1 {
            map = Map::from_iter([("in", Value::Map(map))]);
        }
        let mut bytes = Vec::new();
        structured::encode(&map, &mut bytes).unwrap();
        let refused = Record::create("1").with_payload(Data::Structured(map));
        let letter = letter("p:in", &nack(refused), SystemTime::now());
        let Some(Value::Map(change)) = payload(&letter).get("payload") else {
            panic!("{letter:?}");
        };
        assert_eq!(change.get("after"), Some(&Value::Bytes(bytes)));
    }
}
