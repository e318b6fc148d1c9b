//! Exact amounts of money.
//!
//! Owns: [`Usd`], US dollars as a whole number of pico-dollars, and the reading of decimal text into it.
//! Promises: sums are exact; a sum that does not fit is reported or saturates, it never wraps.
//! Never: touches a float, except to leave for one ([`Usd::as_f64`]) or to round one in, once ([`Usd::from_f64`]).

use std::fmt;
use std::iter::Sum;
use std::str::FromStr;

/// Decimal places kept: one millionth of a dollar per million tokens is exactly one pico-dollar a token, so
/// every price list with up to six decimals adds up without rounding. With nine (nano-dollars) a cached token
/// at $0.0036 a million would already round; with fifteen the largest sum would shrink to 10^23 dollars for nothing.
const DECIMALS: usize = 12;

/// Pico-dollars in a dollar.
const UNIT: i128 = 1_000_000_000_000;

/// An exact amount in US dollars, kept as a whole number of pico-dollars (10⁻¹² $).
///
/// The range is about ±1.7 · 10²⁶ dollars, far past any bill.
///
/// ```
/// use tracing_genai::enrich::Usd;
///
/// let price: Usd = "0.0042".parse()?;
/// assert_eq!(price.to_string(), "$0.0042");
/// let sum: Usd = ["0.1", "0.2"].iter().map(|text| text.parse::<Usd>()).sum::<Result<Usd, _>>()?;
/// assert_eq!(sum, "0.3".parse()?);
/// # Ok::<(), tracing_genai::enrich::ParseUsdError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Usd(i128);

impl Usd {
    /// Nothing. A free call costs this; an unknown price is no `Usd` at all.
    pub const ZERO: Self = Self(0);
    /// The largest amount; the value a saturated sum shows.
    pub const MAX: Self = Self(i128::MAX);
    /// The smallest amount; the value a saturated sum of negative amounts shows.
    pub const MIN: Self = Self(i128::MIN);

    /// The amount of this many pico-dollars.
    #[must_use]
    pub const fn from_pico(pico: i128) -> Self {
        Self(pico)
    }

    /// The amount in pico-dollars.
    #[must_use]
    pub const fn as_pico(self) -> i128 {
        self.0
    }

    /// Rounds a float of dollars to the nearest pico-dollar, once. `None` if it is not finite or does not fit.
    #[must_use]
    pub fn from_f64(dollars: f64) -> Option<Self> {
        let pico = (dollars * UNIT as f64).round();
        // 2^126: a float just below i128::MAX does not exist, so stop well before the edge.
        (pico.abs() < 8.5e37).then_some(Self(pico as i128))
    }

    /// The nearest float of dollars, for attributes and metrics.
    #[must_use]
    pub fn as_f64(self) -> f64 {
        // Both steps round: whole dollars and the rest apart keep the error below one unit in the last place.
        (self.0 / UNIT) as f64 + (self.0 % UNIT) as f64 / UNIT as f64
    }

    /// The sum, or `None` if it does not fit.
    #[must_use]
    pub const fn checked_add(self, other: Self) -> Option<Self> {
        match self.0.checked_add(other.0) {
            Some(sum) => Some(Self(sum)),
            None => None,
        }
    }

    /// The sum, or [`Usd::MAX`] / [`Usd::MIN`] if it does not fit.
    #[must_use]
    pub const fn saturating_add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

/// Sums saturate: a total that reads [`Usd::MAX`] did not fit. Use [`Usd::checked_add`] to be told.
impl Sum for Usd {
    fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
        amounts.fold(Self::ZERO, Self::saturating_add)
    }
}

impl<'a> Sum<&'a Usd> for Usd {
    fn sum<I: Iterator<Item = &'a Usd>>(amounts: I) -> Self {
        amounts.copied().sum()
    }
}

/// Prints `$0.0042`: every digit there is, at least two decimals. A precision rounds half away from zero: `{:.4}`.
impl fmt::Display for Usd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = f.precision().unwrap_or(DECIMALS).min(DECIMALS);
        let drop = 10_u128.pow((DECIMALS - shown) as u32);
        let kept = (self.0.unsigned_abs() + drop / 2) / drop;
        let scale = 10_u128.pow(shown as u32);
        let mut text = format!("${}", kept / scale);
        if shown > 0 {
            text.push_str(&format!(".{:0shown$}", kept % scale));
        }
        if f.precision().is_none() {
            let two_decimals = text.len() - (DECIMALS - 2);
            let digits = text.trim_end_matches('0').len();
            text.truncate(digits.max(two_decimals));
        }
        if self.0 < 0 {
            text.insert(0, '-');
        }
        // Amounts are padded as text: `f.pad` would read the precision as a length.
        match f.width() {
            Some(width) => write!(f, "{text:>width$}"),
            None => f.write_str(&text),
        }
    }
}

impl fmt::Debug for Usd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// Reads decimal text exactly: `0.20`, `$0.20`, `3e-7`.
impl FromStr for Usd {
    type Err = ParseUsdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let trimmed = text.trim();
        let (negative, rest) = match trimmed.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, trimmed),
        };
        let pico = parse_decimal(rest.strip_prefix('$').unwrap_or(rest))?;
        Ok(Self(if negative { -pico } else { pico }))
    }
}

/// Why a text is not an amount of money.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ParseUsdError {
    /// Not a decimal number.
    #[error("not a decimal number such as 0.20")]
    NotANumber,
    /// More than twelve decimal places, which could only be kept by rounding.
    #[error("more than 12 decimal places")]
    TooPrecise,
    /// Too large to be kept.
    #[error("too large")]
    TooLarge,
}

/// Reads an unsigned decimal, with or without exponent, as a whole number of 10⁻¹².
fn parse_decimal(text: &str) -> Result<i128, ParseUsdError> {
    // An i128 has 39 digits; the rest is room for zeros. Bounding the text bounds all counting below.
    if text.len() > 100 {
        return Err(ParseUsdError::TooLarge);
    }
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        // Four characters hold every exponent that could fit, so a huge one cannot overflow below.
        Some((_, digits)) if digits.len() > 4 => return Err(ParseUsdError::TooLarge),
        Some((mantissa, digits)) => (
            mantissa,
            digits
                .parse::<i32>()
                .map_err(|_| ParseUsdError::NotANumber)?,
        ),
        None => (text, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = || whole.bytes().chain(fraction.bytes());
    if digits().next().is_none() || !digits().all(|byte| byte.is_ascii_digit()) {
        return Err(ParseUsdError::NotANumber);
    }
    let mut value: i128 = 0;
    let mut trailing_zeros = 0_i32;
    // Zeros are held back until a digit follows them, so `0.20000000000000000` is neither large nor precise.
    for byte in digits() {
        if byte == b'0' {
            trailing_zeros = trailing_zeros.saturating_add(1);
            continue;
        }
        value = shift(value, trailing_zeros + 1)?
            .checked_add(i128::from(byte - b'0'))
            .ok_or(ParseUsdError::TooLarge)?;
        trailing_zeros = 0;
    }
    if value == 0 {
        return Ok(0);
    }
    let decimals = i32::try_from(fraction.len()).map_err(|_| ParseUsdError::TooPrecise)?;
    let power = trailing_zeros - decimals + exponent + DECIMALS as i32;
    if power < 0 {
        return Err(ParseUsdError::TooPrecise);
    }
    shift(value, power)
}

fn shift(value: i128, places: i32) -> Result<i128, ParseUsdError> {
    if value == 0 {
        return Ok(0);
    }
    u32::try_from(places)
        .ok()
        .and_then(|places| 10_i128.checked_pow(places))
        .and_then(|factor| value.checked_mul(factor))
        .ok_or(ParseUsdError::TooLarge)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usd(text: &str) -> Usd {
        text.parse().expect(text)
    }

    #[test]
    fn a_tenth_and_two_tenths_are_exactly_three_tenths() {
        assert_eq!(usd("0.1").checked_add(usd("0.2")), Some(usd("0.3")));
        let thousand: Usd = std::iter::repeat_n(usd("0.1"), 1000).sum();
        assert_eq!(thousand, usd("100"));
        assert_eq!(thousand.as_f64(), 100.0);
    }

    #[test]
    fn text_is_read_exactly_or_refused() {
        for (text, pico) in [
            ("0", 0),
            ("0.20", 200_000_000_000),
            ("$1", UNIT),
            (" -$1.5 ", -1_500_000_000_000),
            (".5", 500_000_000_000),
            ("2.", 2 * UNIT),
            ("3e-7", 300_000),
            ("1.5E2", 150 * UNIT),
            ("0.000000000001", 1),
            (
                "0.20000000000000000000000000000000000000000000000",
                200_000_000_000,
            ),
            ("000000000000000000000000000000000000000000000000001", UNIT),
            ("0e999", 0),
        ] {
            assert_eq!(text.parse(), Ok(Usd(pico)), "{text}");
        }
        for text in [
            "", ".", "$", "-", "x", "1,5", "1.2.3", "0x1", "1e", "NaN", "inf", "--1", "1 2", "+1",
        ] {
            assert_eq!(
                text.parse::<Usd>(),
                Err(ParseUsdError::NotANumber),
                "{text}"
            );
        }
        assert_eq!(
            "0.0000000000001".parse::<Usd>(),
            Err(ParseUsdError::TooPrecise)
        );
        assert_eq!("1e-13".parse::<Usd>(), Err(ParseUsdError::TooPrecise));
        for text in ["1e30", "1e99999999999", &"9".repeat(60)] {
            assert_eq!(text.parse::<Usd>(), Err(ParseUsdError::TooLarge), "{text}");
        }
    }

    #[test]
    fn amounts_print_every_digit_and_at_least_two() {
        for (text, shown) in [
            ("0", "$0.00"),
            ("0.0042", "$0.0042"),
            ("0.0000432", "$0.0000432"),
            ("1.5", "$1.50"),
            ("1234567", "$1234567.00"),
            ("-0.5", "-$0.50"),
            ("0.000000000001", "$0.000000000001"),
        ] {
            assert_eq!(usd(text).to_string(), shown);
        }
        assert_eq!(format!("{:.4}", usd("0.00005")), "$0.0001");
        assert_eq!(format!("{:.0}", usd("1.5")), "$2");
        assert_eq!(format!("{:.2}", usd("0.999")), "$1.00");
        assert_eq!(format!("{:>8.2}", usd("0.999")), "   $1.00");
    }

    #[test]
    fn a_sum_that_does_not_fit_is_reported_or_saturates() {
        let smallest = Usd(1);
        assert_eq!(Usd::MAX.checked_add(smallest), None);
        assert_eq!([Usd::MAX, smallest, smallest].iter().sum::<Usd>(), Usd::MAX);
        assert!(!Usd::MAX.to_string().is_empty() && !Usd::MIN.to_string().is_empty());
    }

    #[test]
    fn a_float_is_rounded_once_to_the_nearest_pico_dollar() {
        assert_eq!(
            Usd::from_f64(3.719_999_999_999_999_6e-5),
            Some(usd("0.0000372"))
        );
        assert_eq!(Usd::from_f64(0.1 + 0.2), Some(usd("0.3")));
        for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1e30] {
            assert_eq!(Usd::from_f64(value), None);
        }
    }
}
