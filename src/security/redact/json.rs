//! Text that is JSON, rewritten in place: only the values that change are written anew.
//!
//! Promise: what was valid JSON stays valid JSON, what was cut off stays cut off where it was; numbers, order, spaces and
//! repeated keys of what does not change stay as they were.
//! Never: recurses, so depth costs memory of the heap only.

use std::borrow::Cow;

use super::keys::Names;

/// Whether the text begins like an object, an array or a string, which costs nothing to tell.
pub(super) fn may_be(text: &str) -> bool {
    text.trim_start().starts_with(['{', '[', '"'])
}

/// Whether it is one. Objects and arrays may be cut off; a string that is cut off is a text that begins with a quote.
pub(super) fn is_document(text: &str) -> bool {
    match serde_json::from_str::<serde::de::IgnoredAny>(text) {
        Ok(_) => true,
        Err(error) => error.is_eof() && !text.trim_start().starts_with('"'),
    }
}

/// A piece of the document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Token<'a> {
    /// A key, unescaped.
    Key(&'a str),
    /// Text, unescaped, under a key.
    Text(&'a str),
    /// A number as it is written.
    Number(&'a str),
}

/// Who looks at the pieces.
pub(super) trait Look {
    /// What a key says about its value.
    fn judge(&self, key: &str) -> Names;
    /// What to write instead of a piece.
    fn instead(&mut self, token: Token<'_>, said: Names) -> Option<String>;
}

struct Open {
    object: bool,
    /// In an object: a key is next.
    key_next: bool,
    is_first: bool,
    /// What is said about everything in it.
    under: Names,
    /// What the current key says.
    said: Names,
    /// What `"name": "…"` said about the `"value"` after it.
    named: Names,
    is_name: bool,
}

/// Keys an object begins with that is a schema and no value: what stands under `"password"` is then its description.
#[rustfmt::skip]
pub(super) const SCHEMA: &[&str] = &[
    "$ref", "allOf", "anyOf", "default", "description", "enum", "format", "items", "oneOf", "properties",
    "title", "type",
];

/// Keys of the name in a pair such as `{"name": "Authorization", "value": "…"}`.
pub(super) const NAMES: &[&str] = &["header", "key", "name", "Key", "Name"];
/// And of its value.
pub(super) const VALUES: &[&str] = &["value", "Value"];

/// Rewrites the document, or `None` where nothing changes.
pub(super) fn rewrite(text: &str, look: &mut impl Look) -> Option<String> {
    let bytes = text.as_bytes();
    let mut out = Rewritten {
        text,
        copied: 0,
        out: None,
    };
    let mut open: Vec<Open> = Vec::new();
    let mut at = 0;
    while let Some(byte) = bytes.get(at).copied() {
        match byte {
            b'{' | b'[' => {
                let under = open.last().map_or(Names::Nothing, |o| o.said);
                open.push(Open::new(byte == b'{', under));
                at += 1;
            }
            b'}' | b']' => {
                open.pop();
                at += 1;
            }
            b',' => {
                if let Some(o) = open.last_mut() {
                    o.key_next = o.object;
                }
                at += 1;
            }
            b'"' => {
                let (end, closed) = string_end(bytes, at + 1);
                let plain = unescape(text.get(at + 1..end).unwrap_or_default(), closed);
                let end = end + usize::from(closed);
                let instead = match open.last_mut() {
                    Some(o) if o.key_next => {
                        o.key(&plain, look);
                        look.instead(Token::Key(&plain), Names::Nothing)
                    }
                    Some(o) => {
                        if o.is_name {
                            o.named = look.judge(&plain);
                        }
                        look.instead(Token::Text(&plain), o.said)
                    }
                    None => look.instead(Token::Text(&plain), Names::Nothing),
                };
                out.replace(at, end, instead, closed);
                at = end;
            }
            b'-' | b'0'..=b'9' => {
                let number = |b: &&u8| matches!(b, b'-' | b'+' | b'.' | b'e' | b'E' | b'0'..=b'9');
                let end = at + bytes[at..].iter().take_while(number).count();
                let said = open.last().map_or(Names::Nothing, |o| o.said);
                let instead =
                    look.instead(Token::Number(text.get(at..end).unwrap_or_default()), said);
                out.replace(at, end, instead, true);
                at = end;
            }
            _ => at += 1,
        }
    }
    out.finish()
}

impl Open {
    fn new(object: bool, under: Names) -> Self {
        Self {
            object,
            key_next: object,
            is_first: true,
            under,
            said: under,
            named: Names::Nothing,
            is_name: false,
        }
    }

    fn key(&mut self, key: &str, look: &impl Look) {
        if self.is_first && SCHEMA.contains(&key) {
            self.under = Names::Nothing;
        }
        (self.key_next, self.is_first) = (false, false);
        self.said = look.judge(key).max(self.under);
        if VALUES.contains(&key) {
            self.said = self.said.max(self.named);
        }
        self.is_name = NAMES.contains(&key);
    }
}

struct Rewritten<'t> {
    text: &'t str,
    copied: usize,
    out: Option<String>,
}

impl Rewritten<'_> {
    fn replace(&mut self, at: usize, end: usize, instead: Option<String>, closed: bool) {
        let Some(instead) = instead else { return };
        let out = self
            .out
            .get_or_insert_with(|| String::with_capacity(self.text.len()));
        out.push_str(self.text.get(self.copied..at).unwrap_or_default());
        let quoted = serde_json::Value::from(instead).to_string();
        match quoted.strip_suffix('"') {
            Some(cut) if !closed => out.push_str(cut),
            _ => out.push_str(&quoted),
        }
        self.copied = end;
    }

    fn finish(self) -> Option<String> {
        let mut out = self.out?;
        out.push_str(self.text.get(self.copied..).unwrap_or_default());
        Some(out)
    }
}

/// The end of a string's content, and whether its quote is there.
fn string_end(bytes: &[u8], from: usize) -> (usize, bool) {
    let mut at = from;
    while let Some(found) = bytes
        .get(at..)
        .and_then(|rest| memchr::memchr2(b'"', b'\\', rest))
    {
        at += found;
        if bytes[at] == b'"' {
            return (at, true);
        }
        at += 2;
    }
    (bytes.len(), false)
}

/// The text of a string. One that is cut off or holds half a surrogate pair is taken as it is written.
fn unescape(raw: &str, closed: bool) -> Cow<'_, str> {
    if !raw.contains('\\') {
        return Cow::Borrowed(raw);
    }
    let raw_quoted = |raw: &str| serde_json::from_str::<String>(&format!("\"{raw}\"")).ok();
    let whole = raw_quoted(raw);
    if whole.is_none() && !closed {
        // A cut in the middle of an escape costs at most its six bytes.
        let cut = (1..=6).find_map(|n| raw_quoted(raw.get(..raw.len().checked_sub(n)?)?));
        return cut.map_or(Cow::Borrowed(raw), Cow::Owned);
    }
    whole.map_or(Cow::Borrowed(raw), Cow::Owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Upper;

    impl Look for Upper {
        fn judge(&self, key: &str) -> Names {
            if key == "secret" {
                Names::Secret
            } else {
                Names::Nothing
            }
        }

        fn instead(&mut self, token: Token<'_>, said: Names) -> Option<String> {
            match token {
                Token::Text(_) | Token::Number(_) if said == Names::Secret => {
                    Some("*\"*".to_owned())
                }
                Token::Key("k") => Some("K".to_owned()),
                _ => None,
            }
        }
    }

    #[test]
    fn only_what_changes_is_written_anew() {
        for (text, expected) in [
            (r#"{ "a" : 1.50, "a":[1e400], "x":"\u00e9\/" }"#, None),
            (
                r#"{ "secret" : "x\"y", "b" : 1.50}"#,
                Some(r#"{ "secret" : "*\"*", "b" : 1.50}"#),
            ),
            (
                r#"{"secret":[1,{"a":"b"},true,null]}"#,
                Some(r#"{"secret":["*\"*",{"a":"*\"*"},true,null]}"#),
            ),
            (r#"{"secret":{"type":"string"}}"#, None),
            (
                r#"[{"name":"secret","value":"x"},{"name":"other","value":"x"}]"#,
                Some(r#"[{"name":"secret","value":"*\"*"},{"name":"other","value":"x"}]"#),
            ),
            (r#"{"k":{"k":1}}"#, Some(r#"{"K":{"K":1}}"#)),
            (r#"{"secret":"cut of"#, Some(r#"{"secret":"*\"*"#)),
            (r#"{"secret":"cut \u00"#, Some(r#"{"secret":"*\"*"#)),
            (r#"{"secret":"\ud800"}"#, Some(r#"{"secret":"*\"*"}"#)),
        ] {
            assert_eq!(rewrite(text, &mut Upper).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn documents_are_told_from_other_text_whole_or_cut_off() {
        for text in ["{}", "[1,2]", r#" {"a": "cut"#, "[{", r#"{"a"#] {
            assert!(may_be(text) && is_document(text), "{text}");
        }
        for text in ["[INFO] password=x", "\"cut", "{a: 1}", "{} {}"] {
            assert!(may_be(text) && !is_document(text), "{text}");
        }
        assert!(!may_be("text") && !may_be(""));
        let deep = "[".repeat(100_000);
        assert_eq!(
            (is_document(&deep), rewrite(&deep, &mut Upper)),
            (true, None)
        );
    }
}
