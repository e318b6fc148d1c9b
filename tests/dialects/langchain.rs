use opentelemetry::trace::SpanKind;
use serde_json::json;
use tracing::field::Empty;
use tracing_genai::testing::capture;

use super::{attr, events};

macro_rules! generate {
    ($model:literal) => {
        tracing::info_span!(
            target: "langchain_rust::observability",
            "llm.generate",
            provider = "openai",
            model = $model,
            stream = false,
            prompt_tokens = Empty,
            completion_tokens = Empty,
            total_tokens = Empty,
            tool_calls = Empty,
            error = Empty,
        )
    };
}

#[test]
fn its_documented_spans_are_agents_calls_and_tools() {
    let capture = capture();
    capture.record(|| {
        tracing::info_span!(
            target: "langchain_rust::agent::executor",
            "agent.run",
            max_iterations = 10,
            steps = Empty,
            total_tokens = Empty,
            error = Empty,
        )
        .in_scope(|| {
            tracing::info_span!(target: "langchain_rust::agent", "agent.plan", step = 1).in_scope(|| {
                let call = generate!("gpt-4o-mini");
                call.record("prompt_tokens", 100u32);
                call.record("completion_tokens", 20u32);
                call.record("total_tokens", 120u32);
            });
            tracing::info_span!(target: "langchain_rust::agent", "tool.call", tool = "weather", error = Empty)
                .in_scope(|| {});
            tracing::Span::current().record("total_tokens", 120u32);
        });
    });
    let call = capture.span("chat gpt-4o-mini");
    assert_eq!(call.kind, SpanKind::Client);
    assert_eq!(attr(&call, "gen_ai.usage.input_tokens"), json!(100));
    assert_eq!(attr(&call, "gen_ai.usage.output_tokens"), json!(20));
    assert_eq!(attr(&call, "model"), json!(null));
    assert!(call.attr("gen_ai.usage.cost").is_some());
    let tool = capture.span("execute_tool weather");
    assert_eq!(attr(&tool, "gen_ai.tool.name"), json!("weather"));
    let agent = capture.span("invoke_agent");
    assert_eq!(attr(&agent, "llm.total_tokens"), json!(120));
    assert_eq!(attr(&agent, "llm.total_tool_calls"), json!(1));
    capture.assert_sequence([
        "agent.execution.started",
        "llm.call.started",
        "llm.call.completed",
        "tool.call.completed",
        "agent.execution.completed",
    ]);
}

#[test]
fn its_error_field_fails_the_span_and_its_text_stays_at_home() {
    let capture = capture();
    capture.record(|| {
        let call = generate!("gpt-4o-mini");
        call.record(
            "error",
            tracing::field::display("canary: 401 from the server"),
        );
    });
    let span = capture.span("chat gpt-4o-mini");
    assert!(span.attr("error.type").is_some());
    assert!(!format!("{span:?}").contains("canary"));
    assert_eq!(events(&capture).last().unwrap(), "llm.call.failed");
}

#[test]
fn its_embeddings_are_embeddings() {
    let capture = capture();
    capture.record(|| {
        tracing::info_span!(
            target: "langchain_rust::observability",
            "embed.query",
            provider = "openai",
            model = "text-embedding-3-small",
            count = 1,
            error = Empty,
        )
        .in_scope(|| {});
    });
    let span = capture.span("embeddings text-embedding-3-small");
    assert_eq!(attr(&span, "gen_ai.operation.name"), json!("embeddings"));
}
