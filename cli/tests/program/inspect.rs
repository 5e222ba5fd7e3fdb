//! What `inspect` tells, without executing a file.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;

use plugin_api::ffi::{ABI_STABLE_VERSION, ABI_VERSION};
use serde_json::Value;

use crate::support::{Finished, Place, library_file};

const FILE: &str = "plugins/libforebay_connector_file.so";

fn inspected(place: &Place, code: i32, arguments: &[&str]) -> Vec<Value> {
    let mut all = vec!["inspect", "--json"];
    all.extend_from_slice(arguments);
    let finished = place.run(&all).expect_code(code);
    let document: Value = serde_json::from_str(&finished.stdout).unwrap();
    assert_eq!(document.as_object().unwrap().len(), 1, "{document}");
    document["plugins"].as_array().unwrap().clone()
}

fn installed() -> Place {
    let place = Place::new();
    place.install(&["forebay_connector_file", "forebay_connector_discard"]);
    place
}

#[test]
fn a_file_is_told_with_parameters_build_and_needs() {
    let place = installed();
    let human = place.run(&["inspect", FILE]).expect_code(0).stdout;
    let lines: Vec<_> = human.lines().collect();
    let abi = format!("{ABI_VERSION}, abi_stable {ABI_STABLE_VERSION}");
    assert_eq!(lines[0], "standalone:file@v0.1.0");
    for (fact, value) in [
        ("file", FILE),
        ("status", "passes all checks"),
        ("package", "forebay-connector-file 0.1.0"),
        ("plugin-api", "0.1.0"),
        ("abi", &abi),
        ("rustc", "rustc 1."),
        ("target", std::env::consts::ARCH),
        ("panic", "unwind"),
        ("needs", "libc.so.6"),
        ("glibc", " or newer"),
    ] {
        let line = lines.iter().find(|line| line.trim().starts_with(fact));
        let line = line.unwrap_or_else(|| panic!("no {fact} in {human}"));
        assert!(line.contains(value), "{line}");
    }
    assert!(
        lines
            .last()
            .unwrap()
            .contains("`forebay list --parameters`")
    );
    // A table for each side: every row begins its columns where the header does.
    let headers = lines.iter().enumerate();
    let headers: Vec<_> = headers.filter(|(_, it)| it.contains("NAME")).collect();
    assert_eq!(headers.len(), 2, "{human}");
    for (at, header) in headers {
        assert!(header.ends_with("DESCRIPTION"), "{header}");
        let rows = lines[at + 1..].iter().take_while(|line| !line.is_empty());
        for column in ["TYPE", "DEFAULT", "CHECKS"] {
            let start = header.find(column).unwrap();
            for row in rows.clone() {
                assert_eq!(&row[start - 1..start], " ", "{row}");
                assert_ne!(&row[start..=start], " ", "{row}");
            }
        }
        assert!(
            rows.clone()
                .any(|row| row.contains("path") && row.contains("required"))
        );
    }
}

#[test]
fn the_json_has_exactly_the_documented_keys() {
    let place = installed();
    let plugins = inspected(&place, 0, &[FILE]);
    let [plugin] = &*plugins else {
        panic!("{plugins:?}");
    };
    let keys = |value: &Value| {
        value
            .as_object()
            .unwrap()
            .keys()
            .cloned()
            .collect::<Vec<_>>()
    };
    assert_eq!(
        keys(plugin),
        [
            "name",
            "kind",
            "path",
            "refusals",
            "specification",
            "build",
            "hash",
            "needed",
            "runPaths",
            "glibc"
        ]
    );
    assert_eq!(
        keys(&plugin["build"]),
        [
            "package",
            "version",
            "api",
            "rustc",
            "abi",
            "abiStable",
            "target",
            "panic"
        ]
    );
    assert_eq!(plugin["name"], "standalone:file@v0.1.0");
    assert_eq!(
        plugin["specification"]["sourceParams"]["path"]["type"],
        "file"
    );
    assert_eq!(plugin["hash"].as_str().unwrap().len(), 64);
    assert_eq!(plugin["refusals"].as_array().unwrap().len(), 0);
}

#[test]
fn a_name_means_standalone_plugins_before_builtin_ones_and_what_is_refused_last() {
    let place = installed();
    fs::copy(place.path(FILE), place.path("plugins/a-refused.so")).unwrap();
    let everybody = Permissions::from_mode(0o666);
    fs::set_permissions(place.path("plugins/a-refused.so"), everybody).unwrap();
    let told = |name: &str, code| {
        let plugins = inspected(&place, code, &[name]);
        let of = |it: &Value| (it["path"].clone(), it["refusals"].as_array().unwrap().len());
        plugins.iter().map(of).collect::<Vec<_>>()
    };
    let used = (Value::from(format!("./{FILE}")), 0);
    let refused = (Value::from("./plugins/a-refused.so"), 1);
    let builtin = (Value::Null, 0);
    assert_eq!(
        told("file", 0),
        [used.clone(), builtin.clone(), refused.clone()]
    );
    assert_eq!(told("any:file@v0.1", 0).len(), 3);
    assert_eq!(told("standalone:file", 0), [used, refused.clone()]);
    assert_eq!(told("builtin:file@latest", 0), [builtin]);
    fs::remove_file(place.path(FILE)).unwrap();
    assert_eq!(told("standalone:file", 3), [refused]);
}

#[test]
fn files_that_keep_each_other_out_are_told_as_in_the_list() {
    let place = installed();
    let mut other = place.read(FILE);
    other.push(0);
    place.write("plugins/other.so", other);
    let plugins = inspected(&place, 0, &["file"]);
    let told: Vec<_> = plugins
        .iter()
        .map(|it| (&it["path"], &it["refusals"][0]["code"]))
        .collect();
    let paths = [FILE, "plugins/other.so"].map(|path| Value::from(format!("./{path}")));
    let duplicate = Value::from("load.duplicate");
    assert_eq!(
        told,
        [
            (&Value::Null, &Value::Null),
            (&paths[0], &duplicate),
            (&paths[1], &duplicate)
        ]
    );
    assert_eq!(inspected(&place, 3, &["standalone:file"]).len(), 2);
    let list = place.run(&["list"]).expect_code(0).stdout;
    assert_eq!(list.matches("load.duplicate").count(), 2, "{list}");
}

#[test]
fn what_is_not_there_is_told_with_what_is() {
    let place = installed();
    let missing = |name: &str| -> Finished { place.run(&["inspect", name]).expect_code(2) };
    let version = missing("file@v9.9.9").stderr;
    assert!(
        version.contains("no plugin `file@v9.9.9`; there is v0.1.0"),
        "{version}"
    );
    assert!(missing("nothing").stderr.contains("`./nothing`"));
    let logg = missing("logg").stderr;
    assert!(logg.contains("did you mean `builtin:log`?"), "{logg}");
    let standalone = missing("standalone:log").stderr;
    assert!(
        standalone.contains("did you mean `builtin:log`?"),
        "{standalone}"
    );
    let discrad = missing("discrad").stderr;
    assert!(
        discrad.contains("did you mean `standalone:discard`?"),
        "{discrad}"
    );
    assert!(missing("x:file").stderr.contains("prefix"));
}

#[test]
fn a_refused_file_is_told_with_the_reason_and_what_could_be_read() {
    let place = installed();
    fs::set_permissions(place.path(FILE), Permissions::from_mode(0o646)).unwrap();
    let human = place.run(&["inspect", FILE]).expect_code(3).stdout;
    for part in [
        "refused",
        "(load.world_writable, trust)",
        "help: `chmod o-w ",
        "forebay-connector-file 0.1.0",
        "libc.so.6",
        "NAME",
    ] {
        assert!(human.contains(part), "no {part} in {human}");
    }
    place.write("plugins/text.so", "no library");
    let text = inspected(&place, 3, &["plugins/text.so"]);
    assert_eq!(text[0]["refusals"][0]["code"], "load.not_library");
    assert_eq!(text[0]["specification"], Value::Null);
    let nothing = inspected(&place, 3, &["plugins/nothing.so"]);
    assert_eq!(nothing[0]["refusals"][0]["code"], "load.unreadable");
}

/// I7. Listing executes the file, else this would prove nothing.
#[test]
fn nothing_of_a_file_is_executed() {
    let place = Place::new();
    let fixture = "forebay_fixture_static_constructor";
    place.install(&[fixture]);
    let file = library_file(fixture);
    let file = format!("plugins/{}", file.file_name().unwrap().display());
    let touched = |arguments: &[&str]| {
        let mut command = place.command(arguments);
        command.env("FOREBAY_FIXTURE_TOUCH", place.path("it-ran"));
        let finished = place.spawn(command).finish().expect_code(0);
        assert!(
            finished
                .stdout
                .contains("forebay-fixture-static-constructor")
        );
        place.path("it-ran").exists()
    };
    assert!(!touched(&["inspect", &file]));
    assert!(!touched(&["inspect", "forebay-fixture-static-constructor"]));
    assert!(!touched(&["inspect", "--json", &file]));
    assert!(touched(&["list"]));
}
