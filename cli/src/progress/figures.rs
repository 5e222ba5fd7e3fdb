//! Figures as people read them: `12.3 M`, `4.1 M/s`, `1.2 GB`, `34,924`.
//!
//! Whole numbers throughout, so that every figure is rounded once and never shows `1000.0 k`.

use std::time::Duration;

const COUNT_UNITS: &[&str] = &["", "k", "M", "G", "T", "P", "E"];
const BYTE_UNITS: &[&str] = &["B", "kB", "MB", "GB", "TB", "PB", "EB"];

/// Shortest time that a rate is told of.
const RATE_TIME_MIN: Duration = Duration::from_millis(100);

/// A count: exact below a thousand, then with one decimal.
pub(super) fn count(count: u64) -> String {
    scaled(u128::from(count) * 10, COUNT_UNITS, false)
}

/// A number of bytes, in powers of 1,000.
pub(super) fn bytes(bytes: u64) -> String {
    scaled(u128::from(bytes) * 10, BYTE_UNITS, false)
}

/// A rate: with one decimal, also below ten a second. None of a time so short that it would tell how
/// long a pipeline takes to open.
pub(super) fn rate(count: u64, time: Duration) -> Option<String> {
    if time < RATE_TIME_MIN {
        return None;
    }
    let nanos = time.as_nanos();
    let tenths = (u128::from(count) * 10_000_000_000 + nanos / 2) / nanos;
    let small_decimal = !tenths.is_multiple_of(10) && tenths < 100;
    Some(scaled(tenths, COUNT_UNITS, small_decimal) + "/s")
}

/// An exact count, in groups of three digits.
pub(crate) fn exact(count: u64) -> String {
    let digits = count.to_string();
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// A time: `0.123 s`, `12.3 s`, `1 min 05 s`, `2 h 03 min`.
pub(super) fn time(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds {
        0..10 => format!("{:.3} s", time.as_secs_f64()),
        10..60 => format!("{:.1} s", time.as_secs_f64()),
        60..3_600 => format!("{} min {:02} s", seconds / 60, seconds % 60),
        _ => format!("{} h {:02} min", seconds / 3_600, seconds / 60 % 60),
    }
}

/// What is left of a wait, in whole seconds: `4 s`, `1 min 05 s`. Only one that is over has 0 s.
pub(super) fn wait(left: Duration) -> String {
    let seconds = left.as_secs() + u64::from(left.subsec_nanos() > 0);
    match seconds {
        0..60 => format!("{seconds} s"),
        _ => time(Duration::from_secs(seconds)),
    }
}

/// Tenths of a unit, in the largest unit that leaves at least one before the point. The smallest
/// unit has no decimal unless `small_decimal` asks for it.
fn scaled(tenths: u128, units: &[&str], small_decimal: bool) -> String {
    let mut unit = 0;
    let mut divisor: u128 = 1;
    let mut rounded = if small_decimal {
        tenths
    } else {
        (tenths + 5) / 10 * 10
    };
    // Rounding may add a digit: 999.95 k is 1.0 M.
    while rounded >= 10_000 && unit + 1 < units.len() {
        unit += 1;
        divisor *= 1_000;
        rounded = (tenths + divisor / 2) / divisor;
    }
    let (whole, tenth) = (rounded / 10, rounded % 10);
    let figure = if unit > 0 || small_decimal {
        format!("{whole}.{tenth}")
    } else {
        whole.to_string()
    };
    match units[unit] {
        "" => figure,
        name => format!("{figure} {name}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_have_at_most_four_digits() {
        for (value, expected) in [
            (0, "0"),
            (7, "7"),
            (999, "999"),
            (1_000, "1.0 k"),
            (1_049, "1.0 k"),
            (1_050, "1.1 k"),
            (34_924, "34.9 k"),
            (999_949, "999.9 k"),
            (999_950, "1.0 M"),
            (12_345_678, "12.3 M"),
            (4_000_000_000, "4.0 G"),
            (u64::MAX, "18.4 E"),
        ] {
            assert_eq!(count(value), expected);
        }
    }

    #[test]
    fn bytes_are_decimal() {
        for (value, expected) in [
            (0, "0 B"),
            (512, "512 B"),
            (1_024, "1.0 kB"),
            (1_913_704, "1.9 MB"),
            (1_200_000_000, "1.2 GB"),
        ] {
            assert_eq!(bytes(value), expected);
        }
    }

    #[test]
    fn rates_are_per_second() {
        for (value, millis, expected) in [
            (0, 1_000, "0/s"),
            (1, 2_000, "0.5/s"),
            (3, 1_000, "3/s"),
            (19, 2_000, "9.5/s"),
            (25, 2_000, "13/s"),
            (4_100_000, 1_000, "4.1 M/s"),
            (2_050_000, 500, "4.1 M/s"),
            (9_999, 10_000, "1.0 k/s"),
        ] {
            let rate = rate(value, Duration::from_millis(millis));
            assert_eq!(rate.as_deref(), Some(expected));
        }
    }

    #[test]
    fn a_moment_has_no_rate() {
        for time in [Duration::ZERO, Duration::from_millis(99)] {
            assert_eq!(rate(1_000_000, time), None);
        }
    }

    #[test]
    fn exact_counts_are_grouped() {
        for (value, expected) in [
            (0, "0"),
            (999, "999"),
            (1_000, "1,000"),
            (34_924, "34,924"),
            (u64::MAX, "18,446,744,073,709,551,615"),
        ] {
            assert_eq!(exact(value), expected);
        }
    }

    #[test]
    fn a_wait_is_told_in_whole_seconds() {
        for (millis, expected) in [
            (0, "0 s"),
            (1, "1 s"),
            (4_000, "4 s"),
            (59_001, "1 min 00 s"),
            (600_000, "10 min 00 s"),
        ] {
            assert_eq!(wait(Duration::from_millis(millis)), expected);
        }
    }

    #[test]
    fn times_are_as_exact_as_they_are_short() {
        for (millis, expected) in [
            (0, "0.000 s"),
            (123, "0.123 s"),
            (12_340, "12.3 s"),
            (65_000, "1 min 05 s"),
            (7_380_000, "2 h 03 min"),
        ] {
            assert_eq!(time(Duration::from_millis(millis)), expected);
        }
    }
}
