//! What a source writes is what a destination reads.

use super::{Batch, BatchWriter, RecordView};
use crate::ffi::TestBuffer;
use crate::format::Format;
use crate::record::{Data, DataRef, Operation, Record};
use crate::structured::{Map, Value};

/// Writes a batch with room for four records of 1,000 bytes in all, and reads it back.
fn round_trip<R>(
    write: impl FnOnce(&mut BatchWriter),
    read: impl FnOnce(&[RecordView<'_>]) -> R,
) -> (R, Option<String>) {
    let mut fault = None;
    let result = TestBuffer::new(4, 1000).fill(
        |buffer| {
            let mut batch = BatchWriter::new(buffer);
            write(&mut batch);
            fault = batch.into_fault().map(|error| error.to_string());
        },
        |batch| {
            read(
                &Batch::new(batch, Format::OpencdcJson)
                    .iter()
                    .collect::<Vec<_>>(),
            )
        },
    );
    (result, fault)
}

#[test]
fn fields_come_back_in_any_order_of_writing() {
    let ((), fault) = round_trip(
        |batch| {
            batch
                .update(7_u64)
                .payload("after")
                .before(b"before")
                .key(format_args!("k{}", 1));
            batch.create("p").metadata([("a", "1"), ("b", "")]);
        },
        |records| {
            let [first, second] = records else {
                panic!("two records")
            };
            assert_eq!(first.sequence(), 100);
            assert_eq!(first.operation(), Operation::Update);
            assert_eq!(first.position(), b"7");
            assert_eq!(
                (first.key(), first.before(), first.after()),
                (&b"k1"[..], &b"before"[..], &b"after"[..])
            );
            assert!(first.metadata().is_empty());
            assert_eq!(
                second.metadata().iter().collect::<Vec<_>>(),
                [("a", "1"), ("b", "")]
            );
            assert_eq!(second.metadata().get("a"), Some("1"));
            assert_eq!(second.metadata().get("c"), None);
            assert!(second.after_data().is_none());
        },
    );
    assert_eq!(fault, None);
}

#[test]
fn absent_is_not_empty() {
    round_trip(
        |batch| {
            batch.create("p").payload("");
        },
        |records| {
            assert!(matches!(records[0].after_data(), Some(DataRef::Raw(b""))));
            assert!(records[0].key_data().is_none());
        },
    );
}

#[test]
fn an_owned_record_survives_the_way() {
    let mut map = Map::new();
    map.insert("id", Value::Int(-5));
    let record = Record::delete("p")
        .with_key("k")
        .with_before(Data::Structured(map))
        .with_metadata("m", "v");
    round_trip(
        |batch| batch.push(&record),
        |records| assert_eq!(records[0].to_owned().unwrap(), record),
    );
}

#[test]
fn shares_are_stored_once_and_cut_to_their_length() {
    round_trip(
        |batch| {
            let block = batch.share("one\ntwo\n");
            let metadata = batch.share_metadata([("file", "x")]);
            batch
                .create("1")
                .payload_shared(block.slice(0..3))
                .metadata_shared(metadata);
            batch
                .create("2")
                .payload_shared(block.slice(4..7))
                .metadata_shared(metadata);
            batch.create("3").payload_shared(block.slice(6..99));
            batch.create("4").payload_shared(block.slice(50..60));
        },
        |records| {
            let payloads: Vec<_> = records.iter().map(RecordView::after).collect();
            assert_eq!(payloads, [&b"one"[..], b"two", b"o\n", b""]);
            assert_eq!(records[1].metadata().get("file"), Some("x"));
        },
    );
}

#[test]
fn of_what_is_lent_only_what_was_filled_is_kept() {
    let ((), fault) = round_trip(
        |batch| {
            let block = batch.share_with(20, |to| {
                assert_eq!(to.len(), 20);
                to[..4].copy_from_slice(b"onex");
                Ok::<_, ()>(3)
            });
            let block = block.unwrap();
            batch.create("1").payload_shared(block.slice(0..9));
            assert_eq!(
                batch.share_with(5, |_| Err::<usize, _>("no")).unwrap_err(),
                "no"
            );
            batch.create("2").payload_shared(block.slice(1..2));
        },
        |records| {
            let payloads: Vec<_> = records.iter().map(RecordView::after).collect();
            assert_eq!(payloads, [&b"one"[..], b"n"]);
        },
    );
    assert_eq!(fault, None);
    let ((), fault) = round_trip(
        |batch| {
            let lent = batch.share_with(1001, |_| -> Result<usize, ()> { panic!("no room") });
            lent.unwrap();
        },
        |records| assert!(records.is_empty()),
    );
    assert_eq!(
        fault.as_deref(),
        Some("record 1 of the batch is larger than the host takes")
    );
}

#[test]
fn a_share_of_another_batch_is_refused() {
    let mut stale = None;
    round_trip(|batch| stale = Some(batch.share("old")), |_| ());
    let (count, fault) = round_trip(
        |batch| {
            batch.share("new");
            batch.create("1").payload_shared(stale.unwrap());
        },
        |records| records.len(),
    );
    assert_eq!(count, 0);
    assert_eq!(
        fault.as_deref(),
        Some("record 1 of the batch has bytes that were shared in another one")
    );
}

#[test]
fn a_record_more_than_the_batch_takes_is_refused() {
    let (count, fault) = round_trip(
        |batch| {
            for number in 0..5_u64 {
                batch.create(number);
            }
        },
        |records| records.len(),
    );
    let fault = fault.expect("a fault");
    assert_eq!(count, 4);
    assert!(fault.contains("takes 4 records"), "{fault}");
}

#[test]
fn a_record_that_does_not_fit_is_taken_back_and_those_before_it_stay() {
    let (count, fault) = round_trip(
        |batch| {
            batch.create("1").payload([7; 500]);
            batch.create("2").key("k").payload([7; 600]);
            assert!(!batch.has_room());
            batch.create("3").payload("small");
        },
        |records| {
            assert_eq!(records[0].after(), [7; 500]);
            records.len()
        },
    );
    assert_eq!(count, 1);
    let fault = fault.expect("a fault");
    assert!(fault.contains("record 2 of the batch is larger"), "{fault}");
}

#[test]
fn the_room_ends_with_the_index() {
    let (count, fault) = round_trip(
        |batch| {
            while batch.has_room() {
                batch.create(batch.len());
            }
            assert_eq!(batch.room(), 0);
        },
        |records| records.len(),
    );
    assert_eq!((count, fault), (4, None));
}

#[test]
fn structured_data_is_written_value_by_value() {
    round_trip(
        |batch| {
            batch.create("p").payload_map(|map| {
                map.entry("id", 5).entry("name", "x");
            });
        },
        |records| {
            let mut out = Vec::new();
            records[0].write_formatted(&mut out).unwrap();
            let text = String::from_utf8(out).unwrap();
            assert_eq!(
                text,
                r#"{"position":"cA==","operation":"create","metadata":{},"key":null,"payload":{"before":null,"after":{"id":5,"name":"x"}}}"#
            );
        },
    );
}

#[test]
fn structured_data_too_deep_is_refused_with_its_reason() {
    fn nest<O: crate::structured::Output>(
        map: &mut crate::structured::MapEncoder<'_, O>,
        levels: usize,
    ) {
        if levels > 0 {
            map.entry_map("m", |inner| nest(inner, levels - 1));
        }
    }
    let (count, fault) = round_trip(
        |batch| {
            batch.create("p").payload_map(|map| nest(map, 100));
        },
        |records| records.len(),
    );
    assert_eq!(count, 0);
    assert!(fault.is_some_and(|fault| !fault.contains("larger")));
}

#[test]
fn a_position_is_usable_as_a_key_in_its_batch_only() {
    let mut kept = None;
    let (_, fault) = round_trip(
        |batch| {
            let key = batch.create("p1").position();
            let metadata = batch.share_metadata([("a", "1")]);
            batch.create("p2").key_shared(key).metadata_shared(metadata);
            kept = Some(key);
        },
        |records| assert_eq!(records[1].key(), b"p1"),
    );
    assert_eq!(fault, None);
    let (_, fault) = round_trip(
        |batch| {
            batch.create("other bytes").key_shared(kept.unwrap());
        },
        |records| assert!(records.is_empty()),
    );
    assert!(fault.is_some());
}

#[test]
fn a_record_that_can_not_be_formatted_is_refused_and_the_others_are_written() {
    let (mut out, mut refused) = (Vec::new(), Vec::new());
    TestBuffer::new(3, 1000).fill(
        |buffer| {
            let mut batch = BatchWriter::new(buffer);
            batch.create("1").key("before");
            batch.create("2").metadata([("a", "1"), ("a", "2")]);
            batch.create("3").key("behind");
        },
        |batch| {
            let batch = Batch::new(batch, Format::OpencdcJson);
            let refuse = |record: &RecordView<'_>, error: crate::Error| {
                refused.push((record.sequence(), error.to_string()));
            };
            batch
                .write_lines_or(&mut out, &mut Vec::new(), refuse)
                .unwrap();
        },
    );
    let text = String::from_utf8(out).unwrap();
    let positions: Vec<_> = text.lines().map(|line| &line[..19]).collect();
    assert_eq!(
        positions,
        [r#"{"position":"MQ==","#, r#"{"position":"Mw==","#]
    );
    assert_eq!(refused.len(), 1);
    assert_eq!(refused[0].0, 101);
    assert!(refused[0].1.contains("`a`"), "{refused:?}");
}
