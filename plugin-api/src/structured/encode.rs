//! Writes structured data: streaming, or from a tree; never allocates by itself.

use super::put::{self, Excess};
use super::{MAX_DEPTH, Map, StructuredError, ValueRef};

/// Where encoded bytes go: a `Vec<u8>`, or the arena of a batch.
pub trait Output {
    /// Appends bytes.
    fn extend(&mut self, bytes: &[u8]);

    /// Number of bytes that have been appended, or where the next one goes.
    fn written(&self) -> usize;

    /// Overwrites bytes that have been appended, beginning with the one at `at`.
    fn patch(&mut self, at: usize, bytes: &[u8]);

    /// Takes back what was appended at `at` and after it.
    fn truncate(&mut self, at: usize);
}

impl Output for Vec<u8> {
    #[inline]
    fn extend(&mut self, bytes: &[u8]) {
        self.extend_from_slice(bytes);
    }

    #[inline]
    fn written(&self) -> usize {
        self.len()
    }

    #[inline]
    fn patch(&mut self, at: usize, bytes: &[u8]) {
        self[at..at + bytes.len()].copy_from_slice(bytes);
    }

    fn truncate(&mut self, at: usize) {
        self.truncate(at);
    }
}

/// Appends a tree.
///
/// # Errors
/// The tree is more than [`MAX_DEPTH`] levels deep, or a value has more than `u32::MAX` bytes or
/// entries; nothing is appended then.
pub fn encode(map: &Map, out: &mut impl Output) -> Result<(), StructuredError> {
    let start = out.written();
    put::map(out, map, MAX_DEPTH).map_err(|excess| {
        out.truncate(start);
        excess.into()
    })
}

/// Writes one map entry by entry, without a tree and without allocating.
///
/// ```
/// # use plugin_api::structured::{MapEncoder, StructuredError};
/// # fn main() -> Result<(), StructuredError> {
/// let mut bytes = Vec::new();
/// let mut map = MapEncoder::new(&mut bytes);
/// map.entry("id", 5).entry("name", "x");
/// map.entry_map("address", |address| {
///     address.entry("city", "Oslo");
/// });
/// map.finish()?;
/// # Ok(())
/// # }
/// ```
///
/// The number of entries is written by [`finish`](Self::finish). Each key must be given once:
/// that isn't checked here, and data with a key twice is refused by whoever reads it.
#[derive(Debug)]
#[must_use = "the map is whole only once `finish` was called"]
pub struct MapEncoder<'a, O: Output>(Container<'a, O>);

impl<'a, O: Output> MapEncoder<'a, O> {
    /// Begins the outermost map.
    #[inline]
    pub fn new(out: &'a mut O) -> Self {
        Self(Container::open(out, put::MAP_32, MAX_DEPTH))
    }

    /// Writes one entry.
    #[inline]
    pub fn entry<'v>(&mut self, key: &str, value: impl Into<ValueRef<'v>>) -> &mut Self {
        self.0.key(key);
        self.0.value(value.into());
        self
    }

    /// Writes an entry that is a map, which `fill` writes.
    ///
    /// Deeper than [`MAX_DEPTH`] `fill` isn't called and [`finish`](Self::finish) fails.
    pub fn entry_map(&mut self, key: &str, fill: impl FnOnce(&mut MapEncoder<'_, O>)) -> &mut Self {
        self.0.key(key);
        self.0.map(fill);
        self
    }

    /// Writes an entry that is an array, which `fill` writes.
    ///
    /// Deeper than [`MAX_DEPTH`] `fill` isn't called and [`finish`](Self::finish) fails.
    pub fn entry_array(
        &mut self,
        key: &str,
        fill: impl FnOnce(&mut ArrayEncoder<'_, O>),
    ) -> &mut Self {
        self.0.key(key);
        self.0.array(fill);
        self
    }

    /// Ends the map.
    ///
    /// # Errors
    /// The first entry that was more than [`MAX_DEPTH`] levels deep, or had more than `u32::MAX`
    /// bytes or entries; the output then is as it was before the map.
    #[inline]
    pub fn finish(mut self) -> Result<(), StructuredError> {
        self.0.close().map_err(|excess| {
            self.0.out.truncate(self.0.start);
            excess.into()
        })
    }
}

/// Writes the items of one array; see [`MapEncoder::entry_array`].
#[derive(Debug)]
pub struct ArrayEncoder<'a, O: Output>(Container<'a, O>);

impl<O: Output> ArrayEncoder<'_, O> {
    /// Writes one item.
    #[inline]
    pub fn item<'v>(&mut self, value: impl Into<ValueRef<'v>>) -> &mut Self {
        self.0.value(value.into());
        self
    }

    /// Writes an item that is a map, which `fill` writes.
    pub fn item_map(&mut self, fill: impl FnOnce(&mut MapEncoder<'_, O>)) -> &mut Self {
        self.0.map(fill);
        self
    }

    /// Writes an item that is an array, which `fill` writes.
    pub fn item_array(&mut self, fill: impl FnOnce(&mut ArrayEncoder<'_, O>)) -> &mut Self {
        self.0.array(fill);
        self
    }
}

/// A map or an array that is being written.
#[derive(Debug)]
struct Container<'a, O: Output> {
    out: &'a mut O,
    /// Where its header is, which gets the count when all entries are there.
    start: usize,
    count: usize,
    /// How many levels there may be, this one included.
    levels: usize,
    /// The first thing that went wrong. Kept until the end so that entries need no `?`.
    outcome: Result<(), Excess>,
}

impl<'a, O: Output> Container<'a, O> {
    /// Writes a header that has room for any count; a short one would have to be moved for more.
    #[inline]
    fn open(out: &'a mut O, kind: u8, levels: usize) -> Self {
        let start = out.written();
        out.extend(&[kind, 0, 0, 0, 0]);
        Self {
            out,
            start,
            count: 0,
            levels,
            outcome: Ok(()),
        }
    }

    #[inline]
    fn key(&mut self, key: &str) {
        let written = put::text(self.out, key);
        self.note(written);
    }

    #[inline]
    fn value(&mut self, value: ValueRef<'_>) {
        self.count += 1;
        let written = put::value(self.out, value, self.levels - 1);
        self.note(written);
    }

    fn map(&mut self, fill: impl FnOnce(&mut MapEncoder<'_, O>)) {
        self.nest(put::MAP_32, |inner| {
            let mut map = MapEncoder(inner);
            fill(&mut map);
            map.0.close()
        });
    }

    fn array(&mut self, fill: impl FnOnce(&mut ArrayEncoder<'_, O>)) {
        self.nest(put::ARRAY_32, |inner| {
            let mut array = ArrayEncoder(inner);
            fill(&mut array);
            array.0.close()
        });
    }

    fn nest(&mut self, kind: u8, fill: impl FnOnce(Container<'_, O>) -> Result<(), Excess>) {
        self.count += 1;
        let written = match self.levels - 1 {
            0 => Err(Excess::TooDeep),
            levels => fill(Container::open(self.out, kind, levels)),
        };
        self.note(written);
    }

    #[inline]
    fn close(&mut self) -> Result<(), Excess> {
        self.outcome?;
        let count = u32::try_from(self.count).map_err(|_| Excess::TooLong)?;
        self.out.patch(self.start + 1, &count.to_be_bytes());
        Ok(())
    }

    #[inline]
    fn note(&mut self, written: Result<(), Excess>) {
        if written.is_err() && self.outcome.is_ok() {
            self.outcome = written;
        }
    }
}
