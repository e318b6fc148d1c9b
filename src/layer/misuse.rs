//! Spans that are nested too deeply, or left in another order than they were entered in.
//!
//! Both are mistakes of the program that tracing cannot forbid: a recursion without end, a guard held across an `.await`.
//! Promise: they are counted always, and told as the policy says; the spans themselves are recorded all the same.
//! Never: panics, or tells the same thing more than once an hour.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::diagnostics;

/// What is done about a mistake with spans.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum OnMisuse {
    /// It is counted.
    Silent,
    /// It is counted, and said on stderr once an hour at most.
    #[default]
    Warn,
    /// It is counted, said, and emitted as the event `instrumentation.errored` at level `ERROR`.
    Error,
}

/// When spans count as nested too deeply, and what is done about that and about spans left out of order. Set with
/// [`scopes`](crate::TelemetryBuilder::scopes).
///
/// ```
/// use tracing_genai::{OnMisuse, ScopePolicy, Telemetry};
///
/// let policy = ScopePolicy { max_depth: 50, mismatch: OnMisuse::Error, ..ScopePolicy::default() };
/// let telemetry = Telemetry::builder("planner").scopes(policy).build()?;
/// # Ok::<(), tracing_genai::ConfigError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ScopePolicy {
    /// So many spans may lie around a span. Default 100: agents that call agents reach 20.
    pub max_depth: u32,
    /// What is done about a span below that.
    pub too_deep: OnMisuse,
    /// What is done about a span that is left while a later one is still entered.
    pub mismatch: OnMisuse,
}

impl Default for ScopePolicy {
    fn default() -> Self {
        Self {
            max_depth: 100,
            too_deep: OnMisuse::Warn,
            mismatch: OnMisuse::Warn,
        }
    }
}

/// How often it happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct ScopeStats {
    /// Spans below [`ScopePolicy::max_depth`].
    pub too_deep: u64,
    /// Spans left while a later one was still entered.
    pub mismatched: u64,
}

/// The counters.
#[derive(Debug, Default)]
pub(crate) struct Misuse {
    too_deep: AtomicU64,
    mismatched: AtomicU64,
}

/// Which mistake.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mistake {
    TooDeep,
    Mismatch,
}

impl Mistake {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::TooDeep => "scope_too_deep",
            Self::Mismatch => "scope_mismatch",
        }
    }

    fn hint(self) -> &'static str {
        match self {
            Self::TooDeep => {
                "spans are nested more deeply than the scope policy allows: is a recursion without end?"
            }
            Self::Mismatch => {
                "a span was left while a later one was still entered: is a span's guard held across an .await?"
            }
        }
    }
}

impl Misuse {
    /// Counts and says it; whether it is to be emitted too.
    pub(crate) fn note(&self, mistake: Mistake, policy: &ScopePolicy) -> bool {
        let (counter, on) = match mistake {
            Mistake::TooDeep => (&self.too_deep, policy.too_deep),
            Mistake::Mismatch => (&self.mismatched, policy.mismatch),
        };
        counter.fetch_add(1, Ordering::Relaxed);
        if on != OnMisuse::Silent {
            diagnostics::say_once(mistake.as_str(), format_args!("{}", mistake.hint()));
        }
        on == OnMisuse::Error
    }

    pub(crate) fn read(&self) -> ScopeStats {
        ScopeStats {
            too_deep: self.too_deep.load(Ordering::Relaxed),
            mismatched: self.mismatched.load(Ordering::Relaxed),
        }
    }
}
