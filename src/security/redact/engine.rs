//! The search itself: which places of a text are secrets, and what stands there afterwards.
//!
//! One pass for all needles at once (Aho–Corasick), one for digits, one for `@`; patterns and checks run where a needle was
//! met. Text without any is not copied and allocates nothing.
//! Promise: linear in the text, whatever it holds; overlapping findings are replaced as one and never shown in part.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use aho_corasick::AhoCorasick;
use regex::Regex;

use super::assign::{self, Found};
use super::bounds::{before, ceil, floor, is_token};
use super::keys::{KeyNames, Names};
use super::mask::Mask;
use super::numbers::{self, Number};
use super::rules::{Check, Left, Shape};
use super::{Hook, Report, check, fold, json, mail, marker, plausible};

/// Nothing shorter is anything.
const SHORTEST: usize = 5;
/// A pattern looks this far; what goes on behind is taken to the end of its word.
const WINDOW: usize = 4 * 1024;
/// A private key of 16384 bits is 13 KiB of PEM.
const PEM_WINDOW: usize = 64 * 1024;
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

#[derive(Debug, Clone, Copy)]
struct Finding {
    start: usize,
    end: usize,
    rule: RuleId,
}

/// What was seen in a text.
#[derive(Debug, Default)]
struct Seen {
    findings: Vec<Finding>,
    /// A name of a secret with something assigned to it.
    name: bool,
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
            && json::form(text) == json::Form::Json
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
        if json::form(&flat) == json::Form::Json {
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

    fn scan(&self, text: &str) -> Seen {
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
    fn scan_folded(&self, text: &str, seen: &mut Seen) {
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

    fn patterns_in(&self, text: &str, seen: &mut Seen) {
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
                || super::rules::any_case(n) && n.as_bytes().eq_ignore_ascii_case(needle)
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
