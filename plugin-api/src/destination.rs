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
/// **Threads, blocking, panics.** As for [`Source`](crate::Source).
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no destination",
    label = "doesn't implement `Destination`",
    note = "implement `plugin_api::Destination` for it"
)]
pub trait Destination: Send + Sized + 'static {
    /// The settings, made by `#[derive(Parameters)]`; `()` for none.
    type Config: Parameters;

    /// Checks what the parameters' own validations can't, without opening anything.
    ///
    /// # Errors
    ///
    /// [`Error::invalid_config`] names the parameter.
    fn validate(config: &Self::Config) -> Result<()> {
        let _ = config;
        Ok(())
    }

    /// Opens the destination.
    ///
    /// # Errors
    ///
    /// Any error ends the start, and with it the run; see [`ErrorKind`](crate::ErrorKind).
    fn open(config: Self::Config) -> Result<Self>;

    /// Writes the records of a batch.
    ///
    /// `Ok` acknowledges every record that was not answered through `acks`, so it must mean that
    /// they are safe; call [`Acks::defer`] when they are not yet.
    ///
    /// # Errors
    ///
    /// An error ends the stream: answers given before it stand, the other records count as not
    /// written and are read again.
    fn write(&mut self, batch: &Batch, acks: &mut Acks, context: &Context) -> Result<()>;

    /// Answers records that `write` has deferred. Called when there is nothing to write and answers
    /// are missing: at least every 10 ms, and after [`Waker::wake`](crate::Waker::wake).
    ///
    /// # Errors
    ///
    /// As for [`Destination::write`].
    fn flush(&mut self, acks: &mut Acks, context: &Context) -> Result<()> {
        let _ = (acks, context);
        Ok(())
    }

    /// Learns that no further record comes, and writes what it has cached. Deferred records are
    /// still answered in [`Destination::flush`].
    ///
    /// # Errors
    ///
    /// An error ends the stream.
    fn stop(&mut self) -> Result<()> {
        Ok(())
    }

    /// Releases everything; the last call. What `Drop` does needs no code here.
    ///
    /// # Errors
    ///
    /// An error is reported; the destination is gone all the same.
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

    /// The connector was removed. Pipelines don't call it yet. The settings are those of its last run,
    /// as they were given; see [`Destination::updated`].
    ///
    /// # Errors
    ///
    /// An error is reported; the connector is removed all the same.
    fn deleted(settings: &Settings) -> Result<()> {
        let _ = settings;
        Ok(())
    }
}

/// Takes a destination's answers.
///
/// Each record is answered once, in any order; the host restores the order.
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

    /// Acknowledges one record.
    pub fn ok(&mut self, record: &RecordView<'_>) {
        self.ok_range(record.sequence(), record.sequence() + 1);
    }

    /// Acknowledges the records with the sequences `from..to`.
    pub fn ok_range(&mut self, from: u64, to: u64) {
        self.note(from, to);
        self.sink.ok(from, to);
    }

    /// Says that a record can't be written, and why.
    ///
    /// It is the record's own error: the destination goes on and answers the other records as
    /// usual. What becomes of the record is the host's business. Today's has no dead-letter queue,
    /// so that a nack ends the run with `record.refused`: the records before it are done, and it is
    /// the first that the next run reads.
    pub fn nack(&mut self, record: &RecordView<'_>, error: impl Into<Error>) {
        self.nack_sequence(record.sequence(), error);
    }

    /// As [`Acks::nack`], for a record known by its sequence.
    pub fn nack_sequence(&mut self, sequence: u64, error: impl Into<Error>) {
        self.note(sequence, sequence.saturating_add(1));
        self.sink.nack(sequence, error.into().into());
    }

    /// Leaves the records of this batch that have no answer yet for a later
    /// [`Destination::flush`] or [`Destination::write`].
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
