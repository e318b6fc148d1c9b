//! The one function between foreign text and a terminal.
//!
//! Promise: what comes out moves no cursor, switches no mode, starts no second line, and has no part that is there but
//! cannot be seen. Ordinary text, of any script, comes out as it went in and without a copy.
//! Never: drops anything. What is not shown as it is, is shown as `\u{…}`, so that a reader sees that it was there.

use std::borrow::Cow;
use std::fmt::Write as _;

/// Makes foreign text safe to show on a terminal.
///
/// Replaced by `\n`, `\r` or `\u{…}` are: control characters except tab (C0, DEL, C1, and with them every escape and OSC
/// sequence), line and paragraph separators, marks that reorder text (U+061C, U+200E–F, U+202A–E, U+2066–9), characters of
/// no width (U+200B–D, U+2060–5, U+FEFF and their kin), and the tags and variation selectors of U+E0000–E0FFF.
///
/// ```
/// use tracing_genai::console::escape;
///
/// assert_eq!(escape("Zürich 東京"), "Zürich 東京");
/// assert_eq!(escape("\x1b]0;owned\x07"), "\\u{1b}]0;owned\\u{7}");
/// ```
pub fn escape(text: &str) -> Cow<'_, str> {
    replace(text, is_unsafe)
}

/// The same for text of several lines: line feeds stay. For what is printed on its own, such as a model's answer; in a line
/// among others (a log, a tree) foreign line feeds would forge lines.
///
/// ```
/// use tracing_genai::console::escape_lines;
///
/// assert_eq!(escape_lines("first\nsecond \x1b[2J\r\n"), "first\nsecond \\u{1b}[2J\\r\n");
/// ```
pub fn escape_lines(text: &str) -> Cow<'_, str> {
    replace(text, |c| c != '\n' && is_unsafe(c))
}

fn replace(text: &str, is_unsafe: fn(char) -> bool) -> Cow<'_, str> {
    let Some(first) = text.find(is_unsafe) else {
        return Cow::Borrowed(text);
    };
    let mut out = String::with_capacity(text.len() + 16);
    out.push_str(&text[..first]);
    for c in text[first..].chars() {
        match c {
            c if !is_unsafe(c) => out.push(c),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            c => {
                // Writing to a `String` does not fail.
                let _ = write!(out, "\\u{{{:x}}}", u32::from(c));
            }
        }
    }
    Cow::Owned(out)
}

/// Whether a terminal must not get this character as it is.
fn is_unsafe(c: char) -> bool {
    if c.is_ascii() {
        return c.is_ascii_control() && c != '\t';
    }
    matches!(c,
        // C1: single characters that mean the same as escape sequences; U+009B is CSI, U+009D is OSC.
        '\u{80}'..='\u{9f}'
        // Line and paragraph separator.
        | '\u{2028}'..='\u{2029}'
        // Direction marks, embeddings, overrides, isolates.
        | '\u{61c}' | '\u{200e}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
        // Nothing to see: soft hyphen, fillers, zero-width characters, invisible operators, deprecated controls.
        | '\u{ad}' | '\u{34f}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200d}' | '\u{2060}'..='\u{2065}' | '\u{206a}'..='\u{206f}' | '\u{3164}'
        | '\u{feff}' | '\u{ffa0}' | '\u{fff9}'..='\u{fffb}'
        | '\u{1d173}'..='\u{1d17a}'
        // Tags, and the variation selectors beyond the sixteen of ordinary text: alphabets for hidden messages.
        | '\u{e0000}'..='\u{e0fff}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_text_passes_untouched_and_uncopied() {
        for text in [
            "",
            "chat gpt-4o-mini",
            "a\tb",
            "Zürich — Ünïcödé",
            "東京 日本語",
            "שלום",
            "नमस्ते",
            "❤\u{fe0f}",
            "✓ ● │ └─",
            "\\u{1b}",
        ] {
            assert!(
                matches!(escape(text), Cow::Borrowed(same) if same == text),
                "{text:?}"
            );
        }
    }

    #[test]
    fn each_kind_of_poison_is_shown_as_what_it_is() {
        for (name, text, expected) in [
            ("colour", "\x1b[31mred\x1b[0m", "\\u{1b}[31mred\\u{1b}[0m"),
            ("window title", "\x1b]0;owned\x07", "\\u{1b}]0;owned\\u{7}"),
            (
                "hyperlink",
                "\x1b]8;;http://x\x1b\\y",
                "\\u{1b}]8;;http://x\\u{1b}\\y",
            ),
            ("clipboard", "\x1b]52;c;AAAA\x07", "\\u{1b}]52;c;AAAA\\u{7}"),
            ("device control", "\x1bPq#0\x1b\\", "\\u{1b}Pq#0\\u{1b}\\"),
            ("8-bit CSI", "\u{9b}2J", "\\u{9b}2J"),
            ("8-bit OSC", "\u{9d}0;t\u{9c}", "\\u{9d}0;t\\u{9c}"),
            ("new line", "a\nFAKE line", "a\\nFAKE line"),
            ("overwritten line", "bad\r\u{8}good", "bad\\r\\u{8}good"),
            (
                "other line ends",
                "a\u{b}b\u{c}c\u{85}d\u{2028}e\u{2029}",
                "a\\u{b}b\\u{c}c\\u{85}d\\u{2028}e\\u{2029}",
            ),
            ("NUL, bell and DEL", "\0\x07\x7f", "\\u{0}\\u{7}\\u{7f}"),
            ("override", "user\u{202e}nimda", "user\\u{202e}nimda"),
            ("isolates", "\u{2066}a\u{2069}", "\\u{2066}a\\u{2069}"),
            (
                "marks",
                "\u{200e}\u{200f}\u{61c}",
                "\\u{200e}\\u{200f}\\u{61c}",
            ),
            (
                "zero width",
                "se\u{200b}ar\u{200c}c\u{200d}h\u{feff}\u{2060}",
                "se\\u{200b}ar\\u{200c}c\\u{200d}h\\u{feff}\\u{2060}",
            ),
            (
                "fillers",
                "\u{3164}\u{115f}\u{ad}",
                "\\u{3164}\\u{115f}\\u{ad}",
            ),
            ("tags", "hi\u{e0049}\u{e007f}", "hi\\u{e0049}\\u{e007f}"),
            ("hidden selectors", "x\u{e0100}", "x\\u{e0100}"),
        ] {
            assert_eq!(escape(text), expected, "{name}");
        }
    }

    #[test]
    fn nothing_that_comes_out_would_be_escaped_again() {
        for code in 0..=0x10_ffff_u32 {
            let Some(c) = char::from_u32(code) else {
                continue;
            };
            let text = c.to_string();
            let once = escape(&text);
            assert!(!once.chars().any(is_unsafe), "U+{code:X}");
            assert!(
                c == '\t' || !once.chars().any(char::is_control),
                "U+{code:X}"
            );
        }
    }
}
