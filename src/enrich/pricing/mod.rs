//! What a model call cost.
//!
//! Owns: the question ([`PricedCall`]), the answer ([`CostOutcome`]) and who answers ([`CostModel`]). The
//! built-in answerer is `PriceTable` (feature `pricing`): the `genai-prices` table with overrides of your own.
//! Promises: an unknown price is [`CostOutcome::Unknown`] with a reason, never zero; a cost says where it came from.
//! Never: a network request, and never a guess where counts contradict each other.
//!
//! Prices are estimates from public price lists, not invoices.

#[cfg(feature = "pricing")]
mod rates;
mod reported;
mod usd;

#[cfg(feature = "pricing")]
mod error;
#[cfg(feature = "pricing")]
mod lookup;
#[cfg(feature = "pricing")]
mod memo;
#[cfg(feature = "pricing")]
mod override_json;
#[cfg(feature = "pricing")]
mod overrides;
#[cfg(feature = "pricing")]
mod probe;
#[cfg(feature = "pricing")]
mod table;

#[cfg(feature = "pricing")]
pub use error::PriceError;
#[cfg(feature = "pricing")]
pub use overrides::Override;
pub use reported::{REPORTED_COST_KEYS, reported_cost};
#[cfg(feature = "pricing")]
pub use table::PriceTable;
pub use usd::{ParseUsdError, Usd};

use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use crate::event::Usage;

/// Answers what a model call cost. Called on the telemetry thread, once per finished model call.
///
/// A closure is a cost model:
///
/// ```
/// use std::sync::Arc;
/// use tracing_genai::enrich::{Cost, CostModel, CostOutcome, CostSource, PricedCall, UnknownCost, Usd};
///
/// fn flat_fee() -> impl CostModel {
///     |call: &PricedCall<'_>| match call.model {
///         "house-model" => CostOutcome::Priced(Cost::new(Usd::from_pico(1_000_000_000), CostSource::Override)),
///         _ => CostOutcome::Unknown(UnknownCost::UnknownModel),
///     }
/// }
/// # let _: Arc<dyn CostModel> = Arc::new(flat_fee());
/// ```
pub trait CostModel: Send + Sync {
    /// The cost of `call`, or why it is unknown. Must not block.
    fn price(&self, call: &PricedCall<'_>) -> CostOutcome;
}

impl<F> CostModel for F
where
    F: Fn(&PricedCall<'_>) -> CostOutcome + Send + Sync,
{
    fn price(&self, call: &PricedCall<'_>) -> CostOutcome {
        self(call)
    }
}

/// A finished model call, as far as its price depends on it.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct PricedCall<'a> {
    /// The provider, in any spelling ([`names::provider`](crate::enrich::names::provider) reads it). Default: unknown.
    pub provider: Option<&'a str>,
    /// The model that answered; where the response names none, the model asked for.
    pub model: &'a str,
    /// The model asked for, tried where `model` has no price (deployment names, bare names in Bedrock's bodies).
    pub request_model: Option<&'a str>,
    /// The tokens; input includes cache, output includes reasoning.
    pub usage: Usage,
    /// When the call was made: prices change by date and, with some providers, by time of day.
    pub time: SystemTime,
    /// The tier the response reports (`flex`, `priority`, …). Default: the standard one.
    pub service_tier: Option<&'a str>,
    /// Whether the call went through the provider's batch interface. Default: no.
    pub batch: bool,
}

impl<'a> PricedCall<'a> {
    /// A call of `model` that used `usage`, made at `time`.
    #[must_use]
    pub fn new(model: &'a str, usage: Usage, time: SystemTime) -> Self {
        Self {
            provider: None,
            model,
            request_model: None,
            usage,
            time,
            service_tier: None,
            batch: false,
        }
    }

    /// Names the provider.
    #[must_use]
    pub fn provider(mut self, provider: &'a str) -> Self {
        self.provider = Some(provider);
        self
    }

    /// Names the model asked for, where it may differ from the one that answered.
    #[must_use]
    pub fn request_model(mut self, model: &'a str) -> Self {
        self.request_model = Some(model);
        self
    }

    /// Names the service tier the response reports.
    #[must_use]
    pub fn service_tier(mut self, tier: &'a str) -> Self {
        self.service_tier = Some(tier);
        self
    }

    /// Says that the call went through the provider's batch interface.
    #[must_use]
    pub fn batch(mut self, batch: bool) -> Self {
        self.batch = batch;
        self
    }
}

/// A cost, or the reason why there is none.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "an unknown cost has to be left out, not counted as zero"]
pub enum CostOutcome {
    /// What the call cost.
    Priced(Cost),
    /// Nothing can be said. The attribute stays absent.
    Unknown(UnknownCost),
}

impl CostOutcome {
    /// The cost, if known.
    #[must_use]
    pub fn cost(&self) -> Option<&Cost> {
        match self {
            Self::Priced(cost) => Some(cost),
            Self::Unknown(_) => None,
        }
    }

    /// The reason, if unknown.
    #[must_use]
    pub fn unknown(&self) -> Option<UnknownCost> {
        match self {
            Self::Priced(_) => None,
            Self::Unknown(reason) => Some(*reason),
        }
    }
}

/// What a call cost, and where the number comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Cost {
    /// Everything charged for the call. With a fee per call it is more than `input` and `output` together.
    pub total: Usd,
    /// The input's share, cache included. `None` if no input count was reported or the shares are not known.
    pub input: Option<Usd>,
    /// The output's share, reasoning included. `None` if no output count was reported or the shares are not known.
    pub output: Option<Usd>,
    /// Who said so.
    pub source: CostSource,
    /// Which edition of the prices was used. Empty for a cost reported by the provider.
    pub table: Arc<str>,
    /// The entry that applied: `openai/gpt-4o-mini` of the table, or the override's own text. May be empty.
    pub matched: Arc<str>,
}

impl Cost {
    /// A cost without shares and without an edition; set the public fields for more.
    #[must_use]
    pub fn new(total: Usd, source: CostSource) -> Self {
        Self {
            total,
            input: None,
            output: None,
            source,
            table: Arc::from(""),
            matched: Arc::from(""),
        }
    }
}

/// Where a cost comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CostSource {
    /// A public price list, so an estimate.
    Table,
    /// A price the user set.
    Override,
    /// The provider or gateway said so in its response.
    Provider,
}

impl CostSource {
    /// `table`, `override` or `provider`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Table => "table",
            Self::Override => "override",
            Self::Provider => "provider",
        }
    }
}

impl fmt::Display for CostSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Why a cost is unknown. Fit for a metric's attribute: the set is closed and small.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum UnknownCost {
    /// No token counts.
    NoUsage,
    /// A count that the model charges for is missing, so the sum would be too small.
    PartialUsage,
    /// The counts contradict each other: more cached than read, or more reasoning than output.
    InconsistentUsage,
    /// No price list knows the model, or no model was named.
    UnknownModel,
    /// The model runs on hardware of the user's (Ollama, vLLM, …) whose price only an override can tell.
    SelfHosted,
    /// The model is known, but not a price for the tokens it used.
    NoPrice,
    /// The amount does not fit.
    Overflow,
    /// The price table could not be read.
    TableUnavailable,
    /// The application's own [`CostModel`] panicked.
    ModelFailed,
}

impl UnknownCost {
    /// The reason as a stable word: `no_usage`, `unknown_model`, ….
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NoUsage => "no_usage",
            Self::PartialUsage => "partial_usage",
            Self::InconsistentUsage => "inconsistent_usage",
            Self::UnknownModel => "unknown_model",
            Self::SelfHosted => "self_hosted",
            Self::NoPrice => "no_price",
            Self::Overflow => "overflow",
            Self::TableUnavailable => "table_unavailable",
            Self::ModelFailed => "model_failed",
        }
    }
}

impl fmt::Display for UnknownCost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
