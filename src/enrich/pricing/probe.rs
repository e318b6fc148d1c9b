//! The table's rates for one model, asked for through its public interface.
//!
//! The `genai-prices` crate answers with the price of a call, in floats, and spends its time on splitting usage
//! over sixty units, not on finding the model. So the call is not put to it: three calls of known size are, their
//! answers give the rates, each rounded once to a whole number of 10⁻¹² dollars per million tokens, and the call itself
//! is priced from the rates in exact arithmetic. Rates can be kept for the next call; an answer could not.
//!
//! Promises: a side without a price is told from a side that is free.
//! Never: interprets the table's tiers, dates or times of day itself: a probe has the call's time and input size.

use std::time::SystemTime;

use genai_prices::{
    Calculator, ErrorKind, PriceCalculation, PriceRequest, Usage as Units, UsageKey,
};

use super::lookup::Found;
use super::rates::Rates;
use super::{UnknownCost, Usd};

/// Output tokens of a probe: with a million of them the price is the rate.
const MTOK: f64 = 1_000_000.0;

/// How far the table's own sum may be off before it is asked for a fee per call: well above the rounding of a
/// usual probe (10⁻¹⁴ $) and well below any fee. A false alarm costs one more question.
const NO_FEE: f64 = 1e-10;

/// What a price depends on besides the tokens of each kind.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Terms<'a> {
    pub(crate) time: SystemTime,
    /// Size of the input: long contexts may cost more.
    pub(crate) input_tokens: u64,
    pub(crate) tier: Option<&'a str>,
    pub(crate) batch: bool,
}

/// The rates for `model` under `terms`.
pub(crate) fn rates(
    prices: &Calculator,
    model: &Found,
    terms: &Terms<'_>,
) -> Result<Rates, UnknownCost> {
    let probe = Probe {
        prices,
        model,
        terms,
    };
    let input = terms.input_tokens.max(1) as f64;
    let plain = [
        (UsageKey::INPUT_TOKENS, input),
        (UsageKey::OUTPUT_TOKENS, MTOK),
    ];
    let parts = |input_part: UsageKey| {
        let output_part = [
            (input_part, input),
            (UsageKey::OUTPUT_REASONING_TOKENS, MTOK),
        ];
        plain
            .clone()
            .into_iter()
            .chain(output_part)
            .collect::<Units>()
    };
    let whole = probe.ask(&plain.clone().into_iter().collect())?;
    let read = probe.ask(&parts(UsageKey::CACHE_READ_TOKENS))?;
    let written = probe.ask(&parts(UsageKey::CACHE_WRITE_TOKENS))?;

    let per_mtok = |price: f64| Usd::from_f64(price / input * MTOK).ok_or(UnknownCost::Overflow);
    let dollars = |price: f64| Usd::from_f64(price).ok_or(UnknownCost::Overflow);
    let (input_rate, output_rate) = (per_mtok(whole.input_price)?, dollars(whole.output_price)?);
    let free_by_name = model.entry.ends_with(":free");
    let mut rates = Rates {
        input: (input_rate > Usd::ZERO || probe.has_price(UsageKey::CACHE_READ_TOKENS))
            .then_some(input_rate),
        output: (output_rate > Usd::ZERO || probe.has_price(UsageKey::OUTPUT_AUDIO_TOKENS))
            .then_some(output_rate),
        cache_read: Some(per_mtok(read.input_price)?),
        cache_write: Some(per_mtok(written.input_price)?),
        reasoning: Some(dollars(read.output_price)?),
        per_call: Usd::ZERO,
    };
    if rates.input.is_none() && rates.output.is_none() && free_by_name {
        (rates.input, rates.output) = (Some(Usd::ZERO), Some(Usd::ZERO));
    }
    if (whole.total_price - whole.input_price - whole.output_price).abs() > NO_FEE {
        rates.per_call = dollars(probe.ask(&Units::new())?.total_price)?;
    }
    Ok(rates)
}

struct Probe<'a> {
    prices: &'a Calculator,
    model: &'a Found,
    terms: &'a Terms<'a>,
}

impl Probe<'_> {
    fn request<'u>(&'u self, usage: &'u Units) -> PriceRequest<'u> {
        let mut request = PriceRequest::new(&self.model.model, usage)
            .with_provider_id(&self.model.provider)
            .with_timestamp(self.terms.time);
        if let Some(tier) = self.terms.tier {
            request = request.with_price_context("service_tier", tier);
        }
        if self.terms.batch {
            request = request.with_price_context("processing", "batch");
        }
        request
    }

    fn ask(&self, usage: &Units) -> Result<PriceCalculation, UnknownCost> {
        self.prices
            .calculate(&self.request(usage))
            .map_err(|error| match error.kind() {
                ErrorKind::ProviderNotFound | ErrorKind::ModelNotFound => UnknownCost::UnknownModel,
                _ => UnknownCost::NoPrice,
            })
    }

    /// Whether the table prices the side that `part` is a part of. It refuses a part without its whole only where
    /// the whole has a price, be it zero; without one there is nothing it could be missing.
    fn has_price(&self, part: UsageKey) -> bool {
        let usage = Units::from([(part, 1.0)]);
        matches!(self.prices.calculate(&self.request(&usage)), Err(error) if error.kind() == ErrorKind::InvalidUsage)
    }
}
