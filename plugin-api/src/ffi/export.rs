//! What `export_plugin!` expands to: the root module, its header and the marker.

use std::marker::PhantomData;

use abi_stable::library::{
    __call_root_module_loader, CheckTypeLayout, LibHeader, RootModuleResult,
};
use abi_stable::prefix_type::WithMetadata;
use abi_stable::sabi_trait::prelude::TD_Opaque;
use abi_stable::staticref;
use abi_stable::std_types::{ROption, RResult, RStr};
use forebay_abi as abi;

use super::convert::to_abi;
use super::embed::{MarkerFacts, SpecificationFacts};
use super::guard::guarded;
use super::instance::Instance;
use super::log;
use crate::specification::{AckMode, Specification};

/// A plugin's constants; `export_plugin!` implements it for a type of its own.
pub trait Export: 'static {
    /// What the marker and the specifier tell.
    const FACTS: MarkerFacts;
    /// Constructor of the source.
    const NEW_SOURCE: ROption<NewSource>;
    /// Constructor of the destination.
    const NEW_DESTINATION: ROption<NewDestination>;
}

/// Constructor of a source object.
pub type NewSource = extern "C" fn(
    abi::Host_Ref,
    abi::InstanceInfo_Ref<'_>,
) -> RResult<abi::SourceObject, abi::PluginError>;

/// Constructor of a destination object.
pub type NewDestination = extern "C" fn(
    abi::Host_Ref,
    abi::InstanceInfo_Ref<'_>,
) -> RResult<abi::DestinationObject, abi::PluginError>;

struct ModuleOf<E>(PhantomData<E>);

impl<E: Export> ModuleOf<E> {
    const MODULE: abi::PluginModule = abi::PluginModule {
        package: RStr::from_str(E::FACTS.package),
        version: RStr::from_str(E::FACTS.version),
        api_version: RStr::from_str(E::FACTS.api),
        rustc: RStr::from_str(E::FACTS.rustc),
        panic_unwinds: cfg!(panic = "unwind"),
        new_specifier: new_specifier::<E>,
        new_source: E::NEW_SOURCE,
        new_destination: E::NEW_DESTINATION,
        install: log::install,
        set_log_level: log::set_level,
        extension,
    };

    staticref!(const STATIC: WithMetadata<abi::PluginModule> = WithMetadata::new(Self::MODULE));
}

pub(super) fn module<E: Export>() -> abi::PluginModule_Ref {
    abi::PluginModule_Ref(ModuleOf::<E>::STATIC.as_prefix())
}

extern "C" fn root_module<E: Export>() -> RootModuleResult {
    __call_root_module_loader(module::<E>)
}

/// The header that a loader finds under the plugin's symbol.
#[must_use]
pub const fn header<E: Export>() -> LibHeader {
    // SAFETY: `root_module` returns what `module` made, a `PluginModule_Ref`.
    unsafe {
        LibHeader::from_constructor::<abi::PluginModule_Ref>(root_module::<E>, CheckTypeLayout::Yes)
    }
}

extern "C" fn extension(_id: RStr<'_>) -> *const () {
    std::ptr::null()
}

extern "C" fn new_specifier<E: Export>(
    host: abi::Host_Ref,
    _info: abi::InstanceInfo_Ref<'_>,
) -> RResult<abi::SpecifierObject, abi::PluginError> {
    to_abi(guarded(|| {
        let glue = SpecifierGlue::new(host, || E::FACTS.specification());
        Ok(abi::SpecifierObject::from_value(glue, TD_Opaque))
    }))
}

/// Makes an answer a [`SpecifierPlugin`](abi::SpecifierPlugin).
pub(super) struct SpecifierGlue<F> {
    _instance: Instance,
    specify: F,
}

impl<F: Fn() -> Specification + Send> SpecifierGlue<F> {
    pub(super) fn new(host: abi::Host_Ref, specify: F) -> Self {
        Self {
            _instance: Instance::new(host),
            specify,
        }
    }
}

impl<F: Fn() -> Specification + Send> abi::SpecifierPlugin for SpecifierGlue<F> {
    fn specify(&mut self) -> RResult<abi::Specification, abi::PluginError> {
        to_abi(guarded(|| Ok((self.specify)().into())))
    }
}

/// A package's facts, with what `export_plugin!` lets an author leave out.
#[must_use]
pub const fn package_facts(
    package: &'static str,
    version: &'static str,
    v_version: &'static str,
    summary: &'static str,
    author: &'static str,
    symbol: &'static str,
    unwinds: bool,
) -> MarkerFacts {
    MarkerFacts {
        abi: abi::ABI_VERSION,
        api: env!("CARGO_PKG_VERSION"),
        abi_stable: abi::ABI_STABLE_VERSION,
        rustc: env!("FOREBAY_RUSTC"),
        target: env!("FOREBAY_TARGET"),
        panic: if unwinds { "unwind" } else { "abort" },
        symbol,
        package,
        version,
        specification: SpecificationFacts {
            name: plugin_name(package),
            summary,
            description: "",
            version: v_version,
            author,
            acks: AckMode::Last,
            source_params: None,
            destination_params: None,
        },
    }
}

/// A package's name without the prefix that connector packages have.
const fn plugin_name(package: &'static str) -> &'static str {
    const PREFIX: &[u8] = b"forebay-connector-";
    match package.as_bytes().split_at_checked(PREFIX.len()) {
        Some((prefix, rest)) if !rest.is_empty() => {
            let mut i = 0;
            while i < PREFIX.len() {
                if prefix[i] != PREFIX[i] {
                    return package;
                }
                i += 1;
            }
            package.split_at(PREFIX.len()).1
        }
        _ => package,
    }
}

/// Makes a crate a plugin: once in a crate of type `cdylib`, `rlib` or both.
///
/// ```
/// # use plugin_api::{BatchWriter, Context, Position, Progress, Result, Source};
/// # struct Counter;
/// # impl Source for Counter {
/// #     type Config = ();
/// #     fn open(_: (), _: Option<&Position>) -> Result<Self> { Ok(Counter) }
/// #     fn read(&mut self, _: &mut BatchWriter, _: &Context) -> Result<Progress> { Ok(Progress::End) }
/// # }
/// plugin_api::export_plugin! {
///     source: Counter,
///     name: "counter",
///     description: "Counts from 1 on.\n\nIts position is the number.",
/// }
/// # fn main() {}
/// ```
///
/// | field | what | if left out |
/// |---|---|---|
/// | `source`, `destination` | the types that implement [`Source`](crate::Source) and [`Destination`](crate::Destination) | the plugin has no such connector; one of them must be there |
/// | `name` | name of the plugin: not empty, without `:`, `@` and white space | the package's without `forebay-connector-` |
/// | `summary` | one line | `description` of `Cargo.toml` |
/// | `description` | longer text, for instance by `include_str!` | empty |
/// | `author` | who made it | `authors` of `Cargo.toml` |
///
/// The last four are constants of the type `&'static str`. The version is always the package's.
///
/// It exports the root module under a symbol of the plugin's own, puts the marker, with the whole
/// specification, into a section of the file, and adds a function `plugin()` with which a host
/// registers the crate as a builtin.
#[macro_export]
macro_rules! export_plugin {
    (@fields [] [$($destination:ty)?] [$($facts:tt)*]
        source: $type:ty $(, $($rest:tt)*)?) => {
        $crate::export_plugin! {
            @fields [$type] [$($destination)?] [$($facts)*] $($($rest)*)?
        }
    };
    (@fields [$($source:ty)?] [] [$($facts:tt)*]
        destination: $type:ty $(, $($rest:tt)*)?) => {
        $crate::export_plugin! {
            @fields [$($source)?] [$type] [$($facts)*] $($($rest)*)?
        }
    };
    (@fields [$source:ty] [$($destination:ty)?] [$($facts:tt)*] source: $($rest:tt)*) => {
        ::core::compile_error!("`source` is given twice: a plugin has one source at most");
    };
    (@fields [$($source:ty)?] [$destination:ty] [$($facts:tt)*] destination: $($rest:tt)*) => {
        ::core::compile_error!("`destination` is given twice: a plugin has one destination at most");
    };
    (@fields [$($source:ty)?] [$($destination:ty)?] [$($facts:tt)*]
        $fact:ident: $value:expr $(, $($rest:tt)*)?) => {
        $crate::export_plugin! {
            @fields [$($source)?] [$($destination)?] [$($facts)* ($fact $value)] $($($rest)*)?
        }
    };
    (@fields [] [] [$($facts:tt)*]) => {
        ::core::compile_error!("a plugin has a `source: Type`, a `destination: Type` or both");
    };
    (@fields [$($source:ty)?] [$($destination:ty)?] [$(($fact:ident $value:expr))*]) => {
        #[doc(hidden)]
        #[derive(Debug)]
        pub enum ForebayPlugin {}

        impl $crate::ffi::Export for ForebayPlugin {
            const FACTS: $crate::ffi::embed::MarkerFacts = {
                #[allow(unused_mut, reason = "a plugin may need no more than the package's facts")]
                let mut facts = $crate::ffi::package_facts(
                    ::core::env!("CARGO_PKG_NAME"),
                    ::core::env!("CARGO_PKG_VERSION"),
                    ::core::concat!("v", ::core::env!("CARGO_PKG_VERSION")),
                    ::core::env!("CARGO_PKG_DESCRIPTION"),
                    ::core::env!("CARGO_PKG_AUTHORS"),
                    ::core::concat!(
                        "forebay_plugin_",
                        ::core::env!("CARGO_PKG_NAME"),
                        "_",
                        ::core::env!("CARGO_PKG_VERSION"),
                    ),
                    ::core::cfg!(panic = "unwind"),
                );
                $(
                    facts.specification.acks = <$source as $crate::Source>::ACKS;
                    facts.specification.source_params = ::core::option::Option::Some(
                        <<$source as $crate::Source>::Config as $crate::Parameters>::PARAMETERS,
                    );
                )?
                $(
                    facts.specification.destination_params = ::core::option::Option::Some(
                        <<$destination as $crate::Destination>::Config as $crate::Parameters>
                            ::PARAMETERS,
                    );
                )?
                $($crate::export_plugin!(@set facts $fact $value);)*
                facts
            };
            const NEW_SOURCE: $crate::ffi::ROption<$crate::ffi::NewSource> =
                $crate::export_plugin!(@constructor new_source $($source)?);
            const NEW_DESTINATION: $crate::ffi::ROption<$crate::ffi::NewDestination> =
                $crate::export_plugin!(@constructor new_destination $($destination)?);
        }

        const _: () = {
            use $crate::ffi::Export as _;

            #[unsafe(export_name = ::core::concat!(
                "forebay_plugin_",
                ::core::env!("CARGO_PKG_NAME"),
                "_",
                ::core::env!("CARGO_PKG_VERSION"),
            ))]
            static HEADER: $crate::ffi::LibHeader = $crate::ffi::header::<ForebayPlugin>();

            #[used]
            #[cfg_attr(target_vendor = "apple", unsafe(link_section = "__DATA,__forebay"))]
            #[cfg_attr(not(target_vendor = "apple"), unsafe(link_section = ".forebay"))]
            static MARKER: [u8; $crate::ffi::embed::len(&ForebayPlugin::FACTS)] =
                $crate::ffi::embed::build(&ForebayPlugin::FACTS);
        };

        /// This crate's plugin, to be registered as a builtin.
        #[must_use]
        pub fn plugin() -> $crate::Plugin {
            $crate::Plugin::of::<ForebayPlugin>()
        }
    };
    (@set $facts:ident name $value:expr) => { $facts.specification.name = $value };
    (@set $facts:ident summary $value:expr) => { $facts.specification.summary = $value };
    (@set $facts:ident description $value:expr) => { $facts.specification.description = $value };
    (@set $facts:ident author $value:expr) => { $facts.specification.author = $value };
    (@set $facts:ident $unknown:ident $value:expr) => {
        ::core::compile_error!(::core::concat!(
            "unknown `",
            ::core::stringify!($unknown),
            "`: there are `source`, `destination`, `name`, `summary`, `description` and `author`",
        ))
    };
    (@constructor $constructor:ident) => {
        $crate::ffi::ROption::RNone
    };
    (@constructor $constructor:ident $type:ty) => {
        $crate::ffi::ROption::RSome($crate::ffi::$constructor::<$type>)
    };
    ($field:ident: $($rest:tt)+) => {
        $crate::export_plugin! { @fields [] [] [] $field: $($rest)+ }
    };
    ($($other:tt)*) => {
        ::core::compile_error!(
            "write `source: Type`, `destination: Type` or both, with commas between them"
        );
    };
}
