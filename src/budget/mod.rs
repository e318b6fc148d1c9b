//! Limits on tokens and dollars, watched while the money is being spent.
//!
//! A [`Budget`] says what a run, a session, a user (or whatever an attribute names) may spend. Each model call that ends is
//! added to it with the tokens and the cost that its span has. At a fraction of the limit the event `budget.warned` is told, at
//! the limit `budget.exceeded` (level `ALERT`), and the [`Watch`] wakes who awaits it. What happens then is the application's
//! business: nothing is ever stopped for it.
//!
//! ```
//! use tracing_genai::budget::Budget;
//! use tracing_genai::{Telemetry, scope};
//!
//! # async fn run_agent() -> Result<String, Box<dyn std::error::Error>> { Ok("done".into()) }
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let telemetry = Telemetry::builder("trip-planner").build()?;
//! let watch = telemetry.budgets().watch(Budget::session("s1").tokens(50_000).cost_usd(0.25))?;
//! let run = scope([("session.id", "s1")]).run(run_agent());
//! tokio::select! {
//!     answer = run => println!("{}", answer?),
//!     Ok(over) = watch.exceeded() => println!("stopped: {over}"),
//! }
//! # Ok(()) }
//! ```
//!
//! # What is counted
//!
//! * Every model call that ends, whoever recorded it, sampled or not, completed, failed or canceled, with what its span tells:
//!   input and output tokens (cache and reasoning included), and the cost the provider or the price table gives. A call that
//!   was blocked before it was sent is none.
//! * Each call once: a call inside a call of the same kind (a client inside a wrapper, an attempt inside a retry) is part of the
//!   outer one, and counts when that one ends. Its tokens and cost stand in where the outer call has none.
//! * A call whose cost or usage is not known is not free: [`Spent::unpriced_calls`] and [`Spent::unmetered_calls`] say how many
//!   there are, and the sums are lower bounds then.
//!
//! # When
//!
//! On the telemetry thread, some 5 ms after the call ended. Each event is told once, until a reset; a call that goes past both
//! marks at once is told as `budget.exceeded` alone. Calls in flight when a limit is reached are paid for too, so what
//! is spent in the end is the limit and what the calls under way cost. A limit is reached, not passed: at 50,000 of 50,000 tokens
//! nothing is left.
//!
//! # Guarantee
//!
//! Counting happens before any outlet and any subscription, in the one place every record passes: no slow reader and no failing
//! exporter can make it miss a call. What the queue in front of it dropped (`capture.dropped` in
//! [`Telemetry::stats`](crate::Telemetry::stats)) or a level filter hid is not counted.
//!
//! # Windows
//!
//! Spending adds up until [`Watch::reset`] or [`Budgets::reset`] starts over: a daily quota is a reset at midnight. The totals
//! live in this process, and begin at zero with it.
//!
//! # After a shutdown
//!
//! Nothing is counted any more: [`Watch::exceeded`] ends with [`BudgetClosed`] for all who await it, now and later, and
//! [`Watch::token`] stays as it is. The same where telemetry is disabled (`OTEL_SDK_DISABLED`).

mod account;
mod events;
mod ledger;
mod meter;
mod watch;

use std::borrow::Cow;
use std::sync::Arc;

pub use account::{Exceeded, Limit, Spent};
pub use events::{BudgetExceeded, BudgetWarned};
pub use ledger::BudgetStats;
pub(crate) use ledger::Ledger;
pub(crate) use meter::Meter;
pub use watch::{BudgetClosed, Budgets, Watch};

use account::Limits;
use ledger::Scope;
use opentelemetry::TraceId;

use crate::console::escape;
use crate::enrich::Usd;
use crate::semconv;

/// What somebody may spend. Without a limit of tokens or of cost it limits nothing, and is refused.
#[derive(Debug, Clone, PartialEq)]
#[must_use = "it takes effect when it is watched, or given to the builder"]
pub struct Budget {
    scope: Scope,
    /// Whose it is; `None` is each one's.
    key: Option<Arc<str>>,
    name: Option<Cow<'static, str>>,
    tokens: Option<u64>,
    cost: Option<f64>,
    warn_at: f64,
    keep: usize,
}

impl Budget {
    /// The fraction at which a warning is told.
    pub const DEFAULT_WARN_AT: f64 = 0.8;

    /// Runs, sessions or users that are remembered for each of the budgets that are everyone's. Ten thousand is a busy server's
    /// day; at half, a user who comes back in the evening may have been forgotten, double is memory for what rarely happens.
    pub const DEFAULT_KEEP: usize = 10_000;

    fn new(scope: Scope, key: Option<String>) -> Self {
        Self {
            scope,
            key: key.map(Arc::from),
            name: None,
            tokens: None,
            cost: None,
            warn_at: Self::DEFAULT_WARN_AT,
            keep: Self::DEFAULT_KEEP,
        }
    }

    /// A budget of all model calls of this installation together.
    pub fn total() -> Self {
        Self::new(Scope::Total, Some(String::new()))
    }

    /// A budget of one run: of a trace, which is what an agent's run is. Its id is found at
    /// [`ActiveSpan::span_context`](crate::ActiveSpan::span_context).
    pub fn run(trace: TraceId) -> Self {
        Self::new(Scope::Run, Some(trace.to_string()))
    }

    /// A budget of one session: of the calls with this `session.id`, their own or inherited.
    pub fn session(id: impl Into<String>) -> Self {
        Self::of(semconv::SESSION_ID, id)
    }

    /// A budget of one user: of the calls with this `user.id`, which a [`scope`](crate::scope()) gives them.
    pub fn user(id: impl Into<String>) -> Self {
        Self::of(semconv::USER_ID, id)
    }

    /// A budget of the calls that have this value of any attribute: a tenant, an agent (`gen_ai.agent.name`), a workflow that is
    /// paused and resumed in several traces (`workflow.run.id`).
    pub fn of(attribute: impl Into<Cow<'static, str>>, value: impl Into<String>) -> Self {
        Self::new(Scope::Attribute(attribute.into()), Some(value.into()))
    }

    /// The same budget for each run.
    pub fn each_run() -> Self {
        Self::new(Scope::Run, None)
    }

    /// The same budget for each session.
    pub fn each_session() -> Self {
        Self::each(semconv::SESSION_ID)
    }

    /// The same budget for each user.
    pub fn each_user() -> Self {
        Self::each(semconv::USER_ID)
    }

    /// The same budget for each value of an attribute.
    pub fn each(attribute: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Scope::Attribute(attribute.into()), None)
    }

    /// What it is called in events and by [`Budgets::find`]. Default: `total`, `run`, `session`, `user`, else the attribute.
    pub fn named(mut self, name: impl Into<Cow<'static, str>>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Tokens that may be used, input and output together; from 1.
    pub fn tokens(mut self, limit: u64) -> Self {
        self.tokens = Some(limit);
        self
    }

    /// US dollars that may be spent; more than 0.
    pub fn cost_usd(mut self, limit: f64) -> Self {
        self.cost = Some(limit);
        self
    }

    /// The fraction of a limit at which `budget.warned` is told, once; more than 0, 1 for no warning. Default
    /// [`DEFAULT_WARN_AT`](Self::DEFAULT_WARN_AT).
    pub fn warn_at(mut self, fraction: f64) -> Self {
        self.warn_at = fraction;
        self
    }

    /// How many runs, sessions or users a budget for each of them remembers; from 1, default
    /// [`DEFAULT_KEEP`](Self::DEFAULT_KEEP). Beyond, those are forgotten that were without a call for longest, which is counted
    /// as [`BudgetStats::forgotten`]: should one come again, it begins at zero. One that is being watched is not forgotten.
    pub fn keep(mut self, n: usize) -> Self {
        self.keep = n;
        self
    }

    fn name(&self) -> Cow<'static, str> {
        self.name.clone().unwrap_or_else(|| self.scope.word())
    }

    /// Its limits, if it makes sense.
    fn check(&self) -> Result<Limits, BudgetError> {
        let out = |setting, value: String, expected| {
            Err(BudgetError::OutOfRange {
                budget: self.name().into_owned(),
                setting,
                value,
                expected,
            })
        };
        let cost = match self.cost {
            None => None,
            Some(dollars) => match Usd::from_f64(dollars).filter(|cost| *cost > Usd::ZERO) {
                Some(cost) => Some(cost),
                None => {
                    return out(
                        "cost_usd",
                        dollars.to_string(),
                        "a number of dollars above 0",
                    );
                }
            },
        };
        match () {
            () if self.tokens.is_none() && cost.is_none() => Err(BudgetError::NoLimit {
                budget: self.name().into_owned(),
            }),
            () if self.tokens == Some(0) => out("tokens", "0".to_owned(), "at least 1"),
            () if !(self.warn_at > 0.0 && self.warn_at <= 1.0) => out(
                "warn_at",
                self.warn_at.to_string(),
                "a fraction above 0, and at most 1",
            ),
            () if self.keep == 0 => out("keep", "0".to_owned(), "at least 1"),
            () if self.scope.is_empty() => {
                out("each", "\"\"".to_owned(), "the name of an attribute")
            }
            () if self.scope != Scope::Total && self.key.as_deref() == Some("") => {
                out("key", "\"\"".to_owned(), "the id of a run, session or user")
            }
            () => Ok(Limits {
                tokens: self.tokens,
                cost,
                warn_at: self.warn_at,
            }),
        }
    }
}

/// A budget that cannot work.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BudgetError {
    /// It limits nothing.
    #[error("the budget `{}` has no limit: give it `.tokens(…)` or `.cost_usd(…)`", escape(.budget))]
    NoLimit {
        /// What it is called.
        budget: String,
    },
    /// A number or a name is outside what can work.
    #[error("`{setting}` of the budget `{}` is {}, but must be {expected}", escape(.budget), escape(.value))]
    OutOfRange {
        /// What it is called.
        budget: String,
        /// The method.
        setting: &'static str,
        /// What it was given.
        value: String,
        /// What would work.
        expected: &'static str,
    },
    /// Two budgets of the builder go by one name.
    #[error("two budgets are called `{}`: tell them apart by `.named(…)`", escape(.budget))]
    SameName {
        /// The name.
        budget: String,
    },
    /// A budget for each run, session or user was to be watched, where one is meant.
    #[error(
        "the budget `{}` is for each one: give it to `TelemetryBuilder::budget`, and watch one by `Budgets::find`",
        escape(.budget)
    )]
    Each {
        /// What it is called.
        budget: String,
    },
}
