//! The folder that `quickstart` makes.

use crate::support::Place;

#[test]
fn the_data_flows_through_loaded_plugins_again_and_again() {
    let place = Place::new();
    for _ in 0..2 {
        let finished = place.run(&["quickstart", "q"]).expect_code(0);
        assert!(finished.stdout.contains("34,924 lines"), "{finished:?}");
        assert!(place.read("q/copy.txt") == place.read("q/UnicodeData.txt"));
        let pipeline = String::from_utf8(place.read("q/pipeline.yaml")).unwrap();
        assert_eq!(pipeline.matches("plugin: standalone:file").count(), 2);
    }
}

#[test]
fn changed_data_is_kept() {
    let place = Place::new();
    place.run(&["quickstart", "q"]).expect_code(0);
    let mut mine = place.read("q/UnicodeData.txt");
    mine.extend(b"one more line\n");
    place.write("q/UnicodeData.txt", &mine);
    let finished = place.run(&["quickstart", "q"]).expect_code(3);
    assert!(
        finished.stderr.contains("q/UnicodeData.txt` isn't"),
        "{finished:?}"
    );
    assert!(place.read("q/UnicodeData.txt") == mine);
}

#[test]
fn a_folder_with_other_content_is_left_alone() {
    let place = Place::new();
    std::fs::create_dir(place.path("mine")).unwrap();
    place.write("mine/notes.txt", "mine");
    let finished = place.run(&["quickstart", "mine"]).expect_code(3);
    assert!(finished.stderr.contains("notes.txt"), "{finished:?}");
    assert_eq!(std::fs::read_dir(place.path("mine")).unwrap().count(), 1);
}
