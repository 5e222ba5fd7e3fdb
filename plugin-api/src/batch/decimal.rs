//! Integers to decimal text, written where they stay.
//!
//! A record has two or three numbers, and a library's way (digits in pairs into a buffer, which is
//! then copied) costs more than all the rest of a record: the copy has to wait for the stores of
//! the pairs. Here eight digits are computed at once in the lanes of one word and stored once.

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
    let text = (digits | u64::from_le_bytes([b'0'; 8])).to_le_bytes();
    if let Some(to) = to.get_mut(at..at + 8) {
        to.copy_from_slice(&text);
    }
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
/// What changes seldom, the digits above the last eight, is kept as text, so that writing it as a
/// [`Field`] takes no division.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DecimalCounter {
    low: u64,
    /// The eight digits of `low`.
    word: u64,
    high: u64,
    /// Text of `high`, if that isn't 0.
    text: [u8; ROOM],
    length: usize,
}

impl DecimalCounter {
    /// Begins with this value.
    #[must_use]
    pub fn new(value: u64) -> Self {
        let mut this = Self {
            low: 0,
            word: 0,
            high: 0,
            text: [0; ROOM],
            length: 0,
        };
        this.set(value);
        this
    }

    /// The value.
    #[inline]
    #[must_use]
    pub fn get(&self) -> u64 {
        self.high * EIGHT + self.low
    }

    /// Adds to the value; it stays at the largest `u64` when it would become larger.
    #[inline]
    pub fn add(&mut self, more: u64) {
        match self.low.checked_add(more) {
            Some(low) if low < EIGHT && self.high < u64::MAX / EIGHT => {
                self.low = low;
                // The last digit lies in the highest byte; most steps of one change no other.
                let last = self.word >> 56;
                self.word = if more < 10 && last + more < 10 {
                    self.word + (more << 56)
                } else {
                    digits(low)
                };
            }
            _ => self.set(self.get().saturating_add(more)),
        }
    }

    /// Number of digits.
    #[inline]
    #[must_use]
    pub fn digits(&self) -> usize {
        if self.high > 0 {
            self.length + 8
        } else {
            8 - leading_zeros(self.word)
        }
    }

    #[cold]
    fn set(&mut self, value: u64) {
        (self.high, self.low) = (value / EIGHT, value % EIGHT);
        self.word = digits(self.low);
        self.length = if self.high > 0 {
            write(self.high, &mut self.text)
        } else {
            0
        };
    }

    /// Writes the digits to the front of `to` and returns their number.
    #[inline]
    fn put(&self, to: &mut [u8; ROOM]) -> usize {
        if self.high == 0 {
            let zeros = leading_zeros(self.word);
            put(self.word >> (8 * zeros), to, 0);
            return 8 - zeros;
        }
        *to = self.text;
        put(self.word, to, self.length);
        self.length + 8
    }
}

impl DecimalCounter {
    /// Writes the number and a byte behind it, such as a separator.
    #[inline]
    pub fn write_with(&self, out: &mut FieldWriter<'_>, behind: u8) {
        out.append_with(|to| {
            let length = self.put(to);
            to[length] = behind;
            length + 1
        });
    }
}

impl Field for DecimalCounter {
    #[inline]
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
                    let text = buffer.fill(
                        |lent| {
                            let mut out = FieldWriter::new(lent);
                            counter.write_with(&mut out, b':');
                            counter.write(&mut out);
                            out.finish().unwrap();
                        },
                        |batch| String::from_utf8(batch.arena.to_vec()).unwrap(),
                    );
                    assert_eq!(text, format!("{value}:{value}"));
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
