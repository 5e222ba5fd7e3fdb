//! The dispenser: makes specifiers, sources and destinations of one plugin.

use std::sync::Arc;
use std::time::Duration;

use plugin_api::ffi::{RunFlags, SpecifierObject};
use plugin_api::{Error, Specification};

use crate::ffi::{Place, RECORD_BYTES, specify};
use crate::parameters::Side;
use crate::registry::Blueprint;
use crate::secrets::Secrets;
use crate::session::{Object, Session};
use crate::stream::{Context, DestinationStream, SourceStream, StreamError};

/// Makes connectors of one plugin, any number of them; each is an instance of its own.
#[derive(Debug, Clone)]
pub struct Dispenser {
    blueprint: Arc<Blueprint>,
}

/// Tells what a plugin is.
pub struct Specifier {
    object: SpecifierObject,
    secrets: &'static Secrets,
}

impl Dispenser {
    pub(crate) fn new(blueprint: Arc<Blueprint>) -> Self {
        Self { blueprint }
    }

    /// The plugin.
    #[must_use]
    pub fn blueprint(&self) -> &Arc<Blueprint> {
        &self.blueprint
    }

    /// Makes a specifier. Neither this nor its one call may block, so they take no context.
    ///
    /// # Errors
    ///
    /// What the plugin's constructor says.
    pub fn dispense_specifier(&self) -> Result<Specifier, StreamError> {
        let specifier = self.blueprint.new_specifier(&PLACE);
        let object = specifier.map_err(StreamError::Plugin)?;
        let secrets = self.blueprint.loaded.host.secrets();
        Ok(Specifier { object, secrets })
    }

    /// Makes a source.
    ///
    /// # Errors
    ///
    /// What the plugin's constructor says, `unimplemented` for a plugin without a source; the end of
    /// the context.
    pub fn dispense_source(&self, context: &Context) -> Result<SourceStream, StreamError> {
        let blueprint = Arc::clone(&self.blueprint);
        let acks = blueprint.specification().acks;
        SourceStream::new(&self.session(Side::Source), acks, context, move || {
            blueprint.new_source(&PLACE)
        })
    }

    /// Makes a destination.
    ///
    /// # Errors
    ///
    /// What the plugin's constructor says, `unimplemented` for a plugin without a destination; the
    /// end of the context.
    pub fn dispense_destination(
        &self,
        context: &Context,
    ) -> Result<DestinationStream, StreamError> {
        let blueprint = Arc::clone(&self.blueprint);
        DestinationStream::new(&self.session(Side::Destination), context, move || {
            blueprint.new_destination(&PLACE)
        })
    }

    /// A session for an object. Its calls have the time that their callers give them; in logs the
    /// plugin's name stands for the identity that the connector has in no pipeline.
    fn session<O: Object>(&self, side: Side) -> Arc<Session<O>> {
        let name = self.blueprint.name().name();
        let secrets = self.blueprint.secrets(side);
        Session::new(name, RunFlags::default(), Duration::MAX, None, secrets)
    }
}

impl Specifier {
    /// What the plugin tells about itself.
    ///
    /// # Errors
    ///
    /// What the plugin says.
    pub fn specify(&mut self) -> Result<Specification, Error> {
        specify(&mut self.object, self.secrets)
    }
}

impl std::fmt::Debug for Specifier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Specifier").finish_non_exhaustive()
    }
}

/// Outside of a pipeline.
const PLACE: Place<'_> = Place {
    pipeline: "",
    connector: "",
    max_record_bytes: RECORD_BYTES,
};
