//! Builtin and loaded plugins give the same bytes.

use crate::support::Place;

/// What the pipeline writes with connectors of this kind.
fn output(place: &Place, kind: &str, source: (&str, &[(&str, &str)]), format: &str) -> Vec<u8> {
    let plugin = format!("{kind}:{}", source.0);
    let path = format!("{kind}.out");
    place.pipeline(
        (&plugin, source.1),
        (
            &format!("{kind}:file"),
            &[("path", &path), ("sdk.record.format", format)],
        ),
    );
    place
        .run(&["run", "pipeline.yaml", "--state", kind])
        .expect_code(0);
    place.read(&path)
}

#[test]
fn sources_and_formats_give_the_same_bytes() {
    let structured = [
        ("recordCount", "3000"),
        ("format.type", "structured"),
        (
            "format.options",
            "id:int,f:float,s:string,b:bool,t:time,d:duration",
        ),
    ];
    let mixed = [
        ("recordCount", "3000"),
        ("operations", "create, update"),
        ("format.options.id", "int"),
        ("collections.users.format.type", "structured"),
        ("collections.orders.operations", "snapshot,delete"),
        ("collections.blobs.format.type", "file"),
        ("collections.blobs.format.options.path", "in.txt"),
    ];
    let sources: [(&str, &[(&str, &str)]); 4] = [
        ("file", &[("path", "in.txt"), ("follow", "false")]),
        (
            "generator",
            &[("recordCount", "3000"), ("sdk.batch.size", "7")],
        ),
        ("generator", &structured),
        ("generator", &mixed),
    ];
    for source in sources {
        for format in ["raw", "opencdc/json"] {
            // Both read one and the same file, as positions name it.
            let place = Place::new();
            place.install(&["forebay_connector_file", "forebay_connector_generator"]);
            place.write("in.txt", "one\n\nt\u{fc}wo\r\nthe last");
            let builtin = output(&place, "builtin", source, format);
            assert!(!builtin.is_empty());
            assert!(
                builtin == output(&place, "standalone", source, format),
                "{source:?} {format}"
            );
        }
    }
}

#[test]
fn records_of_collections_say_whose_they_are_and_what_happened() {
    let place = Place::new();
    place.write("blob", "A\n");
    place.pipeline(
        (
            "builtin:generator",
            &[
                ("recordCount", "5"),
                ("format.type", "structured"),
                ("format.options.n", "int"),
                ("collections.a.operations", "update,delete"),
                ("collections.b.format.type", "file"),
                ("collections.b.format.options.path", "blob"),
            ],
        ),
        ("builtin:file", &[("path", "out")]),
    );
    place.run(&["run", "pipeline.yaml"]).expect_code(0);
    let out = String::from_utf8(place.read("out")).unwrap();
    let told: Vec<_> = out
        .lines()
        .map(|line| {
            let record: serde_json::Value = serde_json::from_str(line).unwrap();
            format!(
                "{} {} {} {}",
                record["operation"].as_str().unwrap(),
                record["metadata"],
                record["payload"]["before"],
                record["payload"]["after"],
            )
        })
        .collect();
    let (a, b) = (
        r#"{"opencdc.collection":"a"}"#,
        r#"{"opencdc.collection":"b"}"#,
    );
    let expected = [
        format!(r#"update {a} {{"n":0}} {{"n":1}}"#),
        format!(r#"create {b} null "QQo=""#),
        format!(r#"delete {a} {{"n":3}} null"#),
        format!(r#"create {b} null "QQo=""#),
        format!(r#"update {a} {{"n":4}} {{"n":5}}"#),
    ];
    assert_eq!(told, expected);
}

#[test]
fn a_collection_has_the_same_data_as_none() {
    for size in ["0", "7", "16", "100"] {
        let made = |more: &[(&str, &str)]| {
            let place = Place::new();
            let settings = [&[("recordCount", "1200"), ("format.size", size)], more].concat();
            let source: (&str, &[_]) = ("generator", &settings);
            output(&place, "builtin", source, "raw")
        };
        assert!(made(&[]) == made(&[("collections.a.format.type", "raw")]));
    }
}

#[test]
fn a_destination_gets_the_same_bytes() {
    let checksum = |kind: &str| {
        let place = Place::new();
        place.install(&["forebay_connector_discard", "forebay_connector_generator"]);
        place.pipeline(
            (&format!("{kind}:generator"), &[("recordCount", "5000")]),
            (&format!("{kind}:discard"), &[("checksum", "true")]),
        );
        let finished = place.run(&["run", "pipeline.yaml", "-v"]).expect_code(0);
        let line = finished
            .stderr
            .lines()
            .find(|line| line.contains("checksum "));
        let line = line.unwrap_or_else(|| panic!("no checksum in {finished:?}"));
        let (_, sum) = line.split_once("checksum ").unwrap();
        sum.split_whitespace().next().unwrap().to_owned()
    };
    let builtin = checksum("builtin");
    assert_eq!(builtin.len(), 16);
    assert_eq!(builtin, checksum("standalone"));
}

#[test]
fn records_are_logged_at_the_level_that_is_the_default() {
    let place = Place::new();
    place.install(&["forebay_connector_log"]);
    place.write("in.txt", "one\ntwo\n");
    for kind in ["builtin", "standalone"] {
        place.pipeline(
            ("builtin:file", &[("path", "in.txt"), ("follow", "false")]),
            (&format!("{kind}:log"), &[("message", "seen")]),
        );
        for (n, (flags, expected)) in [
            (&[][..], 2),
            (&["-q"], 0),
            (&["--log-level", "warn"], 0),
            (&["--log-level", "info"], 2),
        ]
        .into_iter()
        .enumerate()
        {
            let state = format!("{kind}-{n}");
            let all = [&["run", "pipeline.yaml", "--state", &state], flags].concat();
            let finished = place.run(&all).expect_code(0);
            let lines = finished.stderr.lines();
            let seen = lines.filter(|line| line.contains("INFO") && line.contains(": seen"));
            assert_eq!(seen.count(), expected, "{kind} {flags:?} {finished:?}");
            // Nothing else is told without being asked for.
            let opening = finished.stderr.contains("opening `");
            assert_eq!(opening, flags.contains(&"info"), "{finished:?}");
        }
    }
}

#[test]
fn a_record_is_logged_as_the_same_line() {
    // Both read one and the same file, as positions name it.
    let place = Place::new();
    place.install(&["forebay_connector_log"]);
    let long = "\u{e4}".repeat(50_000);
    place.write("in.txt", format!("one\n\"two\"\n{long}\n"));
    let lines = |kind: &str| {
        place.pipeline(
            ("builtin:file", &[("path", "in.txt"), ("follow", "false")]),
            (
                &format!("{kind}:log"),
                &[("level", "warn"), ("message", "record delivery failed")],
            ),
        );
        let finished = place
            .run(&["run", "pipeline.yaml", "--state", kind])
            .expect_code(0);
        let lines = finished.stderr.lines();
        let lines = lines.filter(|line| line.contains(": record delivery failed"));
        // Behind the time; a loaded plugin's lines name it.
        let told = lines.map(|line| {
            let (level, fields) = line[21..].split_once(": record delivery failed").unwrap();
            let record = fields.split_once(" record=").unwrap().1;
            format!("{level} {record}")
        });
        told.collect::<Vec<_>>()
    };
    let builtin = lines("builtin");
    assert_eq!(builtin.len(), 3);
    assert!(builtin[0].starts_with("WARN "), "{}", builtin[0]);
    assert!(
        builtin[1].contains(r#"\"operation\":\"create\""#),
        "{}",
        builtin[1]
    );
    assert!(builtin[2].contains('…') && builtin[2].len() < 80_000);
    assert!(builtin == lines("standalone"));
}
