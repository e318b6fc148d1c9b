//! What a call costs: known bills, refusals, precedence, and prices replaced while in use.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use genai_prices::{Calculator, PriceRequest, Usage as Units};
use tracing_genai::enrich::{
    CostModel, CostOutcome, CostSource, Override, PriceError, PriceTable, PricedCall, UnknownCost,
};
use tracing_genai::event::Usage;

/// 2026-10-20T12:00:00Z: after every tier and batch rate of the bundled table began.
const AUTUMN_2026: u64 = 1_792_497_600;

fn at(seconds: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(seconds)
}

fn call<'a>(provider: &'a str, model: &'a str, usage: Usage) -> PricedCall<'a> {
    PricedCall::new(model, usage, at(AUTUMN_2026)).provider(provider)
}

#[track_caller]
fn total(outcome: &CostOutcome) -> String {
    outcome
        .cost()
        .unwrap_or_else(|| panic!("{outcome:?}"))
        .total
        .to_string()
}

fn two_sided() -> Usage {
    Usage::new().input(1_000_000).output(1_000_000)
}

/// A list of one provider and one model, in the published form.
fn list(input: f64) -> Vec<u8> {
    format!(
        r#"[{{"id": "acme", "name": "Acme", "api_pattern": "https://acme\\.test", "future_key": 1,
             "models": [{{"id": "m", "match": {{"equals": "m"}}, "prices": {{"input_mtok": {input}, "output_mtok": 0}}}},
                        {{"id": "fee", "match": {{"equals": "fee"}}, "prices": {{"requests_kcount": 5, "input_mtok": 1, "output_mtok": 1}}}},
                        {{"id": "reasoner", "match": {{"equals": "reasoner"}}, "prices": {{"input_mtok": 1, "output_mtok": 2, "output_reasoning_mtok": 3}}}},
                        {{"id": "long", "match": {{"equals": "long"}}, "prices": {{"output_mtok": 1,
                          "input_mtok": {{"base": 1, "tiers": [{{"start": 200000, "price": 2}}, {{"start": 400000, "price": 4}}]}}}}}},
                        {{"id": "dated", "match": {{"equals": "dated"}}, "prices": [
                          {{"prices": {{"input_mtok": 1, "output_mtok": 1}}}},
                          {{"constraint": {{"start_date": "2026-06-01"}}, "prices": {{"input_mtok": 2, "output_mtok": 2}}}}]}},
                        {{"id": "free-by-silence", "match": {{"equals": "silent"}}, "prices": {{}}}},
                        {{"id": "gift:free", "match": {{"equals": "gift:free"}}, "prices": {{}}}}]}}]"#
    )
    .into_bytes()
}

fn acme(input: f64) -> PriceTable {
    PriceTable::from_bytes(list(input)).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn a_cached_call_costs_what_two_other_backends_say() {
    let usage = Usage::new().input(180).cache_read(40).output(32);
    let outcome = PriceTable::bundled().price(&call("openai", "gpt-4o-mini", usage));
    let cost = outcome.cost().expect("priced");
    assert_eq!(cost.total.to_string(), "$0.0000432");
    assert_eq!(cost.total.as_f64(), 4.32e-5);
    assert_eq!(
        cost.input.map(|part| part.to_string()).as_deref(),
        Some("$0.000024")
    );
    assert_eq!(
        cost.output.map(|part| part.to_string()).as_deref(),
        Some("$0.0000192")
    );
    assert_eq!(
        (cost.source, &*cost.matched),
        (CostSource::Table, "openai/gpt-4o-mini")
    );
    assert!(cost.table.starts_with("genai-prices"), "{}", cost.table);
}

#[test]
fn an_anthropic_call_from_the_cache_is_cheap_and_its_broken_counts_are_refused() {
    let prices = PriceTable::bundled();
    let model = "us.anthropic.claude-sonnet-4-5-20250929-v1:0";
    // 3 plain, 13,216 read from the cache, 25 written to it, 12 out; regional prices of Bedrock.
    let usage = Usage::new()
        .input(13_244)
        .cache_read(13_216)
        .cache_write(25)
        .output(12);
    let outcome = prices.price(&call("aws.bedrock", model, usage));
    assert_eq!(total(&outcome), "$0.004672305");
    // The same call with an input that leaves the cache out, as the provider itself reports it.
    let exclusive = Usage::new()
        .input(3)
        .cache_read(13_216)
        .cache_write(25)
        .output(12);
    let outcome = prices.price(&call("aws.bedrock", model, exclusive));
    assert_eq!(
        outcome,
        CostOutcome::Unknown(UnknownCost::InconsistentUsage)
    );
}

#[test]
fn a_thousand_million_tokens_are_exact() {
    let usage = Usage::new().input(1_000_000_000).output(1_000_000_000);
    assert_eq!(
        total(&PriceTable::bundled().price(&call("openai", "gpt-4o-mini", usage))),
        "$750.00"
    );
    let exact = PriceTable::bundled()
        .with_override(Override::exact("m").input("0.1").output("0.2"))
        .expect("valid");
    assert_eq!(total(&exact.price(&call("p", "m", usage))), "$300.00");
    let one = Usage::new().input(1).output(1);
    assert_eq!(total(&exact.price(&call("p", "m", one))), "$0.0000003");
}

#[test]
fn what_cannot_be_priced_is_unknown_and_never_zero() {
    let (bundled, acme) = (PriceTable::bundled(), acme(1.0));
    for (prices, call, reason) in [
        (
            &bundled,
            call("openai", "brand-new-model", two_sided()),
            UnknownCost::UnknownModel,
        ),
        (
            &bundled,
            call("openai", "", two_sided()),
            UnknownCost::UnknownModel,
        ),
        (
            &bundled,
            call("ollama", "qwen3:8b", two_sided()),
            UnknownCost::SelfHosted,
        ),
        (
            &bundled,
            call("openai", "gpt-4o", Usage::new()),
            UnknownCost::NoUsage,
        ),
        (
            &bundled,
            call("openai", "gpt-4o", Usage::new().input(10)),
            UnknownCost::PartialUsage,
        ),
        (
            &bundled,
            call("openai", "whisper-1", two_sided()),
            UnknownCost::NoPrice,
        ),
        (
            &acme,
            call("acme", "silent", two_sided()),
            UnknownCost::NoPrice,
        ),
    ] {
        for _ in 0..2 {
            assert_eq!(
                prices.price(&call),
                CostOutcome::Unknown(reason),
                "{call:?}"
            );
        }
    }
    let absurd = PriceTable::bundled()
        .with_override(Override::exact("m").input("1e20").output("0"))
        .expect("valid");
    let usage = Usage::new().input(u64::MAX).output(0);
    assert_eq!(
        absurd.price(&call("p", "m", usage)),
        CostOutcome::Unknown(UnknownCost::Overflow)
    );
}

#[test]
fn free_is_zero_where_the_list_or_the_user_says_so() {
    let acme = acme(0.0);
    assert_eq!(total(&acme.price(&call("acme", "m", two_sided()))), "$0.00");
    assert_eq!(
        total(&acme.price(&call("acme", "gift:free", two_sided()))),
        "$0.00"
    );
    let local = PriceTable::bundled()
        .with_override(
            Override::prefix("")
                .provider("ollama")
                .input("0")
                .output("0"),
        )
        .expect("valid");
    let outcome = local.price(&call("Ollama", "qwen3:8b", Usage::new().output(48)));
    assert_eq!(total(&outcome), "$0.00");
    assert_eq!(
        outcome.cost().map(|cost| cost.source),
        Some(CostSource::Override)
    );
}

#[test]
fn exact_beats_prefix_beats_regex_beats_table() {
    let rate = |pattern: Override, rate: &str| pattern.input(rate).output("0");
    let prices = PriceTable::bundled()
        .with_overrides([
            rate(Override::regex("gpt-4o.*|house-.*"), "1"),
            rate(Override::prefix("gpt-4o-"), "2"),
            rate(Override::exact("gpt-4o-mini"), "3"),
            rate(Override::prefix("gpt-"), "4"),
        ])
        .expect("valid");
    for (model, expected) in [
        ("gpt-4o-mini", "$3.00"),
        ("gpt-4o-2024-08-06", "$2.00"),
        ("gpt-4o", "$4.00"),
        ("house-9", "$1.00"),
        ("o3", "$10.00"),
    ] {
        assert_eq!(
            total(&prices.price(&call("openai", model, two_sided()))),
            expected,
            "{model}"
        );
    }
    let other = prices.price(&call("openai", "my-house-9", two_sided()));
    assert_eq!(other.unknown(), Some(UnknownCost::UnknownModel));
}

#[test]
fn a_negotiated_price_from_a_file_replaces_the_list_for_its_provider_only() {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("negotiated.json");
    std::fs::write(
        &path,
        r#"[{"provider": "azure_openai", "model": "gpt-4o", "input_per_mtok": 2.1, "output_per_mtok": "8.40",
             "cache_read_per_mtok": "1.05", "note": "contract until 2027"}]"#,
    )
    .expect("written");
    let prices = PriceTable::bundled()
        .with_overrides(Override::from_file(&path).expect("read"))
        .expect("valid");
    let usage = Usage::new()
        .input(1_000_000)
        .cache_read(500_000)
        .output(1_000_000);
    assert_eq!(
        total(&prices.price(&call("azure.ai.openai", "gpt-4o", usage))),
        "$9.975"
    );
    assert_eq!(
        total(&prices.price(&call("openai", "gpt-4o", usage))),
        "$11.875"
    );
    // The response names the snapshot, the request the name the contract is about.
    let snapshot = call("azure", "gpt-4o-2024-08-06", usage).request_model("gpt-4o");
    assert_eq!(total(&prices.price(&snapshot)), "$9.975");
}

#[test]
fn dated_snapshots_cost_what_their_family_costs() {
    let prices = PriceTable::bundled();
    for (provider, family, snapshot) in [
        ("openai", "gpt-4o-mini", "gpt-4o-mini-2024-07-18"),
        ("openai", "gpt-5-mini", "gpt-5-mini-2025-08-07"),
        (
            "anthropic",
            "claude-sonnet-4-5",
            "claude-sonnet-4-5-20250929",
        ),
        ("openai", "gpt-4o-mini", "gpt-4o-mini-2031-01-02"),
    ] {
        let (family, snapshot) = (
            call(provider, family, two_sided()),
            call(provider, snapshot, two_sided()),
        );
        assert_eq!(
            total(&prices.price(&family)),
            total(&prices.price(&snapshot)),
            "{}",
            snapshot.model
        );
    }
}

#[test]
fn the_model_asked_for_helps_where_the_answer_names_one_the_list_does_not_have() {
    let prices = PriceTable::bundled();
    let bare = call("azure", "prod-chat", two_sided());
    assert_eq!(
        prices.price(&bare).unknown(),
        Some(UnknownCost::UnknownModel)
    );
    assert_eq!(
        total(&prices.price(&bare.request_model("gpt-4o"))),
        "$12.50"
    );
}

#[test]
fn tiers_and_batch_change_the_price_and_standard_does_not() {
    let prices = PriceTable::bundled();
    let o3 = call("openai", "o3", two_sided());
    assert_eq!(total(&prices.price(&o3)), "$10.00");
    for (tier, expected) in [
        ("default", "$10.00"),
        ("auto", "$10.00"),
        ("flex", "$5.00"),
        ("priority", "$17.50"),
        ("batch", "$5.00"),
    ] {
        assert_eq!(
            total(&prices.price(&o3.service_tier(tier))),
            expected,
            "{tier}"
        );
    }
    assert_eq!(total(&prices.price(&o3.batch(true))), "$5.00");
}

#[test]
fn the_time_of_the_call_selects_the_price() {
    let acme = acme(1.0);
    let june = 1_780_272_000; // 2026-06-01T00:00:00Z
    for (seconds, expected) in [
        (june - 1, "$2.00"),
        (june, "$4.00"),
        (june - 1, "$2.00"),
        (0, "$2.00"),
    ] {
        let call = PricedCall::new("dated", two_sided(), at(seconds)).provider("acme");
        assert_eq!(total(&acme.price(&call)), expected, "{seconds}");
    }
    let before = UNIX_EPOCH - Duration::from_secs(5);
    let call = PricedCall::new("dated", two_sided(), before).provider("acme");
    assert_eq!(total(&acme.price(&call)), "$2.00");
}

#[test]
fn a_long_context_costs_more_whatever_was_priced_before() {
    let sizes = [
        100_u64, 400_001, 200_000, 1_000_000, 200_001, 400_000, 1, 300_000, 500_000, 0,
    ];
    let fresh: BTreeMap<u64, String> = sizes
        .iter()
        .map(|size| (*size, long(&acme(1.0), *size)))
        .collect();
    assert_eq!(fresh[&200_000], "$0.20");
    assert_eq!(fresh[&200_001], "$0.400002");
    assert_eq!(fresh[&400_001], "$1.600004");
    let reused = acme(1.0);
    for size in sizes.iter().chain(sizes.iter().rev()) {
        assert_eq!(long(&reused, *size), fresh[size], "{size}");
    }
}

fn long(prices: &PriceTable, input: u64) -> String {
    total(&prices.price(&call("acme", "long", Usage::new().input(input).output(0))))
}

#[test]
fn fees_per_call_and_reasoning_rates_are_charged() {
    let acme = acme(1.0);
    let outcome = acme.price(&call("acme", "fee", Usage::new().input(10).output(10)));
    let cost = outcome.cost().expect("priced");
    assert_eq!(cost.total.to_string(), "$0.00502");
    let reasoned = acme.price(&call(
        "acme",
        "reasoner",
        Usage::new().input(0).output(1_000_000).reasoning(500_000),
    ));
    assert_eq!(total(&reasoned), "$2.50");
}

#[test]
fn a_bad_file_keeps_the_good_table() {
    let folder = tempfile::tempdir().expect("folder");
    let (good, bad) = (
        folder.path().join("good.json"),
        folder.path().join("bad.json"),
    );
    std::fs::write(&good, list(7.0)).expect("written");
    let prices = PriceTable::from_file(&good).expect("loaded");
    let version = prices.version();
    assert!(version.starts_with("good.json, 7 models"), "{version}");
    for (content, problem) in [
        ("", "EOF"),
        ("nonsense", "expected"),
        ("{}", "expected a provider array"),
        ("[]", "it holds no models"),
        (r#"[{"id": "Acme"}]"#, "are required"),
        (
            r#"[{"id": "a", "name": "A", "api_pattern": "a", "models": [{"id": "m", "match": {"equals": "m"}, "prices": {"input_mtok": -1}}]}]"#,
            "input_mtok",
        ),
    ] {
        std::fs::write(&bad, content).expect("written");
        let error = prices.load_file(&bad).expect_err(content).to_string();
        assert!(
            error.contains("bad.json") && error.contains(problem),
            "{error}"
        );
        assert!(prices.load_bytes(content).is_err());
        assert!(PriceTable::from_bytes(content).is_err());
    }
    let missing = prices
        .load_file(folder.path().join("missing.json"))
        .expect_err("missing");
    assert!(matches!(missing, PriceError::Read { .. }), "{missing}");
    assert!(
        prices
            .set_overrides([Override::exact("m").input("x")])
            .is_err()
    );
    assert_eq!(
        total(&prices.price(&call("acme", "m", two_sided()))),
        "$7.00"
    );
    assert_eq!(prices.version(), version);
}

#[test]
fn prices_are_swapped_whole_while_calls_are_being_priced() {
    let prices = acme(1.0);
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let pricing: Vec<_> = (0..3)
            .map(|_| {
                scope.spawn(|| {
                    let mut seen = 0_u64;
                    while !done.load(Ordering::Acquire) || seen == 0 {
                        let outcome = prices.price(&call("acme", "m", two_sided()));
                        let cost = outcome.cost().expect("priced");
                        // Input rate and edition belong together: never the price of one under the name of another.
                        let expected = if *cost.table == *acme_version(1.0) {
                            "$1.00"
                        } else {
                            "$2.00"
                        };
                        assert_eq!(cost.total.to_string(), expected);
                        seen += 1;
                    }
                    seen
                })
            })
            .collect();
        for round in 0..200 {
            prices
                .load_bytes(list(if round % 2 == 0 { 2.0 } else { 1.0 }))
                .expect("loaded");
            assert!(prices.load_bytes("nonsense").is_err());
        }
        done.store(true, Ordering::Release);
        for thread in pricing {
            assert!(thread.join().expect("no panic") > 0);
        }
    });
}

fn acme_version(input: f64) -> std::sync::Arc<str> {
    static ONE: std::sync::OnceLock<std::sync::Arc<str>> = std::sync::OnceLock::new();
    ONE.get_or_init(|| acme(input).version()).clone()
}

#[test]
fn a_new_list_keeps_the_overrides_and_forgets_what_the_old_one_said() {
    let prices = acme(1.0)
        .with_override(Override::exact("mine").input("5").output("0"))
        .expect("valid");
    let clone = prices.clone();
    assert_eq!(
        total(&prices.price(&call("acme", "m", two_sided()))),
        "$1.00"
    );
    clone.load_bytes(list(2.0)).expect("loaded");
    assert_eq!(
        total(&prices.price(&call("acme", "m", two_sided()))),
        "$2.00"
    );
    assert_eq!(
        total(&prices.price(&call("acme", "mine", two_sided()))),
        "$5.00"
    );
    clone.set_overrides([]).expect("valid");
    assert_eq!(
        prices.price(&call("acme", "mine", two_sided())).unknown(),
        Some(UnknownCost::UnknownModel)
    );
}

#[test]
fn a_flood_of_invented_models_is_answered_and_forgotten() {
    let prices = PriceTable::bundled();
    for number in 0..5_000 {
        let model = format!("invented-{number}");
        assert!(
            prices
                .price(&call("openai", &model, two_sided()))
                .cost()
                .is_none()
        );
    }
    assert_eq!(
        total(&prices.price(&call("openai", "gpt-4o", two_sided()))),
        "$12.50"
    );
}

/// Every model of the bundled list, at changing sizes, times and tiers, against the list's own engine.
#[test]
fn every_model_costs_what_the_lists_own_engine_says() {
    let (prices, engine) = (PriceTable::bundled(), Calculator::bundled());
    let (mut priced, mut refused) = (0_u32, 0_u32);
    let sizes = [1_u64, 977, 150_001, 250_000, 900_017];
    for (index, (provider, model)) in engine
        .providers()
        .flat_map(|provider| {
            provider
                .models()
                .map(move |model| (provider.id(), model.id()))
        })
        .enumerate()
    {
        // Local runtimes are refused by name, and a few entries are not found under their own id.
        for (round, size) in sizes.iter().enumerate() {
            let time = at(1_735_689_600 + (index * 7 + round * 13) as u64 * 3_601 * 5);
            let usage = Usage::new()
                .input(*size)
                .cache_read(size / 3)
                .cache_write(size / 5)
                .output(333)
                .reasoning(111);
            let tier = [None, Some("flex"), Some("priority")][(index + round) % 3];
            let batch = (index + round) % 4 == 0;
            let mut asked = PricedCall::new(model, usage, time)
                .provider(provider)
                .batch(batch);
            asked.service_tier = tier;
            let units = Units::from([
                ("input_tokens", *size as f64),
                ("cache_read_tokens", (size / 3) as f64),
                ("cache_write_tokens", (size / 5) as f64),
                ("output_tokens", 333.0),
                ("output_reasoning_tokens", 111.0),
            ]);
            let mut request = PriceRequest::new(model, &units)
                .with_provider_id(provider)
                .with_timestamp(time);
            if let Some(tier) = tier {
                request = request.with_price_context("service_tier", tier);
            }
            if batch {
                request = request.with_price_context("processing", "batch");
            }
            match (prices.price(&asked), engine.calculate(&request)) {
                (CostOutcome::Priced(cost), Ok(expected)) => {
                    let (ours, theirs) = (cost.total.as_f64(), expected.total_price);
                    assert!(
                        (ours - theirs).abs() <= 2e-12 + theirs * 1e-12,
                        "{asked:?}: {ours} {theirs}"
                    );
                    priced += 1;
                }
                // No price for a side that was used: the engine leaves it out of the sum.
                (CostOutcome::Unknown(UnknownCost::NoPrice), Ok(_)) => refused += 1,
                (CostOutcome::Unknown(_), Err(_)) => {}
                (CostOutcome::Priced(cost), Err(_)) => assert_ne!(&*cost.matched, ""),
                (outcome, expected) => panic!("{asked:?}: {outcome:?} {expected:?}"),
            }
        }
    }
    assert!(
        priced > 9_000 && refused < 1_500,
        "{priced} priced, {refused} refused"
    );
}

#[test]
fn nothing_secret_or_endless_is_in_the_debug_form() {
    let prices = PriceTable::bundled();
    assert_eq!(
        format!("{prices:?}"),
        r#"PriceTable { version: "bundled, not decoded yet", overrides: 0 }"#
    );
    prices.warm();
    assert!(format!("{prices:?}").contains("genai-prices"));
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig { failure_persistence: None, ..Default::default() })]

    #[test]
    fn any_names_and_counts_get_an_answer(
        provider in "\\PC{0,12}|(aws|google|azure|openrouter)",
        model in "\\PC{0,40}|(gpt-4o|claude-sonnet-4-5|gemini-2.5-pro)[-@/]?[0-9-]{0,12}",
        counts in proptest::array::uniform5(proptest::option::of(proptest::num::u64::ANY)),
        seconds in 0_u64..20_000_000_000,
    ) {
        static PRICES: std::sync::OnceLock<PriceTable> = std::sync::OnceLock::new();
        let mut usage = Usage::new();
        [usage.input_tokens, usage.output_tokens, usage.cache_read_tokens, usage.cache_write_tokens, usage.reasoning_tokens] = counts;
        let call = PricedCall::new(&model, usage, at(seconds)).provider(&provider);
        let prices = PRICES.get_or_init(PriceTable::bundled);
        let (first, second) = (prices.price(&call), prices.price(&call));
        proptest::prop_assert_eq!(&first, &second);
        if let Some(cost) = first.cost() {
            let shares = [cost.input, cost.output].into_iter().flatten().sum();
            proptest::prop_assert!(cost.total >= shares);
        }
    }
}
