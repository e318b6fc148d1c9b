//! Calls, tokens, cost and tool errors of a span and what is below it, and how they add up.
//!
//! Owns: [`Totals`]. Promises: a sum that does not fit stops at its largest value and says so; a cost that is not
//! known makes the sum a lower bound, never smaller than it looks.
//! Never: knows about spans; [`RollUp`](super::RollUp) does.

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

/// Whether a model call said how many tokens it used.
pub(crate) fn reports_tokens(usage: &Usage) -> bool {
    usage.input_tokens.is_some() || usage.output_tokens.is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inner_tokens_and_cost_fill_in_for_an_outer_call_without() {
        let inner = Totals::model_call(Usage::new().input(100).output(1), Some(Usd::from_pico(5)));
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
    fn a_count_that_nobody_reported_stays_absent() {
        let mut sum = Totals::model_call(Usage::new().input(1), None);
        assert!(sum.add(&Totals::model_call(
            Usage::new().input(2).cache_read(0),
            None
        )));
        assert_eq!(sum.usage, Usage::new().input(3).cache_read(0));
        assert_eq!((sum.calls, sum.cost, sum.cost_complete), (2, None, false));
    }
}
