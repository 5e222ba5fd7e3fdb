//! Registries: which plugins there are, and what is wrong with the files that are none.
//!
//! A builtin and a standalone plugin are the same kind of value, so there is one type of registry
//! with two ways to fill it. Lookup is by name and version; the newest version is computed, never
//! stored. A registry never changes: looking into the folders again makes another one, and whoever
//! holds a plugin of the old one goes on with it.

mod builtin;
mod examined;
mod name;
mod opened;
mod scan;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use plugin_api::ffi::{DestinationObject, SourceObject, SpecifierObject};
use plugin_api::{Error, Plugin, Specification};

pub use examined::examine_folders;
pub use name::{
    NameError, PluginKind, PluginName, VersionRequest, compare_versions, parse_version,
};
use opened::Opened;
use scan::Scanned;
pub use scan::{ENDINGS, ScanOptions, plugin_files};

use crate::ffi::{Place, construct};
use crate::loader::{LoadError, Loaded};
use crate::parameters::Side;
use crate::secrets::InstanceSecrets;

/// One plugin in one version, ready to make connectors.
#[derive(Debug, Clone)]
pub struct Blueprint {
    pub(crate) name: PluginName,
    pub(crate) loaded: Loaded,
    pub(crate) path: Option<PathBuf>,
}

impl Blueprint {
    fn new(kind: PluginKind, loaded: Loaded, path: Option<PathBuf>) -> Result<Self, LoadError> {
        let name = explicit_name(kind, &loaded.specification)?;
        Ok(Self { name, loaded, path })
    }

    /// Full name, explicit in all its parts, such as `standalone:file@v0.1.0`.
    #[must_use]
    pub fn name(&self) -> &PluginName {
        &self.name
    }

    /// What the plugin tells about itself.
    #[must_use]
    pub fn specification(&self) -> &Specification {
        &self.loaded.specification
    }

    /// The file; `None` for a builtin.
    #[must_use]
    pub fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    /// SHA-256 of the file in hexadecimal; `None` for a builtin.
    #[must_use]
    pub fn hash(&self) -> Option<&str> {
        self.loaded.hash()
    }

    /// How it was built.
    #[must_use]
    pub fn build(&self) -> Build {
        let plugin = &self.loaded.plugin;
        Build {
            package: plugin.package().into(),
            version: plugin.version().into(),
            api: plugin.api_version().into(),
            rustc: plugin.rustc().into(),
        }
    }

    /// Makes a specifier.
    pub(crate) fn new_specifier(&self, place: &Place<'_>) -> Result<SpecifierObject, Error> {
        let plugin = &self.loaded.plugin;
        construct(
            |host, info| plugin.new_specifier(host, info),
            self.loaded.host,
            place,
        )
    }

    /// Makes a source.
    pub(crate) fn new_source(&self, place: &Place<'_>) -> Result<SourceObject, Error> {
        let plugin = &self.loaded.plugin;
        construct(
            |host, info| plugin.new_source(host, info),
            self.loaded.host,
            place,
        )
    }

    /// Makes a destination.
    pub(crate) fn new_destination(&self, place: &Place<'_>) -> Result<DestinationObject, Error> {
        let plugin = &self.loaded.plugin;
        construct(
            |host, info| plugin.new_destination(host, info),
            self.loaded.host,
            place,
        )
    }

    /// The secrets of an instance of one side, of which there are none yet.
    pub(crate) fn secrets(&self, side: Side) -> InstanceSecrets {
        let specification = self.specification();
        let parameters = match side {
            Side::Source => &specification.source_params,
            Side::Destination => &specification.destination_params,
        };
        let parameters = parameters.clone().unwrap_or_default();
        InstanceSecrets::new(self.loaded.host.secrets(), parameters)
    }

    /// Number of the plugin's objects that are alive.
    #[must_use]
    pub fn live_objects(&self) -> i64 {
        self.loaded.host.live_objects()
    }
}

/// How a plugin was built, as its code says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Build {
    /// Name of its package.
    pub package: String,
    /// Version of its package.
    pub version: String,
    /// Version of the author layer that it was built with.
    pub api: String,
    /// Compiler that built it.
    pub rustc: String,
}

/// A plugin that can't be used, and why.
#[derive(Debug, Clone)]
pub struct Quarantined {
    /// The file, or the package of a builtin.
    pub path: PathBuf,
    /// Full name, where the marker could be read.
    pub name: Option<PluginName>,
    /// What the marker says, where it could be read.
    pub specification: Option<Specification>,
    /// Why it can't be used.
    pub error: LoadError,
}

impl Quarantined {
    fn version(&self) -> Option<&str> {
        self.specification.as_ref().map(|it| &*it.version)
    }
}

/// A plugin file that is not used because another one goes before it.
#[derive(Debug, Clone)]
pub struct Shadowed {
    /// The file.
    pub path: PathBuf,
    /// Full name of the plugin in it.
    pub name: PluginName,
    /// What its marker says.
    pub specification: Specification,
    /// The file that is used.
    pub by: PathBuf,
    /// Whether that is a file of the same folder with the same content.
    pub is_copy: bool,
}

impl Shadowed {
    /// Why it is not used, in the form in which the reasons of quarantined files are told.
    #[must_use]
    pub fn reason(&self) -> LoadError {
        LoadError::Shadowed {
            by: self.by.clone(),
            is_copy: self.is_copy,
        }
    }
}

/// The plugins of one kind.
#[derive(Debug, Clone, Default)]
pub struct Registry {
    plugins: BTreeMap<String, Vec<Arc<Blueprint>>>,
    quarantined: Vec<Quarantined>,
    shadowed: Vec<Shadowed>,
    /// `None` where no folder was scanned.
    scanned: Option<Scanned>,
}

impl Registry {
    /// Registers plugins that are linked in.
    ///
    /// The same plugin given twice is one; two with the same name and version are both quarantined.
    ///
    /// Their code shares the process's panic hook: where a constructor panics, the hook that is
    /// installed tells so, by default on standard error, and the plugin is quarantined. A file has
    /// a hook of its own, which logs.
    #[must_use]
    pub fn builtin(plugins: impl IntoIterator<Item = Plugin>) -> Self {
        builtin::register(plugins)
    }

    /// Loads the plugin files of some folders; an earlier folder goes before a later one.
    ///
    /// A bad file never stops the others: it is quarantined. A folder that isn't there or can't be
    /// read has no plugins, and the log says so.
    #[must_use]
    pub fn standalone(folders: &[PathBuf], options: &ScanOptions) -> Self {
        scan::scan(Scanned {
            folders: folders.to_vec(),
            options: options.clone(),
            opened: Opened::default(),
        })
    }

    /// Looks into the same folders again, as they are now.
    ///
    /// What is new is loaded; a file whose content has changed replaces its predecessor; what is
    /// gone is no longer found. All rules hold over all files: a new one with the same name and
    /// version as one that was there, but with other content, quarantines both. The plugins of
    /// this registry stay as they are: nothing is unloaded, and a file that is unchanged is not
    /// opened again, not even one that was refused after it was opened.
    ///
    /// Without folders, as for builtins, the result is the same registry.
    #[must_use]
    pub fn rescan(&self) -> Self {
        match &self.scanned {
            Some(scanned) => scan::scan(scanned.clone()),
            None => self.clone(),
        }
    }

    /// Every plugin, by name and from the newest version to the oldest.
    pub fn plugins(&self) -> impl Iterator<Item = &Arc<Blueprint>> {
        self.plugins.values().flatten()
    }

    /// What can't be used, and why.
    #[must_use]
    pub fn quarantined(&self) -> &[Quarantined] {
        &self.quarantined
    }

    /// Files that are not used because another one goes before them.
    #[must_use]
    pub fn shadowed(&self) -> &[Shadowed] {
        &self.shadowed
    }

    /// Finds a plugin by its name and version, whatever the kind that the name asks for.
    #[must_use]
    pub fn find(&self, name: &PluginName) -> Option<&Arc<Blueprint>> {
        let versions = self.plugins.get(name.name())?;
        match name.version() {
            VersionRequest::Latest => versions.first(),
            exact => versions
                .iter()
                .find(|plugin| exact.names(&plugin.loaded.specification.version)),
        }
    }

    /// A plugin that the name means and that can't be used.
    pub(crate) fn refused(&self, name: &PluginName) -> Option<&Quarantined> {
        self.all_refused(name).next()
    }

    /// A file that can't be used and doesn't say which plugin it is, but is called as the one with
    /// this name is by default.
    pub(crate) fn refused_unnamed(&self, name: &str) -> Option<&Quarantined> {
        let package = format!("forebay-connector-{name}");
        let is_called_so = |it: &&Quarantined| {
            let stem = it.path.file_stem().unwrap_or_default().to_string_lossy();
            let stem = stem.strip_prefix("lib").unwrap_or(&stem).replace('_', "-");
            it.name.is_none() && [name, &package].contains(&&*stem)
        };
        self.quarantined.iter().find(is_called_so)
    }

    /// A file that the name would mean rather than `found`, could it be used. A standalone plugin
    /// goes before a builtin, and a newer version before an older one.
    pub(crate) fn refused_before(
        &self,
        name: &PluginName,
        found: &Blueprint,
    ) -> Option<&Quarantined> {
        let found_version = &found.loaded.specification.version;
        let goes_before = |version: &str| {
            found.name.kind() == PluginKind::Builtin
                || compare_versions(version, found_version).is_gt()
        };
        let mut refused = self.all_refused(name);
        refused
            .find(|it| name.kind() != PluginKind::Builtin && it.version().is_some_and(goes_before))
    }

    fn all_refused(&self, name: &PluginName) -> impl Iterator<Item = &Quarantined> {
        let means = |found: &PluginName| {
            let version = found.version();
            found.name() == name.name()
                && (*name.version() == VersionRequest::Latest
                    || name.version().names(&version.to_string()))
        };
        let quarantined = self.quarantined.iter();
        quarantined.filter(move |it| it.name.as_ref().is_some_and(means))
    }

    /// Versions of the plugin with this name, newest first.
    pub fn versions(&self, name: &str) -> impl Iterator<Item = &str> {
        self.plugins
            .get(name)
            .into_iter()
            .flatten()
            .map(|plugin| &*plugin.loaded.specification.version)
    }

    /// Versions of what is quarantined under this name, in no order.
    pub(crate) fn refused_versions(&self, name: &str) -> impl Iterator<Item = &str> {
        let quarantined = self.quarantined.iter();
        quarantined
            .filter(move |it| it.name.as_ref().is_some_and(|it| it.name() == name))
            .filter_map(Quarantined::version)
    }

    /// Adds a plugin whose name and version aren't there yet.
    fn insert(&mut self, plugin: Arc<Blueprint>) {
        let versions = self.plugins.entry(plugin.name.name().to_owned());
        let versions = versions.or_default();
        let at = versions.partition_point(|present| {
            let version = &plugin.loaded.specification.version;
            compare_versions(&present.loaded.specification.version, version).is_gt()
        });
        versions.insert(at, plugin);
    }
}

fn explicit_name(kind: PluginKind, specification: &Specification) -> Result<PluginName, LoadError> {
    PluginName::explicit(kind, &specification.name, &specification.version).map_err(|error| {
        LoadError::SpecificationInvalid {
            field: "name".to_owned(),
            why: error.to_string(),
        }
    })
}
