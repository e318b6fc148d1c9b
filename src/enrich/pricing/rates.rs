//! From token counts and rates to money.
//!
//! Owns: [`Rates`], the prices of one model per million tokens, and the one place where tokens are multiplied
//! by them; the price table and the overrides both end here.
//! Promises: whole-number arithmetic, rounded once a side; a count that contradicts itself, a side that was
//! not reported and a side without a price are refused with the reason. Never: guesses.

use super::{UnknownCost, Usd};
use crate::event::Usage;

const TOKENS_PER_MTOK: i128 = 1_000_000;

/// Prices per million tokens. `None` means that there is no price, zero that it is free.
///
/// A cache or reasoning rate left out falls back to the rate of its side.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Rates {
    pub(crate) input: Option<Usd>,
    pub(crate) output: Option<Usd>,
    pub(crate) cache_read: Option<Usd>,
    pub(crate) cache_write: Option<Usd>,
    pub(crate) reasoning: Option<Usd>,
    /// Charged once a call whatever its tokens.
    pub(crate) per_call: Usd,
}

/// What a call costs, side by side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Charge {
    pub(crate) input: Option<Usd>,
    pub(crate) output: Option<Usd>,
    pub(crate) total: Usd,
}

impl Rates {
    /// Prices `usage`, which must have passed [`check`].
    pub(crate) fn charge(&self, usage: &Usage) -> Result<Charge, UnknownCost> {
        let cached = [
            (usage.cache_read_tokens, self.cache_read),
            (usage.cache_write_tokens, self.cache_write),
        ];
        let input = side(usage.input_tokens, self.input, &cached)?;
        let output = side(
            usage.output_tokens,
            self.output,
            &[(usage.reasoning_tokens, self.reasoning)],
        )?;
        let total = [input, output]
            .into_iter()
            .flatten()
            .try_fold(self.per_call, Usd::checked_add)
            .ok_or(UnknownCost::Overflow)?;
        Ok(Charge {
            input,
            output,
            total,
        })
    }
}

/// Refuses usage that says nothing or contradicts itself: parts larger than the whole they are part of.
pub(crate) fn check(usage: &Usage) -> Result<(), UnknownCost> {
    if usage.input_tokens.is_none() && usage.output_tokens.is_none() {
        return Err(UnknownCost::NoUsage);
    }
    // A part whose whole was not reported contradicts nothing; whether it can be priced is decided there.
    let fits = |whole: Option<u64>, parts: [Option<u64>; 2]| {
        let parts = parts[0].unwrap_or(0).checked_add(parts[1].unwrap_or(0));
        parts.is_some_and(|parts| whole.is_none_or(|whole| parts <= whole))
    };
    if fits(
        usage.input_tokens,
        [usage.cache_read_tokens, usage.cache_write_tokens],
    ) && fits(usage.output_tokens, [usage.reasoning_tokens, None])
    {
        Ok(())
    } else {
        Err(UnknownCost::InconsistentUsage)
    }
}

/// One side of a call: its tokens at their rate, the parts with a rate of their own at that one.
fn side(
    tokens: Option<u64>,
    rate: Option<Usd>,
    parts: &[(Option<u64>, Option<Usd>)],
) -> Result<Option<Usd>, UnknownCost> {
    let Some(tokens) = tokens else {
        // Not reported and charged for: what is known would be less than the call cost.
        let charged = |rate: Option<Usd>| rate.is_some_and(|rate| rate > Usd::ZERO);
        let part = |(tokens, own): &(Option<u64>, Option<Usd>)| {
            tokens.is_some_and(|tokens| tokens > 0) && charged(*own)
        };
        return if charged(rate) || parts.iter().any(part) {
            Err(UnknownCost::PartialUsage)
        } else {
            Ok(None)
        };
    };
    if tokens == 0 {
        return Ok(Some(Usd::ZERO));
    }
    let rate = rate.ok_or(UnknownCost::NoPrice)?;
    let mut plain = tokens;
    let mut sum = 0_i128;
    let mut add = |tokens: u64, rate: Usd| {
        sum = rate
            .as_pico()
            .checked_mul(i128::from(tokens))
            .and_then(|part| sum.checked_add(part))?;
        Some(())
    };
    for (tokens, own) in parts {
        let tokens = tokens.unwrap_or(0);
        plain = plain
            .checked_sub(tokens)
            .ok_or(UnknownCost::InconsistentUsage)?;
        add(tokens, own.unwrap_or(rate)).ok_or(UnknownCost::Overflow)?;
    }
    add(plain, rate).ok_or(UnknownCost::Overflow)?;
    let rounded = sum
        .checked_add(TOKENS_PER_MTOK / 2)
        .ok_or(UnknownCost::Overflow)?
        .div_euclid(TOKENS_PER_MTOK);
    Ok(Some(Usd::from_pico(rounded)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rate(text: &str) -> Option<Usd> {
        Some(text.parse().expect(text))
    }

    fn rates() -> Rates {
        Rates {
            input: rate("0.15"),
            output: rate("0.60"),
            cache_read: rate("0.075"),
            ..Rates::default()
        }
    }

    #[test]
    fn cached_tokens_are_part_of_the_input_and_cheaper() {
        let usage = Usage::new().input(180).cache_read(40).output(32);
        let charge = rates().charge(&usage).expect("priced");
        assert_eq!(charge.input, rate("0.000024"));
        assert_eq!(charge.output, rate("0.0000192"));
        assert_eq!(charge.total, "0.0000432".parse().expect("amount"));
    }

    #[test]
    fn parts_without_a_rate_of_their_own_cost_what_their_side_costs() {
        let plain = rates()
            .charge(&Usage::new().input(100).output(100))
            .expect("priced");
        let parts = rates()
            .charge(
                &Usage::new()
                    .input(100)
                    .cache_write(60)
                    .output(100)
                    .reasoning(90),
            )
            .expect("priced");
        assert_eq!(plain, parts);
        let dear = Rates {
            cache_write: rate("1.5"),
            reasoning: rate("6"),
            ..rates()
        };
        let dear = dear
            .charge(
                &Usage::new()
                    .input(100)
                    .cache_write(100)
                    .output(100)
                    .reasoning(100),
            )
            .expect("priced");
        assert_eq!(dear.total.as_pico(), 10 * plain.total.as_pico());
    }

    #[test]
    fn a_thousand_million_tokens_cost_a_thousand_times_the_rate() {
        let usage = Usage::new().input(1_000_000_000).output(1_000_000_000);
        let charge = rates().charge(&usage).expect("priced");
        assert_eq!(charge.total, "750".parse().expect("amount"));
    }

    #[test]
    fn usage_that_contradicts_itself_is_refused() {
        for usage in [
            Usage::new().input(3).cache_read(13_216).output(10),
            Usage::new().input(10).cache_read(6).cache_write(5),
            Usage::new().output(10).reasoning(11),
            Usage::new()
                .input(10)
                .cache_read(u64::MAX)
                .cache_write(u64::MAX),
        ] {
            assert_eq!(
                check(&usage),
                Err(UnknownCost::InconsistentUsage),
                "{usage:?}"
            );
        }
        assert_eq!(check(&Usage::new()), Err(UnknownCost::NoUsage));
        assert_eq!(
            check(&Usage::new().input(10).cache_read(10).output(0)),
            Ok(())
        );
    }

    #[test]
    fn a_side_that_is_charged_for_but_not_reported_makes_the_cost_unknown() {
        assert_eq!(
            rates().charge(&Usage::new().input(10)),
            Err(UnknownCost::PartialUsage)
        );
        assert_eq!(
            rates().charge(&Usage::new().output(10)),
            Err(UnknownCost::PartialUsage)
        );
        assert_eq!(
            rates().charge(&Usage::new().output(10).cache_read(9)),
            Err(UnknownCost::PartialUsage)
        );
        let embedding = Rates {
            output: None,
            ..rates()
        };
        assert!(embedding.charge(&Usage::new().input(10)).is_ok());
        let free = Rates {
            input: Some(Usd::ZERO),
            output: Some(Usd::ZERO),
            ..Rates::default()
        };
        assert_eq!(
            free.charge(&Usage::new().output(10))
                .map(|charge| charge.total),
            Ok(Usd::ZERO)
        );
    }

    #[test]
    fn tokens_without_a_price_are_no_price_and_never_free() {
        let embedding = Rates {
            output: None,
            ..rates()
        };
        assert_eq!(
            embedding.charge(&Usage::new().input(10).output(1)),
            Err(UnknownCost::NoPrice)
        );
        assert!(embedding.charge(&Usage::new().input(10).output(0)).is_ok());
    }

    #[test]
    fn the_largest_counts_are_priced_or_refused_but_never_wrap() {
        let usage = Usage::new().input(u64::MAX).output(u64::MAX);
        assert!(rates().charge(&usage).is_ok());
        let absurd = Rates {
            input: Some(Usd::MAX),
            ..rates()
        };
        assert_eq!(absurd.charge(&usage), Err(UnknownCost::Overflow));
        let fee = Rates {
            per_call: Usd::MAX,
            ..rates()
        };
        assert_eq!(fee.charge(&usage), Err(UnknownCost::Overflow));
    }
}
