//! JSON text that was cut off somewhere becomes whole again: what is open is closed, what is half is left out.
//!
//! Promise: linear; what it gives parses, and says nothing that was not there but the mark where a text ends.

use crate::record::cut::TRUNCATED;

/// Deeper JSON is not mended: nothing reads it.
const DEEPEST: usize = 64;

/// What was learned of a prefix that can be made whole.
#[derive(Default)]
struct Seen {
    /// The closers of what is open, the innermost last.
    open: Vec<u8>,
    /// The longest prefix that only has to be closed, and how much was open there.
    safe: (usize, usize),
}

/// Makes JSON text whole that was cut off at its end. `None` for what does not begin as a list or an object, or nests too deeply.
pub(super) fn mend(text: &str) -> Option<String> {
    let text = text.strip_suffix(TRUNCATED).unwrap_or(text);
    let bytes = text.as_bytes();
    let mut seen = Seen::default();
    let mut at = 0;
    let mut in_key = false;
    while at < bytes.len() {
        match bytes[at] {
            open @ (b'{' | b'[') => {
                if seen.open.len() >= DEEPEST {
                    return None;
                }
                seen.open.push(if open == b'{' { b'}' } else { b']' });
                at += 1;
                seen.safe = (at, seen.open.len());
                in_key = open == b'{';
            }
            close @ (b'}' | b']') => {
                if seen.open.pop() != Some(close) {
                    return None;
                }
                at += 1;
                seen.safe = (at, seen.open.len());
            }
            b'"' => {
                let Some(end) = string_end(bytes, at + 1) else {
                    if in_key || seen.open.is_empty() {
                        break;
                    }
                    let kept = whole_characters(text, at + 1);
                    return Some(closed(&format!("{kept}{TRUNCATED}\""), &seen.open));
                };
                at = end;
                if !in_key {
                    seen.safe = (at, seen.open.len());
                }
            }
            b':' => {
                in_key = false;
                at += 1;
            }
            b',' => {
                in_key = seen.open.last() == Some(&b'}');
                at += 1;
            }
            byte if byte.is_ascii_whitespace() => at += 1,
            _ => {
                let is_end =
                    |byte: &u8| matches!(byte, b',' | b'}' | b']') || byte.is_ascii_whitespace();
                let Some(length) = bytes[at..].iter().position(is_end) else {
                    break;
                };
                at += length;
                seen.safe = (at, seen.open.len());
            }
        }
    }
    let (end, depth) = seen.safe;
    if end == 0 {
        return None;
    }
    // What is still open now was open there: nothing that was closed since then was safer.
    Some(closed(text.get(..end)?, seen.open.get(..depth)?))
}

fn closed(text: &str, open: &[u8]) -> String {
    let closers = open.iter().rev().map(|byte| char::from(*byte));
    text.chars().chain(closers).collect()
}

/// Behind the closing quote of the text that begins at `from`.
fn string_end(bytes: &[u8], from: usize) -> Option<usize> {
    let mut at = from;
    loop {
        at += memchr::memchr2(b'"', b'\\', bytes.get(at..)?)?;
        if bytes[at] == b'"' {
            return Some(at + 1);
        }
        at += 2;
    }
}

/// `text` without an escape at its end that is not whole: one that was cut, or the first half of a pair.
fn whole_characters(text: &str, from: usize) -> &str {
    let bytes = text.as_bytes();
    let mut at = from;
    let mut end = from;
    while at < bytes.len() {
        let length = match (bytes[at], bytes.get(at + 1)) {
            (b'\\', Some(b'u')) => 6,
            (b'\\', _) => 2,
            _ => 1,
        };
        if at + length > bytes.len() {
            break;
        }
        let unit = (length == 6)
            .then(|| text.get(at + 2..at + 6))
            .flatten()
            .and_then(|digits| u16::from_str_radix(digits, 16).ok());
        let high = matches!(unit, Some(0xd800..=0xdbff));
        at += length;
        if !high {
            end = at;
        }
    }
    text.get(..end).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cut_of_a_text_is_mended_to_json_or_given_up() {
        let json = r#"[{"role":"user","n":[1,-2.5e3,true,null],"parts":[{"type":"text","content":"a \"q\" \\ \u00e4\ud83d\ude00 ü 😀"}]},{}]"#;
        serde_json::from_str::<serde_json::Value>(json).unwrap();
        for at in (1..=json.len()).filter(|at| json.is_char_boundary(*at)) {
            let cut = &json[..at];
            let mended = mend(cut).unwrap_or_else(|| panic!("{cut}"));
            let parsed: Result<serde_json::Value, _> = serde_json::from_str(&mended);
            assert!(parsed.is_ok(), "{cut} became {mended}");
            assert_eq!(
                mend(&format!("{cut}{TRUNCATED}")).as_deref(),
                Some(&*mended)
            );
        }
        assert_eq!(mend(json).as_deref(), Some(json));
        assert_eq!(
            mend(r#"[{"role":"user","parts":[{"type":"text","content":"hel"#).as_deref(),
            Some(r#"[{"role":"user","parts":[{"type":"text","content":"hel…[truncated]"}]}]"#)
        );
        assert_eq!(mend(r#"{"a":1,"b"#).as_deref(), Some(r#"{"a":1}"#));
    }

    #[test]
    fn what_is_no_json_is_not_mended() {
        for text in [
            "",
            "hello",
            "UserMessage { text: \"x\" }",
            "]",
            "{]",
            &"[".repeat(10_000),
        ] {
            let mended = mend(text);
            let parses = |text: String| serde_json::from_str::<serde_json::Value>(&text).is_ok();
            assert!(mended.is_none_or(|text| !parses(text)), "{text:.20}");
        }
    }
}
