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
    let sources: [(&str, &[(&str, &str)]); 3] = [
        ("file", &[("path", "in.txt"), ("follow", "false")]),
        (
            "generator",
            &[("recordCount", "3000"), ("sdk.batch.size", "7")],
        ),
        ("generator", &structured),
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
