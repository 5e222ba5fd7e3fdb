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
/// than the one before. A source needs no lock and no channel. Several instances may live at once, each
/// with its own settings.
///
/// **Blocking.** `read` waits for data at most [`Context::max_wait`]; use [`Context::wait`], which
/// sees to it, or a [`Feed`](crate::Feed) where the client has its own way to wait. Doing work (a query, a download) may take longer, in every call, up to the call budget
/// (`sdk.call.timeout`, 30 s unless the user sets it): past it the host gives the instance up. Acks, a stop
/// and the destinations of the pipeline wait meanwhile.
///
/// **Cancellation.** A stop ends waits, and [`Context::is_stopping`] tells it to a call that is at work.
/// A forced stop leaves a call 500 ms, then the instance is given up: the run ends without it, and
/// should the call return after all, `close` follows on the same thread.
///
/// **Errors** end the run; see [`ErrorKind`](crate::ErrorKind) for which are worth another. After one from `read` no further `read` and no
/// `stop` comes, only `ack`s of what was delivered, and `close`.
///
/// **Panics** are caught: the instance is lost, the host is not. Only its `Drop` runs after one, not
/// `close`.
///
/// **Last call.** `close`, if `open` has succeeded, and then `Drop`.
///
/// The example of the [crate] is a source; `docs/writing-a-plugin.md` has one that waits.
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

    /// Checks what the parameters' own validations can't, such as two settings that exclude each other.
    ///
    /// It is called before a run opens any of its connectors, on no instance, and opens nothing itself:
    /// whether a server answers is found by [`Source::open`]. Settings have passed their validations by
    /// then. By default everything is fine.
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
    /// The position is one that this plugin has made, possibly in another version, and possibly with
    /// other settings. Everything up to it is done. What lies behind it may have been delivered before and
    /// is read again, in the same order. `None` is the first run; an empty position is not none.
    ///
    /// It may connect, and so block up to the call budget.
    ///
    /// # Errors
    ///
    /// Any error ends the start, and with it the run; see [`ErrorKind`](crate::ErrorKind). A position that
    /// can't be read is an error, never the beginning: [`Position::parse`] does so.
    fn open(config: Self::Config, position: Option<&Position>) -> Result<Self>;

    /// Writes records into the batch as long as it has room and there is data at hand. What one read
    /// has written is one batch for the destinations: one record at a time makes them slow.
    ///
    /// Returns [`Progress::More`] to be called again at once, [`Progress::Idle`] when there is
    /// nothing more at present, after having waited for it, and [`Progress::End`] when there will
    /// never be more. Records may come with any of them. Each has a position of its own, behind which
    /// [`Source::open`] can go on.
    ///
    /// It doesn't wait while it has records to return, and never longer than [`Context::max_wait`], which
    /// may be 0. Where [`Context::until_end`] is true it returns [`Progress::End`] in place of waiting.
    ///
    /// # Errors
    ///
    /// Any error ends the source. The records written before it in the same call are delivered first. A
    /// record that the batch couldn't take is such an error, whatever `read` returns.
    fn read(&mut self, batch: &mut BatchWriter, context: &Context) -> Result<Progress>;

    /// Learns that everything up to this position is done and durable: every destination has confirmed
    /// it, and no later run reads it again. The place to release what the source holds for its records.
    ///
    /// With [`AckMode::Last`] it gets the newest position of those that became durable together; with
    /// [`AckMode::Each`] it is called for each record, in order. It comes between reads, also after
    /// [`Source::stop`], the end and an error of `read`; always some time after the records were
    /// delivered, and not at all for the last ones where the process dies: then [`Source::open`] gets
    /// their position. By default nothing is done.
    ///
    /// # Errors
    ///
    /// An error ends the run, and no further `ack` follows.
    fn ack(&mut self, position: &Position) -> Result<()> {
        let _ = position;
        Ok(())
    }

    /// Is asked to end. `None`, the default, means that nothing more will come: `read` is not called again.
    /// A position means that records up to it still have to be read: `read` is called until a record
    /// with exactly this position was read, or [`Progress::End`] came. Where none comes for as long as a
    /// call may take, the run fails with `connector.not_stopped`.
    ///
    /// Called at most once, and not at all for a source that has ended or failed, nor where the run has
    /// failed or was stopped by force: what must happen in any case belongs into [`Source::close`] or
    /// `Drop`. Records that were read keep being delivered and acked.
    ///
    /// # Errors
    ///
    /// An error ends the source at once.
    fn stop(&mut self) -> Result<Option<Position>> {
        Ok(None)
    }

    /// Releases everything; the last call, in whatever state the run has ended. What `Drop` does needs no
    /// code here. It isn't made after a panic.
    ///
    /// # Errors
    ///
    /// An error is reported; the source is gone all the same.
    fn close(self) -> Result<()> {
        Ok(())
    }

    /// The connector runs for the first time: what it needs elsewhere, such as a replication slot, can be
    /// made. Called before [`Source::open`], on no instance. Pipelines don't call it yet.
    ///
    /// # Errors
    ///
    /// An error ends the start.
    fn created(config: &Self::Config) -> Result<()> {
        let _ = config;
        Ok(())
    }

    /// The connector's settings have changed since its last run. Called before [`Source::open`], on no
    /// instance. Pipelines don't call it yet.
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

    /// The connector was removed: what it has left behind elsewhere can be removed too. Nothing is opened
    /// after it. `forebay state delete` calls it, no run does. The settings are those of its last run, as
    /// they were given; see [`Source::updated`].
    ///
    /// # Errors
    ///
    /// An error keeps what is stored of the connector, and the user is told. Deleting it again calls this
    /// again, so what is gone already is no error.
    fn deleted(settings: &Settings) -> Result<()> {
        let _ = settings;
        Ok(())
    }
}

/// What a source says after a read; see [`Source::read`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// There is more to read now, or the batch is full: it is called again at once.
    More,
    /// There is nothing more at present, and the source has waited. It is called again; one that hasn't
    /// waited is made to pause. In a run that [ends with the data](Context::until_end) it is the end if
    /// the read gave no record.
    Idle,
    /// There will never be more: `read` isn't called again, and the pipeline ends when all records are
    /// answered.
    End,
}
