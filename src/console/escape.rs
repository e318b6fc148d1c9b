//! The one function between foreign text and a person's terminal.
//!
//! Promise: what comes out moves no cursor, switches no mode, starts no second line, is read in the order it is stored in, and
//! has no part that is there but cannot be seen. Text that is safe already is not copied, and what came out once comes out the
//! same again.
//! Never: drops anything. What is not shown as it is, is shown as `\u{…}`, so that a reader sees that it was there. That is
//! for eyes and cannot be read back: a backslash stays one backslash.

use std::borrow::Cow;
use std::fmt::Write as _;

/// Makes foreign text safe to show on a terminal, on one line.
///
/// Shown as `\n`, `\r` or `\u{…}` are
///
/// * control characters except tab: C0, DEL and C1, and with them every sequence that colours, moves, sets titles, makes links
///   (OSC 8) or fills the clipboard (OSC 52), be it begun by `ESC` or by the single characters U+009B and U+009D;
/// * line and paragraph separators (U+2028–9);
/// * marks that reorder text (U+061C, U+200E–F, U+202A–E, U+2066–9);
/// * characters without width or ink (U+00AD, U+200B–D, U+2060–5, U+FEFF, the fillers and the rest of what Unicode calls
///   default-ignorable), interlinear annotations, and the tags and selectors of U+E0000–E0FFF, in which whole messages hide;
/// * variation selectors (U+FE00–F, U+180B–D and F) that follow no visible character: one for a character chooses its form,
///   more of them are an alphabet;
/// * private use characters, which say something else on each machine, and noncharacters.
///
/// Everything else stays: letters of every script, combining marks, emoji, and characters that Unicode has not assigned, for
/// which terminals draw a box. The joiners U+200C and U+200D are shown wherever they are, so a family emoji comes apart and
/// some Persian and Indic words show their joiner.
///
/// ```
/// use tracing_genai::console::escape;
///
/// assert_eq!(escape("Zürich 東京 ❤\u{fe0f}"), "Zürich 東京 ❤\u{fe0f}");
/// assert_eq!(escape("\x1b]0;owned\x07"), "\\u{1b}]0;owned\\u{7}");
/// ```
///
/// The result is for people and not to be parsed: text that contains `\u{1b}` as six characters looks the same.
pub fn escape(text: &str) -> Cow<'_, str> {
    replace(text, false)
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
    replace(text, true)
}

fn replace(text: &str, lines: bool) -> Cow<'_, str> {
    let mut out = String::new();
    // What of `text` is in `out`.
    let mut done = 0;
    let mut before = None;
    for (at, c) in text.char_indices() {
        let stays = if is_selector(c) {
            before.is_some_and(carries_selector)
        } else {
            !is_unsafe(c) || (lines && c == '\n')
        };
        before = Some(c);
        if stays {
            continue;
        }
        out.push_str(&text[done..at]);
        done = at + c.len_utf8();
        match c {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            c => {
                // Writing to a `String` does not fail.
                let _ = write!(out, "\\u{{{:x}}}", u32::from(c));
            }
        }
    }
    if done == 0 {
        return Cow::Borrowed(text);
    }
    out.push_str(&text[done..]);
    Cow::Owned(out)
}

/// Whether a variation selector behind this character has something to choose a form of.
fn carries_selector(c: char) -> bool {
    !is_unsafe(c) && !is_selector(c) && !c.is_whitespace()
}

/// Variation selectors of ordinary text: the sixteen of all scripts, and those of Mongolian.
fn is_selector(c: char) -> bool {
    matches!(c, '\u{fe00}'..='\u{fe0f}' | '\u{180b}'..='\u{180d}' | '\u{180f}')
}

/// Whether a terminal must not get this character as it is, wherever it is.
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
        // Nothing to see: soft hyphen, fillers, zero-width characters, invisible operators, annotations, controls of
        // shorthand, music and hieroglyphs.
        | '\u{ad}' | '\u{34f}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}' | '\u{180e}'
        | '\u{200b}'..='\u{200d}' | '\u{2060}'..='\u{2065}' | '\u{206a}'..='\u{206f}' | '\u{3164}'
        | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}'
        | '\u{13430}'..='\u{1343f}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
        // Tags, and the variation selectors beyond the sixteen of ordinary text: alphabets for hidden messages.
        | '\u{e0000}'..='\u{e0fff}'
        // Private use.
        | '\u{e000}'..='\u{f8ff}' | '\u{f0000}'..='\u{10ffff}'
        // Noncharacters; those of the last two planes are in the line above.
        | '\u{fdd0}'..='\u{fdef}'
    ) || u32::from(c) & 0xfffe == 0xfffe
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
            "❤\u{fe0f} 1\u{fe0f}\u{20e3}",
            "ᠠ\u{180b}",
            "unassigned \u{378}",
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
            (
                "selectors as an alphabet",
                "x\u{fe00}\u{fe01} \u{fe02}",
                "x\u{fe00}\\u{fe01} \\u{fe02}",
            ),
            (
                "family",
                "\u{1f468}\u{200d}\u{1f467}",
                "\u{1f468}\\u{200d}\u{1f467}",
            ),
            (
                "private use and noncharacters",
                "\u{e0b0}\u{100000}\u{fdd0}\u{1fffe}",
                "\\u{e0b0}\\u{100000}\\u{fdd0}\\u{1fffe}",
            ),
            ("annotations", "\u{fff9}a\u{fffb}", "\\u{fff9}a\\u{fffb}"),
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
