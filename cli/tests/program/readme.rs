//! The README's pipelines and its plugin's manifest work as they are pasted.
//!
//! Its Rust is compiled, and its test is run, by the documentation tests of `plugin_api`.

use crate::support::Place;

const README: &str = include_str!("../../../README.md");

/// The README's `n`th block in this language.
fn block(language: &str, n: usize) -> &'static str {
    let opening = format!("```{language}\n");
    let block = README.split(&*opening).nth(n + 1);
    block.and_then(|rest| rest.split("```").next()).unwrap()
}

#[test]
fn the_first_pipeline_copies_lines_and_then_new_ones() {
    let place = Place::new();
    place.write("pipeline.yaml", block("yaml", 0));
    for lines in ["one\ntwo\n", "one\ntwo\nthree\n"] {
        place.write("in.txt", lines);
        place.run(&["run", "pipeline.yaml"]).expect_code(0);
        assert_eq!(place.read("out.txt"), lines.as_bytes());
    }
}

#[test]
fn the_further_fields_of_a_pipeline_are_right_and_have_an_effect() {
    let place = Place::new();
    let pipeline = [block("yaml", 0), block("yaml", 1)].concat();
    place.write("pipeline.yaml", pipeline);
    place.write("in.txt", "one\n");
    let finished = place.run(&["run", "pipeline.yaml"]).expect_code(0);
    assert!(!finished.stderr.contains("warning"), "{finished:?}");
    // The queue is opened with the other destinations.
    assert!(place.path("refused.txt").exists());
}

#[test]
fn the_plugin_s_pipeline_lacks_nothing_but_the_plugin() {
    let place = Place::new();
    place.write("counter.yaml", block("yaml", 2));
    let finished = place.run(&["run", "counter.yaml"]).expect_code(2);
    assert_eq!(
        finished.stderr.matches("error: ").count(),
        1,
        "{finished:?}"
    );
    let part = "no plugin `standalone:counter`";
    assert!(finished.stderr.contains(part), "{finished:?}");
}

#[test]
fn the_plugin_s_manifest_has_the_suite_for_its_test() {
    let package = Place::new().package(block("toml", 0));
    assert_eq!(package["name"], "forebay-connector-counter");
    assert_eq!(
        package["targets"][0]["crate_types"],
        serde_json::json!(["cdylib"])
    );
    let dependencies = package["dependencies"].as_array().unwrap();
    let for_tests = dependencies.iter().find(|it| it["kind"] == "dev").unwrap();
    assert_eq!(for_tests["name"], "forebay-plugin-api");
    assert_eq!(for_tests["features"], serde_json::json!(["testing"]));
}
