use super::*;

/// Maps within maps, `levels` deep.
fn nested(levels: usize) -> Map {
    (1..levels).fold(Map::new(), |inner, _| [("v", inner)].into_iter().collect())
}

#[test]
fn depth_is_bounded_for_writing_and_reading() {
    let mut bytes = b"before".to_vec();
    encode(&nested(MAX_DEPTH), &mut bytes).unwrap();
    assert_eq!(decode(&bytes[6..]), Ok(nested(MAX_DEPTH)));
    let mut json = Vec::new();
    write_map_json(&nested(MAX_DEPTH), &mut json).unwrap();
    assert_eq!(json_of(&bytes[6..]).unwrap().as_bytes(), json);

    let too_deep = named(&bytes[6..]);
    assert_eq!(decode(&too_deep).unwrap_err().code(), "structured.too_deep");
    assert_eq!(
        json_of(&too_deep).unwrap_err().code(),
        "structured.too_deep"
    );

    let (written, json_length) = (bytes.len(), json.len());
    let map = nested(MAX_DEPTH + 1);
    assert_eq!(
        encode(&map, &mut bytes).unwrap_err().code(),
        "structured.too_deep"
    );
    assert_eq!(bytes.len(), written);
    assert_eq!(
        write_map_json(&map, &mut json).unwrap_err().code(),
        "structured.too_deep"
    );
    assert_eq!(json.len(), json_length);

    let arrays = (0..MAX_DEPTH).fold(Value::Null, |inner, _| vec![inner].into());
    let arrays: Map = [("v", arrays)].into_iter().collect();
    assert_eq!(
        encode(&arrays, &mut bytes).unwrap_err().code(),
        "structured.too_deep"
    );
    let bytes = [b"\x81\xa1v".to_vec(), vec![0x91; 1 << 20]].concat();
    assert_eq!(decode(&bytes).unwrap_err().code(), "structured.too_deep");
    assert_eq!(json_of(&bytes).unwrap_err().code(), "structured.too_deep");
}

#[test]
fn streamed_depth_is_bounded_and_undone() {
    fn fill(map: &mut MapEncoder<'_, Vec<u8>>, levels: usize, calls: &mut usize) {
        *calls += 1;
        if levels > 1 {
            map.entry_map("m", |inner| fill(inner, levels - 1, calls));
        }
    }
    for (levels, calls, code) in [
        (MAX_DEPTH, MAX_DEPTH, None),
        (MAX_DEPTH + 1, MAX_DEPTH, Some("structured.too_deep")),
        (usize::MAX, MAX_DEPTH, Some("structured.too_deep")),
    ] {
        let mut bytes = b"before".to_vec();
        let mut map = MapEncoder::new(&mut bytes);
        let mut called = 0;
        fill(&mut map, levels, &mut called);
        // A later success must not hide the failure.
        map.entry("after", 1);
        assert_eq!(map.finish().err().map(|error| error.code()), code);
        assert_eq!(called, calls);
        match code {
            None => assert!(decode(&bytes[6..]).is_ok()),
            Some(_) => assert_eq!(bytes, b"before"),
        }
    }
    // Trees and arrays count from where they are put.
    let mut bytes = Vec::new();
    let mut map = MapEncoder::new(&mut bytes);
    map.entry_array("a", |items| {
        items.item(&nested(MAX_DEPTH - 1));
    });
    assert_eq!(map.finish().unwrap_err().code(), "structured.too_deep");
    let mut map = MapEncoder::new(&mut bytes);
    map.entry_array("a", |items| {
        items.item(&nested(MAX_DEPTH - 2));
    });
    map.finish().unwrap();
    assert!(decode(&bytes).is_ok());
}
