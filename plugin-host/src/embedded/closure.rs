//! Connectors made from closures.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Arc, Mutex, PoisonError};

use plugin_api::{
    Acks, Batch, BatchWriter, Context, Destination, Error, ErrorKind, Plugin, Position, Progress,
    Result, Source,
};

/// A plugin with a source that `open` begins, and that the closure which it returns reads.
///
/// `open` is called for each run, with the position that an earlier run has reached. What it returns
/// is called as [`Source::read`] is: it fills the batch as long as that has room, waits by the
/// context, and says whether there is more.
///
/// ```
/// use plugin_api::{BatchWriter, Context, Position, Progress};
///
/// let numbers = plugin_host::embedded::source("numbers", |position| {
///     let mut next = position.map(Position::parse::<u64>).transpose()?.map_or(1, |n| n + 1);
///     Ok(move |batch: &mut BatchWriter<'_>, _: &Context| {
///         while batch.has_room() {
///             batch.create(next).payload(format_args!("number {next}"));
///             next += 1;
///         }
///         Ok(Progress::More)
///     })
/// });
/// # plugin_api::testing::source(numbers, &[]);
/// ```
#[must_use]
pub fn source<R>(
    name: &str,
    open: impl Fn(Option<&Position>) -> Result<R> + Send + Sync + 'static,
) -> Plugin
where
    R: FnMut(&mut BatchWriter<'_>, &Context) -> Result<Progress> + Send + 'static,
{
    Plugin::from_source(name, move |(), position| open(position).map(Read))
}

struct Read<R>(R);

impl<R> Source for Read<R>
where
    R: FnMut(&mut BatchWriter<'_>, &Context) -> Result<Progress> + Send + 'static,
{
    type Config = ();

    fn open(_: (), _: Option<&Position>) -> Result<Self> {
        Err(opened_elsewhere())
    }

    fn read(&mut self, batch: &mut BatchWriter<'_>, context: &Context) -> Result<Progress> {
        (self.0)(batch, context)
    }
}

/// What opening one of these without its closure says; nobody does.
pub(super) fn opened_elsewhere() -> Error {
    Error::new(
        ErrorKind::Unimplemented,
        "only the plugin's closure can open it",
    )
}

/// A plugin with a destination that `write` is.
///
/// It is called as [`Destination::write`] is: `Ok` acknowledges every record of the batch that it has
/// not answered itself. It can't defer answers, as nothing flushes it. There is one closure, so one
/// pipeline or stream at a time has it; another one fails to start with an error of kind
/// [`ErrorKind::Retry`], and for good after a panic of the closure, which no further try mends.
#[must_use]
pub fn destination<W>(name: &str, write: W) -> Plugin
where
    W: FnMut(&Batch<'_>, &mut Acks<'_>, &Context) -> Result<()> + Send + 'static,
{
    let place = Arc::new(Mutex::new(Place::Free(write)));
    Plugin::from_destination(name, move |()| Write::take(&place))
}

/// Where the closure is.
enum Place<W> {
    Free(W),
    Taken,
    /// It has panicked, with this text.
    Lost(String),
}

struct Write<W> {
    /// The closure, or what it has panicked with.
    write: Result<W, String>,
    place: Arc<Mutex<Place<W>>>,
}

impl<W> Write<W> {
    fn take(place: &Arc<Mutex<Place<W>>>) -> Result<Self> {
        let mut inner = place.lock().unwrap_or_else(PoisonError::into_inner);
        match std::mem::replace(&mut *inner, Place::Taken) {
            Place::Free(write) => Ok(Self {
                write: Ok(write),
                place: Arc::clone(place),
            }),
            Place::Taken => Err(Error::new(
                ErrorKind::Retry,
                "another pipeline or stream has this destination: its closure can't be shared",
            )),
            Place::Lost(text) => {
                let error = Error::new(ErrorKind::Fatal, lost(&text));
                *inner = Place::Lost(text);
                Err(error)
            }
        }
    }
}

fn lost(text: &str) -> String {
    format!("the closure of this destination is lost, it has panicked: {text}")
}

impl<W> Drop for Write<W> {
    fn drop(&mut self) {
        let mut place = self.place.lock().unwrap_or_else(PoisonError::into_inner);
        let write = std::mem::replace(&mut self.write, Err(String::new()));
        *place = write.map_or_else(Place::Lost, Place::Free);
    }
}

impl<W> Destination for Write<W>
where
    W: FnMut(&Batch<'_>, &mut Acks<'_>, &Context) -> Result<()> + Send + 'static,
{
    type Config = ();

    fn open(_: ()) -> Result<Self> {
        Err(opened_elsewhere())
    }

    fn write(&mut self, batch: &Batch<'_>, acks: &mut Acks<'_>, context: &Context) -> Result<()> {
        let write = self
            .write
            .as_mut()
            .map_err(|text| Error::fatal(lost(text)))?;
        catch_unwind(AssertUnwindSafe(|| write(batch, acks, context))).unwrap_or_else(|panic| {
            let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
            let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
            self.write = Err(text.unwrap_or_else(|| "a value that is no text".to_owned()));
            resume_unwind(panic)
        })
    }
}
