//! One pass for all anchors at once.
//!
//! A table tells the next state from a state and a byte, so each step waits for the one before. Several stretches of the text are
//! walked side by side, and the waiting of one is the working of another: two to three times as fast as one walk.
//! Promise: every occurrence, in the order in which they end, each once; time linear in the text, memory in a block of it.

use std::ops::Range;

use aho_corasick::automaton::{Automaton as _, StateID};
use aho_corasick::dfa::DFA;
use aho_corasick::{AhoCorasick, Anchored, BuildError, Input, MatchKind, StartKind};

/// Anchors for which the table is built: it takes some kilobytes each. Beyond it the library chooses.
const TABLE: usize = 2_000;

/// Stretches that are walked side by side, at most.
const LANES: usize = 4;
/// A stretch is not shorter than this, as each looks back by the length of the longest anchor.
const SHORTEST: usize = 96;
/// Nor longer: what is found in the later ones waits for the first.
const LONGEST: usize = 4 * 1024;

#[derive(Debug)]
pub(super) struct Anchors(Search);

#[derive(Debug)]
enum Search {
    Table(Box<DFA>),
    Many(AhoCorasick),
}

/// A stretch of the text.
#[derive(Clone, Copy)]
struct Lane<'t> {
    /// From so far back that an anchor which ends in the stretch lies in it whole.
    bytes: &'t [u8],
    /// Where that is.
    from: usize,
    /// Where the stretch begins: what ends no later belongs to the one before.
    begins: usize,
}

impl Anchors {
    pub(super) fn build(anchors: &[String]) -> Result<Self, BuildError> {
        let search = if anchors.len() <= TABLE {
            let table = DFA::builder()
                .ascii_case_insensitive(true)
                .match_kind(MatchKind::Standard)
                .start_kind(StartKind::Unanchored)
                .prefilter(false)
                .build(anchors)?;
            Search::Table(Box::new(table))
        } else {
            let many = AhoCorasick::builder()
                .ascii_case_insensitive(true)
                .match_kind(MatchKind::Standard)
                .build(anchors)?;
            Search::Many(many)
        };
        Ok(Self(search))
    }

    /// Calls `hit` with the number of each anchor that is found, and its place.
    pub(super) fn each(&self, text: &[u8], mut hit: impl FnMut(usize, Range<usize>)) {
        let table = match &self.0 {
            Search::Table(table) => table,
            Search::Many(many) => {
                for found in many.find_overlapping_iter(Input::new(text)) {
                    hit(found.pattern().as_usize(), found.range());
                }
                return;
            }
        };
        let back = table.max_pattern_len().saturating_sub(1);
        let mut begins = 0;
        while begins < text.len() {
            let left = text.len() - begins;
            let lanes = (left / SHORTEST).clamp(1, LANES);
            let length = left.div_ceil(lanes).min(LONGEST);
            let lane = |at: usize| {
                let begins = begins + at * length;
                let from = begins.saturating_sub(back);
                Lane {
                    bytes: &text[from..(begins + length).min(text.len())],
                    from,
                    begins,
                }
            };
            match lanes {
                1 => walk(table, [lane(0)], &mut hit),
                2 => walk(table, [lane(0), lane(1)], &mut hit),
                3 => walk(table, [lane(0), lane(1), lane(2)], &mut hit),
                _ => walk(table, [lane(0), lane(1), lane(2), lane(3)], &mut hit),
            }
            begins += lanes * length;
        }
    }
}

/// Walks the lanes side by side as far as the shortest goes, then each to its end.
#[expect(
    clippy::needless_range_loop,
    reason = "the lanes are walked in step, which iterators do not say"
)]
fn walk<const N: usize>(
    table: &DFA,
    lanes: [Lane<'_>; N],
    hit: &mut impl FnMut(usize, Range<usize>),
) {
    let Ok(start) = table.start_state(Anchored::No) else {
        return;
    };
    let mut states = [start; N];
    let mut found: [Vec<(usize, Range<usize>)>; N] = [const { Vec::new() }; N];
    let together = lanes.iter().map(|lane| lane.bytes.len()).min().unwrap_or(0);
    let bytes = lanes.map(|lane| &lane.bytes[..together]);
    for at in 0..together {
        let mut special = false;
        for lane in 0..N {
            states[lane] = table.next_state(Anchored::No, states[lane], bytes[lane][at]);
            special |= table.is_special(states[lane]);
        }
        if special {
            for lane in 0..N {
                note(table, states[lane], &lanes[lane], at, &mut found[lane]);
            }
        }
    }
    for ((lane, mut state), found) in lanes.iter().zip(states).zip(&mut found) {
        for (at, byte) in lane.bytes.iter().enumerate().skip(together) {
            state = table.next_state(Anchored::No, state, *byte);
            if table.is_special(state) {
                note(table, state, lane, at, found);
            }
        }
    }
    for (anchor, at) in found.into_iter().flatten() {
        hit(anchor, at);
    }
}

/// Notes the anchors that end at a byte, if any do.
#[cold]
fn note(
    table: &DFA,
    state: StateID,
    lane: &Lane<'_>,
    at: usize,
    found: &mut Vec<(usize, Range<usize>)>,
) {
    let end = lane.from + at + 1;
    if !table.is_match(state) || end <= lane.begins {
        return;
    }
    for index in 0..table.match_len(state) {
        let anchor = table.match_pattern(state, index);
        let start = end - table.pattern_len(anchor);
        found.push((anchor.as_usize(), start..end));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn all(anchors: &[String], text: &str) -> Vec<(usize, Range<usize>)> {
        let mut all = Vec::new();
        let built = Anchors::build(anchors).unwrap();
        built.each(text.as_bytes(), |anchor, at| all.push((anchor, at)));
        all
    }

    proptest! {
        #[test]
        fn what_one_walk_finds_is_found_in_the_same_order(
            anchors in prop::collection::vec("[abAB ]{1,7}", 1..8),
            text in "[abc ]{0,900}",
        ) {
            let plain = AhoCorasick::builder()
                .ascii_case_insensitive(true)
                .build(&anchors)
                .unwrap();
            let expected: Vec<_> = plain
                .find_overlapping_iter(&text)
                .map(|found| (found.pattern().as_usize(), found.range()))
                .collect();
            let mut found = all(&anchors, &text);
            prop_assert!(found.is_sorted_by_key(|(_, at)| at.end));
            found.sort_by_key(|(anchor, at)| (at.end, at.start, *anchor));
            let mut expected = expected;
            expected.sort_by_key(|(anchor, at)| (at.end, at.start, *anchor));
            prop_assert_eq!(found, expected);
        }
    }

    #[test]
    fn blocks_and_borders_lose_nothing() {
        let anchors = ["needle".to_owned()];
        for at in (0..40_000).step_by(37) {
            let mut text = "x".repeat(40_010);
            text.replace_range(at..at + 6, "NEEDLE");
            assert_eq!(all(&anchors, &text), [(0, at..at + 6)]);
        }
    }
}
