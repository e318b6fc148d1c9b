//! One line of styled text.
//!
//! Promise: cut by characters, not bytes; every style that is switched on is switched off on the same line.

use std::borrow::Cow;

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

/// Pieces of text, each with its style. Never holds a line break.
#[derive(Debug, Default)]
pub(super) struct Line(Vec<(Style, Cow<'static, str>)>);

impl Line {
    pub(super) fn push(&mut self, style: Style, text: impl Into<Cow<'static, str>>) {
        self.0.push((style, text.into()));
    }

    /// The text, at most `width` characters wide, the last of them `…` if something is missing.
    pub(super) fn text(&self, color: bool, width: Option<usize>) -> String {
        let width = width.unwrap_or(usize::MAX);
        let full: usize = self.0.iter().map(|(_, text)| text.chars().count()).sum();
        let mut room = if full > width {
            width.saturating_sub(1)
        } else {
            full
        };
        let mut out = String::new();
        for (style, text) in &self.0 {
            let shown = match text.char_indices().nth(room) {
                Some((end, _)) => &text[..end],
                None => text,
            };
            room -= shown.chars().count();
            match style.code().filter(|_| color && !shown.is_empty()) {
                Some(code) => out.extend(["\x1b[", code, "m", shown, "\x1b[0m"]),
                None => out.push_str(shown),
            }
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
            assert!(line().text(false, Some(width)).chars().count() <= width);
            let colored = line().text(true, Some(width));
            assert_eq!(
                colored.matches("\x1b[0m").count() * 2,
                colored.matches('\x1b').count()
            );
        }
    }
}
