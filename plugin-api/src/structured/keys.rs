//! Finds a key that occurs twice in one map.

use std::collections::HashSet;

/// Keys that are kept without allocating.
const FEW: usize = 16;
/// Keys that are compared one by one. Beyond, a hash set keeps hostile maps linear.
const SOME: usize = 256;
/// Marks of the filter: enough that in a row of a wide table few keys meet the mark of another.
const MARKS: usize = 1024;

/// The keys of one map so far.
///
/// A filter spares nearly every key the comparison with those before it.
#[derive(Debug)]
pub(crate) struct Keys<'a> {
    filter: [u64; MARKS / 64],
    count: usize,
    few: [&'a [u8]; FEW],
    more: Vec<&'a [u8]>,
    all: Option<HashSet<&'a [u8]>>,
}

impl<'a> Keys<'a> {
    #[inline]
    pub(crate) fn new() -> Self {
        Self {
            filter: [0; MARKS / 64],
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
        let word = &mut self.filter[mark / 64];
        let bit = 1 << (mark % 64);
        let had = *word & bit != 0;
        *word |= bit;
        had
    }
}

/// A number below [`MARKS`], the same for equal keys.
///
/// It is made of the length and of up to eight bytes of each end, which is where the keys of a
/// record differ.
#[inline]
fn mark(key: &[u8]) -> usize {
    /// Odd, with bits set all over: a product's high bits depend on every bit of the factor.
    const MIX: u64 = 0x9e37_79b9_7f4a_7c15;
    let (first, last) = ends(key);
    let mixed = (first.wrapping_mul(MIX) ^ last ^ (key.len() as u64) << 56).wrapping_mul(MIX);
    #[expect(clippy::cast_possible_truncation, reason = "below `MARKS`")]
    let mark = (mixed >> (u64::BITS - MARKS.ilog2())) as usize;
    mark
}

/// The first and the last eight bytes of a key; of a short one four, or all.
#[inline]
fn ends(key: &[u8]) -> (u64, u64) {
    if let (Some(first), Some(last)) = (key.first_chunk(), key.last_chunk()) {
        return (u64::from_le_bytes(*first), u64::from_le_bytes(*last));
    }
    if let (Some(first), Some(last)) = (key.first_chunk(), key.last_chunk()) {
        let (first, last) = (u32::from_le_bytes(*first), u32::from_le_bytes(*last));
        return (u64::from(first), u64::from(last));
    }
    let byte = |at: usize| u64::from(key.get(at).copied().unwrap_or(0));
    (byte(0) | byte(1) << 8, byte(2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_with_one_mark_are_told_apart() {
        // Longer than 16 bytes and different in the middle only, which marks don't see.
        let keys: Vec<String> = (0..SOME + 10)
            .map(|n| format!("prefix of a key {n:06} and its suffix"))
            .collect();
        let mut seen = Keys::new();
        for key in &keys {
            assert_eq!(mark(key.as_bytes()), mark(keys[0].as_bytes()));
            assert!(seen.insert(key.as_bytes()));
        }
        for key in &keys {
            assert!(!seen.insert(key.as_bytes()));
        }
    }

    #[test]
    fn short_keys_have_marks_of_their_own() {
        for length in 1..=16 {
            let marks: HashSet<usize> = (0..length)
                .map(|at| {
                    let mut key = vec![b'x'; length];
                    key[at] = b'y';
                    mark(&key)
                })
                .collect();
            // Chance alone makes two of 16 keys meet in one of 1024 marks now and then.
            assert!(marks.len() + 1 >= length, "{length} bytes, {marks:?}");
        }
    }
}
