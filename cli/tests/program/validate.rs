//! All that is wrong with pipeline files, without starting anything.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt as _, symlink};

use serde_json::{Value, json};

use crate::support::{Finished, Place, wait_until};

/// A pipeline from file to file; `settings` are the source's.
fn pipeline(id: &str, settings: &str) -> String {
    format!(
        "  - id: {id}
    connectors:
      - {{id: src, type: source, plugin: file, settings: {settings}}}
      - {{id: dst, type: destination, plugin: builtin:file, settings: {{path: out.txt}}}}
"
    )
}

fn file(pipelines: &[String]) -> String {
    format!("version: \"2.2\"\npipelines:\n{}", pipelines.concat())
}

fn good() -> String {
    file(&[pipeline("p", "{path: in.txt, follow: true}")])
}

/// `file:line:column code` of what a finished `--json` run tells.
fn places(finished: &Finished) -> Vec<String> {
    let document: Value = serde_json::from_str(&finished.stdout).unwrap();
    assert_eq!(document.as_object().unwrap().len(), 1, "{document}");
    let problems = document["problems"].as_array().unwrap();
    let place = |it: &Value| {
        let text = |key: &str| it[key].as_str().unwrap().to_owned();
        let (file, line, column) = (text("file"), &it["line"], &it["column"]);
        assert_eq!(it["severity"], "error");
        assert_ne!(text("help"), "");
        // People are told the same.
        let told = format!("{file}:{line}:{column}: {}", text("message"));
        assert!(finished.stderr.contains(&told), "{finished:?}");
        format!("{file}:{line}:{column} {}", text("code"))
    };
    problems.iter().map(place).collect()
}

#[test]
fn what_is_right_is_told_and_nothing_is_started() {
    let place = Place::new();
    place.write("in.txt", "one\n");
    place.write("a.yaml", good());
    let two = [pipeline("q", "{path: in.txt}"), pipeline("r", "{path: x}")];
    place.write("b.yaml", file(&two));
    let one = place.run(&["validate", "a.yaml"]).expect_code(0);
    assert_eq!(one.stdout, "1 pipeline is valid\n");
    let all = place.run(&["validate", "a.yaml", "b.yaml"]).expect_code(0);
    assert_eq!(all.stdout, "3 pipelines are valid\n");
    let json = place.run(&["validate", "a.yaml", "--json"]).expect_code(0);
    let document: Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!(document, json!({ "problems": [] }));
    for made in ["out.txt", ".forebay"] {
        assert!(!place.path(made).exists(), "{made} was made");
    }
}

#[test]
fn all_that_is_wrong_with_all_files_is_told_at_once() {
    let place = Place::new();
    // In one pipeline: its form, a variable, a setting, a plugin. The path isn't told to be missing:
    // it is there, only its value isn't known.
    let first = pipeline("p", "{path: '${FOREBAY_TEST_UNSET}', folow: 1}")
        .replace("builtin:file", "builtin:file@v9.9.9")
        + "    processors: [{id: x}]\n";
    let second = pipeline("q", "{folow: false}")
        + "      - {id: two, type: source, plugin: mistake:x}\n"
        + "      - {id: three, type: sauce, plugin: x}\n";
    place.write("a.yaml", file(&[first, second]));
    place.write(
        "b.yaml",
        file(&[pipeline("r", "{path: a}").replace("plugin: file", "plugin: fil")]),
    );
    let files = ["a.yaml", "b.yaml"];
    let expected = [
        "a.yaml:5:64 pipeline.unset_variable",
        "a.yaml:5:96 config.invalid",
        "a.yaml:6:46 pipeline.plugin",
        "a.yaml:7:5 pipeline.unsupported",
        "a.yaml:10:9 config.invalid",
        "a.yaml:10:65 config.invalid",
        "a.yaml:12:41 name.prefix",
        "a.yaml:13:27 pipeline.invalid_value",
        "a.yaml:13:42 pipeline.plugin",
        "b.yaml:5:41 pipeline.plugin",
    ];
    let told = place
        .run(&["validate", "--json", files[0], files[1]])
        .expect_code(2);
    assert_eq!(places(&told), expected);
    for part in [
        "there is v0.1.0",
        "did you mean \"follow\"?",
        "did you mean `builtin:file`?",
    ] {
        assert!(told.stderr.contains(part), "no {part} in {told:?}");
    }
    let human = place.run(&["validate", files[0], files[1]]).expect_code(2);
    assert_eq!((&human.stderr, &*human.stdout), (&told.stderr, ""));
    // What `run` checks is the same.
    let run = place
        .run(&["run", "--json", files[0], files[1]])
        .expect_code(2);
    assert_eq!((run.stderr, run.stdout), (told.stderr, told.stdout));
}

#[test]
fn a_dead_letter_queue_is_checked_as_the_destination_that_it_is() {
    let place = Place::new();
    let queue = |of_the_queue: &str| {
        let pipeline = pipeline("p", "{path: a}");
        let queue = format!("    dead-letter-queue: {{{of_the_queue}, window-size: 0}}\n");
        place.write("a.yaml", file(&[pipeline + &queue]));
        place.run(&["validate", "--json", "a.yaml"])
    };
    for (of_the_queue, place, part) in [
        ("plugin: file", "7:24 config.invalid", "setting `path`"),
        (
            "plugin: file, settings: {path: a, pth: b}",
            "7:64 config.invalid",
            "did you mean \"path\"?",
        ),
        (
            "plugin: generator",
            "7:33 pipeline.plugin",
            "no destination",
        ),
        ("plugin: 'a:b'", "7:33 name.prefix", "\"a\""),
        (
            "settings: {mesage: a}",
            "7:44 config.invalid",
            "`dead-letter-queue`",
        ),
    ] {
        let told = queue(of_the_queue).expect_code(2);
        assert_eq!(places(&told), [format!("a.yaml:{place}")]);
        assert!(told.stderr.contains(part), "no {part} in {told:?}");
    }
    let settings = "{path: a, sdk.schema.extract.key.enabled: true}";
    let told = queue(&format!("plugin: file, settings: {settings}")).expect_code(0);
    assert!(told.stderr.contains("warning: a.yaml:7:91: "), "{told:?}");
}

#[test]
fn the_help_begins_with_a_pipeline_that_runs_where_no_plugin_files_are() {
    let place = Place::new();
    let help = place.run(&["--help"]).expect_code(0).stdout;
    assert!(help.contains("Begin with `forebay run --help`"), "{help}");
    let help = place.run(&["run", "--help"]).expect_code(0).stdout;
    let (_, shown) = help.split_once("A pipeline.yaml to begin with").unwrap();
    let lines = shown.lines().skip(1).take_while(|line| !line.is_empty());
    let pipeline: Vec<_> = lines.collect();
    place.write("pipeline.yaml", pipeline.join("\n"));
    place.write("in.txt", "one\n");
    let told = place.run(&["run", "pipeline.yaml"]).expect_code(0);
    assert_eq!(place.read("out.txt"), b"one\n", "{told:?}");
    place.write("none.yaml", "");
    let told = place.run(&["validate", "none.yaml"]).expect_code(2);
    assert!(told.stderr.contains("`forebay run --help`"), "{told:?}");
}

#[test]
fn a_setting_without_a_value_hides_no_other() {
    let place = Place::new();
    let settings = "{follow: '${FOREBAY_TEST_UNSET}', folow: '${FOREBAY_TEST_UNSET}'}";
    place.write("a.yaml", file(&[pipeline("p", settings)]));
    let told = place.run(&["validate", "a.yaml", "--json"]).expect_code(2);
    let expected = [
        "a.yaml:5:9 config.invalid",
        "a.yaml:5:66 pipeline.unset_variable",
        "a.yaml:5:98 pipeline.unset_variable",
        "a.yaml:5:98 config.invalid",
    ];
    assert_eq!(places(&told), expected);
    assert!(told.stderr.contains("setting `path`: required"), "{told:?}");
}

#[test]
fn a_wrong_id_or_type_hides_neither_plugin_nor_settings() {
    let place = Place::new();
    let first = pipeline("p", "{path: in.txt}");
    let again = pipeline("p", "{path: in.txt, folow: 1}").replace("id: dst", "id: src");
    let more = "      - {id: src, type: destination, plugin: file, settings: {pth: x}}
      - {id: other, type: sorce, plugin: fil}
      - {id: 'a b', type: destination, plugin: fil}
      - {type: destination, plugin: fil}
";
    place.write("a.yaml", file(&[first, again + more]));
    let told = place.run(&["validate", "a.yaml", "--json"]).expect_code(2);
    let expected = [
        "a.yaml:7:9 pipeline.duplicate_id",
        "a.yaml:9:79 config.invalid",
        "a.yaml:10:14 pipeline.duplicate_id",
        "a.yaml:11:9 config.invalid",
        "a.yaml:11:14 pipeline.duplicate_id",
        "a.yaml:11:68 config.invalid",
        "a.yaml:12:27 pipeline.invalid_value",
        "a.yaml:12:42 pipeline.plugin",
        "a.yaml:13:14 pipeline.invalid_id",
        "a.yaml:13:48 pipeline.plugin",
        "a.yaml:14:9 pipeline.missing_field",
        "a.yaml:14:37 pipeline.plugin",
    ];
    assert_eq!(places(&told), expected);
    assert!(
        told.stderr.contains("connector `#6`: no plugin"),
        "{told:?}"
    );
}

#[test]
fn a_warning_is_told_and_keeps_nothing_from_running() {
    let place = Place::new();
    place.write("a.yaml", good() + "    workers: 2\n");
    let json = place.run(&["validate", "a.yaml", "--json"]).expect_code(0);
    let document: Value = serde_json::from_str(&json.stdout).unwrap();
    let warning = &document["problems"][0];
    assert_eq!(warning["severity"], "warning");
    assert_eq!(warning["line"], 7);
    assert!(json.stderr.contains("warning: a.yaml:7:5: "), "{json:?}");
}

#[test]
fn a_setting_without_effect_is_told_once_and_with_its_place() {
    let place = Place::new();
    place.write("in.txt", "one\n");
    let settings = "{path: in.txt, follow: false, sdk.schema.extract.type: avro}";
    let dst = "{path: out.txt, sdk: {record: {format.options: x}}}";
    let pipeline = pipeline("p", settings).replace("{path: out.txt}", dst);
    place.write("a.yaml", file(&[pipeline + "    workers: 2\n"]));
    let expected = [
        "warning: a.yaml:5:112: connector `src`: setting \"sdk.schema.extract.type\" has no effect: ",
        "warning: a.yaml:6:117: connector `dst`: setting \"sdk.record.format.options\" has no effect: ",
        "warning: a.yaml:7:5: ",
    ];
    for command in ["validate", "run"] {
        let told = place.run(&[command, "a.yaml", "-vv"]).expect_code(0);
        let lines = told.stderr.lines();
        let warnings: Vec<_> = lines.filter(|line| line.starts_with("warning: ")).collect();
        assert_eq!(warnings.len(), expected.len(), "{told:?}");
        for (warning, expected) in warnings.iter().zip(expected) {
            assert!(warning.starts_with(expected), "{told:?}");
        }
        for name in ["sdk.schema.extract.type", "sdk.record.format.options"] {
            assert_eq!(told.stderr.matches(name).count(), 1, "{told:?}");
        }
    }
    let json = place.run(&["validate", "a.yaml", "--json"]).expect_code(0);
    let document: Value = serde_json::from_str(&json.stdout).unwrap();
    let warning = &document["problems"][0];
    assert_eq!(warning["severity"], "warning");
    assert_eq!(warning["code"], "config.no_effect");
    assert_eq!(
        (&warning["line"], &warning["column"]),
        (&json!(5), &json!(112))
    );
}

#[test]
fn what_conduit_writes_by_default_is_accepted() {
    let place = Place::new();
    let schemas = ("sdk.schema.extract.type", "avro");
    let format = ("format.options.id", "int");
    place.pipeline(
        (
            "builtin:generator",
            &[
                ("readTime", "0s"),
                ("format.type", "structured"),
                format,
                schemas,
            ],
        ),
        ("builtin:log", &[schemas]),
    );
    let told = place.run(&["validate", "pipeline.yaml"]).expect_code(0);
    let warnings = told
        .stderr
        .matches("\"sdk.schema.extract.type\" has no effect");
    assert_eq!(warnings.count(), 2, "{told:?}");
    for name in ["readTime", "burst.sleepTime"] {
        let negative = ("builtin:generator", &[(name, "-1s")][..]);
        place.pipeline(negative, ("builtin:log", &[]));
        place.run(&["validate", "pipeline.yaml"]).expect_code(2);
    }
}

#[test]
fn a_builtin_in_the_place_of_a_refused_file_is_told_where_it_is_named() {
    let place = Place::new();
    place.install(&["forebay_connector_file"]);
    let queue = "    dead-letter-queue: {plugin: file, settings: {path: a}, window-size: 0}\n";
    place.write("a.yaml", good() + queue);
    let warnings = || {
        let json = place.run(&["validate", "a.yaml", "--json"]).expect_code(0);
        let document: Value = serde_json::from_str(&json.stdout).unwrap();
        document["problems"].as_array().unwrap().clone()
    };
    assert_eq!(warnings(), Vec::<Value>::new());
    let file = place.path("plugins/libforebay_connector_file.so");
    fs::set_permissions(&file, Permissions::from_mode(0o646)).unwrap();
    let warnings = warnings();
    let [warning, of_the_queue] = &*warnings else {
        panic!("{warnings:?}");
    };
    assert_eq!(
        (&of_the_queue["code"], &of_the_queue["line"]),
        (&json!("pipeline.passed_over"), &7.into())
    );
    // The destination names the builtin.
    assert_eq!(warning["code"], "pipeline.passed_over");
    assert_eq!(warning["severity"], "warning");
    assert_eq!(
        (&warning["line"], &warning["column"]),
        (&5.into(), &41.into())
    );
    let message = warning["message"].as_str().unwrap();
    for part in [
        "`builtin:file@v0.1.0`",
        "libforebay_connector_file.so",
        "write",
    ] {
        assert!(message.contains(part), "no {part} in {message}");
    }
    let help = warning["help"].as_str().unwrap();
    assert!(help.contains("chmod o-w"), "{help}");
    assert!(help.contains("`builtin:file@v0.1.0`"), "{help}");
}

#[test]
fn a_refused_file_is_told_where_it_is_named_even_if_it_cannot_be_read() {
    let place = Place::new();
    place.install(&["forebay_connector_file"]);
    place.write(
        "a.yaml",
        good().replace("plugin: file", "plugin: standalone:file"),
    );
    let file = place.path("plugins/libforebay_connector_file.so");
    let told = |parts: [&str; 2]| {
        let told = place.run(&["validate", "-qq", "a.yaml"]).expect_code(2);
        let message = "error: a.yaml:5:41: connector `src`: plugin file \
                       `./plugins/libforebay_connector_file.so` can't be used: ";
        for part in [&[message][..], &parts].concat() {
            assert!(told.stderr.contains(part), "no {part} in {told:?}");
        }
    };
    fs::set_permissions(&file, Permissions::from_mode(0o646)).unwrap();
    told(["every user may write", "help: `chmod o-w"]);
    // Nothing says which plugin was in it but the name of the file.
    fs::remove_file(&file).unwrap();
    symlink("nowhere.so", &file).unwrap();
    told(["nowhere.so", "help: "]);
    place.write(
        "a.yaml",
        good().replace("plugin: file", "plugin: standalone:connector-file"),
    );
    let other = place.run(&["validate", "-qq", "a.yaml"]).expect_code(2);
    assert!(
        other
            .stderr
            .contains("no plugin `standalone:connector-file`"),
        "{other:?}"
    );
}

#[test]
fn a_file_that_cannot_be_read_is_3_and_the_others_are_told_all_the_same() {
    let place = Place::new();
    place.write("a.yaml", file(&[pipeline("p", "{}")]));
    let told = place
        .run(&["validate", "missing.yaml", "a.yaml", "--json"])
        .expect_code(3);
    let expected = [
        "missing.yaml:null:null pipeline.unreadable",
        "a.yaml:5:9 config.invalid",
    ];
    let document: Value = serde_json::from_str(&told.stdout).unwrap();
    let problems = document["problems"].as_array().unwrap();
    let found: Vec<_> = problems
        .iter()
        .map(|it| {
            let text = |key: &str| it[key].as_str().unwrap().to_owned();
            let (line, column) = (&it["line"], &it["column"]);
            format!("{}:{line}:{column} {}", text("file"), text("code"))
        })
        .collect();
    assert_eq!(found, expected);
    let folder = place.run(&["validate", "a.yaml", "--plugins", "no"]);
    assert!(folder.expect_code(3).stderr.contains("`no` is not there"));
}

#[test]
fn a_pipeline_that_runs_is_not_in_the_way() {
    let place = Place::new();
    place.write("in.txt", "one\n");
    place.write("a.yaml", good());
    let running = place.start(&["run", "a.yaml"]);
    wait_until(|| place.path("out.txt").exists().then_some(()));
    place.run(&["validate", "a.yaml"]).expect_code(0);
    drop(running);
}

#[test]
fn variables_and_defaults_are_part_of_what_is_checked() {
    let place = Place::new();
    let settings = "{path: '${HOME}/$$x', follow: '${FOREBAY_TEST_UNSET:-perhaps}'}";
    place.write("a.yaml", file(&[pipeline("p", settings)]));
    let told = place.run(&["validate", "a.yaml", "--json"]).expect_code(2);
    assert_eq!(places(&told), ["a.yaml:5:87 config.invalid"]);
    assert!(told.stderr.contains("\"perhaps\""), "{told:?}");
    let mut command = place.command(&["validate", "a.yaml"]);
    command.env("FOREBAY_TEST_UNSET", "false");
    place.spawn(command).finish().expect_code(0);
}
