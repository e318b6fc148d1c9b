//! Which places of a text are secrets.
//!
//! One pass for all needles at once (Aho–Corasick), one for digits, one for `@`; patterns and checks run where a needle was met.
//! Promise: each place is looked at a bounded way around, or once for all that lie in it. Never: copies text that hides nothing.

use std::ops::Range;

use super::assign::{self, Found};
use super::bounds::{before, ceil, floor, is_token};
use super::engine::{Built, Engine, Head, Pattern, RuleId};
use super::numbers::{self, Number};
use super::rules::{self, Check, Left, Shape};
use super::{check, fold, mail, plausible};

/// A pattern looks this far; what goes on behind is taken to the end of its word.
const WINDOW: usize = 4 * 1024;
/// A private key of 16384 bits is 13 KiB of PEM.
const PEM_WINDOW: usize = 64 * 1024;
#[derive(Debug, Clone, Copy)]
pub(super) struct Finding {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) rule: RuleId,
}

/// What was seen in a text.
#[derive(Debug, Default)]
pub(super) struct Seen {
    pub(super) findings: Vec<Finding>,
    /// A name of a secret with something assigned to it.
    pub(super) name: bool,
}

impl Seen {
    fn add(&mut self, rule: RuleId, range: Range<usize>) {
        self.findings.push(Finding {
            start: range.start,
            end: range.end,
            rule,
        });
    }
}

impl Engine {
    /// Everything that is found in the text as it is.
    pub(super) fn scan(&self, text: &str) -> Seen {
        let mut seen = Seen::default();
        self.needles_in(text, &mut seen);
        if let Some(rule) = self.built.email {
            for at in memchr::memchr_iter(b'@', text.as_bytes()) {
                if let Some(range) = mail::address(text.as_bytes(), at) {
                    seen.add(rule, range);
                }
            }
        }
        let Built {
            card,
            iban,
            ssn,
            phone,
            ..
        } = self.built;
        if card.or(iban).or(ssn).or(phone).is_some() {
            numbers::scan(text.as_bytes(), |number, range| {
                let rule = match number {
                    Number::CreditCard => card,
                    Number::Iban => iban,
                    Number::UsSsn => ssn,
                    Number::Phone => phone,
                };
                if let Some(rule) = rule {
                    seen.add(rule, range);
                }
            });
        }
        self.patterns_in(text, &mut seen);
        seen
    }

    /// Looks again at what the text says once escapes are resolved and hidden characters are gone.
    pub(super) fn scan_folded(&self, text: &str, seen: &mut Seen) {
        let Some(folded) = fold::fold(text) else {
            return;
        };
        for Finding { start, end, rule } in self.scan(&folded.text).findings {
            let start = floor(text, folded.origin(start));
            let end = ceil(text, folded.origin(end));
            if start < end {
                seen.add(rule, start..end);
            }
        }
    }

    pub(super) fn patterns_in(&self, text: &str, seen: &mut Seen) {
        for pattern in &self.patterns {
            let mut add = |found: regex::Match<'_>| {
                if !found.is_empty() && (pattern.check)(found.as_str()) {
                    seen.add(pattern.rule, found.range());
                }
            };
            if pattern.in_part {
                let parts = pattern.regex.captures_iter(text);
                parts
                    .filter_map(|all| all.name(Pattern::PART))
                    .for_each(&mut add);
            } else {
                pattern.regex.find_iter(text).for_each(&mut add);
            }
        }
    }

    fn needles_in(&self, text: &str, seen: &mut Seen) {
        let Some(needles) = &self.needles else { return };
        // Where names need not be looked at, because they lie in a value that was.
        let mut names_from = 0;
        // The same for each shape that was met.
        let mut tried: Vec<(usize, usize)> = Vec::new();
        for hit in needles.find_overlapping_iter(text) {
            match self.heads[hit.pattern().as_usize()] {
                Head::Shape(shape) => {
                    self.shape_at(text, shape, hit.start(), hit.end(), &mut tried, seen)
                }
                Head::Url => {
                    if let (Some(rule), Some(range)) =
                        (self.built.url, mail::credentials(text, hit.end()))
                    {
                        seen.add(rule, range);
                    }
                }
                Head::Name if hit.start() < names_from => {}
                Head::Name => match assign::look(text, hit.start(), hit.end(), &self.keys) {
                    Found::Nothing => {}
                    Found::Name(end) => {
                        seen.name = true;
                        // A short value may hold another assignment; a long one is looked at once.
                        if end.saturating_sub(hit.end()) > 256 {
                            names_from = end;
                        }
                    }
                    Found::Secret(range) => {
                        seen.name = true;
                        names_from = range.end;
                        if let Some(rule) = self.built.credential {
                            seen.add(rule, range);
                        }
                    }
                },
            }
        }
    }

    fn shape_at(
        &self,
        text: &str,
        at: usize,
        start: usize,
        end: usize,
        tried: &mut Vec<(usize, usize)>,
        seen: &mut Seen,
    ) {
        let (rule, shape, regex) = &self.shapes[at];
        let bytes = text.as_bytes();
        let needle = &bytes[start..end];
        if !shape.needles.iter().any(|n| {
            n.as_bytes() == needle
                || rules::any_case(n) && n.as_bytes().eq_ignore_ascii_case(needle)
        }) {
            return;
        }
        if tried
            .iter()
            .any(|(shape, until)| *shape == at && start < *until)
        {
            return;
        }
        let Some(start) = begin(bytes, start, shape) else {
            return;
        };
        let window = if shape.rule == "private-key" {
            PEM_WINDOW
        } else {
            WINDOW
        };
        let window = floor(text, (end + window).min(text.len()));
        let Some(rest) = text.get(end..window) else {
            return;
        };
        // The first group is the secret, where the pattern says what stands in front of it.
        let found = match regex.captures_len() {
            1 => regex.find(rest).map(|m| start..end + m.end()),
            _ => regex
                .captures(rest)
                .and_then(|all| all.get(1))
                .map(|m| end + m.start()..end + m.end()),
        };
        let Some(mut found) = found else { return };
        if found.end == window {
            found = word_end(bytes, found);
        }
        match tried.iter_mut().find(|(shape, _)| *shape == at) {
            Some((_, until)) => *until = found.end,
            None => tried.push((at, found.end)),
        }
        let Some(secret) = text.get(found.clone()) else {
            return;
        };
        let good = check::end_entropy(secret) >= shape.entropy
            && !(shape.whole
                && bytes
                    .get(found.end)
                    .is_some_and(|b| b.is_ascii_alphanumeric() || matches!(b, b'/' | b'+' | b'=')))
            && match shape.check {
                Check::None => true,
                Check::Basic => check::is_basic(secret),
                Check::Noise => plausible::is_noise(secret, 12),
            };
        if good {
            seen.add(*rule, found);
        }
    }
}

/// Where the secret begins whose needle begins at `at`, if one may begin there.
fn begin(bytes: &[u8], at: usize, shape: &Shape) -> Option<usize> {
    let mut start = at;
    if shape.back > 0 {
        let is_part = |b: u8| is_token(b) || matches!(b, b'~' | b'.');
        start = at.checked_sub(shape.back)?;
        if !bytes[start..at].iter().all(|b| is_part(*b)) {
            return None;
        }
        while at - start < 64 && before(bytes, start).is_some_and(|b| b.is_ascii_alphanumeric()) {
            start -= 1;
        }
    }
    let free = match (shape.left, before(bytes, start)) {
        (Left::Any, _) | (_, None) => true,
        (Left::Word, Some(b)) => !b.is_ascii_alphanumeric(),
        (Left::Token, Some(b)) => !is_token(b),
    };
    free.then_some(start)
}

/// The range up to the end of the word it stops in.
fn word_end(bytes: &[u8], range: Range<usize>) -> Range<usize> {
    let more = bytes[range.end..]
        .iter()
        .take_while(|b| is_token(**b) || matches!(b, b'.' | b'=' | b'+' | b'/'))
        .count();
    range.start..range.end + more
}
