//! Streamable HTTP on loopback.

use std::net::Ipv4Addr;
use std::sync::Arc;

use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use opentelemetry::SpanId;
use opentelemetry::trace::SpanKind;
use rmcp::ServiceExt as _;
use rmcp::service::{RoleClient, RunningService};
use rmcp::transport::streamable_http_server::session::local::LocalSessionManager;
use rmcp::transport::{
    StreamableHttpClientTransport, StreamableHttpServerConfig, StreamableHttpService,
};
use tokio::net::TcpListener;
use tracing::{Instrument as _, info_span};
use tracing_genai::agent;
use tracing_genai::event::{EventSpec as _, McpConnectionClosed, Value};
use tracing_genai::mcp::{PeerExt as _, Transport, traced_handler};
use tracing_genai::testing::{Capture, CapturedSpan, capture};

use super::library::{Library, call, run};
use super::tree::captured;

/// Serves the library on a free port, each HTTP request in a span `POST /mcp`, and returns its address.
async fn serve(sessions: bool) -> String {
    let mut config = StreamableHttpServerConfig::default();
    config.legacy_session_mode = sessions;
    let service = StreamableHttpService::new(
        || Ok(traced_handler(Library)),
        Arc::new(LocalSessionManager::default()),
        config,
    );
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (socket, _) = listener.accept().await.unwrap();
            let service = service.clone();
            let handle = service_fn(move |request: http::Request<hyper::body::Incoming>| {
                let service = service.clone();
                let span = info_span!("request", otel.name = format!("{} /mcp", request.method()));
                async move { Ok::<_, std::convert::Infallible>(service.handle(request).await) }
                    .instrument(span)
            });
            tokio::spawn(async move {
                let builder = auto::Builder::new(TokioExecutor::new());
                let _ = builder.serve_connection(TokioIo::new(socket), handle).await;
            });
        }
    });
    format!("http://{address}/mcp")
}

async fn client(uri: String) -> RunningService<RoleClient, ()> {
    ().serve(StreamableHttpClientTransport::from_uri(uri))
        .await
        .unwrap()
}

fn a_session(sessions: bool, traced: bool) -> (Capture, CapturedSpan) {
    let capture = capture();
    run(&capture, async {
        let client = client(serve(sessions).await).await;
        let called = async {
            if traced {
                let peer = client.traced().transport(Transport::Http);
                peer.server("127.0.0.1", 80).call_tool(call("search")).await
            } else {
                client.call_tool(call("search")).await
            }
        };
        agent("librarian").run(called).await.unwrap();
        client.cancel().await.unwrap();
    });
    let spans = capture.spans();
    let served = spans
        .iter()
        .find(|span| span.name == "tools/call search" && span.kind == SpanKind::Server);
    let served = served
        .unwrap_or_else(|| panic!("{}", capture.tree()))
        .clone();
    (capture, served)
}

fn attr<'s>(span: &'s CapturedSpan, name: &str) -> Option<&'s str> {
    span.attr(name).and_then(Value::as_str)
}

#[test]
fn over_http_the_server_is_below_the_call_and_says_what_carried_it() {
    let (capture, served) = a_session(true, true);
    let tree = captured(&capture.spans());
    let expected = "\
invoke_agent librarian Internal
  tools/call search Client
    tools/call search Server
      look up Internal
";
    assert!(tree.contains(expected), "{tree}");
    for (name, value) in [
        ("network.transport", "tcp"),
        ("network.protocol.name", "http"),
        ("network.protocol.version", "1.1"),
    ] {
        assert_eq!(attr(&served, name), Some(value), "{name}");
    }
    assert!(attr(&served, "mcp.session.id").is_some());
    assert!(attr(&served, "jsonrpc.request.id").is_some());
}

#[test]
fn without_sessions_the_http_request_is_linked_and_not_the_parent() {
    for traced in [true, false] {
        let (capture, served) = a_session(false, traced);
        let spans = capture.spans();
        let [link] = &served.links[..] else {
            panic!("{served:?} {}", capture.tree());
        };
        let request = spans.iter().find(|span| span.span_id == link.span_id());
        assert_eq!(request.map(|span| span.name.as_str()), Some("POST /mcp"));
        let parent = spans.iter().find(|span| span.span_id == served.parent_id);
        if traced {
            assert_eq!(parent.map(|span| span.kind.clone()), Some(SpanKind::Client));
        } else {
            assert_eq!(served.parent_id, SpanId::INVALID);
        }
    }
}

#[test]
fn a_session_without_context_is_a_root_for_each_request() {
    let (capture, served) = a_session(true, false);
    assert_eq!(served.parent_id, SpanId::INVALID, "{}", capture.tree());
    for span in capture.spans() {
        let connection = ["serve_inner", "streamable_http_session"].contains(&&*span.name);
        assert!(!connection, "{}", capture.tree());
    }
}

#[test]
fn over_http_a_session_ends_once_and_requests_without_one_are_none() {
    for (sessions, expected) in [(true, 1), (false, 0)] {
        let (capture, _) = a_session(sessions, true);
        let closed = || {
            let events = capture.events();
            let closed = events.iter().filter_map(McpConnectionClosed::view);
            let named = closed.map(|closed| closed.session_id.is_some());
            named.collect::<Vec<_>>()
        };
        // The runtime is gone, and the handlers with it.
        assert_eq!(closed(), vec![true; expected], "{sessions}");
    }
}
