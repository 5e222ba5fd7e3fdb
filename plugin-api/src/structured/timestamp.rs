//! Instants with nanoseconds, and their text.

use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

const NANOSECONDS_A_SECOND: u32 = 1_000_000_000;
const SECONDS_A_DAY: i64 = 86_400;
/// Days of 400 years of the Gregorian calendar, after which it repeats.
const DAYS_AN_ERA: i64 = 146_097;
/// Days from 1 March of year 0 to 1 January 1970.
const DAYS_BEFORE_EPOCH: i64 = 719_468;

/// An instant: seconds since 1970 in UTC, without leap seconds, and nanoseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Timestamp {
    seconds: i64,
    nanoseconds: u32,
}

impl Timestamp {
    /// Makes the instant `nanoseconds` after the second; `None` if they make up another second.
    #[must_use]
    pub const fn new(seconds: i64, nanoseconds: u32) -> Option<Self> {
        if nanoseconds < NANOSECONDS_A_SECOND {
            Some(Self {
                seconds,
                nanoseconds,
            })
        } else {
            None
        }
    }

    /// Whole seconds since the beginning of 1970, negative before it.
    #[must_use]
    pub const fn seconds(self) -> i64 {
        self.seconds
    }

    /// Nanoseconds after the second, less than 1,000,000,000.
    #[must_use]
    pub const fn nanoseconds(self) -> u32 {
        self.nanoseconds
    }

    /// Appends the instant as RFC 3339 writes it: `2026-07-30T12:00:00.25Z`.
    ///
    /// The fraction has no more digits than it needs. RFC 3339 ends with year 9999; years it
    /// doesn't have are written as ISO 8601 has them, with a sign: `+12345-01-01T00:00:00Z`.
    pub(super) fn write(self, out: &mut Vec<u8>) {
        let (year, month, day) = date(self.seconds.div_euclid(SECONDS_A_DAY));
        let second = self.seconds.rem_euclid(SECONDS_A_DAY);
        match year {
            0..=9999 => digits(out, year, 4),
            10_000.. => {
                out.push(b'+');
                out.extend_from_slice(itoa::Buffer::new().format(year).as_bytes());
            }
            ..0 => {
                out.push(b'-');
                digits(out, -year, 4);
            }
        }
        for (before, number) in [
            (b'-', month),
            (b'-', day),
            (b'T', second / 3600),
            (b':', second / 60 % 60),
            (b':', second % 60),
        ] {
            out.push(before);
            digits(out, number, 2);
        }
        if self.nanoseconds != 0 {
            out.push(b'.');
            digits(out, i64::from(self.nanoseconds), 9);
            while out.last() == Some(&b'0') {
                out.pop();
            }
        }
        out.push(b'Z');
    }
}

/// Year, month and day, from days since the beginning of 1970.
///
/// Counts in years that begin on 1 March, so that the leap day is the last of its year.
fn date(days_since_epoch: i64) -> (i64, i64, i64) {
    let days = days_since_epoch + DAYS_BEFORE_EPOCH;
    let era = days.div_euclid(DAYS_AN_ERA);
    let day_of_era = days.rem_euclid(DAYS_AN_ERA);
    // Take out the leap days before this day: one in 4 years, but not the last of a century,
    // but the last of the era.
    let leap_days = day_of_era / 1460 - day_of_era / 36_524 + day_of_era / (DAYS_AN_ERA - 1);
    let year_of_era = (day_of_era - leap_days) / 365;
    let day_of_year = day_of_era - (year_of_era * 365 + year_of_era / 4 - year_of_era / 100);
    // March to July are 31, 30, 31, 30, 31 days, and so are August to December: 153 in 5 months.
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let (month, next_year) = match month_from_march {
        0..10 => (month_from_march + 3, 0),
        _ => (month_from_march - 9, 1),
    };
    (era * 400 + year_of_era + next_year, month, day)
}

/// Appends the decimal digits of a number that isn't negative, with zeros in front if it is short.
fn digits(out: &mut Vec<u8>, number: i64, width: usize) {
    let mut text = itoa::Buffer::new();
    let text = text.format(number).as_bytes();
    for _ in text.len()..width {
        out.push(b'0');
    }
    out.extend_from_slice(text);
}

/// The instant as RFC 3339 writes it, in UTC.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = Vec::with_capacity(32);
        self.write(&mut text);
        f.pad(&String::from_utf8_lossy(&text))
    }
}

/// Instants too far off for seconds in an `i64`, which no system clock gives, become the last one.
impl From<SystemTime> for Timestamp {
    fn from(time: SystemTime) -> Self {
        match time.duration_since(UNIX_EPOCH) {
            Ok(after) => Self {
                seconds: i64::try_from(after.as_secs()).unwrap_or(i64::MAX),
                nanoseconds: after.subsec_nanos(),
            },
            Err(error) => {
                let before = error.duration();
                let seconds = i64::try_from(before.as_secs()).map_or(i64::MIN, |seconds| -seconds);
                match before.subsec_nanos() {
                    0 => Self {
                        seconds,
                        nanoseconds: 0,
                    },
                    nanoseconds => Self {
                        seconds: seconds.saturating_sub(1),
                        nanoseconds: NANOSECONDS_A_SECOND - nanoseconds,
                    },
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn text(seconds: i64, nanoseconds: u32) -> String {
        Timestamp::new(seconds, nanoseconds).unwrap().to_string()
    }

    #[test]
    fn text_is_rfc_3339() {
        assert_eq!(text(0, 0), "1970-01-01T00:00:00Z");
        assert_eq!(text(-1, 999_999_999), "1969-12-31T23:59:59.999999999Z");
        assert_eq!(text(951_782_399, 1), "2000-02-28T23:59:59.000000001Z");
        assert_eq!(text(951_782_400, 0), "2000-02-29T00:00:00Z");
        assert_eq!(text(951_868_800, 0), "2000-03-01T00:00:00Z");
        assert_eq!(text(4_107_542_400, 0), "2100-03-01T00:00:00Z");
        assert_eq!(text(4_107_542_399, 0), "2100-02-28T23:59:59Z");
        assert_eq!(text(1_700_000_000, 250_000_000), "2023-11-14T22:13:20.25Z");
        assert_eq!(text(-62_167_219_200, 0), "0000-01-01T00:00:00Z");
        assert_eq!(text(253_402_300_799, 0), "9999-12-31T23:59:59Z");
    }

    #[test]
    fn years_beyond_rfc_3339_have_a_sign() {
        assert_eq!(text(253_402_300_800, 0), "+10000-01-01T00:00:00Z");
        assert_eq!(text(-62_167_219_201, 0), "-0001-12-31T23:59:59Z");
        assert_eq!(text(i64::MAX, 0), "+292277026596-12-04T15:30:07Z");
        assert_eq!(text(i64::MIN, 0), "-292277022657-01-27T08:29:52Z");
    }

    #[test]
    fn every_day_of_two_eras_follows_the_one_before() {
        const LENGTHS: [i64; 12] = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
        let (mut year, mut month, mut day) = (1600, 1, 1);
        let first = -135_140; // 1600-01-01
        for days in first..first + 2 * DAYS_AN_ERA {
            assert_eq!(date(days), (year, month, day));
            let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
            let length =
                LENGTHS[usize::try_from(month - 1).unwrap()] + i64::from(leap && month == 2);
            day += 1;
            if day > length {
                (month, day) = (month + 1, 1);
            }
            if month > 12 {
                (year, month) = (year + 1, 1);
            }
        }
    }

    #[test]
    fn a_second_has_a_billion_nanoseconds() {
        assert_eq!(Timestamp::new(0, 1_000_000_000), None);
        let last = Timestamp::new(-5, 999_999_999).unwrap();
        assert_eq!((last.seconds(), last.nanoseconds()), (-5, 999_999_999));
    }

    #[test]
    fn system_times_before_and_after_1970_convert() {
        let half = Duration::from_millis(1500);
        assert_eq!(
            Timestamp::from(UNIX_EPOCH + half),
            Timestamp::new(1, 500_000_000).unwrap()
        );
        assert_eq!(
            Timestamp::from(UNIX_EPOCH - half),
            Timestamp::new(-2, 500_000_000).unwrap()
        );
        let second = Duration::from_secs(1);
        assert_eq!(
            Timestamp::from(UNIX_EPOCH - second),
            Timestamp::new(-1, 0).unwrap()
        );
    }
}
