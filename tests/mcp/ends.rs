//! How a call can end, and what its spans say then.

use opentelemetry::trace::{SpanKind, Status};
use rmcp::model::{CallToolRequest, ClientRequest};
use rmcp::service::PeerRequestOptions;
use std::time::Duration;
use tracing_genai::event::{EventSpec as _, McpToolCanceled, Value};
use tracing_genai::mcp::{PeerExt as _, traced};
use tracing_genai::testing::{Capture, CapturedSpan, capture, capture_with};

use super::library::{Library, call, run, with};

fn both(capture: &Capture, name: &str) -> [CapturedSpan; 2] {
    let spans = capture.spans();
    [SpanKind::Client, SpanKind::Server].map(|kind| {
        let found = spans.iter().find(|s| s.name == name && s.kind == kind);
        found
            .unwrap_or_else(|| panic!("{}", capture.tree()))
            .clone()
    })
}

fn attr<'s>(span: &'s CapturedSpan, name: &str) -> Option<&'s str> {
    span.attr(name).and_then(Value::as_str)
}

#[test]
fn a_result_that_is_an_error_fails_both_spans_as_tool_error_and_passes_as_a_result() {
    let capture = capture();
    run(&capture, async {
        with(traced(Library), |peer| async move {
            let lent = peer.traced().call_tool(call("lend")).await.unwrap();
            assert_eq!(lent.is_error, Some(true));
        })
        .await;
    });
    for span in both(&capture, "tools/call lend") {
        assert_eq!(attr(&span, "error.type"), Some("tool_error"));
        assert_eq!(attr(&span, "rpc.response.status_code"), None);
        // The text is content.
        assert_eq!(span.status, Status::error("tool_error"));
    }
    capture.assert_sequence(["mcp.tool.started", "mcp.tool.failed", "mcp.tool.failed"]);
    let exported = format!("{:?}", capture.spans());
    assert!(!exported.contains("canary"), "{exported}");
}

#[test]
fn the_text_of_an_error_is_the_status_where_texts_are_kept() {
    let capture = capture_with(|b| b.error_messages(true));
    run(&capture, async {
        with(traced(Library), |peer| async move {
            peer.traced().call_tool(call("lend")).await.unwrap();
            peer.traced().call_tool(call("burn")).await.unwrap_err();
        })
        .await;
    });
    for span in both(&capture, "tools/call lend") {
        assert_eq!(span.status, Status::error("the canary is lent out"));
    }
    for span in both(&capture, "tools/call burn") {
        assert_eq!(span.status, Status::error("unknown tool: burn"));
    }
}

#[test]
fn an_unknown_tool_is_an_error_of_the_protocol_by_its_code() {
    let capture = capture();
    run(&capture, async {
        with(traced(Library), |peer| async move {
            let error = peer.traced().call_tool(call("burn")).await.unwrap_err();
            assert!(matches!(error, rmcp::ServiceError::McpError(e) if e.code.0 == -32602));
        })
        .await;
    });
    for span in both(&capture, "tools/call burn") {
        assert_eq!(attr(&span, "error.type"), Some("-32602"));
        assert_eq!(attr(&span, "rpc.response.status_code"), Some("-32602"));
        assert!(matches!(span.status, Status::Error { .. }));
    }
}

#[test]
fn a_call_whose_future_is_dropped_is_canceled_on_both_sides() {
    let capture = capture();
    run(&capture, async {
        with(traced(Library), |peer| async move {
            tokio::select! {
                biased;
                answer = peer.traced().call_tool(call("wait")) => panic!("{answer:?}"),
                // Answered after the other has begun.
                listed = peer.list_tools(None) => drop(listed.unwrap()),
            }
        })
        .await;
    });
    for span in both(&capture, "tools/call wait") {
        assert_eq!(span.status, Status::Unset);
        assert_eq!(attr(&span, "error.type"), None);
    }
    let events = capture.events();
    let canceled = events.iter().filter_map(McpToolCanceled::view);
    assert_eq!(canceled.count(), 2, "{events:#?}");
}

#[test]
fn a_request_that_the_client_cancels_is_canceled_on_the_server() {
    let capture = capture();
    run(&capture, async {
        with(traced(Library), |peer| async move {
            let request = ClientRequest::CallToolRequest(CallToolRequest::new(call("wait")));
            let options = PeerRequestOptions::no_options();
            let handle = peer
                .send_cancellable_request(request, options)
                .await
                .unwrap();
            // Answered after it, so the request has begun.
            peer.list_tools(None).await.unwrap();
            handle.cancel(Some("enough".to_owned())).await.unwrap();
        })
        .await;
    });
    let span = capture.span("tools/call wait");
    assert_eq!(span.status, Status::Unset);
    capture.assert_sequence(["mcp.tool.started", "mcp.tool.canceled"]);
    // The notification is told of too.
    assert_eq!(
        capture.span("notifications/cancelled").kind,
        SpanKind::Server
    );
}

#[test]
fn a_call_that_times_out_says_so() {
    let capture = capture();
    run(&capture, async {
        with(traced(Library), |peer| async move {
            let request = ClientRequest::CallToolRequest(CallToolRequest::new(call("wait")));
            let options = PeerRequestOptions::with_timeout(Duration::from_millis(50));
            let late = peer.traced().request_with(request, options).await;
            late.unwrap_err();
        })
        .await;
    });
    let spans = capture.spans();
    let client = spans
        .iter()
        .find(|span| span.kind == SpanKind::Client)
        .unwrap();
    assert_eq!(attr(client, "error.type"), Some("timeout"));
}

#[test]
fn a_tool_that_panics_fails_its_span() {
    let capture = capture();
    run(&capture, async {
        with(traced(Library), |peer| async move {
            tokio::select! {
                biased;
                answer = peer.traced().call_tool(call("panic")) => panic!("{answer:?}"),
                listed = peer.list_tools(None) => drop(listed.unwrap()),
            }
        })
        .await;
    });
    let [_, server] = both(&capture, "tools/call panic");
    assert_eq!(attr(&server, "error.type"), Some("panic"));
}

#[test]
fn a_peer_that_is_gone_fails_the_call() {
    let capture = capture();
    run(&capture, async {
        let peer = with(traced(Library), |peer| async move { peer }).await;
        peer.traced().call_tool(call("search")).await.unwrap_err();
    });
    let span = capture.span("tools/call search");
    assert_eq!(attr(&span, "error.type"), Some("transport_closed"));
}
