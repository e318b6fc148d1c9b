use serde_json::json;
use tracing::field::Empty;
use tracing::level_filters::LevelFilter;
use tracing_genai::content::CaptureMode;
use tracing_genai::testing::{Capture, capture, capture_with};

use super::attr;

fn foreign(capture: &Capture) {
    capture.record(|| {
        tracing::info_span!(
            target: "my_app",
            "work",
            openinference.span.kind = "LLM",
            llm.model_name = "m",
            input.value = "canary in",
            output.value = "canary out",
            "llm.input_messages.0.message.content" = "canary message",
            gen_ai.prompt = "canary prompt",
            gen_ai.completion = "canary completion",
            traceloop.entity.input = "canary",
            langfuse.observation.input = "canary",
        )
        .in_scope(|| {});
        let span = tracing::info_span!(target: "my_app", "session");
        span.in_scope(|| {
            tracing::event!(target: "rmcp::service", tracing::Level::INFO, notification = "canary", "received notification");
            tracing::event!(target: "rmcp::service", tracing::Level::DEBUG, id = 1, request = "canary arguments", "received request");
            tracing::debug!(target: "rmcp::service", "response message canary");
        });
    });
}

#[test]
fn content_under_foreign_names_stays_at_home_unless_it_may_leave() {
    let capture = capture_with(|builder| builder.level(LevelFilter::TRACE));
    foreign(&capture);
    let told = format!("{:?}", capture.spans());
    assert!(!told.contains("canary"), "{told}");
    let capture = capture_with(|builder| builder.capture(CaptureMode::Redacted));
    foreign(&capture);
    let span = capture.span("chat m");
    assert!(
        attr(&span, "gen_ai.input.messages")
            .to_string()
            .contains("canary")
    );
    assert!(
        attr(&span, "gen_ai.output.messages")
            .to_string()
            .contains("canary")
    );
}

// Keys in addresses: Gemini takes them in the query.
#[test]
fn keys_in_addresses_are_taken_out_of_any_span_of_a_run() {
    let capture = capture();
    capture.record(|| {
        let call = tracing::info_span!(target: "my_app", "ask", gen_ai.operation.name = "chat", gen_ai.request.model = "m");
        call.in_scope(|| {
            tracing::info_span!(
                target: "reqwest_tracing",
                "HTTP request",
                url.full = "https://generativelanguage.googleapis.com/v1/models/m:generateContent?key=canary&alt=sse",
                url.query = "key=canary",
                http.url = Empty,
            )
            .in_scope(|| {});
        });
    });
    let span = capture.span("HTTP request");
    let url = attr(&span, "url.full");
    assert!(!format!("{span:?}").contains("canary"), "{span:?}");
    assert!(url.as_str().unwrap().contains("alt=sse"), "{url}");
    assert_ne!(url, json!(null));
}
