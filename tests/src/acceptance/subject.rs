//! What the suite is run against: the same plugin, in each kind that there is.

use std::sync::LazyLock;

use plugin_host::{Dispenser, PluginService, Registry, ScanOptions};

use crate::{Folder, Library, plugin_file};

/// A plugin that is one of the suite's two.
#[derive(Debug)]
pub struct Subject {
    good: PluginService,
    /// Its specifier fails.
    failing: PluginService,
}

const NAME: &str = "test-name";
const FILE: &str = "forebay-fixture-scripted";

impl Subject {
    /// The plugin, linked in.
    #[must_use]
    pub fn builtin() -> &'static Self {
        static SUBJECT: LazyLock<Subject> = LazyLock::new(|| {
            let service = |plugin| {
                let builtin = Registry::builtin([plugin]);
                assert!(builtin.quarantined().is_empty(), "{builtin:?}");
                PluginService::new(builtin, Registry::default())
            };
            Subject {
                good: service(forebay_fixture_scripted::plugin()),
                failing: service(forebay_fixture_scripted::specifier::plugin()),
            }
        });
        &SUBJECT
    }

    /// The plugin, loaded from its file.
    #[must_use]
    pub fn standalone() -> &'static Self {
        static SUBJECT: LazyLock<Subject> = LazyLock::new(|| {
            let service = |file: &Library| {
                let folder = Folder::new();
                folder.put("libforebay_fixture_scripted.so", file.bytes());
                let loaded = Registry::standalone(&[folder.path()], &ScanOptions::default());
                assert!(loaded.quarantined().is_empty(), "{loaded:?}");
                PluginService::new(Registry::default(), loaded)
            };
            let file = Library::read(&plugin_file(FILE));
            Subject {
                good: service(&file),
                failing: service(&file.with_second_root()),
            }
        });
        &SUBJECT
    }

    /// Makes connectors of the plugin.
    #[must_use]
    pub fn dispenser(&self) -> Dispenser {
        self.good.new_dispenser(NAME).unwrap()
    }

    /// Makes specifiers that fail.
    #[must_use]
    pub fn failing_dispenser(&self) -> Dispenser {
        self.failing.new_dispenser(NAME).unwrap()
    }
}
