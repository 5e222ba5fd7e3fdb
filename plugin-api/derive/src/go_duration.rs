//! Durations in the syntax of Go, as far as they must be checked at compile time.
//!
//! The rules are those of `plugin_api::duration`, which a macro that it depends on can't call; a
//! test of that crate compares the two. Here nobody needs to know what is wrong with a text.

const UNITS: [(&str, i128); 8] = [
    ("ns", 1),
    ("us", 1_000),
    ("µs", 1_000),
    ("μs", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60_000_000_000),
    ("h", 3_600_000_000_000),
];

/// Nanoseconds of a duration such as `1h30m`; `None` if it isn't one.
pub(crate) fn nanos(text: &str) -> Option<i128> {
    let (sign, mut rest) = match text.split_at_checked(1) {
        Some(("-", rest)) => (-1, rest),
        Some(("+", rest)) => (1, rest),
        _ => (1, text),
    };
    if rest == "0" {
        return Some(0);
    }
    let mut sum = None;
    while !rest.is_empty() {
        let (whole, after) = digits(rest);
        let (fraction, after) = after.strip_prefix('.').map_or(("", after), digits);
        if whole.is_empty() && fraction.is_empty() {
            return None;
        }
        let number = after.find(|c: char| c == '.' || c.is_ascii_digit());
        let (unit, tail) = after.split_at(number.unwrap_or(after.len()));
        let (_, unit) = UNITS.into_iter().find(|(name, _)| *name == unit)?;
        sum = Some(sum.unwrap_or(0) + scaled(whole, fraction, unit)?);
        rest = tail;
    }
    // Like Go's, a duration has 64 bits.
    sum.map(|nanos| sign * nanos)
        .filter(|nanos| i64::try_from(*nanos).is_ok())
}

fn digits(text: &str) -> (&str, &str) {
    text.split_at(
        text.find(|c: char| !c.is_ascii_digit())
            .unwrap_or(text.len()),
    )
}

fn scaled(whole: &str, fraction: &str, unit: i128) -> Option<i128> {
    // 18 digits of a fraction are finer than a nanosecond in the largest unit.
    let fraction = fraction.get(..18).unwrap_or(fraction);
    let parse = |digits: &str| format!("0{digits}").parse::<u64>().ok().map(i128::from);
    let exponent = u32::try_from(fraction.len()).ok()?;
    Some(parse(whole)? * unit + parse(fraction)? * unit / 10_i128.pow(exponent))
}
