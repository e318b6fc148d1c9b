//! What tells a real number or secret from one that only looks like it: check digits, ranges, entropy.
//!
//! Pure functions of the text. Sources: Luhn (ISO/IEC 7812-1 annex B) and the issuers' published ranges; IBAN (ISO 13616, the
//! lengths of the SWIFT registry); US social security numbers (SSA: area not 000, 666 or 900–999, group not 00, serial not 0000).

use super::bounds;

/// Shannon entropy in bits per byte. Random base 62 of 20 characters has about 4, English words about 3, `xxxxxxxx` 0.
pub(super) fn entropy(text: &str) -> f32 {
    let mut counts = [0u32; 256];
    for byte in text.bytes() {
        counts[usize::from(byte)] += 1;
    }
    let len = text.len().max(1) as f32;
    counts
        .iter()
        .filter(|n| **n > 0)
        .map(|n| {
            let p = *n as f32 / len;
            -p * p.log2()
        })
        .sum()
}

/// The higher entropy of both ends: padding on one side does not hide a secret on the other.
pub(super) fn end_entropy(text: &str) -> f32 {
    const END: usize = 48;
    if text.len() <= 2 * END {
        return entropy(text);
    }
    let head = text.get(..bounds::floor(text, END)).unwrap_or(text);
    let tail = text
        .get(bounds::ceil(text, text.len() - END)..)
        .unwrap_or(text);
    entropy(head).max(entropy(tail))
}

/// A card number: length and range of an issuer, and the check digit. `digits` are values, not characters.
pub(super) fn is_card(digits: &[u8]) -> bool {
    is_issued(digits) && luhn(digits) && digits.iter().any(|d| *d != digits[0])
}

fn is_issued(digits: &[u8]) -> bool {
    let head = |n: usize| {
        digits
            .iter()
            .take(n)
            .fold(0u32, |sum, d| sum * 10 + u32::from(*d))
    };
    match digits.len() {
        // Diners Club.
        14 => matches!(head(3), 300..=305) || matches!(head(2), 36 | 38 | 39),
        // American Express.
        15 => matches!(head(2), 34 | 37),
        // Visa, Mastercard, Discover, JCB, UnionPay, Maestro.
        16 => {
            head(1) == 4
                || matches!(head(2), 51..=55 | 62 | 65)
                || matches!(head(3), 644..=649)
                || matches!(head(4), 2221..=2720 | 3528..=3589 | 6011 | 5018 | 5020 | 5038 | 6304 | 6759 | 6761..=6763)
        }
        // UnionPay. Visa has announced such numbers and issued hardly any, while ids of 19 digits are everywhere.
        19 => head(2) == 62,
        _ => false,
    }
}

fn luhn(digits: &[u8]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(at, d)| {
            let d = u32::from(*d);
            match (at % 2 == 1, d * 2) {
                (false, _) => d,
                (true, double) if double > 9 => double - 9,
                (true, double) => double,
            }
        })
        .sum();
    sum.is_multiple_of(10)
}

/// How long an IBAN of this country is.
pub(super) fn iban_length(country: [u8; 2]) -> Option<usize> {
    /// Country codes, two letters each, by length.
    const LENGTHS: [(usize, &str); 18] = [
        (15, "NO"),
        (16, "BE"),
        (18, "DKFOGLFINLSDFK"),
        (19, "MKSI"),
        (20, "ATBAEEKZXKLTLU"),
        (21, "HRLVLICH"),
        (22, "BHBGCRDEGEIEMERSGBVA"),
        (23, "GITLILIQAEOMSO"),
        (24, "ADCZMDPKROSASKESSETNVG"),
        (25, "PTSTLY"),
        (26, "ISTR"),
        (27, "FRGRITMCMRSMBIDJ"),
        (28, "ALAZBYCYDOGTHULBSVPLNI"),
        (29, "BRPSQAUAEG"),
        (30, "JOKWMUYE"),
        (31, "MTSC"),
        (32, "LC"),
        (33, "RU"),
    ];
    LENGTHS.iter().find_map(|(length, countries)| {
        countries
            .as_bytes()
            .chunks_exact(2)
            .any(|code| code == country)
            .then_some(*length)
    })
}

/// Whether the check digits of an IBAN fit. `text` is upper case without spaces.
pub(super) fn is_iban(text: &[u8]) -> bool {
    if text.len() < 15 {
        return false;
    }
    let (head, rest) = text.split_at(4);
    let mut remainder = 0u32;
    for byte in rest.iter().chain(head) {
        remainder = match byte {
            b'0'..=b'9' => remainder * 10 + u32::from(byte - b'0'),
            b'A'..=b'Z' => remainder * 100 + u32::from(byte - b'A') + 10,
            _ => return false,
        } % 97;
    }
    remainder == 1
}

/// Whether nine digits can be a US social security number.
pub(super) fn is_ssn(digits: &[u8]) -> bool {
    let number = |d: &[u8]| d.iter().fold(0u32, |sum, d| sum * 10 + u32::from(*d));
    let [area, group, serial] = match digits.len() {
        9 => [&digits[..3], &digits[3..5], &digits[5..]].map(number),
        _ => return false,
    };
    !matches!(area, 0 | 666 | 900..) && group != 0 && serial != 0
}

/// Whether Base64 text is `user:password`, as in the header `authorization: Basic …` (RFC 7617).
pub(super) fn is_basic(text: &str) -> bool {
    let (mut bits, mut held) = (0u32, 0u32);
    let mut colon = false;
    for byte in text.trim_end_matches('=').bytes() {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            _ => return false,
        };
        bits = (bits << 6 | u32::from(value)) & 0xffff;
        held += 6;
        if held >= 8 {
            held -= 8;
            let decoded = (bits >> held) as u8;
            if decoded < b' ' || decoded == 0x7f {
                return false;
            }
            colon |= decoded == b':';
        }
    }
    colon
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digits(text: &str) -> Vec<u8> {
        text.bytes().map(|b| b - b'0').collect()
    }

    #[test]
    fn cards_need_an_issuer_and_a_check_digit() {
        for card in [
            "4111111111111111",
            "5555555555554444",
            "378282246310005",
            "6011111111111117",
            "3530111333300000",
            "30569309025904",
            "2223003122003222",
        ] {
            assert!(is_card(&digits(card)), "{card}");
        }
        for other in [
            "4111111111111112",
            "0000000000000000",
            "1732608700000000",
            "9999999999999995",
            "411111111111111",
            "",
        ] {
            assert!(!is_card(&digits(other)), "{other}");
        }
    }

    #[test]
    fn ibans_are_as_long_as_their_country_says_and_leave_one_by_97() {
        for iban in [
            "DE89370400440532013000",
            "GB82WEST12345698765432",
            "FR1420041010050500013M02606",
            "NO9386011117947",
        ] {
            let country = [iban.as_bytes()[0], iban.as_bytes()[1]];
            assert_eq!(iban_length(country), Some(iban.len()), "{iban}");
            assert!(is_iban(iban.as_bytes()), "{iban}");
        }
        assert!(
            !is_iban(b"DE88370400440532013000")
                && !is_iban(b"DE89")
                && !is_iban(b"DE8937040044053201300\xff")
        );
        assert_eq!(iban_length(*b"XX"), None);
    }

    #[test]
    fn social_security_numbers_keep_to_the_ranges_that_were_ever_given_out() {
        assert!(is_ssn(&digits("219091234")));
        for other in [
            "000121234",
            "666121234",
            "900121234",
            "219001234",
            "219090000",
            "21909123",
        ] {
            assert!(!is_ssn(&digits(other)), "{other}");
        }
    }

    #[test]
    fn basic_credentials_decode_to_a_name_and_a_password() {
        assert!(is_basic("QWxhZGRpbjpvcGVuIHNlc2FtZQ=="));
        assert!(!is_basic("authentication") && !is_basic("QWxhZGRpbg==") && !is_basic("a b"));
    }

    #[test]
    fn entropy_tells_words_from_noise() {
        assert_eq!(entropy(""), 0.0);
        assert_eq!(entropy("aaaaaaaa"), 0.0);
        assert!((entropy("abcd") - 2.0).abs() < 1e-6);
        let padded = format!(
            "{}{}",
            "a".repeat(4000),
            "q7Zp0LxW2vN8sKd4Yt6RbM1cH3gF5jUe9oAiXkPwQzTnVyBl"
        );
        assert!(end_entropy(&padded) > 5.0);
    }
}
