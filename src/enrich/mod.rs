//! What is added to a record on the telemetry thread: names as the conventions spell them, cost, totals, and what your own
//! hooks add.
//!
//! Owns: the dialects other software tells model calls in, [`names`] (provider and model spellings), [`pricing`] (what a call cost), [`roll_up`] (subtree totals), and the
//! chain of [`Enrich`] hooks.
//! Promises: computation on values that are handed in, bounded memory, panics of hooks contained and counted.
//! Never: runs on the application's thread, reads the clock, or touches the network.

pub(crate) mod builtin;
pub(crate) mod dialect;
mod hooks;
pub mod names;
pub(crate) mod nested;
pub mod pricing;
pub mod roll_up;
mod totals;
pub(crate) mod usage;

pub(crate) use hooks::Hooks;
pub use hooks::{Enrich, SpanMut, Verdict};
pub use names::ModelAliases;
pub use pricing::{
    Cost, CostModel, CostOutcome, CostSource, ParseUsdError, PricedCall, UnknownCost, Usd,
    reported_cost,
};
#[cfg(feature = "pricing")]
pub use pricing::{Override, PriceError, PriceTable};
pub use roll_up::{Role, RollUp, RollUpStats};
pub use totals::Totals;
