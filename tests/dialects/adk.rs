use serde_json::json;
use tracing::field::Empty;
use tracing::level_filters::LevelFilter;
use tracing_genai::testing::capture_with;

use super::{attr, events};

fn run() -> tracing_genai::testing::Capture {
    let capture = capture_with(|builder| builder.level(LevelFilter::DEBUG));
    capture.record(|| {
        tracing::info_span!(
            target: "adk_runner::runner",
            "agent.execute",
            agent.name = "helper",
            gen_ai.conversation.id = "s1",
        )
        .in_scope(|| {
            tracing::info_span!(
                target: "adk_agent::llm_agent",
                "call_llm",
                gcp.vertex.agent.llm_request = "canary: the prompt",
                gcp.vertex.agent.llm_response = Empty,
                gen_ai.conversation.id = "s1",
            )
            .in_scope(|| {
                tracing::info_span!(target: "adk_model::openai", "model.generate_content", model.name = "gpt-4o-mini", stream = true)
                    .in_scope(|| {
                        let call = tracing::info_span!(
                            target: "adk_telemetry::semconv",
                            "gen_ai.generate",
                            gen_ai.system = %"openai",
                            gen_ai.request.model = %"gpt-4o-mini",
                            gen_ai.request.stream = true,
                            otel.kind = "client",
                            gen_ai.usage.input_tokens = Empty,
                            gen_ai.usage.output_tokens = Empty,
                            gen_ai.usage.total_tokens = Empty,
                            gen_ai.usage.cache_read_tokens = Empty,
                            gen_ai.usage.cache_creation_tokens = Empty,
                            gen_ai.usage.thinking_tokens = Empty,
                        );
                        for output in [5i64, 20] {
                            call.record("gen_ai.usage.input_tokens", 100i64);
                            call.record("gen_ai.usage.output_tokens", output);
                            call.record("gen_ai.usage.total_tokens", 100 + output);
                            call.record("gen_ai.usage.cache_read_tokens", 40i64);
                            call.record("gen_ai.usage.thinking_tokens", 4i64);
                        }
                    });
            });
            tracing::info_span!(
                target: "adk_agent::llm_agent",
                "",
                otel.name = %"execute_tool get_weather",
                tool.name = %"get_weather",
            )
            .in_scope(|| {
                tracing::event!(target: "adk_agent", tracing::Level::DEBUG, tool.name = "get_weather", tool.args = "canary", "tool_call");
            });
        });
    });
    capture
}

// One model call that four spans tell of is one call, with the facts of all of them; the spans inside carry no usage.
#[test]
fn one_call_told_by_nested_spans_is_counted_once_and_merged() {
    let capture = run();
    let spans = capture.spans();
    let calls: Vec<_> = spans
        .iter()
        .filter(|s| s.attr("gen_ai.usage.input_tokens").is_some())
        .collect();
    assert_eq!(calls.len(), 1, "{}", capture.tree());
    assert_eq!(attr(calls[0], "gen_ai.usage.output_tokens"), json!(20));
    assert_eq!(
        attr(calls[0], "gen_ai.usage.cache_read.input_tokens"),
        json!(40)
    );
    assert_eq!(
        attr(calls[0], "gen_ai.usage.reasoning.output_tokens"),
        json!(4)
    );
    assert_eq!(attr(calls[0], "gen_ai.request.model"), json!("gpt-4o-mini"));
    assert_eq!(attr(calls[0], "gen_ai.provider.name"), json!("openai"));
    let completed = events(&capture)
        .into_iter()
        .filter(|ty| ty == "llm.call.completed");
    assert_eq!(completed.count(), 1);
    let agent = capture.span("invoke_agent helper");
    assert_eq!(attr(&agent, "llm.total_calls"), json!(1));
    assert_eq!(attr(&agent, "llm.total_tokens"), json!(120));
}

#[test]
fn a_span_without_a_name_is_the_tool_it_says_it_is() {
    let span = run().span("execute_tool get_weather");
    assert_eq!(attr(&span, "gen_ai.tool.name"), json!("get_weather"));
    assert_eq!(attr(&span, "gen_ai.operation.name"), json!("execute_tool"));
}

// Prompts on spans by default, arguments in DEBUG events: neither leaves the process unless content may.
#[test]
fn prompts_on_spans_and_arguments_in_events_stay_at_home() {
    let told = format!("{:?}", run().spans());
    assert!(!told.contains("canary"), "{told}");
}
