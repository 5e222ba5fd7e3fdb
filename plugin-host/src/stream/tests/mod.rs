//! Streams over mocks: what exactly a plugin is given, and what the two sides may leave waiting.

mod destination;
mod ending;
mod source;
mod worker;
mod writing;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use abi_stable::std_types::RResult;
use plugin_api::ffi::{PluginError, RunFlags};
use plugin_api::{AckMode, Error};

use super::{Context, DestinationStream, SourceStream};
use crate::secrets::InstanceSecrets;
use crate::session::mock::{MockDestination, MockSource};
use crate::session::{Object, Session};

fn session<O: Object>() -> Arc<Session<O>> {
    let secrets = Box::leak(Box::default());
    let secrets = InstanceSecrets::new(secrets, BTreeMap::new());
    Session::new("test", RunFlags::default(), Duration::MAX, None, secrets)
}

fn source(acks: AckMode, mut mock: MockSource) -> SourceStream {
    mock.expect_teardown().times(..=1).returning(|_| ok());
    SourceStream::new(&session(), acks, &long(), move || Ok(mock.into())).expect("a source")
}

fn destination(mut mock: MockDestination) -> DestinationStream {
    mock.expect_teardown().times(..=1).returning(|_| ok());
    DestinationStream::new(&session(), &long(), move || Ok(mock.into())).expect("a destination")
}

/// A context that ends only where something hangs that must not.
fn long() -> Context {
    Context::background().with_timeout(Duration::from_secs(20))
}

fn cancelled() -> Context {
    let (context, handle) = Context::background().with_cancel();
    handle.cancel();
    context
}

fn ok() -> RResult<(), PluginError> {
    RResult::ROk(())
}

fn failed<T>(text: &str) -> RResult<T, PluginError> {
    RResult::RErr(Error::fatal(text).into())
}

/// The plugin's half of a call that a test holds.
struct Door {
    entered: Sender<()>,
    opened: Receiver<()>,
}

/// The test's half: dropping it lets every call through.
struct Key {
    entered: Receiver<()>,
    _open: Sender<()>,
}

fn door() -> (Door, Key) {
    let (enter, entered) = channel();
    let (open, opened) = channel();
    let door = Door {
        entered: enter,
        opened,
    };
    let key = Key {
        entered,
        _open: open,
    };
    (door, key)
}

impl Door {
    /// Waits in the plugin until the key is dropped.
    fn pass(&self) {
        self.entered.send(()).ok();
        self.opened.recv().ok();
    }
}

impl Key {
    /// Waits until the plugin is at the door.
    fn wait(&self) {
        self.entered
            .recv_timeout(Duration::from_secs(20))
            .expect("the plugin gets there");
    }
}
