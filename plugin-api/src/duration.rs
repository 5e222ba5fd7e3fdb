//! Durations as Go writes them: `1h30m`, `250ms`, `1.5s`, `0`.
//!
//! Pipeline files, defaults of parameters and Conduit's connectors all use this form. The host
//! checks it, the author layer turns it into a [`Duration`]; both by this code, so that they can't
//! disagree.
//!
//! A duration is one or more numbers, each with a unit: `ns`, `us` (or `µs`), `ms`, `s`, `m`, `h`;
//! in any order and repeated at will. A number may have a fraction. Zero alone needs no unit. What
//! lies below a nanosecond is cut off, and like Go's the value must fit 64 bits of nanoseconds,
//! about 292 years either way.
//!
//! ```
//! use plugin_api::duration;
//! use std::time::Duration;
//!
//! assert_eq!(duration::parse("1h30m"), Ok(Duration::from_secs(5400)));
//! assert_eq!(duration::parse_nanos("-1.5ms"), Ok(-1_500_000));
//! assert_eq!(duration::format(Duration::from_millis(90_500)), "1m30.5s");
//!
//! let error = duration::parse("90").unwrap_err();
//! assert_eq!(error.to_string(), "`90` has no unit: use ns, us, ms, s, m or h");
//! ```

use std::fmt;
use std::time::Duration;

const MICROSECOND: u64 = 1_000;
const MILLISECOND: u64 = 1_000_000;
const SECOND: u64 = 1_000_000_000;
const MINUTE: u64 = 60 * SECOND;
const HOUR: u64 = 60 * MINUTE;

/// Decimals that can matter: an hour in nanoseconds has 13 digits.
const FRACTION_DIGITS: usize = 18;

/// Why text isn't a duration.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum DurationError {
    /// There is nothing, or only a sign.
    Empty,
    /// Something else stands where a number should.
    NoNumber(String),
    /// A number without a unit.
    NoUnit(String),
    /// A unit that doesn't exist.
    UnknownUnit(String),
    /// More than 64 bits of nanoseconds.
    TooLong,
    /// Less than zero where that makes no sense.
    Negative,
}

impl fmt::Display for DurationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("no duration: write one such as 250ms or 1h30m"),
            Self::NoNumber(rest) => write!(f, "no number before `{}`", rest.escape_debug()),
            Self::NoUnit(number) => {
                write!(f, "`{number}` has no unit: use ns, us, ms, s, m or h")
            }
            Self::UnknownUnit(unit) => write!(
                f,
                "unknown unit `{}`: use ns, us, ms, s, m or h",
                unit.escape_debug()
            ),
            Self::TooLong => f.write_str("longer than 292 years"),
            Self::Negative => f.write_str("less than zero"),
        }
    }
}

impl std::error::Error for DurationError {}

/// Reads a duration that isn't negative.
///
/// # Errors
/// [`DurationError`] says which part of the text isn't one.
///
/// # Examples
/// ```
/// use plugin_api::duration::{self, DurationError};
/// use std::time::Duration;
///
/// assert_eq!(duration::parse("2m0.5s"), Ok(Duration::from_millis(120_500)));
/// assert_eq!(duration::parse("0"), Ok(Duration::ZERO));
/// assert_eq!(duration::parse("-1s"), Err(DurationError::Negative));
/// ```
pub fn parse(text: &str) -> Result<Duration, DurationError> {
    let nanos = parse_nanos(text)?;
    u64::try_from(nanos)
        .map(Duration::from_nanos)
        .map_err(|_| DurationError::Negative)
}

/// Reads a duration of either sign as a count of nanoseconds.
///
/// # Errors
/// As [`parse`], but a negative duration is none.
///
/// # Examples
/// ```
/// use plugin_api::duration::{self, DurationError};
///
/// assert_eq!(duration::parse_nanos("-1h"), Ok(-3_600_000_000_000));
/// assert_eq!(
///     duration::parse_nanos("3 days"),
///     Err(DurationError::UnknownUnit(" days".into()))
/// );
/// ```
pub fn parse_nanos(text: &str) -> Result<i128, DurationError> {
    let (negative, mut rest) = match text.as_bytes() {
        [b'-', ..] => (true, &text[1..]),
        [b'+', ..] => (false, &text[1..]),
        _ => (false, text),
    };
    if rest == "0" {
        return Ok(0);
    }
    if rest.is_empty() {
        return Err(DurationError::Empty);
    }
    let mut total: i128 = 0;
    while !rest.is_empty() {
        let (part, after) = take_part(rest)?;
        total = total
            .checked_add(part)
            .filter(|total| *total <= i128::from(i64::MAX) + i128::from(negative))
            .ok_or(DurationError::TooLong)?;
        rest = after;
    }
    Ok(if negative { -total } else { total })
}

/// Reads one number and its unit off the front.
fn take_part(text: &str) -> Result<(i128, &str), DurationError> {
    let (whole, rest) = take_digits(text);
    let (fraction, rest) = match rest.strip_prefix('.') {
        Some(rest) => take_digits(rest),
        None => ("", rest),
    };
    if whole.is_empty() && fraction.is_empty() {
        return Err(DurationError::NoNumber(text.into()));
    }
    let (unit, after) = rest.split_at(
        rest.find(|c: char| c == '.' || c.is_ascii_digit())
            .unwrap_or(rest.len()),
    );
    let unit = match unit {
        "" => {
            let number = &text[..text.len() - rest.len()];
            return Err(DurationError::NoUnit(number.into()));
        }
        "ns" => 1,
        // Both characters that look like a micro: U+00B5 and the Greek letter.
        "us" | "\u{b5}s" | "\u{3bc}s" => MICROSECOND,
        "ms" => MILLISECOND,
        "s" => SECOND,
        "m" => MINUTE,
        "h" => HOUR,
        _ => return Err(DurationError::UnknownUnit(unit.into())),
    };
    let whole = match whole {
        "" => 0,
        // Too many digits for 128 bits are too many nanoseconds all the more.
        digits => digits
            .parse::<i128>()
            .ok()
            .and_then(|n| n.checked_mul(i128::from(unit)))
            .ok_or(DurationError::TooLong)?,
    };
    let part = whole.checked_add(fraction_of(fraction, unit));
    Ok((part.ok_or(DurationError::TooLong)?, after))
}

/// How many nanoseconds the decimals of a number stand for, rounded down.
fn fraction_of(digits: &str, unit: u64) -> i128 {
    let (mut value, mut scale) = (0, 1);
    for digit in digits.bytes().take(FRACTION_DIGITS) {
        value = value * 10 + i128::from(digit - b'0');
        scale *= 10;
    }
    value * i128::from(unit) / scale
}

fn take_digits(text: &str) -> (&str, &str) {
    text.split_at(
        text.find(|c: char| !c.is_ascii_digit())
            .unwrap_or(text.len()),
    )
}

/// Writes a duration as Go prints it.
///
/// From a second up it has hours, minutes and seconds, as far as needed from the left; below that
/// one unit. What [`parse`] can hold reads back as the same duration.
///
/// # Examples
/// ```
/// use plugin_api::duration::format;
/// use std::time::Duration;
///
/// assert_eq!(format(Duration::from_secs(5400)), "1h30m0s");
/// assert_eq!(format(Duration::from_millis(250)), "250ms");
/// assert_eq!(format(Duration::from_nanos(1_500)), "1.5µs");
/// assert_eq!(format(Duration::ZERO), "0s");
/// ```
#[must_use]
pub fn format(duration: Duration) -> String {
    let nanos = duration.subsec_nanos();
    let seconds = duration.as_secs();
    if seconds > 0 {
        let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
        let tail = decimal(seconds % 60, nanos, 9);
        return match (hours, minutes) {
            (0, 0) => format!("{tail}s"),
            (0, minutes) => format!("{minutes}m{tail}s"),
            (hours, minutes) => format!("{hours}h{minutes}m{tail}s"),
        };
    }
    match nanos {
        0 => "0s".into(),
        1..1_000 => format!("{nanos}ns"),
        1_000..1_000_000 => format!("{}µs", decimal(u64::from(nanos / 1_000), nanos % 1_000, 3)),
        _ => {
            let (whole, fraction) = (nanos / 1_000_000, nanos % 1_000_000);
            format!("{}ms", decimal(u64::from(whole), fraction, 6))
        }
    }
}

/// Writes a number with `digits` decimals, without the zeros at their end.
fn decimal(whole: u64, fraction: u32, digits: usize) -> String {
    if fraction == 0 {
        return whole.to_string();
    }
    let decimals = format!("{fraction:0digits$}");
    format!("{whole}.{}", decimals.trim_end_matches('0'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_unit_sign_and_fraction_reads_as_in_go() {
        let table = [
            ("0", 0),
            ("-0", 0),
            ("+0", 0),
            ("0s", 0),
            ("5s", 5_000_000_000),
            ("+5s", 5_000_000_000),
            ("-5s", -5_000_000_000),
            ("1478s", 1_478_000_000_000),
            ("5.0s", 5_000_000_000),
            ("5.6s", 5_600_000_000),
            ("5.s", 5_000_000_000),
            (".5s", 500_000_000),
            ("1.004s", 1_004_000_000),
            ("100.00100s", 100_001_000_000),
            ("10ns", 10),
            ("11us", 11_000),
            ("12µs", 12_000),
            ("12μs", 12_000),
            ("13ms", 13_000_000),
            ("15m", 900_000_000_000),
            ("16h", 57_600_000_000_000),
            ("3h30m", 12_600_000_000_000),
            ("10.5s4m", 250_500_000_000),
            ("-2m3.4s", -123_400_000_000),
            ("1h2m3s4ms5us6ns", 3_723_004_005_006),
            ("39h9m14.425s", 140_954_425_000_000),
            ("52763797000ns", 52_763_797_000),
            ("0.3333333333333333333h", 1_200_000_000_000 - 1),
            ("0.9ns", 0),
            ("0.100000000000000000000h", 360_000_000_000),
            ("9223372036854775807ns", i128::from(i64::MAX)),
            ("-9223372036854775808ns", i128::from(i64::MIN)),
            ("2562047h47m16.854775807s", i128::from(i64::MAX)),
        ];
        for (text, nanos) in table {
            assert_eq!(parse_nanos(text), Ok(nanos), "{text}");
        }
    }

    #[test]
    fn what_is_no_duration_says_which_part_is_wrong() {
        use DurationError::{Empty, NoNumber, NoUnit, TooLong, UnknownUnit};
        let table = [
            ("", Empty),
            ("-", Empty),
            ("+", Empty),
            ("3", NoUnit("3".into())),
            ("00", NoUnit("00".into())),
            ("3000.5", NoUnit("3000.5".into())),
            ("1h30", NoUnit("30".into())),
            ("s", NoNumber("s".into())),
            (".s", NoNumber(".s".into())),
            (".", NoNumber(".".into())),
            ("--1s", NoNumber("-1s".into())),
            (" 1s", NoNumber(" 1s".into())),
            ("∞", NoNumber("∞".into())),
            ("1d", UnknownUnit("d".into())),
            ("1 s", UnknownUnit(" s".into())),
            ("1s ", UnknownUnit("s ".into())),
            ("1H", UnknownUnit("H".into())),
            ("1-s", UnknownUnit("-s".into())),
            ("1m-5s", UnknownUnit("m-".into())),
            ("1e3s", UnknownUnit("e".into())),
            ("9223372036854775808ns", TooLong),
            ("-9223372036854775809ns", TooLong),
            ("9223372036854775.808us", TooLong),
            ("3000000h", TooLong),
            ("2562047h48m", TooLong),
        ];
        for (text, error) in table {
            assert_eq!(parse_nanos(text), Err(error), "{text}");
        }
        assert_eq!(parse_nanos(&format!("{}s", "9".repeat(60))), Err(TooLong));
    }

    #[test]
    fn a_negative_duration_is_none_of_ours() {
        assert_eq!(parse("-1ns"), Err(DurationError::Negative));
        assert_eq!(parse("-0s"), Ok(Duration::ZERO));
    }

    #[test]
    fn errors_stay_on_one_line() {
        let error = parse("1s\n2s").unwrap_err();
        let said = r"unknown unit `s\n`: use ns, us, ms, s, m or h";
        assert_eq!(error.to_string(), said);
    }

    #[test]
    fn durations_print_as_in_go() {
        let table = [
            (0, "0s"),
            (1, "1ns"),
            (999, "999ns"),
            (1_100, "1.1µs"),
            (2_200_000, "2.2ms"),
            (999_999_999, "999.999999ms"),
            (3_300_000_000, "3.3s"),
            (60_000_000_000, "1m0s"),
            (245_000_000_000, "4m5s"),
            (245_001_000_000, "4m5.001s"),
            (3_600_000_000_000, "1h0m0s"),
            (18_367_001_000_000, "5h6m7.001s"),
            (480_000_000_001, "8m0.000000001s"),
            (u64::MAX >> 1, "2562047h47m16.854775807s"),
        ];
        for (nanos, text) in table {
            assert_eq!(format(Duration::from_nanos(nanos)), text);
        }
        assert_eq!(format(Duration::MAX), "5124095576030431h0m15.999999999s");
    }

    #[test]
    fn what_is_printed_reads_back() {
        // Every length of number, with digits that aren't all the same.
        for digits in 0..19 {
            for start in [1_u64, 7, 1_234_567_890_123_456_789] {
                let nanos = start % 10_u64.pow(digits);
                let duration = Duration::from_nanos(nanos);
                assert_eq!(parse(&format(duration)), Ok(duration));
            }
        }
    }
}
