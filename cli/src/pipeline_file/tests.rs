use std::collections::BTreeMap;
use std::env::VarError;
use std::fs;

use plugin_api::list_entries;
use tempfile::TempDir;

use super::*;

fn variables(name: &str) -> Result<String, VarError> {
    match name {
        "TOPIC" => Ok("orders".into()),
        "STATUS" => Ok("stopped".into()),
        _ => Err(VarError::NotPresent),
    }
}

/// Reads texts as files `0.yaml`, `1.yaml` and so on.
pub(super) fn read_texts(texts: &[&str]) -> Result<PipelineFiles, Rejected> {
    let folder = TempDir::new().unwrap();
    let paths: Vec<_> = (0..texts.len())
        .map(|n| folder.path().join(format!("{n}.yaml")))
        .collect();
    for (path, text) in paths.iter().zip(texts) {
        fs::write(path, text).unwrap();
    }
    read(&paths, &variables)
}

/// `file:line:column code`
pub(super) fn places(problems: &[Problem]) -> Vec<String> {
    problems
        .iter()
        .map(|problem| {
            let file = problem.place.file.file_stem().unwrap().to_str().unwrap();
            let (line, column) = (problem.place.line, problem.place.column);
            format!("{file}:{line}:{column} {}", problem.code)
        })
        .collect()
}

/// A pipeline whose connectors have these lines.
pub(super) fn with_connectors(connectors: &str) -> String {
    format!("version: \"2.2\"\npipelines:\n  - id: p\n    connectors:\n{connectors}")
}

/// A pipeline whose source has these settings.
fn with_settings(settings: &str) -> String {
    with_connectors(&format!(
        "      - {{id: d, type: destination, plugin: x}}
      - id: s
        type: source
        plugin: x
        settings:
{settings}"
    ))
}

fn settings(text: &str) -> BTreeMap<String, String> {
    let files = read_texts(&[&with_settings(text)]).unwrap();
    files.pipelines[0].connectors[1].settings.values.clone()
}

#[test]
fn a_whole_file_is_read() {
    let files = read_texts(&[r#"
version: "2.2"
pipelines:
  - id: orders
    status: stopped
    name: Orders of ${TOPIC}
    description: |
      Copies orders.
    connectors:
      - id: lines
        type: source
        plugin: standalone:file@v1.0.0
        name: in
        settings:
          path: ./${TOPIC}.txt
      - {id: "out", type: destination, plugin: "builtin:discard"}
  - id: second
    connectors:
      - {id: lines, type: source, plugin: x}
      - {id: out, type: destination, plugin: x}
"#])
    .unwrap();
    assert_eq!(files.warnings, []);
    let [orders, second] = &files.pipelines[..] else {
        panic!("{files:?}");
    };
    assert_eq!(orders.id, "orders");
    assert_eq!(orders.status, PipelineStatus::Stopped);
    assert_eq!(orders.name, "Orders of orders");
    assert_eq!(orders.description, "Copies orders.\n");
    assert_eq!((orders.place.line, orders.place.column), (4, 5));

    let [source, destination] = &orders.connectors[..] else {
        panic!("{orders:?}");
    };
    assert_eq!(source.id, "lines");
    assert_eq!(source.kind, Some(ConnectorKind::Source));
    assert_eq!(source.plugin, "standalone:file@v1.0.0");
    assert_eq!(
        (source.plugin_place.line, source.plugin_place.column),
        (12, 17)
    );
    assert_eq!(source.name, "in");
    assert_eq!(source.settings.values["path"], "./orders.txt");
    assert_eq!(source.settings.places["path"].line, 15);
    assert_eq!(destination.kind, Some(ConnectorKind::Destination));
    assert_eq!(destination.name, "out");
    assert_eq!(destination.settings, Settings::default());
    assert_eq!((destination.place.line, destination.place.column), (16, 9));

    assert_eq!(second.status, PipelineStatus::Running);
    assert_eq!(second.name, "second");
    assert_eq!(second.description, "");
}

#[test]
fn several_documents_and_files_make_one_list() {
    let one = |id: &str| {
        format!(
            "version: 2.2\npipelines: [{{id: {id}, connectors: [\
             {{id: s, type: source, plugin: x}}, {{id: d, type: destination, plugin: x}}]}}]\n"
        )
    };
    let two = format!("{}---\n{}---\n# nothing\n", one("a"), one("b"));
    let files = read_texts(&[&two, &one("c")]).unwrap();
    let ids: Vec<_> = files
        .pipelines
        .iter()
        .map(|pipeline| &pipeline.id)
        .collect();
    assert_eq!(ids, ["a", "b", "c"]);
    assert_eq!(files.warnings, []);
}

#[test]
fn settings_keep_what_the_user_wrote() {
    let written = settings(
        r#"
          zeros: 007
          float: 1.10
          big: 123456789012345678901234567890
          hex: 0x1F
          flag: True
          word: on
          delay: 1m30s
          quoted: "null"
          tagged: !!int 007
          empty: ""
          nothing:
          tilde: ~
          folded: >-
            a
            b
"#,
    );
    for (name, expected) in [
        ("zeros", "007"),
        ("float", "1.10"),
        ("big", "123456789012345678901234567890"),
        ("hex", "0x1F"),
        ("flag", "True"),
        ("word", "on"),
        ("delay", "1m30s"),
        ("quoted", "null"),
        ("tagged", "007"),
        ("empty", ""),
        ("nothing", ""),
        ("tilde", ""),
        ("folded", "a b"),
    ] {
        assert_eq!(written[name], expected, "{name}");
    }
    assert_eq!(written.len(), 13);
}

#[test]
fn settings_are_flattened_and_joined() {
    let written = settings(
        r#"
          sdk: {batch: {size: 10, delay: 1s}, record.format: raw}
          topics: [a, "${TOPIC}", 007]
          deep: {list: [x]}
          none: []
          empty: {}
"#,
    );
    let expected = [
        ("deep.list", "x"),
        ("none", ""),
        ("sdk.batch.delay", "1s"),
        ("sdk.batch.size", "10"),
        ("sdk.record.format", "raw"),
        ("topics", "a,orders,007"),
    ];
    assert!(
        written
            .iter()
            .map(|(k, v)| (k.as_str(), v.as_str()))
            .eq(expected),
        "{written:?}"
    );
}

#[test]
fn an_item_of_a_list_may_hold_anything() {
    let items = ["b,c", r"d\", r"\\e", r"f\,g", r"\d+", "", "\\"];
    let written = items.map(|item| format!("'{item}'")).join(", ");
    let read = settings(&format!("          a: [{written}]\n"));
    assert_eq!(list_entries(&read["a"]).collect::<Vec<_>>(), items);
    assert_eq!(
        settings(
            r"          a: ['\d', '\w']
"
        )["a"],
        r"\d,\w",
        "as it is written"
    );
}

#[test]
fn variables_are_resolved_in_every_text_and_dollars_stay() {
    let files = read_texts(&["
version: 2.2
pipelines:
  - id: ${TOPIC}
    status: ${STATUS}
    connectors:
      - {id: s, type: \"${KIND:-source}\", plugin: 'builtin:${TOPIC}', settings: {a: '$$5 $x'}}
      - {id: d, type: destination, plugin: x, settings: {a: '${NONE:-}'}}
"])
    .unwrap();
    let pipeline = &files.pipelines[0];
    assert_eq!(pipeline.id, "orders");
    assert_eq!(pipeline.status, PipelineStatus::Stopped);
    assert_eq!(pipeline.connectors[0].plugin, "builtin:orders");
    assert_eq!(pipeline.connectors[0].settings.values["a"], "$5 $x");
    assert_eq!(pipeline.connectors[1].settings.values["a"], "");
}

#[test]
fn anchors_aliases_and_merges_are_resolved() {
    let files = read_texts(&["
version: 2.2
pipelines:
  - id: p
    connectors:
      - id: s
        type: source
        plugin: &plugin x
        settings: &shared {a: 1, b: 2}
      - id: d
        type: destination
        plugin: *plugin
        settings:
          <<: [*shared, {c: 3, a: 9}]
          b: own
"])
    .unwrap();
    let destination = &files.pipelines[0].connectors[1];
    assert_eq!(destination.plugin, "x");
    let values: Vec<_> = destination.settings.values.iter().collect();
    assert_eq!(
        format!("{values:?}"),
        r#"[("a", "1"), ("b", "own"), ("c", "3")]"#
    );
}

#[test]
fn empty_processors_and_a_byte_order_mark_are_fine() {
    let text = with_connectors(
        "      - {id: s, type: source, plugin: x, processors: [], condition: ''}
      - {id: d, type: destination, plugin: x, processors: }
    processors:
",
    );
    let files = read_texts(&[&format!("\u{feff}{text}")]).unwrap();
    assert_eq!(files.warnings, []);
}

#[test]
fn warnings_have_places_and_suggestions() {
    let files = read_texts(&["pipelines:
  - id: p
    conectors: []
    connectors:
      - {id: s, type: source, plugin: x, colour: red}
      - {id: d, type: destination, plugin: x}
---
version: 2.9
pipelines: []
workers: 1
"])
    .unwrap();
    assert_eq!(
        places(&files.warnings),
        [
            "0:1:1 pipeline.no_version",
            "0:3:5 pipeline.unknown_field",
            "0:5:42 pipeline.unknown_field",
            "0:8:10 pipeline.unknown_version",
            "0:10:1 pipeline.unknown_field",
        ]
    );
    assert_eq!(files.warnings[1].help, "did you mean `connectors`?");
    assert_eq!(
        files.warnings[2].help,
        "a connector has `id`, `type`, `plugin`, `name` and `settings`"
    );
}

#[test]
fn a_pipeline_of_several_sources_is_split_whatever_it_says() {
    let pipeline = |sources: &[&str], pump: &str| {
        let sources = sources
            .iter()
            .map(|id| format!("      - {{id: {id}, type: source, plugin: x}}\n"));
        let sources: String = sources.collect();
        let text =
            format!("{sources}      - {{id: d, type: destination, plugin: x}}\n    {pump}\n");
        read_texts(&[&with_connectors(&text)]).unwrap()
    };
    for (sources, pump, expected, warnings) in [
        (&["a"][..], "", Pump::Fused, &[][..]),
        (&["a"], "pump: fused", Pump::Fused, &[]),
        (&["a"], "pump: split", Pump::Split, &[]),
        (&["a", "b"], "pump: split", Pump::Split, &[]),
        (
            &["a", "b"],
            "pump: fused",
            Pump::Fused,
            &["0:8:5 pipeline.no_effect"],
        ),
    ] {
        let files = pipeline(sources, pump);
        assert_eq!(places(&files.warnings), warnings, "{sources:?} {pump}");
        let config = to_config(&files.pipelines[0]).unwrap();
        assert_eq!(config.pump, expected, "{sources:?} {pump}");
        let ids: Vec<_> = config.sources.iter().map(|it| &*it.id).collect();
        assert_eq!(ids, sources);
    }
}

#[test]
fn what_was_probably_meant_and_is_not_supported_is_named() {
    let text = with_connectors(
        "      - {id: s, type: source, plugin: x}
      - {id: d, type: destination, plugin: x}
    procesors: ",
    );
    let rejected = read_texts(&[&format!("{text}[{{id: f, plugin: field.set}}]\n")]).unwrap_err();
    let [problem] = &*rejected.problems else {
        panic!("{:?}", rejected.problems);
    };
    let message = &problem.message;
    assert!(message.contains("no field `procesors`"), "{message}");
    assert!(
        message.contains("processors are not supported"),
        "{message}"
    );
    assert!(problem.help.contains("`procesors`"), "{}", problem.help);
    assert_eq!(rejected.warnings, []);
    // Without a value it asks for nothing.
    let files = read_texts(&[&format!("{text}[]\n")]).unwrap();
    assert_eq!(places(&files.warnings), ["0:7:5 pipeline.unknown_field"]);
}

#[test]
fn a_file_that_is_named_twice_is_told_as_that() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("a.yaml");
    let connectors = "      - {id: s, type: source, plugin: x}
      - {id: d, type: destination, plugin: x}
";
    fs::write(&path, with_connectors(connectors)).unwrap();
    let again = folder.path().join(".").join("a.yaml");
    let rejected = read(&[path.clone(), again, path], &variables).unwrap_err();
    assert_eq!(
        places(&rejected.problems),
        ["a:0:0 pipeline.named_twice"; 2]
    );
    assert_eq!(rejected.pipelines.len(), 1);
    assert_eq!(rejected.exit(), Exit::Usage);
}

#[test]
fn bad_files_are_told_with_line_and_column() {
    let settings = |lines: &str| with_settings(lines);
    let pipeline = |fields: &str| {
        with_connectors(&format!(
            "      - {{id: s, type: source, plugin: x}}
      - {{id: d, type: destination, plugin: x}}
{fields}"
        ))
    };
    let id = |id: &str| format!("version: 2.2\npipelines:\n  - id: {id}\n    connectors: []");
    let long_id = "x".repeat(257);
    let deep = format!("a: {}", "[".repeat(100));
    let bomb = (1..9).fold("a0: &a0 [x]\n".to_string(), |text, n| {
        let aliases = vec![format!("*a{}", n - 1); 10].join(", ");
        text + &format!("a{n}: &a{n} [{aliases}]\n")
    });
    for (name, text, expected) in [
        // The YAML itself.
        ("indentation", "a: 1\n b: 2\n".into(), "2:3 pipeline.syntax"),
        (
            "tab",
            "pipelines:\n\t- id: p\n".into(),
            "2:2 pipeline.syntax",
        ),
        ("quote", "a: \"x\n".into(), "1:4 pipeline.syntax"),
        ("bracket", "a: [1, 2\nb: 3\n".into(), "2:2 pipeline.syntax"),
        ("unknown alias", "a: *b\n".into(), "1:4 pipeline.syntax"),
        ("own alias", "a: &a [*a]\n".into(), "1:8 pipeline.alias"),
        (
            "other document",
            "a: &a x\n---\nb: *a\n".into(),
            "3:4 pipeline.alias",
        ),
        ("list as key", "? [a]\n: b\n".into(), "1:3 pipeline.key"),
        (
            "duplicate key",
            "version: 2.2\nversion: 2.1\n".into(),
            "2:1 pipeline.duplicate_field",
        ),
        ("tag", "version: !secret 2.2\n".into(), "1:10 pipeline.tag"),
        ("merge", "a: &a x\n<<: *a\n".into(), "1:4 pipeline.merge"),
        ("depth", deep, "1:67 pipeline.too_deep"),
        ("alias bomb", bomb, "6:20 pipeline.too_many_values"),
        // The document.
        ("empty", String::new(), "0:0 pipeline.none"),
        ("comment", "# nothing\n".into(), "0:0 pipeline.none"),
        (
            "no pipelines",
            "version: 2.2\n".into(),
            "1:1 pipeline.missing_field",
        ),
        (
            "no item",
            "version: 2.2\npipelines: []\n".into(),
            "0:0 pipeline.none",
        ),
        ("text", "hello\n".into(), "1:1 pipeline.wrong_kind"),
        ("list", "- a\n".into(), "1:1 pipeline.wrong_kind"),
        (
            "old version",
            "version: 1.1\n".into(),
            "1:10 pipeline.version",
        ),
        (
            "new version",
            "version: 3.0\n".into(),
            "1:10 pipeline.version",
        ),
        (
            "version word",
            "version: newest\n".into(),
            "1:10 pipeline.version",
        ),
        (
            "version list",
            "version: [2, 2]\n".into(),
            "1:10 pipeline.wrong_kind",
        ),
        (
            "mapping of pipelines",
            "version: 2.2\npipelines:\n  p: {status: running}\n".into(),
            "3:3 pipeline.wrong_kind",
        ),
        (
            "text as pipeline",
            "version: 2.2\npipelines:\n  - p\n".into(),
            "3:5 pipeline.wrong_kind",
        ),
        // The pipeline.
        ("id with space", id("a b"), "3:9 pipeline.invalid_id"),
        ("id with accent", id("é"), "3:9 pipeline.invalid_id"),
        ("long id", id(&long_id), "3:9 pipeline.invalid_id"),
        ("id as mapping", id("{}"), "3:9 pipeline.wrong_kind"),
        (
            "status",
            pipeline("    status: runing\n"),
            "7:13 pipeline.invalid_value",
        ),
        (
            "name",
            pipeline("    name: [a]\n"),
            "7:11 pipeline.wrong_kind",
        ),
        (
            "processors",
            pipeline("    processors:\n      - {id: f, plugin: field.set}\n"),
            "7:5 pipeline.unsupported",
        ),
        (
            "condition",
            pipeline("    condition: '{{ true }}'\n"),
            "7:5 pipeline.unsupported",
        ),
        (
            "dead-letter queue",
            pipeline("    dead-letter-queue: builtin:file\n"),
            "7:24 pipeline.wrong_kind",
        ),
        (
            "pump",
            pipeline("    pump: fast\n"),
            "7:11 pipeline.invalid_value",
        ),
        (
            "processors misspelt",
            pipeline("    procesors:\n      - {id: f, plugin: field.set}\n"),
            "7:5 pipeline.unsupported",
        ),
        (
            "processors in capitals",
            pipeline("    Processors: [{id: f, plugin: field.set}]\n"),
            "7:5 pipeline.unsupported",
        ),
        (
            "processors in the wrong place",
            "version: 2.2\npipelines: []\nprocessors: [{id: f}]\n".into(),
            "3:1 pipeline.unsupported",
        ),
        (
            "condition of a connector misspelt",
            with_connectors("      - {id: s, type: source, plugin: x, conditions: 'a'}\n"),
            "5:42 pipeline.unsupported",
        ),
        // The connectors.
        (
            "no connectors",
            "version: 2.2\npipelines: [{id: p}]\n".into(),
            "2:13 pipeline.no_source",
        ),
        (
            "no destination",
            with_connectors("      - {id: s, type: source, plugin: x}\n"),
            "4:5 pipeline.no_destination",
        ),
        (
            "no source",
            with_connectors("      - {id: d, type: destination, plugin: x}\n"),
            "4:5 pipeline.no_source",
        ),
        (
            "no id",
            with_connectors("      - {type: source, plugin: x}\n"),
            "5:9 pipeline.missing_field",
        ),
        (
            "no type",
            with_connectors("      - {id: s, plugin: x}\n"),
            "5:9 pipeline.missing_field",
        ),
        (
            "no plugin",
            with_connectors("      - {id: s, type: source}\n"),
            "5:9 pipeline.missing_field",
        ),
        (
            "empty plugin",
            with_connectors("      - {id: s, type: source, plugin: \"\"}\n"),
            "5:39 pipeline.missing_field",
        ),
        (
            "other type",
            with_connectors("      - {id: s, type: sorce, plugin: x}\n"),
            "5:23 pipeline.invalid_value",
        ),
        (
            "duplicate id",
            with_connectors(
                "      - {id: s, type: source, plugin: x}\n      - {id: s, type: destination, plugin: x}\n",
            ),
            "6:14 pipeline.duplicate_id",
        ),
        (
            "connector's processors",
            with_connectors(
                "      - {id: s, type: source, plugin: x, processors: [{id: f}]}\n      - {id: d, type: destination, plugin: x}\n",
            ),
            "5:42 pipeline.unsupported",
        ),
        // The settings.
        (
            "settings as text",
            settings("          x"),
            "10:11 pipeline.wrong_kind",
        ),
        (
            "list in list",
            settings("          a: [[b]]\n"),
            "10:15 pipeline.wrong_kind",
        ),
        (
            "duplicate setting",
            settings("          a.b: 1\n          a: {b: 2}\n"),
            "11:18 pipeline.duplicate_field",
        ),
        (
            "unset variable",
            settings("          a: ${NONE}\n"),
            "10:14 pipeline.unset_variable",
        ),
        (
            "bad variable",
            settings("          a: ${}\n"),
            "10:14 pipeline.substitution",
        ),
    ] {
        let rejected = read_texts(&[&text]).expect_err(name);
        let found = places(&rejected.problems);
        let told = found.contains(&format!("0:{expected}"));
        assert!(told, "{name}: {expected} in {:?}", rejected.problems);
        assert_eq!(rejected.exit(), Exit::Usage, "{name}");
        assert!(
            rejected
                .problems
                .iter()
                .all(|problem| !problem.help.is_empty()),
            "{name}"
        );
    }
}

#[test]
fn all_problems_of_all_files_are_told_at_once() {
    let first = "version: 2.2
pipelines:
  - id: p
    processors: [{id: f}]
    connectors:
      - {id: s, type: sauce, plugin: x}
      - {id: s, type: destination, settings: {a: '${A} ${B}'}}
  - id: p
    connectors:
      - {id: s, type: source, plugin: x}
      - {id: d, type: destination, plugin: x}
";
    let second = "version: 2.2
pipelines:
  - {id: p, connectors: []}
--- [
";
    let rejected = read_texts(&[first, second]).unwrap_err();
    assert_eq!(
        places(&rejected.problems),
        [
            "0:4:5 pipeline.unsupported",
            "0:6:23 pipeline.invalid_value",
            "0:7:9 pipeline.missing_field",
            "0:7:14 pipeline.duplicate_id",
            "0:7:50 pipeline.unset_variable",
            "0:7:50 pipeline.unset_variable",
            "0:8:9 pipeline.duplicate_id",
            "1:3:10 pipeline.duplicate_id",
            "1:3:13 pipeline.no_source",
            "1:3:13 pipeline.no_destination",
            "1:5:1 pipeline.syntax",
        ]
    );
    let last = &rejected.problems[7];
    assert!(last.message.contains("0.yaml:3:9"), "{last}");
    assert!(
        last.to_string()
            .ends_with(&format!(":3:10: {}", last.message)),
        "{last}"
    );
}

#[test]
fn an_unreadable_file_is_the_environments_fault_and_the_others_are_still_checked() {
    let folder = TempDir::new().unwrap();
    let bad = folder.path().join("bad.yaml");
    fs::write(&bad, "- a\n").unwrap();
    let missing = folder.path().join("missing.yaml");
    let rejected = read(&[missing.clone(), bad, folder.path().into()], &variables).unwrap_err();
    assert_eq!(rejected.exit(), Exit::Environment);
    assert_eq!(rejected.problems.len(), 3);
    assert_eq!(rejected.problems[0].code, "pipeline.unreadable");
    let text = rejected.problems[0].to_string();
    assert!(
        text.starts_with(&format!("{}: can't read", missing.display())),
        "{text}"
    );
    assert_eq!(rejected.problems[1].code, "pipeline.wrong_kind");
    assert_eq!(rejected.problems[2].code, "pipeline.unreadable");
}

#[test]
fn text_that_is_not_utf8_or_too_long_is_told() {
    let folder = TempDir::new().unwrap();
    let latin = folder.path().join("latin.yaml");
    fs::write(&latin, b"version: 2.2\n\xc3\xa9: caf\xe9\n").unwrap();
    let long = folder.path().join("long.yaml");
    let size = usize::try_from(FILE_SIZE_MAX + 1).unwrap();
    fs::write(&long, vec![b'#'; size]).unwrap();
    let rejected = read(&[latin, long], &variables).unwrap_err();
    assert_eq!(
        places(&rejected.problems),
        ["latin:2:7 pipeline.encoding", "long:0:0 pipeline.too_large"]
    );
}
