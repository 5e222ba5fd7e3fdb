//! Opens a shared library and gets the root module out of it: stages 3 and 4 of loading.

use std::error::Error as _;
use std::mem::ManuallyDrop;
use std::path::Path;

use abi_stable::StableAbi;
use abi_stable::library::{AbiHeaderRef, LibHeader, LibraryError, RootModuleError};
use libloading::Library;
use plugin_api::ffi::{ABI_VERSION, PluginModule_Ref};

use super::host::{HostServices, max_level};
use super::layout;
use crate::loader::{LoadError, Marker, explain_open_failure};

/// Opens the library, checks the ABI and returns its root module.
///
/// The library is never closed: a thread of the plugin, a destructor of a thread-local or an object
/// that a detached call still uses may run its code at any later time.
pub(crate) fn open(
    path: &Path,
    marker: &Marker,
    host: HostServices,
) -> Result<PluginModule_Ref, LoadError> {
    let header = find_header(path, marker)?;
    check_version(header)?;
    layout::check(header, <PluginModule_Ref as StableAbi>::LAYOUT)?;
    let module = root_module(header)?;
    let strategy = if module.panic_unwinds() {
        "unwind"
    } else {
        "abort"
    };
    for (field, marker, module) in [
        ("package", &*marker.package, module.package().as_str()),
        ("version", &marker.version, module.version().as_str()),
        ("panic", &marker.panic, strategy),
    ] {
        same(field, marker, module)?;
    }
    module.install()(host.services(), max_level());
    Ok(module)
}

fn find_header(path: &Path, marker: &Marker) -> Result<&'static LibHeader, LoadError> {
    // SAFETY: stages 1 and 2 have let the file pass (I7): it is whole, it is for this platform, it
    // says that it is one of our plugins, and its owner is trusted to run code in this process.
    let library = unsafe { open_now(path) };
    let library = ManuallyDrop::new(library.map_err(|error| {
        // libloading keeps the system's text in the source and says `dlopen failed` itself.
        let text = error
            .source()
            .map_or_else(|| error.to_string(), ToString::to_string);
        explain_open_failure(&text)
    })?);
    // Whoever looks for what has killed the process learns which side of dlopen it was.
    log::debug!(
        "`{}` is mapped and has run its constructors",
        path.display()
    );
    // SAFETY: the symbol that the marker names is the `LibHeader` that `export_plugin!` has made,
    // and an `AbiHeaderRef` is a reference to what a header begins with. A file that lies here is
    // as trusted as its static constructors, which have run already.
    let header = unsafe { library.get::<AbiHeaderRef>(marker.symbol.as_bytes()) };
    let header = header.map_err(|_| LoadError::SymbolMissing {
        symbol: marker.symbol.clone(),
    })?;
    let header: AbiHeaderRef = *header;
    header.upgrade().map_err(|error| LoadError::HeaderInvalid {
        why: header_fault(&error),
    })
}

/// Opens a library with all its symbols bound now, and none of them visible to others.
///
/// # Safety
///
/// The library's constructors run: they must be trusted.
#[cfg(unix)]
unsafe fn open_now(path: &Path) -> Result<Library, libloading::Error> {
    use libloading::os::unix::{Library, RTLD_LOCAL, RTLD_NOW};
    // SAFETY: the caller vouches for the library.
    unsafe { Library::open(Some(path), RTLD_NOW | RTLD_LOCAL) }.map(Into::into)
}

/// Opens a library.
///
/// # Safety
///
/// The library's constructors run: they must be trusted.
#[cfg(not(unix))]
unsafe fn open_now(path: &Path) -> Result<Library, libloading::Error> {
    // SAFETY: the caller vouches for the library.
    unsafe { Library::new(path) }
}

/// Short words for a header that can't be used; `abi_stable`'s own text prints the magic as numbers.
fn header_fault(error: &LibraryError) -> String {
    match error {
        LibraryError::InvalidAbiHeader(header) => {
            let ours = abi_stable::library::AbiHeader::VALUE;
            if header.magic_string == ours.magic_string {
                format!(
                    "abi_stable {}.{} in the header, this host uses {}.{}",
                    header.abi_major, header.abi_minor, ours.abi_major, ours.abi_minor
                )
            } else {
                "it doesn't begin with abi_stable's magic".to_owned()
            }
        }
        LibraryError::InvalidCAbi { .. } => {
            "the two sides disagree about how C calls pass values".to_owned()
        }
        other => other.to_string().trim().to_owned(),
    }
}

/// Whether the module speaks our ABI: the same major version. A newer minor one has more fields at
/// the end, an older one fewer; both are fine.
fn check_version(header: &LibHeader) -> Result<(), LoadError> {
    let version = header.version_strings();
    let found = version.version.as_str();
    let major = |version: &str| version.split('.').next().map(str::to_owned);
    if major(found) == major(ABI_VERSION) {
        return Ok(());
    }
    Err(LoadError::AbiVersion {
        found: found.to_owned(),
        expected: ABI_VERSION.to_owned(),
    })
}

/// The marker was believed so far. Where the module says otherwise, it belongs to another build.
fn same(field: &'static str, marker: &str, module: &str) -> Result<(), LoadError> {
    if marker == module {
        return Ok(());
    }
    Err(LoadError::ModuleDiffers {
        field,
        marker: marker.to_owned(),
        module: module.escape_debug().to_string(),
    })
}

fn root_module(header: &'static LibHeader) -> Result<PluginModule_Ref, LoadError> {
    // SAFETY: the layouts were compared by `layout::check`, so the module is a `PluginModule_Ref`.
    let module = unsafe { header.unchecked_layout::<PluginModule_Ref>() };
    module.map_err(|error| match error {
        RootModuleError::Unwound => LoadError::ConstructorPanicked {
            message: "its root module's constructor unwound".to_owned(),
        },
        other => LoadError::ConstructorFailed {
            message: other.to_string(),
        },
    })
}
