//! Text as a reader would read it: escapes resolved, characters without width gone, wide letters and digits narrow.
//!
//! Promise: every place in the folded text leads back to the place it came from. Linear, one pass.
//! Never: folds text that has nothing to fold; that is the usual case, and costs no allocation.

/// Folded text and the way back.
pub(super) struct Folded {
    pub(super) text: String,
    /// From `.0` in the folded text on, until the next entry, places lie `.1` and on in the original.
    steps: Vec<(usize, usize)>,
}

impl Folded {
    /// The place in the original.
    pub(super) fn origin(&self, at: usize) -> usize {
        let next = self.steps.partition_point(|(folded, _)| *folded <= at);
        match next.checked_sub(1).and_then(|last| self.steps.get(last)) {
            Some((folded, original)) => original + (at - folded),
            None => at,
        }
    }
}

/// Folds the text, if there is anything in it that could hide a secret.
pub(super) fn fold(text: &str) -> Option<Folded> {
    if !hides_by_escape(text.as_bytes()) && (text.is_ascii() || !hides_by_character(text)) {
        return None;
    }
    let mut folded = Folded {
        text: String::with_capacity(text.len()),
        steps: Vec::new(),
    };
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let at = text.len() - rest.len();
        let (to, used) = match c {
            '%' => percent(rest.as_bytes()),
            '\\' => escape(rest),
            c if c.is_ascii() => None,
            c => Some((narrow(c), c.len_utf8())),
        }
        .unwrap_or((Some(c), c.len_utf8()));
        rest = rest.get(used..).unwrap_or_default();
        match to {
            Some(to) if to == c && used == c.len_utf8() => folded.text.push(c),
            to => {
                folded.steps.push((folded.text.len(), at));
                folded.text.extend(to);
                folded.steps.push((folded.text.len(), at + used));
            }
        }
    }
    Some(folded)
}

/// The value of a decimal digit of any common script.
pub(super) fn digit(c: char) -> Option<char> {
    match narrow(c) {
        Some(c) if c.is_ascii_digit() => Some(c),
        _ => None,
    }
}

/// What stands for a character: nothing for those without width, the ASCII one for its wide and styled forms.
fn narrow(c: char) -> Option<char> {
    let from =
        |base: u32, zero: char| char::from_u32(u32::from(c) - base + u32::from(zero)).or(Some(c));
    match c {
        '\u{ad}'
        | '\u{34f}'
        | '\u{61c}'
        | '\u{180e}'
        | '\u{200b}'..='\u{200f}'
        | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{2064}'
        | '\u{2066}'..='\u{206f}'
        | '\u{fe00}'..='\u{fe0f}'
        | '\u{feff}'
        | '\u{e0100}'..='\u{e01ef}' => None,
        // Tags: ASCII that no font shows.
        '\u{e0020}'..='\u{e007e}' => from(0xe_0020, ' '),
        '\u{ff01}'..='\u{ff5e}' => from(0xff01, '!'),
        '\u{660}'..='\u{669}' => from(0x660, '0'),
        '\u{6f0}'..='\u{6f9}' => from(0x6f0, '0'),
        '\u{966}'..='\u{96f}' => from(0x966, '0'),
        '\u{1d7ce}'..='\u{1d7ff}' => char::from_digit((u32::from(c) - 0x1_d7ce) % 10, 10),
        '\u{1d400}'..='\u{1d6a3}' => {
            let letter = (u32::from(c) - 0x1_d400) % 52;
            char::from_u32(if letter < 26 {
                0x41 + letter
            } else {
                0x61 + letter - 26
            })
        }
        '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{fe63}' => Some('-'),
        '\u{a0}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{205f}' | '\u{3000}' => Some(' '),
        c => Some(c),
    }
}

/// Whether there are characters in it that only hide: without width, or wide and styled letters and digits. Dashes and
/// spaces of typography count next to digits only, so that ordinary prose is not folded.
fn hides_by_character(text: &str) -> bool {
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        let lead = bytes[at];
        // Leads of the ranges above; all other characters are common and harmless.
        if !matches!(
            lead,
            0xc2 | 0xcd | 0xd8 | 0xd9 | 0xdb | 0xe0 | 0xe1 | 0xe2 | 0xe3 | 0xef | 0xf0 | 0xf3
        ) {
            at += 1;
            continue;
        }
        let Some(c) = text.get(at..).and_then(|rest| rest.chars().next()) else {
            return true;
        };
        let hides = match narrow(c) {
            None => {
                !matches!(c, '\u{fe00}'..='\u{fe0f}' | '\u{200d}')
                    || bytes.get(at.wrapping_sub(1)).is_some_and(u8::is_ascii)
            }
            Some(to) if to == c => false,
            Some('-' | ' ') => {
                c == '\u{ff0d}'
                    || at
                        .checked_sub(1)
                        .is_some_and(|before| bytes[before].is_ascii_digit())
            }
            Some(to) => to.is_ascii_alphanumeric() || matches!(to, '@' | '.' | '_' | '+'),
        };
        if hides {
            return true;
        }
        at += c.len_utf8();
    }
    false
}

/// Whether there are escapes in it of characters that secrets consist of.
fn hides_by_escape(bytes: &[u8]) -> bool {
    memchr::memchr2_iter(b'%', b'\\', bytes).any(|at| {
        let rest = &bytes[at..];
        match rest.get(1) {
            Some(b'u' | b'x') if rest[0] == b'\\' => true,
            Some(_) if rest[0] == b'%' => matches!(percent(rest), Some((Some(c), _)) if c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '@' | ':' | '=' | '+')),
            _ => false,
        }
    })
}

/// `%41`: an ASCII character. Others are no part of a secret and stay as they are.
fn percent(rest: &[u8]) -> Option<(Option<char>, usize)> {
    let hex = |at: usize| char::from(*rest.get(at)?).to_digit(16);
    let code = hex(1)? * 16 + hex(2)?;
    (code < 0x80).then(|| (char::from_u32(code), 3))
}

/// `\u0041`, `\u{41}`, `\x41`.
fn escape(rest: &str) -> Option<(Option<char>, usize)> {
    let bytes = rest.as_bytes();
    let (digits, used) = match bytes.get(1)? {
        b'x' => (rest.get(2..4)?, 4),
        b'u' if bytes.get(2) == Some(&b'{') => {
            let end = bytes.iter().take(10).position(|b| *b == b'}')?;
            (rest.get(3..end)?, end + 1)
        }
        b'u' => (rest.get(2..6)?, 6),
        _ => return None,
    };
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    let c = char::from_u32(u32::from_str_radix(digits, 16).ok()?)?;
    Some((narrow(c), used))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_hides_is_seen_through_and_leads_back() {
        for (text, plain) in [
            ("s\u{200b}k-a", "sk-a"),
            ("４１１１", "4111"),
            ("𝟒𝟏𝐀𝐛", "41Ab"),
            ("sk%2Dproj", "sk-proj"),
            (r"\u0073k-\u{61}\x62", "sk-ab"),
            ("4111\u{2013}1111", "4111-1111"),
            ("4111\u{a0}1111", "4111 1111"),
            ("a\u{ad}b", "ab"),
            ("x@y\u{feff}.z", "x@y.z"),
            (
                r"\u12 \u{} \u{110000} \xé %4 %zz s\u0020",
                r"\u12 \u{} \u{110000} \xé %4 %zz s ",
            ),
        ] {
            let folded = fold(text).unwrap_or_else(|| panic!("{text} is folded"));
            assert_eq!(folded.text, plain);
            for (at, c) in folded
                .text
                .char_indices()
                .filter(|(_, c)| !c.is_ascii_hexdigit())
            {
                let origin = folded.origin(at);
                assert!(text.is_char_boundary(origin), "{text} {at} {c}");
            }
            assert_eq!(folded.origin(folded.text.len()), text.len());
        }
        let folded = fold("é\u{200b}sk%2Da").unwrap();
        assert_eq!(folded.text, "ésk-a");
        let at = |c| folded.origin(folded.text.find(c).unwrap());
        assert_eq!((at('s'), at('k'), at('-'), at('a')), (5, 6, 7, 10));
    }

    #[test]
    fn ordinary_text_of_any_script_is_left_alone() {
        for text in [
            "",
            "plain",
            "it’s “quoted” – so",
            "50% of 10%",
            "a%20b",
            r"C:\path\n",
            "价格：１００".trim_end_matches(char::is_numeric),
            "日本語、テキスト。",
            "Ünïcödé",
            "👩‍🚀 ❤️",
            "नमस्ते",
        ] {
            assert!(fold(text).is_none(), "{text}");
        }
    }
}
