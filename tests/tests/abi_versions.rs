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
    Variant::new("minor")
        .edit(ABI_MANIFEST, "version = \"1.0.0\"", "version = \"1.1.0\"")
        .edit(
            "plugin-api/abi/src/module.rs",
            "pub extension: extern \"C\" fn(id: RStr<'_>) -> *const (),",
            "pub extension: extern \"C\" fn(id: RStr<'_>) -> *const (),
             /// A later field.
             pub later: extern \"C\" fn() -> u32,",
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
            "        extension,\n    };",
            "        extension,\n        later,\n    };",
        )
        .edit(
            EXPORT,
            "extern \"C\" fn extension(",
            "extern \"C\" fn later() -> u32 { 42 }\n\nextern \"C\" fn extension(",
        )
        .edit(
            EXPORT,
            "abi::SpecifierPlugin for SpecifierGlue<E> {",
            "abi::SpecifierPlugin for SpecifierGlue<E> {\n    fn later(&self) -> u32 { 2 }\n",
        )
        .edit(
            "plugin-host/src/loader/mod.rs",
            "    crate::ffi::specify(&mut specifier)",
            "    eprintln!(\"{}: {:?}, {}\", module.package(), module.later().map(|later| later()), specifier.later());
    crate::ffi::specify(&mut specifier)",
        )
});

static MINOR_PLUGIN: LazyLock<PathBuf> = LazyLock::new(|| MINOR.plugin(copies()));
static MINOR_HOST: LazyLock<PathBuf> = LazyLock::new(|| MINOR.scan(copies()));

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

/// Loads the plugin of this ABI and the one of the next minor version in one process.
fn load_both(host: &Path, first: &Path, second: &Path) -> Report {
    let folder = Folder::new();
    folder.copy("1.so", first);
    folder.copy("2.so", second);
    let report = scan(host, &folder);
    assert!(report.quarantined.is_empty(), "{:?}", report.quarantined);
    assert_eq!(
        report.ready,
        [
            format!("standalone:{PACKAGE}@v0.1.0"),
            format!("standalone:{PACKAGE}-minor@v0.1.0"),
        ]
    );
    report
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
fn an_older_host_loads_newer_plugins_in_any_order() {
    let host = Path::new(env!("CARGO_BIN_EXE_forebay-scan"));
    let (old, new) = (plugin_file(PACKAGE), &*MINOR_PLUGIN);
    load_both(host, &old, new);
    load_both(host, new, &old);
}

#[test]
fn a_newer_host_loads_older_plugins_in_any_order() {
    let (old, new) = (plugin_file(PACKAGE), &*MINOR_PLUGIN);
    for report in [
        load_both(&MINOR_HOST, &old, new),
        load_both(&MINOR_HOST, new, &old),
    ] {
        let mut told: Vec<_> = report.stderr.lines().collect();
        told.sort_unstable();
        // The field isn't there, the method has its default body.
        let old = format!("{PACKAGE}: None, 1");
        let new = format!("{PACKAGE}-minor: Some(42), 2");
        assert_eq!(told, [new, old]);
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
