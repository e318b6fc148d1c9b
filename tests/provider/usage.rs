use serde_json::json;
use tracing_genai::event::{FinishReason, Usage};
use tracing_genai::provider::{Api, Endpoint};

use super::samples;

#[test]
fn usage_is_read_from_the_json_of_every_provider() {
    for sample in samples() {
        let body = serde_json::from_slice(&sample.read("response.json")).unwrap();
        let usage = Usage::from_json(&body).unwrap();
        let expected = |name: &str| sample.expected["response"][name].as_u64();
        let found = [
            usage.input_tokens,
            usage.output_tokens,
            usage.cache_read_tokens,
            usage.cache_write_tokens,
            usage.reasoning_tokens,
        ];
        let names = [
            "gen_ai.usage.input_tokens",
            "gen_ai.usage.output_tokens",
            "gen_ai.usage.cache_read.input_tokens",
            "gen_ai.usage.cache_write.input_tokens",
            "gen_ai.usage.reasoning.output_tokens",
        ];
        assert_eq!(found, names.map(expected), "{}", sample.name);
    }
}

fn openai(usage: serde_json::Value) -> tracing_genai::provider::Answer {
    let answer = json!({"choices": [{"finish_reason": "stop", "message": {}}], "usage": usage});
    Endpoint::new(Api::OpenAiChat, "openai").answer(&answer, false)
}

// Cached and thinking tokens are parts of input and output, whatever school the provider's arithmetic is of.
#[test]
fn cached_and_thinking_tokens_are_parts_of_input_and_output_at_every_provider() {
    for sample in samples() {
        let body = serde_json::from_slice(&sample.read("response.json")).unwrap();
        let answer = sample.endpoint("url").answer(&body, false);
        assert!(answer.usage.is_consistent(), "{}", sample.name);
    }
}

#[test]
fn cache_tokens_beside_the_input_are_added_where_the_total_proves_it() {
    // 3 of input, 13,216 from the cache: the total says that the two are apart.
    let answer = openai(
        json!({"prompt_tokens": 3, "completion_tokens": 10, "total_tokens": 13_229,
        "prompt_tokens_details": {"cached_tokens": 13_216}}),
    );
    assert_eq!(answer.usage.input_tokens, Some(13_219));
    assert_eq!(answer.refused, 0);
}

#[test]
fn parts_larger_than_their_whole_are_left_out_and_counted() {
    let answer = openai(json!({"prompt_tokens": 3, "completion_tokens": 10,
        "prompt_tokens_details": {"cached_tokens": 13_216}}));
    assert_eq!(answer.usage.input_tokens, None);
    assert_eq!(answer.usage.cache_read_tokens, None);
    assert_eq!(answer.usage.output_tokens, Some(10));
    assert_eq!(answer.refused, 2);
}

#[test]
fn counts_that_are_none_are_left_out_and_counted() {
    for count in [
        json!(-1),
        json!("12"),
        json!(1.5),
        json!(1e300),
        json!({}),
        json!(true),
    ] {
        let answer = openai(json!({"prompt_tokens": count, "completion_tokens": 4}));
        assert_eq!(answer.usage.input_tokens, None, "{count}");
        assert_eq!(
            (answer.usage.output_tokens, answer.refused),
            (Some(4), 1),
            "{count}"
        );
    }
    // Some servers write whole numbers as floats.
    assert_eq!(
        openai(json!({"prompt_tokens": 12.0})).usage.input_tokens,
        Some(12)
    );
    assert_eq!(openai(json!({"prompt_tokens": null})).refused, 0);
}

#[test]
fn embeddings_have_input_tokens_and_a_model() {
    for (api, answer) in [
        (
            Api::OpenAiEmbeddings,
            json!({"object": "list", "model": "m", "usage": {"prompt_tokens": 8, "total_tokens": 8}}),
        ),
        (
            Api::OllamaEmbeddings,
            json!({"model": "m", "embeddings": [[0.1]], "prompt_eval_count": 8}),
        ),
        (
            Api::CohereEmbeddings,
            json!({"model": "m", "id": "x", "meta": {"billed_units": {"input_tokens": 8}}}),
        ),
    ] {
        let endpoint = Endpoint::new(api, "p");
        assert_eq!(endpoint.operation(), "embeddings");
        let answer = endpoint.answer(&answer, false);
        assert_eq!(answer.usage.input_tokens, Some(8), "{api:?}");
        assert_eq!(
            answer.attrs.get("gen_ai.response.model"),
            Some(&"m".into()),
            "{api:?}"
        );
    }
}

#[test]
fn finish_reasons_are_one_vocabulary_and_an_unknown_word_stays_as_it_came() {
    let wire: serde_json::Value =
        serde_json::from_slice(include_bytes!("../data/provider/wire.json")).unwrap();
    for (common, words) in wire["normalized_finish_reasons"].as_object().unwrap() {
        for word in words
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|w| w.as_str())
        {
            if word.contains(' ') {
                continue;
            }
            assert_eq!(super::word(&FinishReason::from(word)), common, "{word}");
        }
    }
    assert_eq!(FinishReason::from("tool_calls"), FinishReason::ToolCalls);
    assert_eq!(FinishReason::from("ToolCalls"), FinishReason::ToolCalls);
    assert_eq!(
        FinishReason::from("weird"),
        FinishReason::Other("weird".into())
    );
}
