//! Telephone numbers: international ones (E.164), and national ones where their form or the word before them says so.
//!
//! Never: takes a bare run of digits for one.

use std::ops::Range;

use super::bounds::{before, context};
use super::numbers::{Groups, ends_there};

/// What is written before a national telephone number.
#[rustfmt::skip]
const CALLS: &[&str] = &[
    "phone", "telephone", "tel", "call", "mobile", "cell", "fax", "whatsapp", "sms", "telefon", "handy",
    "mobil", "rufnummer", "téléphone", "portable", "phone number", "telefonnummer",
];

/// The number whose first digit is at `start`. `goes_on` says that something else goes on there behind a `-` or `/`.
pub(super) fn look(
    bytes: &[u8],
    start: usize,
    groups: &Groups,
    goes_on: bool,
) -> Option<Range<usize>> {
    let opening = before(bytes, start) == Some(b'(');
    let plus = start
        .checked_sub(usize::from(opening) + 1)
        .filter(|at| bytes[*at] == b'+');
    match plus {
        Some(plus) => international(bytes, plus, groups),
        None if goes_on => None,
        None => national(bytes, start, groups, opening),
    }
}

/// Behind a `+`: eight to fifteen digits with the country's, as many groups as fit; eleven behind the 1 of North America.
fn international(bytes: &[u8], plus: usize, groups: &Groups) -> Option<Range<usize>> {
    let lengths = match groups.digits[0] {
        0 => return None,
        1 => 11..=11,
        _ => 8..=15,
    };
    let count = (1..=groups.len)
        .rev()
        .find(|count| lengths.contains(&groups.ends[count - 1].2))?;
    let digits = groups.digits(count);
    let free = before(bytes, plus).is_none_or(|b| !b.is_ascii_alphanumeric() && b != b'+');
    // A number without any mark in it is more often a sum; so is one of few different digits.
    let plain = count > 1 || digits.len() >= 10;
    let varied = digits
        .iter()
        .filter(|d| **d != digits[digits.len() - 1])
        .count()
        > 3;
    let thousands =
        count > 1 && (1..count).all(|at| groups.marks[at] == b'.' && groups.len_of(at) == 3);
    // Years beyond four digits are written `+12345-03-04`.
    let date =
        groups.len >= 3 && groups.marks[1..3] == *b"--" && (1..3).all(|at| groups.len_of(at) <= 2);
    let end = groups.ends[count - 1].1;
    (free && plain && varied && !thousands && !date && ends_there(bytes, end, b' '))
        .then_some(plus..end)
}

/// In the form of a country whose numbers are told by it, or behind a word for a telephone.
fn national(bytes: &[u8], start: usize, groups: &Groups, opening: bool) -> Option<Range<usize>> {
    let digit = |at: usize| groups.digits[at];
    let area = |at: usize| digit(at) >= 2 && digit(at + 3) >= 2;
    // North America: 415-555-2671, (415) 555-2671, 1-415-555-2671.
    let america =
        match (groups.len >= 3).then(|| (groups.len_of(0), groups.len_of(1), groups.len_of(2))) {
            Some((3, 3, 4))
                if area(0)
                    && (opening && groups.marks[1] != b'-'
                        || !opening
                            && groups.marks[1] == groups.marks[2]
                            && matches!(groups.marks[1], b'-' | b'.')) =>
            {
                Some(3)
            }
            Some((1, 3, 3))
                if digit(0) == 1
                    && area(1)
                    && groups.len >= 4
                    && groups.len_of(3) == 4
                    && matches!(groups.marks[1], b'-' | b'.' | b'*') =>
            {
                Some(4)
            }
            _ => None,
        };
    // France 06 12 34 56 78, Britain 07700 900123 and 020 7946 0958, Germany 0171 1234567.
    let europe = || {
        if digit(0) != 0 || digit(1) == 0 {
            return None;
        }
        groups
            .are(&[2, 2, 2, 2, 2], b" .-")
            .filter(|count| !in_dump(bytes, start, groups.ends[count - 1].1))
            .or_else(|| groups.are(&[5, 6], b" ").filter(|_| digit(1) == 7))
            .or_else(|| groups.are(&[3, 4, 4], b" ").filter(|_| digit(1) == 2))
            .or_else(|| {
                groups
                    .are(&[4, 7], b" /-")
                    .or_else(|| groups.are(&[4, 8], b" /-"))
                    .filter(|_| digit(1) == 1 && digit(2) >= 5)
            })
    };
    let called = || {
        let count = (1..=groups.len)
            .rev()
            .find(|count| (7..=13).contains(&groups.ends[count - 1].2))?;
        let end = before_call(bytes, start - usize::from(opening));
        let calls =
            context(bytes, end, 18, CALLS) && CALLS.iter().any(|word| ends_with(bytes, end, word));
        calls.then_some(count)
    };
    let count = america.or_else(europe).or_else(called)?;
    let end = groups.ends[count - 1].1;
    let mark = groups.marks[(count - 1).max(1)];
    ends_there(bytes, end, mark).then_some(start - usize::from(opening)..end)
}

/// Whether pairs of hexadecimal digits stand before or after: bytes, and no telephone number.
fn in_dump(bytes: &[u8], start: usize, end: usize) -> bool {
    let pair = |from: Option<usize>| {
        from.and_then(|from| bytes.get(from..from + 2))
            .is_some_and(|pair| pair.iter().all(u8::is_ascii_hexdigit))
    };
    pair(start.checked_sub(3)) || pair(Some(end + 1))
}

fn ends_with(bytes: &[u8], end: usize, word: &str) -> bool {
    end.checked_sub(word.len())
        .and_then(|from| bytes.get(from..end))
        .is_some_and(|piece| piece.eq_ignore_ascii_case(word.as_bytes()))
}

/// Back over what may stand between `phone` and its number: marks, and `number`, `no`, `us at`.
fn before_call(bytes: &[u8], start: usize) -> usize {
    let marks = |mut end: usize| {
        let from = end;
        while end > 0
            && from - end < 4
            && matches!(
                bytes[end - 1],
                b' ' | b':' | b'.' | b'=' | b'#' | b'"' | b'\''
            )
        {
            end -= 1;
        }
        end
    };
    let end = marks(start);
    for word in [
        "number", "nummer", "no", "nr", "us at", "me at", "us on", "me on", "is",
    ] {
        if ends_with(bytes, end, word) {
            return before_call(bytes, end - word.len());
        }
    }
    end
}
