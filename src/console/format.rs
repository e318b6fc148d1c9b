//! Numbers as people read them: durations, money, counts.
//!
//! Promise: one unit for each magnitude, never `1000 ms` or `60.0 s`, no exponent.
//! Never: shows an amount that is not a number.

use std::time::Duration;

/// `0.4 ms`, `120 ms`, `1.2 s`, `2 min 05 s`, `1 h 02 min`.
pub(super) fn duration(time: Duration) -> String {
    let micros = time.as_micros();
    // Each border lies where rounding would reach the next unit.
    match micros {
        0 => "0 ms".to_owned(),
        1..50 => "<0.1 ms".to_owned(),
        50..9_950 => format!("{:.1} ms", micros as f64 / 1e3),
        9_950..999_500 => format!("{:.0} ms", micros as f64 / 1e3),
        999_500..59_950_000 => format!("{:.1} s", micros as f64 / 1e6),
        _ => {
            let seconds = (micros + 500_000) / 1_000_000;
            if seconds < 3_600 {
                format!("{} min {:02} s", seconds / 60, seconds % 60)
            } else {
                let minutes = (seconds + 30) / 60;
                format!("{} h {:02} min", minutes / 60, minutes % 60)
            }
        }
    }
}

/// What still runs, in whole seconds so that a waiting tree does not twitch; `None` within the first.
pub(super) fn elapsed(time: Duration) -> Option<String> {
    match time.as_secs() {
        0 => None,
        seconds @ 1..60 => Some(format!("{seconds} s")),
        seconds => Some(duration(Duration::from_secs(seconds))),
    }
}

/// US dollars with three significant digits and at least two decimals: `$0.0000432`, `$0.50`, `$1,234.50`. `None` for a
/// negative amount and for one that is not finite.
pub(super) fn dollars(amount: f64) -> Option<String> {
    /// Below a billionth of a dollar the digits say nothing any more.
    const DECIMALS: i32 = 9;
    if !amount.is_finite() || amount < 0.0 {
        return None;
    }
    if amount > 0.0 && amount < 5e-10 {
        return Some("<$0.000000001".to_owned());
    }
    let magnitude = if amount > 0.0 {
        amount.log10().floor() as i32
    } else {
        0
    };
    let decimals = (2 - magnitude).clamp(2, DECIMALS) as usize;
    let digits = format!("{amount:.decimals$}");
    let (whole, fraction) = digits.split_once('.').unwrap_or((&digits, "00"));
    let mut fraction = fraction.trim_end_matches('0').to_owned();
    while fraction.len() < 2 {
        fraction.push('0');
    }
    Some(format!("${}.{fraction}", grouped(whole)))
}

/// A count with commas: `12,345`.
pub(super) fn count(n: u64) -> String {
    grouped(&n.to_string())
}

fn grouped(digits: &str) -> String {
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `83`, `4.2`.
pub(super) fn rate(per_second: f64) -> String {
    if per_second < 9.95 {
        format!("{per_second:.1}")
    } else {
        count(per_second.round() as u64)
    }
}

/// `1 call`, `3 calls`.
pub(super) fn plural(n: u64, noun: &str) -> String {
    let s = if n == 1 { "" } else { "s" };
    format!("{} {noun}{s}", count(n))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_change_unit_where_rounding_would() {
        for (micros, expected) in [
            (0, "0 ms"),
            (30, "<0.1 ms"),
            (400, "0.4 ms"),
            (9_949, "9.9 ms"),
            (9_950, "10 ms"),
            (120_000, "120 ms"),
            (999_499, "999 ms"),
            (999_500, "1.0 s"),
            (1_240_000, "1.2 s"),
            (59_949_999, "59.9 s"),
            (59_950_000, "1 min 00 s"),
            (125_000_000, "2 min 05 s"),
            (3_599_600_000, "1 h 00 min"),
            (3_720_000_000, "1 h 02 min"),
            (360_000_000_000, "100 h 00 min"),
        ] {
            assert_eq!(
                duration(Duration::from_micros(micros)),
                expected,
                "{micros}"
            );
        }
        assert!(duration(Duration::MAX).ends_with("min"));
    }

    #[test]
    fn what_runs_is_timed_in_whole_seconds() {
        let shown = |millis| elapsed(Duration::from_millis(millis));
        assert_eq!(shown(999), None);
        assert_eq!(shown(59_999).as_deref(), Some("59 s"));
        assert_eq!(shown(61_999).as_deref(), Some("1 min 01 s"));
    }

    #[test]
    fn money_keeps_three_digits_that_matter() {
        for (amount, expected) in [
            (0.0, "$0.00"),
            (0.000_043_2, "$0.0000432"),
            (0.000_000_001, "$0.000000001"),
            (1e-12, "<$0.000000001"),
            (0.012_345, "$0.0123"),
            (0.5, "$0.50"),
            (0.999_9, "$1.00"),
            (1.234_5, "$1.23"),
            (1_234.5, "$1,234.50"),
            (12_345_678.0, "$12,345,678.00"),
        ] {
            assert_eq!(dollars(amount).as_deref(), Some(expected), "{amount}");
        }
        for amount in [-1.0, f64::NAN, f64::INFINITY] {
            assert_eq!(dollars(amount), None);
        }
    }

    #[test]
    fn rates_have_a_decimal_below_ten() {
        let shown = [0.25, 9.94, 9.96, 1_234.4].map(rate);
        assert_eq!(shown, ["0.2", "9.9", "10", "1,234"]);
    }

    #[test]
    fn counts_are_grouped_and_nouns_inflected() {
        assert_eq!(count(140), "140");
        assert_eq!(count(1_234_567), "1,234,567");
        assert_eq!(count(u64::MAX), "18,446,744,073,709,551,615");
        assert_eq!(plural(1, "call"), "1 call");
        assert_eq!(plural(0, "tool"), "0 tools");
    }
}
