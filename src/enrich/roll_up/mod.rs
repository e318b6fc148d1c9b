//! Subtree totals: what happened below a span, added up as spans end.
//!
//! Owns: [`RollUp`], which carries each ended span's [`Totals`] to its nearest ancestor still open.
//! Promises: bounded memory, no recursion, sums that saturate and say so, nothing counted twice when model calls nest;
//! what can no longer reach an ancestor is kept in [`RollUpStats`], not lost silently.
//! Never: looks at records or clocks; it is told span ids and numbers.

mod load;
mod span_ids;

use std::collections::hash_map::Entry;
use std::collections::{HashMap, VecDeque};

use opentelemetry::SpanId;

pub use load::Role;
use load::{Load, Way};
use span_ids::SpanIds;

use super::Totals;
use super::totals::reports_tokens;

/// Carries totals upwards, from each span that ends to its nearest ancestor still open.
///
/// It is told of ends only: a span is taken to be open until [`RollUp::end`] names it. A child that ends after its parent
/// is carried past it, through a memory of spans that ended lately. Both memories are bounded; what falls out
/// is counted in [`RollUp::stats`].
///
/// ```
/// use opentelemetry::SpanId;
/// use tracing_genai::enrich::{Role, RollUp, Totals};
/// use tracing_genai::event::Usage;
///
/// let (agent, chat, tool) = (SpanId::from(1), SpanId::from(2), SpanId::from(3));
/// let mut roll_up = RollUp::new();
/// roll_up.end(chat, Some(agent), Role::ModelCall, Totals::model_call(Usage::new().input(100).output(20), None));
/// roll_up.end(tool, Some(agent), Role::Scope, Totals::tool_call(true));
/// let totals = roll_up.end(agent, None, Role::Scope, Totals::NONE);
/// assert_eq!((totals.calls, totals.tool_errors, totals.usage.input_tokens), (1, 1, Some(100)));
/// ```
#[derive(Debug)]
pub struct RollUp {
    /// What ended below a span that has not ended itself.
    below: HashMap<u64, Below, SpanIds>,
    /// Where the totals of spans that ended lately go.
    ended: HashMap<u64, Ended, SpanIds>,
    /// The spans in `ended`, oldest first.
    order: VecDeque<u64>,
    capacity: usize,
    clock: u64,
    stats: RollUpStats,
}

#[derive(Debug)]
struct Below {
    load: Load,
    touched: u64,
}

#[derive(Debug, Clone, Copy)]
struct Ended {
    parent: Option<u64>,
    way: Way,
}

/// What [`RollUp`] could not add where it belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct RollUpStats {
    /// Spans whose totals fell out of memory before they ended: the ones longest without news from below.
    pub evicted: u64,
    /// Spans that ended after every ancestor had.
    pub orphaned: u64,
    /// The totals of the spans under `evicted` and `orphaned`.
    pub lost: Totals,
    /// Additions that did not fit and stopped at the largest value.
    pub overflows: u64,
}

impl RollUpStats {
    fn lose(&mut self, load: &Load) {
        if !(self.lost.add(&load.inner) & self.lost.add(&load.apart)) {
            self.overflows = self.overflows.saturating_add(1);
        }
    }
}

impl RollUp {
    /// Spans kept in each of the two memories, by default: open spans with something below them, and spans that ended
    /// lately. At some 400 bytes a span, full memories take about 30 MB. Half would be enough for most; a burst of
    /// agents that fan out to ten thousands of tasks is what the rest is for.
    pub const DEFAULT_CAPACITY: usize = 65_536;

    /// Empty, with the default capacity.
    #[must_use]
    pub fn new() -> Self {
        Self::with_capacity(Self::DEFAULT_CAPACITY)
    }

    /// Empty, keeping `spans` spans in each memory; at least one. When full, the oldest are dropped and counted.
    #[must_use]
    pub fn with_capacity(spans: usize) -> Self {
        Self {
            below: HashMap::default(),
            ended: HashMap::default(),
            order: VecDeque::new(),
            capacity: spans.max(1),
            clock: 0,
            stats: RollUpStats::default(),
        }
    }

    /// A span ended: `own` is what it did itself, without what is below it ([`Totals::NONE`] for an agent or a step).
    /// Answers the totals of its subtree so far, and carries them to its parent.
    ///
    /// `parent` is the parent in this process; `None` for a root and for a span whose parent is remote.
    pub fn end(&mut self, span: SpanId, parent: Option<SpanId>, role: Role, own: Totals) -> Totals {
        self.end_reporting(span, parent, role, own, &Totals::NONE).0
    }

    /// The same for a span that reports totals of its own, `reported`, which stand in for what nothing below it told. Answers too what
    /// stood in: these, or for a model call without usage or cost what calls inside it told.
    pub(crate) fn end_reporting(
        &mut self,
        span: SpanId,
        parent: Option<SpanId>,
        role: Role,
        own: Totals,
        reported: &Totals,
    ) -> (Totals, Totals) {
        let mut taken = Totals::NONE;
        let mut load = self.remove(span);
        let (home, beyond) = self.nearest_open(key(parent));
        let mut reports = false;
        let fits = match role {
            Role::ModelCall => {
                let below = load.inner;
                load.inner = own.around(&below);
                if !reports_tokens(&own.usage) {
                    taken.usage = below.usage;
                }
                if own.cost.is_none() {
                    (taken.cost, taken.cost_complete) = (below.cost, load.inner.cost_complete);
                }
                reports = reports_tokens(&load.inner.usage);
                true
            }
            Role::Scope => {
                let (mut apart, fits) = load.whole();
                let fits = apart.add(&own) & fits;
                load = Load {
                    inner: Totals::NONE,
                    apart,
                };
                fits
            }
            Role::Plain => load.inner.add(&own),
        };
        if !reported.is_none() {
            let (below, _) = load.whole();
            let to = match role {
                Role::Scope => &mut load.apart,
                Role::ModelCall | Role::Plain => &mut load.inner,
            };
            if !reports_tokens(&below.usage) {
                to.usage = reported.usage;
                taken.usage = reported.usage;
            }
            if below.cost.is_none() {
                to.cost = reported.cost;
                taken.cost = reported.cost;
            }
        }
        let (whole, sum_fits) = load.whole();
        self.count_overflow(fits && sum_fits);
        if let Some(span) = key(Some(span)) {
            self.remember(
                span,
                Ended {
                    parent: home,
                    way: Way::past(role, reports).then(beyond),
                },
            );
        }
        self.carry(home, beyond, load, key(parent).is_some());
        (whole, taken)
    }

    /// Carries the totals of a child to `parent`, or to its nearest ancestor that has not ended. Part of [`RollUp::end`];
    /// for children that are not spans of their own.
    pub fn child_ended(&mut self, parent: Option<SpanId>, own: Totals) {
        let (home, way) = self.nearest_open(key(parent));
        let load = Load {
            inner: own,
            apart: Totals::NONE,
        };
        self.carry(home, way, load, key(parent).is_some());
    }

    /// Removes and answers what ended below `span` so far. Part of [`RollUp::end`].
    pub fn take(&mut self, span: SpanId) -> Totals {
        let (whole, fits) = self.remove(span).whole();
        self.count_overflow(fits);
        whole
    }

    /// What could not be added where it belongs, so far.
    #[must_use]
    pub fn stats(&self) -> RollUpStats {
        self.stats
    }

    /// Whether the model call `span` ended lately, and if so, whether its tokens are known.
    pub(crate) fn ended_call(&self, span: SpanId) -> Option<bool> {
        let ended = self.ended.get(&key(Some(span))?)?;
        Some(ended.way.tokens_counted)
    }

    fn remove(&mut self, span: SpanId) -> Load {
        key(Some(span))
            .and_then(|span| self.below.remove(&span))
            .map_or_else(Load::default, |below| below.load)
    }

    fn count_overflow(&mut self, fits: bool) {
        self.stats.overflows = self.stats.overflows.saturating_add(u64::from(!fits));
    }

    /// Adds `load` to what is below `home`, the way there being `way`. Without a home it is an orphan if it had a parent.
    fn carry(&mut self, home: Option<u64>, way: Way, load: Load, had_parent: bool) {
        let (load, fits) = load.past(way);
        self.count_overflow(fits);
        if load.is_none() {
            return;
        }
        let Some(home) = home else {
            if had_parent {
                self.stats.orphaned = self.stats.orphaned.saturating_add(1);
                self.stats.lose(&load);
            }
            return;
        };
        self.clock += 1;
        let touched = self.clock;
        if let Some(below) = self.below.get_mut(&home) {
            below.touched = touched;
            let fits = below.load.add(&load);
            self.count_overflow(fits);
            return;
        }
        if self.below.len() >= self.capacity {
            self.evict();
        }
        self.below.insert(home, Below { load, touched });
    }

    fn remember(&mut self, span: u64, ended: Ended) {
        match self.ended.entry(span) {
            Entry::Occupied(mut known) => {
                known.insert(ended);
                return;
            }
            Entry::Vacant(new) => new.insert(ended),
        };
        self.order.push_back(span);
        while self.ended.len() > self.capacity {
            let Some(oldest) = self.order.pop_front() else {
                break;
            };
            self.ended.remove(&oldest);
        }
    }

    /// The nearest of `span` and its ancestors that has not ended, and the way there.
    fn nearest_open(&mut self, span: Option<u64>) -> (Option<u64>, Way) {
        let mut home = span;
        let mut passed = Vec::new();
        while let Some(at) = home {
            let Some(ended) = self.ended.get(&at) else {
                break;
            };
            // Longer than all there is: ids that are each other's ancestors. Nobody is open there.
            if passed.len() >= self.ended.len() {
                home = None;
                break;
            }
            passed.push(at);
            home = ended.parent;
        }
        // Every span on the way learns the end of it, so the next walk is one step.
        let mut way = Way::default();
        for at in passed.into_iter().rev() {
            if let Some(ended) = self.ended.get_mut(&at) {
                way = ended.way.then(way);
                *ended = Ended { parent: home, way };
            }
        }
        (home, way)
    }

    /// Drops the sixteenth of the open spans that has been without news the longest. One at a time would mean
    /// looking for the oldest among all of them at every span.
    fn evict(&mut self) {
        let mut ages: Vec<u64> = self.below.values().map(|below| below.touched).collect();
        let last = (ages.len() / 16).min(ages.len().saturating_sub(1));
        let (_, youngest, _) = ages.select_nth_unstable(last);
        let youngest = *youngest;
        let stats = &mut self.stats;
        self.below.retain(|_, below| {
            let keep = below.touched > youngest;
            if !keep {
                stats.evicted = stats.evicted.saturating_add(1);
                stats.lose(&below.load);
            }
            keep
        });
    }
}

impl Default for RollUp {
    fn default() -> Self {
        Self::new()
    }
}

/// A span's id as a number; the invalid id is nobody's.
fn key(span: Option<SpanId>) -> Option<u64> {
    span.map(|span| u64::from_be_bytes(span.to_bytes()))
        .filter(|key| *key != 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::enrich::Usd;
    use crate::event::Usage;

    fn id(number: u64) -> SpanId {
        SpanId::from(number)
    }

    fn call(input: u64, pico: i128) -> Totals {
        Totals::model_call(
            Usage::new().input(input).output(1),
            Some(Usd::from_pico(pico)),
        )
    }

    #[test]
    fn totals_reach_the_root_through_every_level() {
        let mut roll_up = RollUp::new();
        for agent in [10, 20] {
            for chat in 1..=3 {
                roll_up.end(
                    id(agent + chat),
                    Some(id(agent)),
                    Role::ModelCall,
                    call(100, 5),
                );
            }
            let totals = roll_up.end(id(agent), Some(id(1)), Role::Scope, Totals::NONE);
            assert_eq!((totals.calls, totals.usage.input_tokens), (3, Some(300)));
        }
        let totals = roll_up.end(id(1), None, Role::Scope, Totals::NONE);
        assert_eq!(
            (
                totals.calls,
                totals.usage.input_tokens,
                totals.usage.output_tokens
            ),
            (6, Some(600), Some(6))
        );
        assert_eq!(
            (totals.cost, totals.cost_complete),
            (Some(Usd::from_pico(30)), true)
        );
        assert_eq!(roll_up.stats(), RollUpStats::default());
    }

    #[test]
    fn an_unknown_cost_leaves_the_sum_of_the_known_and_says_so() {
        let mut roll_up = RollUp::new();
        roll_up.end(id(2), Some(id(1)), Role::ModelCall, call(1, 5));
        roll_up.end(
            id(3),
            Some(id(1)),
            Role::ModelCall,
            Totals::model_call(Usage::new().input(1), None),
        );
        let totals = roll_up.end(id(1), None, Role::Scope, Totals::NONE);
        assert_eq!(
            (totals.cost, totals.cost_complete),
            (Some(Usd::from_pico(5)), false)
        );
        let idle = roll_up.end(id(9), None, Role::Scope, Totals::tool_call(false));
        assert_eq!((idle.cost, idle.cost_complete), (None, true));
    }

    #[test]
    fn a_model_call_inside_a_model_call_counts_once() {
        let mut roll_up = RollUp::new();
        roll_up.end(id(4), Some(id(3)), Role::ModelCall, call(100, 5));
        roll_up.end(id(3), Some(id(2)), Role::Plain, Totals::NONE);
        let outer = roll_up.end(id(2), Some(id(1)), Role::ModelCall, call(101, 6));
        assert_eq!(
            (outer.calls, outer.usage.input_tokens, outer.cost),
            (1, Some(101), Some(Usd::from_pico(6)))
        );
        assert_eq!(roll_up.end(id(1), None, Role::Scope, Totals::NONE), outer);
    }

    #[test]
    fn a_sub_agent_run_by_a_tool_inside_a_model_call_is_counted() {
        let mut roll_up = RollUp::new();
        roll_up.end(id(5), Some(id(4)), Role::ModelCall, call(10, 1));
        roll_up.end(id(4), Some(id(3)), Role::Scope, Totals::NONE);
        roll_up.end(id(3), Some(id(2)), Role::Scope, Totals::tool_call(false));
        let outer = roll_up.end(id(2), Some(id(1)), Role::ModelCall, call(100, 5));
        assert_eq!(
            (outer.calls, outer.tool_calls, outer.usage.input_tokens),
            (2, 1, Some(110))
        );
        assert_eq!(roll_up.end(id(1), None, Role::Scope, Totals::NONE), outer);
    }

    #[test]
    fn a_late_child_reaches_the_nearest_ancestor_still_open() {
        let mut roll_up = RollUp::new();
        for (span, parent) in [(3, 2), (2, 1)] {
            assert!(
                roll_up
                    .end(id(span), Some(id(parent)), Role::Scope, Totals::NONE)
                    .is_none()
            );
        }
        roll_up.end(id(4), Some(id(3)), Role::ModelCall, call(100, 5));
        assert_eq!(
            roll_up
                .end(id(1), None, Role::Scope, Totals::NONE)
                .usage
                .input_tokens,
            Some(100)
        );
        roll_up.end(id(5), Some(id(3)), Role::ModelCall, call(7, 1));
        assert_eq!(
            (
                roll_up.stats().orphaned,
                roll_up.stats().lost.usage.input_tokens
            ),
            (1, Some(7))
        );
    }

    #[test]
    fn a_late_inner_call_is_not_counted_beside_its_outer_one() {
        let mut roll_up = RollUp::new();
        roll_up.end(id(2), Some(id(1)), Role::ModelCall, call(100, 5));
        roll_up.end(id(3), Some(id(2)), Role::ModelCall, call(99, 4));
        roll_up.end(id(4), Some(id(2)), Role::Scope, Totals::tool_call(true));
        roll_up.end(
            id(6),
            Some(id(1)),
            Role::ModelCall,
            Totals::model_call(Usage::new(), None),
        );
        roll_up.end(id(7), Some(id(6)), Role::ModelCall, call(1_000, 50));
        let totals = roll_up.end(id(1), None, Role::Scope, Totals::NONE);
        assert_eq!(
            (totals.calls, totals.usage.input_tokens, totals.tool_errors),
            (2, Some(1_100), 1)
        );
    }

    #[test]
    fn a_late_sub_agent_of_an_ended_model_call_is_counted() {
        let mut roll_up = RollUp::new();
        roll_up.end(id(2), Some(id(1)), Role::ModelCall, call(100, 5));
        roll_up.end(id(3), Some(id(2)), Role::Scope, Totals::tool_call(false));
        roll_up.end(id(4), Some(id(3)), Role::ModelCall, call(10, 1));
        let totals = roll_up.end(id(1), None, Role::Scope, Totals::NONE);
        assert_eq!(
            (totals.calls, totals.usage.input_tokens, totals.tool_calls),
            (2, Some(110), 1)
        );
    }

    #[test]
    fn ten_thousand_levels_work_in_either_order() {
        const DEPTH: u64 = 10_000;
        let mut upwards = RollUp::new();
        for span in (2..=DEPTH).rev() {
            upwards.end(id(span), Some(id(span - 1)), Role::Scope, call(1, 1));
        }
        assert_eq!(
            upwards.end(id(1), None, Role::Scope, Totals::NONE).calls,
            DEPTH - 1
        );
        for _ in 0..DEPTH {
            upwards.child_ended(Some(id(DEPTH)), call(1, 1));
        }
        assert_eq!(upwards.stats().orphaned, DEPTH);

        let mut downwards = RollUp::new();
        for span in 2..=DEPTH {
            downwards.end(id(span), Some(id(span - 1)), Role::Scope, call(1, 1));
        }
        assert_eq!(
            downwards.end(id(1), None, Role::Scope, Totals::NONE).calls,
            DEPTH - 1
        );
    }

    #[test]
    fn ids_that_are_each_others_ancestors_end_the_walk() {
        let mut roll_up = RollUp::new();
        roll_up.end(id(1), Some(id(2)), Role::Plain, Totals::NONE);
        roll_up.end(id(2), Some(id(1)), Role::Plain, Totals::NONE);
        roll_up.end(id(3), Some(id(3)), Role::Plain, Totals::NONE);
        roll_up.child_ended(Some(id(1)), call(1, 1));
        roll_up.child_ended(Some(id(3)), call(1, 1));
        assert_eq!(
            roll_up.stats().lost.calls + roll_up.take(id(1)).calls + roll_up.take(id(2)).calls,
            2
        );
    }

    #[test]
    fn memory_is_bounded_and_what_falls_out_is_counted() {
        let mut roll_up = RollUp::with_capacity(100);
        for span in 1..=1_000_u64 {
            roll_up.child_ended(Some(id(span)), call(1, 1));
            // A root that hears from its children stays, however old it is.
            roll_up.child_ended(Some(id(1)), call(1, 1));
            roll_up.end(
                id(1_000_000 + span),
                Some(id(span)),
                Role::Plain,
                Totals::NONE,
            );
            assert!(
                roll_up.below.len() <= 100
                    && roll_up.ended.len() <= 100
                    && roll_up.order.len() <= 100
            );
        }
        let kept: u64 = (1..=1_000).map(|span| roll_up.take(id(span)).calls).sum();
        assert!(roll_up.stats().evicted >= 900);
        assert_eq!(kept + roll_up.stats().lost.calls, 2_000);
    }

    #[test]
    fn sums_that_do_not_fit_stop_at_the_largest_value_and_are_counted() {
        let mut roll_up = RollUp::new();
        for span in [2, 3] {
            let huge = Totals::model_call(Usage::new().input(u64::MAX), Some(Usd::MAX));
            roll_up.end(id(span), Some(id(1)), Role::ModelCall, huge);
        }
        let totals = roll_up.end(id(1), None, Role::Scope, Totals::NONE);
        assert_eq!(
            (totals.usage.input_tokens, totals.cost),
            (Some(u64::MAX), Some(Usd::MAX))
        );
        assert!(!totals.cost_complete && roll_up.stats().overflows > 0);
    }

    #[test]
    fn an_invalid_parent_is_no_parent() {
        let mut roll_up = RollUp::new();
        roll_up.end(id(1), Some(SpanId::INVALID), Role::ModelCall, call(1, 1));
        assert_eq!(
            (roll_up.stats(), roll_up.below.len()),
            (RollUpStats::default(), 0)
        );
    }
}
