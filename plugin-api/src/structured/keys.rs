//! Finds a key that occurs twice in one map.

use std::collections::HashSet;

/// Keys that are kept without allocating.
const FEW: usize = 16;
/// Keys that are compared one by one. Beyond, a hash set keeps hostile maps linear.
const SOME: usize = 64;

/// The keys of one map so far.
///
/// A filter of 256 bits spares nearly every key the comparison with those before it.
#[derive(Debug)]
pub(crate) struct Keys<'a> {
    filter: [u64; 4],
    count: usize,
    few: [&'a [u8]; FEW],
    more: Vec<&'a [u8]>,
    all: Option<HashSet<&'a [u8]>>,
}

impl<'a> Keys<'a> {
    #[inline]
    pub(crate) fn new() -> Self {
        Self {
            filter: [0; 4],
            count: 0,
            few: [&[]; FEW],
            more: Vec::new(),
            all: None,
        }
    }

    /// Adds a key; false if it was there.
    #[inline]
    pub(crate) fn insert(&mut self, key: &'a [u8]) -> bool {
        if self.count >= FEW {
            return self.insert_further(key);
        }
        if self.filter_had(key) && self.few[..self.count].contains(&key) {
            return false;
        }
        self.few[self.count] = key;
        self.count += 1;
        true
    }

    fn insert_further(&mut self, key: &'a [u8]) -> bool {
        if let Some(all) = &mut self.all {
            return all.insert(key);
        }
        if self.filter_had(key) && (self.few.contains(&key) || self.more.contains(&key)) {
            return false;
        }
        self.more.push(key);
        if FEW + self.more.len() == SOME {
            self.all = Some(self.few.iter().chain(&self.more).copied().collect());
        }
        true
    }

    /// Marks a key in the filter; whether its mark was there.
    #[inline]
    fn filter_had(&mut self, key: &[u8]) -> bool {
        let mark = mark(key);
        let word = &mut self.filter[usize::from(mark >> 6)];
        let bit = 1 << (mark & 63);
        let had = *word & bit != 0;
        *word |= bit;
        had
    }
}

/// Mixes the length and three bytes, which tells most keys of a record apart.
#[inline]
fn mark(key: &[u8]) -> u8 {
    let byte = |at: usize| u32::from(key.get(at).copied().unwrap_or(0));
    let length = key.len();
    let mixed = byte(0) | byte(length / 2) << 8 | byte(length.wrapping_sub(1)) << 16;
    let [high, ..] = (mixed ^ u32::from(length.to_le_bytes()[0]) << 24)
        .wrapping_mul(0x9e37_79b1)
        .to_be_bytes();
    high
}
