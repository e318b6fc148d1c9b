//! What a peer may send that is not what anybody means: it changes nothing, and costs nothing worth mentioning.

use opentelemetry::SpanId;
use opentelemetry::trace::SpanKind;
use rmcp::model::{CallToolRequestParams, ClientRequest, CustomRequest, RequestParamsMeta as _};
use serde_json::json;
use tracing_genai::mcp::{PeerExt as _, traced};
use tracing_genai::testing::capture;

use super::library::{Library, call, run, text, with};

#[test]
fn hostile_meta_is_as_if_it_said_nothing_and_reaches_the_handler_as_it_is() {
    let long = "9".repeat(2 << 20);
    let hostile = [
        json!({"traceparent": 7}),
        json!({"traceparent": {"a": [1, 2]}, "tracestate": null, "baggage": false}),
        json!({"traceparent": "00-zz-zz-01"}),
        json!({"traceparent": "00-00000000000000000000000000000000-0000000000000000-00"}),
        json!({"traceparent": long, "baggage": format!("a={long}")}),
        json!({"traceparent": "\u{0}\r\n", "tracestate": "=,=,="}),
        json!({"baggage": ";;;;====,,,,", "tracestate": "x".repeat(100_000)}),
    ];
    for meta in hostile {
        let capture = capture();
        let sent = meta.clone();
        run(&capture, async {
            with(traced(Library), |peer| async move {
                let mut params = call("meta");
                for (key, value) in sent.as_object().unwrap() {
                    params.meta_or_default().insert(key.clone(), value.clone());
                }
                // As it is, from a client without tracing.
                let seen = text(&peer.call_tool(params).await.unwrap());
                let seen: serde_json::Value = serde_json::from_str(&seen).unwrap();
                for (key, value) in sent.as_object().unwrap() {
                    assert_eq!(&seen[key], value);
                }
            })
            .await;
        });
        let span = capture.span("tools/call meta");
        assert_eq!(span.parent_id, SpanId::INVALID);
        assert_eq!(span.kind, SpanKind::Server);
        assert!(span.links.is_empty());
        assert!(
            format!("{span:?}").len() < 10_000,
            "nothing of it is on the span"
        );
    }
}

#[test]
fn names_of_megabytes_are_short_on_spans_and_whole_for_the_handler() {
    let capture = capture();
    run(&capture, async {
        with(traced(Library), |peer| async move {
            let name = "n".repeat(3 << 20);
            let error = peer.call_tool(CallToolRequestParams::new(name)).await;
            assert!(error.unwrap_err().to_string().len() > 3 << 20);
            let method = "m/".repeat(1 << 20);
            let request = ClientRequest::CustomRequest(CustomRequest::new(method, None));
            peer.traced().request(request).await.unwrap_err();
        })
        .await;
    });
    let spans = capture.spans();
    let long = spans
        .iter()
        .filter(|span| format!("{span:?}").len() > 20_000);
    assert_eq!(long.count(), 0);
    let ours = spans
        .iter()
        .filter(|span| span.name.starts_with("tools/call nnn"));
    assert!(ours.clone().count() == 1 && ours.clone().all(|span| span.name.len() <= 256));
}

#[test]
fn names_of_nothing_leave_the_method_alone() {
    let capture = capture();
    run(&capture, async {
        with(traced(Library), |peer| async move {
            peer.traced().call_tool(call("")).await.unwrap_err();
        })
        .await;
    });
    let named = capture
        .spans()
        .into_iter()
        .filter(|span| span.name == "tools/call");
    assert_eq!(named.count(), 2);
}
