//! What has been found out about models, for the next call.
//!
//! Owns: which entry a (provider, model, tier) leads to, and the rates it had, per minute and range of input size.
//! Promises: bounded memory; a memo belongs to one edition of the prices and dies with it, so it cannot be stale.
//!
//! What may be kept: the entry for good, since matching looks at names only. Rates within one UTC minute, since
//! price lists change at midnight or at a full minute; and between two input sizes that had the same rates,
//! since a price that steps up for long contexts does not step back.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use super::lookup::Found;
use super::overrides::Compiled;
use super::rates::Rates;
use super::{PricedCall, UnknownCost};

/// Names kept. An application uses a few dozen; at a few hundred bytes each this is well below a megabyte. When
/// full, all are dropped: finding one again costs some microseconds, and a flood of invented names must not grow.
pub(crate) const MAX_NAMES: usize = 1_024;

/// Ranges of rates kept for a name: minutes in which calls are still finishing, times steps by context length.
const MAX_SPANS: usize = 32;

/// What a name leads to.
#[derive(Debug, Clone)]
pub(crate) enum Resolved {
    Override(Arc<Compiled>),
    Table(Arc<Found>),
    Unknown(UnknownCost),
}

/// Everything a name is looked up by. The time and the usage are not part of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Key<'a> {
    pub(crate) provider: Option<&'a str>,
    pub(crate) model: &'a str,
    pub(crate) request_model: Option<&'a str>,
    pub(crate) tier: Option<&'a str>,
    pub(crate) batch: bool,
}

impl<'a> Key<'a> {
    pub(crate) fn of(call: &PricedCall<'a>) -> Self {
        // Anthropic reports batch as a tier; the others here are names for the standard one or a wish, not a rate.
        let tier = call.service_tier.map(str::trim);
        let is = |name: &str| tier.is_some_and(|tier| tier.eq_ignore_ascii_case(name));
        let standard = ["", "auto", "default", "standard", "standard_only", "batch"]
            .into_iter()
            .any(is);
        Self {
            provider: call.provider,
            model: call.model,
            request_model: call.request_model.filter(|model| *model != call.model),
            tier: tier.filter(|_| !standard),
            batch: call.batch || is("batch"),
        }
    }
}

#[derive(Debug)]
struct Entry {
    provider: Option<Box<str>>,
    model: Box<str>,
    request_model: Option<Box<str>>,
    tier: Option<Box<str>>,
    batch: bool,
    resolved: Resolved,
    spans: Vec<Span>,
}

impl Entry {
    fn is(&self, key: &Key<'_>) -> bool {
        *self.model == *key.model
            && self.provider.as_deref() == key.provider
            && self.request_model.as_deref() == key.request_model
            && self.tier.as_deref() == key.tier
            && self.batch == key.batch
    }
}

/// Rates that held in one minute for every input size from `low` to `high`.
#[derive(Debug)]
struct Span {
    minute: i64,
    low: u64,
    high: u64,
    rates: Rates,
}

/// The memory of one edition of the prices.
#[derive(Debug, Default)]
pub(crate) struct Memo {
    hasher: RandomState,
    entries: HashMap<u64, Entry>,
}

impl Memo {
    /// What the name leads to, and its rates for this time and size where they are known.
    pub(crate) fn recall(
        &self,
        key: &Key<'_>,
        minute: i64,
        size: u64,
    ) -> Option<(Resolved, Option<Rates>)> {
        let entry = self
            .entries
            .get(&self.hasher.hash_one(key))
            .filter(|entry| entry.is(key))?;
        let fits = |span: &&Span| span.minute == minute && (span.low..=span.high).contains(&size);
        Some((
            entry.resolved.clone(),
            entry.spans.iter().find(fits).map(|span| span.rates),
        ))
    }

    /// Keeps what the name leads to.
    pub(crate) fn keep(&mut self, key: &Key<'_>, resolved: Resolved) {
        if self.entries.len() >= MAX_NAMES {
            self.entries.clear();
        }
        let owned = |text: Option<&str>| text.map(Box::from);
        let entry = Entry {
            provider: owned(key.provider),
            model: key.model.into(),
            request_model: owned(key.request_model),
            tier: owned(key.tier),
            batch: key.batch,
            resolved,
            spans: Vec::new(),
        };
        // Two names with one hash take turns; both stay right.
        self.entries.insert(self.hasher.hash_one(key), entry);
    }

    /// Keeps the rates the name had for this time and size.
    pub(crate) fn keep_rates(&mut self, key: &Key<'_>, minute: i64, size: u64, rates: Rates) {
        let hash = self.hasher.hash_one(key);
        let Some(entry) = self.entries.get_mut(&hash).filter(|entry| entry.is(key)) else {
            return;
        };
        let spans = &mut entry.spans;
        let same = spans
            .iter()
            .position(|span| span.minute == minute && span.rates == rates);
        if let Some(at) = same {
            let (low, high) = (spans[at].low.min(size), spans[at].high.max(size));
            // A table whose prices step back again must not be bridged: another rate in between forbids it.
            let clear = |(other, span): (usize, &Span)| {
                other == at || span.minute != minute || span.high < low || span.low > high
            };
            if spans.iter().enumerate().all(clear) {
                (spans[at].low, spans[at].high) = (low, high);
                return;
            }
        }
        if spans.len() >= MAX_SPANS {
            let oldest = spans.iter().map(|span| span.minute).min();
            spans.retain(|span| Some(span.minute) != oldest);
        }
        spans.push(Span {
            minute,
            low: size,
            high: size,
            rates,
        });
    }

    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }
}

/// The UTC minute a time is in; times before 1970 count as one.
pub(crate) fn minute(time: SystemTime) -> i64 {
    time.duration_since(UNIX_EPOCH).map_or(-1, |since| {
        i64::try_from(since.as_secs() / 60).unwrap_or(i64::MAX)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::enrich::pricing::Usd;
    use crate::event::Usage;

    fn key(model: &str) -> Key<'_> {
        Key {
            provider: Some("p"),
            model,
            request_model: None,
            tier: None,
            batch: false,
        }
    }

    fn rates(pico: i128) -> Rates {
        Rates {
            input: Some(Usd::from_pico(pico)),
            ..Rates::default()
        }
    }

    fn recalled(memo: &Memo, minute: i64, size: u64) -> Option<Rates> {
        memo.recall(&key("m"), minute, size)
            .and_then(|(_, rates)| rates)
    }

    #[test]
    fn rates_hold_between_sizes_that_had_the_same_ones_in_the_same_minute() {
        let mut memo = Memo::default();
        memo.keep(&key("m"), Resolved::Unknown(UnknownCost::NoPrice));
        memo.keep_rates(&key("m"), 7, 100, rates(1));
        memo.keep_rates(&key("m"), 7, 300_000, rates(2));
        memo.keep_rates(&key("m"), 7, 10, rates(1));
        memo.keep_rates(&key("m"), 7, 200_000, rates(1));
        assert_eq!(recalled(&memo, 7, 50), Some(rates(1)));
        assert_eq!(recalled(&memo, 7, 200_000), Some(rates(1)));
        assert_eq!(recalled(&memo, 7, 200_001), None);
        assert_eq!(recalled(&memo, 7, 300_000), Some(rates(2)));
        assert_eq!(recalled(&memo, 8, 50), None);
        assert_eq!(recalled(&memo, 7, 9), None);
    }

    #[test]
    fn prices_that_step_back_are_not_bridged() {
        let mut memo = Memo::default();
        memo.keep(&key("m"), Resolved::Unknown(UnknownCost::NoPrice));
        for (size, price) in [(10, 1), (20, 2), (30, 1)] {
            memo.keep_rates(&key("m"), 7, size, rates(price));
        }
        assert_eq!(recalled(&memo, 7, 10), Some(rates(1)));
        assert_eq!(recalled(&memo, 7, 20), Some(rates(2)));
        assert_eq!(recalled(&memo, 7, 30), Some(rates(1)));
        assert_eq!(recalled(&memo, 7, 25), None);
    }

    #[test]
    fn the_memory_is_bounded() {
        let mut memo = Memo::default();
        for number in 0..10 * MAX_NAMES {
            memo.keep(
                &key(&format!("model-{number}")),
                Resolved::Unknown(UnknownCost::UnknownModel),
            );
            assert!(memo.len() <= MAX_NAMES);
        }
        memo.keep(&key("m"), Resolved::Unknown(UnknownCost::NoPrice));
        for minute in 0..1_000 {
            memo.keep_rates(&key("m"), minute, 1, rates(1));
        }
        assert!(
            memo.entries
                .values()
                .all(|entry| entry.spans.len() <= MAX_SPANS)
        );
        assert_eq!(recalled(&memo, 999, 1), Some(rates(1)));
    }

    #[test]
    fn standard_tiers_are_one_name_and_batch_is_not_a_tier() {
        let call = PricedCall::new("m", Usage::new(), UNIX_EPOCH).request_model("m");
        for tier in ["default", "Standard", "auto", "", "standard_only"] {
            assert_eq!(Key::of(&call.service_tier(tier)), Key::of(&call), "{tier}");
        }
        assert_eq!(
            Key::of(&call.service_tier("batch")),
            Key::of(&call.batch(true))
        );
        assert_eq!(Key::of(&call.service_tier("flex")).tier, Some("flex"));
    }
}
