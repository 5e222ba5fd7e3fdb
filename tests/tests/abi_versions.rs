//! Plugins and hosts of different ABIs: which of them fit together, and what is said of those that
//! don't. The other ABIs are copies of the present source with a few edits, built here.

use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::time::Duration;

use forebay_tests::{Folder, Library, Report, Scan, Variant, plugin_file};
use plugin_api::ffi::ABI_VERSION;
use plugin_host::loader::{LoadError, Stage};
use plugin_host::{Registry, ScanOptions};

const PACKAGE: &str = "forebay-fixture-source";
const ABI_MANIFEST: &str = "plugin-api/abi/Cargo.toml";
const EXPORT: &str = "plugin-api/src/ffi/export.rs";

/// Where the copies are kept, so that cargo knows them again.
fn copies() -> &'static Path {
    Path::new(env!("CARGO_TARGET_TMPDIR"))
}

/// The next minor version: a field more in the module, a method more in a trait. Its host tells
/// what it finds behind both.
static MINOR: LazyLock<Variant> = LazyLock::new(|| {
    grown("minor", "1.1.0")
        .edit(
            "plugin-api/src/ffi/plugin.rs",
            "    /// Name of the plugin's package;",
            "    /// The root module.
            pub fn module(&self) -> Option<abi::PluginModule_Ref> {
                match self.0 { Form::Module(module) => Some(module), Form::Value(_) => None }
            }

            /// Name of the plugin's package;",
        )
        .edit(
            "plugin-host/src/loader/mod.rs",
            "    crate::ffi::specify(&mut specifier",
            "    if let Some(module) = plugin.module() {
                eprintln!(
                    \"{}: {:?}, {}\",
                    module.package(), module.later().map(|later| later()), specifier.later(),
                );
            }
            crate::ffi::specify(&mut specifier",
        )
});

static MINOR_PLUGIN: LazyLock<PathBuf> = LazyLock::new(|| MINOR.plugin(copies()));
static MINOR_HOST: LazyLock<PathBuf> = LazyLock::new(|| MINOR.scan(copies()));

/// The minor version after that, with one more field.
static SECOND_MINOR_PLUGIN: LazyLock<PathBuf> =
    LazyLock::new(|| with_field(grown("second-minor", "1.2.0"), "latest").plugin(copies()));

/// An ABI that has grown as it may.
fn grown(name: &str, version: &str) -> Variant {
    with_field(Variant::new(name), "later")
        .edit(
            ABI_MANIFEST,
            "version = \"1.0.0\"",
            &format!("version = \"{version}\""),
        )
        .edit(
            "plugin-api/abi/src/plugin.rs",
            "fn specify(&mut self) -> RResult<Specification, PluginError>;",
            "fn specify(&mut self) -> RResult<Specification, PluginError>;

             /// A later method.
             fn later(&self) -> u32 { 1 }",
        )
        .edit(
            EXPORT,
            "abi::SpecifierPlugin for SpecifierGlue<F> {",
            "abi::SpecifierPlugin for SpecifierGlue<F> {\n    fn later(&self) -> u32 { 2 }\n",
        )
}

/// Appends a field to the module.
fn with_field(variant: Variant, field: &str) -> Variant {
    variant
        .edit(
            "plugin-api/abi/src/module.rs",
            "}\n\nimpl RootModule for",
            &format!(
                "    /// A later field.
                pub {field}: extern \"C\" fn() -> u32,\n}}\n\nimpl RootModule for"
            ),
        )
        .edit(
            EXPORT,
            "    };\n\n    staticref!",
            &format!("        {field},\n    }};\n\n    staticref!"),
        )
        .edit(
            EXPORT,
            "extern \"C\" fn extension(",
            &format!("extern \"C\" fn {field}() -> u32 {{ 42 }}\n\nextern \"C\" fn extension("),
        )
}

/// Another major version, with nothing else changed.
static MAJOR_PLUGIN: LazyLock<PathBuf> = LazyLock::new(|| {
    Variant::new("major")
        .edit(ABI_MANIFEST, "version = \"1.0.0\"", "version = \"2.0.0\"")
        .edit(
            "Cargo.toml",
            "plugin-api/abi\", version = \"1.0.0\"",
            "plugin-api/abi\", version = \"2.0.0\"",
        )
        .plugin(copies())
});

/// The mistake that the layout check is for: a plain struct grows, the version stays.
static STRUCT_PLUGIN: LazyLock<PathBuf> = LazyLock::new(|| {
    let file = "plugin-api/abi/src/batch.rs";
    Variant::new("struct")
        .edit(
            file,
            "    pub reserved: u32,\n}",
            "    pub reserved: u32,\n    /// A later field.\n    pub later: u32,\n}",
        )
        .edit(
            file,
            "size_of::<RecordIndex>() == 48",
            "size_of::<RecordIndex>() == 52",
        )
        .plugin(copies())
});

/// As before, but the struct keeps its size: only the meaning of a field is another.
static FIELD_PLUGIN: LazyLock<PathBuf> = LazyLock::new(|| {
    Variant::new("field")
        .edit(
            "plugin-api/abi/src/batch.rs",
            "    pub reserved: u32,",
            "    pub reserved: i32,",
        )
        .edit(
            "plugin-api/abi/src/batch.rs",
            "pub const NACKED: u32",
            "pub const NACKED: i32",
        )
        .plugin(copies())
});

/// What an author gets who has set `panic = "abort"` in the profile.
static ABORT_PLUGIN: LazyLock<PathBuf> = LazyLock::new(|| {
    Variant::new("abort")
        .profile("panic=\"abort\"")
        .plugin(copies())
});

fn scan(host: &Path, folder: &Folder) -> Report {
    Scan::new(host, Duration::from_secs(20), &[folder.path()]).run()
}

/// Loads plugins of this ABI and of the two next minor versions in one process, in each order.
fn load_in_any_order(host: &Path) -> Vec<Report> {
    let plugins = [
        plugin_file(PACKAGE),
        MINOR_PLUGIN.clone(),
        SECOND_MINOR_PLUGIN.clone(),
    ];
    let orders = [
        [0, 1, 2],
        [0, 2, 1],
        [1, 0, 2],
        [1, 2, 0],
        [2, 0, 1],
        [2, 1, 0],
    ];
    orders
        .into_iter()
        .map(|order| {
            let folder = Folder::new();
            for (place, plugin) in order.into_iter().enumerate() {
                folder.copy(&format!("{place}.so"), &plugins[plugin]);
            }
            let report = scan(host, &folder);
            let refused = &report.quarantined;
            assert!(refused.is_empty(), "in the order {order:?}: {refused:?}");
            let names = ["", "-minor", "-second-minor"];
            assert_eq!(
                report.ready,
                names.map(|name| format!("standalone:{PACKAGE}{name}@v0.1.0"))
            );
            report
        })
        .collect()
}

/// The error of a file that was refused, beside a good one that was not.
fn refusal(file: &Library) -> LoadError {
    let folder = Folder::new();
    folder.put("1-bad.so", file);
    folder.copy("2-good.so", &plugin_file(PACKAGE));
    let registry = Registry::standalone(&[folder.path()], &ScanOptions::default());
    assert_eq!(registry.plugins().count(), 1);
    assert_eq!(registry.quarantined().len(), 1);
    registry.quarantined()[0].error.clone()
}

#[test]
fn a_host_loads_newer_plugins_in_any_order() {
    load_in_any_order(Path::new(env!("CARGO_BIN_EXE_forebay-scan")));
}

#[test]
fn a_host_between_loads_older_and_newer_plugins_in_any_order() {
    for report in load_in_any_order(&MINOR_HOST) {
        let mut told: Vec<_> = report.stderr.lines().collect();
        told.sort_unstable();
        // Where the field isn't there, the method has its default body.
        assert_eq!(
            told,
            [
                format!("{PACKAGE}-minor: Some(42), 2"),
                format!("{PACKAGE}-second-minor: Some(42), 2"),
                format!("{PACKAGE}: None, 1"),
            ]
        );
    }
}

#[test]
fn a_plugin_of_another_major_version_is_refused_by_its_marker() {
    let error = refusal(&Library::read(&MAJOR_PLUGIN));
    assert_eq!(
        (error.code(), error.stage()),
        ("load.abi_major", Stage::Look)
    );
    assert_eq!(
        error.to_string(),
        format!("built for plugin ABI 2.0.0, this host speaks {ABI_VERSION}")
    );
    assert!(error.help().contains("for ABI 1"), "{}", error.help());
}

#[test]
fn a_plugin_of_another_major_version_is_refused_whatever_its_marker_says() {
    let error = refusal(&Library::read(&MAJOR_PLUGIN).with_marker_field("abi", ABI_VERSION));
    assert_eq!(
        (error.code(), error.stage()),
        ("load.abi_version", Stage::Abi)
    );
    assert_eq!(
        error.to_string(),
        format!("its header says plugin ABI 2.0.0, this host speaks {ABI_VERSION}")
    );
    assert!(error.help().contains("for ABI 1"), "{}", error.help());
}

#[test]
fn a_plugin_with_a_changed_struct_is_refused_and_the_struct_named() {
    let error = refusal(&Library::read(&STRUCT_PLUGIN));
    assert_eq!((error.code(), error.stage()), ("load.layout", Stage::Abi));
    assert_eq!(
        error.to_string(),
        "type layouts differ: `RecordIndex` has the size 52, expected 48, \
         has the number of fields 11, expected 10"
    );
    assert!(error.help().contains("rebuild"), "{}", error.help());
    // The whole report is there for who wants it.
    let details = error.details().unwrap();
    assert!(details.contains("later") && details.len() > 1000);
}

#[test]
fn a_plugin_with_a_changed_field_is_refused_and_the_field_named() {
    let error = refusal(&Library::read(&FIELD_PLUGIN));
    assert_eq!(error.code(), "load.layout");
    assert_eq!(
        error.to_string(),
        "type layouts differ: `RecordIndex.reserved` is of type i32, expected u32"
    );
}

#[test]
fn a_plugin_that_aborts_on_panic_is_refused() {
    let error = refusal(&Library::read(&ABORT_PLUGIN));
    assert_eq!(
        (error.code(), error.stage()),
        ("load.panic_abort", Stage::Look)
    );
    assert_eq!(
        error.to_string(),
        "built with panic=abort, a plugin in this process needs panic=unwind"
    );
}
