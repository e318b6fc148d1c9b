//! One line of styled text.
//!
//! Promise: measured and cut by the columns it takes on a terminal; every style that is switched on is switched off on the same
//! line.

use std::borrow::Cow;

use unicode_width::UnicodeWidthChar;

/// How a piece of text looks, if colours are on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    Plain,
    Bold,
    Dim,
    Red,
    Green,
    Yellow,
    Cyan,
    Magenta,
}

impl Style {
    fn code(self) -> Option<&'static str> {
        Some(match self {
            Self::Plain => return None,
            Self::Bold => "1",
            Self::Dim => "2",
            Self::Red => "31",
            Self::Green => "32",
            Self::Yellow => "33",
            Self::Cyan => "36",
            Self::Magenta => "35",
        })
    }
}

/// Columns of each character with the place behind it. Where terminals disagree, the larger number: rows then end early rather
/// than wrap. So the selector of emoji form makes a narrow character wide.
fn widths(text: &str) -> impl Iterator<Item = (usize, usize)> {
    let mut narrow = false;
    text.char_indices().map(move |(at, c)| {
        let width = match c.width().unwrap_or(0) {
            0 if c == '\u{fe0f}' && narrow => 1,
            width => width,
        };
        narrow = width == 1 && c != '\u{fe0f}';
        (width, at + c.len_utf8())
    })
}

/// How many columns a text takes.
pub(super) fn columns(text: &str) -> usize {
    widths(text).map(|(width, _)| width).sum()
}

/// The longest beginning of a text that takes at most `room` columns, with its marks and selectors.
pub(super) fn start(text: &str, room: usize) -> &str {
    let (mut used, mut end) = (0, 0);
    for (width, behind) in widths(text) {
        used += width;
        if used > room {
            break;
        }
        end = behind;
    }
    &text[..end]
}

/// A text in at most `room` columns: as it is, or its beginning and `…`.
pub(super) fn cut(text: &str, room: usize) -> Cow<'_, str> {
    if columns(text) <= room {
        return text.into();
    }
    format!("{}…", start(text, room.saturating_sub(1))).into()
}

/// The same from the other end: as it is, or `…` and its end.
pub(super) fn cut_front(text: &str, room: usize) -> Cow<'_, str> {
    let surplus = columns(text).saturating_sub(room);
    if surplus == 0 {
        return text.into();
    }
    let mut gone = 0;
    let from = widths(text)
        .find(|(width, _)| {
            gone += width;
            gone > surplus
        })
        .map_or(text.len(), |(_, behind)| behind);
    // A mark without what it stood on would stand on the `…`.
    let rest = text[from..].trim_start_matches(|c: char| c.width() == Some(0));
    format!("…{rest}").into()
}

/// Pieces of text, each with its style. Never holds a line break.
#[derive(Debug, Default)]
pub(super) struct Line(Vec<(Style, Cow<'static, str>)>);

impl Line {
    pub(super) fn push(&mut self, style: Style, text: impl Into<Cow<'static, str>>) {
        let text = text.into();
        match self.0.last_mut() {
            Some((last, before)) if *last == style => before.to_mut().push_str(&text),
            _ => self.0.push((style, text)),
        }
    }

    /// How many columns it takes.
    pub(super) fn columns(&self) -> usize {
        self.0.iter().map(|(_, text)| columns(text)).sum()
    }

    /// The text, at most `width` columns wide, the last of them `…` if something is missing.
    pub(super) fn text(&self, color: bool, width: Option<usize>) -> String {
        let width = width.unwrap_or(usize::MAX);
        let full = self.columns();
        let mut room = if full > width {
            width.saturating_sub(1)
        } else {
            full
        };
        let mut out = String::new();
        for (style, text) in &self.0 {
            let shown = start(text, room);
            match style.code().filter(|_| color && !shown.is_empty()) {
                Some(code) => out.extend(["\x1b[", code, "m", shown, "\x1b[0m"]),
                None => out.push_str(shown),
            }
            if shown.len() < text.len() {
                break;
            }
            room -= columns(shown);
        }
        if full > width {
            out.push('…');
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line() -> Line {
        let mut line = Line::default();
        line.push(Style::Green, "✓");
        line.push(Style::Plain, " chat ");
        line.push(Style::Dim, "gpt-4o");
        line
    }

    #[test]
    fn colours_are_off_or_closed() {
        assert_eq!(line().text(false, None), "✓ chat gpt-4o");
        assert_eq!(
            line().text(true, None),
            "\x1b[32m✓\x1b[0m chat \x1b[2mgpt-4o\x1b[0m"
        );
    }

    #[test]
    fn a_line_is_never_wider_than_told_and_never_open() {
        assert_eq!(line().text(false, Some(13)), "✓ chat gpt-4o");
        assert_eq!(line().text(false, Some(12)), "✓ chat gpt-…");
        assert_eq!(line().text(true, Some(5)), "\x1b[32m✓\x1b[0m ch…");
        for width in 1..16 {
            assert!(columns(&line().text(false, Some(width))) <= width);
            let colored = line().text(true, Some(width));
            assert_eq!(
                colored.matches("\x1b[0m").count() * 2,
                colored.matches('\x1b').count()
            );
        }
    }

    #[test]
    fn wide_characters_take_two_columns_and_marks_none() {
        for (text, width) in [
            ("abc", 3),
            ("東京", 4),
            ("e\u{301}a", 2),
            ("한국", 4),
            ("नमस्ते", 4),
            ("🚀", 2),
            ("❤\u{fe0f}", 2),
            ("ｱ", 1),
            ("", 0),
        ] {
            assert_eq!(columns(text), width, "{text}");
        }
    }

    #[test]
    fn a_cut_never_halves_a_wide_character_nor_parts_a_mark_from_its_letter() {
        assert_eq!(cut("東京都", 6), "東京都");
        assert_eq!(cut("東京都", 5), "東京…");
        assert_eq!(cut("東京都", 4), "東…");
        assert_eq!(cut("e\u{301}e\u{301}e\u{301}", 2), "e\u{301}…");
        assert_eq!(cut_front("東京都", 6), "東京都");
        assert_eq!(cut_front("東京都", 5), "…京都");
        assert_eq!(cut_front("東京都", 4), "…都");
        assert_eq!(cut_front("e\u{301}e\u{301}e\u{301}", 2), "…e\u{301}");
        for width in 0..8 {
            for text in ["東京都", "abcdefgh", "a東b京c"] {
                assert!(columns(&cut(text, width)) <= width.max(1), "{text} {width}");
                assert!(
                    columns(&cut_front(text, width)) <= width.max(1),
                    "{text} {width}"
                );
            }
        }
    }
}
