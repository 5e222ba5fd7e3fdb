//! The root module: the one value that a plugin is.

use abi_stable::StableAbi;
use abi_stable::library::RootModule;
use abi_stable::package_version_strings;
use abi_stable::sabi_types::VersionStrings;
use abi_stable::std_types::{ROption, RResult, RStr};

use crate::plugin::{DestinationObject, SourceObject, SpecifierObject};
use crate::{Host_Ref, InstanceInfo_Ref, LogLevel, PluginError};

/// A plugin: constructors of its specifier, source and destination, and how it was built.
///
/// Linked in it is a builtin, found in a file it is a standalone plugin; past this value there is
/// one code path. New kinds of connector become optional fields at the end.
#[repr(C)]
#[derive(Debug, StableAbi)]
#[sabi(kind(Prefix))]
#[sabi(missing_field(option))]
pub struct PluginModule {
    /// Name of the plugin's package.
    pub package: RStr<'static>,
    /// Version of the plugin's package.
    pub version: RStr<'static>,
    /// Version of the author layer that it was built with.
    pub api_version: RStr<'static>,
    /// Compiler that built it.
    pub rustc: RStr<'static>,
    /// Whether panics unwind, so that they can be caught.
    pub panic_unwinds: bool,
    /// Makes a specifier.
    pub new_specifier: extern "C" fn(
        host: Host_Ref,
        info: InstanceInfo_Ref<'_>,
    ) -> RResult<SpecifierObject, PluginError>,
    /// Makes a source; none where the plugin has none.
    pub new_source: ROption<
        extern "C" fn(
            host: Host_Ref,
            info: InstanceInfo_Ref<'_>,
        ) -> RResult<SourceObject, PluginError>,
    >,
    /// Makes a destination; none where the plugin has none.
    pub new_destination: ROption<
        extern "C" fn(
            host: Host_Ref,
            info: InstanceInfo_Ref<'_>,
        ) -> RResult<DestinationObject, PluginError>,
    >,
    /// Leads the plugin's log and panic messages to the host. The loader calls it once, right after
    /// it has opened the file; never for a builtin, whose log is the host's already.
    pub install: extern "C" fn(host: Host_Ref, log_level: LogLevel),
    /// Changes the level from which on the plugin logs.
    pub set_log_level: extern "C" fn(log_level: LogLevel),
    /// A further service by its name: a pointer to a prefix type, or null.
    #[sabi(last_prefix_field)]
    pub extension: extern "C" fn(id: RStr<'_>) -> *const (),
}

impl RootModule for PluginModule_Ref {
    abi_stable::declare_root_module_statics! {PluginModule_Ref}
    const BASE_NAME: &'static str = "forebay_plugin";
    const NAME: &'static str = "forebay_plugin";
    const VERSION_STRINGS: VersionStrings = package_version_strings!();
}
