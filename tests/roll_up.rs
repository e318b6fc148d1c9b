//! Totals of random trees whose spans end in random orders: nothing is lost, nothing is counted twice.

use opentelemetry::SpanId;
use proptest::prelude::*;
use tracing_genai::enrich::{Role, RollUp, Totals, Usd};
use tracing_genai::event::Usage;

/// Span `i + 1` has the parent `parents[i] % (i + 1)`, so that 0 is the root of every tree.
fn tree() -> impl Strategy<Value = (Vec<usize>, Vec<u32>, Vec<u8>)> {
    (1_usize..200).prop_flat_map(|spans| {
        (
            proptest::collection::vec(any::<usize>(), spans).prop_map(|raw| {
                raw.iter()
                    .enumerate()
                    .map(|(index, raw)| raw % (index + 1))
                    .collect::<Vec<_>>()
            }),
            proptest::collection::vec(any::<u32>(), spans),
            proptest::collection::vec(0_u8..4, spans),
        )
    })
}

fn id(span: usize) -> SpanId {
    SpanId::from(span as u64 + 1)
}

/// What a span of this kind did itself. Model calls are leaves here: their nesting has its own rules and tests.
fn own(kind: u8, leaf: bool, span: usize) -> (Role, Totals) {
    match (kind, leaf) {
        (0 | 1, true) => {
            let usage = Usage::new()
                .input(span as u64 * 7)
                .output(span as u64)
                .cache_read(span as u64);
            (
                Role::ModelCall,
                Totals::model_call(usage, Some(Usd::from_pico(span as i128 * 11))),
            )
        }
        (2, _) => (Role::Scope, Totals::tool_call(span.is_multiple_of(2))),
        (1, false) => (Role::Plain, Totals::NONE),
        _ => (Role::Scope, Totals::NONE),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(512) })]

    #[test]
    fn the_root_has_the_sum_of_its_tree_whatever_the_order((parents, keys, kinds) in tree(), root_last in any::<bool>()) {
        let mut order: Vec<usize> = (1..=parents.len()).collect();
        order.sort_by_key(|span| keys[span - 1]);
        let place = if root_last { order.len() } else { keys[0] as usize % (order.len() + 1) };
        order.insert(place, 0);

        let mut roll_up = RollUp::new();
        let (mut expected, mut root) = (Totals::NONE, Totals::NONE);
        for span in order {
            if span == 0 {
                root = roll_up.end(id(0), None, Role::Scope, Totals::NONE);
                continue;
            }
            let leaf = !parents.contains(&span);
            let (role, totals) = own(kinds[span - 1], leaf, span);
            prop_assert!(expected.add(&totals));
            roll_up.end(id(span), Some(id(parents[span - 1])), role, totals);
        }
        let stats = roll_up.stats();
        if root_last {
            prop_assert_eq!(root, expected);
            prop_assert_eq!(stats.orphaned, 0);
        }
        prop_assert!(root.add(&stats.lost));
        prop_assert_eq!(root, expected);
        prop_assert_eq!((stats.evicted, stats.overflows), (0, 0));
    }

    #[test]
    fn a_chain_of_nested_model_calls_is_one_call_in_any_order(keys in proptest::collection::vec(any::<u32>(), 1..60)) {
        let mut order: Vec<usize> = (1..=keys.len()).collect();
        order.sort_by_key(|span| keys[span - 1]);
        let mut roll_up = RollUp::new();
        for span in order {
            let usage = Usage::new().input(5).output(5);
            roll_up.end(id(span), Some(id(span - 1)), Role::ModelCall, Totals::model_call(usage, None));
        }
        let root = roll_up.end(id(0), None, Role::Scope, Totals::NONE);
        prop_assert_eq!((root.calls, root.usage.input_tokens), (1, Some(5)));
    }
}
