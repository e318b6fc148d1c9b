use serde_json::json;
use tracing::field::{Empty, debug, display};
use tracing_genai::testing::capture;

use super::attr;

macro_rules! call {
    () => {
        tracing::info_span!(
            target: "my_app",
            "ask",
            gen_ai.operation.name = "chat",
            gen_ai.request.model = "gpt-4o-mini",
            gen_ai.usage.input_tokens = Empty,
            gen_ai.usage.prompt_tokens = Empty,
            gen_ai.usage.output_tokens = Empty,
            gen_ai.usage.cache_read.input_tokens = Empty,
            gen_ai.usage.reasoning_tokens = Empty,
            gen_ai.response.model = Empty,
            gen_ai.response.finish_reasons = Empty,
        )
    };
}

// One attribute comes as a number of any type, as text by Display or Debug, or as JSON text.
#[test]
fn a_count_is_read_from_a_number_of_any_type_and_from_text() {
    for set in [
        |span: &tracing::Span| {
            span.record("gen_ai.usage.input_tokens", 7u64);
        },
        |span: &tracing::Span| {
            span.record("gen_ai.usage.input_tokens", 7i64);
        },
        |span: &tracing::Span| {
            span.record("gen_ai.usage.input_tokens", 7.0f64);
        },
        |span: &tracing::Span| {
            span.record("gen_ai.usage.input_tokens", "7");
        },
        |span: &tracing::Span| {
            span.record("gen_ai.usage.input_tokens", display(7));
        },
        |span: &tracing::Span| {
            span.record("gen_ai.usage.input_tokens", debug(7));
        },
        |span: &tracing::Span| {
            span.record("gen_ai.usage.prompt_tokens", 7u64);
        },
    ] {
        let capture = capture();
        capture.record(|| set(&call!()));
        assert_eq!(
            attr(
                &capture.span("chat gpt-4o-mini"),
                "gen_ai.usage.input_tokens"
            ),
            json!(7)
        );
    }
}

#[test]
fn text_that_debug_put_into_quotes_loses_them() {
    let capture = capture();
    capture.record(|| {
        let span = call!();
        span.record("gen_ai.response.model", debug("gpt-4o-mini-2024"));
        span.record("gen_ai.response.finish_reasons", debug(vec!["stop"]));
    });
    let span = capture.span("chat gpt-4o-mini");
    assert_eq!(
        attr(&span, "gen_ai.response.model"),
        json!("gpt-4o-mini-2024")
    );
    assert_eq!(
        attr(&span, "gen_ai.response.finish_reasons"),
        json!(["stop"])
    );
}

#[test]
fn the_last_word_wins_across_spellings() {
    let capture = capture();
    capture.record(|| {
        let span = call!();
        span.record("gen_ai.usage.input_tokens", 5u64);
        span.record("gen_ai.usage.prompt_tokens", 9u64);
    });
    assert_eq!(
        attr(
            &capture.span("chat gpt-4o-mini"),
            "gen_ai.usage.input_tokens"
        ),
        json!(9)
    );
}

#[test]
fn counts_that_are_none_are_absent_and_counted() {
    for bad in ["-3", "many", "1.5", "1e300", "NaN", ""] {
        let capture = capture();
        capture.record(|| {
            call!().record("gen_ai.usage.input_tokens", bad);
        });
        let span = capture.span("chat gpt-4o-mini");
        assert_eq!(
            attr(&span, "gen_ai.usage.input_tokens"),
            json!(null),
            "{bad}"
        );
        assert_eq!(attr(&span, "gen_ai.usage.cost"), json!(null), "{bad}");
        assert!(span.dropped_attributes > 0, "{bad}");
    }
}

// 13,216 tokens from a cache cannot be part of an input of 3: which of the two is wrong nobody knows, so nothing is priced.
#[test]
fn usage_that_contradicts_itself_is_neither_exported_nor_priced() {
    let capture = capture();
    capture.record(|| {
        let span = call!();
        span.record("gen_ai.usage.input_tokens", 3u64);
        span.record("gen_ai.usage.cache_read.input_tokens", 13_216u64);
        span.record("gen_ai.usage.output_tokens", 10u64);
    });
    let span = capture.span("chat gpt-4o-mini");
    for name in [
        "gen_ai.usage.input_tokens",
        "gen_ai.usage.cache_read.input_tokens",
        "gen_ai.usage.cost",
    ] {
        assert_eq!(attr(&span, name), json!(null), "{name}");
    }
    assert_eq!(attr(&span, "genai.usage.unknown_reason"), json!("invalid"));
}

// A part of the input that came from the cache is priced as such; thoughts are a part of the output, and paid for once.
#[test]
fn cached_and_thinking_tokens_are_priced_as_what_they_are() {
    let cost = |cached: u64, thoughts: u64| {
        let capture = capture();
        capture.record(|| {
            let span = call!();
            span.record("gen_ai.usage.input_tokens", 10_000u64);
            span.record("gen_ai.usage.cache_read.input_tokens", cached);
            span.record("gen_ai.usage.output_tokens", 1_000u64);
            span.record("gen_ai.usage.reasoning_tokens", thoughts);
        });
        let cost = attr(&capture.span("chat gpt-4o-mini"), "gen_ai.usage.cost");
        cost.as_f64().unwrap()
    };
    assert!(cost(9_000, 0) < cost(0, 0));
    assert_eq!(cost(0, 900), cost(0, 0));
}
