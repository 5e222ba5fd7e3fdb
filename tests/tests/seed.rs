//! The seed's test plugin, as its registry and service tests use it.

use std::collections::BTreeMap;
use std::sync::Arc;

use forebay_tests::{Folder, Library, plugin_file};
use plugin_api::{Parameter, ParameterType, Specification, Validation, ValidationType};
use plugin_host::registry::VersionRequest;
use plugin_host::{LookupError, PluginKind, PluginService, Registry, ScanOptions};
use serde_json::json;

const PACKAGE: &str = "forebay-fixture-seed";
const FILE: &str = "libforebay_fixture_seed.so";

fn standalone(file: &Library) -> Registry {
    let folder = Folder::new();
    folder.put(FILE, file.bytes());
    Registry::standalone(&[folder.path()], &ScanOptions::default())
}

fn good() -> Registry {
    let registry = standalone(&Library::read(&plugin_file(PACKAGE)));
    assert!(registry.quarantined().is_empty(), "{registry:?}");
    registry
}

fn builtin() -> Registry {
    Registry::builtin([forebay_fixture_seed::plugin()])
}

/// What the plugin tells, but for the two defaults that are not of their types.
fn specification() -> Specification {
    let parameter = |name: &str, kind, description: &'static str, checks: &[(_, &'static str)]| {
        let checks = checks.iter();
        let checks = checks.map(|&(kind, value)| Validation {
            kind,
            value: value.into(),
        });
        let parameter = Parameter {
            default: "".into(),
            kind,
            description: description.into(),
            validations: checks.collect(),
            secret: false,
        };
        (name.to_owned(), parameter)
    };
    Specification {
        name: "test-plugin".to_owned(),
        summary: "My test plugin summary".to_owned(),
        description: "My test plugin description".to_owned(),
        version: "v0.1.0".to_owned(),
        author: "test".to_owned(),
        acks: plugin_api::AckMode::Last,
        source_params: Some(BTreeMap::from([
            parameter(
                "src.foo",
                ParameterType::String,
                "source param foo",
                &[
                    (ValidationType::Required, ""),
                    (ValidationType::Inclusion, "one,two"),
                ],
            ),
            parameter(
                "src.bar",
                ParameterType::Int,
                "source param bar",
                &[
                    (ValidationType::Exclusion, "3,4"),
                    (ValidationType::GreaterThan, "1"),
                ],
            ),
        ])),
        destination_params: Some(BTreeMap::from([
            parameter(
                "dest.foo",
                ParameterType::Int,
                "destination param foo",
                &[
                    (ValidationType::LessThan, "10"),
                    (ValidationType::Regex, "[1-9]"),
                    (ValidationType::Required, ""),
                ],
            ),
            parameter(
                "dest.bar",
                ParameterType::Duration,
                "destination param bar",
                &[],
            ),
        ])),
    }
}

#[test]
fn a_folder_with_one_plugin_has_one_version_and_that_is_the_latest() {
    let registry = good();
    let plugins: Vec<_> = registry.plugins().collect();
    assert_eq!(plugins.len(), 1);
    assert_eq!(plugins[0].specification(), &specification());
    assert_eq!(
        registry.versions("test-plugin").collect::<Vec<_>>(),
        ["v0.1.0"]
    );
    for name in ["test-plugin", "test-plugin@latest", "test-plugin@v0.1.0"] {
        let found = registry.find(&name.parse().unwrap()).unwrap();
        assert!(Arc::ptr_eq(found, plugins[0]), "{name}");
    }
    assert_ne!(*plugins[0].name().version(), VersionRequest::Latest);
}

#[test]
fn a_list_has_just_the_explicit_names() {
    let service = PluginService::new(builtin(), good());
    service.check().unwrap();
    let expected = specification();
    let names = [
        "builtin:test-plugin@v0.1.0",
        "standalone:test-plugin@v0.1.0",
    ];
    let listed = service.list();
    assert_eq!(listed.keys().collect::<Vec<_>>(), names);
    assert!(listed.values().all(|it| *it == expected));
}

#[test]
fn the_seeds_own_defaults_are_refused_as_they_are_not_of_their_types() {
    for (side, name, kind) in [
        ("sourceParams", "src.bar", "integer"),
        ("destinationParams", "dest.bar", "duration"),
    ] {
        let file = Library::read(&plugin_file(PACKAGE));
        let file = file.with_marker(|marker| {
            marker["specification"][side][name]["default"] = json!("bar");
        });
        let service = PluginService::new(Registry::default(), standalone(&file));
        let unhealthy = service.check().unwrap_err();
        let refused = &unhealthy.quarantined[0];
        assert_eq!(refused.error.code(), "load.specification_invalid");
        let text = unhealthy.to_string();
        assert!(text.contains(name) && text.contains(kind), "{text}");
    }
}

/// Which plugin a name leads to.
fn dispensed(service: &PluginService, name: &str) -> Result<String, LookupError> {
    let dispenser = service.new_dispenser(name)?;
    let mut specifier = dispenser.dispense_specifier().expect("a specifier");
    assert_eq!(specifier.specify(), Ok(specification()));
    Ok(dispenser.blueprint().name().to_string())
}

#[test]
fn a_dispenser_is_of_the_kind_that_the_name_asks_for() {
    let both = PluginService::new(builtin(), good());
    let only_builtin = PluginService::new(builtin(), Registry::default());
    let only_standalone = PluginService::new(Registry::default(), good());
    let is_builtin = Ok("builtin:test-plugin@v0.1.0".to_owned());
    let is_standalone = Ok("standalone:test-plugin@v0.1.0".to_owned());
    assert_eq!(dispensed(&both, "standalone:test-plugin"), is_standalone);
    assert_eq!(dispensed(&both, "builtin:test-plugin"), is_builtin);
    // Without a kind the standalone one goes first.
    assert_eq!(dispensed(&both, "test-plugin"), is_standalone);
    assert_eq!(dispensed(&only_builtin, "test-plugin"), is_builtin);
    assert_eq!(
        dispensed(&only_builtin, "any:test-plugin@v0.1.0"),
        is_builtin
    );
    for (service, name) in [
        (&only_builtin, "standalone:test-plugin"),
        (&only_standalone, "builtin:test-plugin"),
        (&both, "test-plugin@v0.2.0"),
    ] {
        let error = dispensed(service, name).unwrap_err();
        assert_eq!(error.code(), "plugin.not_found", "{name}");
    }
    let kind = only_standalone
        .find(&"test-plugin".parse().unwrap())
        .unwrap();
    assert_eq!(kind.name().kind(), PluginKind::Standalone);
}

#[test]
fn a_kind_that_there_is_not_is_told() {
    let service = PluginService::new(builtin(), good());
    let error = dispensed(&service, "mistake:test-plugin").unwrap_err();
    assert_eq!(error.to_string(), r#"invalid plugin name prefix "mistake""#);
}
