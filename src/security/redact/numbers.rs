//! Numbers of people: cards, bank accounts, social security numbers; telephones are looked at in [`phones`].
//!
//! Promise: a number is taken as a whole or not at all, never out of the middle of an id, a hash or a float; every run of
//! digits is looked at once, a bounded way ahead.

use std::ops::Range;

use super::bounds::{before, context};
use super::{check, phones};

/// What a number is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Number {
    CreditCard,
    Iban,
    UsSsn,
    Phone,
}

/// The most groups and digits a number of people has.
const GROUPS: usize = 7;
const DIGITS: usize = 20;

const SOCIAL: &[&str] = &[
    "ssn",
    "social security",
    "social-security",
    "social_security",
];

/// Groups of digits and what is between them.
pub(super) struct Groups {
    pub(super) digits: [u8; DIGITS],
    total: usize,
    /// Where a group begins, where it ends, and how many digits there are up to its end.
    pub(super) ends: [(usize, usize, usize); GROUPS],
    /// What stands before a group: one character, or `*` for several.
    pub(super) marks: [u8; GROUPS],
    pub(super) len: usize,
}

impl Groups {
    /// The groups from `at` on, a digit.
    fn at(bytes: &[u8], at: usize) -> Self {
        let mut groups = Self {
            digits: [0; DIGITS],
            total: 0,
            ends: [(0, 0, 0); GROUPS],
            marks: [0; GROUPS],
            len: 0,
        };
        let (mut from, mut mark) = (at, 0);
        while groups.len < GROUPS {
            let mut end = from;
            while let Some(digit) = bytes.get(end).filter(|b| b.is_ascii_digit()) {
                if groups.total == DIGITS {
                    return groups;
                }
                groups.digits[groups.total] = digit - b'0';
                groups.total += 1;
                end += 1;
            }
            groups.ends[groups.len] = (from, end, groups.total);
            groups.marks[groups.len] = mark;
            groups.len += 1;
            let between = bytes[end..]
                .iter()
                .take(3)
                .take_while(|b| matches!(b, b' ' | b'-' | b'.' | b'(' | b')' | b'/'))
                .count();
            if between == 0 || !bytes.get(end + between).is_some_and(u8::is_ascii_digit) {
                break;
            }
            mark = if between == 1 { bytes[end] } else { b'*' };
            from = end + between;
        }
        groups
    }

    pub(super) fn len_of(&self, group: usize) -> usize {
        self.ends[group].1 - self.ends[group].0
    }

    /// Whether the groups begin with ones of these lengths, all with the same mark between, one of `marks`.
    pub(super) fn are(&self, lengths: &[usize], marks: &[u8]) -> Option<usize> {
        let fits = self.len >= lengths.len()
            && lengths
                .iter()
                .enumerate()
                .all(|(at, len)| self.len_of(at) == *len)
            && (lengths.len() < 2 || marks.contains(&self.marks[1]))
            && (2..lengths.len()).all(|at| self.marks[at] == self.marks[1]);
        fits.then_some(lengths.len())
    }

    pub(super) fn digits(&self, groups: usize) -> &[u8] {
        &self.digits[..self.ends[groups - 1].2]
    }
}

/// Finds the numbers in a text. `found` gets them from left to right, none overlapping.
pub(super) fn scan(bytes: &[u8], mut found: impl FnMut(Number, Range<usize>)) {
    let mut at = 0;
    while let Some(start) = next_digit(bytes, at) {
        at = run_end(bytes, start);
        let (number, range) = match before(bytes, start) {
            Some(b) if b.is_ascii_alphabetic() => match iban(bytes, start) {
                Some(range) => (Number::Iban, range),
                None => continue,
            },
            // The fraction of a number, or the rest of a name.
            Some(b'_') => continue,
            Some(b'.') if start >= 2 && bytes[start - 2].is_ascii_digit() => continue,
            _ => match look(bytes, start) {
                Some(found) => found,
                None => continue,
            },
        };
        at = range.end.max(at);
        found(number, range);
    }
}

fn next_digit(bytes: &[u8], mut at: usize) -> Option<usize> {
    const BLOCK: usize = 32;
    while let Some(block) = bytes.get(at..at + BLOCK) {
        // Without a branch, so that it is done for the whole block at once.
        let any = block
            .iter()
            .fold(false, |any, b| any | (b.wrapping_sub(b'0') < 10));
        if any {
            break;
        }
        at += BLOCK;
    }
    bytes[at..]
        .iter()
        .position(u8::is_ascii_digit)
        .map(|digit| at + digit)
}

/// The end of the letters and digits.
fn run_end(bytes: &[u8], start: usize) -> usize {
    start
        + bytes[start..]
            .iter()
            .take_while(|b| b.is_ascii_alphanumeric())
            .count()
}

fn look(bytes: &[u8], start: usize) -> Option<(Number, Range<usize>)> {
    // Most runs are years, counts and versions: nothing of a length follows.
    let window = &bytes[start..(start + 12).min(bytes.len())];
    if window.iter().filter(|b| b.is_ascii_digit()).count() < 7 {
        return None;
    }
    let groups = Groups::at(bytes, start);
    if groups.total < 7 {
        return None;
    }
    let ends = |number, count: usize| {
        let end = groups.ends[count - 1].1;
        ends_there(bytes, end, groups.marks[(count - 1).clamp(1, GROUPS - 1)])
            .then_some((number, start..end))
    };
    // `12-4111-…` is longer than a card.
    let goes_on = start >= 2
        && matches!(bytes[start - 1], b'-' | b'/')
        && bytes[start - 2].is_ascii_alphanumeric();
    if !goes_on {
        let shapes: [&[usize]; 9] = [
            &[16],
            &[15],
            &[14],
            &[19],
            &[4, 4, 4, 4],
            &[4, 6, 5],
            &[4, 6, 4],
            &[4, 4, 4, 4, 3],
            &[4, 4, 4, 3],
        ];
        for shape in shapes {
            if let Some(count) = groups.are(shape, b" -.")
                && check::is_card(groups.digits(count))
                && let Some(found) = ends(Number::CreditCard, count)
            {
                return Some(found);
            }
        }
        if let Some(count) = groups
            .are(&[3, 2, 4], b"- ")
            .or_else(|| groups.are(&[9], b""))
            && check::is_ssn(groups.digits(count))
            && (count > 1 && groups.marks[1] == b'-' || context(bytes, start, 40, SOCIAL))
            && let Some(found) = ends(Number::UsSsn, count)
        {
            return Some(found);
        }
    }
    phones::look(bytes, start, &groups, goes_on).map(|range| (Number::Phone, range))
}

/// Whether a number may end there: no letter or digit follows, and no further group behind the same mark.
pub(super) fn ends_there(bytes: &[u8], end: usize, mark: u8) -> bool {
    match (bytes.get(end), bytes.get(end + 1)) {
        (Some(b), _) if b.is_ascii_alphanumeric() || *b == b'_' => false,
        (Some(b @ (b'-' | b'.')), Some(next)) if next.is_ascii_digit() => {
            *b != mark && *b != b'.' && mark != 0
        }
        _ => true,
    }
}

/// An account number whose country's two letters stand before the digit at `start`.
fn iban(bytes: &[u8], start: usize) -> Option<Range<usize>> {
    let from = start.checked_sub(2)?;
    let country = [
        bytes[from].to_ascii_uppercase(),
        bytes[from + 1].to_ascii_uppercase(),
    ];
    if before(bytes, from).is_some_and(|b| b.is_ascii_alphanumeric() || b == b'_')
        || !bytes.get(start + 1)?.is_ascii_digit()
    {
        return None;
    }
    let length = check::iban_length(country)?;
    let mut text = [0; 34];
    let (mut len, mut at) = (0, from);
    while len < length {
        let byte = *bytes.get(at)?;
        if byte.is_ascii_alphanumeric() {
            text[len] = byte.to_ascii_uppercase();
            len += 1;
        } else if !matches!(byte, b' ' | b'-') || !bytes.get(at + 1)?.is_ascii_alphanumeric() {
            return None;
        }
        at += 1;
    }
    let ends = bytes.get(at).is_none_or(|b| !b.is_ascii_alphanumeric());
    (ends && check::is_iban(&text[..length])).then_some(from..at)
}

/// Whether a whole number is a card's.
pub(super) fn is_card(mut number: u64) -> bool {
    let mut digits = [0; DIGITS];
    let mut at = DIGITS;
    while number > 0 {
        at -= 1;
        digits[at] = (number % 10) as u8;
        number /= 10;
    }
    check::is_card(&digits[at..])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<(Number, &str)> {
        let mut all = Vec::new();
        scan(text.as_bytes(), |number, range| {
            all.push((number, &text[range]))
        });
        all
    }

    #[test]
    fn numbers_are_taken_as_a_whole() {
        use Number::{CreditCard, Iban, Phone, UsSsn};
        for (text, number, part) in [
            ("card 4111111111111111.", CreditCard, "4111111111111111"),
            (
                "4111 1111 1111 1111 12/27 123",
                CreditCard,
                "4111 1111 1111 1111",
            ),
            ("4111-1111-1111-1111", CreditCard, "4111-1111-1111-1111"),
            ("3782 822463 10005", CreditCard, "3782 822463 10005"),
            (
                r"number:\n4111111111111111\n",
                CreditCard,
                "4111111111111111",
            ),
            (
                "DE89 3704 0044 0532 0130 00, please",
                Iban,
                "DE89 3704 0044 0532 0130 00",
            ),
            ("gb82west12345698765432", Iban, "gb82west12345698765432"),
            ("219-09-1234", UsSsn, "219-09-1234"),
            ("SSN: 219091234", UsSsn, "219091234"),
            ("+49 30 1234567 and", Phone, "+49 30 1234567"),
            ("tel:+14155552671", Phone, "+14155552671"),
            ("+1 415 555 2671 2024", Phone, "+1 415 555 2671"),
            ("(415) 555-2671", Phone, "(415) 555-2671"),
            ("415-555-2671", Phone, "415-555-2671"),
            ("1-800-555-2671", Phone, "1-800-555-2671"),
            ("06 12 34 56 78", Phone, "06 12 34 56 78"),
            ("07700 900123", Phone, "07700 900123"),
            ("0171 1234567", Phone, "0171 1234567"),
            ("phone number is 555 0123 45", Phone, "555 0123 45"),
        ] {
            assert_eq!(found(text), [(number, part)], "{text}");
        }
    }

    #[test]
    fn other_numbers_are_left_alone() {
        for text in [
            "4111111111111112",
            "id_4111111111111111",
            "0.4111111111111111",
            "4111111111111111.5",
            "12-4111-1111-1111-1111",
            "4111-1111-1111-1111-1",
            "a4111111111111111",
            "1732608700000",
            "1732608700000000",
            "550e8400-e29b-41d4-a716-446655440000",
            "4bf92f3577b34da6a3ce929d0e0e4736",
            "2024-01-01T00:00:00.000+01:00",
            "2026-11-26 08:11:40",
            "order 4155552671",
            "123-45-67890",
            "000-12-3456",
            "219 09 1234",
            "1.234.567.890",
            "+1.000.000.000",
            "192.168.100.200",
            "10 20 30 40 50 60",
            "30 1D 06 09 60 86 48 01 65",
            "+12345-03-04",
            "+999999-12-31 23:59",
            "+1441497364",
            "ISBN 978-3-16-148410-0",
            "978-0-306-40615-7",
            "DE88370400440532013000",
            "XX89370400440532013000",
            "gpt-4o-2024-08-06",
            "5 1234567",
            "1+12345678901",
            "+0000000000",
            "1,234,567,890",
            "v1.2.3-4567890",
            "12345678",
        ] {
            assert_eq!(found(text), [], "{text}");
        }
    }
}
