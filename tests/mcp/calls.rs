//! Spans `{method} {target}` on both sides, with the attributes of the conventions.

use opentelemetry::trace::{SpanKind, Status};
use rmcp::model::{
    ClientRequest, GetPromptRequestParams, NumberOrString, PingRequest, ProgressNotificationParam,
    ProgressToken, ReadResourceRequestParams,
};
use rmcp::service::{RoleServer, Service};
use tracing_genai::agent;
use tracing_genai::event::{EventSpec as _, McpRequestCompleted, McpToolCompleted, Value};
use tracing_genai::mcp::{PeerExt as _, Transport, connect, traced, traced_handler};
use tracing_genai::testing::{Capture, CapturedSpan, capture};

use super::library::{Library, Reader, blocking, call, run, text, with, with_client};
use super::tree::captured;

fn attr<'s>(span: &'s CapturedSpan, name: &str) -> Option<&'s str> {
    span.attr(name).and_then(Value::as_str)
}

fn of_kind(spans: &[CapturedSpan], name: &str, kind: SpanKind) -> CapturedSpan {
    let mut found = spans.iter().filter(|s| s.name == name && s.kind == kind);
    let span = found
        .next()
        .unwrap_or_else(|| panic!("{name}: {}", captured(spans)));
    assert!(found.next().is_none(), "{}", captured(spans));
    span.clone()
}

/// An agent that asks for one thing of each kind.
fn a_day(capture: &Capture, server: impl Service<RoleServer>) {
    run(capture, async {
        with(server, |peer| async move {
            let work = async {
                let peer = peer.traced().transport(Transport::Stdio);
                peer.call_tool(call("search")).await?;
                peer.get_prompt(GetPromptRequestParams::new("greeting"))
                    .await?;
                let page = ReadResourceRequestParams::new("library://books/1");
                peer.read_resource(page).await?;
                peer.list_all_tools().await?;
                Ok::<_, rmcp::ServiceError>(())
            };
            agent("librarian").run(work).await.unwrap();
        })
        .await;
    });
}

#[test]
fn a_traced_handler_makes_the_spans_that_a_traced_service_does() {
    let [one, other] = [capture(), capture()];
    a_day(&one, traced(Library).transport(Transport::Stdio));
    a_day(&other, traced_handler(Library).transport(Transport::Stdio));
    let said = |capture: &Capture| {
        let spans = capture.spans();
        let said = spans.iter().map(|span| {
            let mut names: Vec<_> = span
                .attributes
                .iter()
                .map(|(name, _)| name.to_owned())
                .collect();
            names.sort();
            (span.name.clone(), span.kind.clone(), names)
        });
        let mut said: Vec<_> = said.map(|said| format!("{said:?}")).collect();
        said.sort();
        said
    };
    assert_eq!(captured(&one.spans()), captured(&other.spans()));
    assert_eq!(said(&one), said(&other));
}

// Requirement 163, and complaint 23: context in `_meta`.
#[test]
fn every_request_is_a_span_of_method_and_target_on_both_sides_and_one_trace() {
    let capture = capture();
    a_day(&capture, traced(Library).transport(Transport::Stdio));
    let spans = capture.spans();
    assert_eq!(
        captured(&spans),
        "\
invoke_agent librarian Internal
  tools/call search Client
    tools/call search Server
      look up Internal
  prompts/get greeting Client
    prompts/get greeting Server
  resources/read Client
    resources/read Server
  tools/list Client
    tools/list Server
"
    );
    for kind in [SpanKind::Client, SpanKind::Server] {
        let tool = of_kind(&spans, "tools/call search", kind.clone());
        for (name, value) in [
            ("mcp.method.name", "tools/call"),
            ("gen_ai.tool.name", "search"),
            ("gen_ai.operation.name", "execute_tool"),
            ("network.transport", "pipe"),
        ] {
            assert_eq!(attr(&tool, name), Some(value), "{name}");
        }
        assert!(attr(&tool, "mcp.protocol.version").is_some());
        assert_eq!(tool.status, Status::Unset);
        let prompt = of_kind(&spans, "prompts/get greeting", kind.clone());
        assert_eq!(attr(&prompt, "gen_ai.prompt.name"), Some("greeting"));
        assert_eq!(attr(&prompt, "gen_ai.operation.name"), None);
        let resource = of_kind(&spans, "resources/read", kind.clone());
        assert_eq!(
            attr(&resource, "mcp.resource.uri"),
            Some("library://books/1")
        );
        let list = of_kind(&spans, "tools/list", kind);
        assert_eq!(attr(&list, "mcp.method.name"), Some("tools/list"));
    }
    let served = of_kind(&spans, "tools/call search", SpanKind::Server);
    assert!(attr(&served, "jsonrpc.request.id").is_some());
    assert!(served.parent_is_remote);
    // The agent's own totals count the tool, once.
    let agent = capture.span("invoke_agent librarian");
    assert_eq!(agent.attr("llm.total_tool_calls"), Some(&Value::I64(1)));
}

#[test]
fn the_bus_tells_of_calls_as_they_happen() {
    let capture = capture();
    run(&capture, async {
        with(traced(Library), |peer| async move {
            peer.traced().call_tool(call("search")).await.unwrap();
            peer.traced().list_tools(None).await.unwrap();
        })
        .await;
    });
    let events = capture.events();
    let tools = events.iter().filter_map(McpToolCompleted::view);
    let names: Vec<_> = tools.map(|tool| tool.name.unwrap().to_owned()).collect();
    assert_eq!(names, ["search", "search"], "the server's and the client's");
    let requests = events.iter().filter_map(McpRequestCompleted::view);
    let methods: Vec<_> = requests.map(|r| r.method.unwrap().to_owned()).collect();
    assert!(methods.contains(&"tools/list".to_owned()), "{methods:?}");
    capture.assert_sequence(["mcp.tool.started", "mcp.tool.started", "mcp.tool.completed"]);
}

#[test]
fn any_request_can_be_traced_and_then_says_its_id_on_both_sides() {
    let capture = capture();
    run(&capture, async {
        with(traced(Library), |peer| async move {
            let ping = ClientRequest::PingRequest(PingRequest::default());
            peer.traced().request(ping).await.unwrap();
        })
        .await;
    });
    let spans = capture.spans();
    let [sent, got] =
        [SpanKind::Client, SpanKind::Server].map(|kind| of_kind(&spans, "ping", kind));
    assert_eq!(got.parent_id, sent.span_id);
    let id = attr(&sent, "jsonrpc.request.id");
    assert!(id.is_some());
    assert_eq!(id, attr(&got, "jsonrpc.request.id"));
}

#[test]
fn a_server_that_asks_its_client_is_the_client_of_that_span() {
    let capture = capture();
    run(&capture, async {
        with_client(traced(Library), traced(Reader), |client| async move {
            let asked = client.traced().call_tool(call("ask")).await.unwrap();
            assert_eq!(text(&asked), "asked");
        })
        .await;
    });
    assert_eq!(
        captured(&capture.spans()),
        "\
tools/call ask Client
  tools/call ask Server
    sampling/createMessage Client
      sampling/createMessage Server
"
    );
}

#[test]
fn a_handshake_is_a_span_on_either_side() {
    let capture = capture();
    run(&capture, async {
        let (ours, theirs) = tokio::io::duplex(1 << 16);
        let serving =
            tokio::spawn(async { traced(Library).serve(theirs).await.unwrap().waiting().await });
        let client = connect((), ours).await.unwrap();
        client.cancel().await.unwrap();
        serving.await.unwrap().unwrap();
    });
    let spans = capture.spans();
    let client = of_kind(&spans, "initialize", SpanKind::Client);
    let server = of_kind(&spans, "initialize", SpanKind::Server);
    let version = attr(&client, "mcp.protocol.version");
    assert!(version.is_some());
    assert_eq!(version, attr(&server, "mcp.protocol.version"));
    of_kind(&spans, "notifications/initialized", SpanKind::Server);
    capture.assert_sequence(["mcp.connection.started", "mcp.connection.completed"]);
}

#[test]
fn a_connection_that_fails_says_so() {
    let capture = capture();
    run(&capture, async {
        let (ours, theirs) = tokio::io::duplex(1 << 16);
        drop(theirs);
        connect((), ours).await.unwrap_err();
    });
    let span = capture.span("initialize");
    assert!(attr(&span, "error.type").is_some(), "{span:?}");
    capture.assert_sequence(["mcp.connection.failed"]);
}

#[test]
fn news_of_progress_has_no_span_and_other_notifications_do() {
    let capture = capture();
    run(&capture, async {
        with(traced(Library), |peer| async move {
            for done in 0..50 {
                let token = ProgressToken(NumberOrString::Number(1));
                let progress = ProgressNotificationParam::new(token, f64::from(done));
                peer.notify_progress(progress).await.unwrap();
            }
            peer.notify_roots_list_changed().await.unwrap();
            peer.list_tools(None).await.unwrap();
        })
        .await;
    });
    let spans = capture.spans();
    let named = |name: &str| spans.iter().filter(|span| span.name == name).count();
    assert_eq!(named("notifications/progress"), 0);
    assert_eq!(named("notifications/roots/list_changed"), 1);
}

#[test]
fn what_is_skipped_has_no_span_and_is_handled() {
    let capture = capture();
    run(&capture, async {
        let server = traced(Library).skip(["tools/list", "notifications/initialized"]);
        with(server, |peer| async move {
            assert_eq!(peer.list_tools(None).await.unwrap().tools.len(), 1);
            peer.call_tool(call("search")).await.unwrap();
        })
        .await;
    });
    let spans = capture.spans();
    let named = |name: &str| spans.iter().filter(|span| span.name == name).count();
    assert_eq!(named("tools/list") + named("notifications/initialized"), 0);
    assert_eq!(named("tools/call search"), 1);
}

// Without an installation nothing is added to what goes over the wire.
#[test]
fn without_a_layer_calls_pass_untouched() {
    let plain = blocking(with(Library, |peer| async move {
        text(&peer.call_tool(call("meta")).await.unwrap())
    }));
    let traced_call = blocking(with(traced(Library), |peer| async move {
        peer.traced().list_all_tools().await.unwrap();
        let failed = peer.traced().call_tool(call("nothing")).await;
        assert!(failed.is_err());
        text(&peer.traced().call_tool(call("meta")).await.unwrap())
    }));
    let keys = |meta: &str| {
        let meta: serde_json::Map<String, serde_json::Value> = serde_json::from_str(meta).unwrap();
        meta.into_iter().map(|(key, _)| key).collect::<Vec<_>>()
    };
    assert_eq!(keys(&plain), keys(&traced_call));
}
