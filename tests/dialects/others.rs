use opentelemetry::trace::SpanKind;
use serde_json::json;
use tracing::field::Empty;
use tracing::level_filters::LevelFilter;
use tracing_genai::testing::{capture, capture_with};

use super::{attr, events};

#[test]
fn genai_tells_its_name_kind_status_and_reasons_in_its_own_way() {
    let capture = capture();
    capture.record(|| {
        // Never entered: it lives from its making to its drop.
        let span = tracing::info_span!(
            target: "genai::otel::span",
            "genai.chat",
            otel.name = "chat gpt-4o-mini",
            otel.kind = "client",
            otel.status_code = Empty,
            error.type = Empty,
            gen_ai.operation.name = "chat",
            gen_ai.provider.name = "openai",
            gen_ai.request.model = "gpt-4o-mini",
            gen_ai.response.finish_reasons = Empty,
            gen_ai.usage.input_tokens = Empty,
            gen_ai.usage.output_tokens = Empty,
            gen_ai.response.time_to_first_chunk = Empty,
        );
        span.record("gen_ai.response.finish_reasons", "[\"stop\"]");
        span.record("gen_ai.usage.input_tokens", 90i64);
        span.record("gen_ai.usage.output_tokens", 24i64);
        span.record("gen_ai.response.time_to_first_chunk", 0.25f64);
    });
    let span = capture.span("chat gpt-4o-mini");
    assert_eq!(span.kind, SpanKind::Client);
    assert!(!span.duration.is_zero(), "time runs from making to drop");
    assert_eq!(
        attr(&span, "gen_ai.response.finish_reasons"),
        json!(["stop"])
    );
    for name in ["otel.name", "otel.kind", "otel.status_code"] {
        assert_eq!(attr(&span, name), json!(null), "{name}");
    }
}

#[test]
fn an_error_status_of_a_client_is_an_error_status() {
    let capture = capture();
    capture.record(|| {
        let span = tracing::info_span!(
            target: "genai::otel::span",
            "genai.chat",
            gen_ai.operation.name = "chat",
            gen_ai.request.model = "m",
            otel.status_code = Empty,
            error.type = Empty,
        );
        span.record("otel.status_code", "ERROR");
        span.record("error.type", "429");
    });
    assert_eq!(attr(&capture.span("chat m"), "error.type"), json!("429"));
    assert_eq!(events(&capture).last().unwrap(), "llm.call.failed");
}

#[test]
fn yoagent_counts_its_cache_beside_the_input() {
    let capture = capture();
    capture.record(|| {
        tracing::info_span!(target: "yoagent::agent_loop", "agent_loop", model = "claude")
            .in_scope(|| {
                let span = tracing::info_span!(
                    target: "yoagent::agent_loop",
                    "llm_stream",
                    model = "claude-sonnet-4-5",
                    tokens_in = Empty,
                    tokens_out = Empty,
                    tokens_cached = Empty,
                    cost_usd = Empty,
                    error = Empty,
                );
                span.record("tokens_in", 3u64);
                span.record("tokens_out", 10u64);
                span.record("tokens_cached", 13_216u64);
                span.record("cost_usd", 0.0048f64);
            });
    });
    let span = capture.span("chat claude-sonnet-4-5");
    assert_eq!(attr(&span, "gen_ai.usage.input_tokens"), json!(13_219));
    assert_eq!(attr(&span, "gen_ai.usage.cost"), json!(0.0048));
    assert_eq!(attr(&span, "gen_ai.request.stream"), json!(true));
}

#[test]
fn swiftide_tells_of_its_calls_by_events() {
    let capture = capture_with(|builder| builder.level(LevelFilter::DEBUG));
    capture.record(|| {
        tracing::info_span!(target: "swiftide_agents::agent", "agent.query").in_scope(|| {
            tracing::info_span!(target: "swiftide_integrations::openai", "complete", langfuse.type = "GENERATION").in_scope(|| {
                tracing::event!(
                    target: "swiftide_integrations::openai",
                    tracing::Level::DEBUG,
                    langfuse.model = "gpt-4o-mini",
                    langfuse.input = "canary",
                    langfuse.usage = "{\"input\": 100, \"output\": 20}",
                );
            });
            tracing::info_span!(target: "swiftide_agents::agent", "tool", otel.name = "tool.search").in_scope(|| {});
        });
    });
    let call = capture.span("chat gpt-4o-mini");
    assert_eq!(attr(&call, "gen_ai.usage.input_tokens"), json!(100));
    assert_eq!(
        attr(&capture.span("execute_tool search"), "gen_ai.tool.name"),
        json!("search")
    );
    assert!(events(&capture).contains(&"agent.execution.completed".to_owned()));
    assert!(!format!("{:?}", capture.spans()).contains("canary"));
}

#[test]
fn a_bedrock_sdk_call_at_debug_is_a_model_call_of_unknown_usage() {
    let capture = capture_with(|builder| builder.level(LevelFilter::DEBUG));
    capture.record(|| {
        tracing::debug_span!(
            target: "aws_sdk_bedrockruntime::operation::converse",
            "Bedrock Runtime.Converse",
            rpc.service = "Bedrock Runtime",
            rpc.method = "Converse",
            rpc.system = "aws-api",
        )
        .in_scope(|| {});
    });
    let spans = capture.spans();
    assert_eq!(spans.len(), 1);
    assert_eq!(
        attr(&spans[0], "gen_ai.provider.name"),
        json!("aws.bedrock")
    );
    assert_eq!(
        attr(&spans[0], "genai.usage.unknown_reason"),
        json!("not_reported")
    );
    assert_eq!(spans[0].kind, SpanKind::Client);
}

#[test]
fn kinds_of_openinference_traceloop_and_langfuse_are_understood_on_anybodys_span() {
    for (kind, operation) in [
        ("LLM", "chat"),
        ("EMBEDDING", "embeddings"),
        ("TOOL", "execute_tool"),
        ("AGENT", "invoke_agent"),
        ("CHAIN", "invoke_workflow"),
        ("RETRIEVER", "retrieval"),
    ] {
        let capture = capture();
        capture.record(|| {
            tracing::info_span!(target: "my_app", "work", openinference.span.kind = kind)
                .in_scope(|| {});
        });
        assert_eq!(
            attr(&capture.spans()[0], "gen_ai.operation.name"),
            json!(operation),
            "{kind}"
        );
    }
    for (kind, operation) in [
        ("tool", "execute_tool"),
        ("agent", "invoke_agent"),
        ("workflow", "invoke_workflow"),
    ] {
        let capture = capture();
        capture.record(|| {
            tracing::info_span!(target: "my_app", "work", traceloop.span.kind = kind, traceloop.entity.name = "x").in_scope(|| {});
        });
        assert_eq!(
            attr(&capture.spans()[0], "gen_ai.operation.name"),
            json!(operation),
            "{kind}"
        );
        assert_eq!(capture.spans()[0].name, format!("{operation} x"));
    }
    let capture = capture();
    capture.record(|| {
        tracing::info_span!(target: "my_app", "work", langfuse.observation.type = "generation", langfuse.observation.model.name = "m")
            .in_scope(|| {});
    });
    capture.span("chat m");
}
