//! The form of a line: its file, its number, and text that a torn or mixed line wouldn't have.

use std::fmt::Write as _;

/// Characters of the text behind the numbers.
const TEXT: usize = 80;

/// Appends the line to `to`, with its newline.
pub(super) fn write(to: &mut String, file: usize, number: u64) {
    let begun = to.len();
    // A String takes everything.
    writeln!(to, "{file} {number:012} {:0>TEXT$x}", mixed(file, number)).ok();
    debug_assert_eq!(to.len() - begun, TEXT + 16);
}

/// File and number of a line without its newline, if it is whole.
pub(super) fn read(line: &str) -> Option<(usize, u64)> {
    let mut parts = line.split(' ');
    let file = parts.next()?.parse().ok()?;
    let number = parts.next()?.parse().ok()?;
    let mut expected = String::new();
    write(&mut expected, file, number);
    (expected.strip_suffix('\n') == Some(line)).then_some((file, number))
}

/// A number that neighbours don't share.
fn mixed(file: usize, number: u64) -> u128 {
    let seed = (u128::from(number) << 8) + file as u128 + 1;
    seed.wrapping_mul(0x9E37_79B9_7F4A_7C15_F39C_C060_5CED_C835)
}
