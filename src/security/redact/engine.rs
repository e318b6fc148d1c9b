//! What becomes of a text: whether it is JSON, what its key says, and what stands where something was found.
//!
//! Promise: overlapping findings are replaced as one and never shown in part; JSON stays JSON; text without findings is not
//! copied and allocates nothing.

use std::fmt;
use std::sync::Arc;

use aho_corasick::AhoCorasick;
use regex::Regex;

use super::keys::{KeyNames, Names};
use super::mask::Mask;
use super::numbers;
use super::rules::Shape;
use super::search::{Finding, Seen};
use super::{Hook, Report, json, marker, plausible};

/// Nothing shorter is anything.
const SHORTEST: usize = 5;
/// JSON in a string of JSON in a string …: deeper ones are plain text.
const NESTED: u8 = 4;
/// A replacement can part what stood together, so a text is looked at until nothing is found; this often at most.
const PASSES: usize = 4;

/// The number of a rule, which is also its say where two find the same.
pub(super) type RuleId = u16;

pub(super) struct Rule {
    pub(super) name: Arc<str>,
    pub(super) mask: Mask,
}

/// What a needle leads to.
#[derive(Clone, Copy)]
pub(super) enum Head {
    /// An index into [`Engine::shapes`].
    Shape(usize),
    /// Part of the name of a secret.
    Name,
    /// `://`.
    Url,
}

/// A pattern that is looked for everywhere.
pub(super) struct Pattern {
    pub(super) rule: RuleId,
    pub(super) regex: Regex,
    /// Only its group [`Pattern::PART`] is replaced.
    pub(super) in_part: bool,
    pub(super) check: fn(&str) -> bool,
}

impl Pattern {
    /// The group that is replaced, where a pattern has it.
    pub(super) const PART: &str = "secret";
}

/// The rules that are not in a table; `None` where they are off.
#[derive(Clone, Copy, Default)]
pub(super) struct Built {
    pub(super) key: Option<RuleId>,
    pub(super) credential: Option<RuleId>,
    pub(super) url: Option<RuleId>,
    pub(super) email: Option<RuleId>,
    pub(super) card: Option<RuleId>,
    pub(super) iban: Option<RuleId>,
    pub(super) ssn: Option<RuleId>,
    pub(super) phone: Option<RuleId>,
}

pub(super) struct Engine {
    pub(super) rules: Vec<Rule>,
    pub(super) needles: Option<AhoCorasick>,
    pub(super) heads: Vec<Head>,
    pub(super) shapes: Vec<(RuleId, &'static Shape, Arc<Regex>)>,
    pub(super) patterns: Vec<Pattern>,
    pub(super) built: Built,
    pub(super) keys: KeyNames,
    pub(super) allowed: Vec<String>,
    pub(super) allowed_patterns: Vec<Regex>,
    pub(super) hook: Option<Hook>,
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(self.rules.iter().map(|rule| &rule.name))
            .finish()
    }
}

impl Engine {
    /// The text with its secrets replaced, or `None` where there are none. `said` is what its key says about it.
    pub(super) fn text(&self, text: &str, said: Names, report: &mut Report) -> Option<String> {
        self.nested(text, said, 0, report)
    }

    /// What a key says about its value.
    pub(super) fn judge(&self, key: &str) -> Names {
        match self.built.key {
            Some(_) => self.keys.judge(key),
            None => Names::Nothing,
        }
    }

    /// A number as it is written, or `None` where it may stay.
    pub(super) fn number(&self, raw: &str, said: Names, report: &mut Report) -> Option<String> {
        let rule = if said == Names::Secret && raw.len() >= 3 && self.built.key.is_some() {
            self.built.key
        } else if raw.len() >= 14
            && raw.parse().is_ok_and(numbers::is_card)
            && !self.is_allowed(raw)
        {
            self.built.card
        } else {
            None
        };
        let rule = rule.or_else(|| {
            let mut found = self
                .patterns
                .iter()
                .filter(|p| p.regex.find_iter(raw).any(|m| (p.check)(m.as_str())));
            found.next().map(|pattern| pattern.rule)
        })?;
        Some(self.whole(raw, rule, report))
    }

    fn nested(&self, text: &str, said: Names, depth: u8, report: &mut Report) -> Option<String> {
        if let Some(rule) = self.built.key
            && (said == Names::Secret || said == Names::Perhaps && plausible::is_noise(text, 8))
        {
            let stays = text.is_empty()
                || self.rules[usize::from(rule)].mask.made(text)
                || self.is_allowed(text);
            return (!stays).then(|| self.whole(text, rule, report));
        }
        if text.len() < SHORTEST {
            return None;
        }
        let seen = self.scan(text);
        if json::may_be(text)
            && depth < NESTED
            && (seen.name || !seen.findings.is_empty() || has_odd_escapes(text))
            && json::is_document(text)
        {
            return self.document(text, depth, report);
        }
        self.plain(text, seen, report)
    }

    /// A value that is replaced as a whole.
    fn whole(&self, text: &str, rule: RuleId, report: &mut Report) -> String {
        let rule = &self.rules[usize::from(rule)];
        report.add(&rule.name, 1);
        let mut out = String::new();
        rule.mask.write(&rule.name, text, &mut out);
        out
    }

    // === JSON ===

    fn document(&self, text: &str, depth: u8, report: &mut Report) -> Option<String> {
        let mut pieces = Pieces {
            engine: self,
            depth: depth + 1,
            report,
        };
        let out = json::rewrite(text, &mut pieces);
        // Patterns may have been written for the document and not for its values: `"pin":\s*"\d+"`.
        let current = out.as_deref().unwrap_or(text);
        let mut seen = Seen::default();
        self.patterns_in(current, &mut seen);
        let Some(rule) = seen.findings.first().map(|finding| finding.rule) else {
            return out;
        };
        let mut own = Report::new();
        let Some(flat) = self.plain(current, seen, &mut own) else {
            return out;
        };
        if json::is_document(&flat) {
            report.merge(&own);
            return Some(flat);
        }
        let quoted = serde_json::Value::from(self.whole(current, rule, report));
        Some(quoted.to_string())
    }

    // === Plain text ===

    fn plain(&self, text: &str, mut seen: Seen, report: &mut Report) -> Option<String> {
        let mut out: Option<String> = None;
        for pass in 1.. {
            let current = out.as_deref().unwrap_or(text);
            if pass == 1 {
                self.scan_folded(current, &mut seen);
            } else {
                seen = self.scan(current);
                self.scan_folded(current, &mut seen);
            }
            match self.replace(current, &mut seen.findings, report) {
                Some(next) => out = Some(next),
                None => break,
            }
            if pass == PASSES {
                break;
            }
        }
        out
    }

    // === Replacing ===

    fn is_allowed(&self, text: &str) -> bool {
        self.allowed.iter().any(|known| known == text)
            || self
                .allowed_patterns
                .iter()
                .any(|pattern| pattern.find(text).is_some_and(|m| m.len() == text.len()))
    }

    /// The text with the findings replaced, or `None` where none of them stands.
    fn replace(
        &self,
        text: &str,
        findings: &mut Vec<Finding>,
        report: &mut Report,
    ) -> Option<String> {
        findings.retain(|f| {
            let found = text.get(f.start..f.end);
            !marker::holds(text, f.start, f.end)
                && found.is_some_and(|found| {
                    !self.is_allowed(found) && !self.rules[usize::from(f.rule)].mask.made(found)
                })
        });
        if findings.is_empty() {
            return None;
        }
        findings.sort_unstable_by_key(|f| (f.start, f.end, f.rule));
        let mut out = String::with_capacity(text.len());
        let mut copied = 0;
        let mut rest = findings.as_slice();
        while let Some((first, mut after)) = rest.split_first() {
            let (mut all, mut longest) = (*first, *first);
            let mut same = true;
            while let Some((next, further)) = after.split_first()
                && next.start < all.end
            {
                same &= (next.start, next.end) == (first.start, first.end);
                if next.end - next.start > longest.end - longest.start {
                    longest = *next;
                }
                all.end = all.end.max(next.end);
                after = further;
            }
            let rule = &self.rules[usize::from(longest.rule)];
            out.push_str(text.get(copied..all.start).unwrap_or_default());
            match text.get(all.start..all.end) {
                Some(found) if same || !rule.mask.reveals() => {
                    rule.mask.write(&rule.name, found, &mut out)
                }
                _ => marker::label(&rule.name, &mut out),
            }
            report.add(&rule.name, 1);
            copied = all.end;
            rest = after;
        }
        out.push_str(text.get(copied..).unwrap_or_default());
        Some(out)
    }
}

/// Whether there are escapes in JSON behind which a needle could hide.
fn has_odd_escapes(text: &str) -> bool {
    let bytes = text.as_bytes();
    memchr::memchr_iter(b'\\', bytes)
        .any(|at| matches!(bytes.get(at + 1), Some(b'u' | b'/' | b'b' | b'f')))
}

struct Pieces<'a> {
    engine: &'a Engine,
    depth: u8,
    report: &'a mut Report,
}

impl json::Look for Pieces<'_> {
    fn judge(&self, key: &str) -> Names {
        self.engine.judge(key)
    }

    fn instead(&mut self, token: json::Token<'_>, said: Names) -> Option<String> {
        match token {
            json::Token::Key(text) => {
                self.engine
                    .nested(text, Names::Nothing, self.depth, self.report)
            }
            json::Token::Text(text) => self.engine.nested(text, said, self.depth, self.report),
            json::Token::Number(raw) => self.engine.number(raw, said, self.report),
        }
    }
}
