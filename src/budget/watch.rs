//! The application's side: watching what is spent.

use std::fmt;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use tokio_util::sync::CancellationToken;

use super::account::{Account, Exceeded, Spent};
use super::ledger::Scope;
use super::{Budget, BudgetError, BudgetStats, Ledger};

/// The budgets of an installation, from [`Telemetry::budgets`](crate::Telemetry::budgets). Clones are the same.
#[derive(Clone)]
pub struct Budgets(Arc<Ledger>);

impl Budgets {
    pub(crate) fn new(ledger: Arc<Ledger>) -> Self {
        Self(ledger)
    }

    /// Counts, from now on, what `budget` limits, until the last clone of the watch is dropped. A call that ended some
    /// milliseconds ago, and is still on its way to the telemetry thread, counts too.
    ///
    /// # Errors
    /// If the budget makes no sense, or is one for each run, session or user; see [`BudgetError`].
    pub fn watch(&self, budget: Budget) -> Result<Watch, BudgetError> {
        let account = self.0.open(&budget, false)?;
        let hold = Arc::new(Hold {
            ledger: Arc::clone(&self.0),
            scope: budget.scope,
            account: Arc::clone(&account),
        });
        Ok(Watch {
            ledger: Arc::clone(&self.0),
            account,
            _hold: Some(hold),
        })
    }

    /// The watch of one run, session or user with the budget of this name that was given to
    /// [`TelemetryBuilder::budget`](crate::TelemetryBuilder::budget), before or after its first call. `None` if no budget there
    /// goes by that name, or it is somebody else's.
    ///
    /// ```
    /// use tracing_genai::{Telemetry, budget::Budget};
    ///
    /// let telemetry = Telemetry::builder("planner")
    ///     .budget(Budget::each_user().cost_usd(1.0).named("free tier"))
    ///     .build()?;
    /// let watch = telemetry.budgets().find("free tier", "u1").ok_or("no such budget")?;
    /// assert_eq!(watch.spent().calls, 0);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn find(&self, name: &str, key: &str) -> Option<Watch> {
        Some(Watch {
            ledger: Arc::clone(&self.0),
            account: self.0.find(name, key)?,
            _hold: None,
        })
    }

    /// Starts the builder's budget of this name over, for every run, session or user it knows: the end of a day. Says for how
    /// many. See [`Watch::reset`].
    pub fn reset(&self, name: &str) -> usize {
        self.0.reset(name)
    }

    /// How much there is to remember, and what could not be attributed.
    pub fn stats(&self) -> BudgetStats {
        self.0.stats()
    }
}

impl fmt::Debug for Budgets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Budgets").field(&self.stats()).finish()
    }
}

/// Keeps an account open.
struct Hold {
    ledger: Arc<Ledger>,
    scope: Scope,
    account: Arc<Account>,
}

impl Drop for Hold {
    fn drop(&mut self) {
        self.ledger.close(&self.scope, &self.account);
    }
}

/// Telemetry has been shut down, or is disabled: nothing is counted any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("budgets are not counted any more: telemetry has been shut down")]
pub struct BudgetClosed;

/// One run's, session's or user's spending, and its end. Clones are the same watch.
#[derive(Clone)]
#[must_use = "a budget is counted while it is watched"]
pub struct Watch {
    ledger: Arc<Ledger>,
    account: Arc<Account>,
    _hold: Option<Arc<Hold>>,
}

impl Watch {
    /// What the budget is called.
    pub fn name(&self) -> &str {
        &self.account.name
    }

    /// The id of the run, session or user; empty for a [total](Budget::total).
    pub fn key(&self) -> &str {
        &self.account.key
    }

    /// What was spent so far, calls that are under way not included.
    pub fn spent(&self) -> Spent {
        self.account.spent()
    }

    /// Whether the budget is spent.
    pub fn is_exceeded(&self) -> bool {
        self.account.exceeded().is_some()
    }

    /// Waits until the budget is spent; at once if it is. Needs no particular runtime, and may be dropped and awaited again.
    ///
    /// ```
    /// # use tracing_genai::budget::{Watch, Exceeded};
    /// # async fn run_agent() {}
    /// async fn within(watch: &Watch) -> Result<(), Exceeded> {
    ///     tokio::select! {
    ///         () = run_agent() => Ok(()),
    ///         // A pattern that does not match switches the branch off: a shutdown stops nobody.
    ///         Ok(over) = watch.exceeded() => Err(over),
    ///     }
    /// }
    /// ```
    ///
    /// # Errors
    /// [`BudgetClosed`] when telemetry is shut down before that, or is disabled.
    pub async fn exceeded(&self) -> Result<Exceeded, BudgetClosed> {
        loop {
            let token = self.account.token();
            if let Some(over) = self.account.exceeded() {
                return Ok(over);
            }
            let (mut over, mut closed) = (
                pin!(token.cancelled()),
                pin!(self.ledger.closed.cancelled()),
            );
            let is_over = std::future::poll_fn(|cx| {
                if over.as_mut().poll(cx).is_ready() {
                    Poll::Ready(true)
                } else {
                    closed.as_mut().poll(cx).map(|()| false)
                }
            });
            if !is_over.await {
                return Err(BudgetClosed);
            }
            // A reset may have come in between: then there is something left again.
        }
    }

    /// A token that is cancelled when the budget is spent, for what takes one: a server, a client, a tree of tasks. It is the
    /// holder's own: cancelling it cancels nobody else's.
    ///
    /// Nothing but the budget cancels it: not a [reset](Self::reset), not dropping the watch, and not a shutdown, after which it
    /// stays as it is for ever. Who has to notice that as well awaits [`exceeded`](Self::exceeded).
    pub fn token(&self) -> CancellationToken {
        self.account.token().child_token()
    }

    /// Starts over: nothing is spent, and warning and alert are told again when they are due. Tokens that are cancelled stay so;
    /// the others go on.
    pub fn reset(&self) {
        self.account.reset();
    }
}

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watch")
            .field("name", &self.name())
            .field("key", &self.key())
            .field("spent", &self.spent())
            .field("exceeded", &self.is_exceeded())
            .finish()
    }
}
