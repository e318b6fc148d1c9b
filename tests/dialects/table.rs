//! Every spelling that the published documents of the dialects give for a plain fact, on a span of that dialect.

use serde_json::{Value as Json, json};
use tracing_genai::testing::capture;

use super::attr;

/// Sets one attribute on a span of each of the dialects; call sites are static, so the names are listed here.
macro_rules! spellings {
    ($($name:literal => $canonical:literal, $value:expr, $expected:expr;)*) => {
        /// Name, canonical name, and what becomes of the value.
        fn spellings() -> Vec<(&'static str, &'static str, Json, Json)> {
            vec![$({
                let capture = capture();
                capture.record(|| {
                    tracing::info_span!(
                        target: "my_app", "work",
                        openinference.span.kind = "LLM",
                        { $name } = $value,
                    ).in_scope(|| {});
                });
                let spans = capture.spans();
                ($name, $canonical, attr(&spans[0], $canonical), json!($expected))
            },)*]
        }
    };
}

spellings! {
    "gen_ai.system" => "gen_ai.provider.name", "openai", "openai";
    "llm.provider" => "gen_ai.provider.name", "mistralai", "mistral_ai";
    "llm.system" => "gen_ai.provider.name", "xai", "x_ai";
    "llm.request.model_name" => "gen_ai.request.model", "m", "m";
    "llm.model_name" => "gen_ai.request.model", "m", "m";
    "llm.response.model_name" => "gen_ai.response.model", "m", "m";
    "langfuse.observation.model.name" => "gen_ai.response.model", "m", "m";
    "gen_ai.response.model_name" => "gen_ai.response.model", "m", "m";
    "llm.finish_reason" => "gen_ai.response.finish_reasons", "stop", ["stop"];
    "gen_ai.response.finish_reason" => "gen_ai.response.finish_reasons", "stop", ["stop"];
    "llm.response.finish_reason" => "gen_ai.response.finish_reasons", "stop", ["stop"];
    "llm.token_count.prompt" => "gen_ai.usage.input_tokens", 7, 7;
    "gen_ai.usage.prompt_tokens" => "gen_ai.usage.input_tokens", 7, 7;
    "llm.token_count.completion" => "gen_ai.usage.output_tokens", 7, 7;
    "gen_ai.usage.completion_tokens" => "gen_ai.usage.output_tokens", 7, 7;
    "llm.token_count.prompt_details.cache_read" => "gen_ai.usage.cache_read.input_tokens", 7, 7;
    "gen_ai.usage.cache_read_input_tokens" => "gen_ai.usage.cache_read.input_tokens", 7, 7;
    "gen_ai.usage.cached_tokens" => "gen_ai.usage.cache_read.input_tokens", 7, 7;
    "gen_ai.usage.cached_input_tokens" => "gen_ai.usage.cache_read.input_tokens", 7, 7;
    "llm.token_count.prompt_details.cache_write" => "gen_ai.usage.cache_write.input_tokens", 7, 7;
    "gen_ai.usage.cache_creation.input_tokens" => "gen_ai.usage.cache_write.input_tokens", 7, 7;
    "gen_ai.usage.cache_creation_input_tokens" => "gen_ai.usage.cache_write.input_tokens", 7, 7;
    "gen_ai.usage.cache_write_tokens" => "gen_ai.usage.cache_write.input_tokens", 7, 7;
    "llm.token_count.completion_details.reasoning" => "gen_ai.usage.reasoning.output_tokens", 7, 7;
    "gen_ai.usage.reasoning_tokens" => "gen_ai.usage.reasoning.output_tokens", 7, 7;
    "llm.usage.reasoning_tokens" => "gen_ai.usage.reasoning.output_tokens", 7, 7;
    "gen_ai.usage.thinking_tokens" => "gen_ai.usage.reasoning.output_tokens", 7, 7;
    "llm.token_count.prompt_details.audio" => "gen_ai.usage.audio.input_tokens", 7, 7;
    "llm.token_count.completion_details.audio" => "gen_ai.usage.audio.output_tokens", 7, 7;
    "llm.cost.total" => "gen_ai.usage.cost", 0.5, 0.5;
    "operation.cost" => "gen_ai.usage.cost", 0.5, 0.5;
    "gen_ai.usage.cost.amount" => "gen_ai.usage.cost", 0.5, 0.5;
    "tool.name" => "gen_ai.tool.name", "t", "t";
    "tool.id" => "gen_ai.tool.call.id", "t", "t";
    "tool_call.id" => "gen_ai.tool.call.id", "t", "t";
    "agent.name" => "gen_ai.agent.name", "a", "a";
    "session.id" => "gen_ai.conversation.id", "s", "s";
    "langfuse.session.id" => "gen_ai.conversation.id", "s", "s";
    "traceloop.association.properties.session_id" => "gen_ai.conversation.id", "s", "s";
    "langfuse.user.id" => "user.id", "u", "u";
    "traceloop.association.properties.user_id" => "user.id", "u", "u";
    "traceloop.workflow.name" => "traceloop.workflow.name", "w", "w";
    "prompt.id" => "gen_ai.prompt.name", "p", "p";
    "langfuse.observation.prompt.name" => "gen_ai.prompt.name", "p", "p";
    "langfuse.prompt.name" => "gen_ai.prompt.name", "p", "p";
    "traceloop.prompt.key" => "gen_ai.prompt.name", "p", "p";
    "llm.prompt_template.version" => "gen_ai.prompt.version", "1", "1";
    "langfuse.observation.prompt.version" => "gen_ai.prompt.version", "1", "1";
    "langfuse.prompt.version" => "gen_ai.prompt.version", "1", "1";
    "traceloop.prompt.version" => "gen_ai.prompt.version", "1", "1";
    "gen_ai.is_streaming" => "gen_ai.request.stream", true, true;
    "llm.is_streaming" => "gen_ai.request.stream", true, true;
    "gen_ai.request.reasoning_effort" => "gen_ai.request.reasoning.level", "low", "low";
    "llm.request.reasoning_effort" => "gen_ai.request.reasoning.level", "low", "low";
    "llm.top_k" => "gen_ai.request.top_k", 40, 40;
    "llm.frequency_penalty" => "gen_ai.request.frequency_penalty", 0.5, 0.5;
    "llm.presence_penalty" => "gen_ai.request.presence_penalty", 0.5, 0.5;
    "llm.chat.stop_sequences" => "gen_ai.request.stop_sequences", "[\"END\"]", ["END"];
    "gen_ai.server.time_to_first_token" => "gen_ai.response.time_to_first_chunk", 0.5, 0.5;
    "gen_ai.client.operation.time_to_first_chunk" => "gen_ai.response.time_to_first_chunk", 0.5, 0.5;
}

#[test]
fn every_spelling_of_a_fact_becomes_the_conventions_own() {
    for (name, canonical, found, expected) in spellings() {
        assert_eq!(found, expected, "{name} as {canonical}");
    }
}

/// What the published tables say that is no plain fact: kinds, packed parameters, content, wildcards. Tested by name elsewhere.
fn is_plain(name: &str) -> bool {
    !name.contains(['*', '<', ' ', '{'])
        && ![
            "openinference.span.kind",
            "langfuse.observation.type",
            "traceloop.span.kind",
            "llm.request.type",
            "model",
            "input.value",
            "output.value",
            "input.mime_type",
            "output.mime_type",
            "metadata",
            "tag.tags",
        ]
        .contains(&name)
        && ![
            "input",
            "output",
            "usage_details",
            "cost_details",
            "parameters",
            "messages",
            "prompt",
            "completion",
        ]
        .iter()
        .any(|end| {
            name.ends_with(end)
                && name != "llm.token_count.prompt"
                && name != "llm.token_count.completion"
        })
}

#[test]
fn every_plain_fact_of_the_published_tables_is_in_the_list_above() {
    let dialects: Json = serde_json::from_slice(include_bytes!("../data/dialects.json")).unwrap();
    let listed = spellings();
    let mut missing = Vec::new();
    for row in dialects["attributes"].as_array().unwrap() {
        let canonical = row["canonical"].as_str().unwrap();
        if !canonical.starts_with("gen_ai.") || canonical.contains(['*', '<', '{', ' ']) {
            continue;
        }
        for dialect in ["openinference", "traceloop", "otel_legacy"] {
            for name in row[dialect]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(Json::as_str)
            {
                let same = name == canonical;
                if !same && is_plain(name) && !listed.iter().any(|(n, ..)| *n == name) {
                    missing.push(format!("{name} ({canonical})"));
                }
            }
        }
    }
    let known = [
        // Told by the span's kind, as a name of what the span is about.
        "traceloop.entity.name (gen_ai.tool.name)",
        "traceloop.entity.name (gen_ai.agent.name)",
        // Content.
        "tool.description (gen_ai.tool.description)",
        "metadata.gen_ai.system_instructions (gen_ai.system_instructions)",
        "llm.prompt_template.variables (gen_ai.prompt.variable.<key>)",
    ];
    missing.retain(|name| !known.contains(&name.as_str()));
    assert!(missing.is_empty(), "{missing:#?}");
}
