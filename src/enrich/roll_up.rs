//! Subtree totals: what happened below a span, added up as spans end.
//!
//! Owns: [`Totals`] and [`RollUp`], which carries each ended span's totals to its nearest ancestor still open.
//! Promises: bounded memory, no recursion, sums that saturate and say so, nothing counted twice when model calls nest;
//! what can no longer reach an ancestor is kept in [`RollUpStats`], not lost silently.
//! Never: looks at records or clocks; it is told span ids and numbers.

use std::collections::{HashMap, VecDeque};

use opentelemetry::SpanId;

use super::Usd;
use crate::event::Usage;

/// What happened in a span and below it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Totals {
    /// Model calls; a call inside a call of the same kind is part of the outer one.
    pub calls: u64,
    /// Tool calls.
    pub tool_calls: u64,
    /// Tool calls that failed; a part of `tool_calls`.
    pub tool_errors: u64,
    /// Tokens of the model calls. A count is `None` if no call reported it.
    pub usage: Usage,
    /// The known costs together. `None` if none is known.
    pub cost: Option<Usd>,
    /// Whether the cost of every call is known. If not, `cost` is a lower bound.
    pub cost_complete: bool,
}

impl Totals {
    /// Nothing happened, and that is known.
    pub const NONE: Self = Self {
        calls: 0,
        tool_calls: 0,
        tool_errors: 0,
        usage: Usage::new(),
        cost: None,
        cost_complete: true,
    };

    /// One model call.
    #[must_use]
    pub const fn model_call(usage: Usage, cost: Option<Usd>) -> Self {
        Self {
            calls: 1,
            usage,
            cost,
            cost_complete: cost.is_some(),
            ..Self::NONE
        }
    }

    /// One tool call.
    #[must_use]
    pub const fn tool_call(failed: bool) -> Self {
        Self {
            tool_calls: 1,
            tool_errors: failed as u64,
            ..Self::NONE
        }
    }

    /// Whether there is nothing to add.
    #[must_use]
    pub fn is_none(&self) -> bool {
        *self == Self::NONE
    }

    /// Adds `other`. Answers `false` if a sum did not fit and stopped at its largest value; a cost that stopped there
    /// is marked incomplete.
    pub fn add(&mut self, other: &Self) -> bool {
        let mut fits = true;
        let mut count = |sum: &mut u64, more: u64| match sum.checked_add(more) {
            Some(total) => *sum = total,
            None => (*sum, fits) = (u64::MAX, false),
        };
        count(&mut self.calls, other.calls);
        count(&mut self.tool_calls, other.tool_calls);
        count(&mut self.tool_errors, other.tool_errors);
        let (usage, more) = (&mut self.usage, &other.usage);
        for (sum, more) in [
            (&mut usage.input_tokens, more.input_tokens),
            (&mut usage.output_tokens, more.output_tokens),
            (&mut usage.cache_read_tokens, more.cache_read_tokens),
            (&mut usage.cache_write_tokens, more.cache_write_tokens),
            (&mut usage.reasoning_tokens, more.reasoning_tokens),
        ] {
            if let Some(more) = more {
                count(sum.get_or_insert(0), more);
            }
        }
        self.cost_complete &= other.cost_complete;
        if let Some(more) = other.cost {
            let sum = self.cost.unwrap_or(Usd::ZERO);
            match sum.checked_add(more) {
                Some(total) => self.cost = Some(total),
                None => {
                    self.cost = Some(sum.saturating_add(more));
                    self.cost_complete = false;
                    fits = false;
                }
            }
        }
        fits
    }

    /// A model call that had model calls of the same kind inside it: a wrapper around a provider's client, or an
    /// attempt inside a call with retries. The outer one counts, once.
    ///
    /// `self` is the outer call alone, `inner` what happened below it. The inner tokens stand in only if the outer
    /// call reported none, the inner cost only if the outer one has none. Tools below are added as ever.
    #[must_use]
    pub fn around(self, inner: &Self) -> Self {
        let mut whole = self;
        if !reports_tokens(&self.usage) {
            whole.usage = inner.usage;
        }
        if whole.cost.is_none() {
            (whole.cost, whole.cost_complete) =
                (inner.cost, inner.cost.is_some() && inner.cost_complete);
        }
        let tools = Self {
            tool_calls: inner.tool_calls,
            tool_errors: inner.tool_errors,
            ..Self::NONE
        };
        whole.add(&tools);
        whole
    }
}

impl Default for Totals {
    fn default() -> Self {
        Self::NONE
    }
}

fn reports_tokens(usage: &Usage) -> bool {
    usage.input_tokens.is_some() || usage.output_tokens.is_some()
}

/// What an ended span is to the model calls around and inside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Role {
    /// A model call. Those inside it are part of it, see [`Totals::around`].
    ModelCall,
    /// An agent, a tool, a workflow: model calls inside it are its own doing, whatever it was called from.
    Scope,
    /// Anything else, such as a step or an HTTP request: model calls inside it belong to what is around it.
    Plain,
}

/// What ended below a span: `inner` would be part of a model call around it, `apart` would not.
#[derive(Debug, Clone, Copy, Default)]
struct Load {
    inner: Totals,
    apart: Totals,
}

impl Load {
    fn is_none(&self) -> bool {
        self.inner.is_none() && self.apart.is_none()
    }

    fn add(&mut self, other: &Self) -> bool {
        // Both, whatever the first says.
        self.inner.add(&other.inner) & self.apart.add(&other.apart)
    }

    fn whole(&self) -> (Totals, bool) {
        let mut whole = self.inner;
        let fits = whole.add(&self.apart);
        (whole, fits)
    }

    /// What is left of a load that ended late, after it went `way`.
    fn past(mut self, way: Way) -> (Self, bool) {
        if way.calls_counted {
            self.inner.calls = 0;
        }
        if way.tokens_counted {
            let tools = (self.inner.tool_calls, self.inner.tool_errors);
            self.inner = Totals {
                tool_calls: tools.0,
                tool_errors: tools.1,
                ..Totals::NONE
            };
        }
        if !way.apart {
            return (self, true);
        }
        let (apart, fits) = self.whole();
        (
            Self {
                inner: Totals::NONE,
                apart,
            },
            fits,
        )
    }
}

/// What happens to the `inner` part of a load that passes ended spans.
#[derive(Debug, Clone, Copy, Default)]
struct Way {
    /// A model call was passed, so the calls are part of one that has been counted.
    calls_counted: bool,
    /// A model call with tokens of its own was passed, so tokens and cost have been counted too.
    tokens_counted: bool,
    /// A scope was passed, and what is left is its own doing.
    apart: bool,
}

impl Way {
    /// Past the span that an ended `role` leaves behind.
    fn past(role: Role, reports_tokens: bool) -> Self {
        let model_call = role == Role::ModelCall;
        Self {
            calls_counted: model_call,
            tokens_counted: model_call && reports_tokens,
            apart: role == Role::Scope,
        }
    }

    /// This way, then that one further up. Past a scope nothing is `inner` any more, so nothing else happens to it.
    fn then(self, further: Self) -> Self {
        if self.apart {
            return self;
        }
        Self {
            calls_counted: self.calls_counted || further.calls_counted,
            tokens_counted: self.tokens_counted || further.tokens_counted,
            apart: further.apart,
        }
    }
}

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
    below: HashMap<SpanId, Below>,
    /// Where the totals of spans that ended lately go.
    ended: HashMap<SpanId, Ended>,
    /// The spans in `ended`, oldest first.
    order: VecDeque<SpanId>,
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
    parent: Option<SpanId>,
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
            below: HashMap::new(),
            ended: HashMap::new(),
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
        let mut load = self.remove(span);
        let mut reports = false;
        let fits = match role {
            Role::ModelCall => {
                load.inner = own.around(&load.inner);
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
        let (whole, sum_fits) = load.whole();
        self.count_overflow(fits && sum_fits);
        self.remember(span, parent, Way::past(role, reports));
        self.carry(parent, load);
        whole
    }

    /// Carries the totals of a child to `parent`, or to its nearest ancestor that has not ended. Part of [`RollUp::end`];
    /// for children that are not spans of their own.
    pub fn child_ended(&mut self, parent: Option<SpanId>, own: Totals) {
        self.carry(
            parent,
            Load {
                inner: own,
                apart: Totals::NONE,
            },
        );
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

    fn remove(&mut self, span: SpanId) -> Load {
        self.below
            .remove(&span)
            .map_or_else(Load::default, |below| below.load)
    }

    fn count_overflow(&mut self, fits: bool) {
        self.stats.overflows = self.stats.overflows.saturating_add(u64::from(!fits));
    }

    fn carry(&mut self, parent: Option<SpanId>, load: Load) {
        let (home, way) = self.nearest_open(parent);
        let (load, fits) = load.past(way);
        self.count_overflow(fits);
        if load.is_none() {
            return;
        }
        let Some(home) = home else {
            // A root has nobody to tell; only what was on its way to somebody is an orphan.
            if valid(parent).is_some() {
                self.stats.orphaned = self.stats.orphaned.saturating_add(1);
                self.stats.lose(&load);
            }
            return;
        };
        if !self.below.contains_key(&home) && self.below.len() >= self.capacity {
            self.evict();
        }
        self.clock += 1;
        let touched = self.clock;
        let below = self.below.entry(home).or_insert(Below {
            load: Load::default(),
            touched,
        });
        below.touched = touched;
        let fits = below.load.add(&load);
        self.count_overflow(fits);
    }

    fn remember(&mut self, span: SpanId, parent: Option<SpanId>, way: Way) {
        // Past a parent that has ended already the way is known: chains never grow while they are built top down.
        let (parent, further) = self.nearest_open(parent);
        if !self.ended.contains_key(&span) {
            while self.ended.len() >= self.capacity {
                let Some(oldest) = self.order.pop_front() else {
                    break;
                };
                self.ended.remove(&oldest);
            }
            self.order.push_back(span);
        }
        self.ended.insert(
            span,
            Ended {
                parent,
                way: way.then(further),
            },
        );
    }

    /// The nearest of `span` and its ancestors that has not ended, and the way there.
    fn nearest_open(&mut self, span: Option<SpanId>) -> (Option<SpanId>, Way) {
        let mut home = valid(span);
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

fn valid(span: Option<SpanId>) -> Option<SpanId> {
    span.filter(|span| *span != SpanId::INVALID)
}

#[cfg(test)]
mod tests {
    use super::*;

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
    fn inner_tokens_and_cost_fill_in_for_an_outer_call_without() {
        let inner = call(100, 5);
        let bare = Totals::model_call(Usage::new(), None);
        let whole = bare.around(&inner);
        assert_eq!(
            (whole.calls, whole.usage, whole.cost, whole.cost_complete),
            (1, inner.usage, inner.cost, true)
        );
        let unpriced = Totals::model_call(Usage::new().input(7), None).around(&inner);
        assert_eq!(
            (unpriced.usage.input_tokens, unpriced.cost),
            (Some(7), inner.cost)
        );
        assert!(!bare.around(&Totals::NONE).cost_complete);
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
