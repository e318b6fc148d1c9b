//! Points in time as RFC 3339 text, in UTC.
//!
//! Promise: nine digits of a second, so that text sorts like time and nothing is lost; years 0000 to 9999.
//! Never: knows a time zone of its own. Reads offsets, always writes `Z`.

use std::{
    fmt,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

const DAY: i64 = 86_400;
/// 0000-01-01T00:00:00Z and 9999-12-31T23:59:59Z in seconds from 1970: what four digits of a year can say.
const FIRST: i64 = -62_167_219_200;
const LAST: i64 = 253_402_300_799;

/// The text is not an RFC 3339 time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an RFC 3339 time, as in 2026-01-31T23:59:59.123Z")]
pub(crate) struct ParseTimeError;

/// `time` as RFC 3339 with `Z`. Years outside 0000 to 9999 are clamped to the nearest second that can be written.
pub(crate) fn to_rfc3339(time: SystemTime) -> String {
    let mut text = String::with_capacity(30);
    // Writing to a string cannot fail.
    let _ = write_rfc3339(&mut text, time);
    text
}

pub(crate) fn write_rfc3339(out: &mut impl fmt::Write, time: SystemTime) -> fmt::Result {
    let (seconds, nanos) = match seconds_from_1970(time) {
        (seconds, _) if seconds < FIRST => (FIRST, 0),
        (seconds, _) if seconds > LAST => (LAST, 999_999_999),
        inside => inside,
    };
    let (year, month, day) = civil_from_days(seconds.div_euclid(DAY));
    let second = seconds.rem_euclid(DAY);
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    write!(
        out,
        "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{nanos:09}Z"
    )
}

/// Reads RFC 3339: any offset, any number of fraction digits (those past the ninth are dropped).
pub(crate) fn from_rfc3339(text: &str) -> Result<SystemTime, ParseTimeError> {
    parse(text.as_bytes()).ok_or(ParseTimeError)
}

fn parse(bytes: &[u8]) -> Option<SystemTime> {
    let (head, mut rest) = bytes.split_at_checked(19)?;
    let number = |range: std::ops::Range<usize>| -> Option<i64> {
        head.get(range)?.iter().try_fold(0i64, |sum, byte| {
            byte.is_ascii_digit()
                .then(|| sum * 10 + i64::from(byte - b'0'))
        })
    };
    let marks = [head[4], head[7], head[10], head[13], head[16]];
    if !matches!(marks, [b'-', b'-', b'T' | b't' | b' ', b':', b':']) {
        return None;
    }
    let (year, month, day) = (number(0..4)?, number(5..7)?, number(8..10)?);
    let (hour, minute, second) = (number(11..13)?, number(14..16)?, number(17..19)?);
    // A leap second (60) is read as the second after it, as POSIX clocks do.
    if !(1..=12).contains(&month)
        || day < 1
        || day > days_in(year, month)
        || hour > 23
        || minute > 59
        || second > 60
    {
        return None;
    }
    let mut nanos = 0u32;
    if let [b'.', fraction @ ..] = rest {
        let digits = fraction
            .iter()
            .take_while(|byte| byte.is_ascii_digit())
            .count();
        if digits == 0 {
            return None;
        }
        for digit in fraction[..digits]
            .iter()
            .map(|byte| byte - b'0')
            .chain([0; 9])
            .take(9)
        {
            nanos = nanos * 10 + u32::from(digit);
        }
        rest = &fraction[digits..];
    }
    let offset = match rest {
        [b'Z' | b'z'] => 0,
        [sign @ (b'+' | b'-'), h1, h2, b':', m1, m2] => {
            if ![h1, h2, m1, m2].iter().all(|byte| byte.is_ascii_digit()) {
                return None;
            }
            let pair = |a: &u8, b: &u8| i64::from(a - b'0') * 10 + i64::from(b - b'0');
            let (hours, minutes) = (pair(h1, h2), pair(m1, m2));
            if hours > 23 || minutes > 59 {
                return None;
            }
            let seconds = hours * 3600 + minutes * 60;
            if *sign == b'-' { -seconds } else { seconds }
        }
        _ => return None,
    };
    let seconds =
        days_from_civil(year, month, day) * DAY + hour * 3600 + minute * 60 + second - offset;
    let fraction = Duration::from_nanos(nanos.into());
    let whole = Duration::from_secs(seconds.unsigned_abs());
    if seconds < 0 {
        UNIX_EPOCH.checked_sub(whole)?.checked_add(fraction)
    } else {
        UNIX_EPOCH.checked_add(whole + fraction)
    }
}

/// Seconds from 1970, rounded down, and the nanoseconds after them.
fn seconds_from_1970(time: SystemTime) -> (i64, u32) {
    match time.duration_since(UNIX_EPOCH) {
        Ok(after) => (
            i64::try_from(after.as_secs()).unwrap_or(i64::MAX),
            after.subsec_nanos(),
        ),
        Err(before) => {
            let before = before.duration();
            let seconds = i64::try_from(before.as_secs()).map_or(i64::MIN, |seconds| -seconds);
            match before.subsec_nanos() {
                0 => (seconds, 0),
                nanos => (seconds.saturating_sub(1), 1_000_000_000 - nanos),
            }
        }
    }
}

/// Year, month and day of a day counted from 1970-01-01, in the Gregorian calendar. Works in eras of 400 years
/// (146,097 days) that begin in March, so that the leap day is the last of its year.
fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * march_month + 2) / 5 + 1;
    let month = if march_month < 10 {
        march_month + 3
    } else {
        march_month - 9
    };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

/// The inverse of [`civil_from_days`].
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = year - i64::from(month <= 2);
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let march_month = if month > 2 { month - 3 } else { month + 9 };
    let day_of_year = (153 * march_month + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

fn days_in(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(seconds: i64, nanos: u32) -> SystemTime {
        let whole = Duration::from_secs(seconds.unsigned_abs());
        let start = if seconds < 0 {
            UNIX_EPOCH - whole
        } else {
            UNIX_EPOCH + whole
        };
        start + Duration::from_nanos(nanos.into())
    }

    #[test]
    fn known_instants_print_as_expected() {
        for (seconds, nanos, text) in [
            (0, 0, "1970-01-01T00:00:00.000000000Z"),
            (951_782_400, 1, "2000-02-29T00:00:00.000000001Z"),
            (1_709_251_199, 999_999_999, "2024-02-29T23:59:59.999999999Z"),
            (4_107_542_400, 0, "2100-03-01T00:00:00.000000000Z"),
            (-1, 500_000_000, "1969-12-31T23:59:59.500000000Z"),
            (FIRST, 0, "0000-01-01T00:00:00.000000000Z"),
            (LAST, 0, "9999-12-31T23:59:59.000000000Z"),
        ] {
            assert_eq!(to_rfc3339(at(seconds, nanos)), text);
            assert_eq!(from_rfc3339(text), Ok(at(seconds, nanos)));
        }
        assert_eq!(
            to_rfc3339(at(LAST + 1, 0)),
            "9999-12-31T23:59:59.999999999Z"
        );
        assert_eq!(
            to_rfc3339(at(FIRST - 1, 0)),
            "0000-01-01T00:00:00.000000000Z"
        );
    }

    #[test]
    fn offsets_and_short_fractions_are_read() {
        let noon = from_rfc3339("2024-06-01T12:00:00Z").unwrap();
        for text in [
            "2024-06-01T14:00:00.0+02:00",
            "2024-06-01 06:30:00.000-05:30",
            "2024-06-01t12:00:00.0000000001z",
        ] {
            assert_eq!(from_rfc3339(text), Ok(noon), "{text}");
        }
    }

    #[test]
    fn what_is_not_rfc3339_is_refused() {
        for text in [
            "",
            "2024-06-01",
            "2024-06-01T12:00:00",
            "2024-13-01T12:00:00Z",
            "2023-02-29T12:00:00Z",
            "2024-06-01T24:00:00Z",
            "2024-06-01T12:00:00.Z",
            "2024-06-01T12:00:00+2:00",
            "2024-06-01T12:00:00Zulu",
            "2024-06-0é12:00:00Z",
            "+024-06-01T12:00:00Z",
        ] {
            assert_eq!(from_rfc3339(text), Err(ParseTimeError), "{text}");
        }
    }

    #[test]
    fn every_day_of_eight_centuries_has_its_own_date() {
        let mut expected = (1600, 1, 1);
        for day in days_from_civil(1600, 1, 1)..days_from_civil(2400, 1, 1) {
            assert_eq!(civil_from_days(day), expected);
            assert_eq!(days_from_civil(expected.0, expected.1, expected.2), day);
            expected.2 += 1;
            if expected.2 > days_in(expected.0, expected.1) {
                expected = if expected.1 == 12 {
                    (expected.0 + 1, 1, 1)
                } else {
                    (expected.0, expected.1 + 1, 1)
                };
            }
        }
    }

    proptest! {
        #[test]
        fn any_writable_instant_reads_back(seconds in FIRST..=LAST, nanos in 0u32..1_000_000_000) {
            let time = at(seconds, nanos);
            prop_assert_eq!(from_rfc3339(&to_rfc3339(time)), Ok(time));
        }

        #[test]
        fn any_text_is_read_or_refused_without_a_panic(text in ".{0,40}") {
            let _ = from_rfc3339(&text);
        }
    }
}
