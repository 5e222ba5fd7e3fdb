//! What the documents say is proven by a test has that test.
#![expect(
    clippy::unwrap_used,
    reason = "a test's helper functions may fail the test"
)]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// The documents that name tests.
const DOCUMENTS: [&str; 3] = [
    "docs/operating.md",
    "docs/architecture.md",
    "docs/reliability.md",
];

/// Names of functions in all sources below the folder.
fn functions(folder: &Path, found: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap_or_default();
        if path.is_dir() && name != "target" && name != ".git" {
            functions(&path, found);
        } else if path.extension().is_some_and(|it| it == "rs") {
            let text = fs::read_to_string(&path).unwrap();
            let names = text.split("fn ").skip(1);
            let names = names.filter_map(|rest| rest.split(['(', '<']).next());
            found.extend(names.map(str::to_owned));
        }
    }
}

/// Names in code marks that are long enough to be a test's: with three underscores or more.
fn named(text: &str) -> impl Iterator<Item = &str> {
    let marked = text.split('`').skip(1).step_by(2);
    marked.filter(|name| {
        let is_name = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        name.matches('_').count() >= 3 && name.chars().all(is_name)
    })
}

#[test]
fn every_test_that_a_document_names_is_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut known = BTreeSet::new();
    functions(root, &mut known);
    for document in DOCUMENTS {
        let text = fs::read_to_string(root.join(document)).unwrap();
        let missing: Vec<_> = named(&text).filter(|name| !known.contains(*name)).collect();
        assert!(missing.is_empty(), "{document} names {missing:#?}");
        assert!(named(&text).next().is_some(), "{document} names tests");
    }
}
