//! The cost that came with the answer.
//!
//! Owns: the decision that a cost stated by the provider or its gateway wins over any price list.
//! Never: accepts an amount that cannot be one (negative, not finite, too large); the price list then decides.

use super::{Cost, CostSource, Usd};

/// The attributes a reported cost in US dollars is read from, first one wins.
pub const REPORTED_COST_KEYS: [&str; 2] = ["gen_ai.usage.cost", "usage.cost"];

/// The cost the record already carries, if it does.
///
/// `attribute` looks an attribute up as a number; ask a [`CostModel`](super::CostModel) only if this answers `None`.
/// A reported zero is a price: gateways report it for free models.
///
/// ```
/// use tracing_genai::enrich::{CostSource, reported_cost};
///
/// let cost = reported_cost(|key| (key == "gen_ai.usage.cost").then_some(0.0042));
/// assert!(cost.is_some_and(|cost| cost.source == CostSource::Provider && cost.total.to_string() == "$0.0042"));
/// assert!(reported_cost(|_| None).is_none());
/// ```
pub fn reported_cost(mut attribute: impl FnMut(&str) -> Option<f64>) -> Option<Cost> {
    REPORTED_COST_KEYS.iter().find_map(|key| {
        let total = attribute(key)
            .filter(|dollars| *dollars >= 0.0)
            .and_then(Usd::from_f64)?;
        Some(Cost::new(total, CostSource::Provider))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reported_cost_is_passed_through() {
        let cost =
            reported_cost(|key| (key == "usage.cost").then_some(0.1 + 0.2)).expect("reported");
        assert_eq!(
            (cost.total.to_string().as_str(), cost.source),
            ("$0.30", CostSource::Provider)
        );
        assert!(reported_cost(|_| Some(0.0)).is_some_and(|cost| cost.total == Usd::ZERO));
    }

    #[test]
    fn an_amount_that_cannot_be_one_is_not_a_report() {
        for nonsense in [-1.0, f64::NAN, f64::INFINITY, 1e300] {
            assert_eq!(reported_cost(|_| Some(nonsense)), None, "{nonsense}");
        }
        let second = reported_cost(|key| {
            Some(if key == REPORTED_COST_KEYS[0] {
                f64::NAN
            } else {
                2.0
            })
        });
        assert_eq!(
            second.map(|cost| cost.total.to_string()).as_deref(),
            Some("$2.00")
        );
    }
}
