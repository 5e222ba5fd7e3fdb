//! Which plugin a name means, among builtin and standalone ones in several versions.

use forebay_tests::{Folder, Library, plugin_file};
use plugin_api::Plugin;
use plugin_api::ffi::embed::MarkerFacts;
use plugin_api::ffi::{Export, NewDestination, NewSource, ROption, package_facts};
use plugin_host::registry::NameError;
use plugin_host::{LookupError, PluginName, PluginService, Registry, ScanOptions};

use super::{NEWER, SOURCE};

/// The builtin has version v0.1.0; the files are what is asked for.
fn service(files: &[&str]) -> PluginService {
    let folder = Folder::new();
    for file in files {
        folder.copy(&format!("{file}.so"), &plugin_file(file));
    }
    let builtin = Registry::builtin([forebay_fixture_source::plugin()]);
    let options = ScanOptions::default();
    PluginService::new(builtin, Registry::standalone(&[folder.path()], &options))
}

/// What is found under `KIND:forebay-fixture-source@VERSION`, in full.
fn found(service: &PluginService, name: &str) -> Result<String, LookupError> {
    let name: PluginName = name.replace('x', SOURCE).parse()?;
    let plugin = service.find(&name)?;
    Ok(plugin.name().to_string().replace(SOURCE, "x"))
}

#[test]
fn standalone_plugins_go_before_builtin_ones_and_newer_before_older() {
    let (none, older, newer, both) = (
        service(&[]),
        service(&[SOURCE]),
        service(&[NEWER]),
        service(&[SOURCE, NEWER]),
    );
    for (service, name, expected) in [
        (&none, "x", "builtin:x@v0.1.0"),
        (&older, "x", "standalone:x@v0.1.0"),
        (&older, "any:x@latest", "standalone:x@v0.1.0"),
        (&older, "builtin:x", "builtin:x@v0.1.0"),
        (&newer, "x", "standalone:x@v0.2.0"),
        // The standalone registry has the name, but not the version.
        (&newer, "any:x@v0.1.0", "builtin:x@v0.1.0"),
        (&newer, "builtin:x@latest", "builtin:x@v0.1.0"),
        (&both, "x", "standalone:x@v0.2.0"),
        (&both, "x@v0.1", "standalone:x@v0.1.0"),
        (&both, "standalone:x@v0.1.0", "standalone:x@v0.1.0"),
        (&both, "standalone:x@0.2.0", "standalone:x@v0.2.0"),
    ] {
        assert_eq!(found(service, name).as_deref(), Ok(expected), "{name}");
    }
}

/// Another package with the same plugin.
#[derive(Debug)]
enum Other {}

impl Export for Other {
    const FACTS: MarkerFacts = package_facts(SOURCE, "9.9.9", "v0.1.0", "", "", "unused", true);
    const NEW_SOURCE: ROption<NewSource> = ROption::RNone;
    const NEW_DESTINATION: ROption<NewDestination> = ROption::RNone;
}

#[test]
fn the_same_builtin_twice_is_one_and_another_of_its_name_keeps_both_out() {
    let (source, newer) = (
        forebay_fixture_source::plugin,
        forebay_fixture_newer_source::plugin,
    );
    let twice = Registry::builtin([source(), newer(), source()]);
    assert!(twice.quarantined().is_empty(), "{:?}", twice.quarantined());
    assert_eq!(twice.plugins().count(), 2);
    let collided = Registry::builtin([source(), Plugin::of::<Other>(), newer(), source()]);
    let codes: Vec<_> = collided
        .quarantined()
        .iter()
        .map(|it| (it.path.to_str().unwrap(), it.error.code()))
        .collect();
    assert_eq!(codes, [(SOURCE, "load.duplicate"); 3]);
    let left: Vec<_> = collided.versions(SOURCE).collect();
    assert_eq!(left, ["v0.2.0"]);
}

/// The package of the source fixture, as another plugin.
#[derive(Debug)]
enum Facade {}

impl Export for Facade {
    const FACTS: MarkerFacts = package_facts(SOURCE, "0.1.0", "v0.1.0", "", "", "unused", true);
    const NEW_SOURCE: ROption<NewSource> = ROption::RNone;
    const NEW_DESTINATION: ROption<NewDestination> = ROption::RNone;
}

#[test]
fn two_builtins_of_one_package_that_specify_different_things_are_both_kept_out() {
    let source = forebay_fixture_source::plugin();
    let other = Plugin::of::<Facade>();
    assert!(source.is_same(&other));
    let registry = Registry::builtin([source, other]);
    let codes: Vec<_> = registry
        .quarantined()
        .iter()
        .map(|it| it.error.code())
        .collect();
    assert_eq!(codes, ["load.duplicate"; 2]);
    assert_eq!(registry.plugins().count(), 0);
}

#[test]
fn what_is_not_there_is_told_with_the_versions_that_are() {
    let both = service(&[SOURCE, NEWER]);
    for (name, versions) in [
        ("standalone:x@v0.3.0", &["v0.2.0", "v0.1.0"][..]),
        ("builtin:x@v0.2.0", &["v0.1.0"]),
        ("x@v1", &["v0.2.0", "v0.1.0"]),
        ("nothing-like-it", &[]),
    ] {
        let error = found(&both, name).unwrap_err();
        assert_eq!(error.code(), "plugin.not_found");
        let LookupError::NotFound {
            versions: there, ..
        } = &error
        else {
            panic!("{error}");
        };
        assert_eq!(there, versions, "{name}");
        assert!(error.to_string().ends_with(&versions.join(", ")), "{error}");
    }
    let error = found(&both, "mistake:x").unwrap_err();
    assert_eq!(
        error,
        LookupError::Name(NameError::Prefix("mistake".into()))
    );
    assert_eq!(error.to_string(), r#"invalid plugin name prefix "mistake""#);
}

#[test]
fn versions_are_told_newest_first_whatever_their_kind_and_those_that_are_refused_apart() {
    let folder = Folder::new();
    folder.copy("old.so", &plugin_file(SOURCE));
    folder.put("new.so", refused_file(NEWER));
    let files = Registry::standalone(&[folder.path()], &ScanOptions::default());
    let told = |builtin: Vec<Plugin>, name: &str| {
        let service = PluginService::new(Registry::builtin(builtin), files.clone());
        found(&service, name)
            .unwrap_err()
            .to_string()
            .replace(SOURCE, "x")
    };
    let newer = forebay_fixture_newer_source::plugin;
    assert_eq!(
        told(vec![newer()], "any:x@v9"),
        "no plugin `x@v9`; there is v0.2.0, v0.1.0"
    );
    assert_eq!(
        told(vec![newer()], "standalone:x@v9"),
        "no plugin `standalone:x@v9`; there is v0.1.0; v0.2.0 is quarantined"
    );
    assert_eq!(told(vec![], "builtin:x@v9"), "no plugin `builtin:x@v9`");
}

/// A file with one thing wrong.
fn refused_file(package: &str) -> Library {
    Library::read(&plugin_file(package)).with_marker_field("panic", "abort")
}

#[test]
fn a_file_that_would_go_before_what_is_found_is_told() {
    let folder = Folder::new();
    let scan = || Registry::standalone(&[folder.path()], &ScanOptions::default());
    let source = || Registry::builtin([forebay_fixture_source::plugin()]);
    let passed_over = |name: &str| {
        let service = PluginService::new(source(), scan());
        let name: PluginName = name.replace('x', SOURCE).parse().unwrap();
        let refused = service.passed_over(&name)?;
        assert_eq!(refused.error.code(), "load.panic_abort");
        Some(super::file_name(&refused.path).to_owned())
    };
    assert_eq!(passed_over("x"), None);
    let old = Some("old.so".to_owned());
    folder.put("old.so", refused_file(SOURCE));
    assert_eq!(passed_over("x"), old);
    assert_eq!(passed_over("any:x@v0.1.0"), old);
    // This name doesn't mean the file, and that one is found nowhere else.
    assert_eq!(passed_over("builtin:x"), None);
    assert_eq!(passed_over("standalone:x"), None);
    // A good file of the same version is what is meant.
    folder.copy("same.so", &plugin_file(SOURCE));
    assert_eq!(passed_over("x"), None);
    folder.put("new.so", refused_file(NEWER));
    assert_eq!(passed_over("x"), Some("new.so".to_owned()));
    assert_eq!(passed_over("standalone:x"), Some("new.so".to_owned()));
    assert_eq!(passed_over("x@v0.1.0"), None);
}

#[test]
fn a_registry_lists_every_version_by_its_explicit_name() {
    let both = service(&[SOURCE, NEWER]);
    let standalone = both.standalone();
    let names: Vec<_> = standalone
        .plugins()
        .chain(both.builtin().plugins())
        .map(|plugin| (plugin.name().to_string(), plugin.path().is_some()))
        .collect();
    let full = |kind: &str, version: &str| format!("{kind}:{SOURCE}@{version}");
    assert_eq!(
        names,
        [
            (full("standalone", "v0.2.0"), true),
            (full("standalone", "v0.1.0"), true),
            (full("builtin", "v0.1.0"), false),
        ]
    );
}

#[test]
fn a_version_that_is_not_semantic_is_refused_before_the_file_is_opened() {
    let folder = Folder::new();
    for (file, version) in [
        ("latest.so", "latest"),
        ("word.so", "stable"),
        ("bare.so", "0.1.0"),
        ("short.so", "v1"),
        ("zero.so", "v01.0.0"),
    ] {
        let lie = |marker: &mut serde_json::Value| {
            marker["specification"]["version"] = version.into();
        };
        folder.put(file, super::good().with_marker(lie));
    }
    let registry = Registry::standalone(&[folder.path()], &ScanOptions::default());
    assert_eq!(registry.plugins().count(), 0);
    assert_eq!(registry.quarantined().len(), 5);
    for file in registry.quarantined() {
        // Were it opened, it would be refused because the code says another version.
        assert_eq!(file.error.code(), "load.specification_invalid", "{file:?}");
        assert!(file.error.to_string().contains("version"), "{}", file.error);
    }
}
