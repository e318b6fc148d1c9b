//! Text that is there but cannot be seen, and where it is more than typography.
//!
//! Not a finding: joiners in pictures and in scripts that need them, direction marks in text that has a right-to-left script,
//! a byte order mark, a soft hyphen, the flags of England, Scotland and Wales.

use std::ops::Range;
use std::sync::{Arc, LazyLock};

use super::level::{Severity, category};
use super::verdict::{Finding, Label, Verdict};

/// Zero-width characters in a row that are a message: one or two are an accident of copying.
const RUN: usize = 4;

/// Latin words cut by zero-width characters that are intent: one may be a hint where to break a long line.
const CUTS: usize = 3;

/// Id, severity and description of each rule of this file.
pub(super) const RULES: [(&str, Severity, &str); 5] = [
    (
        "hidden.tags",
        Severity::Medium,
        "letters written with invisible tag characters",
    ),
    (
        "hidden.override",
        Severity::Medium,
        "a mark that turns the direction of text around",
    ),
    (
        "hidden.bidi",
        Severity::Low,
        "direction marks in text of one direction",
    ),
    (
        "hidden.zero_width",
        Severity::Medium,
        "zero-width characters in a row or inside words",
    ),
    (
        "hidden.selectors",
        Severity::Medium,
        "variation selectors in a row, which carry bytes",
    ),
];

/// A place in [`RULES`].
const TAGS: usize = 0;
const OVERRIDE: usize = 1;
const BIDI: usize = 2;
const ZERO_WIDTH: usize = 3;
const SELECTORS: usize = 4;

fn label(rule: usize) -> Arc<Label> {
    static LABELS: LazyLock<[Arc<Label>; RULES.len()]> = LazyLock::new(|| {
        RULES.map(|(id, severity, what)| {
            Arc::new(Label {
                id: id.into(),
                category: category::HIDDEN_TEXT.into(),
                severity,
                what: what.into(),
            })
        })
    });
    LABELS[rule].clone()
}

/// Characters that are dropped before rules read a text: nothing is seen of them, or only the order of others.
pub(super) fn is_hidden(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}'
        | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}'
        | '\u{e0000}'..='\u{e0fff}')
}

/// The letter a tag character stands for.
pub(super) fn tag_letter(c: char) -> Option<char> {
    let code = u32::from(c).checked_sub(0xe0000)?;
    let letter = u8::try_from(code).ok();
    let letter = letter.filter(|byte| (0x20..0x7f).contains(byte))?;
    Some(char::from(letter.to_ascii_lowercase()))
}

fn is_zero_width(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200d}' | '\u{2060}'..='\u{2064}' | '\u{feff}')
}

fn is_selector(c: char) -> bool {
    matches!(c, '\u{fe00}'..='\u{fe0f}' | '\u{e0100}'..='\u{e01ef}')
}

fn is_tag(c: char) -> bool {
    matches!(c, '\u{e0000}'..='\u{e007f}')
}

fn is_right_to_left(c: char) -> bool {
    matches!(c, '\u{590}'..='\u{8ff}' | '\u{fb1d}'..='\u{fdff}' | '\u{fe70}'..='\u{fefc}'
        | '\u{10800}'..='\u{10fff}' | '\u{1e800}'..='\u{1efff}')
}

/// Collects what is hidden in one text.
#[derive(Debug, Default)]
pub(super) struct Hidden {
    findings: Vec<(usize, Range<usize>)>,
    /// Up to here, a run of hidden characters has been told of.
    told: usize,
    cuts: usize,
    first_cut: usize,
    /// Whether the text has a script that runs from right to left, once asked.
    right_to_left: Option<bool>,
}

impl Hidden {
    /// The hidden character `c` is at `at`.
    pub(super) fn see(&mut self, text: &str, at: usize, c: char) {
        if at < self.told {
            return;
        }
        let run = |of: fn(char) -> bool| {
            let run = text[at..].chars().take_while(|c| of(*c));
            run.fold((0, at), |(count, end), c| (count + 1, end + c.len_utf8()))
        };
        if is_tag(c) {
            let (_, end) = run(is_tag);
            self.told = end;
            if !is_flag(&text[..at], &text[at..end]) {
                self.found(TAGS, at..end);
            }
        } else if is_selector(c) {
            let (count, end) = run(is_selector);
            self.told = end;
            if count > 1 {
                self.found(SELECTORS, at..end);
            }
        } else if is_zero_width(c) {
            let (count, end) = run(is_zero_width);
            self.told = end;
            if count >= RUN {
                self.found(ZERO_WIDTH, at..end);
            } else if cuts_a_word(text, at..end) {
                self.cuts += 1;
                if self.cuts == 1 {
                    self.first_cut = at;
                } else if self.cuts == CUTS {
                    self.found(ZERO_WIDTH, self.first_cut..end);
                }
            }
        } else if matches!(c, '\u{202d}' | '\u{202e}') {
            self.found(OVERRIDE, at..at + c.len_utf8());
        } else if matches!(c, '\u{202a}' | '\u{202b}' | '\u{2066}'..='\u{2068}') {
            let right_to_left = self
                .right_to_left
                .get_or_insert_with(|| text.chars().any(is_right_to_left));
            if !*right_to_left {
                self.found(BIDI, at..at + c.len_utf8());
            }
        }
    }

    fn found(&mut self, rule: usize, span: Range<usize>) {
        let same = self.findings.iter().filter(|(of, _)| *of == rule).count();
        if same < Verdict::PER_RULE {
            self.findings.push((rule, span));
        }
    }

    pub(super) fn into_findings(self) -> impl Iterator<Item = Finding> {
        self.findings.into_iter().map(|(rule, span)| Finding {
            label: label(rule),
            span,
        })
    }
}

/// Whether `tags` after `before` are a flag: a black flag, the letters of a region, the end.
fn is_flag(before: &str, tags: &str) -> bool {
    before.ends_with('\u{1f3f4}')
        && tags.strip_suffix('\u{e007f}').is_some_and(|region| {
            region.chars().count() <= 6
                && region
                    .chars()
                    .all(|c| matches!(c, '\u{e0030}'..='\u{e0039}' | '\u{e0061}'..='\u{e007a}'))
        })
}

fn cuts_a_word(text: &str, at: Range<usize>) -> bool {
    let letter = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
    letter(text[..at.start].chars().next_back()) && letter(text[at.end..].chars().next())
}
