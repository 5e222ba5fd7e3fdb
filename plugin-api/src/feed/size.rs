//! The memory that an owned record takes, about: what a feed's bound in bytes counts (I5).

use crate::record::{Data, Record};
use crate::structured::{Map, Value};

/// What lies in the queue, and what that points to. Spare capacity and the allocator's own are left out.
pub(super) fn of(record: &Record) -> usize {
    let metadata = record.metadata.iter().map(|(key, value)| {
        // Two `String`s, and their text.
        2 * size_of::<String>() + key.len() + value.len()
    });
    let payload = &record.payload;
    let data = [&record.key, &payload.before, &payload.after];
    size_of::<Record>()
        + record.position.as_bytes().len()
        + metadata.sum::<usize>()
        + data.into_iter().flatten().map(of_data).sum::<usize>()
}

fn of_data(data: &Data) -> usize {
    match data {
        Data::Raw(bytes) => bytes.len(),
        Data::Structured(map) => of_map(map),
    }
}

fn of_map(map: &Map) -> usize {
    map.iter()
        .map(|(key, value)| size_of::<String>() + key.len() + of_value(value))
        .sum()
}

fn of_value(value: &Value) -> usize {
    size_of::<Value>()
        + match value {
            Value::String(text) => text.len(),
            Value::Bytes(bytes) => bytes.len(),
            Value::Array(values) => values.iter().map(of_value).sum(),
            Value::Map(map) => of_map(map),
            _ => 0,
        }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_of_a_record_counts() {
        let text = "x".repeat(1_000);
        let mut inner = Map::new();
        inner.insert("text", text.clone());
        inner.insert("list", vec![Value::from(text.clone())]);
        inner.insert("bytes", text.clone().into_bytes());
        let empty = of(&Record::create(""));
        for (record, least) in [
            (Record::create(text.clone()), 1_000),
            (Record::create("").with_key(text.clone()), 1_000),
            (Record::create("").with_before(text.clone()), 1_000),
            (Record::create("").with_payload(text.clone()), 1_000),
            (Record::create("").with_metadata(text.clone(), text), 2_000),
            (Record::create("").with_payload(inner), 3_000),
        ] {
            let counted = of(&record) - empty;
            assert!(
                (least..least + 500).contains(&counted),
                "{counted}, expected {least}"
            );
        }
    }
}
