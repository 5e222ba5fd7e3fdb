//! The trait of a destination connector, and its answers.

use forebay_abi as abi;

use crate::batch::{Batch, RecordView};
use crate::context::Context;
use crate::error::{Error, Result};
use crate::parameters::{Parameters, Settings};

/// Writes records to somewhere.
///
/// **Order.** `validate` whenever a configuration is checked; then, for a run, `open`, `write` again
/// and again, `flush` while answers are missing, `stop` once, further `flush`es, `close`. `created`,
/// `updated` and `deleted` are called by hosts that drive a connector themselves.
///
/// **Answers.** Every record gets one answer: by `Ok` of the `write` that brings it, or through [`Acks`].
/// An answered record is never written again; one without an answer is, by the next run. After a crash
/// records come again that were written already, in order, so a second time must do no harm.
///
/// **Threads, cancellation, panics.** As for [`Source`](crate::Source).
///
/// **Blocking.** `write` may block as long as writing takes, up to the call budget (`sdk.call.timeout`,
/// 30 s unless the user sets it): the source waits meanwhile, so nothing needs to be buffered. `flush`
/// doesn't wait.
///
/// **Errors** of `write` and `flush` end the run: then only `close` follows. A run that fails elsewhere
/// goes on to `stop`; one that is stopped by force, or in which another destination has failed, goes from
/// any call to `close`.
///
/// **Last call.** `close`, if `open` has succeeded, and then `Drop`.
///
/// # Examples
///
/// ```
/// use std::io::Write;
/// use std::{fs::File, path::PathBuf};
///
/// use plugin_api::{Acks, Batch, Context, Destination, Parameters, Result, export_plugin};
///
/// /// Settings of the destination.
/// #[derive(Parameters)]
/// pub struct Config {
///     /// File to append to.
///     path: PathBuf,
/// }
///
/// /// Writes records as lines, in the form that the user has chosen.
/// pub struct Lines {
///     file: File,
///     text: Vec<u8>,
/// }
///
/// impl Destination for Lines {
///     type Config = Config;
///
///     fn open(config: Config) -> Result<Self> {
///         let file = File::options().create(true).append(true).open(config.path)?;
///         Ok(Self { file, text: Vec::new() })
///     }
///
///     fn write(&mut self, batch: &Batch, acks: &mut Acks, _: &Context) -> Result<()> {
///         batch.write_lines(&mut self.file, &mut self.text, acks)?;
///         Ok(self.file.sync_data()?) // acknowledges what has no answer yet
///     }
/// }
///
/// export_plugin! { destination: Lines }
/// # fn main() {}
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no destination",
    label = "doesn't implement `Destination`",
    note = "implement `plugin_api::Destination` for it"
)]
pub trait Destination: Send + Sized + 'static {
    /// The settings, made by `#[derive(Parameters)]`; `()` for none.
    type Config: Parameters;

    /// Checks what the parameters' own validations can't, such as two settings that exclude each other.
    ///
    /// It is called before a run opens any of its connectors, on no instance, and opens nothing itself.
    /// Settings have passed their validations by then. By default everything is fine.
    ///
    /// # Errors
    ///
    /// [`Error::invalid_config`] names the parameter.
    fn validate(config: &Self::Config) -> Result<()> {
        let _ = config;
        Ok(())
    }

    /// Opens the destination: makes connections, files and threads. It may block up to the call budget.
    ///
    /// # Errors
    ///
    /// Any error ends the start, and with it the run; see [`ErrorKind`](crate::ErrorKind).
    fn open(config: Self::Config) -> Result<Self>;

    /// Writes the records of a batch: one or more, in the order of the source.
    ///
    /// `Ok` acknowledges every record of the batch that was not answered through `acks`, so it must mean
    /// that they are safe; call [`Acks::defer`] when they are not yet. A record that can't be written
    /// gets a [nack](Acks::nack), and the others are written.
    ///
    /// The batch is lent for the call: what is needed later has to be copied.
    ///
    /// # Errors
    ///
    /// An error says that the destination itself has failed, and ends the run: answers given before it
    /// stand, the other records count as not written and are read again.
    fn write(&mut self, batch: &Batch, acks: &mut Acks, context: &Context) -> Result<()>;

    /// Answers records that `write` has deferred. Called when there is nothing to write and answers
    /// are missing: at least every 10 ms, at once after [`Waker::wake`](crate::Waker::wake), and after
    /// [`Destination::stop`] until every record is answered. It doesn't wait: answers that aren't there yet
    /// are for the next one.
    ///
    /// It acknowledges nothing by itself, and a destination that never defers needs none.
    ///
    /// # Errors
    ///
    /// As for [`Destination::write`].
    fn flush(&mut self, acks: &mut Acks, context: &Context) -> Result<()> {
        let _ = (acks, context);
        Ok(())
    }

    /// Learns that no further record comes, and writes what it has cached. Deferred records are
    /// still answered in [`Destination::flush`]: where none is answered for as long as a call may take,
    /// the run fails with `connector.unanswered`.
    ///
    /// Called once, but not after a forced stop nor where a destination has failed.
    ///
    /// # Errors
    ///
    /// An error ends the run.
    fn stop(&mut self) -> Result<()> {
        Ok(())
    }

    /// Releases everything; the last call, in whatever state the run has ended. What `Drop` does needs no
    /// code here. It isn't made after a panic. Records can't be answered any more.
    ///
    /// # Errors
    ///
    /// An error is reported; the destination is gone all the same.
    fn close(self) -> Result<()> {
        Ok(())
    }

    /// The connector runs for the first time: what it needs elsewhere, such as a table, can be made.
    /// Called before [`Destination::open`], on no instance. Pipelines don't call it yet.
    ///
    /// # Errors
    ///
    /// An error ends the start.
    fn created(config: &Self::Config) -> Result<()> {
        let _ = config;
        Ok(())
    }

    /// The connector's settings have changed since its last run. Called before [`Destination::open`], on
    /// no instance. Pipelines don't call it yet.
    ///
    /// What they were is told as it was given: an older version of the plugin may have taken it, with
    /// other parameters, so it need not make a [`Destination::Config`]. Settings that were not given then
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
    /// they were given; see [`Destination::updated`].
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

/// Takes a destination's answers.
///
/// Each record is answered once, in any order, during its `write` or any later `write` or `flush`; the host
/// restores the order. A second answer, or one to a record that the destination wasn't given, breaks the
/// contract and ends the run with `connector.contract`. It is lent for one call: a thread that works for
/// the destination hands its results to the next `write` or `flush`. None of its functions blocks.
///
/// # Examples
///
/// ```
/// use plugin_api::{Acks, Batch, Error, Result};
///
/// /// The body of a `write`.
/// fn write(batch: &Batch, acks: &mut Acks) -> Result<()> {
///     for record in batch {
///         match std::str::from_utf8(record.after()) {
///             Ok(text) => send(text)?,                        // Err: nothing more can be written
///             Err(_) => acks.nack(&record, Error::fatal("the payload is no UTF-8")),
///         }
///     }
///     Ok(()) // acknowledges the records that have no nack
/// }
///
/// fn send(text: &str) -> Result<()> {
///     // ...
/// #    let _ = text;
///     Ok(())
/// }
/// ```
#[derive(Debug)]
pub struct Acks<'a> {
    sink: &'a mut abi::AckSink,
    /// Sequences answered in this call, as ranges, so that the rest can be acknowledged.
    answered: Vec<(u64, u64)>,
    deferred: bool,
    closed: bool,
}

impl<'a> Acks<'a> {
    pub(crate) fn new(sink: &'a mut abi::AckSink) -> Self {
        Self {
            sink,
            answered: Vec::new(),
            deferred: false,
            closed: false,
        }
    }

    /// Acknowledges one record before the call has ended. That matters where an error may follow; else `Ok`
    /// of the call does it.
    pub fn ok(&mut self, record: &RecordView<'_>) {
        self.ok_range(record.sequence(), record.sequence() + 1);
    }

    /// Acknowledges the records with the sequences `from..to`: from the first up to, and without, the last.
    /// `from == to` answers nothing; `from > to` breaks the contract.
    pub fn ok_range(&mut self, from: u64, to: u64) {
        self.note(from, to);
        self.sink.ok(from, to);
    }

    /// Says that a record can't be written, and why.
    ///
    /// It is the record's own error: the destination goes on and answers the other records as
    /// usual. What becomes of the record is the host's business: the pipeline's dead-letter queue gets
    /// it with the error, and it is done with. Without a queue, or once that has taken as many as it
    /// may, a nack ends the run with `record.refused`: the records before it are done, and it is the
    /// first that the next run reads.
    pub fn nack(&mut self, record: &RecordView<'_>, error: impl Into<Error>) {
        self.nack_sequence(record.sequence(), error);
    }

    /// As [`Acks::nack`], for a record known by its sequence.
    pub fn nack_sequence(&mut self, sequence: u64, error: impl Into<Error>) {
        self.note(sequence, sequence.saturating_add(1));
        self.sink.nack(sequence, error.into().into());
    }

    /// Leaves the records of this batch that have no answer yet for a later
    /// [`Destination::flush`] or [`Destination::write`], where they are answered by their
    /// [sequences](RecordView::sequence). 65,536 of them are as many as a source is read ahead; then
    /// only `flush` is called. In a `flush` it does nothing.
    pub fn defer(&mut self) {
        self.deferred = true;
    }

    /// Says that the destination takes no further record. A pipeline whose source has not ended fails
    /// then, once what was answered is stored.
    pub fn close(&mut self) {
        self.closed = true;
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.closed
    }

    /// Acknowledges those of `sequences` that have no answer, unless they were deferred.
    #[inline]
    pub(crate) fn acknowledge_rest(mut self, sequences: std::ops::Range<u64>) {
        if self.deferred {
            return;
        }
        if self.answered.is_empty() {
            self.sink.ok(sequences.start, sequences.end);
            return;
        }
        self.answered.sort_unstable();
        let mut next = sequences.start;
        for &(from, to) in &self.answered {
            if next < from.min(sequences.end) {
                self.sink.ok(next, from.min(sequences.end));
            }
            next = next.max(to);
        }
        if next < sequences.end {
            self.sink.ok(next, sequences.end);
        }
    }

    /// A reversed range answers nothing, and the host tells it as a breach of contract.
    fn note(&mut self, from: u64, to: u64) {
        if from >= to {
            return;
        }
        match self.answered.last_mut() {
            Some(last) if last.1 == from => last.1 = to,
            _ => self.answered.push((from, to)),
        }
    }
}
