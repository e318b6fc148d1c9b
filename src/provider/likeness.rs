//! Frames that differ from one that was read in nothing but their text.
//!
//! A streamed answer is thousands of frames that are alike byte for byte but for a word. Reading one takes a microsecond or
//! two; seeing that it is like the one before takes a few nanoseconds.
//! Promise: a frame is like another only if every byte outside the known places is the same, and these hold text of their
//! kind: whatever was true of the one (it holds output, and no news) is true of the other.
//! Never: decides what a frame means; the first of its kind is always read.

use std::ops::Range;

/// Members whose values change from frame to frame and tell nothing but text, or nothing at all: texts, thoughts, arguments
/// of tools as they arrive, padding, numbers and times of frames.
const CHANGING: [&[u8]; 11] = [
    b"arguments",
    b"content",
    b"created_at",
    b"delta",
    b"obfuscation",
    b"p",
    b"partial_json",
    b"reasoning_content",
    b"sequence_number",
    b"text",
    b"thinking",
];

/// The longest frame that is remembered. Frames of a stream have hundreds of bytes; one of a megabyte is the only one of its
/// kind.
const LONGEST: usize = 4 * 1024;
/// Places that change in one frame. Real ones have up to three.
const PLACES: usize = 8;

#[derive(Debug, Clone, PartialEq, Eq)]
struct Place {
    at: Range<usize>,
    /// A string's content, else digits.
    text: bool,
}

/// A frame that was read, and where others like it may differ.
#[derive(Clone, Default)]
pub(super) struct Likeness {
    frame: Vec<u8>,
    places: Vec<Place>,
}

impl std::fmt::Debug for Likeness {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The frame is content.
        f.debug_struct("Likeness")
            .field("places", &self.places.len())
            .finish_non_exhaustive()
    }
}

impl Likeness {
    /// Takes a frame, which is valid JSON that holds output and no news, as the one to compare others with.
    pub(super) fn learn(&mut self, frame: &[u8]) {
        self.forget();
        if frame.len() <= LONGEST && find(frame, &mut self.places) {
            self.frame.extend_from_slice(frame);
        } else {
            self.places.clear();
        }
    }

    /// Compares with nothing any more.
    pub(super) fn forget(&mut self) {
        self.frame.clear();
        self.places.clear();
    }

    /// Whether `frame` is like the one that was learned.
    pub(super) fn is_like(&self, frame: &[u8]) -> bool {
        if self.places.is_empty() {
            return false;
        }
        let (mut rest, mut from) = (frame, 0);
        for place in &self.places {
            let same = self.frame.get(from..place.at.start).unwrap_or_default();
            let Some(after) = rest.strip_prefix(same) else {
                return false;
            };
            let length = if place.text {
                match text_length(after) {
                    Some(length) if std::str::from_utf8(&after[..length]).is_ok() => length,
                    _ => return false,
                }
            } else {
                digits(after)
            };
            if length == 0 {
                return false;
            }
            rest = after.get(length..).unwrap_or_default();
            from = place.at.end;
        }
        self.frame.get(from..) == Some(rest)
    }
}

/// Finds the places; false if there are none or too many, or one is empty.
fn find(frame: &[u8], places: &mut Vec<Place>) -> bool {
    let mut at = 0;
    while let Some(open) = memchr::memchr(b'"', frame.get(at..).unwrap_or_default()) {
        let start = at + open + 1;
        let Some(length) = text_length(&frame[start..]) else {
            return false;
        };
        let (name, after) = (&frame[start..start + length], start + length + 1);
        at = after;
        let Some(value) = value_at(frame, after).filter(|_| CHANGING.contains(&name)) else {
            continue;
        };
        let text = frame.get(value) == Some(&b'"');
        let (start, length) = if text {
            let start = value + 1;
            let Some(length) = text_length(&frame[start..]) else {
                return false;
            };
            (start, length)
        } else {
            (value, digits(&frame[value..]))
        };
        // `null`, an object: not of the kind that changes.
        if !text && length == 0 {
            continue;
        }
        if length == 0 || places.len() == PLACES {
            return false;
        }
        at = start + length + usize::from(text);
        places.push(Place {
            at: start..start + length,
            text,
        });
    }
    places.iter().any(|place| place.text)
}

/// Where the value of a name that ends before `at` begins; `None` if it was no name.
fn value_at(frame: &[u8], at: usize) -> Option<usize> {
    let space = |at: usize| {
        let rest = frame.get(at..).unwrap_or_default();
        at + rest
            .iter()
            .take_while(|byte| byte.is_ascii_whitespace())
            .count()
    };
    let colon = space(at);
    (frame.get(colon) == Some(&b':')).then(|| space(colon + 1))
}

/// The bytes up to the quote that ends a string.
fn text_length(bytes: &[u8]) -> Option<usize> {
    let mut at = 0;
    loop {
        let rest = bytes.get(at..)?;
        at += memchr::memchr2(b'"', b'\\', rest)?;
        match bytes.get(at)? {
            b'"' => return Some(at),
            _ => at += 2,
        }
    }
}

fn digits(bytes: &[u8]) -> usize {
    bytes
        .iter()
        .take_while(|byte| byte.is_ascii_digit())
        .count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn like(first: &str, second: &str) -> bool {
        let mut likeness = Likeness::default();
        likeness.learn(first.as_bytes());
        likeness.is_like(second.as_bytes())
    }

    fn chunk(text: &str, rest: &str) -> String {
        format!(r#"{{"id":"c1","choices":[{{"index":0,"delta":{{"content":"{text}"}}{rest}}}]}}"#)
    }

    #[test]
    fn another_word_in_the_same_place_is_alike() {
        let first = chunk("Take", "");
        for word in [
            "an",
            " ",
            "☂",
            r"\n",
            r#"\"usage\":{\"x\":1}"#,
            r"\\",
            "a, b: {c}",
        ] {
            assert!(like(&first, &chunk(word, "")), "{word}");
        }
        assert!(like(
            r#"{"type": "response.output_text.delta", "sequence_number": 9, "delta": "a", "obfuscation": "xy"}"#,
            r#"{"type": "response.output_text.delta", "sequence_number": 10, "delta": "b", "obfuscation": "z"}"#,
        ));
    }

    #[test]
    fn anything_else_that_differs_is_not() {
        let first = chunk("Take", r#","finish_reason":null"#);
        for other in [
            chunk("an", r#","finish_reason":"stop""#),
            chunk("", r#","finish_reason":null"#),
            chunk("an", r#","finish_reason":null,"x":1"#),
            chunk("an", "").replace("\"index\":0", "\"index\":1"),
            chunk("an", r#","finish_reason":null"#) + " ",
            chunk(
                r#"an","usage":{"total":1},"y":""#,
                r#","finish_reason":null"#,
            ),
            chunk("an", r#","finish_reason":null"#).replace("c1", "c2"),
            first[..first.len() - 1].to_owned(),
            String::new(),
        ] {
            assert!(!like(&first, &other), "{other}");
        }
        assert!(!like(r#"{"text":"a","n":1}"#, r#"{"text":"a","n":2}"#));
        assert!(
            !like(r#"{"sequence_number":1}"#, r#"{"sequence_number":2}"#),
            "no text"
        );
        assert!(!like(r#"{"content":null}"#, r#"{"content":null}"#));
        assert!(
            !like(r#"{"content":""}"#, r#"{"content":"a"}"#),
            "the first holds no output"
        );
    }

    #[test]
    fn what_is_no_text_is_not_alike() {
        let mut likeness = Likeness::default();
        likeness.learn(chunk("Take", "").as_bytes());
        let invalid = chunk("#", "").into_bytes();
        let invalid: Vec<_> = invalid
            .iter()
            .map(|b| if *b == b'#' { 0xff } else { *b })
            .collect();
        assert!(!likeness.is_like(&invalid));
        likeness.forget();
        assert!(!likeness.is_like(chunk("Take", "").as_bytes()));
    }

    #[test]
    fn only_frames_of_the_usual_size_are_remembered() {
        let long = chunk(&"x".repeat(LONGEST), "");
        assert!(!like(&long, &long));
        let many = format!("{{{}}}", [r#""text":"a""#; PLACES + 1].join(","));
        assert!(!like(&many, &many));
        for nonsense in ["", "\"", "{\"text\":\"", "\"text\"", "\\\"text\\\":\\\"a"] {
            assert!(!like(nonsense, nonsense), "{nonsense}");
        }
    }
}
