//! Integers to decimal text, written where they stay.
//!
//! A library's digits come in a buffer that is then copied into the arena. That copy loads eight
//! bytes which were just stored in pairs, and the processor has to wait for the stores: measured at
//! 5 of 16 ns a record. Digits written in place are not read back.

/// Most digits of a `u64`.
pub(super) const MAX_DIGITS: usize = 20;

/// The numbers from 00 to 99.
#[expect(clippy::cast_possible_truncation, reason = "each is below 10")]
const PAIRS: [[u8; 2]; 100] = {
    let mut pairs = [[b'0'; 2]; 100];
    let mut n = 0;
    while n < 100 {
        pairs[n] = [b'0' + (n / 10) as u8, b'0' + (n % 10) as u8];
        n += 1;
    }
    pairs
};

/// Writes the digits to the front of `to` and returns their number.
#[inline]
#[expect(
    clippy::cast_possible_truncation,
    reason = "each is below 100 or a count of digits"
)]
pub(super) fn write(mut value: u64, to: &mut [u8; MAX_DIGITS]) -> usize {
    let digits = value.checked_ilog10().unwrap_or(0) as usize + 1;
    let mut end = digits;
    while value >= 100 {
        to[end - 2..end].copy_from_slice(&PAIRS[(value % 100) as usize]);
        value /= 100;
        end -= 2;
    }
    if end == 2 {
        to[..2].copy_from_slice(&PAIRS[value as usize]);
    } else {
        to[0] = b'0' + value as u8;
    }
    digits
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_those_of_display() {
        let powers = (0..20).map(|power| 10_u64.pow(power));
        let around = powers.flat_map(|n| [n - 1, n, n + 1, n.saturating_mul(7)]);
        for value in around.chain(0..1000).chain([u64::MAX]) {
            let mut text = [0; MAX_DIGITS];
            let digits = write(value, &mut text);
            assert_eq!(
                std::str::from_utf8(&text[..digits]).unwrap(),
                value.to_string()
            );
        }
    }
}
