use std::collections::BTreeSet;

use super::*;

/// One of each variant. A variant that is missing here is missed by `every_variant_is_listed`.
fn all() -> Vec<LoadError> {
    let text = || "x".to_owned();
    let at = || Waypoint {
        what: "file",
        path: "/x".into(),
        run_path: None,
    };
    vec![
        LoadError::NotRegularFile { kind: text() },
        LoadError::DanglingLink { target: "x".into() },
        LoadError::ForeignOwner {
            at: at(),
            owner: 9,
            trusted: vec![5, 0],
        },
        LoadError::WorldWritable {
            at: at(),
            mode: 0o777,
        },
        LoadError::GroupWritable {
            at: at(),
            mode: 0o775,
            group: 9,
        },
        LoadError::Unreadable { error: text() },
        LoadError::TooLarge {
            length: 9,
            limit: 5,
        },
        LoadError::Empty,
        LoadError::NotLibrary { looks_like: text() },
        LoadError::Truncated {
            part: text(),
            end: 9,
            length: 5,
        },
        LoadError::Damaged { what: text() },
        LoadError::WrongBitness {
            found: 32,
            cpu: text(),
            expected: 64,
        },
        LoadError::ForeignCpu {
            found: text(),
            expected: text(),
        },
        LoadError::ForeignPlatform {
            found: text(),
            expected: text(),
        },
        LoadError::NoMarker,
        LoadError::MarkerDamaged { why: text() },
        LoadError::MarkerField {
            field: text(),
            why: text(),
        },
        LoadError::PrereleaseAbi {
            found: 0,
            expected: 1,
        },
        LoadError::NewerFormat {
            found: 2,
            expected: 1,
        },
        LoadError::TwoPlugins {
            packages: vec![text(), text()],
            file_stem: text(),
        },
        LoadError::ForeignTarget {
            found: text(),
            expected: text(),
        },
        LoadError::AbiMajor {
            found: text(),
            expected: text(),
        },
        LoadError::AbiStable {
            found: text(),
            expected: text(),
        },
        LoadError::PanicAbort { found: text() },
        LoadError::NewerGlibc {
            needed: text(),
            running: text(),
        },
        LoadError::RunPath {
            tag: "RPATH",
            entry: text(),
        },
        LoadError::NeededPath { entry: text() },
        LoadError::LibraryMissing { library: text() },
        LoadError::OpenFailed { text: text() },
        LoadError::TimedOut {
            path: "x".into(),
            after: Duration::from_secs(5),
        },
        LoadError::Image {
            what: text(),
            error: text(),
        },
        LoadError::SymbolMissing { symbol: text() },
        LoadError::HeaderInvalid { why: text() },
        LoadError::AbiVersion {
            found: text(),
            expected: text(),
        },
        LoadError::Layout {
            summary: text(),
            dump: text(),
        },
        LoadError::ModuleDiffers {
            field: "version",
            marker: text(),
            module: text(),
        },
        LoadError::ConstructorPanicked { message: text() },
        LoadError::ConstructorFailed { message: text() },
        LoadError::SpecificationDiffers {
            field: text(),
            marker: text(),
            specified: text(),
        },
        LoadError::SpecificationInvalid {
            field: text(),
            why: text(),
        },
        LoadError::Duplicate {
            name: text(),
            other: "x".into(),
        },
        LoadError::Shadowed {
            by: "x".into(),
            is_copy: true,
        },
    ]
}

#[test]
fn every_variant_is_listed() {
    let source = include_str!("facts.rs");
    let arms = source.matches("=> \"load.").count();
    assert_eq!(all().len(), arms, "`all()` misses a variant");
}

#[test]
fn each_variant_has_a_code_of_its_own() {
    let codes: BTreeSet<_> = all().iter().map(LoadError::code).collect();
    assert_eq!(codes.len(), all().len());
    for code in codes {
        let word = code.strip_prefix("load.").unwrap();
        assert!(
            word.chars().all(|c| c.is_ascii_lowercase() || c == '_'),
            "{code}"
        );
    }
}

#[test]
fn error_and_help_are_one_line_each_without_a_full_stop() {
    for error in all() {
        for line in [error.to_string(), error.help()] {
            assert!(
                !line.is_empty() && !line.contains('\n'),
                "{}: {line:?}",
                error.code()
            );
            assert!(!line.ends_with('.'), "{}: {line:?}", error.code());
            assert!(
                !line.starts_with(char::is_uppercase),
                "{}: {line:?}",
                error.code()
            );
        }
    }
}

#[test]
fn text_of_a_plugin_cannot_break_the_line_or_the_terminal() {
    let error = LoadError::ConstructorFailed {
        message: "  no\r\n\tdatabase \u{1b}[31mred\u{7}".into(),
    };
    assert_eq!(
        error.to_string(),
        "the plugin could not be set up: no database [31mred"
    );
}

#[test]
fn two_plugins_are_named_and_the_help_gives_a_file_name() {
    let error = LoadError::TwoPlugins {
        packages: vec!["connector-a".into(), "connector-b".into()],
        file_stem: "both".into(),
    };
    assert_eq!(
        error.to_string(),
        "expected one plugin in the file, found `connector-a`, `connector-b`"
    );
    assert!(error.help().contains("connector_a"), "{}", error.help());
}

#[test]
fn only_the_layout_has_details() {
    for error in all() {
        assert_eq!(
            error.details().is_some(),
            matches!(error, LoadError::Layout { .. }),
            "{}",
            error.code()
        );
    }
}

#[test]
fn it_can_be_sent_cloned_and_kept() {
    fn check<T: std::error::Error + Clone + PartialEq + Send + Sync + 'static>() {}
    check::<LoadError>();
    // Returned by value through every stage: clippy's limit for the error of a result.
    assert!(size_of::<LoadError>() < 128, "{}", size_of::<LoadError>());
}
