//! The trait of a source connector.

use crate::batch::BatchWriter;
use crate::context::Context;
use crate::error::Result;
use crate::parameters::{Parameters, Settings};
use crate::record::Position;
use crate::specification::AckMode;

/// Reads records from somewhere.
///
/// **Order.** `validate` whenever a configuration is checked; then, for a run, `open`, `read` again
/// and again, `ack` between reads, `stop` at most once, further `read`s until the end and further
/// `ack`s, `close`. `created`, `updated` and `deleted` are called by hosts that drive a connector themselves.
///
/// **Threads.** Calls are serialised: no two run at once, though one may come from another thread
/// than the one before. A source needs no lock and no channel.
///
/// **Blocking.** `read` waits for data at most [`Context::max_wait`]; use [`Context::wait`], which
/// sees to it. Doing work (a query, a download) may take longer, up to the call budget
/// (`sdk.call.timeout`, 30 s): past it the host gives the instance up.
///
/// **Panics** are caught: the instance is lost, the host is not.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no source",
    label = "doesn't implement `Source`",
    note = "implement `plugin_api::Source` for it"
)]
pub trait Source: Send + Sized + 'static {
    /// The settings, made by `#[derive(Parameters)]`; `()` for none.
    type Config: Parameters;

    /// Which acknowledged positions [`Source::ack`] is told.
    const ACKS: AckMode = AckMode::Last;

    /// Checks what the parameters' own validations can't, without opening anything.
    ///
    /// # Errors
    ///
    /// [`Error::invalid_config`](crate::Error::invalid_config) names the parameter.
    fn validate(config: &Self::Config) -> Result<()> {
        let _ = config;
        Ok(())
    }

    /// Opens the source behind a position that an earlier run has reached, or at its beginning.
    ///
    /// # Errors
    ///
    /// Any error ends the start, and with it the run; see [`ErrorKind`](crate::ErrorKind).
    fn open(config: Self::Config, position: Option<&Position>) -> Result<Self>;

    /// Writes records into the batch as long as it has room and there is data at hand. What one read
    /// has written is one batch for the destinations: one record at a time makes them slow.
    ///
    /// Returns [`Progress::More`] to be called again at once, [`Progress::Idle`] when there is
    /// nothing more at present, after having waited for it, and [`Progress::End`] when there will
    /// never be more.
    ///
    /// # Errors
    ///
    /// Any error ends the stream. The records written before it are delivered first.
    fn read(&mut self, batch: &mut BatchWriter, context: &Context) -> Result<Progress>;

    /// Learns that everything up to this position is done and durable. With [`AckMode::Each`] it is
    /// called for each record, in order.
    ///
    /// # Errors
    ///
    /// An error ends the stream.
    fn ack(&mut self, position: &Position) -> Result<()> {
        let _ = position;
        Ok(())
    }

    /// Is asked to end. `None` means that nothing more will come: `read` is not called again.
    /// A position means that records up to it still have to be read.
    ///
    /// # Errors
    ///
    /// An error ends the stream at once.
    fn stop(&mut self) -> Result<Option<Position>> {
        Ok(None)
    }

    /// Releases everything; the last call. What `Drop` does needs no code here.
    ///
    /// # Errors
    ///
    /// An error is reported; the source is gone all the same.
    fn close(self) -> Result<()> {
        Ok(())
    }

    /// The connector runs for the first time. Pipelines don't call it yet.
    ///
    /// # Errors
    ///
    /// An error ends the start.
    fn created(config: &Self::Config) -> Result<()> {
        let _ = config;
        Ok(())
    }

    /// The connector's settings have changed since its last run. Pipelines don't call it yet.
    ///
    /// What they were is told as it was given: an older version of the plugin may have taken it, with
    /// other parameters, so it need not make a [`Source::Config`]. Settings that were not given then
    /// have no default here.
    ///
    /// # Errors
    ///
    /// An error ends the start.
    fn updated(before: &Settings, after: &Self::Config) -> Result<()> {
        let _ = (before, after);
        Ok(())
    }

    /// The connector was removed: what it has left behind elsewhere can be removed too. Pipelines
    /// don't call it yet. The settings are those of its last run, as they were given; see
    /// [`Source::updated`].
    ///
    /// # Errors
    ///
    /// An error is reported; the connector is removed all the same.
    fn deleted(settings: &Settings) -> Result<()> {
        let _ = settings;
        Ok(())
    }
}

/// What a source says after a read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// There is more to read now.
    More,
    /// There is nothing more at present.
    Idle,
    /// There will never be more.
    End,
}
