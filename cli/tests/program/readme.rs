//! The README's pipelines work as they are pasted.

use crate::support::Place;

const README: &str = include_str!("../../../README.md");

/// The README's `n`th block of YAML.
fn yaml(n: usize) -> &'static str {
    let block = README.split("```yaml\n").nth(n + 1);
    block.and_then(|rest| rest.split("```").next()).unwrap()
}

#[test]
fn the_first_pipeline_copies_lines_and_then_new_ones() {
    let place = Place::new();
    place.write("pipeline.yaml", yaml(0));
    for lines in ["one\ntwo\n", "one\ntwo\nthree\n"] {
        place.write("in.txt", lines);
        place.run(&["run", "pipeline.yaml"]).expect_code(0);
        assert_eq!(place.read("out.txt"), lines.as_bytes());
    }
}

#[test]
fn the_plugin_s_pipeline_lacks_nothing_but_the_plugin() {
    let place = Place::new();
    place.write("counter.yaml", yaml(1));
    let finished = place.run(&["run", "counter.yaml"]).expect_code(2);
    assert_eq!(
        finished.stderr.matches("error: ").count(),
        1,
        "{finished:?}"
    );
    let part = "no plugin `standalone:counter`";
    assert!(finished.stderr.contains(part), "{finished:?}");
}
