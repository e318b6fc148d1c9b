//! Whose child a span is: that of who asked, never the connection's.

use futures_util::future::join_all;
use opentelemetry::baggage::BaggageExt as _;
use opentelemetry::trace::{SpanKind, TraceContextExt as _};
use opentelemetry::{Context, KeyValue, SpanId};
use rmcp::ServiceExt as _;
use rmcp::model::RequestParamsMeta as _;
use tracing::{Instrument as _, info_span};
use tracing_genai::mcp::{PeerExt as _, traced};
use tracing_genai::testing::{CapturedSpan, capture, capture_with};
use tracing_genai::{agent, step};

use super::library::{Library, call, run, text, with};

fn named<'s>(spans: &'s [CapturedSpan], name: &str) -> Vec<&'s CapturedSpan> {
    spans.iter().filter(|span| span.name == name).collect()
}

// Clients 8, point 5: the connection's span is the root of nothing, and no trace of its own.
#[test]
fn serve_inner_is_never_the_parent_of_a_message_and_no_span_at_all() {
    let capture = capture();
    run(&capture, async {
        with(traced(Library), |peer| async move {
            // Without context in `_meta`, as from a client that knows nothing of traces.
            peer.call_tool(call("search")).await.unwrap();
            peer.traced().call_tool(call("search")).await.unwrap();
        })
        .instrument(info_span!("the program"))
        .await;
    });
    let spans = capture.spans();
    for connection in ["serve_inner", "streamable_http_session"] {
        assert_eq!(named(&spans, connection).len(), 0, "{}", capture.tree());
    }
    let program = named(&spans, "the program");
    for parent in spans.iter().map(|span| span.parent_id) {
        let known = spans.iter().any(|span| span.span_id == parent);
        assert!(
            known || parent == SpanId::INVALID,
            "a parent that nobody tells of: {}",
            capture.tree()
        );
    }
    assert_eq!(program.len(), 1);
    let untold = spans
        .iter()
        .filter(|span| span.name == "tools/call search" && span.parent_id == SpanId::INVALID);
    let untold: Vec<_> = untold.collect();
    assert_eq!(untold.len(), 1, "a root of its own: {}", capture.tree());
    assert_eq!(untold[0].kind, SpanKind::Server);
}

// Clients 8, point 4 (rmcp's part): the parent at the time of the call.
#[test]
fn concurrent_calls_keep_their_parents_wherever_they_are_polled() {
    let capture = capture();
    run(&capture, async {
        with(traced(Library), |peer| async move {
            let peer = &peer;
            // Made inside each agent, polled outside all of them: in no span, and in one around them.
            let asked = |n: u32| {
                let question = agent(&format!("agent {n}")).start();
                let made = question.in_scope(|| peer.traced().call_tool(call("search")));
                async move {
                    made.await.unwrap();
                    question.complete();
                }
            };
            join_all((0..10).map(asked)).await;
            let around = async { Ok::<_, String>(join_all((10..20).map(asked)).await) };
            step("all at once").run(around).await.unwrap();
            // Put into a span after they were made, on a task of their own.
            let late = (20..30).map(|n| {
                let peer = peer.clone();
                let question = agent(&format!("agent {n}"));
                tokio::spawn(async move {
                    question
                        .run(peer.traced().call_tool(call("search")))
                        .await
                        .unwrap();
                })
            });
            join_all(late).await;
        })
        .await;
    });
    let spans = capture.spans();
    let agents = || {
        spans
            .iter()
            .filter(|span| span.name.starts_with("invoke_agent "))
    };
    assert_eq!(agents().count(), 30);
    for agent in agents() {
        let below = spans.iter().filter(|span| span.parent_id == agent.span_id);
        let [call] = below.collect::<Vec<_>>()[..] else {
            panic!("{}", capture.tree());
        };
        assert_eq!(
            (call.name.as_str(), &call.kind),
            ("tools/call search", &SpanKind::Client)
        );
        let served = spans
            .iter()
            .find(|span| span.parent_id == call.span_id)
            .unwrap();
        assert_eq!(
            (&served.kind, served.trace_id),
            (&SpanKind::Server, agent.trace_id)
        );
    }
}

#[test]
fn what_stands_in_meta_stays_but_for_the_trace_context() {
    let capture = capture();
    let meta = run(&capture, async {
        with(traced(Library), |peer| async move {
            let mut params = call("meta");
            let meta = params.meta_or_default();
            meta.insert("com.example/tenant".to_owned(), "acme".into());
            meta.insert("traceparent".to_owned(), "00-stale".into());
            meta.insert("tracestate".to_owned(), "stale=1".into());
            text(&peer.traced().call_tool(params).await.unwrap())
        })
        .await
    });
    let meta: serde_json::Value = serde_json::from_str(&meta).unwrap();
    assert_eq!(meta["com.example/tenant"], "acme");
    assert_eq!(
        meta.get("tracestate"),
        None,
        "it belonged to the other traceparent"
    );
    let spans = capture.spans();
    let client = spans
        .iter()
        .find(|span| span.name == "tools/call meta" && span.kind == SpanKind::Client)
        .unwrap();
    let ours = format!("00-{}-{}-01", client.trace_id, client.span_id);
    assert_eq!(meta["traceparent"], ours);
}

#[test]
fn baggage_of_the_caller_travels_through_the_server() {
    let capture = capture();
    let meta = run(&capture, async {
        with(traced(Library), |peer| async move {
            let context = Context::current().with_baggage([KeyValue::new("tenant", "acme")]);
            let made = {
                let _guard = context.attach();
                peer.traced().call_tool(call("meta"))
            };
            text(&made.await.unwrap())
        })
        .await
    });
    let meta: serde_json::Value = serde_json::from_str(&meta).unwrap();
    assert_eq!(meta["baggage"], "tenant=acme");
}

#[test]
fn a_span_of_the_opentelemetry_api_around_the_call_is_its_parent() {
    use opentelemetry::trace::{SpanContext, TraceFlags, TraceState};

    let capture = capture();
    let native = SpanContext::new(
        opentelemetry::TraceId::from(77_u128),
        SpanId::from(99_u64),
        TraceFlags::SAMPLED,
        false,
        TraceState::default(),
    );
    run(&capture, async {
        with(traced(Library), |peer| async move {
            let context = Context::new().with_remote_span_context(native.clone());
            let made = {
                let _guard = context.attach();
                peer.traced().call_tool(call("search"))
            };
            made.await.unwrap();
        })
        .await;
    });
    let spans = capture.spans();
    let client = spans
        .iter()
        .find(|span| span.name == "tools/call search" && span.kind == SpanKind::Client)
        .unwrap();
    assert_eq!(client.parent_id, SpanId::from(99_u64));
}

#[test]
fn context_travels_though_it_is_not_activated_and_without_connection_spans() {
    let capture = capture_with(|b| b.activate_context(false).genai_only());
    run(&capture, async {
        with(traced(Library), |peer| async move {
            let work = peer.traced().call_tool(call("search"));
            drop(work);
            agent("librarian")
                .run(async { peer.traced().call_tool(call("search")).await })
                .await
                .unwrap();
        })
        .await;
    });
    assert_eq!(
        super::tree::captured(&capture.spans()),
        "\
invoke_agent librarian Internal
  tools/call search Client
    tools/call search Server
      look up Internal
"
    );
}

#[test]
fn what_a_handler_that_is_not_traced_does_is_a_root_for_each_request() {
    let capture = capture();
    run(&capture, async {
        with(Library, |peer| async move {
            peer.call_tool(call("search")).await.unwrap();
            peer.call_tool(call("search")).await.unwrap();
        })
        .instrument(info_span!("the program"))
        .await;
    });
    let spans = capture.spans();
    let work = named(&spans, "look up");
    assert_eq!(work.len(), 2, "{}", capture.tree());
    assert!(work.iter().all(|span| span.parent_id == SpanId::INVALID));
    assert_ne!(work[0].trace_id, work[1].trace_id);
}

#[test]
fn the_span_a_message_arrives_in_is_linked() {
    let capture = capture();
    run(&capture, async {
        // Somebody who serves messages in spans of their own: `rmcp` makes the handshake in the caller's.
        let (ours, theirs) = tokio::io::duplex(1 << 16);
        let serving = tokio::spawn(
            async { traced(Library).serve(theirs).await.unwrap() }.instrument(info_span!("accept")),
        );
        let client = ().serve(ours).await.unwrap();
        let server = serving.await.unwrap();
        client.cancel().await.unwrap();
        server.waiting().await.unwrap();
    });
    let accept = capture.span("accept");
    let spans = capture.spans();
    let initialize = spans.iter().find(|span| span.name == "initialize").unwrap();
    assert_eq!(initialize.parent_id, SpanId::INVALID);
    let links: Vec<_> = initialize.links.iter().map(|link| link.span_id()).collect();
    assert_eq!(links, [accept.span_id]);
}
