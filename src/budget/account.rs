//! What one run, session or user has spent.
//!
//! Promise: sums saturate; a warning and an alert are told once until a reset; waiters are woken without a lock.

use std::borrow::Cow;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio_util::sync::CancellationToken;

use crate::console::escape;
use crate::enrich::{Totals, Usd};

/// What is limited.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Limits {
    pub(super) tokens: Option<u64>,
    pub(super) cost: Option<Usd>,
    pub(super) warn_at: f64,
}

impl Limits {
    /// The limit that `fraction` of is spent, tokens first.
    fn reached(&self, spent: &Spent, fraction: f64) -> Option<Limit> {
        let share = |limit: f64| limit * fraction;
        let tokens = self.tokens.filter(|limit| {
            // Whole limits are compared as they are: floats would round the large ones.
            if fraction < 1.0 {
                spent.tokens() as f64 >= share(*limit as f64)
            } else {
                spent.tokens() >= *limit
            }
        });
        let cost = self.cost.filter(|limit| {
            if fraction < 1.0 {
                spent.cost.as_f64() >= share(limit.as_f64())
            } else {
                spent.cost >= *limit
            }
        });
        match (tokens, cost) {
            (Some(limit), _) => Some(Limit::Tokens(limit)),
            (None, Some(limit)) => Some(Limit::Cost(limit)),
            (None, None) => None,
        }
    }
}

/// A limit that was reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Limit {
    /// So many tokens.
    Tokens(u64),
    /// So many dollars.
    Cost(Usd),
}

impl Limit {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Tokens(_) => "tokens",
            Self::Cost(_) => "cost",
        }
    }
}

/// What was spent so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Spent {
    /// Model calls that ended.
    pub calls: u64,
    /// Tokens they read, cache included.
    pub input_tokens: u64,
    /// Tokens they wrote, reasoning included.
    pub output_tokens: u64,
    /// The known costs together; a lower bound if there are `unpriced_calls`.
    pub cost: Usd,
    /// Calls whose cost, or a part of it, is not known.
    pub unpriced_calls: u64,
    /// Calls that did not tell their usage. If there are any, the tokens are a lower bound.
    pub unmetered_calls: u64,
}

impl Spent {
    /// Input and output together.
    pub fn tokens(&self) -> u64 {
        self.input_tokens.saturating_add(self.output_tokens)
    }

    /// The known costs in US dollars.
    pub fn cost_usd(&self) -> f64 {
        self.cost.as_f64()
    }

    /// Whether cost and usage of every call are known.
    pub fn is_exact(&self) -> bool {
        self.unpriced_calls == 0 && self.unmetered_calls == 0
    }

    fn add(&mut self, more: &Totals) {
        let plus = |sum: &mut u64, more: u64| *sum = sum.saturating_add(more);
        plus(&mut self.calls, more.calls);
        plus(&mut self.input_tokens, more.usage.input_tokens.unwrap_or(0));
        plus(
            &mut self.output_tokens,
            more.usage.output_tokens.unwrap_or(0),
        );
        self.cost = self.cost.saturating_add(more.cost.unwrap_or(Usd::ZERO));
        let metered = more.usage.input_tokens.is_some() || more.usage.output_tokens.is_some();
        // What comes after its call was counted, from a call inside it, makes known what was not.
        let settle = |sum: &mut u64, known: bool| match (more.calls, known) {
            (0, true) => *sum = sum.saturating_sub(1),
            (0, false) | (_, true) => {}
            (_, false) => *sum = sum.saturating_add(1),
        };
        settle(&mut self.unmetered_calls, metered);
        settle(
            &mut self.unpriced_calls,
            more.cost.is_some() && more.cost_complete,
        );
    }
}

impl fmt::Display for Spent {
    /// `1,540 tokens and $0.0042 in 3 calls (1 of unknown cost)`, without the commas.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let s = if self.calls == 1 { "" } else { "s" };
        let (tokens, cost, calls) = (self.tokens(), self.cost, self.calls);
        write!(f, "{tokens} tokens and {cost} in {calls} call{s}")?;
        match (self.unpriced_calls, self.unmetered_calls) {
            (0, 0) => Ok(()),
            (cost, 0) => write!(f, " ({cost} of unknown cost)"),
            (cost, usage) => write!(f, " ({cost} of unknown cost, {usage} of unknown usage)"),
        }
    }
}

/// A budget that is spent. An error, for a run to end with.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the budget `{}` is spent: {spent}", escape(.budget))]
#[non_exhaustive]
pub struct Exceeded {
    /// What the budget is called.
    pub budget: Cow<'static, str>,
    /// The limit that was reached first.
    pub limit: Limit,
    /// What is spent by now.
    pub spent: Spent,
}

/// What a call led to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum News {
    Warned(Limit),
    Exceeded(Limit),
}

/// One account.
#[derive(Debug)]
pub(super) struct Account {
    pub(super) name: Cow<'static, str>,
    pub(super) scope: Cow<'static, str>,
    pub(super) key: Arc<str>,
    pub(super) limits: Limits,
    /// It is the builder's, and stays.
    pub(super) stays: bool,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    spent: Spent,
    warned: bool,
    over: Option<Limit>,
    token: CancellationToken,
}

impl Account {
    pub(super) fn new(
        name: Cow<'static, str>,
        scope: Cow<'static, str>,
        key: Arc<str>,
        limits: Limits,
        stays: bool,
    ) -> Self {
        Self {
            name,
            scope,
            key,
            limits,
            stays,
            state: Mutex::default(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds what was spent, and says what that led to, which is told by [`wake`](Self::wake).
    pub(super) fn add(&self, more: &Totals) -> Option<(News, Spent)> {
        let mut state = self.lock();
        state.spent.add(more);
        let spent = state.spent;
        if state.over.is_some() {
            return None;
        }
        if let Some(limit) = self.limits.reached(&spent, 1.0) {
            // Who is over needs no warning any more.
            (state.warned, state.over) = (true, Some(limit));
            return Some((News::Exceeded(limit), spent));
        }
        if state.warned {
            return None;
        }
        let near = self.limits.reached(&spent, self.limits.warn_at)?;
        state.warned = true;
        Some((News::Warned(near), spent))
    }

    /// Cancels the token of an account that is over. Wakes foreign code, so nobody's lock may be held.
    pub(super) fn wake(&self) {
        let token = {
            let state = self.lock();
            state.over.map(|_| state.token.clone())
        };
        if let Some(token) = token {
            token.cancel();
        }
    }

    pub(super) fn spent(&self) -> Spent {
        self.lock().spent
    }

    pub(super) fn exceeded(&self) -> Option<Exceeded> {
        let state = self.lock();
        state.over.map(|limit| Exceeded {
            budget: self.name.clone(),
            limit,
            spent: state.spent,
        })
    }

    pub(super) fn token(&self) -> CancellationToken {
        self.lock().token.clone()
    }

    /// Starts over. A token that was not cancelled goes on being watched by those who have it.
    pub(super) fn reset(&self) {
        let mut state = self.lock();
        (state.spent, state.warned) = (Spent::default(), false);
        if state.over.take().is_some() {
            state.token = CancellationToken::new();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Usage;

    fn call(tokens: u64, pico: Option<i128>) -> Totals {
        Totals::model_call(
            Usage::new().input(tokens).output(0),
            pico.map(Usd::from_pico),
        )
    }

    fn account(tokens: Option<u64>, cost: Option<i128>) -> Account {
        let limits = Limits {
            tokens,
            cost: cost.map(Usd::from_pico),
            warn_at: 0.8,
        };
        Account::new("b".into(), "session".into(), "s1".into(), limits, false)
    }

    fn news(account: &Account, more: &Totals) -> Option<News> {
        account.add(more).map(|(news, _)| news)
    }

    #[test]
    fn a_warning_and_an_alert_are_told_once_at_their_very_limits() {
        let account = account(Some(10), None);
        assert_eq!(news(&account, &call(7, None)), None);
        let warned = Some(News::Warned(Limit::Tokens(10)));
        assert_eq!(news(&account, &call(1, None)), warned);
        assert_eq!(news(&account, &call(1, None)), None);
        assert!(account.exceeded().is_none());
        let over = Some(News::Exceeded(Limit::Tokens(10)));
        assert_eq!(news(&account, &call(1, None)), over);
        assert_eq!(news(&account, &call(100, None)), None);
        assert_eq!(account.exceeded().unwrap().spent.tokens(), 110);
    }

    #[test]
    fn one_call_past_both_marks_is_an_alert_alone_and_a_huge_one_saturates() {
        let account = account(None, Some(5));
        let over = Some(News::Exceeded(Limit::Cost(Usd::from_pico(5))));
        assert_eq!(news(&account, &call(u64::MAX, Some(i128::MAX))), over);
        assert_eq!(news(&account, &call(u64::MAX, Some(i128::MAX))), None);
        assert_eq!(account.spent().cost, Usd::MAX);
        assert_eq!(account.spent().tokens(), u64::MAX);
    }

    #[test]
    fn what_is_told_later_makes_an_unknown_call_known() {
        let mut spent = Spent::default();
        spent.add(&Totals::model_call(Usage::new(), None));
        assert_eq!((spent.unmetered_calls, spent.unpriced_calls), (1, 1));
        assert!(!spent.is_exact());
        spent.add(&Totals {
            calls: 0,
            ..call(7, Some(3))
        });
        assert_eq!((spent.calls, spent.tokens()), (1, 7));
        assert!(spent.is_exact());
    }

    #[test]
    fn a_reset_keeps_the_token_that_somebody_holds_and_replaces_one_that_was_used_up() {
        let account = account(Some(10), None);
        let held = account.token();
        account.reset();
        account.add(&call(10, None));
        account.wake();
        assert!(held.is_cancelled());
        account.reset();
        assert!(!account.token().is_cancelled());
        assert_eq!(account.spent(), Spent::default());
    }
}
