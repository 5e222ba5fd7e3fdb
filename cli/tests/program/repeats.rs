//! What was repeated in an output after kills: whether lines are missing, and how far each run went back.

use crate::kill::{LINE, TWO_WINDOWS, line};

/// The numbers of the whole lines, and how many others there are: parts of lines that a kill has left.
pub(crate) fn numbers(output: &[u8]) -> (Vec<u64>, u64) {
    let mut numbers = Vec::new();
    let mut fragments = 0;
    for found in output.split_inclusive(|byte| *byte == b'\n') {
        let digits = found
            .get(..10)
            .and_then(|digits| std::str::from_utf8(digits).ok());
        let number = digits.and_then(|digits| digits.parse::<u64>().ok());
        match number.filter(|number| found == line(*number).as_bytes()) {
            Some(number) => numbers.push(number),
            None => {
                assert!(found.len() < LINE, "a line is garbled: {found:?}");
                fragments += 1;
            }
        }
    }
    (numbers, fragments)
}

/// Checks that each number below `end` that belongs there comes, that nothing else does, and that each
/// follows the one before it but for jumps back. Returns how many numbers that belong there each jump
/// repeats at least in part.
#[track_caller]
pub(crate) fn jumps(
    numbers: impl IntoIterator<Item = u64>,
    end: u64,
    belongs: impl Fn(u64) -> bool,
) -> Vec<u64> {
    let mut jumps = Vec::new();
    // Behind the last one, and behind the farthest.
    let (mut next, mut farthest) = (0, 0);
    let missing = |from: u64, to: u64| (from..to).find(|number| belongs(*number));
    for number in numbers {
        assert!(belongs(number), "{number} doesn't belong there");
        if number >= next {
            assert_eq!(missing(next, number), None, "missing before {number}");
        } else {
            let again = (number..farthest).filter(|number| belongs(*number));
            jumps.push(again.count() as u64);
        }
        next = number + 1;
        farthest = farthest.max(next);
    }
    assert_eq!(missing(farthest, end), None, "missing at the end");
    jumps
}

/// Checks that there are no more jumps back than kills, and none of more than two windows of records (I1).
/// Returns the farthest.
#[track_caller]
pub(crate) fn check_jumps(jumps: &[u64], kills: u64, what: &str) -> u64 {
    let worst = jumps.iter().copied().max().unwrap_or(0);
    assert!(
        jumps.len() as u64 <= kills,
        "{} repeats of {what} after {kills} kills",
        jumps.len()
    );
    assert!(
        worst <= TWO_WINDOWS,
        "{worst} of {what} repeated after one kill"
    );
    worst
}
