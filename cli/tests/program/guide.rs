//! What the guide to writing a plugin shows beside Rust is right: its manifest and its pipelines.
//!
//! The Rust in it is compiled, and its tests are run, by the documentation tests of `plugin_api`.

use crate::support::Place;

const GUIDE: &str = include_str!("../../../docs/writing-a-plugin.md");

/// The guide's blocks in this language.
fn blocks(language: &str) -> Vec<&'static str> {
    let opening = format!("```{language}\n");
    let blocks = GUIDE.split(&*opening).skip(1);
    blocks
        .map(|rest| rest.split("```").next().unwrap())
        .collect()
}

#[test]
fn the_pipelines_lack_nothing_but_the_plugin() {
    let pipelines = blocks("yaml");
    assert!(!pipelines.is_empty());
    for pipeline in pipelines {
        let place = Place::new();
        place.write("pipeline.yaml", pipeline);
        let finished = place.run(&["validate", "pipeline.yaml"]).expect_code(2);
        let errors = finished.stderr.matches("error: ").count();
        assert_eq!(errors, 1, "{finished:?}");
        let part = "no plugin `standalone:spool`";
        assert!(finished.stderr.contains(part), "{finished:?}");
    }
}

#[test]
fn the_manifest_is_that_of_a_plugin() {
    // The first one is that of the plugin, the other one a part of another's.
    let [manifest, _] = blocks("toml")[..] else {
        panic!("the guide has two manifests");
    };
    let package = Place::new().package(manifest);
    assert_eq!(package["name"], "forebay-connector-spool");
    assert_eq!(
        package["targets"][0]["crate_types"],
        serde_json::json!(["cdylib", "rlib"])
    );
}
