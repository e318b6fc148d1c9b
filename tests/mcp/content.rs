//! Arguments, results and variables are content.

use rmcp::model::{CallToolRequestParams, GetPromptRequestParams};
use serde_json::json;
use tracing_genai::content::CaptureMode;
use tracing_genai::event::Value;
use tracing_genai::mcp::{PeerExt as _, traced};
use tracing_genai::testing::{Capture, capture, capture_with};
use tracing_genai::tool;

use super::library::{Library, run, with};

fn arguments(value: serde_json::Value) -> CallToolRequestParams {
    CallToolRequestParams::new("echo").with_arguments(value.as_object().unwrap().clone())
}

fn a_session(capture: &Capture) {
    run(capture, async {
        with(traced(Library), |peer| async move {
            let params = arguments(json!({"query": "canary", "limit": 3}));
            peer.traced().call_tool(params.clone()).await.unwrap();
            tool("echo")
                .run(peer.traced().call_tool(params))
                .await
                .unwrap();
            let mut prompt = GetPromptRequestParams::new("greeting");
            prompt.arguments = json!({"name": "canary"}).as_object().cloned();
            peer.traced().get_prompt(prompt).await.unwrap();
        })
        .await;
    });
}

#[test]
fn without_content_nothing_of_arguments_and_results_is_on_our_spans_or_events() {
    let capture = capture();
    a_session(&capture);
    let spans = capture.spans();
    assert!(spans.len() > 5);
    for span in &spans {
        let shown = format!("{span:?}");
        assert!(!shown.contains("canary"), "{shown}");
    }
    let events = format!("{:?}", capture.events());
    assert!(!events.contains("canary"), "{events}");
}

#[test]
fn with_content_they_are_json_text_on_both_sides() {
    let capture = capture_with(|b| b.capture(CaptureMode::Redacted));
    a_session(&capture);
    let spans = capture.spans();
    let calls = spans
        .iter()
        .filter(|span| span.name == "tools/call echo" || span.name == "execute_tool echo");
    let mut seen = 0;
    for span in calls {
        let text = |name: &str| span.attr(name).and_then(Value::as_str).map(str::to_owned);
        let asked = text("gen_ai.tool.call.arguments").unwrap();
        assert_eq!(
            serde_json::from_str::<serde_json::Value>(&asked).unwrap(),
            json!({"query": "canary", "limit": 3})
        );
        let answer = text("gen_ai.tool.call.result").unwrap();
        let answer: serde_json::Value = serde_json::from_str(&answer).unwrap();
        assert_eq!(answer["content"][0]["type"], "text");
        seen += 1;
    }
    assert_eq!(
        seen,
        4,
        "client and server, the tool's and the server's: {}",
        capture.tree()
    );
    let prompts = spans
        .iter()
        .filter(|span| span.name == "prompts/get greeting");
    for span in prompts {
        let name = span.attr("gen_ai.prompt.variable.name");
        assert_eq!(name.and_then(Value::as_str), Some("canary"));
    }
}

#[test]
fn large_arguments_are_cut_and_the_request_is_whole() {
    let capture = capture_with(|b| b.capture(CaptureMode::Redacted));
    let long = "x".repeat(300_000);
    let sent = long.clone();
    run(&capture, async {
        with(traced(Library), |peer| async move {
            let params = arguments(json!({"text": sent.clone()}));
            let answer = peer.traced().call_tool(params).await.unwrap();
            let echoed: serde_json::Value =
                serde_json::from_str(&super::library::text(&answer)).unwrap();
            assert_eq!(echoed["text"], sent);
        })
        .await;
    });
    let spans = capture.spans();
    let calls = spans.iter().filter(|span| span.name == "tools/call echo");
    for span in calls {
        for name in ["gen_ai.tool.call.arguments", "gen_ai.tool.call.result"] {
            let text = span.attr(name).and_then(Value::as_str).unwrap();
            assert!((60_000..70_000).contains(&text.len()), "{name}");
            let json: serde_json::Value = serde_json::from_str(text).unwrap();
            assert!(json.to_string().contains("xxx…["), "{name}");
        }
    }
}

// The library logs what it sends and receives, arguments in the clear, at DEBUG and TRACE.
#[test]
fn what_rmcp_itself_logs_of_arguments_and_results_stays_at_home() {
    let capture = capture_with(|builder| builder.level(tracing::level_filters::LevelFilter::TRACE));
    a_session(&capture);
    let shown = format!("{:?}", capture.spans());
    assert!(!shown.contains("canary"), "{shown}");
}
