//! The host's example programs, run as a user would run them.
#![expect(
    clippy::unwrap_used,
    reason = "a test ends at the first thing that fails"
)]

use std::env::consts::EXE_SUFFIX;
use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use forebay_tests::{Folder, artifact_folder, plugin_file};

/// Builds an example of the host, as it is built with the tests, and runs it in a folder.
fn run(example: &str, folder: &Folder, arguments: &[&Path], input: &str) -> Output {
    let work = folder.path();
    let folder = artifact_folder();
    let mut build = Command::new(env!("CARGO"));
    build.args(["build", "--quiet", "--workspace", "--example", example]);
    build.current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
    build.arg("--target-dir").arg(folder.parent().unwrap());
    if folder.ends_with("release") {
        build.arg("--release");
    }
    assert!(build.status().unwrap().success());
    let program = folder
        .join("examples")
        .join(format!("{example}{EXE_SUFFIX}"));
    let mut running = Command::new(program)
        .args(arguments)
        .current_dir(work)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    running
        .stdin
        .take()
        .unwrap()
        .write_all(input.as_bytes())
        .unwrap();
    running.wait_with_output().unwrap()
}

fn plugins() -> Folder {
    let folder = Folder::new();
    folder.copy("file.so", &plugin_file("forebay-connector-file"));
    folder
}

#[track_caller]
fn told(output: &Output) -> String {
    let (out, errors) = (&output.stdout, String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{errors}");
    String::from_utf8_lossy(out).into_owned()
}

#[test]
fn the_first_program_copies_lines() {
    let work = Folder::new();
    fs::create_dir(work.at("plugins")).unwrap();
    work.copy("plugins/file.so", &plugin_file("forebay-connector-file"));
    fs::write(work.at("in.txt"), "one\ntwo\n").unwrap();
    let told = told(&run("first_program", &work, &[], ""));
    let mut lines = told.lines();
    assert!(
        lines.next().unwrap().starts_with("standalone:file@v"),
        "{told}"
    );
    assert_eq!(lines.next(), Some("settings without effect: []"));
    assert!(lines.next().unwrap().contains("committed: 2"), "{told}");
    let copied = fs::read_to_string(work.at("out.txt")).unwrap();
    assert_eq!(copied.lines().count(), 2, "{copied}");
}

#[test]
fn own_connectors_serve_beside_a_folder() {
    let (plugins, work) = (plugins(), Folder::new());
    let copy = work.at("copy.txt");
    let arguments = [&plugins.path(), &work.at("state"), &copy];
    let output = run(
        "own_connectors",
        &work,
        &arguments.map(|it| &**it),
        "a b\nb c\n",
    );
    let told = told(&output);
    assert!(told.contains(r#"{"a": 1, "b": 2, "c": 1}"#), "{told}");
    assert!(told.ends_with("2 lines\n"), "{told}");
    assert_eq!(fs::read_to_string(copy).unwrap(), "a b\nb c\n");
}

#[test]
fn async_code_follows_a_pipeline() {
    let (plugins, work) = (plugins(), Folder::new());
    let (input, copy) = (work.at("in.txt"), work.at("out.txt"));
    fs::write(&input, "one\ntwo\n").unwrap();
    let arguments = [&plugins.path(), &work.at("state"), &input, &copy];
    let output = run("from_async", &work, &arguments.map(|it| &**it), "");
    assert_eq!(told(&output), "Starting\nRunning\nEnded: 2 records\n");
    assert_eq!(fs::read_to_string(&copy).unwrap(), "one\ntwo\n");
    // What is wrong is told.
    let nowhere = work.at("nowhere");
    let arguments = [&nowhere, &work.at("state"), &input, &copy];
    let output = run("from_async", &work, &arguments.map(|it| &**it), "");
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        !output.status.success() && errors.contains("no plugin `file`"),
        "{errors}"
    );
}
