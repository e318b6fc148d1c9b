use opentelemetry::trace::SpanKind;
use serde_json::json;
use tracing::Span;
use tracing::field::{Empty, display};
use tracing_genai::testing::capture;

use super::{attr, events};

/// The span of a model call as rig's agents open it: all but the agent's name comes later.
macro_rules! chat {
    () => {
        tracing::info_span!(
            target: "rig::agent_chat",
            "chat",
            rig.completion_parent = true,
            gen_ai.operation.name = Empty,
            gen_ai.agent.name = "weather",
            gen_ai.provider.name = Empty,
            gen_ai.request.model = Empty,
            gen_ai.request.stream = Empty,
            gen_ai.response.id = Empty,
            gen_ai.response.model = Empty,
            rig.provider_request_id = Empty,
            gen_ai.usage.input_tokens = Empty,
            gen_ai.usage.output_tokens = Empty,
            gen_ai.usage.cache_read.input_tokens = Empty,
            gen_ai.usage.cache_creation.input_tokens = Empty,
            gen_ai.usage.tool_use_prompt_tokens = Empty,
            gen_ai.usage.reasoning_tokens = Empty,
            gen_ai.input.messages = Empty,
            gen_ai.output.messages = Empty,
        )
    };
}

fn adopt(span: &Span) {
    span.record("gen_ai.operation.name", "chat");
    span.record("gen_ai.provider.name", "openai");
    span.record("gen_ai.request.model", "gpt-4o-mini");
}

fn answer(span: &Span) {
    span.record("gen_ai.response.id", "chatcmpl-1");
    span.record("gen_ai.response.model", "gpt-4o-mini-2024-07-18");
    span.record("gen_ai.usage.input_tokens", 100u64);
    span.record("gen_ai.usage.output_tokens", 20u64);
    span.record("gen_ai.usage.cache_creation.input_tokens", 10u64);
    span.record("gen_ai.usage.reasoning_tokens", 5u64);
    span.record("gen_ai.usage.tool_use_prompt_tokens", 7u64);
}

// A span may learn what it is after it has begun: its start and its end are told as one thing all the same.
#[test]
fn a_call_that_says_its_operation_late_starts_and_ends_as_a_model_call() {
    let capture = capture();
    capture.record(|| {
        let span = chat!();
        span.in_scope(|| adopt(&span));
        answer(&span);
    });
    let span = capture.span("chat gpt-4o-mini");
    assert_eq!(span.kind, SpanKind::Client);
    assert_eq!(
        attr(&span, "gen_ai.usage.cache_write.input_tokens"),
        json!(10)
    );
    assert_eq!(
        attr(&span, "gen_ai.usage.reasoning.output_tokens"),
        json!(5)
    );
    assert_eq!(
        attr(&span, "gen_ai.usage.cache_creation.input_tokens"),
        json!(null)
    );
    assert_eq!(
        attr(&span, "gen_ai.usage.tool_use_prompt_tokens"),
        json!(null)
    );
    assert!(span.attr("gen_ai.usage.cost").is_some());
    assert_eq!(events(&capture), ["llm.call.started", "llm.call.completed"]);
}

#[test]
fn usage_that_is_recorded_twice_counts_once() {
    let capture = capture();
    capture.record(|| {
        let span = chat!();
        adopt(&span);
        answer(&span);
        answer(&span);
    });
    assert_eq!(
        attr(
            &capture.span("chat gpt-4o-mini"),
            "gen_ai.usage.input_tokens"
        ),
        json!(100)
    );
}

// Totals of an agent that repeat what its calls used are not added to them, and no backend can add them twice.
#[test]
fn an_agents_sum_of_its_calls_is_never_added_to_them() {
    let capture = capture();
    capture.record(|| {
        let agent = tracing::info_span!(
            target: "rig_agent::agent::telemetry",
            "invoke_agent",
            gen_ai.operation.name = "invoke_agent",
            gen_ai.agent.name = "weather",
            gen_ai.usage.input_tokens = Empty,
            gen_ai.usage.output_tokens = Empty,
        );
        agent.in_scope(|| {
            for _ in 0..2 {
                let span = chat!();
                span.in_scope(|| adopt(&span));
                answer(&span);
            }
        });
        agent.record("gen_ai.usage.input_tokens", 200u64);
        agent.record("gen_ai.usage.output_tokens", 40u64);
    });
    let agent = capture.span("invoke_agent weather");
    assert_eq!(attr(&agent, "gen_ai.usage.input_tokens"), json!(null));
    assert_eq!(attr(&agent, "llm.total_calls"), json!(2));
    assert_eq!(attr(&agent, "llm.total_tokens"), json!(240));
    assert_eq!(
        attr(&agent, "gen_ai.aggregated_usage.input_tokens"),
        json!(200)
    );
}

// A model call that ends with neither usage nor an error did not use nothing: nobody knows what it used.
#[test]
fn a_call_that_ends_with_neither_usage_nor_an_error_is_unknown_and_not_zero() {
    let capture = capture();
    capture.record(|| {
        let span = chat!();
        span.in_scope(|| adopt(&span));
    });
    let span = capture.span("chat gpt-4o-mini");
    assert_eq!(attr(&span, "gen_ai.usage.input_tokens"), json!(null));
    assert_eq!(attr(&span, "gen_ai.usage.cost"), json!(null));
    assert_eq!(
        attr(&span, "genai.usage.unknown_reason"),
        json!("not_reported")
    );
}

#[test]
fn a_tool_tells_its_id_by_display_and_its_failure_by_names_of_its_own() {
    let capture = capture();
    capture.record(|| {
        let span = tracing::info_span!(
            target: "rig_agent::agent::telemetry",
            "execute_tool",
            gen_ai.operation.name = "execute_tool",
            gen_ai.tool.type = "function",
            gen_ai.tool.name = Empty,
            gen_ai.tool.call.id = Empty,
            gen_ai.tool.call.outcome = Empty,
            gen_ai.tool.error.type = Empty,
        );
        span.record("gen_ai.tool.name", "get_weather");
        span.record("gen_ai.tool.call.id", display("call_1"));
        span.record("gen_ai.tool.call.outcome", "error");
        span.record("gen_ai.tool.error.type", "timeout");
    });
    let span = capture.span("execute_tool get_weather");
    assert_eq!(attr(&span, "gen_ai.tool.call.id"), json!("call_1"));
    assert_eq!(attr(&span, "error.type"), json!("timeout"));
    assert_eq!(attr(&span, "gen_ai.tool.error.type"), json!(null));
    assert!(matches!(
        span.status,
        opentelemetry::trace::Status::Error { .. }
    ));
    assert!(events(&capture).contains(&"tool.call.failed".to_owned()));
}

#[test]
fn older_versions_name_a_streamed_chat_an_operation_of_its_own() {
    let capture = capture();
    capture.record(|| {
        tracing::info_span!(
            target: "rig::completions",
            "chat_streaming",
            gen_ai.operation.name = "chat_streaming",
            gen_ai.provider.name = "mistral",
            gen_ai.request.model = "mistral-small",
            gen_ai.usage.input_tokens = 3,
            gen_ai.usage.output_tokens = 4,
        )
        .in_scope(|| {});
    });
    let span = capture.span("chat mistral-small");
    assert_eq!(attr(&span, "gen_ai.operation.name"), json!("chat"));
    assert_eq!(attr(&span, "gen_ai.request.stream"), json!(true));
    assert_eq!(attr(&span, "gen_ai.provider.name"), json!("mistral_ai"));
}
