//! What a budget tells: the two events, typed.

use super::account::{Account, Limit, News, Spent};
use crate::enrich::Usd;
use crate::event::{Attrs, CustomEvent as _, Level};

crate::event_types! {
    /// A budget is nearly spent: `budget.warned`, once. It happens in the span of the call that led to it.
    ///
    /// ```
    /// use tracing_genai::{Telemetry, budget::BudgetWarned};
    ///
    /// let telemetry = Telemetry::builder("planner").build()?;
    /// telemetry.bus().on::<BudgetWarned>(|near| eprintln!("{} is nearly spent: {} tokens", near.budget, near.tokens));
    /// # Ok::<(), tracing_genai::ConfigError>(())
    /// ```
    #[non_exhaustive]
    pub struct BudgetWarned: "budget.warned" in LLM at Warn {
        /// What the budget is called.
        pub budget: String as "budget.name",
        /// Whose spending it limits: `total`, `run`, or the attribute (`session.id`).
        pub scope: String as "budget.scope",
        /// The id of the run, session or user; absent for `total`.
        pub key: Option<String> as "budget.key",
        /// Which limit it is about: `tokens` or `cost`.
        pub limit: String as "budget.limit",
        /// Tokens spent.
        pub tokens: u64 as "budget.tokens.spent",
        /// Tokens allowed.
        pub tokens_limit: Option<u64> as "budget.tokens.limit",
        /// US dollars spent; a lower bound if there are unpriced calls.
        pub cost_usd: f64 as "budget.cost_usd.spent",
        /// US dollars allowed.
        pub cost_usd_limit: Option<f64> as "budget.cost_usd.limit",
        /// Model calls.
        pub calls: u64 as "budget.calls",
        /// Model calls of unknown cost.
        pub unpriced_calls: u64 as "budget.unpriced_calls",
    }

    /// A budget is spent: `budget.exceeded`, once, at level `ALERT`. It happens in the span of the call that led to it.
    #[non_exhaustive]
    pub struct BudgetExceeded: "budget.exceeded" in LLM at Alert {
        /// What the budget is called.
        pub budget: String as "budget.name",
        /// Whose spending it limits: `total`, `run`, or the attribute (`session.id`).
        pub scope: String as "budget.scope",
        /// The id of the run, session or user; absent for `total`.
        pub key: Option<String> as "budget.key",
        /// Which limit it is about: `tokens` or `cost`.
        pub limit: String as "budget.limit",
        /// Tokens spent.
        pub tokens: u64 as "budget.tokens.spent",
        /// Tokens allowed.
        pub tokens_limit: Option<u64> as "budget.tokens.limit",
        /// US dollars spent; a lower bound if there are unpriced calls.
        pub cost_usd: f64 as "budget.cost_usd.spent",
        /// US dollars allowed.
        pub cost_usd_limit: Option<f64> as "budget.cost_usd.limit",
        /// Model calls.
        pub calls: u64 as "budget.calls",
        /// Model calls of unknown cost.
        pub unpriced_calls: u64 as "budget.unpriced_calls",
    }
}

/// What is told: type, channel, level and attributes.
#[derive(Debug)]
pub(super) struct Told {
    pub(super) ty: &'static str,
    pub(super) channel: Option<&'static str>,
    pub(super) level: Option<Level>,
    pub(super) attrs: Attrs,
}

impl Told {
    pub(super) fn new(account: &Account, news: News, spent: Spent) -> Self {
        macro_rules! told {
            ($event:ident, $limit:expr) => {{
                let limit: Limit = $limit;
                let event = $event {
                    budget: account.name.clone().into_owned(),
                    scope: account.scope.clone().into_owned(),
                    key: (!account.key.is_empty()).then(|| account.key.to_string()),
                    limit: limit.word().to_owned(),
                    tokens: spent.tokens(),
                    tokens_limit: account.limits.tokens,
                    cost_usd: spent.cost_usd(),
                    cost_usd_limit: account.limits.cost.map(Usd::as_f64),
                    calls: spent.calls,
                    unpriced_calls: spent.unpriced_calls,
                };
                Self {
                    ty: <$event as crate::event::CustomEvent>::TYPE,
                    channel: $event::CHANNEL,
                    level: $event::LEVEL,
                    attrs: event.into_attrs(),
                }
            }};
        }
        match news {
            News::Warned(limit) => told!(BudgetWarned, limit),
            News::Exceeded(limit) => told!(BudgetExceeded, limit),
        }
    }
}
