//! The search itself: one pass for all anchors, and each rule's pattern only where one of its anchors is.
//!
//! Promise: time linear in the text, whatever the text is: the places a pattern is tried at are merged before it runs, so a
//! rule reads a byte at most once, and a rule that has found enough is not asked again. No allocation on text without anchors.

use std::mem;
use std::ops::Range;
use std::sync::Arc;

use regex::bytes::{Regex, RegexBuilder};

use super::anchors::Anchors;
use super::fold;
use super::hidden::Hidden;
use super::lists::{Folding, Lists};
use super::rule::{Pattern, Rule, RuleError};
use super::verdict::{Label, Verdict};

/// How far before an anchor a bundled pattern may begin, in bytes of folded text.
const BEFORE: usize = 160;

/// How far after the beginning of an anchor it may end. Patterns say for themselves how far apart their parts may be;
/// this is what the longest of them allow, and bounds what a text full of anchors costs.
const AFTER: usize = 480;

/// Anchors of up to this many bytes count only at the beginning of a word: `rm -` is in `form - `.
const SHORT: usize = 4;

/// Compiled size one pattern may have, as `regex` counts it: its own default.
const REGEX_SIZE: usize = 10 << 20;

#[derive(Debug)]
pub(super) struct Engine {
    anchors: Anchors,
    /// The rule of each anchor.
    of: Vec<usize>,
    rules: Vec<Compiled>,
    /// Rules without anchors.
    whole: Vec<usize>,
}

#[derive(Debug)]
struct Compiled {
    label: Arc<Label>,
    verify: Verify,
}

#[derive(Debug)]
enum Verify {
    /// The anchor is the match.
    Anchor,
    /// The anchor is the match if it is a whole word.
    Word,
    /// The pattern around the anchor; whole words.
    Words(Regex, Reach),
    /// The pattern around the anchor.
    Near(Regex, Reach),
    /// The pattern, anywhere.
    Whole(Regex),
}

/// How far around an anchor a pattern is tried, in bytes.
#[derive(Debug, Clone, Copy)]
struct Reach {
    before: usize,
    after: usize,
}

impl Reach {
    /// That of a pattern: no further than its longest match goes, and a byte more to see what follows.
    fn of(pattern: &str, unicode: bool) -> Self {
        let parsed = regex_syntax::ParserBuilder::new()
            .unicode(unicode)
            .utf8(false)
            .case_insensitive(true)
            .build()
            .parse(pattern);
        let longest = parsed
            .ok()
            .and_then(|parsed| parsed.properties().maximum_len());
        let longest = longest.unwrap_or(usize::MAX);
        Self {
            before: BEFORE.min(longest.saturating_add(4)),
            after: AFTER.min(longest.saturating_add(8)),
        }
    }
}

impl Engine {
    pub(super) fn build(lists: &Lists) -> Result<Engine, RuleError> {
        lists.check()?;
        let mut rules = Vec::new();
        let mut anchors: Vec<String> = Vec::new();
        let mut of = Vec::new();
        let mut whole = Vec::new();
        for (at, rule) in lists.rules.iter().enumerate() {
            let (verify, of_rule) = compile(rule, lists.folding)?;
            if of_rule.is_empty() {
                whole.push(at);
            }
            of.extend(of_rule.iter().map(|_| at));
            anchors.extend(of_rule);
            let label = Label {
                id: rule.id.clone(),
                category: rule.category.clone(),
                severity: rule.severity,
                what: rule.what.clone(),
            };
            rules.push(Compiled {
                label: Arc::new(label),
                verify,
            });
        }
        let anchors = Anchors::build(&anchors).map_err(|error| RuleError::TooLarge {
            problem: error.to_string(),
        })?;
        Ok(Engine {
            anchors,
            of,
            rules,
            whole,
        })
    }

    pub(super) fn len(&self) -> usize {
        self.rules.len()
    }

    /// Every finding in a text that has been folded. Returns the work it was, in bytes shown to patterns.
    pub(super) fn search(
        &self,
        text: &str,
        mut found: impl FnMut(&Arc<Label>, Range<usize>),
    ) -> usize {
        let mut search = Search {
            text,
            engine: self,
            state: Vec::new(),
            work: 0,
        };
        self.anchors.each(text.as_bytes(), |anchor, at| {
            search.anchor(self.of[anchor], at, &mut found);
        });
        search.rest(&mut found);
        for &rule in &self.whole {
            let rule = &self.rules[rule];
            let Verify::Whole(pattern) = &rule.verify else {
                continue;
            };
            search.work += text.len();
            for hit in pattern.find_iter(text.as_bytes()).take(Verdict::PER_RULE) {
                found(&rule.label, hit.range());
            }
        }
        search.work
    }
}

fn compile(rule: &Rule, folding: Folding) -> Result<(Verify, Vec<String>), RuleError> {
    let fold = |text: &str| match folding {
        Folding::Upper => fold::upper(text).text.into_owned(),
        Folding::Lower => fold::lower(text, &mut Hidden::default()).text.into_owned(),
    };
    let empty = || RuleError::Empty {
        id: rule.id.to_string(),
    };
    Ok(match &rule.pattern {
        Pattern::Substring(text) => {
            let text = fold(text);
            if text.is_empty() {
                return Err(empty());
            }
            (Verify::Anchor, vec![text])
        }
        Pattern::Words(words) => {
            let words = fold(words);
            let words: Vec<&str> = words.split_whitespace().collect();
            let longest = words.iter().max_by_key(|word| word.len());
            let longest = (*longest.ok_or_else(empty)?).to_owned();
            let verify = if words.len() == 1 {
                Verify::Word
            } else {
                let words: Vec<_> = words.iter().map(|word| regex::escape(word)).collect();
                let words = words.join(r"\s{1,8}");
                Verify::Words(regex(rule, &words, true)?, Reach::of(&words, true))
            };
            (verify, vec![longest])
        }
        Pattern::Regex(pattern) => {
            let pattern = regex(rule, pattern, true)?;
            if pattern.is_match(b"") {
                return Err(empty());
            }
            (Verify::Whole(pattern), Vec::new())
        }
        Pattern::Near(pattern, anchors) => {
            let anchors = anchors.iter().map(|anchor| fold(anchor)).collect();
            let reach = Reach::of(pattern, false);
            (Verify::Near(regex(rule, pattern, false)?, reach), anchors)
        }
    })
}

fn regex(rule: &Rule, pattern: &str, unicode: bool) -> Result<Regex, RuleError> {
    RegexBuilder::new(pattern)
        .case_insensitive(true)
        .unicode(unicode)
        .size_limit(REGEX_SIZE)
        .build()
        .map_err(|error| RuleError::Regex {
            id: rule.id.to_string(),
            problem: error.to_string(),
        })
}

/// One search.
struct Search<'s> {
    text: &'s str,
    engine: &'s Engine,
    /// Of each rule; empty until the first anchor.
    state: Vec<State>,
    /// Bytes shown to patterns.
    work: usize,
}

#[derive(Clone, Default)]
struct State {
    found: usize,
    /// Where the pattern is still to be tried. Empty when nowhere.
    near: Range<usize>,
    /// Up to here it has been.
    done: usize,
}

impl Search<'_> {
    fn anchor(
        &mut self,
        rule: usize,
        at: Range<usize>,
        found: &mut impl FnMut(&Arc<Label>, Range<usize>),
    ) {
        if self.state.is_empty() {
            self.state = vec![State::default(); self.engine.rules.len()];
        }
        let state = &mut self.state[rule];
        if state.found >= Verdict::PER_RULE {
            return;
        }
        let compiled = &self.engine.rules[rule];
        match compiled.verify {
            Verify::Anchor | Verify::Word => {
                let word = matches!(compiled.verify, Verify::Word);
                if at.start >= state.done && (!word || is_whole(self.text, &at)) {
                    state.found += 1;
                    state.done = at.end;
                    found(&compiled.label, at);
                }
            }
            Verify::Words(_, reach) | Verify::Near(_, reach) => {
                let bytes = self.text.as_bytes();
                let is_letter = |at: usize| bytes[at].is_ascii_alphanumeric();
                if at.len() <= SHORT
                    && at.start > 0
                    && is_letter(at.start)
                    && is_letter(at.start - 1)
                {
                    return;
                }
                let near = at.start.saturating_sub(reach.before)
                    ..(at.start + reach.after).min(bytes.len());
                if !state.near.is_empty() && near.start <= state.near.end {
                    state.near.end = near.end;
                } else {
                    let before = mem::replace(&mut state.near, near);
                    self.try_near(rule, before, found);
                }
            }
            Verify::Whole(_) => {}
        }
    }

    /// Tries the patterns where they have not been tried yet.
    fn rest(&mut self, found: &mut impl FnMut(&Arc<Label>, Range<usize>)) {
        for rule in 0..self.state.len() {
            let near = mem::take(&mut self.state[rule].near);
            self.try_near(rule, near, found);
        }
    }

    fn try_near(
        &mut self,
        rule: usize,
        near: Range<usize>,
        found: &mut impl FnMut(&Arc<Label>, Range<usize>),
    ) {
        let compiled = &self.engine.rules[rule];
        let (Verify::Words(pattern, _) | Verify::Near(pattern, _)) = &compiled.verify else {
            return;
        };
        let words = matches!(compiled.verify, Verify::Words(..));
        let state = &mut self.state[rule];
        let bytes = &self.text.as_bytes()[..near.end];
        let mut start = near.start.max(state.done);
        self.work += near.end.saturating_sub(start);
        while start < near.end && state.found < Verdict::PER_RULE {
            let Some(hit) = pattern.find_at(bytes, start) else {
                break;
            };
            // At the border of what is looked at, an end of the text or of a word is not a true one.
            let cut = hit.end() == near.end && near.end < self.text.len();
            if !cut && (!words || is_whole(self.text, &hit.range())) {
                state.found += 1;
                found(&compiled.label, hit.range());
            }
            start = hit.end().max(start + 1);
        }
        state.done = state.done.max(start.min(near.end));
    }
}

/// Whether no word goes on at either side.
fn is_whole(text: &str, at: &Range<usize>) -> bool {
    let joined = |inside: Option<char>, outside: Option<char>| {
        inside.is_some_and(is_word) && outside.is_some_and(is_word)
    };
    let (before, rest) = text.split_at(at.start);
    let (inside, after) = rest.split_at(at.len());
    !joined(inside.chars().next(), before.chars().next_back())
        && !joined(inside.chars().next_back(), after.chars().next())
}

/// Part of a word, in a script that sets words apart.
fn is_word(c: char) -> bool {
    let together = matches!(c, '\u{e00}'..='\u{eff}' | '\u{1000}'..='\u{109f}' | '\u{1780}'..='\u{17ff}'
        | '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}' | '\u{20000}'..='\u{3ffff}');
    c == '_' || c.is_alphanumeric() && !together
}

#[cfg(test)]
mod tests {
    use super::*;

    fn work(lists: &Lists, text: &str) -> usize {
        Engine::build(lists).unwrap().search(text, |_, _| ())
    }

    #[test]
    fn ordinary_text_is_shown_to_no_pattern() {
        let text = "It was a bright cold day in April, and the clocks were striking thirteen. "
            .repeat(100);
        assert_eq!(work(&Lists::standard(), &text), 0);
    }

    /// Twice the text is twice the work, whatever is in it; and a rule reads a text once.
    #[test]
    fn work_is_linear_in_hostile_text() {
        let standard = Lists::standard();
        let engine = Engine::build(&standard).unwrap();
        let mut anchors = String::new();
        for rule in &standard.rules {
            if let Pattern::Near(_, near) = &rule.pattern {
                for anchor in *near {
                    anchors.push_str(anchor);
                    anchors.push(' ');
                }
            }
        }
        for piece in [
            &*anchors,
            "ignore ",
            "ignore all previous ",
            "curl http://example.com ",
            "rm -",
            "<|",
            "<|im_start|>",
            "ignore all previous instructions. ",
            "a very long line without any of them, so that windows stay apart: curl -- ",
        ] {
            let once = piece.repeat(200_000 / piece.len());
            let twice = once.repeat(2);
            let work = |text: &str| engine.search(text, |_, _| ());
            let (first, second) = (work(&once), work(&twice));
            // A window at the end may be cut.
            assert!(
                second <= 2 * first + standard.rules.len() * (BEFORE + AFTER),
                "{piece}: {first} {second}"
            );
            assert!(second <= standard.rules.len() * twice.len(), "{piece}");
        }
    }

    #[test]
    fn every_bundled_anchor_is_found_where_it_is() {
        for rule in rules() {
            let Pattern::Near(_, anchors) = rule.pattern else {
                continue;
            };
            assert!(!anchors.is_empty(), "{}", rule.id);
            // Folding changes no anchor, or it would never be met.
            for anchor in anchors {
                let folded = fold::lower(anchor, &mut Hidden::default());
                assert_eq!(folded.text, *anchor, "{}", rule.id);
            }
        }
    }

    fn rules() -> Vec<Rule> {
        Lists::standard().rules
    }

    #[test]
    fn words_and_patterns_need_each_other_near() {
        let lists = Lists::none().with(Rule::words("one two"));
        assert_eq!(work(&lists, "one or two"), 10);
        assert_eq!(work(&lists, "neither"), 0);
    }
}
