//! Integers to decimal text, written where they stay.
//!
//! A record has two or three numbers, and a library's way (digits in pairs into a buffer, which is
//! then copied) costs more than all the rest of a record: the copy has to wait for the stores of
//! the pairs. Here eight digits are computed at once in the lanes of one word and stored once.

use forebay_abi::copy_field;

use super::field::{Field, FieldWriter};

/// Bytes that [`write()`] may touch; at most 20 of them are digits.
pub(super) const ROOM: usize = 24;

/// What a word of eight digits can hold.
const EIGHT: u64 = 100_000_000;

/// Writes the digits to the front of `to` and returns their number. What is behind them is garbage.
#[inline]
pub(super) fn write(value: u64, to: &mut [u8; ROOM]) -> usize {
    if value < EIGHT {
        return put_first(value, to, 0);
    }
    write_long(value, to)
}

fn write_long(value: u64, to: &mut [u8; ROOM]) -> usize {
    let (high, low) = (value / EIGHT, value % EIGHT);
    let length = if high < EIGHT {
        put_first(high, to, 0)
    } else {
        let length = put_first(high / EIGHT, to, 0);
        put(digits(high % EIGHT), to, length);
        length + 8
    };
    put(digits(low), to, length);
    length + 8
}

/// Puts a number without its leading zeros.
#[inline]
fn put_first(value: u64, to: &mut [u8; ROOM], at: usize) -> usize {
    let digits = digits(value);
    let zeros = leading_zeros(digits);
    put(digits >> (8 * zeros), to, at);
    8 - zeros
}

/// Digits that a number is written without; the last one counts, be it a zero.
#[inline]
fn leading_zeros(digits: u64) -> usize {
    (digits | 1 << 56).trailing_zeros() as usize / 8
}

/// Puts digits as text.
#[inline]
fn put(digits: u64, to: &mut [u8; ROOM], at: usize) {
    if let Some(to) = to.get_mut(at..at + 8) {
        to.copy_from_slice(&as_text(digits));
    }
}

#[inline]
fn as_text(digits: u64) -> [u8; 8] {
    (digits | u64::from_le_bytes([b'0'; 8])).to_le_bytes()
}

/// The eight digits of a number below [`EIGHT`], the first one in the lowest byte.
#[inline]
fn digits(value: u64) -> u64 {
    // Two lanes of four digits, four of two, eight of one. A quotient is had by multiplying, exact
    // for what a lane can hold; what a product leaves in the lane above is masked out.
    let fours = (value / 10_000) | (value % 10_000) << 32;
    let hundreds = ((fours * 10_486) >> 20) & 0x0000_007F_0000_007F;
    let twos = hundreds | (fours - hundreds * 100) << 16;
    let tens = ((twos * 103) >> 10) & 0x000F_000F_000F_000F;
    tens | (twos - tens * 10) << 8
}

/// A number that is written often and only grows, such as that of a line or a byte.
///
/// What changes seldom, the number of digits and those above the last eight, is kept, so that
/// writing it as a [`Field`] takes no division. It writes the same text as the number itself; only
/// sources of tens of millions of records a second need it.
///
/// ```
/// use plugin_api::{BatchWriter, DecimalCounter};
///
/// fn fill(batch: &mut BatchWriter, number: &mut DecimalCounter) {
///     while batch.has_room() {
///         batch.create(&*number).payload("tick");
///         number.add(1);
///     }
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DecimalCounter {
    value: u64,
    /// The value without its last eight digits, which are those of `word`.
    base: u64,
    word: u64,
    /// Digits of `word` that a value below [`EIGHT`] is written without.
    zeros: usize,
    /// The eight digits above those of `word`.
    above: u64,
    /// Text of all digits above those of `word`, if there are any.
    text: [u8; ROOM],
    length: usize,
}

impl DecimalCounter {
    /// Begins with this value.
    #[must_use]
    pub fn new(value: u64) -> Self {
        let (high, low) = (value / EIGHT, value % EIGHT);
        let mut text = [0; ROOM];
        let word = digits(low);
        Self {
            value,
            base: value - low,
            word,
            zeros: leading_zeros(word),
            above: digits(high % EIGHT),
            length: if high > 0 { write(high, &mut text) } else { 0 },
            text,
        }
    }

    /// The value.
    #[inline]
    #[must_use]
    pub fn get(&self) -> u64 {
        self.value
    }

    /// Adds to the value; it stays at the largest `u64` when it would become larger.
    #[inline]
    pub fn add(&mut self, more: u64) {
        match self.value.checked_add(more) {
            // The last digit lies in the highest byte; most steps of one change no other.
            Some(value) if more < 10 && (self.word >> 56) + more < 10 => {
                (self.value, self.word) = (value, self.word + (more << 56));
            }
            Some(value) if value - self.base < EIGHT => {
                (self.value, self.word) = (value, digits(value - self.base));
                self.zeros = leading_zeros(self.word);
            }
            value => *self = Self::new(value.unwrap_or(u64::MAX)),
        }
    }

    /// Number of digits.
    #[inline]
    #[must_use]
    pub fn digits(&self) -> usize {
        if self.base == 0 {
            8 - self.zeros
        } else {
            self.length + 8
        }
    }

    /// The last sixteen digits, with zeros in front where there are fewer.
    #[inline]
    #[must_use]
    pub fn last_sixteen(&self) -> [u8; 16] {
        let mut text = [0; 16];
        let (above, last) = text.split_at_mut(8);
        above.copy_from_slice(&as_text(self.above));
        last.copy_from_slice(&as_text(self.word));
        text
    }

    /// Writes the digits to the front of `to` and returns their number.
    #[inline(always)]
    fn put(&self, to: &mut [u8; ROOM]) -> usize {
        if self.base == 0 {
            put(self.word >> (8 * self.zeros), to, 0);
            return 8 - self.zeros;
        }
        *to = self.text;
        put(self.word, to, self.length);
        self.length + 8
    }
}

/// Appends two numbers with a byte between them and bytes behind, with one look for room: a position
/// that is made of them is written for every record.
#[inline(always)]
pub(super) fn append_pair(
    out: &mut FieldWriter<'_>,
    [first, second]: [&DecimalCounter; 2],
    between: u8,
    behind: &[u8],
) {
    let written = out.append_at_most(2 * ROOM + 1 + behind.len(), |to| {
        let length = first.put(to.first_chunk_mut()?);
        *to.get_mut(length)? = between;
        let length = length + 1;
        let length = length + second.put(to.get_mut(length..)?.first_chunk_mut()?);
        copy_field(behind, to.get_mut(length..)?.get_mut(..behind.len())?);
        Some(length + behind.len())
    });
    if !written {
        // There is hardly any room, but the text may still fit.
        first.write(out);
        out.append(&[between]);
        second.write(out);
        out.append(behind);
    }
}

impl Field for DecimalCounter {
    #[inline(always)]
    fn write(&self, out: &mut FieldWriter<'_>) {
        out.append_with(|to| self.put(to));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(value: u64) -> String {
        let mut to = [b'x'; ROOM];
        let length = write(value, &mut to);
        String::from_utf8(to[..length].to_vec()).unwrap()
    }

    #[test]
    fn digits_are_those_of_display() {
        let powers = (0..20).map(|power| 10_u64.pow(power));
        let around = powers.flat_map(|n| [n - 1, n, n + 1, n.saturating_mul(7)]);
        let spread = (0..100_000).map(|n: u64| n.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> (n % 64));
        for value in around.chain(0..20_000).chain(spread).chain([u64::MAX]) {
            assert_eq!(text(value), value.to_string());
        }
    }

    #[test]
    fn a_counter_is_written_as_its_value() {
        let mut buffer = crate::ffi::TestBuffer::new(0, 4096);
        for start in [0, 9, EIGHT - 3, EIGHT, 12 * EIGHT - 3, u64::MAX - 5] {
            for step in [0, 1, 7, 141, EIGHT, EIGHT + 1] {
                let mut counter = DecimalCounter::new(start);
                let mut value = start;
                for _ in 0..10 {
                    assert_eq!(counter.get(), value);
                    assert_eq!(counter.digits(), value.to_string().len());
                    let last = format!("{:016}", value % 10_u64.pow(16));
                    assert_eq!(counter.last_sixteen(), *last.as_bytes());
                    let text = buffer.fill(
                        |lent| {
                            let mut out = FieldWriter::new(lent.arena());
                            out.append_pair([&counter, &counter], b':', b"@x");
                            out.finish().unwrap();
                        },
                        |batch| String::from_utf8(batch.arena.to_vec()).unwrap(),
                    );
                    assert_eq!(text, format!("{value}:{value}@x"));
                    counter.add(step);
                    value = value.saturating_add(step);
                }
            }
        }
    }

    #[test]
    fn every_lane_is_exact() {
        for value in 0..10_000 {
            for number in [value, value * 10_000, value * 10_000 + 9_999] {
                assert_eq!(text(number), number.to_string());
            }
        }
    }
}
