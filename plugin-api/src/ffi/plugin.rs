//! A plugin as a value, which a host registers as a builtin.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use abi_stable::sabi_trait::prelude::TD_Opaque;
use abi_stable::std_types::RResult;
use forebay_abi as abi;

use super::convert::to_abi;
use super::destination::DestinationGlue;
use super::export::{Export, SpecifierGlue, module};
use super::guard::guarded;
use super::source::SourceGlue;
use crate::destination::Destination;
use crate::error::{Error, ErrorKind, Result};
use crate::parameters::Parameters;
use crate::record::Position;
use crate::source::Source;
use crate::specification::{AckMode, Parameter, Specification};

/// A plugin for a host to register as a builtin: one that is linked in, or a connector that a
/// program makes from its own values.
///
/// A crate's plugin comes from the function `plugin()` that
/// [`export_plugin!`](crate::export_plugin) adds. A program that has something to pass to its
/// connector (a channel, a client, a handle) opens it by a closure of its own:
///
/// ```
/// use std::sync::Arc;
/// use std::sync::atomic::{AtomicU64, Ordering};
///
/// use plugin_api::{Acks, Batch, Context, Destination, Plugin, Result};
///
/// struct Counting(Arc<AtomicU64>);
///
/// impl Destination for Counting {
///     type Config = ();
///
///     fn open(_: ()) -> Result<Self> {
///         Ok(Self(Arc::default()))
///     }
///
///     fn write(&mut self, batch: &Batch, _: &mut Acks, _: &Context) -> Result<()> {
///         self.0.fetch_add(batch.len() as u64, Ordering::Relaxed);
///         Ok(())
///     }
/// }
///
/// let total = Arc::new(AtomicU64::new(0));
/// let counted = Arc::clone(&total);
/// let plugin = Plugin::from_destination("count", move |()| Ok(Counting(Arc::clone(&counted))));
/// plugin_api::testing::destination(plugin, &[]);
/// assert!(total.load(Ordering::Relaxed) > 0);
/// ```
#[derive(Clone)]
pub struct Plugin(Form);

#[derive(Clone)]
enum Form {
    Module(abi::PluginModule_Ref),
    Value(Arc<Value>),
}

/// One connector that a program makes itself.
struct Value {
    specification: Specification,
    connector: Connector,
}

type Make<T> = Box<dyn Fn(abi::Host_Ref) -> T + Send + Sync>;

enum Connector {
    Source(Make<abi::SourceObject>),
    Destination(Make<abi::DestinationObject>),
}

/// Version of a plugin that a program makes itself: it is part of the program.
const VERSION: &str = "0.0.0";

impl Plugin {
    /// The plugin that `export_plugin!` has described with `E`.
    #[must_use]
    pub fn of<E: Export>() -> Self {
        Self::from_module(module::<E>())
    }

    /// The plugin with this root module, for one that isn't made by `export_plugin!`.
    #[must_use]
    pub fn from_module(module: abi::PluginModule_Ref) -> Self {
        Self(Form::Module(module))
    }

    /// A plugin with this name and a source that `open` opens, in the place of [`Source::open`].
    ///
    /// `open` is called for each run, also for several at once. Its version is `v0.0.0`.
    #[must_use]
    pub fn from_source<S: Source>(
        name: impl Into<String>,
        open: impl Fn(S::Config, Option<&Position>) -> Result<S> + Send + Sync + 'static,
    ) -> Self {
        let mut specification = specification(name.into());
        specification.acks = S::ACKS;
        specification.source_params = Some(parameters::<S::Config>());
        let open = Arc::new(open);
        Self::from_value(
            specification,
            Connector::Source(Box::new(move |host| {
                let open = Arc::clone(&open);
                let open = move |config, position: Option<&Position>| open(config, position);
                abi::SourceObject::from_value(SourceGlue::<S, _>::new(host, open), TD_Opaque)
            })),
        )
    }

    /// A plugin with this name and a destination that `open` opens, in the place of
    /// [`Destination::open`].
    ///
    /// `open` is called for each run, also for several at once. Its version is `v0.0.0`.
    #[must_use]
    pub fn from_destination<D: Destination>(
        name: impl Into<String>,
        open: impl Fn(D::Config) -> Result<D> + Send + Sync + 'static,
    ) -> Self {
        let mut specification = specification(name.into());
        specification.destination_params = Some(parameters::<D::Config>());
        let open = Arc::new(open);
        Self::from_value(
            specification,
            Connector::Destination(Box::new(move |host| {
                let open = Arc::clone(&open);
                let glue = DestinationGlue::<D, _>::new(host, move |config| open(config));
                abi::DestinationObject::from_value(glue, TD_Opaque)
            })),
        )
    }

    fn from_value(specification: Specification, connector: Connector) -> Self {
        Self(Form::Value(Arc::new(Value {
            specification,
            connector,
        })))
    }

    /// Whether two are one plugin: the same build of one package, or one value. A package may have
    /// several plugins; what they specify tells them apart.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (Form::Module(_), Form::Module(_)) => {
                self.package() == other.package()
                    && self.version() == other.version()
                    && self.api_version() == other.api_version()
                    && self.rustc() == other.rustc()
            }
            (Form::Value(ours), Form::Value(theirs)) => Arc::ptr_eq(ours, theirs),
            _ => false,
        }
    }

    /// Name of the plugin's package; of a program's own connector, its name.
    #[must_use]
    pub fn package(&self) -> &str {
        match &self.0 {
            Form::Module(module) => module.package().as_str(),
            Form::Value(value) => &value.specification.name,
        }
    }

    /// Version of the plugin's package.
    #[must_use]
    pub fn version(&self) -> &str {
        match &self.0 {
            Form::Module(module) => module.version().as_str(),
            Form::Value(_) => VERSION,
        }
    }

    /// Version of the author layer that it was built with.
    #[must_use]
    pub fn api_version(&self) -> &str {
        match &self.0 {
            Form::Module(module) => module.api_version().as_str(),
            Form::Value(_) => env!("CARGO_PKG_VERSION"),
        }
    }

    /// Compiler that built it.
    #[must_use]
    pub fn rustc(&self) -> &str {
        match &self.0 {
            Form::Module(module) => module.rustc().as_str(),
            Form::Value(_) => env!("FOREBAY_RUSTC"),
        }
    }

    /// Makes a specifier.
    #[must_use]
    pub fn new_specifier(
        &self,
        host: abi::Host_Ref,
        info: abi::InstanceInfo_Ref<'_>,
    ) -> RResult<abi::SpecifierObject, abi::PluginError> {
        match &self.0 {
            Form::Module(module) => module.new_specifier()(host, info),
            Form::Value(value) => to_abi(guarded(|| {
                let value = Arc::clone(value);
                let glue = SpecifierGlue::new(host, move || value.specification.clone());
                Ok(abi::SpecifierObject::from_value(glue, TD_Opaque))
            })),
        }
    }

    /// Whether it has a source.
    #[must_use]
    pub fn has_source(&self) -> bool {
        match &self.0 {
            Form::Module(module) => module.new_source().is_some(),
            Form::Value(value) => matches!(value.connector, Connector::Source(_)),
        }
    }

    /// Whether it has a destination.
    #[must_use]
    pub fn has_destination(&self) -> bool {
        match &self.0 {
            Form::Module(module) => module.new_destination().is_some(),
            Form::Value(value) => matches!(value.connector, Connector::Destination(_)),
        }
    }

    /// Makes a source; an error of kind [`ErrorKind::Unimplemented`] where the plugin has none.
    #[must_use]
    pub fn new_source(
        &self,
        host: abi::Host_Ref,
        info: abi::InstanceInfo_Ref<'_>,
    ) -> RResult<abi::SourceObject, abi::PluginError> {
        match &self.0 {
            Form::Module(module) => match module.new_source().into_option() {
                Some(new) => new(host, info),
                None => no_such_side(),
            },
            Form::Value(value) => match &value.connector {
                Connector::Source(make) => to_abi(guarded(|| Ok(make(host)))),
                Connector::Destination(_) => no_such_side(),
            },
        }
    }

    /// Makes a destination; an error of kind [`ErrorKind::Unimplemented`] where the plugin has none.
    #[must_use]
    pub fn new_destination(
        &self,
        host: abi::Host_Ref,
        info: abi::InstanceInfo_Ref<'_>,
    ) -> RResult<abi::DestinationObject, abi::PluginError> {
        match &self.0 {
            Form::Module(module) => match module.new_destination().into_option() {
                Some(new) => new(host, info),
                None => no_such_side(),
            },
            Form::Value(value) => match &value.connector {
                Connector::Destination(make) => to_abi(guarded(|| Ok(make(host)))),
                Connector::Source(_) => no_such_side(),
            },
        }
    }
}

impl fmt::Debug for Plugin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Plugin")
            .field("package", &self.package())
            .field("version", &self.version())
            .finish_non_exhaustive()
    }
}

fn no_such_side<T>() -> RResult<T, abi::PluginError> {
    to_abi(Err(Error::new(
        ErrorKind::Unimplemented,
        "the plugin has no such side",
    )))
}

fn specification(name: String) -> Specification {
    Specification {
        name,
        summary: "A connector of the program that runs it".to_owned(),
        description: String::new(),
        version: format!("v{VERSION}"),
        author: "the program".to_owned(),
        acks: AckMode::Last,
        source_params: None,
        destination_params: None,
    }
}

fn parameters<C: Parameters>() -> BTreeMap<String, Parameter> {
    let parameters = C::PARAMETERS.iter();
    parameters
        .map(|(name, parameter)| ((*name).to_owned(), parameter.clone()))
        .collect()
}
